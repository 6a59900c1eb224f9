# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_problems
short_description: Why an account does not pass verification
version_added: 0.1.0
description:
  - One text for each region that is not active, and for each account-wide check that failed. None if all is well.
positional: warnings
options:
  _input:
    description: What the role P(spot.eventbridge.spot_eventbridge_verify#role) leaves in C(spot_eventbridge_verify_result).
    type: dict
    required: true
  warnings:
    description: Whether warnings count too.
    type: bool
    default: false
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Use it
  ansible.builtin.debug:
    msg: "{{ spot_eventbridge_verify_result | spot.eventbridge.verification_problems(warnings=true) }}"
"""

RETURN = r"""
_value:
  description: The texts.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils import _verification


def verification_problems(verification: t.Any, warnings: bool = False) -> list[str]:
    """See DOCUMENTATION."""
    if not isinstance(verification, t.Mapping):
        raise AnsibleFilterError("verification_problems takes spot_eventbridge_verify_result")
    return _verification.problems(verification, warnings)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification_problems": verification_problems}
