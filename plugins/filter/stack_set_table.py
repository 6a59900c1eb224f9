# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stack_set_table
short_description: What came of a stack set, as lines for people
version_added: 1.0.0
description:
  - One line for each AWS account, those that failed first, below a heading that counts them.
positional: name
options:
  _input:
    description: The result of M(spot.eventbridge.spot_stack_set).
    type: dict
    required: true
  name:
    description: The name of the stack set.
    type: str
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show what came of it
  ansible.builtin.debug:
    msg: "{{ stack_set | spot.eventbridge.stack_set_table('spot-interruption') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _stack_set_table


def stack_set_table(result: t.Any, name: str) -> list[str]:
    """See DOCUMENTATION."""
    if not isinstance(result, t.Mapping):
        raise AnsibleFilterError("stack_set_table takes the result of spot_stack_set")
    return _stack_set_table.lines(result, name)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"stack_set_table": stack_set_table}
