# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verified_account
short_description: What came of verifying an account
version_added: 1.0.0
description:
  - Turns what was found in an account into what the role leaves in C(spot_eventbridge_result).
positional: warnings
options:
  _input:
    description: What the role P(spot.eventbridge.spot_eventbridge#role) leaves in C(spot_eventbridge_verify_result).
    type: dict
    required: true
  warnings:
    description: Whether warnings are failures.
    type: bool
    default: false
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Gather what came of it
  ansible.builtin.set_fact:
    outcome: "{{ spot_eventbridge_verify_result | spot.eventbridge.verified_account(warnings=true) }}"
"""

RETURN = r"""
_value:
  description: As in RV(spot.eventbridge.onboarded_account#filter:_value).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _verification


def verified_account(verification: t.Any, warnings: bool = False) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(verification, t.Mapping):
        raise AnsibleFilterError("verified_account takes spot_eventbridge_verify_result")
    return _verification.verified(verification, warnings)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verified_account": verified_account}
