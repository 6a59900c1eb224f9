# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Integrations that others made are recognised, replaced with all that is connected to them, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.runner import SPOT_ACCOUNT, Run
from tests.integration.verify.account import Account, outcomes, writes
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.foreign import CONNECTION, DESTINATION, QUEUE, RULE, SPOT, Foreign, published_stack, roles, there
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

MIGRATE = ("-e", "spot_eventbridge_on_existing=migrate")
IGNORE = ("-e", "spot_eventbridge_on_existing=ignore")
UNRELATED = "spot-interruptions"
OURS = f"spot-interruption-{SPOT_ACCOUNT}"
DEAD = "ap-northeast-1"


def deauthorized(sandbox: Sandbox, region: str) -> None:
    Foreign(sandbox, region).make()
    sandbox.boto3("events", region).deauthorize_connection(Name=CONNECTION)


def by_hand(sandbox: Sandbox, region: str) -> None:
    foreign = Foreign(sandbox, region)
    foreign.make()
    # These have a name that suggests that they belong to it.
    foreign.sqs.create_queue(QueueName=UNRELATED)
    foreign.iam.create_role(RoleName=UNRELATED, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))


SHAPES: dict[str, Callable[[Sandbox, str], None]] = {
    # Spot's published template
    "us-east-1": published_stack,
    # the walk-through of Spot's console
    "eu-west-1": by_hand,
    # Terraform's module, with the account in the target
    "eu-central-1": lambda sandbox, region: Foreign(
        sandbox, region, f"{SPOT}/", None, target={"HttpParameters": {"QueryStringParameters": {"accountId": SPOT_ACCOUNT}}}
    ).make(),
    # the account in the endpoint
    "ap-south-1": lambda sandbox, region: Foreign(sandbox, region, f"{SPOT}?accountId={SPOT_ACCOUNT}", None).make(),
    # the CDK's HttpParameter.fromSecret, and another spelling of the host
    "us-west-2": lambda sandbox, region: Foreign(
        sandbox, region, SPOT.replace("api.spotinst.io", "API.Spotinst.io:443"), hidden=True
    ).make(),
    DEAD: deauthorized,
}
CERTAIN = {"eu-west-1", "eu-central-1", "ap-south-1"}


@dataclass
class Story:
    """What the runs came to, one after the other."""

    account: Account
    seen: dict[str, Any]
    refused: Run
    refused_writes: list[str]
    roles_before: list[str]
    predicted: Run
    migrated: Run
    left: dict[str, dict[str, list[str]]]
    roles_left: list[str]
    arrived: Counter[str]
    again: Run


