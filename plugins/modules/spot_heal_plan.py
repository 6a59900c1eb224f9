#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_plan

short_description: Decide which regions of an account are repaired

version_added: 1.0.0

description:
  - Takes the state of the regions as it was read, and decides for each whether it is well, is left alone, is repaired, or waits. The state
    decides, not the event that reported it.
  - It runs on the controller, and queries neither AWS nor Spot.
  - A region waits if the token was not proved, if it was authorised less than O(minimum_distance) ago, if it was repaired
    O(repairs_per_hour) times within an hour, or if it could not be read.

options:
  preflight:
    description:
      - The result of M(spot.eventbridge.spot_preflight_info).
    type: dict
    default: {}
  info:
    description:
      - The result of M(spot.eventbridge.spot_integration_info).
    type: dict
    default: {}
  enabled:
    description:
      - If V(false), broken regions are left alone.
    type: bool
    default: true
  minimum_distance:
    description:
      - The least seconds between an authorisation and the next repair of a region.
    type: float
    default: 60.0
  repairs_per_hour:
    description:
      - After how many repairs within an hour a region is not repaired again. Five repairs are recorded at most.
    type: int
    default: 5

extends_documentation_fragment:
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info
  - spot.eventbridge._attributes.controller

seealso:
  - module: spot.eventbridge.spot_heal_queue
  - module: spot.eventbridge.spot_account_report

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Read the integration
  spot.eventbridge.spot_integration_info:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    regions: [us-east-1, eu-west-1]
  register: info

- name: Decide what is repaired
  spot.eventbridge.spot_heal_plan:
    info: "{{ info }}"
  register: plan
"""

RETURN = r"""
repair:
  description: The regions to repair.
  type: list
  elements: str
  returned: success
  sample: [eu-west-1]
decisions:
  description: By region, C(action) (V(well), V(leave), V(repair) or V(wait)), C(cause) and C(why).
  type: dict
  returned: success
  sample:
    eu-west-1: {action: repair, cause: "", why: ""}
began:
  description: When it was decided.
  type: str
  returned: success
  sample: "2026-01-01T00:00:00Z"
"""
