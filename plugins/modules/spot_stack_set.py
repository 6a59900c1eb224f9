#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_stack_set

short_description: Manage a CloudFormation stack set that integrates many AWS accounts

version_added: 1.0.0

description:
  - Makes, changes and removes a stack set, and its instances in many AWS accounts and regions, each with the Spot account of its AWS
    account.
  - Touches only what differs. A missing instance is made, one with another Spot account gets the right one, and one that failed, or
    was cancelled, is tried again. An instance that is C(INOPERABLE) is removed and created again.
  - A stack set that has another template, other parameters or properties is updated, and AWS updates all of its instances with it;
    the Spot accounts of the instances stay.
  - An instance that fails does not stop the others. The module fails at its end, and names each failed instance with AWS's reason.
  - Shows the progress in a line every 20 seconds, unless it runs in the background. A run that was killed is completed by the next one.

options:
  name:
    description:
      - The name of the stack set, a letter and up to 127 letters, digits and hyphens.
    type: str
    required: true
  state:
    description:
      - The desired state of the stack set. With V(absent), all of its instances are removed first, and their stacks with them unless
        O(retain_stacks) is set.
    type: str
    choices: [present, absent]
    default: present
  template_body:
    description:
      - The template, JSON or YAML, at most 51200 bytes, such as P(spot.eventbridge.stack_template#lookup) returns it.
      - It is compared with the stack set's, except for parts that CloudFormation does not update by themselves (comments,
        C(Description) and C(Metadata)). Without PyYAML on the machine that runs the module, YAML is compared as text.
      - One of O(template_body) and O(template_url) is needed with O(state=present).
    type: json
  template_url:
    description:
      - The C(https) address of the template in S3, such as that of the template that Spot publishes.
      - CloudFormation's summary of it is compared with that of the stack set's template - parameters, resource types and description.
        Other changes of the template are found only by O(update=always).
    type: str
  description:
    description:
      - The description of the stack set, at most 1024 characters.
    type: str
    default: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
  parameters:
    description:
      - The template's other parameters. One that is not given keeps its value, or has the template's default if the stack set is new.
      - Lists become texts with commas.
      - One that is C(NoEcho) is only written together with another change, as its value cannot be compared.
    type: dict
    default: {}
  spot_accounts:
    description:
      - The Spot account of each AWS account, such as V(act-d7320fba) of V(123456789012). Quote AWS accounts in YAML.
      - An instance gets its Spot account by an override of O(account_parameter).
      - With O(state=present), it or O(default_spot_account) is required.
    type: dict
    default: {}
  default_spot_account:
    description:
      - The Spot account of the AWS accounts that O(spot_accounts) does not name. With it, they are deployed to as well.
      - Without it, such accounts get nothing from this module. Instances of auto-deployment there have V(act-00000000), an id that
        nobody has. With the template of this collection, nothing is sent from there; with another, Spot refuses it.
    type: str
  account_parameter:
    description:
      - The template's parameter that takes the Spot account.
      - By default, the parameter of such a name, for example C(SpotAccountId) or C(AccountId).
    type: str
  token_parameter:
    description:
      - The template's parameter that takes the token. It should be C(NoEcho).
      - By default, the parameter of such a name, for example C(SpotToken) or C(Token).
    type: str
  token_revision:
    description:
      - Any text, such as a date. If it differs from that of the stack set, the token is written to all instances.
      - Needs a template with the parameter C(TokenRevision), as that of this collection.
    type: str
  update_token:
    description:
      - The condition for writing the token of an existing stack set. CloudFormation does not show the token, and it cannot be read in
        all accounts, so it is not compared.
      - V(on_create) does not write it, except with another O(token_revision).
      - V(always) writes it in every run, and so reports a change in every run. It raises the parameter C(TokenRevision), if the
        template has it. Without this parameter, CloudFormation changes nothing in the instances if the token is the same.
    type: str
    choices: [on_create, always]
    default: on_create
  update:
    description:
      - The condition for updating an existing stack set.
      - V(changed) updates it if the template, a parameter, a tag or another property differs.
      - V(always) updates it in every run, and so reports a change in every run. CloudFormation decides what there is to do in the
        instances.
    type: str
    choices: [changed, always]
    default: changed
  permission_model:
    description:
      - The source of the permissions in the accounts.
      - V(self_managed) uses existing roles in each account.
      - V(service_managed) uses AWS Organizations, and deploys to organizational units.
    type: str
    choices: [self_managed, service_managed]
    default: self_managed
  administration_role_arn:
    description:
      - The role with which CloudFormation assumes the execution roles, if it is not C(AWSCloudFormationStackSetAdministrationRole).
      - Only with O(permission_model=self_managed).
    type: str
  execution_role_name:
    description:
      - The name of the role in each account, if it is not C(AWSCloudFormationStackSetExecutionRole).
      - Only with O(permission_model=self_managed).
    type: str
  accounts:
    description:
      - The AWS accounts to deploy to. By default, all that have a Spot account, and are in O(organizational_unit_ids) if there are any.
    type: list
    elements: str
  organizational_unit_ids:
    description:
      - The organizational units to deploy to, or the root, with the units in them.
      - Required with O(permission_model=service_managed), and only for it.
    type: list
    elements: str
    default: []
  excluded_accounts:
    description:
      - AWS accounts that get nothing, whatever else names them. Instances that they have are removed.
    type: list
    elements: str
    default: []
  regions:
    description:
      - The regions to deploy to. Required with O(state=present).
      - V(all) for those that every AWS account has without opting in.
    type: list
    elements: str
  exclude_regions:
    description:
      - Regions to which nothing is deployed, as names or patterns such as V(ap-*); also those that O(regions) names. An instance that is
        there already is removed as any other that is not desired.
    type: list
    elements: str
    default: []
  auto_deployment:
    description:
      - The automatic deployment to accounts that join the organizational units. Only with O(permission_model=service_managed).
      - Such an account begins with the stack set's own Spot account, O(default_spot_account), as AWS knows no other. Without that, it
        sends nothing to Spot until this module was run with the account in O(spot_accounts).
      - AWS does not apply O(accounts) and O(excluded_accounts) there. The next run removes excluded instances.
    type: dict
    suboptions:
      enabled:
        description: If V(true), AWS deploys to accounts that join.
        type: bool
        default: false
      retain_stacks_on_account_removal:
        description: If V(true), the stacks stay in an account that leaves.
        type: bool
        default: false
  call_as:
    description:
      - The role of the caller; V(delegated_admin) in a member account that is a delegated administrator for stack sets.
    type: str
    choices: [self, delegated_admin]
    default: self
  managed_execution:
    description:
      - If V(true), AWS works at several operations at a time, and queues those that conflict.
      - Each Spot account takes an operation of its own. If V(false), they are done one after the other.
    type: bool
    default: true
  operation_preferences:
    description:
      - The preferences of an operation. By default, AWS works in all regions and accounts at once, and tolerates all failures.
    type: dict
    suboptions:
      region_concurrency_type:
        description: The order of regions, at once or one after the other.
        type: str
        choices: [parallel, sequential]
        default: parallel
      region_order:
        description: The regions in order, for V(sequential).
        type: list
        elements: str
      max_concurrent_count:
        description: The maximum number of accounts at a time.
        type: int
      max_concurrent_percentage:
        description: The maximum percentage of accounts at a time. By default 100.
        type: int
      failure_tolerance_count:
        description: The number of accounts that may fail in a region before AWS cancels the rest.
        type: int
      failure_tolerance_percentage:
        description: The percentage of accounts that may fail in a region before AWS cancels the rest. By default 100.
        type: int
      concurrency_mode:
        description: The effect of failures on the number of accounts at a time; V(strict_failure_tolerance) reduces it.
        type: str
        choices: [strict_failure_tolerance, soft_failure_tolerance]
  retain_stacks:
    description:
      - If V(true), stacks are kept when their instances are removed. The stack set no longer manages them.
    type: bool
    default: false
  purge_instances:
    description:
      - If V(true), instances that are not desired are removed. These are instances in other regions, in O(excluded_accounts), and in
        accounts that are not named, or are no longer in the organizational units.
      - Instances in accounts of the organizational units that have no Spot account are kept.
    type: bool
    default: true
  purge_limit:
    description:
      - The maximum percentage of the accounts with instances that may lose all of them in one run, O(excluded_accounts) not counted.
      - If more accounts would lose them, the module fails without a change, as the list of accounts may be incomplete by mistake.
    type: int
    default: 50
  wait:
    description:
      - If V(true), waits until AWS has completed the operations. If V(false), operations are begun and their results are not read.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum time to wait for AWS, in seconds.
    type: int
    default: 3600
  _step:
    description:
      - Reserved for the action plugin, which runs the module in steps.
    type: dict

