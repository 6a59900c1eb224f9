#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_interruption_rule

short_description: Manage the EventBridge rule that selects Spot interruption notices

version_added: 1.0.0

description:
  - Creates, repairs and removes the Amazon EventBridge rule that sends C(EC2 Spot Instance Interruption Warning) events of the
    default event bus to an API destination, in many regions at once.
  - The rule's one target of this collection has an execution role, a retry policy and, where desired, a dead-letter queue.
    Other targets of the same rule do not change.
  - EventBridge cannot assume an execution role that was just created. The rule is created after O(role_settle_time), so that no notice
    is lost.

options:
  name:
    description:
      - The name of the rule, 1 to 64 letters, digits, hyphens, underscores and dots.
    type: str
    required: true
  state:
    description:
      - The desired state of the rule.
      - With V(absent), a rule that has other targets loses this collection's target and is kept.
    type: str
    choices: [present, absent]
    default: present
  api_destination:
    description:
      - The name of the API destination to which the rule sends.
      - By default, the one with the rule's name.
    type: str
  api_destination_arns:
    description:
      - The ARN of the API destination by region, where it is known already.
      - In other regions, the ARN of the API destination named O(api_destination) is read.
    type: dict
  dead_letter_queue:
    description:
      - The name of the SQS queue, in the same region, for notices that could not be delivered.
      - Without it, a notice that cannot be delivered is lost without a record.
    type: str

extends_documentation_fragment:
  - spot.eventbridge._resources.rule
  - spot.eventbridge._resources.description
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

notes:
  - Needs the permissions C(events:PutRule), C(events:DescribeRule), C(events:DeleteRule), C(events:PutTargets),
    C(events:RemoveTargets), C(events:ListTargetsByRule), C(events:TagResource), C(events:UntagResource),
    C(events:ListTagsForResource), C(events:DescribeApiDestination), and C(iam:PassRole) for the execution role.
  - To read the execution role, also C(iam:GetRole), C(iam:ListRolePolicies), C(iam:GetRolePolicy), C(iam:ListAttachedRolePolicies),
    C(iam:GetPolicy) and C(iam:GetPolicyVersion); without these permissions, a wrong role is found by its dead letters only.
  - Check mode assumes that the API destination will exist. Outside of check mode, a missing API destination fails the region.

seealso:
  - module: spot.eventbridge.spot_api_destination
  - module: spot.eventbridge.spot_dead_letter_queue
  - name: Spot Instance interruption notices
    description: The EC2 user guide on the notices and their event.
    link: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Send the interruption notices of three regions to the API destination of the same name
  spot.eventbridge.spot_interruption_rule:
    name: spot-interruption-act-d7320fba
    role_arn: arn:aws:iam::123456789012:role/spot-interruption-act-d7320fba
    dead_letter_queue: spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]
    tags:
      team: platform

- name: Remove the rule, unless it has targets of somebody else
  spot.eventbridge.spot_interruption_rule:
    name: spot-interruption-act-d7320fba
    state: absent
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
    rule:
      description:
        - The rule as C(DescribeRule) returns it, with names in snake case, together with its C(targets) and its C(tags), which are
          read only where O(tags) is given.
        - V(none) where there is no rule.
      type: dict
      returned: unless the region failed
      sample:
        name: spot-interruption-act-d7320fba
        arn: arn:aws:events:us-east-1:123456789012:rule/spot-interruption-act-d7320fba
        event_pattern: '{"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}'
        state: ENABLED
        description: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
        event_bus_name: default
        created_by: "123456789012"
        targets:
          - id: spot
            arn: arn:aws:events:us-east-1:123456789012:api-destination/spot-interruption-act-d7320fba/0f1e2d3c
            role_arn: arn:aws:iam::123456789012:role/spot-interruption-act-d7320fba
            dead_letter_config: {arn: "arn:aws:sqs:us-east-1:123456789012:spot-interruption-act-d7320fba"}
            retry_policy: {maximum_event_age_in_seconds: 120, maximum_retry_attempts: 185}
        tags: {team: platform}
    note:
      description: A note although nothing failed. It is also given as a warning.
      type: str
      returned: when there is something to know
      sample: "the rule was kept: it has targets that are not ours (audit)"
    error:
      description: The reason why the region failed.
      type: dict
      returned: when the region failed
      sample: {code: FailedEntries, message: "put_targets failed for 1 target(s)"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
execution_role:
  description: The reason why EventBridge cannot use the role of O(role_arn), or a note on this role.
  type: dict
  returned: when there is something to know
  contains:
    action:
      description: V(unchanged), or V(failed) if EventBridge cannot assume the role. After a failure, no region was touched.
      type: str
      returned: always
      sample: unchanged
    changed:
      description: V(false), as the role is made elsewhere.
      type: bool
      returned: always
      sample: false
    note:
      description: The facts about the role that could not be read, and why. It is also given as a warning.
      type: str
      returned: unless it failed
      sample: "Unknown whether EventBridge may assume the execution role: AccessDenied: GetRole: not authorized"
    error:
      description: The reason why EventBridge cannot assume the role.
      type: dict
      returned: when it failed
      sample: {code: RoleNotUsable, message: "there is no role spot in the AWS account 123456789012."}
"""

import functools
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.module import run
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule, argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    named_argument_spec,
    regions_argument_spec,
    role_settle_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.given_role import GivenRole, with_given_role
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_settling import RoleSettling


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **named_argument_spec(),
            "api_destination": {"type": "str"},
            "api_destination_arns": {"type": "dict"},
            "dead_letter_queue": {"type": "str"},
            **argument_spec(),
            **role_settle_argument_spec(),
            **regions_argument_spec(),
            **wait_argument_spec(),
        },
        required_if=[("state", "present", ["role_arn"])],
        supports_check_mode=True,
    )

    def with_role(rule: Rule, regions: Regions, work: t.Callable[..., dict[str, t.Any]]) -> dict[str, t.Any]:
        if not rule.present:
            return work()

        def destination_arn(entry: dict[str, t.Any]) -> str | None:
            arns = [target["arn"] for target in entry["rule"]["targets"] if target.get("role_arn") == rule.role_arn]
            return next((arn for arn in arns if f":api-destination/{rule.api_destination}/" in arn), None)

        given = GivenRole.read(regions, rule.role_arn, rule.aws_account)
        settling = RoleSettling(module.params["role_settle_time"], regions, given.name)
        work = functools.partial(work, ready=settling.wait)
        return with_given_role(given, work, rule.api_destination, destination_arn, check_mode=module.check_mode)

    run(module, Rule, around=with_role)


if __name__ == "__main__":
    main()
