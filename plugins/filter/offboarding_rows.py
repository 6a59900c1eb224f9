# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: offboarding_rows
short_description: What came of offboarding, one row for each region
version_added: 0.1.0
description:
  - Takes the C(regions) of the answers of all writing modules, in the order in which they ran, and returns one row for each
    region, worst first.
positional: predicted
options:
  _input:
    description: The C(regions) of the answers.
    type: list
    elements: dict
    required: true
  predicted:
    description: Whether it was check mode, so that nothing was done.
    type: bool
    default: false
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show what came of it
  ansible.builtin.debug:
    msg: "{{ [rules.regions, destinations.regions, connections.regions, queues.regions] | spot.eventbridge.offboarding_rows }}"
"""

RETURN = r"""
_value:
  description: Rows with C(region), C(status), C(changed), C(done), C(reason) and C(summary).
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._onboarding import removal_rows


def offboarding_rows(answers: t.Any, predicted: bool = False) -> list[dict[str, t.Any]]:
    """See DOCUMENTATION."""
    if isinstance(answers, (str, t.Mapping)) or not isinstance(answers, t.Iterable):
        raise AnsibleFilterError("offboarding_rows takes a list of the 'regions' of modules' answers")
    return removal_rows(list(answers), predicted)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"offboarding_rows": offboarding_rows}
