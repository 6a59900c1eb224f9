# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: account_lines
short_description: What came of an account, as lines for people
version_added: 1.0.0
description:
  - One line for each region, worst first, below a heading that counts them.
options:
  _input:
    description: What a role leaves in C(spot_eventbridge_result).
    type: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show what came of it
  ansible.builtin.debug:
    msg: "{{ spot_eventbridge_result | spot.eventbridge.account_lines }}"
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


def account_lines(result: t.Any) -> list[str]:
    """See DOCUMENTATION."""
    if not isinstance(result, t.Mapping):
        raise AnsibleFilterError("account_lines takes spot_eventbridge_result")
    return _account.lines(result)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"account_lines": account_lines}
