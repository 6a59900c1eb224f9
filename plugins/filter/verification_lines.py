# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_lines
short_description: What was found in an account, as lines for people
version_added: 1.0.0
description:
  - One line for each region, worst first, then each finding that is not a pass, with its remedy.
options:
  _input:
    description: What the role P(spot.eventbridge.spot_eventbridge#role) leaves in C(spot_eventbridge_verify_result).
    type: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Use it
  ansible.builtin.debug:
    msg: "{{ spot_eventbridge_verify_result | spot.eventbridge.verification_lines }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _verification


def verification_lines(verification: t.Any) -> list[str]:
    """See DOCUMENTATION."""
    if not isinstance(verification, t.Mapping):
        raise AnsibleFilterError("verification_lines takes spot_eventbridge_verify_result")
    return _verification.lines(verification)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification_lines": verification_lines}
