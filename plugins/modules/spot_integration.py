#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_integration

short_description: Manage a whole integration, in all regions at once

version_added: 1.0.0

description:
  - Creates, repairs or removes the dead-letter queue, the connection, the API destination and the rule that send EC2 Spot interruption
    notices to Spot; each one after those that it needs, and in all regions at the same time.
  - With O(role_name), also the execution role, which is one for the whole AWS account; it is made at the same time, and
    removed after the last region.
  - Does the work of M(spot.eventbridge.spot_dead_letter_queue), M(spot.eventbridge.spot_eventbridge_connection),
    M(spot.eventbridge.spot_api_destination) and M(spot.eventbridge.spot_interruption_rule) in one module run instead of four.
  - A step that fails ends the steps that need it, in its region only. Without the execution role, no rule is made.

options:
  name:
    description:
      - The name of the connection, the API destination and the rule, 1 to 64 letters, digits, hyphens, underscores and dots.
    type: str
    required: true
  queue_name:
    description:
      - The name of the dead-letter queue.
      - By default, O(name) with hyphens for dots.
    type: str
  state:
    description:
      - The desired state of the integration.
      - With V(absent), a rule with targets of others and a queue with messages are kept. A connection that another API destination uses
        fails the region.
    type: str
    choices: [present, absent]
    default: present
  role_name:
    description:
      - The name of an execution role to manage. C(events.amazonaws.com) may assume it for this AWS account alone, and it may send to
        the API destination of this name, in any region, and do nothing else.
      - With O(state=absent), it is removed if nothing of this integration is left in any enabled region of the account, those outside of
        O(regions) included. Otherwise it is kept, and RV(execution_role.note) names the regions, also those that cannot be read.
        A role with policies of others is kept, too.
      - One of O(role_name) and O(role_arn) is needed with O(state=present).
    type: str
  role_path:
    description:
      - The IAM path under which the role of O(role_name) is made, such as V(/spot/). Without it, V(/).
      - A role of that name that exists already keeps its path, as IAM cannot move a role. Its ARN is read.
    type: str
  role_permissions_boundary:
    description:
      - The ARN of a permissions boundary for the role of O(role_name). Without it, the boundary stays as it is.
    type: str
  on_existing:
    description:
      - The action in a region where another integration already sends the notices to the same Spot account. Other integrations are
        searched only before a change. An integration is recognised by the host and path it sends to.
      - If its Spot account is hidden, missing or not readable, an integration is treated as if it served the same account.
      - V(stop) fails the region, and leaves everything in it as it is.
      - V(adopt) takes over resources named O(name) that belong to a CloudFormation stack. The stack is updated to retain its resources,
        and is deleted, before any other change.
      - V(migrate) creates this integration, sends a test event through it, and removes the other integration, or its stack, if the test
        event arrives. No notice is lost; some arrive twice during the migration. If no test event arrives, both stay, and the region fails.
      - V(migrate) removes the resources of the other API destination - its targets, rules, connection with the token, dead-letter
        queue and execution role. It keeps and names resources that something else uses, or may use. It does not remove a stack that
        also holds other resources.
      - V(ignore) creates this integration and keeps the other one, which RV(regions.notes) names. It is for an integration that
        serves another Spot account, which AWS does not show.
      - Resources of a stack set always fail the region, except with V(ignore).
    type: str
    choices: [stop, adopt, migrate, ignore]
    default: stop
  all_regions:
    description:
      - If V(true), O(on_existing=migrate) removes the execution role of the other integration also if its policy names the other API
        destination in all regions. Only for O(regions) with all regions of the AWS account that may need this role.
    type: bool
    default: false
  stack_timeout:
    description:
      - The maximum time to wait in each region for a stack from which this integration takes over, in seconds.
    type: int
    default: 900
  queue_kms_master_key_id:
    description:
      - A KMS key of your own for the dead-letter queue, instead of the key that SQS manages. The key's policy must let
        C(events.amazonaws.com) use it.
      - Without it, a key that others gave the queue stays, as long as EventBridge can use it. An empty text returns to the key that SQS
        manages.
      - State, policy and tag of the KMS keys are read. A key that cannot work is refused before any change. A key that cannot be read
        is a warning.
      - Keys that AWS manages, such as C(alias/aws/sqs), are refused, as EventBridge cannot use them; so is the ARN of another region.
    type: str
  preflight:
    description:
      - If it is given, everything that M(spot.eventbridge.spot_preflight_info) checks is checked before the first change, in the same
        module run, which costs less than two. V({}) is enough. If a check fails, the module fails, and nothing is changed.
      - The regions are those of RV(preflight.regions). O(spot_account), O(spot_token), O(name), O(aws_account), O(invocation_endpoint) and
        O(unsupported_regions) have the meaning that they have there.
      - Needs C(ec2:DescribeRegions) as well.
    type: dict
    suboptions:
      regions:
        description:
          - The regions, as a list or separated by commas; or V(all) for every enabled region.
        type: raw
        default: all
      exclude_regions:
        description:
          - Regions in which nothing is to be done, as names or patterns such as V(ap-*). A region that O(preflight.regions) names is left
            out, too.
        type: list
        elements: str
        default: []
      spot_api_url:
        description:
          - The address of the Spot API. Plain HTTP is accepted for loopback only.
        type: str
        default: https://api.spotinst.io
      spot_validate_certs:
        description:
          - If V(true), the certificate of the Spot API is verified.
        type: bool
        default: true
      require_spot:
        description:
          - If V(true), a missing token, a refusal by Spot or no response of Spot is a failure.
          - If V(false), these are only reported in RV(preflight.checks).
        type: bool
        default: true
      proof:
        description:
          - The proof that the token has to give before it is written, as O(spot.eventbridge.spot_preflight_info#module:proof).
        type: str
        choices: [notification, read, none]
        default: notification
      refused_settings:
        description:
          - Settings that are given and cannot be carried out, each with the reason. With any, the module fails before any call.
        type: dict
        default: {}

extends_documentation_fragment:
  - spot.eventbridge._resources.connection
  - spot.eventbridge._resources.api_destination
  - spot.eventbridge._resources.rule
  - spot.eventbridge._resources.queue
  - spot.eventbridge._resources.description
  - spot.eventbridge._resources.aws_account
  - spot.eventbridge._spot_token
  - spot.eventbridge._regions
  - spot.eventbridge._regions.left_out
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
    support: partial
    details:
      - With O(update_token=always), every run writes the token and reports a change.

notes:
  - Needs the permissions of M(spot.eventbridge.spot_dead_letter_queue), M(spot.eventbridge.spot_eventbridge_connection),
    M(spot.eventbridge.spot_api_destination) and M(spot.eventbridge.spot_interruption_rule).
  - With O(role_name), also C(iam:GetRole), C(iam:GetRolePolicy), C(iam:CreateRole), C(iam:PutRolePolicy), C(iam:TagRole),
    C(iam:UntagRole), C(iam:UpdateRole), C(iam:UpdateAssumeRolePolicy), C(iam:PutRolePermissionsBoundary), for a
    permissions boundary C(iam:GetPolicy) and C(iam:GetPolicyVersion), and to remove the role
    C(ec2:DescribeRegions), C(iam:ListRolePolicies), C(iam:ListAttachedRolePolicies), C(iam:DeleteRolePolicy) and C(iam:DeleteRole).
  - To check KMS keys, also needs the permissions C(kms:DescribeKey), C(kms:GetKeyPolicy) and C(kms:ListResourceTags).
    Without them, an unknown usability of a key is a warning.
  - To find integrations of others, also C(events:ListApiDestinations), C(events:ListRuleNamesByTarget), C(events:ListEventBuses),
    C(events:ListTargetsByRule) and C(cloudformation:DescribeStackResources); without the last, the stack that something belongs to is not
    known.
  - With O(on_existing=adopt) and O(on_existing=migrate), also needs the permissions of M(spot.eventbridge.spot_stack) to delete a
    stack; with O(on_existing=migrate), those of M(spot.eventbridge.spot_test_event).

seealso:
  - module: spot.eventbridge.spot_integration_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Send the interruption notices of three regions to Spot
  spot.eventbridge.spot_integration:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    role_arn: arn:aws:iam::123456789012:role/spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]
    tags:
      team: platform

