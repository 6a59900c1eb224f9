# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: region_table
short_description: Rows of regions as lines for people
version_added: 1.0.0
description:
  - Turns rows, such as those in C(spot_eventbridge_result), into one line for each region, worst first, below a
    heading that counts them.
positional: title
options:
  _input:
    description: Rows with C(region), C(status), C(done) and C(reason).
    type: list
    elements: dict
    required: true
  title:
    description: What stands before the count.
    type: str
    default: ""
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show what came of it
  ansible.builtin.debug:
    msg: "{{ spot_eventbridge_result.rows | spot.eventbridge.region_table('Production') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import table


def region_table(rows: t.Any, title: str = "") -> list[str]:
    """See DOCUMENTATION."""
    if isinstance(rows, (str, t.Mapping)) or not isinstance(rows, t.Iterable):
        raise AnsibleFilterError("region_table takes a list of rows")
    return table(list(rows), title)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"region_table": region_table}
