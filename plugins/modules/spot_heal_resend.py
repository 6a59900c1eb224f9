#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_resend

short_description: Send dead letters to Spot again while they are of use

version_added: 1.0.0

description:
  - A notice that finds a connection without authorisation is a dead letter. This module sends those that are younger than two minutes to
    Spot again, as EventBridge would, and deletes those that Spot accepts. Each is sent once.
  - Run it after a repair. The entry point C(heal) of P(spot.eventbridge.spot_eventbridge#role) does so with
    C(spot_eventbridge_heal_resend).
  - A test event is not sent.

options:
  queue_name:
    description:
      - The name of the dead-letter queue.
    type: str
    required: true
  stack_name:
    description:
      - The CloudFormation stack that holds the integration. The queue has the name that it has there, whatever O(queue_name) says.
    type: str
  spot_account:
    description:
      - The Spot account, such as V(act-d7320fba).
    type: str
    required: true
  invocation_endpoint:
    description:
      - The address that takes the notices. By default, C(/aws/ec2/instance/interruptionNotification) at O(spot_api_url).
    type: str
  spot_api_url:
    description:
      - The address of the Spot API. Plain HTTP is accepted for loopback only.
    type: str
    default: https://api.spotinst.io
  spot_validate_certs:
    description:
      - If V(false), the certificate of the Spot API is not checked.
    type: bool
    default: true

extends_documentation_fragment:
  - spot.eventbridge._regions
  - spot.eventbridge._spot_token
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  check_mode:
    support: full
    details:
      - Sends and deletes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full

notes:
  - Needs the permissions C(sqs:GetQueueUrl), C(sqs:ReceiveMessage) and C(sqs:DeleteMessage) for the dead-letter queue.
  - For two minutes, the dead letters that were received are not visible to others.

seealso:
  - module: spot.eventbridge.spot_integration_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Send what was lost to Spot
  spot.eventbridge.spot_heal_resend:
    queue_name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    regions: [eu-west-1]
"""

RETURN = r"""
regions:
  description: The result, by the region's name.
  type: dict
  returned: success
  contains:
    changed:
      description: V(true) if a notice was sent.
      type: bool
      returned: always
      sample: true
    sent:
      description: The number of notices that were sent.
      type: int
      returned: always
      sample: 1
    not_sent:
      description: The reasons why other notices could not be sent.
      type: list
      elements: str
      returned: always
      sample: []
    error:
      description: The reason why the queue could not be read.
      type: dict
      returned: when the region failed
      sample: {code: AccessDenied, message: "ReceiveMessage: not authorized"}
failed_regions:
  description: The regions in which a notice could not be sent, or whose queue could not be read.
  type: list
  elements: str
  returned: success
  sample: []
"""

import datetime
import functools
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import names_in_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import regions_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import failure_message
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    check_name,
    check_spot_account,
    check_stack_name,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.resend import resend
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "queue_name": {"type": "str", "required": True},
            "stack_name": {"type": "str"},
            "spot_account": {"type": "str", "required": True},
            "invocation_endpoint": {"type": "str"},
            **client.argument_spec(),
            **regions_argument_spec(),
        },
        supports_check_mode=True,
    )
    finish(module, lambda: _answer(module))


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params = module.params
    queue_name, spot_account = check_name(params["queue_name"], QUEUE_NAME), check_spot_account(params["spot_account"])
    stack_name = check_stack_name(params["stack_name"]) if params["stack_name"] else ""
    api, endpoint = client.client(params), client.notification_endpoint(params)
    regions, notify = Regions(module, ("sqs",), params["regions"]), functools.partial(api.notify, endpoint, spot_account)

    def send(region: Region) -> tuple[int, list[str]]:
        if module.check_mode:
            return 0, []
        name = names_in_stack(region, stack_name).queue if stack_name else queue_name
        url = region.clients["sqs"].get_queue_url(QueueName=name)["QueueUrl"]
        return resend(region, url, notify, lambda: datetime.datetime.now(datetime.timezone.utc))

    found = regions.run(send)
    failures = {region: result for region, result in found.items() if isinstance(result, Failure)}
    entries = {
        region: {"changed": False, "sent": 0, "not_sent": [], "error": result.as_dict()}
        if isinstance(result, Failure)
        else {"changed": result[0] > 0, "sent": result[0], "not_sent": result[1]}
        for region, result in found.items()
    }
    answer: dict[str, t.Any] = {
        "changed": any(entry["changed"] for entry in entries.values()),
        "regions": entries,
        "failed_regions": [region for region, entry in entries.items() if "error" in entry or entry["not_sent"]],
    }
    if failures:
        answer["msg"] = failure_message("dead letters", failures, len(found))
    return answer


if __name__ == "__main__":
    main()