- name: The same, with an execution role of its own
  spot.eventbridge.spot_integration:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    role_name: spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]

- name: The same, if the token is good for the account
  spot.eventbridge.spot_integration:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    role_name: spot-interruption-act-d7320fba
    preflight:
      regions: [us-east-1, us-west-2, eu-west-1]

- name: Take it away again, with the role
  spot.eventbridge.spot_integration:
    name: spot-interruption-act-d7320fba
    state: absent
    role_name: spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]
"""

RETURN = r"""
regions:
  description: The results of each region, by the region's name.
  type: dict
  returned: always, unless an argument was wrong
  contains:
    status:
      description:
        - V(active), V(inactive) (authorisation lost), V(incomplete) (a step failed), V(absent) or V(unknown) (nothing could be done).
        - In check mode, the status that the region has now, with V(drifted) for what would be updated.
      type: str
      returned: always
      sample: active
    reason:
      description: The reason why the region is not active, or was not cleared, in one line. Empty if there is none.
      type: str
      returned: always
      sample: ""
    action:
      description:
        - V(created), V(updated), V(reauthorized), V(deleted) or V(unchanged), as all steps did, or the one that stands out;
          V(failed) where a step failed.
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed in this region.
      type: bool
      returned: always
      sample: true
    actions:
      description: The action on each resource, in the order of the steps, up to the step that failed.
      type: dict
      returned: always
      sample: {queue: deleted, connection: deleted, api_destination: deleted, rule: deleted, alarm_rule: deleted}
    queue:
      description: As in RV(spot.eventbridge.spot_dead_letter_queue#module:regions.queue).
      type: dict
      returned: when this step was done
    connection:
      description: As in RV(spot.eventbridge.spot_eventbridge_connection#module:regions.connection).
      type: dict
      returned: when this step was done
    api_destination:
      description: As in RV(spot.eventbridge.spot_api_destination#module:regions.api_destination).
      type: dict
      returned: when this step was done
    rule:
      description: As in RV(spot.eventbridge.spot_interruption_rule#module:regions.rule).
      type: dict
      returned: when this step was done
    alarm_rule:
      description:
        - The rule of M(spot.eventbridge.spot_watch), which goes with the integration. V(none) once it is removed, else what is left of it.
      type: dict
      returned: with O(state=absent), when the integration was watched
      sample:
        name: spot-interruption-act-d7320fba-alarm
        arn: arn:aws:events:us-east-1:123456789012:rule/spot-interruption-act-d7320fba-alarm
        event_pattern: '{"source": ["aws.events"]}'
        state: ENABLED
        description: Reports the loss of an authorisation to a hub. Managed by the Ansible collection spot.eventbridge.
        event_bus_name: default
        created_by: "123456789012"
        targets: []
        tags: {}
    other_integrations:
      description: The integrations of others that serve the same Spot account here.
      type: list
      elements: dict
      returned: when there are any, and they were looked for
      contains:
        region:
          description: The region.
          type: str
          returned: always
          sample: eu-west-1
        name:
          description: The name of the API destination.
          type: str
          returned: always
          sample: spot-interruption-act-d7320fba-stack
        spot_account:
          description: The Spot account that it serves; V(none) if that is hidden, missing or not readable.
          type: str
          returned: always
          sample: act-d7320fba
        rules:
          description: The rules that send to it. Empty for an integration named O(name).
          type: list
          elements: str
          returned: always
          sample: [spot-interruption-act-d7320fba-stack]
        stack_name:
          description: The CloudFormation stack that it belongs to; V(none) if to none, or if the stack cannot be read.
          type: str
          returned: always
          sample: spot-interruption-act-d7320fba-stack
        stack_set:
          description: V(true) if a stack set manages that stack.
          type: bool
          returned: always
          sample: false
    taken_over:
      description:
        - V(true) if this integration took over from RV(regions.other_integrations), or would in check mode.
      type: bool
      returned: when there are other integrations, and O(on_existing) is not V(stop), unless it failed
      sample: true
    test_event:
      description: With O(on_existing=migrate), the finding of the test event, as RV(spot.eventbridge.spot_test_event#module:regions).
      type: dict
      returned: when a test event was sent
      sample: {check: test_event, outcome: pass, message: "eu-west-1: Spot took a test event; CloudWatch showed it after 62 s.", remedy: ""}
    notes:
      description: Notes although nothing failed. They are also given as warnings.
      type: list
      elements: str
      returned: always
      sample: []
    error:
      description: The step that failed in this region, and the reason; or the reason why the other integration still exists.
      type: dict
      returned: when the region failed
      sample: {code: AccessDeniedException, message: "connection: CreateConnection: not authorized"}
execution_role:
  description: The action on the execution role; or, for the role of O(role_arn), the reason why EventBridge cannot use it, or a note.
  type: dict
  returned:
    when O(role_name) is given, unless an argument was wrong, or a region that was to be cleared failed; when O(role_arn) is given and there
    is something to know about it
  contains:
    action:
      description: V(created), V(updated), V(deleted), V(unchanged) or V(failed). After a failure, no region was touched.
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed.
      type: bool
      returned: always
      sample: true
    role:
      description: The role, V(none) if there is none. With its ARN, description, both policies, permissions boundary and tags.
      type: dict
      returned: when O(role_name) is given, unless it failed
      sample:
        arn: arn:aws:iam::123456789012:role/spot-interruption-act-d7320fba
        description: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
        assume_role_policy_document: {Version: "2012-10-17", Statement: []}
        policy: {Version: "2012-10-17", Statement: []}
        permissions_boundary: null
        tags: {team: platform}
    note:
      description: The reason why it was kept, or a note on the role of O(role_arn). It is also given as a warning.
      type: str
      returned: when there is a note
    error:
      description: The reason why it failed.
      type: dict
      returned: when it failed
      sample: {code: AccessDenied, message: "CreateRole: not authorized"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
spot_account:
  description: The Spot account; V(none) if it was not given.
  type: str
  returned: unless an argument was wrong
  sample: act-d7320fba
aws_account:
  description: The AWS account; V(none) if it did not have to be known.
  type: str
  returned: unless an argument was wrong
  sample: "123456789012"
summary:
  description: One row for each region, worst first, with those of O(unsupported_regions).
  type: list
  elements: dict
  returned: always
  contains:
    region:
      description: The region.
      type: str
      returned: always
      sample: eu-west-1
    status:
      description: As in RV(regions.status), or V(unsupported).
      type: str
      returned: always
      sample: active
    action:
      description: The action in words, such as V(created), V(would be created) in check mode, or V(-) for none.
      type: str
      returned: always
      sample: created
    reason:
      description: As in RV(regions.reason).
      type: str
      returned: always
      sample: ""
    changed:
      description: V(true) if something changed in this region, or would change in check mode.
      type: bool
      returned: always
      sample: true
problem:
  description: The reason why the account did not succeed, in one line. Empty if it did.
  type: str
  returned: always
  sample: ""
notes:
  description: Further notes on the account, such as the action on the execution role.
  type: list
  elements: str
  returned: always
  sample: [execution role created]
preflight:
  description: The result of M(spot.eventbridge.spot_preflight_info).
  type: dict
  returned: with O(preflight), unless a check failed
  contains:
    problem:
      description: Empty, as a problem fails the module.
      type: str
      returned: always
      sample: ""
    spot_account:
      description: The Spot account.
      type: str
      returned: always
      sample: act-d7320fba
    aws_account:
      description: The caller's AWS account.
      type: str
      returned: always
      sample: "123456789012"
    partition:
      description: The AWS partition of the account.
      type: str
      returned: always
      sample: aws
    home_region:
      description: The region that responded.
      type: str
      returned: always
      sample: us-east-1
    regions:
      description: The regions in which to work.
      type: list
      elements: str
      returned: always
      sample: [eu-west-1, us-east-1]
    unsupported:
      description: Enabled regions that O(unsupported_regions) leaves out.
      type: list
      elements: str
      returned: always
      sample: []
    obstacles:
      description: The reasons why the token must not be written to AWS; empty with O(preflight.require_spot).
      type: list
      elements: str
      returned: always
      sample: []
    checks:
      description: Spot's responses, as RV(spot.eventbridge.spot_account_info#module:checks).
      type: list
      elements: dict
      returned: always
      sample:
        - {check: spot_token, outcome: pass, message: Spot accepts the token for act-d7320fba., remedy: ""}
"""

import functools

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import ADOPT, IGNORE, MIGRATE, STOP
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import (
    api_destination,
    connection,
    dead_letter_queue,
    execution_role,
    rule,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import DEFAULT_TIMEOUT
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    left_out_argument_spec,
    named_argument_spec,
    regions_argument_spec,
    role_settle_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import failed_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.preflight import preflight_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.apply import integrate_and_take_over


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **named_argument_spec(),
            "queue_name": {"type": "str"},
            "queue_kms_master_key_id": {"type": "str", "no_log": False},
            "on_existing": {"type": "str", "choices": [STOP, ADOPT, MIGRATE, IGNORE], "default": STOP},
            **dead_letter_queue.argument_spec(),
            **connection.argument_spec(),
            **api_destination.argument_spec(),
            **rule.argument_spec(),
            **execution_role.argument_spec(),
            **role_settle_argument_spec(),
            "all_regions": {"type": "bool", "default": False},
            "stack_timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
            **left_out_argument_spec(),
            **regions_argument_spec(),
            **wait_argument_spec(),
            **preflight_argument_spec(),
        },
        required_by={"preflight": ["spot_account"]},
        required_if=[("state", "present", ["spot_account"]), ("state", "present", ["role_arn", "role_name"], True)],
        mutually_exclusive=[("role_arn", "role_name"), ("preflight", "regions")],
        supports_check_mode=True,
    )
    finish(module, functools.partial(integrate_and_take_over, module), failed_result)


if __name__ == "__main__":
    main()
