#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_account_report

short_description: End the run of an account with its result

version_added: 1.0.0

description:
  - Combines the results of the modules that worked on an account into the result of the account, and shows it.
  - Runs on the controller, and calls neither AWS nor Spot. A problem of the account does not fail the module, so that a play over many
    accounts completes all of them; it is in RV(problem).
  - Results are given as they were registered, those of failed and of skipped tasks, too.

options:
  purpose:
    description:
      - The purpose of the run.
    type: str
    choices: [onboard, verify, repair, offboard, watch, heal]
    required: true
  spot_account:
    description:
      - The Spot account.
    type: str
    required: true
  preflight:
    description:
      - The result of M(spot.eventbridge.spot_preflight_info).
    type: dict
    default: {}
  integration:
    description:
      - The result of M(spot.eventbridge.spot_integration), M(spot.eventbridge.spot_stack) or M(spot.eventbridge.spot_watch).
    type: dict
    default: {}
  info:
    description:
      - The results of M(spot.eventbridge.spot_integration_info), in order.
      - With O(purpose=verify), the last one counts. With O(purpose=repair) and O(purpose=heal), the first one is before, and the last one
        after the repair.
    type: list
    elements: dict
    default: []
  plan:
    description:
      - With O(purpose=heal), the result of M(spot.eventbridge.spot_heal_plan).
    type: dict
    default: {}
  messages:
    description:
      - With O(purpose=heal), the events of this integration, from RV(spot.eventbridge.spot_heal_queue#module:messages).
    type: list
    elements: dict
    default: []
  known:
    description:
      - With O(purpose=heal), what people know already, from RV(spot.eventbridge.spot_heal_queue#module:known).
    type: str
    default: ""
  proofs:
    description:
      - The results of M(spot.eventbridge.spot_test_event), M(spot.eventbridge.spot_test_interruption),
        M(spot.eventbridge.spot_backend_info) and M(spot.eventbridge.spot_backend_database_info). A check that none of them made is a
        finding that names who can make it.
    type: list
    elements: dict
    default: []
  watch:
    description:
      - With O(purpose=onboard), the result of M(spot.eventbridge.spot_watch).
    type: dict
    default: {}
  hubs:
    description:
      - With O(purpose=watch), the results of M(spot.eventbridge.spot_watch_hub).
    type: list
    elements: dict
    default: []
  denied_regions:
    description:
      - The effect of a region that the organisation denies. V(fail) makes it a problem of the account.
    type: str
    choices: [skip, fail]
    default: skip
  fail_on_warnings:
    description:
      - If V(true), findings with the outcome V(warn) are problems of the account with O(purpose=verify).
    type: bool
    default: false
  failure:
    description:
      - The result of a task that failed unexpectedly, such as C(ansible_failed_result). Its message is the problem of the account.
    type: dict

extends_documentation_fragment:
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info
  - spot.eventbridge._attributes.controller

seealso:
  - module: spot.eventbridge.spot_fleet_report

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show the regions whose status is not the intended one
  spot.eventbridge.spot_preflight_info:
    spot_account: act-d7320fba
    name: spot-interruption-act-d7320fba
    regions: [us-east-1, eu-west-1]
    require_spot: false
  register: preflight

- name: Look at the integration
  spot.eventbridge.spot_integration_info:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    regions: "{{ preflight.regions }}"
    unsupported_regions: "{{ preflight.unsupported }}"
  register: info

- name: Show the result of the account, and keep it for spot.eventbridge.spot_fleet_report
  spot.eventbridge.spot_account_report:
    purpose: verify
    spot_account: act-d7320fba
    preflight: "{{ preflight }}"
    info: ["{{ info }}"]
  register: spot_eventbridge_result
"""

RETURN = r"""
lines:
  description:
    - The result for people, a line for each region, worst first, below a heading that counts them, and the next step as the last line.
    - If nothing is wrong and nothing was changed, the terminal shows only the heading, without C(-v).
  type: list
  elements: str
  returned: success
  sample:
    - act-d7320fba in AWS account 123456789012, 1 region, 1 active
    - REGION     STATUS  DONE
    - eu-west-1  active  created
    - "Next: run the playbook spot.eventbridge.verify."
host:
  description: The inventory host.
  type: str
  returned: success
  sample: production
spot_account:
  description: The Spot account.
  type: str
  returned: success
  sample: act-d7320fba
aws_account:
  description: The AWS account; V(none) if it is not known.
  type: str
  returned: success
  sample: "123456789012"
summary:
  description: As in RV(spot.eventbridge.spot_integration#module:summary).
  type: list
  elements: dict
  returned: success
notes:
  description: Further notes.
  type: list
  elements: str
  returned: success
  sample: [execution role created]
failed_regions:
  description: The regions whose status is not the intended one.
  type: list
  elements: str
  returned: success
  sample: []
error:
  description: The reason why the account failed as a whole. Empty if it did not.
  type: str
  returned: success
  sample: ""
problem:
  description: The reason why the account failed, in one line. Empty if it did not.
  type: str
  returned: success
  sample: ""
checks:
  description: The findings of the account as a whole.
  type: list
  elements: dict
  returned: with O(purpose=verify)
  sample:
    - {check: spot_token, outcome: pass, message: Spot accepts the token for act-d7320fba., remedy: ""}
regions:
  description: As in RV(spot.eventbridge.spot_integration_info#module:regions).
  type: dict
  returned: with O(purpose=verify)
healing:
  description:
    - The remaining work for this account, C(news) to send, C(records) to write into tags, by region, and the events to
      C(delete) and to C(postpone).
  type: dict
  returned: with O(purpose=heal)
  sample: {news: [], records: {}, delete: [], postpone: []}
"""
