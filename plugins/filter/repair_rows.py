# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: repair_rows
short_description: What came of a repair, one row for each region
version_added: 0.1.0
description:
  - Says of each region what it is now, what was done, and what was wrong before.
positional: after, done
options:
  _input:
    description: What the role P(spot.eventbridge.spot_eventbridge_verify#role) leaves in C(spot_eventbridge_verify_result).
    type: dict
    required: true
  after:
    description: What was found after the repair.
    type: dict
    required: true
  done:
    description: What was done, as P(spot.eventbridge.onboarding_rows#filter) tells it.
    type: list
    elements: dict
    required: true
  role_changed:
    description: Whether the execution role was mended.
    type: bool
    default: false
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
    msg: "{{ before | spot.eventbridge.repair_rows(after=spot_eventbridge_verify_result, done=[]) | spot.eventbridge.region_table }}"
"""

RETURN = r"""
_value:
  description: Rows with C(region), C(status), C(changed), C(done), C(reason) and C(summary).
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils import _verification


def repair_rows(
    verification: t.Any,
    after: t.Mapping[str, t.Any],
    done: t.Sequence[dict[str, t.Any]],
    role_changed: bool = False,
    predicted: bool = False,
) -> list[dict[str, t.Any]]:
    """See DOCUMENTATION."""
    if not isinstance(verification, t.Mapping):
        raise AnsibleFilterError("repair_rows takes spot_eventbridge_verify_result")
    return _verification.repair_rows(verification, after, done, role_changed, predicted)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"repair_rows": repair_rows}
