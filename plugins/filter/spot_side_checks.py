# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_side_checks
short_description: What was found on Spot's side, and what was not checked
version_added: 1.0.0
description:
  - Gathers the findings of the modules that looked at Spot's side, and adds one with the outcome V(skip) for each check that was not
    made. It says who can make it.
  - A module that failed is a finding, too.
options:
  _input:
    description: The results of M(spot.eventbridge.spot_backend_info), M(spot.eventbridge.spot_test_event) and the like.
    type: list
    elements: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show everything
  ansible.builtin.debug:
    msg: "{{ [spot_side, test_event] | spot.eventbridge.spot_side_checks }}"
"""

RETURN = r"""
_value:
  description: The findings.
  type: list
  elements: dict
  contains:
    check:
      description: The name of the check.
      type: str
      returned: always
      sample: feature_flag
    outcome:
      description: V(pass), V(warn), V(fail), V(skip) or V(unknown).
      type: str
      returned: always
      sample: pass
    message:
      description: What was seen.
      type: str
      returned: always
      sample: The feature flag aws-detach-instances-that-got-interruption-notification is on for act-d7320fba.
    remedy:
      description: What to do about it. Empty for a pass.
      type: str
      returned: always
      sample: ""
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import gather


def spot_side_checks(results: t.Any) -> list[dict[str, t.Any]]:
    """See DOCUMENTATION."""
    if not isinstance(results, (list, tuple)) or not all(isinstance(result, t.Mapping) for result in results):
        raise AnsibleFilterError("spot_side_checks takes a list of results")
    return gather(results)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"spot_side_checks": spot_side_checks}