extends_documentation_fragment:
  - spot.eventbridge._spot_token
  - spot.eventbridge._regions.tags
  - spot.eventbridge._regions.assume_role
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.actiongroup_aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  diff_mode:
    details:
      - The diff is a list with an entry for the stack set and one for each AWS account whose instances change. It never holds a token.
  idempotent:
    support: partial
    details:
      - With O(update_token=always) or O(update=always), every run changes something.

notes:
  - O(region) is the region of the stack set itself. A stack set of the same name in another region is a different one.
  - AWS never deploys to the management account with O(permission_model=service_managed).
  - CloudFormation neither detects nor repairs a connection that is de-authorised. To authorise all of them again, write the token with
    another O(token_revision).
  - Needs the permissions C(cloudformation:CreateStackSet), C(cloudformation:UpdateStackSet), C(cloudformation:DeleteStackSet),
    C(cloudformation:DescribeStackSet), C(cloudformation:CreateStackInstances), C(cloudformation:UpdateStackInstances),
    C(cloudformation:DeleteStackInstances), C(cloudformation:ListStackInstances), C(cloudformation:DescribeStackInstance),
    C(cloudformation:DescribeStackSetOperation), C(cloudformation:ListStackSetOperations),
    C(cloudformation:ListStackSetOperationResults), C(cloudformation:GetTemplateSummary), with a role of one's own C(iam:PassRole), and
    with O(permission_model=service_managed) C(organizations:DescribeOrganization), C(organizations:ListAccountsForParent),
    C(organizations:ListOrganizationalUnitsForParent) and, for a delegated administrator,
    C(organizations:ListDelegatedAdministrators).
  - With the parameter C(ExecutionRoleArn) in O(parameters), all AWS accounts that are named have to be that of the role, as EventBridge
    can use no role of another account. A role of the caller's account is read, as O(spot.eventbridge.spot_integration#module:role_arn)
    describes; a role that cannot be read is a warning.