@pytest.fixture(scope="module")
def story(running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    running.settings(enabled_regions=list(SHAPES))
    account = make_account(regions=list(SHAPES))
    for region, make in SHAPES.items():
        make(running, region)
    roles_before = roles(running)
    running.clear_calls()
    refused = account.onboard()
    refused_writes = writes(running)
    assert roles(running) == roles_before
    seen = account.look()
    predicted = account.onboard(*MIGRATE, "--check")
    migrated = account.onboard(*MIGRATE)
    left, roles_left = {region: there(running, region) for region in SHAPES}, roles(running)
    already = len(running.notifications())
    for region in SHAPES:
        running.interrupt(region)
    assert running.settled(30)
    arrived = Counter(request["body"]["region"] for request in running.notifications()[already:] if request["status"] == 200)
    return Story(account, seen, refused, refused_writes, roles_before, predicted, migrated, left, roles_left, arrived, account.onboard())


def test_each_shape_stops_onboarding_and_nothing_at_all_is_written(story: Story) -> None:
    assert story.refused.rc != 0
    assert story.refused_writes == []
    for region, line in story.refused.table().items():
        assert ("AlreadyServed" if region in CERTAIN else "MayBeServed") in line, line


def test_verify_names_each_of_them(story: Story) -> None:
    for entry in story.seen.values():
        (finding,) = entry["findings"]
        assert "the API destination" in finding["message"]


def test_after_migrating_each_notice_arrives_exactly_once(story: Story) -> None:
    assert story.migrated.rc == 0, story.migrated.output
    assert story.arrived == dict.fromkeys(SHAPES, 1)


def test_all_of_the_old_is_gone_and_what_only_has_its_name_is_there(story: Story) -> None:
    only = {kind: [OURS] for kind in ("rules", "destinations", "connections", "secrets", "queues")}
    assert story.left == {**dict.fromkeys(SHAPES, only), "eu-west-1": {**only, "queues": sorted([OURS, UNRELATED])}}
    assert {role for role in story.roles_left if not role.startswith("AWSService")} == {OURS, UNRELATED}


def test_check_mode_predicts_the_migration(story: Story) -> None:
    assert story.predicted.rc == 0, story.predicted.output
    assert all("would take over from" in line for line in story.predicted.table().values())


def test_the_next_run_changes_nothing(story: Story) -> None:
    assert (story.again.rc, story.again.changed) == (0, 0)


# What is kept


def test_what_something_else_uses_is_kept_and_named(sandbox: Sandbox, make_account: MakeAccount) -> None:
    account, foreign = make_account(regions=["eu-west-1"]), Foreign(sandbox, "eu-west-1")
    foreign.make()
    events, sqs, iam = foreign.events, foreign.sqs, foreign.iam
    queue = sqs.create_queue(QueueName="audit")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule=RULE, Targets=[{"Id": "audit", "Arn": arn}])
    connection = events.describe_connection(Name=CONNECTION)["ConnectionArn"]
    elsewhere = "https://example.com/"
    events.create_api_destination(Name="metrics", ConnectionArn=connection, InvocationEndpoint=elsewhere, HttpMethod="POST")
    allow = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    iam.put_role_policy(
        RoleName=foreign.role, PolicyName="more", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    )
    foreign.make_queue("more", "of-others")
    more = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName="more")["QueueUrl"], AttributeNames=["Policy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"], Attributes=more)
    run = account.onboard(*MIGRATE)
    assert run.rc == 0, run.output
    now = there(sandbox, "eu-west-1")
    assert (now["rules"], now["destinations"], now["connections"]) == (
        sorted([RULE, OURS]),
        ["metrics", OURS],
        sorted([CONNECTION, OURS]),
    )
    assert [target["Id"] for target in events.list_targets_by_rule(Rule=RULE)["Targets"]] == ["audit"]
    assert {QUEUE, "more", "audit"} < set(now["queues"])
    assert foreign.role in roles(sandbox)
    text = " ".join(run.output.split())
    for kept in (f"the rule {RULE} was kept", f"the connection {CONNECTION} was kept", f"the queue {QUEUE} was kept"):
        assert kept in text, run.output
    assert f"the role {foreign.role} was kept" in text


def test_a_migration_that_fails_half_way_is_completed_by_the_next_run(sandbox: Sandbox, make_account: MakeAccount) -> None:
    account, foreign = make_account(regions=["eu-west-1"]), Foreign(sandbox, "eu-west-1")
    foreign.make()
    fault = sandbox.add_fault(
        {"error": {"status": 400, "code": "AccessDeniedException", "message": "no"}}, {"operation": "DeleteApiDestination"}
    )
    assert account.onboard(*MIGRATE).rc != 0
    sandbox.clear_faults(fault["id"])
    assert there(sandbox, "eu-west-1")["connections"] == [OURS]
    run = account.onboard(*MIGRATE)
    assert run.rc == 0, run.output
    assert there(sandbox, "eu-west-1") == {kind: [OURS] for kind in ("rules", "destinations", "connections", "secrets", "queues")}
    assert foreign.role not in roles(sandbox)


# What the user decides


def test_ignore_makes_it_beside_one_of_a_hidden_account_and_says_so(sandbox: Sandbox, make_account: MakeAccount) -> None:
    account = make_account(regions=["eu-west-1"])
    Foreign(sandbox, "eu-west-1", account="act-00000000", hidden=True).make()
    run = account.onboard(*IGNORE)
    assert run.rc == 0, run.output
    assert f"(API destination {DESTINATION}) may already send" in " ".join(run.output.split())
    assert there(sandbox, "eu-west-1")["destinations"] == [DESTINATION, OURS]
    assert outcomes(account.look()["eu-west-1"]) == {"double_delivery": "warn"}


def test_a_region_that_is_stopped_stops_only_itself(sandbox: Sandbox, account: Account) -> None:
    Foreign(sandbox, "eu-west-1").make()
    run = account.onboard()
    assert run.rc != 0
    assert OURS in roles(sandbox)
    assert there(sandbox, "us-east-1")["rules"] == [OURS]
    assert OURS not in [name for names in there(sandbox, "eu-west-1").values() for name in names]


def test_a_queue_that_offboarding_kept_is_not_changed_where_the_region_is_stopped(sandbox: Sandbox, make_account: MakeAccount) -> None:
    account, foreign = make_account(regions=["eu-west-1"]), Foreign(sandbox, "eu-west-1")
    foreign.make()
    foreign.sqs.create_queue(QueueName=OURS)
    sandbox.clear_calls()
    run = account.onboard()
    assert run.rc != 0
    assert "AlreadyServed" in run.output
    assert writes(sandbox) == []


