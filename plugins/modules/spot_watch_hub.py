#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_watch_hub

short_description: Manage the hub to which accounts report the loss of an authorisation

version_added: 1.0.0

description:
  - Creates, repairs and removes a hub, in one AWS account and region. A hub is an event bus, a rule on it, an SQS queue and its
    dead-letter queue, and optionally an SNS topic and two CloudWatch alarms.
  - Rules of M(spot.eventbridge.spot_watch), in all regions and accounts, send events of Amazon EventBridge about a lost authorisation
    to the event bus. The rule of the hub sends them to the queue, where one program processes them.
  - Events are delivered at best effort (EventBridge user guide). An event is a hint that something has happened, and that no event has
    arrived is no proof that nothing has.

options:
  name:
    description:
      - The name of the event bus, the rule on it, the queue and the topic, 1 to 51 letters, digits, hyphens and underscores.
      - The name of the dead-letter queue and of one alarm ends with C(-dead-letters), the name of the other alarm with C(-waiting).
    type: str
    default: spot-interruption-hub
  state:
    description:
      - If V(absent), the hub is removed. Queues that hold messages, a topic with subscriptions, and rules and targets of others are kept
        and reported.
    type: str
    choices: [present, absent]
    default: present
  aws_account:
    description:
      - The AWS account of the hub. By default, AWS is asked.
    type: str
  organization:
    description:
      - The id of the AWS organisation whose accounts may send to the event bus, such as V(o-ab12cd34ef).
    type: str
  accounts:
    description:
      - The AWS accounts that may send to the event bus, some 200 at most, as AWS limits its policy to 10,240 characters.
      - Without O(accounts) and O(organization), only the hub's own account may.
    type: list
    elements: str
    default: []
  message_retention_period:
    description:
      - How long the queues keep a message, in seconds, 60 to 1209600.
    type: int
    default: 1209600
  maximum_receives:
    description:
      - The number of receives, 1 to 1000, after which SQS moves a message to the dead-letter queue.
    type: int
    default: 20
  kms_master_key_id:
    description:
      - A KMS key of your own for both queues, instead of the key that SQS manages. The key's policy must let C(events.amazonaws.com)
        use it.
    type: str
  topic:
    description:
      - If V(true), there is an SNS topic, which O(alarms) notify. Subscriptions are up to you. V(false) leaves a topic as it is.
    type: bool
    default: false
  alarms:
    description:
      - If V(true), there are two CloudWatch alarms, one for messages that have been in the queue for 15 minutes, and one for dead letters.
        V(false) leaves alarms as they are.
    type: bool
    default: false
  delete_messages:
    description:
      - If V(true), O(state=absent) also removes queues that hold messages.
    type: bool
    default: false
  used_in:
    description:
      - With O(state=absent), the regions in which rules of the hub's account may send to it. If a rule does, the hub is kept.
    type: list
    elements: str
    default: []

extends_documentation_fragment:
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

notes:
  - Needs the permissions C(sqs:GetQueueUrl), C(sqs:GetQueueAttributes), C(sqs:CreateQueue), C(sqs:SetQueueAttributes), C(sqs:DeleteQueue),
    C(sqs:ListQueueTags), C(sqs:TagQueue), C(sqs:UntagQueue), C(events:DescribeEventBus), C(events:CreateEventBus),
    C(events:DeleteEventBus), C(events:PutPermission), C(events:RemovePermission), C(events:PutRule), C(events:DescribeRule),
    C(events:DeleteRule), C(events:PutTargets), C(events:RemoveTargets), C(events:ListTargetsByRule), C(events:TagResource),
    C(events:UntagResource), C(events:ListTagsForResource), and to remove the hub C(events:ListRules) and C(events:ListRuleNamesByTarget).
  - With O(topic) and O(state=absent), also needs the permissions C(sns:GetTopicAttributes), C(sns:CreateTopic), C(sns:DeleteTopic),
    C(sns:ListTagsForResource), C(sns:TagResource), C(sns:UntagResource) and C(sns:ListSubscriptionsByTopic).
  - With O(alarms) and O(state=absent), also needs the permissions C(cloudwatch:DescribeAlarms), C(cloudwatch:PutMetricAlarm),
    C(cloudwatch:DeleteAlarms), C(cloudwatch:ListTagsForResource), C(cloudwatch:TagResource) and C(cloudwatch:UntagResource).
  - To check a KMS key, also needs the permissions C(kms:DescribeKey), C(kms:GetKeyPolicy) and C(kms:ListResourceTags).