seealso:
  - plugin: spot.eventbridge.stack_template
    plugin_type: lookup
  - name: StackSets
    description: The CloudFormation user guide on stack sets.
    link: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/what-is-cfnstacksets.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Integrate two accounts, each with its own Spot account
  spot.eventbridge.spot_stack_set:
    name: spot-interruption
    template_body: "{{ lookup('spot.eventbridge.stack_template') }}"
    spot_accounts:
      "123456789012": act-d7320fba
      "210987654321": act-b1e4f7a3
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    regions: [us-east-1, eu-west-1]
    region: us-east-1

- name: All accounts of an organizational unit that Spot knows
  spot.eventbridge.spot_stack_set:
    name: spot-interruption-organization
    template_body: "{{ lookup('spot.eventbridge.stack_template') }}"
    spot_accounts: "{{ groups.spot_accounts | map('extract', hostvars) | spot.eventbridge.spot_account_mapping }}"
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    permission_model: service_managed
    organizational_unit_ids: [ou-ab12-11111111]
    auto_deployment:
      enabled: true
    regions: [us-east-1, eu-west-1]
    region: us-east-1

- name: Write a new token to all instances, once
  spot.eventbridge.spot_stack_set:
    name: spot-interruption
    template_body: "{{ lookup('spot.eventbridge.stack_template') }}"
    spot_accounts:
      "123456789012": act-d7320fba
      "210987654321": act-b1e4f7a3
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    token_revision: "2026-11"
    regions: [us-east-1, eu-west-1]
    region: us-east-1

- name: Remove the stack set, all of its instances, and their stacks
  spot.eventbridge.spot_stack_set:
    name: spot-interruption
    state: absent
    region: us-east-1
