# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: account_table
short_description: What came of many accounts, as lines for people
version_added: 1.0.0
description:
  - One line for each account, the failed ones first, below a heading that counts them.
options:
  _input:
    description: By host, what a role left there in C(spot_eventbridge_result); none for a host where it left nothing.
    type: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show what came of all accounts
  ansible.builtin.debug:
    msg: >-
      {{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'spot_eventbridge_result')))
         | spot.eventbridge.account_table }}
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _account


def account_table(results: t.Any) -> list[str]:
    """See DOCUMENTATION."""
    if not isinstance(results, t.Mapping):
        raise AnsibleFilterError("account_table takes a dictionary of hosts")
    return _account.table(results)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"account_table": account_table}
