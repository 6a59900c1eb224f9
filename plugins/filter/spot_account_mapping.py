# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_account_mapping
short_description: The Spot account of each AWS account, out of an inventory
version_added: 1.0.0
description:
  - Builds the value of O(spot.eventbridge.spot_stack_set#module:spot_accounts) from the variables of accounts' hosts, such as
    P(spot.eventbridge.spot_accounts#inventory) sets them.
  - Fails if an AWS account has two Spot accounts, as a stack set can serve only one of them.
options:
  _input:
    description:
      - The variables of the hosts, each with C(aws_account), and with C(spot_account) unless that is the host's name.
    type: list
    elements: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show which Spot account each AWS account has
  ansible.builtin.debug:
    msg: "{{ groups.spot_accounts | map('extract', hostvars) | spot.eventbridge.spot_account_mapping }}"
"""

RETURN = r"""
_value:
  description: The Spot accounts by AWS account.
  type: dict
  sample: {"123456789012": act-d7320fba}
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account_mapping import mapping


def spot_account_mapping(hosts: t.Any) -> dict[str, str]:
    """See DOCUMENTATION."""
    if isinstance(hosts, (str, t.Mapping)) or not isinstance(hosts, t.Iterable):
        raise AnsibleFilterError("spot_account_mapping takes a list of the variables of hosts")
    try:
        return mapping(hosts)
    except ArgumentError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"spot_account_mapping": spot_account_mapping}