"""

RETURN = r"""
stack_set:
  description:
    - The stack set as C(DescribeStackSet) returns it, with names in snake case and without its template. V(none) if there is none.
    - The token and what is C(NoEcho) among its parameters is V(****).
  type: dict
  returned: unless it had to stop before
  sample:
    stack_set_name: spot-interruption
    stack_set_id: spot-interruption:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
    stack_set_arn: arn:aws:cloudformation:us-east-1:123456789012:stackset/spot-interruption:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
    description: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
    status: ACTIVE
    permission_model: SELF_MANAGED
    administration_role_arn: arn:aws:iam::123456789012:role/AWSCloudFormationStackSetAdministrationRole
    execution_role_name: AWSCloudFormationStackSetExecutionRole
    auto_deployment: {enabled: false}
    managed_execution: {active: true}
    capabilities: [CAPABILITY_IAM]
    parameters: {SpotAccountId: act-00000000, SpotToken: "****", TokenRevision: "1"}
    tags: {team: platform}
    regions: [us-east-1, eu-west-1]
    organizational_unit_ids: [ou-ab12-11111111]
    stack_set_drift_detection_details: {drift_status: NOT_CHECKED}
instances:
  description: The instances, in the order of their accounts and regions. In check mode, as they will be.
  type: list
  elements: dict
  returned: unless it had to stop before
  contains:
    account:
      description: The AWS account.
      type: str
      returned: always
      sample: "123456789012"
    region:
      description: The region.
      type: str
      returned: always
      sample: eu-west-1
    status:
      description: V(CURRENT), V(OUTDATED) or V(INOPERABLE).
      type: str
      returned: always
      sample: CURRENT
    detailed_status:
      description: The result of the last operation on it.
      type: str
      returned: always
      sample: SUCCEEDED
    reason:
      description: The reason why it is not current.
      type: str
      returned: always
      sample: ""
    stack_id:
      description: The ARN of its stack, empty if there is none.
      type: str
      returned: always
      sample: arn:aws:cloudformation:eu-west-1:123456789012:stack/StackSet-spot-interruption-0f1e2d3c/0f1e2d3c
    organizational_unit_id:
      description: The organizational unit by which it was deployed, empty if by none.
      type: str
      returned: always
      sample: ou-ab12-11111111
    spot_account:
      description: The Spot account that it has. V(none) with O(state=absent), which does not read it.
      type: str
      returned: always
      sample: act-d7320fba
failed_instances:
  description: The instances that differ from the desired state, worst first.
  type: list
  elements: dict
  returned: always, unless Ansible refused an argument
  contains: &failure
    account:
      description: The AWS account.
      type: str
      returned: always
      sample: "123456789012"
    region:
      description: The region.
      type: str
      returned: always
      sample: eu-west-1
    status:
      description: The status of the operation there, or of the instance.
      type: str
      returned: always
      sample: FAILED
    reason:
      description: The reason, as AWS reports it.
      type: str
      returned: always
      sample: Account 123456789012 should have 'AWSCloudFormationStackSetExecutionRole' role.
operations:
  description: The operations that were done, in order. In check mode, those that would be done.
  type: list
  elements: dict
  returned: always, unless Ansible refused an argument
  contains:
    id:
      description: The id of the operation, as in the console and in C(DescribeStackSetOperation).
      type: str
      returned: when it is about instances
      sample: SpotAccountId-act-d7320fba-0f1e2d3c4b5a69788796a5b4c3d2e1f0
    action:
      description:
        - One of V(create_stack_set), V(update_stack_set), V(delete_stack_set), V(create_stack_instances), V(update_stack_instances) and
          V(delete_stack_instances).
      type: str
      returned: always
      sample: create_stack_instances
    status:
      description: Its status as AWS reports it, or V(REFUSED) if AWS did not begin it, or V(PLANNED) in check mode.
      type: str
      returned: always
      sample: SUCCEEDED
    status_reason:
      description: The reason for the status.
      type: str
      returned: when AWS reports it
      sample: The operation was stopped.
    accounts:
      description: The AWS accounts.
      type: list
      elements: str
      returned: always
      sample: ["123456789012"]
    regions:
      description: The regions.
      type: list
      elements: str
      returned: always
      sample: [us-east-1, eu-west-1]
    instances:
      description: The number of instances that it is about.
      type: int
      returned: always
      sample: 2
    failures:
      description: The instances in which it failed, or was cancelled.
      type: list
      elements: dict
      returned: always
      contains: *failure
