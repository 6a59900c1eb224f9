# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox.integration import policy
from tests.integration.sandbox.stacks import ACKNOWLEDGED, QUEUE, TEMPLATE, parameters
from tests.sandbox.client import Sandbox

ADMINISTRATOR, FIRST, SECOND, THIRD = "123456789012", "111111111111", "222222222222", "333333333333"
ADMINISTRATION_ROLE, EXECUTION_ROLE = "AWSCloudFormationStackSetAdministrationRole", "AWSCloudFormationStackSetExecutionRole"
HOME, REGIONS = "us-east-1", ["eu-west-1", "us-west-2", "ap-south-1"]
AT_ONCE = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"


class StackSets:
    """CloudFormation of the administrator; `warnings` is the name of the stack set that the methods are about."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = sandbox.boto3("cloudformation", HOME)
        self.organizations = sandbox.boto3("organizations")

    def as_account(self, account: str, service: str, region: str = HOME) -> Any:
        """Return a client of a service in another account."""
        role = f"arn:aws:iam::{account}:role/tester"
        keys = self.sandbox.boto3("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        more = {"aws_secret_access_key": keys["SecretAccessKey"], "aws_session_token": keys["SessionToken"]}
        return self.sandbox.boto3(service, region, keys["AccessKeyId"], **more)

    def roles(self, *accounts: str) -> None:
        """Make the roles that self-managed permissions need."""
        trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
        self.sandbox.boto3("iam").create_role(RoleName=ADMINISTRATION_ROLE, AssumeRolePolicyDocument=policy(trust))
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ADMINISTRATOR}:root"}, "Action": "sts:AssumeRole"}
        for account in accounts:
            self.as_account(account, "iam").create_role(RoleName=EXECUTION_ROLE, AssumeRolePolicyDocument=policy(trust))

    def create(self, template: str = QUEUE, **more: Any) -> str:
        more.setdefault("Capabilities", ACKNOWLEDGED)
        return str(self.client.create_stack_set(StackSetName="warnings", TemplateBody=template, **more)["StackSetId"])

    def deploy(self, accounts: list[str] | None = None, regions: list[str] | None = None, **more: Any) -> str:
        """Create instances, and return the status of the operation in the end."""
        targets = {"Accounts": accounts} if accounts else {}
        more.setdefault("OperationPreferences", AT_ONCE)
        return self.end(self.client.create_stack_instances(StackSetName="warnings", Regions=regions or REGIONS[:1], **targets, **more))

    def update(self, **more: Any) -> str:
        """Update the stack set, and return the status of the operation in the end."""
        if "TemplateBody" not in more:
            more["UsePreviousTemplate"] = True
        more = {"Capabilities": ACKNOWLEDGED, "OperationPreferences": AT_ONCE, **more}
        return self.end(self.client.update_stack_set(StackSetName="warnings", **more))

    def override(self, accounts: list[str], regions: list[str] | None = None, **more: Any) -> str:
        """Update instances, and return the status of the operation in the end."""
        return self.end(
            self.client.update_stack_instances(StackSetName="warnings", Accounts=accounts, Regions=regions or REGIONS[:1], **more)
        )

    def delete(self, accounts: list[str] | None = None, regions: list[str] | None = None, **more: Any) -> str:
        """Delete instances, and return the status of the operation in the end."""
        targets = {"Accounts": accounts} if accounts else {}
        more = {"RetainStacks": False, "OperationPreferences": AT_ONCE, **more}
        return self.end(self.client.delete_stack_instances(StackSetName="warnings", Regions=regions or REGIONS[:1], **targets, **more))

    def end(self, answer: Any) -> str:
        """Wait until an operation is over, and return its status."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            status = str(self.operation(answer["OperationId"])["Status"])
            if status not in ("RUNNING", "QUEUED", "STOPPING"):
                return status
            time.sleep(0.01)
        raise TimeoutError(f"the operation is still {status}")

    def at_rest(self) -> None:
        """Wait until all operations are over."""
        for operation in self.operations():
            self.end(operation)

    def operation(self, operation_id: str) -> Any:
        return self.client.describe_stack_set_operation(StackSetName="warnings", OperationId=operation_id)["StackSetOperation"]

    def operations(self) -> list[Any]:
        return list(self.client.list_stack_set_operations(StackSetName="warnings")["Summaries"])

    def results(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Return (status, reason) of the last operation for each account and region."""
        operation_id = self.operations()[0]["OperationId"]
        results = self.client.list_stack_set_operation_results(StackSetName="warnings", OperationId=operation_id)["Summaries"]
        return {(result["Account"], result["Region"]): (result["Status"], result.get("StatusReason", "")) for result in results}

    def instances(self, **wanted: Any) -> dict[tuple[str, str], tuple[str, str]]:
        """Return (status, detailed status) of each account and region."""
        instances = self.client.list_stack_instances(StackSetName="warnings", **wanted)["Summaries"]
        return {
            (instance["Account"], instance["Region"]): (instance["Status"], instance["StackInstanceStatus"]["DetailedStatus"])
            for instance in instances
        }

    def described(self) -> Any:
        return self.client.describe_stack_set(StackSetName="warnings")["StackSet"]

    def stacks(self, account: str, region: str = REGIONS[0]) -> list[Any]:
        return list(self.as_account(account, "cloudformation", region).describe_stacks()["Stacks"])

    # The organization

    def organize(self) -> str:
        """Make an organization with trusted access, and return its root."""
        self.organizations.create_organization(FeatureSet="ALL")
        self.client.activate_organizations_access()
        return str(self.organizations.list_roots()["Roots"][0]["Id"])

    def unit(self, parent: str, name: str, *accounts: str) -> str:
        """Make an organizational unit with accounts."""
        made = self.organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
        for account in accounts:
            self.sandbox.add_organization_account(account, parent=made)
        return str(made)

    def create_managed(self, template: str = QUEUE, retain: bool = False, **more: Any) -> str:
        automatic = {"Enabled": True, "RetainStacksOnAccountRemoval": retain}
        return self.create(template, **{"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": automatic, **more})


@pytest.fixture
def sets(sandbox: Sandbox) -> StackSets:
    sandbox.settings(stack_seconds=0, stack_set_seconds=0)
    return StackSets(sandbox)


@pytest.fixture
def deployed(sets: StackSets) -> StackSets:
    """A stack set with a queue in two accounts."""
    sets.roles(FIRST, SECOND)
    sets.create()
    assert sets.deploy([FIRST, SECOND]) == "SUCCEEDED"
    return sets


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


# Self-managed permissions


def test_nine_integrations_deliver_each_for_its_own_spot_account(sandbox: Sandbox, sets: StackSets) -> None:
    accounts = {FIRST: "act-00000011", SECOND: "act-00000022", THIRD: "act-00000033"}
    sandbox.add_spot_accounts([{"accountId": spot, "providerExternalId": aws} for aws, spot in accounts.items()])
    sets.roles(*accounts)
    given = parameters(SpotAccountId="act-00000000", SpotToken=sandbox.tokens["admin"])
    sets.create(TEMPLATE, Parameters=given)
    for account, spot_account in accounts.items():
        assert sets.deploy([account], REGIONS, ParameterOverrides=parameters(SpotAccountId=spot_account)) == "SUCCEEDED"
    for account in accounts:
        for region in REGIONS:
            sandbox.interrupt(region, account)
    assert sandbox.settled()
    received = [(note["status"], note["body"]["account"], note["query"]["accountId"]) for note in sandbox.notifications()]
    assert sorted(received) == sorted((200, account, spot) for account, spot in accounts.items() for _ in REGIONS)


def test_an_instance_is_a_stack_of_its_account_and_region(deployed: StackSets) -> None:
    (stack,) = deployed.stacks(FIRST)
    assert stack["StackName"].startswith("StackSet-warnings-")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    instance = deployed.client.describe_stack_instance(StackSetName="warnings", StackInstanceAccount=FIRST, StackInstanceRegion=REGIONS[0])[
        "StackInstance"
    ]
    assert instance["StackId"] == stack["StackId"]
    assert (instance["Status"], instance["StackInstanceStatus"]) == ("CURRENT", {"DetailedStatus": "SUCCEEDED"})
    assert deployed.stacks(FIRST, REGIONS[1]) == []


def test_the_tags_of_the_stack_set_are_the_stacks(sets: StackSets) -> None:
    sets.roles(FIRST)
    sets.create(Tags=[{"Key": "team", "Value": "red"}])
    sets.deploy([FIRST])
    assert sets.stacks(FIRST)[0]["Tags"] == [{"Key": "team", "Value": "red"}]
    sets.update(Tags=[{"Key": "team", "Value": "blue"}])
    assert sets.stacks(FIRST)[0]["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert sets.described()["Tags"] == [{"Key": "team", "Value": "blue"}]


def test_the_roles_have_to_be_there(sets: StackSets) -> None:
    sets.create()
    assert sets.deploy([FIRST]) == "SUCCEEDED"  # everything was tolerated
    missing = f"Account {ADMINISTRATOR} should have '{ADMINISTRATION_ROLE}' role with trust relationship to CloudFormation service."
    assert sets.results() == {(FIRST, REGIONS[0]): ("FAILED", missing)}
    sets.roles(SECOND)
    sets.deploy([FIRST, SECOND])
    missing = f"Account {FIRST} should have '{EXECUTION_ROLE}' role with trust relationship to Role '{ADMINISTRATION_ROLE}'."
    assert sets.results() == {(FIRST, REGIONS[0]): ("FAILED", missing), (SECOND, REGIONS[0]): ("SUCCEEDED", "")}
    assert sets.instances()[FIRST, REGIONS[0]] == ("OUTDATED", "FAILED")


def test_a_failed_instance_tells_why_and_can_be_tried_again(sandbox: Sandbox, sets: StackSets) -> None:
    sets.roles(FIRST)
    sets.create()
    sandbox.add_fault({"error": {"code": "LimitExceeded", "message": "too many"}}, {"operation": "CreateQueue"}, times=1)
    assert sets.deploy([FIRST], OperationPreferences={}) == "FAILED"
    ((status, reason),) = sets.results().values()
    assert status == "FAILED"
    assert reason.startswith(
        'ResourceLogicalId:Queue, ResourceType:AWS::SQS::Queue, ResourceStatusReason:Resource handler returned message: "too'
    )
    assert sets.operations()[0]["StatusDetails"]["FailedStackInstancesCount"] == 1
    assert sets.deploy([FIRST], OperationPreferences={}) == "SUCCEEDED"
    assert sets.instances() == {(FIRST, REGIONS[0]): ("CURRENT", "SUCCEEDED")}
    assert [stack["StackStatus"] for stack in sets.stacks(FIRST)] == ["CREATE_COMPLETE"]


def test_more_failures_than_tolerated_cancel_the_rest(sandbox: Sandbox, sets: StackSets) -> None:
    sets.roles(FIRST, SECOND, THIRD)
    sets.create()
    sandbox.add_fault({"throttle": True}, {"operation": "CreateQueue", "account": FIRST})
    assert sets.deploy([FIRST, SECOND], ["eu-west-1", "us-west-2"], OperationPreferences={}) == "FAILED"
    assert {place: status for place, (status, _) in sets.results().items()} == {
        (FIRST, "eu-west-1"): "FAILED",
        (SECOND, "eu-west-1"): "CANCELLED",
        (FIRST, "us-west-2"): "CANCELLED",
        (SECOND, "us-west-2"): "CANCELLED",
    }
    assert sets.results()[SECOND, "eu-west-1"][1] == "Cancelled since failure tolerance has exceeded"
    assert sets.instances()[SECOND, "eu-west-1"] == ("OUTDATED", "CANCELLED")
    tolerant = {"FailureToleranceCount": 1, "RegionOrder": ["us-west-2", "eu-west-1"]}
    assert sets.deploy([FIRST, SECOND], ["eu-west-1", "us-west-2"], OperationPreferences=tolerant) == "SUCCEEDED"
    assert sets.instances(StackInstanceAccount=SECOND) == {
        (SECOND, "eu-west-1"): ("CURRENT", "SUCCEEDED"),
        (SECOND, "us-west-2"): ("CURRENT", "SUCCEEDED"),
    }


@pytest.mark.parametrize(
    ("preferences", "at_once"),
    [
        ({}, 1),
        ({"MaxConcurrentCount": 3}, 1),
        ({"MaxConcurrentCount": 3, "FailureToleranceCount": 2}, 3),
        ({"MaxConcurrentPercentage": 100, "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE"}, 3),
    ],
)
def test_so_many_accounts_are_worked_on_at_once(sandbox: Sandbox, sets: StackSets, preferences: dict[str, Any], at_once: int) -> None:
    sets.roles(FIRST, SECOND, THIRD)
    sets.create()
    held = sandbox.add_fault({"held": True}, {"operation": "CreateQueue"})
    answer = sets.client.create_stack_instances(
        StackSetName="warnings", Accounts=[FIRST, SECOND, THIRD], Regions=REGIONS[:1], OperationPreferences=preferences
    )
    end = time.monotonic() + 20
    while (begun := len(sandbox.calls(by="cloudformation", operation="CreateQueue"))) < at_once:
        assert time.monotonic() < end, begun
        time.sleep(0.01)
    time.sleep(0.2)  # for one more, which must not begin
    assert len(sandbox.calls(by="cloudformation", operation="CreateQueue")) == at_once
    sandbox.clear_faults(held["id"])
    assert sets.end(answer) == "SUCCEEDED"


# Parameters


def test_overrides_are_shown_and_hidden(sandbox: Sandbox, sets: StackSets) -> None:
    sets.roles(FIRST)
    sets.create(TEMPLATE, Parameters=parameters(SpotAccountId="act-00000000", SpotToken=sandbox.tokens["admin"]))
    own = parameters(SpotAccountId="act-00000011", SpotToken=sandbox.tokens["editor"])
    sets.deploy([FIRST], ParameterOverrides=own)
    instance = sets.client.describe_stack_instance(StackSetName="warnings", StackInstanceAccount=FIRST, StackInstanceRegion=REGIONS[0])
    assert instance["StackInstance"]["ParameterOverrides"] == parameters(SpotAccountId="act-00000011", SpotToken="****")
    assert {item["ParameterKey"]: item["ParameterValue"] for item in sets.described()["Parameters"]}["SpotToken"] == "****"
    shown = [sets.described(), sets.operations(), sets.stacks(FIRST), instance]
    assert not [token for token in sandbox.tokens.values() if token in str(shown)]


def test_an_override_stays_until_it_is_taken_back(deployed: StackSets) -> None:
    def seconds(account: str) -> str:
        found = deployed.stacks(account)[0]["Parameters"]
        return str({item["ParameterKey"]: item["ParameterValue"] for item in found}["Seconds"])

    assert deployed.override([FIRST], ParameterOverrides=parameters(Seconds="90")) == "SUCCEEDED"
    assert deployed.update(Parameters=parameters(Seconds="120")) == "SUCCEEDED"
    assert (seconds(FIRST), seconds(SECOND)) == ("90", "120")
    deployed.override([FIRST])
    assert seconds(FIRST) == "90"
    deployed.override([FIRST], ParameterOverrides=[{"ParameterKey": "Seconds", "UsePreviousValue": True}])
    assert seconds(FIRST) == "90"
    deployed.override([FIRST], ParameterOverrides=parameters(Name="mine"))
    assert seconds(FIRST) == "120"


def test_an_override_that_breaks_a_constraint_fails_its_instance(sets: StackSets) -> None:
    sets.roles(FIRST)
    sets.create()
    assert sets.deploy([FIRST], ParameterOverrides=parameters(Seconds="long"), OperationPreferences={}) == "FAILED"
    assert sets.results() == {(FIRST, REGIONS[0]): ("FAILED", "Parameter 'Seconds' must be a number")}


def test_only_what_the_template_has_can_be_overridden(deployed: StackSets) -> None:
    call = deployed.client.update_stack_instances
    more = {"Accounts": [FIRST], "Regions": REGIONS[:1], "ParameterOverrides": parameters(Nonsense="1")}
    assert refusal(call, StackSetName="warnings", **more) == ("ValidationError", "Parameters: [Nonsense] do not exist in the template")
    more = {"Accounts": [THIRD], "Regions": REGIONS[:1]}
    assert refusal(call, StackSetName="warnings", **more)[0] == "StackInstanceNotFoundException"


# Updates and deletion


def test_an_update_of_some_leaves_the_others_outdated(deployed: StackSets) -> None:
    changed = {"Parameters": parameters(Seconds="90"), "Accounts": [FIRST], "Regions": REGIONS[:1]}
    assert deployed.update(**changed) == "SUCCEEDED"
    assert deployed.instances() == {(FIRST, REGIONS[0]): ("CURRENT", "SUCCEEDED"), (SECOND, REGIONS[0]): ("OUTDATED", "PENDING")}
    assert deployed.update(Parameters=parameters(Seconds="90")) == "SUCCEEDED"
    assert set(deployed.instances().values()) == {("CURRENT", "SUCCEEDED")}


def test_an_unchanged_update_touches_nothing(sandbox: Sandbox, deployed: StackSets) -> None:
    sandbox.clear_calls()
    assert deployed.update() == "SUCCEEDED"
    assert set(deployed.results().values()) == {("SUCCEEDED", "")}
    assert sandbox.calls(by="cloudformation", writes=True) == []


def test_the_template_can_be_changed(deployed: StackSets) -> None:
    two = QUEUE + "  Second: {Type: AWS::SQS::Queue}\n"
    assert deployed.update(TemplateBody=two) == "SUCCEEDED"
    assert deployed.described()["TemplateBody"] == two
    assert len(deployed.as_account(FIRST, "sqs", REGIONS[0]).list_queues()["QueueUrls"]) == 2


def test_a_failed_update_is_the_stack_sets_all_the_same(sandbox: Sandbox, deployed: StackSets) -> None:
    sandbox.add_fault({"throttle": True}, {"operation": "SetQueueAttributes"}, times=2)
    assert deployed.update(Parameters=parameters(Seconds="90"), OperationPreferences={}) == "FAILED"
    assert {item["ParameterKey"]: item["ParameterValue"] for item in deployed.described()["Parameters"]}["Seconds"] == "90"
    assert set(deployed.instances().values()) == {("OUTDATED", "FAILED"), ("OUTDATED", "CANCELLED")}


def test_deleted_instances_take_their_stacks_with_them(deployed: StackSets) -> None:
    assert deployed.delete([FIRST]) == "SUCCEEDED"
    assert deployed.stacks(FIRST) == []
    assert set(deployed.instances()) == {(SECOND, REGIONS[0])}
    assert refusal(deployed.client.delete_stack_set, StackSetName="warnings") == ("StackSetNotEmptyException", "StackSet is not empty")
    deployed.delete([SECOND])
    deployed.client.delete_stack_set(StackSetName="warnings")
    assert refusal(deployed.described) == ("StackSetNotFoundException", "StackSet warnings not found")
    assert [known["Status"] for known in deployed.client.list_stack_sets()["Summaries"]] == ["DELETED"]
    assert deployed.client.list_stack_sets(Status="ACTIVE")["Summaries"] == []
    deployed.create()


def test_stacks_can_be_retained(deployed: StackSets) -> None:
    assert deployed.delete([FIRST, SECOND], RetainStacks=True) == "SUCCEEDED"
    assert deployed.instances() == {}
    assert deployed.stacks(FIRST)[0]["StackStatus"] == "CREATE_COMPLETE"


def test_an_instance_that_cannot_be_deleted_is_inoperable(sandbox: Sandbox, deployed: StackSets) -> None:
    sandbox.add_fault({"throttle": True}, {"operation": "DeleteQueue", "account": FIRST})
    assert deployed.delete([FIRST, SECOND]) == "SUCCEEDED"
    assert deployed.instances() == {(FIRST, REGIONS[0]): ("INOPERABLE", "INOPERABLE")}
    deployed.update(Parameters=parameters(Seconds="90"))
    assert deployed.results() == {}
    assert deployed.delete([FIRST], RetainStacks=True) == "SUCCEEDED"


# Operations


def test_one_operation_at_a_time(sandbox: Sandbox, deployed: StackSets) -> None:
    sandbox.settings(stack_set_seconds=3)
    first = deployed.client.update_stack_set(StackSetName="warnings", UsePreviousTemplate=True)
    busy = refusal(deployed.client.update_stack_set, StackSetName="warnings", UsePreviousTemplate=True)
    arn, operation = deployed.described()["StackSetARN"], first["OperationId"]
    assert busy == ("OperationInProgressException", f"Another Operation on StackSet {arn} is in progress: {operation}")
    assert refusal(deployed.deploy, accounts=[FIRST])[0] == "OperationInProgressException"
    assert refusal(deployed.client.delete_stack_set, StackSetName="warnings")[0] == "OperationInProgressException"
    assert deployed.end(first) == "SUCCEEDED"


def test_managed_execution_queues(sandbox: Sandbox, deployed: StackSets) -> None:
    deployed.update(ManagedExecution={"Active": True})
    sandbox.settings(stack_set_seconds=2)
    first = deployed.client.update_stack_set(StackSetName="warnings", UsePreviousTemplate=True)
    second = deployed.client.update_stack_set(StackSetName="warnings", UsePreviousTemplate=True)
    third = deployed.client.update_stack_set(StackSetName="warnings", UsePreviousTemplate=True)
    assert deployed.operation(second["OperationId"])["Status"] == "QUEUED"
    deployed.client.stop_stack_set_operation(StackSetName="warnings", OperationId=third["OperationId"])
    assert [deployed.end(operation) for operation in (first, second, third)] == ["SUCCEEDED", "SUCCEEDED", "STOPPED"]
    ended = [deployed.operation(operation["OperationId"])["EndTimestamp"] for operation in (first, second)]
    assert ended == sorted(ended)
    assert deployed.described()["ManagedExecution"] == {"Active": True}


def test_an_operation_can_be_stopped(sandbox: Sandbox, sets: StackSets) -> None:
    sets.roles(FIRST, SECOND)
    sets.create()
    sandbox.settings(stack_seconds=1.5)
    answer = sets.client.create_stack_instances(StackSetName="warnings", Accounts=[FIRST, SECOND], Regions=REGIONS[:1])
    while sets.instances()[FIRST, REGIONS[0]][1] != "RUNNING":
        time.sleep(0.01)
    sets.client.stop_stack_set_operation(StackSetName="warnings", OperationId=answer["OperationId"])
    assert sets.operation(answer["OperationId"])["Status"] == "STOPPING"
    assert sets.end(answer) == "STOPPED"
    assert {account: status for (account, _), (status, _) in sets.results().items()} == {FIRST: "SUCCEEDED", SECOND: "CANCELLED"}
    over = refusal(sets.client.stop_stack_set_operation, StackSetName="warnings", OperationId=answer["OperationId"])
    assert over[0] == "InvalidOperationException"


def test_an_operation_id_is_good_once(deployed: StackSets) -> None:
    deployed.update(OperationId="mine")
    assert deployed.operation("mine")["Action"] == "UPDATE"
    assert refusal(deployed.update, OperationId="mine")[0] == "OperationIdAlreadyExistsException"
    missing = refusal(deployed.client.describe_stack_set_operation, StackSetName="warnings", OperationId="other")
    assert missing[0] == "OperationNotFoundException"


def test_lists_come_in_pages(deployed: StackSets) -> None:
    deployed.deploy([FIRST, SECOND], REGIONS)
    pages = deployed.client.get_paginator("list_stack_instances").paginate(StackSetName="warnings", PaginationConfig={"PageSize": 4})
    assert [len(page["Summaries"]) for page in pages] == [4, 2]
    assert len(deployed.instances(StackInstanceRegion=REGIONS[1])) == 2
    assert deployed.instances(Filters=[{"Name": "DETAILED_STATUS", "Values": "FAILED"}]) == {}
    assert deployed.described()["Regions"] == sorted(REGIONS)


def test_names_are_taken_once_and_things_that_are_not_there_are_named(deployed: StackSets) -> None:
    assert refusal(deployed.create)[0] == "NameAlreadyExistsException"
    assert refusal(deployed.client.describe_stack_set, StackSetName="other")[0] == "StackSetNotFoundException"
    instance = {"StackInstanceAccount": THIRD, "StackInstanceRegion": REGIONS[0]}
    missing = refusal(deployed.client.describe_stack_instance, StackSetName="warnings", **instance)
    assert missing[0] == "StackInstanceNotFoundException"
    assert deployed.client.get_template_summary(StackSetName="warnings")["ResourceTypes"] == ["AWS::SQS::Queue"]
    targets = {"DeploymentTargets": {"OrganizationalUnitIds": ["ou-abcd-12345678"]}}
    wrong = refusal(deployed.client.create_stack_instances, StackSetName="warnings", Regions=REGIONS, **targets)
    assert wrong == ("ValidationError", "StackSets with SELF_MANAGED permission model can only have Accounts as target")


# Service-managed permissions


def test_trusted_access_has_to_be_there(sets: StackSets) -> None:
    alone = "You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set"
    assert refusal(sets.create_managed) == ("ValidationError", alone)
    sets.organizations.create_organization(FeatureSet="ALL")
    closed = "You must enable organizations access to operate a service managed stack set"
    assert refusal(sets.create_managed) == ("ValidationError", closed)
    assert sets.client.describe_organizations_access()["Status"] == "DISABLED"
    sets.client.activate_organizations_access()
    assert sets.client.describe_organizations_access()["Status"] == "ENABLED"
    sets.create_managed()


def test_units_are_deployed_to_with_all_below_but_never_the_management_account(sets: StackSets) -> None:
    root = sets.organize()
    upper = sets.unit(root, "upper", FIRST)
    sets.unit(upper, "lower", SECOND)
    sets.sandbox.add_organization_account(THIRD)
    sets.organizations.move_account(AccountId=ADMINISTRATOR, SourceParentId=root, DestinationParentId=upper)
    sets.create_managed()
    assert sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [upper]}) == "SUCCEEDED"
    assert set(sets.instances()) == {(FIRST, REGIONS[0]), (SECOND, REGIONS[0])}
    assert sets.described()["OrganizationalUnitIds"] == [upper]
    (listed, _) = sets.client.list_stack_instances(StackSetName="warnings")["Summaries"]
    assert listed["OrganizationalUnitId"] == upper
    assert len(sets.stacks(SECOND)) == 1
    targets = sets.client.list_stack_set_auto_deployment_targets(StackSetName="warnings")["Summaries"]
    assert targets == [{"OrganizationalUnitId": upper, "Regions": REGIONS[:1]}]


@pytest.mark.parametrize(
    ("targets", "accounts"),
    [
        ({}, {FIRST, SECOND, THIRD}),
        ({"AccountFilterType": "NONE"}, {FIRST, SECOND, THIRD}),
        ({"AccountFilterType": "INTERSECTION", "Accounts": [FIRST, "999999999999"]}, {FIRST}),
        ({"AccountFilterType": "DIFFERENCE", "Accounts": [FIRST]}, {SECOND, THIRD}),
    ],
)
def test_accounts_of_a_unit_can_be_chosen(sets: StackSets, targets: dict[str, Any], accounts: set[str]) -> None:
    unit = sets.unit(sets.organize(), "unit", FIRST, SECOND, THIRD)
    sets.create_managed()
    sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [unit], **targets})
    assert {account for account, _ in sets.instances()} == accounts


def test_instances_of_units_are_overridden_updated_and_deleted(sets: StackSets) -> None:
    root = sets.organize()
    first, second = sets.unit(root, "first", FIRST), sets.unit(root, "second", SECOND, THIRD)
    sets.create_managed()
    sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [first, second]})
    one = {"OrganizationalUnitIds": [second], "Accounts": [SECOND], "AccountFilterType": "INTERSECTION"}
    more = {"DeploymentTargets": one, "Regions": REGIONS[:1], "ParameterOverrides": parameters(Seconds="90")}
    assert sets.end(sets.client.update_stack_instances(StackSetName="warnings", **more)) == "SUCCEEDED"
    assert set(sets.results()) == {(SECOND, REGIONS[0])}
    both = {"OrganizationalUnitIds": [first], "Accounts": [THIRD], "AccountFilterType": "UNION"}
    assert sets.update(DeploymentTargets=both, Regions=REGIONS[:1]) == "SUCCEEDED"
    assert set(sets.results()) == {(FIRST, REGIONS[0]), (THIRD, REGIONS[0])}
    assert sets.delete(DeploymentTargets={"OrganizationalUnitIds": [second]}) == "SUCCEEDED"
    assert set(sets.instances()) == {(FIRST, REGIONS[0])}
    assert sets.described()["OrganizationalUnitIds"] == [first]


def test_what_does_not_fit_service_managed_permissions_is_refused(sets: StackSets) -> None:
    unit = sets.unit(sets.organize(), "unit", FIRST)
    assert refusal(sets.create, PermissionModel="SERVICE_MANAGED")[0] == "ValidationError"
    sets.create_managed()
    only = "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
    assert refusal(sets.deploy, accounts=[FIRST]) == ("ValidationError", only)
    union = {"OrganizationalUnitIds": [unit], "Accounts": [FIRST], "AccountFilterType": "UNION"}
    assert refusal(sets.deploy, DeploymentTargets=union)[0] == "ValidationError"
    assert refusal(sets.deploy, DeploymentTargets={"OrganizationalUnitIds": ["ou-none-12345678"]})[0] == "ValidationError"


def test_a_suspended_account_is_skipped(sets: StackSets) -> None:
    unit = sets.unit(sets.organize(), "unit", FIRST, SECOND)
    sets.organizations.close_account(AccountId=FIRST)
    sets.create_managed()
    assert sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [unit]}) == "SUCCEEDED"
    assert sets.instances()[FIRST, REGIONS[0]] == ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT")
    assert sets.stacks(FIRST) == []


def test_an_account_that_comes_to_a_unit_gets_its_instances_and_loses_them_again(sets: StackSets) -> None:
    root = sets.organize()
    unit = sets.unit(root, "unit", FIRST)
    sets.sandbox.add_organization_account(SECOND)
    sets.create_managed()
    own = {"ParameterOverrides": parameters(Seconds="90")}
    sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [unit]}, regions=REGIONS[:2], **own)
    sets.organizations.move_account(AccountId=SECOND, SourceParentId=root, DestinationParentId=unit)
    sets.at_rest()
    assert set(sets.instances(StackInstanceAccount=SECOND)) == {(SECOND, region) for region in REGIONS[:2]}
    found = {item["ParameterKey"]: item["ParameterValue"] for item in sets.stacks(SECOND)[0]["Parameters"]}
    assert found["Seconds"] == "60"
    sets.organizations.move_account(AccountId=SECOND, SourceParentId=unit, DestinationParentId=root)
    sets.at_rest()
    assert {account for account, _ in sets.instances()} == {FIRST}
    assert sets.stacks(SECOND) == []
    assert [operation["Action"] for operation in sets.operations()] == ["DELETE", "CREATE", "CREATE"]


def test_an_account_that_leaves_can_keep_its_stacks(sets: StackSets) -> None:
    root = sets.organize()
    unit = sets.unit(root, "unit", FIRST)
    sets.create_managed(retain=True)
    sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [unit]})
    sets.organizations.move_account(AccountId=FIRST, SourceParentId=unit, DestinationParentId=root)
    sets.at_rest()
    assert sets.instances() == {}
    assert len(sets.stacks(FIRST)) == 1


def test_nothing_is_deployed_automatically_unless_it_is_wanted(sets: StackSets) -> None:
    root = sets.organize()
    unit = sets.unit(root, "unit", FIRST)
    sets.create_managed(AutoDeployment={"Enabled": False})
    sets.deploy(DeploymentTargets={"OrganizationalUnitIds": [unit]})
    sets.sandbox.add_organization_account(SECOND, parent=unit)
    assert {account for account, _ in sets.instances()} == {FIRST}
    sets.update(AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False})
    sets.sandbox.add_organization_account(THIRD, parent=unit)
    sets.at_rest()
    assert {account for account, _ in sets.instances()} == {FIRST, THIRD}


def test_an_account_that_was_left_out_stays_out_when_it_moves_below_the_unit(sets: StackSets) -> None:
    upper = sets.unit(sets.organize(), "upper", FIRST, SECOND)
    lower = sets.unit(upper, "lower")
    sets.create_managed()
    without = {"OrganizationalUnitIds": [upper], "Accounts": [FIRST], "AccountFilterType": "DIFFERENCE"}
    sets.deploy(DeploymentTargets=without)
    sets.organizations.move_account(AccountId=FIRST, SourceParentId=upper, DestinationParentId=lower)
    sets.organizations.move_account(AccountId=SECOND, SourceParentId=upper, DestinationParentId=lower)
    assert {account for account, _ in sets.instances()} == {SECOND}
    assert len(sets.operations()) == 1


def test_automatic_deployment_waits_for_what_is_under_way(sandbox: Sandbox, sets: StackSets) -> None:
    unit = sets.unit(sets.organize(), "unit", FIRST)
    sets.create_managed()
    sandbox.settings(stack_set_seconds=2)
    targets = {"OrganizationalUnitIds": [unit]}
    sets.client.create_stack_instances(StackSetName="warnings", DeploymentTargets=targets, Regions=REGIONS[:1])
    sets.sandbox.add_organization_account(SECOND, parent=unit)
    assert [operation["Status"] for operation in sets.operations()] == ["QUEUED", "RUNNING"]
    sets.at_rest()
    assert set(sets.instances().values()) == {("CURRENT", "SUCCEEDED")}
    assert len(sets.instances()) == 2


def test_a_delegated_administrator_works_on_the_management_accounts_stack_sets(sets: StackSets) -> None:
    unit = sets.unit(sets.organize(), "unit", FIRST, SECOND)
    delegate = sets.as_account(FIRST, "cloudformation")
    more = {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}, "CallAs": "DELEGATED_ADMIN"}
    assert refusal(delegate.create_stack_set, StackSetName="warnings", TemplateBody=QUEUE, **more)[0] == "ValidationError"
    sets.organizations.register_delegated_administrator(AccountId=FIRST, ServicePrincipal=STACK_SETS)
    assert delegate.describe_organizations_access(CallAs="DELEGATED_ADMIN")["Status"] == "ENABLED"
    delegate.create_stack_set(StackSetName="warnings", TemplateBody=QUEUE, **more)
    answer = delegate.create_stack_instances(
        StackSetName="warnings", DeploymentTargets={"OrganizationalUnitIds": [unit]}, Regions=REGIONS[:1], CallAs="DELEGATED_ADMIN"
    )
    assert sets.end(answer) == "SUCCEEDED"  # asked for as the management account
    listed = delegate.list_stack_instances(StackSetName="warnings", CallAs="DELEGATED_ADMIN", StackInstanceAccount=FIRST)["Summaries"]
    assert [instance["Status"] for instance in listed] == ["CURRENT"]
    assert refusal(delegate.describe_stack_set, StackSetName="warnings")[0] == "StackSetNotFoundException"
    assert f":{ADMINISTRATOR}:stackset/warnings:" in sets.described()["StackSetARN"]
    assert sets.as_account(FIRST, "organizations").list_accounts_for_parent(ParentId=unit)["Accounts"]


def test_a_reset_ends_operations_too(sandbox: Sandbox, sets: StackSets) -> None:
    sets.roles(FIRST)
    sets.create()
    sandbox.settings(stack_set_seconds=0.2)
    sets.client.create_stack_instances(StackSetName="warnings", Accounts=[FIRST], Regions=REGIONS[:1])
    sandbox.reset()
    time.sleep(0.4)
    assert sets.client.list_stack_sets()["Summaries"] == []
    assert sandbox.calls(by="cloudformation") == []
