# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_side_checks
short_description: What was found on Spot's side, and what was not checked
version_added: 0.1.0
description:
  - Adds to the findings one with the outcome V(skip) for each check on Spot's side that was not made. It says who can make it.
options:
  _input:
    description: The findings, as RV(spot.eventbridge.spot_side_info#module:checks).
    type: list
    elements: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show everything
  ansible.builtin.debug:
    msg: "{{ spot_side.checks | spot.eventbridge.spot_side_checks }}"
"""

RETURN = r"""
_value:
  description: The findings.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils import _spot_side


def spot_side_checks(found: t.Any) -> list[dict[str, t.Any]]:
    """See DOCUMENTATION."""
    if not isinstance(found, (list, tuple)) or not all(isinstance(finding, t.Mapping) and "check" in finding for finding in found):
        raise AnsibleFilterError("spot_side_checks takes a list of findings")
    return _spot_side.complete(found)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"spot_side_checks": spot_side_checks}
