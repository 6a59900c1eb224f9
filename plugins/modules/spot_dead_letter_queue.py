#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_dead_letter_queue

short_description: Manage the SQS queue for interruption notices that could not be delivered

version_added: 1.0.0

description:
  - Creates, repairs and removes the standard SQS queue for notices that EventBridge could not deliver to Spot, in many regions
    at once.
  - The queue's policy lets EventBridge send for one rule, and for the temporary rules that M(spot.eventbridge.spot_test_event) makes to
    test it. Statements of others stay if they deny something else, or allow something to principals that they name; a statement
    that lets everybody or a service do something is removed.
  - Only the messages' attributes contain the reason why Spot refused a notice. So a queue with messages is not removed unless
    O(delete_messages) is set.

options:
  name:
    description:
      - The name of the queue, 1 to 80 letters, digits, hyphens and underscores.
    type: str
    required: true
  state:
    description:
      - The desired state of the queue.
    type: str
    choices: [present, absent]
    default: present
  rule:
    description:
      - The name of the rule on the default event bus that may send to the queue.
      - By default, the one with the queue's name.
    type: str
  kms_master_key_id:
    description:
      - A KMS key of your own instead of the key that SQS manages. The key's policy must let C(events.amazonaws.com) use it.
      - Without it, a key that others gave the queue stays, as long as EventBridge can use it. An empty text returns to the key that SQS
        manages.
      - The state and the policy of the key are read. A key that cannot work is refused before any change. A key that cannot be read
        is a warning.
      - Keys that AWS manages, such as C(alias/aws/sqs), are refused, as EventBridge cannot use them; so is the ARN of another region.
    type: str

extends_documentation_fragment:
  - spot.eventbridge._resources.queue
  - spot.eventbridge._resources.aws_account
  - spot.eventbridge._regions
  - spot.eventbridge._regions.tags
  - spot.eventbridge._regions.wait
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  idempotent:
    support: full
    details:
      - SQS may show a change of attributes only after a minute. A run within that minute may set them again.

notes:
  - Needs the permissions C(sqs:CreateQueue), C(sqs:GetQueueUrl), C(sqs:GetQueueAttributes), C(sqs:SetQueueAttributes),
    C(sqs:DeleteQueue), C(sqs:ListQueueTags), C(sqs:TagQueue) and C(sqs:UntagQueue).
  - To check a KMS key, also needs the permissions C(kms:DescribeKey) and C(kms:GetKeyPolicy). Without them, whether EventBridge
    can use the key is not known, which is a warning.
  - SQS keeps the name of a removed queue for 60 seconds. Making it again waits for that, up to O(wait_timeout).

seealso:
  - module: spot.eventbridge.spot_interruption_rule
  - name: Dead-letter queues of EventBridge
    description: The EventBridge user guide on undelivered events.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Keep what could not be delivered for two weeks
  spot.eventbridge.spot_dead_letter_queue:
    name: spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]
    tags:
      team: platform

- name: Remove the queue, and the messages in it
  spot.eventbridge.spot_dead_letter_queue:
    name: spot-interruption-act-d7320fba
    state: absent
    delete_messages: true
    regions: [us-east-1, us-west-2, eu-west-1]
"""

RETURN = r"""
regions:
  description: The results of each region, by the region's name.
  type: dict
  returned: always, unless an argument was wrong
  contains:
    action:
      description: One of V(created), V(updated), V(deleted), V(unchanged) and V(failed).
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed in this region.
      type: bool
      returned: always
      sample: true
    queue:
      description:
        - The queue, with its policy parsed, the number of its messages and its C(tags), which are read only if O(tags) is
          given.
        - V(none) where there is no queue.
      type: dict
      returned: unless the region failed
      sample:
        name: spot-interruption-act-d7320fba
        queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/spot-interruption-act-d7320fba
        queue_arn: arn:aws:sqs:us-east-1:123456789012:spot-interruption-act-d7320fba
        message_retention_period: 1209600
        sqs_managed_sse_enabled: true
        kms_master_key_id: null
        policy: {Version: "2012-10-17", Statement: []}
        messages: 0
        tags: {team: platform}
    note:
      description: A note although nothing failed. It is also given as a warning.
      type: str
      returned: when there is something to know
      sample: "the queue was kept: it holds 3 dead letter(s)"
    error:
      description: The reason why the region failed.
      type: dict
      returned: when the region failed
      sample: {code: AccessDenied, message: "CreateQueue: not authorized"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue, argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.module import run
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    named_argument_spec,
    regions_argument_spec,
    wait_argument_spec,
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **named_argument_spec(),
            "rule": {"type": "str"},
            "kms_master_key_id": {"type": "str", "no_log": False},
            **argument_spec(),
            **regions_argument_spec(),
            **wait_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, Queue)


if __name__ == "__main__":
    main()
