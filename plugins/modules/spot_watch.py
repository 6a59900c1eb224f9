#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_watch

short_description: Manage the EventBridge rules that report the loss of an authorisation

version_added: 1.0.0

description:
  - Creates, repairs and removes the rule that sends Amazon EventBridge's own events about the connection and the API destination of an
    integration to the event bus of a hub, in many regions at once. The rule has the name of the integration and C(-alarm).
  - The execution role of the integration is used. It gets an inline policy C(report-to-hub), which lets it put events on that event bus.
    A role that is made elsewhere must have the permission.
  - M(spot.eventbridge.spot_watch_hub) makes the hub. If the hub is in another account, the policy of its event bus must let this
    account in; otherwise AWS drops the events, and only the dead-letter queue of the integration shows it.

options:
  name:
    description:
      - The name of the integration, its connection and its API destination, 1 to 64 letters, digits, hyphens, underscores and dots.
    type: str
    required: true
  state:
    description:
      - If V(absent), rule and permission are removed. A rule with targets of others loses its target and is kept.
    type: str
    choices: [present, absent]
    default: present
  hub_name:
    description:
      - The name of the hub.
    type: str
    default: spot-interruption-hub
  hub_region:
    description:
      - The region of the hub.
    type: str
    default: us-east-1
  hub_account:
    description:
      - The AWS account of the hub. By default, the account of the integration.
    type: str
  role_name:
    description:
      - The name of the execution role, by default O(name).
    type: str
  role_arn:
    description:
      - The ARN of an execution role that is made elsewhere. It is only read.
    type: str
  queue_name:
    description:
      - The name of the dead-letter queue of the integration, by default O(name) with hyphens for dots.
    type: str
  aws_account:
    description:
      - The AWS account of the integration. By default, AWS is asked.
    type: str
  unsupported_regions:
    description:
      - Regions that are left out, as they have no API destinations. They are rows of RV(summary) with the status V(unsupported).
    type: list
    elements: str
    default: []

extends_documentation_fragment:
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
  - Needs the permissions C(events:PutRule), C(events:DescribeRule), C(events:DeleteRule), C(events:PutTargets), C(events:RemoveTargets),
    C(events:ListTargetsByRule), C(events:TagResource), C(events:UntagResource), C(events:ListTagsForResource),
    C(events:DescribeApiDestination), C(iam:GetRole), C(iam:GetRolePolicy), C(iam:PutRolePolicy), C(iam:DeleteRolePolicy), and
    C(iam:PassRole) for the execution role.
  - To read an execution role that is made elsewhere, also needs the permissions C(iam:ListRolePolicies),
    C(iam:ListAttachedRolePolicies), C(iam:GetPolicy) and C(iam:GetPolicyVersion).
  - An integration that is a stack of CloudFormation has the rule in the stack, with the parameter C(WatchBusArn) of the template.

seealso:
  - module: spot.eventbridge.spot_watch_hub
  - module: spot.eventbridge.spot_integration

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Report the loss of an authorisation in three regions to a hub in another account
  spot.eventbridge.spot_watch:
    name: spot-interruption-act-d7320fba
    hub_account: "210987654321"
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Report it no longer
  spot.eventbridge.spot_watch:
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
      description: V(created), V(updated), V(deleted), V(unchanged), V(failed), or V(left_out) for a region that can have no integration.
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed in this region.
      type: bool
      returned: always
      sample: true
    status:
      description: As in RV(summary).
      type: str
      returned: always
      sample: watched
    reason:
      description: Why the region is not watched, or was not cleared, in one line. Empty if there is nothing to say.
      type: str
      returned: always
      sample: ""
    alarm_rule:
      description: As in RV(spot.eventbridge.spot_interruption_rule#module:regions.rule).
      type: dict
      returned: when the region was worked on
    note:
      description: A note although nothing failed. It is also given as a warning.
      type: str
      returned: when there is something to know
      sample: "the rule was kept: it has targets that are not ours (audit)"
    error:
      description: The reason why the region failed.
      type: dict
      returned: when the region failed
      sample: {code: AccessDeniedException, message: "PutRule: not authorized"}
execution_role:
  description: The result of the permission of the execution role.
  type: dict
  returned: unless a region that was to be cleared failed
  contains:
    action:
      description: V(created), V(updated), V(deleted), V(unchanged) or V(failed). If V(failed) with O(state=present), no region was touched.
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed.
      type: bool
      returned: always
      sample: true
    permission:
      description: The role, and its policy of this collection; V(none) if there is no role.
      type: dict
      returned: unless it failed
      sample:
        role_arn: arn:aws:iam::123456789012:role/spot-interruption-act-d7320fba
        policy: {Version: "2012-10-17", Statement: []}
    note:
      description: A note on facts about a role that could not be read. It is also given as a warning.
      type: str
      returned: when there is something to know
    error:
      description: The reason why it failed.
      type: dict
      returned: when it failed
      sample: {code: RoleMissing, message: "there is no execution role spot-interruption-act-d7320fba: onboard the account first"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
summary:
  description:
    - One row for each region, worst first. Its status is V(watched), V(absent), V(incomplete) if it failed, V(unknown) if a region that was
      to be cleared failed, V(denied) or V(unsupported).
  type: list
  elements: dict
  returned: always
  sample: [{region: eu-west-1, status: watched, action: created, reason: "", changed: true}]
problem:
  description: The reason why the account did not succeed, in one line. Empty if it did.
  type: str
  returned: always
  sample: ""
notes:
  description: Further notes on the account.
  type: list
  elements: str
  returned: always
  sample: [permission of the execution role created]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    named_argument_spec,
    regions_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish, wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import failed_result
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.member import Member, apply_member, argument_spec


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **named_argument_spec(),
            **argument_spec(),
            "unsupported_regions": {"type": "list", "elements": "str", "default": []},
            **regions_argument_spec(),
            **wait_argument_spec(),
        },
        mutually_exclusive=[("role_arn", "role_name")],
        supports_check_mode=True,
    )

    def work() -> dict[str, object]:
        how = {"check_mode": module.check_mode, "timeout": wait_seconds(module.params)}
        regions = Regions(module, ("events",), module.params["regions"])
        member = Member.from_parameters(module.params, regions)
        return apply_member(member, regions, unsupported=module.params["unsupported_regions"], **how)

    finish(module, work, failed_result)


if __name__ == "__main__":
    main()
