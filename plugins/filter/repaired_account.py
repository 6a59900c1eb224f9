# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: repaired_account
short_description: What came of repairing an account
version_added: 1.0.0
description:
  - Says of each region what it is now, what was done, and what was wrong before.
  - Returns what the role leaves in C(spot_eventbridge_result).
positional: after, done, error, predicted
options:
  _input:
    description: What was found first, as P(spot.eventbridge.verification#filter) tells it.
    type: dict
    required: true
  after:
    description: What was found after the repair.
    type: dict
    required: true
  done:
    description: The result of M(spot.eventbridge.spot_integration); empty if nothing was to be done.
    type: dict
    required: true
  error:
    description: Why nothing could be mended.
    type: str
    default: ""
  predicted:
    description: Whether it was check mode, so that nothing was done.
    type: bool
    default: false
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Gather what came of it
  ansible.builtin.set_fact:
    outcome: "{{ before | spot.eventbridge.repaired_account(after=spot_eventbridge_verify_result, done=integration) }}"
"""

RETURN = r"""
_value:
  description: As in RV(spot.eventbridge.onboarded_account#filter:_value).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _verification


def repaired_account(
    before: t.Any, after: t.Mapping[str, t.Any], done: t.Mapping[str, t.Any], error: str = "", predicted: bool = False
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(before, t.Mapping):
        raise AnsibleFilterError("repaired_account takes spot_eventbridge_verify_result")
    return _verification.repaired(before, after, done, error=error, predicted=predicted)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"repaired_account": repaired_account}