seealso:
  - module: spot.eventbridge.spot_watch
  - name: Event bus targets in other accounts
    description: The EventBridge user guide on sending events between accounts and regions.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Make a hub for an organisation, with alarms
  spot.eventbridge.spot_watch_hub:
    region: us-east-1
    organization: o-ab12cd34ef
    topic: true
    alarms: true

- name: Remove the hub
  spot.eventbridge.spot_watch_hub:
    region: us-east-1
    state: absent
    used_in: [us-east-1, eu-west-1]
"""

RETURN = r"""
aws_account:
  description: The AWS account of the hub.
  type: str
  returned: unless an argument was wrong
  sample: "123456789012"
regions:
  description: The results of the region of the hub, by the region's name.
  type: dict
  returned: unless an argument was wrong
  contains:
    action:
      description:
        - V(created), V(updated), V(deleted) or V(unchanged), as all steps did, or V(updated) if they differ; V(failed) if a step failed.
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed.
      type: bool
      returned: always
      sample: true
    actions:
      description: The result of each resource, in order, up to the step that failed.
      type: dict
      returned: always
      sample:
        dead_letter_queue: created
        queue: created
        event_bus: created
        rule: created
        topic: created
        waiting_alarm: created
        dead_letters_alarm: created
    queue:
      description: The queue, V(none) if there is none.
      type: dict
      returned: when this step was done
      sample: &queue
        name: spot-interruption-hub
        queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/spot-interruption-hub
        queue_arn: arn:aws:sqs:us-east-1:123456789012:spot-interruption-hub
        message_retention_period: 1209600
        sqs_managed_sse_enabled: true
        kms_master_key_id: null
        policy: {Version: "2012-10-17", Statement: []}
        redrive_policy:
          deadLetterTargetArn: arn:aws:sqs:us-east-1:123456789012:spot-interruption-hub-dead-letters
          maxReceiveCount: 10
        messages: 0
        tags: {team: platform}
    dead_letter_queue:
      description: The dead-letter queue in the same form, V(none) if there is none.
      type: dict
      returned: when this step was done
      sample: *queue
    event_bus:
      description: The event bus, V(none) if there is none.
      type: dict
      returned: when this step was done
      sample:
        name: spot-interruption-hub
        arn: arn:aws:events:us-east-1:123456789012:event-bus/spot-interruption-hub
        policy: {Version: "2012-10-17", Statement: []}
        tags: {team: platform}
    rule:
      description: As in RV(spot.eventbridge.spot_interruption_rule#module:regions.rule).
      type: dict
      returned: when this step was done
    topic:
      description: The topic, V(none) if there is none.
      type: dict
      returned: with O(topic) or O(state=absent), when this step was done
      sample: {topic_arn: "arn:aws:sns:us-east-1:123456789012:spot-interruption-hub", tags: {team: platform}}
    waiting_alarm:
      description: The alarm for messages that are not processed, V(none) if there is none.
      type: dict
      returned: with O(alarms) or O(state=absent), when this step was done
      sample: &alarm
        alarm_name: spot-interruption-hub-waiting
        alarm_arn: arn:aws:cloudwatch:us-east-1:123456789012:alarm:spot-interruption-hub-waiting
        tags: {team: platform}
    dead_letters_alarm:
      description: The alarm for dead letters in the same form, V(none) if there is none.
      type: dict
      returned: with O(alarms) or O(state=absent), when this step was done
      sample: *alarm
    notes:
      description: Notes although nothing failed. They are also given as warnings.
      type: list
      elements: str
      returned: always
      sample: []
    error:
      description: Which step failed, and why.
      type: dict
      returned: when it failed
      sample: {code: AccessDeniedException, message: "event bus: CreateEventBus: not authorized"}
failed_regions:
  description: The region of the hub, if it failed.
  type: list
  elements: str
  returned: unless an argument was wrong
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    assume_role_argument_spec,
    state_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish, wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.apply import SERVICES, HubDesired, apply_hub, argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import DEFAULT_NAME, DEFAULT_REGION


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "default": DEFAULT_NAME},
            "aws_account": {"type": "str"},
            "used_in": {"type": "list", "elements": "str", "default": []},
            **state_argument_spec(),
            **argument_spec(),
            **assume_role_argument_spec(),
            **wait_argument_spec(),
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, object]:
        timeout = wait_seconds(module.params)
        regions = Regions(module, SERVICES, default_region=DEFAULT_REGION)
        desired = HubDesired.from_parameters(module.params, regions)
        used_in = regions.elsewhere(module.params["used_in"], ("events",))
        here = [regions[name] for name in regions.names if name in module.params["used_in"]]
        return apply_hub(desired, regions, [*here, *used_in], check_mode=module.check_mode, timeout=timeout)

    finish(module, work)


if __name__ == "__main__":
    main()