@pytest.mark.parametrize(("status", "code"), [(500, "InternalFailure"), (403, "AccessDenied")])
def test_cloudformation_that_fails_does_not_keep_repair_from_authorising(
    sandbox: Sandbox, make_account: MakeAccount, status: int, code: str
) -> None:
    account = make_account(regions=["eu-west-1"])
    account.have_onboarded()
    events = sandbox.boto3("events", "eu-west-1")
    events.deauthorize_connection(Name=OURS)
    sandbox.add_fault({"error": {"status": status, "code": code, "message": "Not today"}}, {"service": "cloudformation"})
    run = account.repair()
    assert run.rc == 0, run.output
    assert events.describe_connection(Name=OURS)["ConnectionState"] == "AUTHORIZED"
    assert f"the CloudFormation stack of {OURS}, if any, could not be read" in " ".join(run.output.split())


@pytest.mark.parametrize(("decision", "code"), [((), "AlreadyServed"), (MIGRATE, "OtherEventBus")])
def test_one_that_gets_its_notices_through_another_event_bus_stops_onboarding(
    sandbox: Sandbox, make_account: MakeAccount, decision: tuple[str, ...], code: str
) -> None:
    account = make_account(regions=["eu-west-1"])
    Foreign(sandbox, "eu-west-1", bus="central").make()
    sandbox.clear_calls()
    run = account.onboard(*decision)
    assert run.rc != 0
    assert code in run.output
    assert writes(sandbox) == []
    (finding,) = account.look()["eu-west-1"]["findings"]
    assert f"the API destination {DESTINATION}" in finding["message"]


def test_a_second_target_to_our_own_destination_is_named(sandbox: Sandbox, make_account: MakeAccount) -> None:
    account = make_account(regions=["eu-west-1"])
    account.have_onboarded()
    events = sandbox.boto3("events", "eu-west-1")
    (target,) = events.list_targets_by_rule(Rule=OURS)["Targets"]
    events.put_targets(Rule=OURS, Targets=[{**target, "Id": "by-hand"}])
    entry = account.look()["eu-west-1"]
    assert outcomes(entry) == {"double_delivery": "warn"}
    assert "has a second target to the same API destination" in str(entry["findings"])


# By CloudFormation


def test_a_stack_is_made_beside_or_takes_over_as_the_user_decides(sandbox: Sandbox, make_account: MakeAccount) -> None:
    stacks = ("-e", "spot_eventbridge_method=cloudformation")
    account, foreign = make_account(regions=["eu-west-1"]), Foreign(sandbox, "eu-west-1", hidden=True)
    foreign.make()
    sandbox.clear_calls()
    refused = account.onboard(*stacks)
    assert "MayBeServed" in refused.output
    assert (refused.rc != 0, writes(sandbox)) == (True, [])
    beside = account.onboard(*stacks, *IGNORE)
    assert beside.rc == 0, beside.output
    assert f"(API destination {DESTINATION}) may already send" in " ".join(beside.output.split())
    assert there(sandbox, "eu-west-1")["destinations"] == sorted([DESTINATION, f"{OURS}-stack"])
    alone = account.onboard(*stacks, *MIGRATE)
    assert alone.rc == 0, alone.output
    only = {kind: [f"{OURS}-stack"] for kind in ("rules", "destinations", "connections", "secrets", "queues")}
    assert there(sandbox, "eu-west-1") == only
    assert foreign.role not in roles(sandbox)


def test_a_stack_that_holds_more_than_the_integration_is_left_whole(sandbox: Sandbox, make_account: MakeAccount) -> None:
    account, cloudformation = make_account(regions=["eu-west-1"]), sandbox.boto3("cloudformation", "eu-west-1")
    published_stack(sandbox, "eu-west-1")
    template = cloudformation.get_template(StackName="of-spot")["TemplateBody"]
    template = template if isinstance(template, dict) else json.loads(template)
    rule = template["Resources"]["Rule"]["Properties"]
    template["Resources"]["Audit"] = {"Type": "AWS::Events::Rule", "Properties": {**rule, "Targets": []}}
    keep = [{"ParameterKey": key, "UsePreviousValue": True} for key in ("AccountId", "Token")]
    cloudformation.update_stack(StackName="of-spot", TemplateBody=json.dumps(template), Parameters=keep, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_update_complete").wait(StackName="of-spot", WaiterConfig={"Delay": 1})
    sandbox.clear_calls()
    run = account.onboard(*MIGRATE)
    assert run.rc != 0
    assert "StackHoldsMore" in run.output
    assert "Audit" in run.output
    assert writes(sandbox) == []
