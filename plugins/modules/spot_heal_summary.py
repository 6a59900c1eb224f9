#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_summary

short_description: Gather what is to be told and settled for all accounts of a hub

version_added: 1.0.0

description:
  - Takes the variable C(spot_eventbridge_result) of each host, as the entry point C(heal) of P(spot.eventbridge.spot_eventbridge#role)
    leaves it, and the events that were received. Returns what M(spot.eventbridge.spot_heal_notification) and
    M(spot.eventbridge.spot_heal_queue) take.
  - A postponed event is visible again after 15 seconds, doubled with each receive, at most 300 seconds, with jitter. Of events whose token
    was not proved, one is visible every 30 seconds, so that the end of an outage of Spot is seen soon.
  - Events that are of none of these accounts, or are not events of EventBridge, are postponed and named.
  - It runs on the controller, and queries neither AWS nor Spot.

options:
  hosts:
    description:
      - The hosts that share the hub.
    type: list
    elements: str
    required: true
  received:
    description:
      - The result of M(spot.eventbridge.spot_heal_queue).
    type: dict
    default: {}

extends_documentation_fragment:
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info
  - spot.eventbridge._attributes.controller

seealso:
  - module: spot.eventbridge.spot_heal_queue
  - module: spot.eventbridge.spot_heal_notification

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Receive the events
  spot.eventbridge.spot_heal_queue:
    region: us-east-1
  register: received

- name: Gather what is to be done
  spot.eventbridge.spot_heal_summary:
    hosts: "{{ ansible_play_hosts }}"
    received: "{{ received }}"
"""

RETURN = r"""
news:
  description: The news to tell, without those that people know already.
  type: list
  elements: dict
  returned: success
  sample: []
known:
  description: What people know of accounts whose token Spot does not accept, to be recorded.
  type: str
  returned: success
  sample: ""
delete:
  description: The receipt handles of the events that are done.
  type: list
  elements: str
  returned: success
  sample: []
postpone:
  description: The events that are not done, each with V(handle) and V(seconds).
  type: list
  elements: dict
  returned: success
  sample: []
problem:
  description: The problems of the hub, in one line. Empty if there are none.
  type: str
  returned: success
  sample: ""
"""
