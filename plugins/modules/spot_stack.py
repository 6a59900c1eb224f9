#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_stack

short_description: Manage an integration as a CloudFormation stack, in all regions at once

version_added: 1.0.0

description:
  - Creates, repairs or removes a CloudFormation stack that sends EC2 Spot interruption notices to Spot, in many regions at once.
  - Takes the template of this collection (P(spot.eventbridge.stack_template#lookup)), one of your own, or one in S3 such as Spot's
    published one.
  - A stack that cannot be updated any more, as its creation or its removal failed, is removed and created again. A failed rollback is
    completed first.
  - CloudFormation knows neither the state of a connection nor its token, so the connection is read as well. A connection that is not
    C(AUTHORIZED) is authorised again in place, as M(spot.eventbridge.spot_eventbridge_connection) does; the stack does not change.
  - A token that differs is written by an update of the stack, with the next C(TokenRevision) where the template has that parameter.
    If CloudFormation finds no difference, the token is written in place.
  - The error of a failed operation names the reasons in the stack's events, the newest first.

options:
  stack_name:
    description:
      - The name of the stack, a letter and then up to 127 letters, digits and hyphens.
      - Stacks of a stack set, whose names begin with C(StackSet-), are refused.
    type: str
    required: true
  state:
    description:
      - The desired state of the stack.
      - With V(absent), all resources of the stack are removed with it, the messages in its dead-letter queue included. A stack with
        termination protection is kept, and fails the region.
      - A rule that has targets of others is kept, without the stack's, and RV(regions.note) names it. CloudFormation can neither delete
        such a rule nor create it again.
    type: str
    choices: [present, absent]
    default: present
  template_body:
    description:
      - The template, JSON or YAML, at most 51200 bytes.
      - It is compared with the stack's, except for parts that CloudFormation does not update by themselves (comments, the template's
        C(Description) and C(Metadata), and the defaults of parameters that the stack has already). Without PyYAML on the machine that
        runs the module, YAML is compared as text.
      - One of O(template_body) and O(template_url) is needed with O(state=present).
    type: json
  template_url:
    description:
      - The C(https) address of the template in S3.
      - CloudFormation's summary of it is compared with that of the stack's template - parameters, resource types and description.
        Other changes of the template are found only by O(update=always).
    type: str
  spot_account:
    description:
      - The Spot account that receives the interruption notices, such as V(act-d7320fba).
      - Required with O(state=present).
    type: str
  account_parameter:
    description:
      - The template's parameter that takes the Spot account.
      - By default, the parameter of such a name, for example C(SpotAccountId) or C(AccountId).
    type: str
  token_parameter:
    description:
      - The template's parameter that takes the token. It should be C(NoEcho); otherwise there is a warning.
      - By default, the parameter of such a name, for example C(SpotToken) or C(Token).
    type: str
  parameters:
    description:
      - The template's other parameters. One that is not given keeps its value, or has the template's default if the stack is new.
      - Lists become texts with commas.
      - One that is C(NoEcho) is only written together with another change, as its value cannot be compared.
    type: dict
    default: {}
  update_token:
    description:
      - The condition for writing the token of an existing stack.
      - V(changed) compares it with the one in the connection's managed secret. If the caller may not read that secret,
        the token is not compared, and there is a warning.
      - V(always) writes it in every run, and so reports a change in every run.
      - V(on_create) does not write it, except to a connection that is not C(AUTHORIZED).
    type: str
    choices: [changed, always, on_create]
    default: changed
  update:
    description:
      - The condition for updating an existing stack.
      - V(changed) updates it if the template, a parameter, a tag or the token differs.
      - V(always) requests an update in every run; CloudFormation decides whether something changes. Check mode predicts a change.
    type: str
    choices: [changed, always]
    default: changed
  on_existing:
    description:
      - The action in a region where another integration already sends the notices to the same Spot account. An integration is
        recognised by the host and path it sends to. If its Spot account is hidden, missing or not readable, the integration is treated
        as if it served the same account.
      - V(stop) fails the region, and leaves everything in it as it is.
      - V(migrate) creates the stack, sends a test event through it, and removes the other integration, or its stack, if the test event
        arrives. No notice is lost; some arrive twice during the migration. If no test event arrives, both stay, and the region fails.
        O(spot.eventbridge.spot_integration#module:on_existing) lists the resources that are removed.
      - V(ignore) creates the stack and keeps the other integration, which RV(regions.note) names.
    type: str
    choices: [stop, migrate, ignore]
    default: stop
  all_regions:
    description:
      - If V(true), O(on_existing=migrate) removes the execution role of the other integration also if its policy names the other API
        destination in all regions. Only for O(regions) with all regions of the AWS account that may need this role.
    type: bool
    default: false
  invocation_endpoint:
    description:
      - The address to which the template sends the notices, to find other integrations that send there.
    type: str
    default: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
  retain_resources:
    description:
      - If V(true), O(state=absent) keeps all resources of the stack. The stack is first updated to retain them.
    type: bool
    default: false
  cloudformation_role_arn:
    description:
      - The role that CloudFormation uses instead of the caller's permissions. CloudFormation stores it with the stack.
    type: str
  wait_timeout:
    description:
      - The maximum time to wait for AWS in each region, in seconds.
    type: int
    default: 900

extends_documentation_fragment:
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
  check_mode:
    support: partial
    details:
      - Creates no change set. So it predicts a change also if CloudFormation will find nothing to update, in a template that differs or
        with O(update=always).
  idempotent:
    support: partial
    details:
      - With O(update_token=always), every run writes the token and reports a change.

notes:
  - Needs the permissions C(cloudformation:DescribeStacks), C(cloudformation:GetTemplateSummary), C(cloudformation:GetTemplate),
    C(cloudformation:DescribeStackResources), C(cloudformation:DescribeStackEvents), C(cloudformation:CreateStack),
    C(cloudformation:UpdateStack), C(cloudformation:DeleteStack), C(cloudformation:ContinueUpdateRollback),
    C(events:DescribeConnection), C(events:UpdateConnection), C(secretsmanager:GetSecretValue), C(secretsmanager:UpdateSecret) and
    C(secretsmanager:PutSecretValue). With C(events:DescribeApiDestination), it waits until the API destination is active after an
    authorisation. With tags, also C(cloudformation:TagResource) and C(cloudformation:UntagResource); with
    O(template_url), C(s3:GetObject) unless everybody may read it; with O(cloudformation_role_arn), C(iam:PassRole).
  - To check KMS keys, also needs the permissions C(kms:DescribeKey), C(kms:GetKeyPolicy) and C(kms:ListResourceTags).
    Without them, an unknown usability of a key is a warning.
  - With the parameter C(ExecutionRoleArn) in O(parameters), also needs the permissions C(iam:GetRole), C(iam:ListRolePolicies),
    C(iam:GetRolePolicy), C(iam:ListAttachedRolePolicies), C(iam:GetPolicy) and C(iam:GetPolicyVersion) to read the role, as
    O(spot.eventbridge.spot_integration#module:role_arn) describes.
  - To find integrations of others, also needs the permissions C(events:ListApiDestinations), C(events:ListRuleNamesByTarget),
    C(events:ListEventBuses) and C(events:ListTargetsByRule). With O(on_existing=migrate), also those of
    M(spot.eventbridge.spot_test_event), and those of M(spot.eventbridge.spot_integration) to remove an integration.
  - Without O(cloudformation_role_arn), the caller also needs all permissions for what is in the template, as CloudFormation uses
    them. For the template of this collection, these are the permissions of M(spot.eventbridge.spot_integration).
  - Acknowledges C(CAPABILITY_IAM) and all other capabilities that CloudFormation requires for the template.

seealso:
  - plugin: spot.eventbridge.stack_template
    plugin_type: lookup
  - module: spot.eventbridge.spot_integration
  - name: Stack status codes
    description: The CloudFormation user guide on the states of a stack.
    link: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: A stack of this collection's template in each of three regions
  spot.eventbridge.spot_stack:
    stack_name: spot-interruption-act-d7320fba
    template_body: "{{ lookup('spot.eventbridge.stack_template') }}"
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    parameters:
      Name: spot-notices-act-d7320fba
    tags:
      team: platform
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Remove it
  spot.eventbridge.spot_stack:
    stack_name: spot-interruption-act-d7320fba
    state: absent
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Spot's published template, as Spot's documentation has it
  spot.eventbridge.spot_stack:
    stack_name: spot-eventbridge
    template_url: "https://spotinst-public.s3.amazonaws.com/assets/cloudformation/templates/\
      spot-interruption-notification-event-bridge-template.json"
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
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
        - V(active) is the status of the stack and its connection. CloudFormation does not report changes that others have made to the
          other resources, such as a removed target of the rule; M(spot.eventbridge.spot_integration_info) reads these.
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
        - One of V(created), V(updated), V(reauthorized), V(deleted), V(unchanged) and V(failed).
        - V(created) also for a stack that was removed and created again; RV(regions.note) then describes the previous stack.
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed in this region.
      type: bool
      returned: always
      sample: true
    stack:
      description:
        - The stack; V(none) where there is none.
        - In check mode, outputs and resources are those of the present stack.
      type: dict
      returned: unless the region failed
      contains:
        stack_id:
          description: The ARN of the stack.
          type: str
          returned: when there is a stack
          sample: arn:aws:cloudformation:us-east-1:123456789012:stack/spot-interruption-act-d7320fba/0f1e2d3c
        stack_name:
          description: Its name.
          type: str
          returned: always
          sample: spot-interruption-act-d7320fba
        stack_status:
          description: Its status.
          type: str
          returned: always
          sample: CREATE_COMPLETE
        stack_status_reason:
          description: The reason for the status.
          type: str
          returned: when CloudFormation reports it
          sample: User Initiated
        parameters:
          description: The values of its parameters, by the parameter's name. The token and what is C(NoEcho) is V(****).
          type: dict
          returned: always
          sample:
            SpotAccountId: act-d7320fba
            SpotToken: "****"
            TokenRevision: "1"
            Endpoint: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
            Name: spot-notices-act-d7320fba
            QueueName: ""
            InvocationRateLimitPerSecond: "300"
            MaximumEventAgeInSeconds: "120"
            MaximumRetryAttempts: "185"
            MessageRetentionPeriod: "1209600"
            PermissionsBoundaryArn: ""
        outputs:
          description: The values of its outputs, by the output's name.
          type: dict
          returned: always
          sample:
            ConnectionArn: arn:aws:events:us-east-1:123456789012:connection/spot-notices-act-d7320fba/0f1e2d3c
            ApiDestinationArn: arn:aws:events:us-east-1:123456789012:api-destination/spot-notices-act-d7320fba/0f1e2d3c
            RuleArn: arn:aws:events:us-east-1:123456789012:rule/spot-notices-act-d7320fba
            ExecutionRoleArn: arn:aws:iam::123456789012:role/spot-interruption-act-d73-ExecutionRole-0F1E2D3C
            DeadLetterQueueArn: arn:aws:sqs:us-east-1:123456789012:spot-notices-act-d7320fba
        tags:
          description: Its tags, which CloudFormation gives to its resources too.
          type: dict
          returned: always
          sample: {team: platform}
        resources:
          description: Its resources, by the resource's name in the template.
          type: dict
          returned: always
          contains:
            type:
              description: The type.
              type: str
              returned: always
              sample: AWS::Events::Rule
            physical_id:
              description: The name or the ARN in AWS, V(none) if it was not made.
              type: str
              returned: always
              sample: spot-notices-act-d7320fba
            status:
              description: The status.
              type: str
              returned: always
              sample: CREATE_COMPLETE
    connection:
      description: As in RV(spot.eventbridge.spot_eventbridge_connection#module:regions.connection).
      type: dict
      returned: unless the region failed
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
          sample: spot-interruption-act-d7320fba
        spot_account:
          description: The Spot account that it serves; V(none) if that is hidden, missing or not readable.
          type: str
          returned: always
          sample: act-d7320fba
        rules:
          description: The rules that send to it.
          type: list
          elements: str
          returned: always
          sample: [spot-interruption-act-d7320fba]
        stack_name:
          description: The CloudFormation stack that it belongs to; V(none) if to none.
          type: str
          returned: always
          sample: another-stack
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
    note:
      description: A note although nothing failed. It is also given as a warning.
      type: str
      returned: when there is something to know
      sample: "not checked whether the token is current"
    error:
      description: The reason why the region failed, or why the other integration still exists.
      type: dict
      returned: when the region failed
      sample: {code: AccessDenied, message: "CreateStack: not authorized"}
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
execution_role:
  description: Of the role in the parameter C(ExecutionRoleArn). As in RV(spot.eventbridge.spot_interruption_rule#module:execution_role).
  type: dict
  returned: when there is something to know
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
  description: Further notes on the account, such as an execution role that was kept.
  type: list
  elements: str
  returned: always
  sample: []
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import IGNORE, MIGRATE, STOP, Gate
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import (
    endpoint_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import ROLE_PARAMETER, integration_name
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.apply import SERVICES, deploy
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import DEFAULT_TIMEOUT, Stack, argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.results import stack_result
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    left_out_argument_spec,
    regions_argument_spec,
    state_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish, wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome, failed_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.given_role import (
    GivenRole,
    with_given_role,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import account_result
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.apply import migrate, send_by_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.removal import Removals


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "stack_name": {"type": "str", "required": True},
            **state_argument_spec(),
            "on_existing": {"type": "str", "choices": [STOP, MIGRATE, IGNORE], "default": STOP},
            "all_regions": {"type": "bool", "default": False},
            **left_out_argument_spec(),
            **endpoint_argument_spec(),
            **argument_spec(),
            **regions_argument_spec(),
            **wait_argument_spec(DEFAULT_TIMEOUT),
        },
        required_if=[("state", "present", ["spot_account"]), ("state", "present", ["template_body", "template_url"], True)],
        mutually_exclusive=[("template_body", "template_url")],
        supports_check_mode=True,
    )

    def work() -> dict[str, t.Any]:
        params, timeout = module.params, wait_seconds(module.params)
        regions = Regions(module, SERVICES, params["regions"])
        stack = Stack.from_parameters(params)
        gates = {name: _gate(regions[name], params) for name in regions.names}

        def one(region: Region) -> Outcome:
            return deploy(stack, region, check_mode=module.check_mode, timeout=timeout, gate=gates[region.name])

        def everywhere() -> dict[str, t.Any]:
            results = regions.run(one)
            found = {name: gate.found for name, gate in gates.items()}
            return stack_result(results, found, {name: gate.notes for name, gate in gates.items()})

        role_arn = params["parameters"].get(ROLE_PARAMETER) if stack.present else None
        if role_arn:
            given, name = GivenRole.read(regions, str(role_arn)), integration_name(params["parameters"], params["spot_account"])
            whole = with_given_role(given, everywhere, name, _destination_arn, check_mode=module.check_mode)
        else:
            whole = everywhere()
        if stack.present and params["on_existing"] == MIGRATE:
            served = {"endpoint": params["invocation_endpoint"], "spot_account": params["spot_account"]}
            removals = Removals(regions, module.check_mode, timeout, timeout, params["all_regions"], **served)
            whole = migrate("stack", whole, lambda region: send_by_stack(region, stack.name), removals)
        return account_result(
            whole,
            present=stack.present,
            predicted=module.check_mode,
            spot_account=params["spot_account"],
            aws_account=_aws_account(whole),
            unsupported=params["unsupported_regions"],
            denied=params["denied_regions"],
        )

    finish(module, work, failed_result)


def _aws_account(whole: dict[str, t.Any]) -> str | None:
    """Return the AWS account, out of the ARN of a stack; None where there is none."""
    arns = [(entry.get("stack") or {}).get("stack_id") for entry in whole["regions"].values()]
    return next((arn.split(":")[4] for arn in arns if arn), None)


def _destination_arn(entry: dict[str, t.Any]) -> str | None:
    return ((entry["stack"] or {}).get("outputs") or {}).get("ApiDestinationArn")


def _gate(region: Region, params: dict[str, t.Any]) -> Gate:
    return Gate(
        region,
        integration_name(params["parameters"], params["spot_account"]),
        params["invocation_endpoint"],
        params["spot_account"] or "",
        params["on_existing"],
        stack=params["stack_name"],
        present=params["state"] == "present",
    )


if __name__ == "__main__":
    main()