accounts_without_spot_account:
  description: The AWS accounts of the organizational units that O(spot_accounts) does not name.
  type: list
  elements: str
  returned: unless it had to stop before
  sample: ["123456789012"]
notes:
  description: Notes although nothing failed. They are also given as warnings.
  type: list
  elements: str
  returned: unless it had to stop before
  sample: ["AWS does not deploy to the management account 123456789012: onboard it with spot.eventbridge.onboard."]
lines:
  description: The result for people, a line for each AWS account, failed ones first, below a heading, and the next step if any failed.
  type: list
  elements: str
  returned: unless it runs in the background
  sample:
    - "stack set spot-interruption: 1 account, 2 instances, 0 failed"
    - AWS ACCOUNT   SPOT ACCOUNT  CURRENT  DONE
    - 123456789012  act-d7320fba  2 of 2   create
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import CLOUDFORMATION
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions, regions_of_every_account
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import ORGANIZATIONS
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import ROLE_PARAMETER, integration_name
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.apply import StackSetRun
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.arguments import argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.progress import STEP
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec, wait_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, is_excluded
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.given_role import GivenRole


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **argument_spec(),
            **assume_role_argument_spec(),
            **wait_argument_spec(3600),
            STEP: {"type": "dict"},
        },
        required_if=[("state", "present", ["regions"]), ("state", "present", ["template_body", "template_url"], True)],
        mutually_exclusive=[("template_body", "template_url")],
        supports_check_mode=True,
    )
    nothing_done: dict[str, list[t.Any]] = {"operations": [], "failed_instances": []}
    try:
        answer = _run(module)
    except ArgumentError as error:
        module.fail_json(msg=str(error), **nothing_done)
    except Exception as error:  # an uncaught one would print its arguments, the token among them
        module.fail_json(msg=failure_of(error).message, **nothing_done)
    if not answer.pop("finished"):
        step = {"operations": answer.pop("operations"), "progress": answer.pop("progress")}
        module.exit_json(**answer, **{STEP: step})
    for note in answer.get("notes", []):
        module.warn(note)
    if "msg" in answer:
        module.fail_json(**answer)
    module.exit_json(**answer)


def _run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params, step = module.params, module.params[STEP] or {}
    service_managed = params["permission_model"] == "service_managed"
    regions = Regions(module, (CLOUDFORMATION, ORGANIZATIONS) if service_managed else (CLOUDFORMATION,))
    home = regions[regions.names[0]]
    exclude = params["exclude_regions"]
    if params["regions"] == ["all"]:
        params = {**params, "regions": regions_of_every_account(regions)}
    if params["regions"] and exclude:
        params = {**params, "regions": [name for name in params["regions"] if not is_excluded(name, exclude)]}
        if not params["regions"]:
            raise ArgumentError(f"All regions are excluded by {', '.join(exclude)}. Change the regions, or exclude fewer.")
    stack_set = StackSet.from_parameters(params)
    notes = _role_notes(stack_set, regions, check_mode=module.check_mode)
    answer = StackSetRun(
        stack_set,
        home.clients,
        check_mode=module.check_mode,
        timeout=wait_seconds(params),
        step=max(int(step["seconds"]), 1) if "operations" in step else 0,
        before=step.get("operations", ()),
    ).run()
    return {**answer, "notes": [*notes, *answer["notes"]]} if notes and "notes" in answer else answer


def _role_notes(stack_set: StackSet, regions: Regions, *, check_mode: bool) -> tuple[str, ...]:
    """Return what is to be known about an execution role that is made elsewhere; only a role of the caller's account can be read.

    :raises ArgumentError: EventBridge cannot use the role.
    """
    role_arn = stack_set.parameters.get(ROLE_PARAMETER) if stack_set.present else None
    if not role_arn:
        return ()
    if f":{regions.aws_account()}:" not in role_arn:
        return (f"The execution role {role_arn} was not read, as it is not in the caller's AWS account.",)
    given = GivenRole.read(regions, role_arn)
    refusal = given.refusal(check_mode=check_mode)
    if refusal:
        raise ArgumentError(f"execution role: {refusal.message}")
    name = integration_name(stack_set.parameters, stack_set.base_spot_account)
    return given.of_another_account(stack_set.regions[0], name) if not given.failure else (given.failure.message,)


if __name__ == "__main__":
    main()
