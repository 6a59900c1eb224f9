# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.connected import (
    ConnectedAlarmRule,
    ConnectedConnection,
    ConnectedQueue,
    ConnectedRole,
    ExistingConnectedRole,
)

ACCOUNT, NAME = "123456789012", "my-dest"
RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/my-rule"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/my-role"
SERVICE = {"Service": "events.amazonaws.com"}
HERE = Region("eu-west-1", "aws", {})


# The connection


@pytest.mark.parametrize(("used_by", "action"), [((), "deleted"), ((NAME,), "deleted"), ((NAME, "second"), "deleted")])
def test_a_connection_goes_with_all_that_use_it(used_by: tuple[str, ...], action: str) -> None:
    desired = ConnectedConnection("my-conn", present=False, api_destination=NAME, going=frozenset({NAME, "second"}))
    assert desired.plan(HERE, ExistingConnection({"connection_state": "AUTHORIZED"}, used_by=used_by)).action == action


def test_a_connection_that_another_uses_stays_and_is_named() -> None:
    desired = ConnectedConnection("my-conn", present=False, api_destination=NAME, going=frozenset({NAME}))
    plan = desired.plan(HERE, ExistingConnection({"connection_state": "AUTHORIZED"}, used_by=(NAME, "metrics")))
    assert (plan.action, plan.calls) == ("unchanged", ())
    assert "my-conn was kept" in (plan.note or "")
    assert "metrics" in (plan.note or "")


# The queue


def statement(source: t.Any = RULE, **more: t.Any) -> dict[str, t.Any]:
    condition = {"ArnEquals": {"aws:SourceArn": source}}
    return {"Effect": "Allow", "Principal": SERVICE, "Action": "sqs:SendMessage", "Resource": "*", "Condition": condition, **more}


def queue_plan(*statements: dict[str, t.Any], messages: int = 0, stack: str = "") -> t.Any:
    attributes = {"Policy": json.dumps({"Statement": list(statements)}), "ApproximateNumberOfMessages": str(messages)}
    desired = ConnectedQueue("q", present=False, rules=frozenset({RULE}), stack=stack)
    return desired.plan(HERE, ExistingQueue("q", "https://q", attributes))


@pytest.mark.parametrize(
    "statements",
    [
        [statement()],
        [statement([RULE, f"{RULE}-test-*"])],
        [statement([RULE, f"{RULE}-test-*", f"{RULE}-alarm"])],
        [statement(Principal={"Service": ["events.amazonaws.com"]}, Condition={"StringEquals": {"AWS:SourceArn": RULE}})],
        [statement(), {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}],
    ],
)
def test_a_queue_of_the_removed_rule_alone_goes(statements: list[dict[str, t.Any]]) -> None:
    assert queue_plan(*statements).action == "deleted"


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [statement(f"{RULE}s")],
        [statement([RULE, f"{RULE}s"])],
        [statement(), statement(f"{RULE}s")],
        [statement(f"{RULE}*")],
        [statement([RULE, f"{RULE}-alarms"])],
        [statement(Condition={})],
        [statement(Condition={"ArnNotEquals": {"aws:SourceArn": RULE}})],
        [statement(Principal="*")],
        [statement(Principal={"Service": ["events.amazonaws.com", "sns.amazonaws.com"]})],
        [statement(), {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sqs:*"}],
    ],
)
def test_a_queue_that_others_may_use_stays_and_is_named(statements: list[dict[str, t.Any]]) -> None:
    plan = queue_plan(*statements)
    assert (plan.action, plan.calls) == ("unchanged", ())
    assert "the queue q was kept" in plan.note


def test_a_queue_with_dead_letters_or_of_a_stack_stays_and_is_named() -> None:
    assert "1 dead letter" in queue_plan(statement(), messages=1).note
    assert "the stack a" in queue_plan(statement(), stack="the stack a").note


# The role


def destination(name: str = NAME, region: str = "eu-west-1", rest: str = "/0f1e") -> str:
    return f"arn:aws:events:{region}:{ACCOUNT}:api-destination/{name}{rest}"


def allow(*resources: str, **more: t.Any) -> dict[str, t.Any]:
    return {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": list(resources), **more}


def role_plan(
    *statements: dict[str, t.Any],
    principal: t.Any = SERVICE,
    attached: tuple[str, ...] = (),
    tags: t.Any = (),
    everywhere: bool = False,
    arn: str = ROLE,
) -> t.Any:
    role = {"Arn": ROLE, "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": principal}]}, "Tags": list(tags)}
    existing = ExistingConnectedRole(role, {"one": {"Statement": list(statements)}} if statements else {}, attached)
    return ConnectedRole(arn, frozenset({("eu-west-1", NAME)}), everywhere).plan(HERE, existing)


def test_a_role_for_the_removed_destination_alone_goes_with_its_policies() -> None:
    plan = role_plan(allow(destination(), destination(rest="/*"), destination(rest="")))
    assert [(call.operation, call.arguments) for call in plan.calls] == [
        ("delete_role_policy", {"RoleName": "my-role", "PolicyName": "one"}),
        ("delete_role", {"RoleName": "my-role"}),
    ]


def test_the_permission_to_report_to_a_hub_does_not_keep_a_role() -> None:
    policies = {"one": {"Statement": [allow(destination())]}, "report-to-hub": {"Statement": [allow("*", Action="events:PutEvents")]}}
    role = {"Arn": ROLE, "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}]}}
    desired = ConnectedRole(ROLE, frozenset({("eu-west-1", NAME)}))
    assert desired.plan(HERE, ExistingConnectedRole(role, policies, ())).action == "deleted"
    del policies["one"]
    assert desired.plan(HERE, ExistingConnectedRole(role, policies, ())).action == "unchanged"


@pytest.mark.parametrize(("target", "action"), [("hub", "deleted"), ("theirs", "unchanged")])
def test_only_a_rule_with_the_target_of_watch_goes_with_an_integration(target: str, action: str) -> None:
    rule = ConnectedAlarmRule("spot-alarm", present=False)
    existing = ExistingRule({"name": "spot-alarm"}, ({"Id": rule.target_id if target == "hub" else target},))
    assert rule.plan(HERE, existing).action == action


def test_a_role_for_all_regions_goes_only_if_the_integrations_of_all_regions_do() -> None:
    for region in ("*", "us-east-1"):
        for everywhere, action in ((True, "deleted"), (False, "unchanged")):
            assert role_plan(allow(destination(region=region)), everywhere=everywhere).action == action


@pytest.mark.parametrize(
    ("statements", "options"),
    [
        ([], {}),
        ([allow("*")], {}),
        ([allow()], {}),
        ([allow(destination(f"{NAME}-2"))], {}),
        ([allow(destination(f"{NAME}*", rest=""))], {}),
        ([allow(destination(), destination("metrics"))], {}),
        ([allow(destination()), allow(destination("metrics"))], {}),
        ([allow(destination(), Action=["events:InvokeApiDestination", "sqs:SendMessage"])], {}),
        ([allow(destination(), Action="events:*")], {}),
        ([{"Effect": "Allow", "Action": "events:InvokeApiDestination", "NotResource": destination()}], {}),
        ([allow(destination())], {"principal": {"Service": ["events.amazonaws.com", "lambda.amazonaws.com"]}}),
        ([allow(destination())], {"principal": {"AWS": "*"}}),
        ([allow(destination())], {"attached": ("ReadOnlyAccess",)}),
        ([allow(destination())], {"tags": [{"Key": "aws:cloudformation:stack-name", "Value": "baseline"}]}),
    ],
)
def test_a_role_that_may_be_of_use_to_others_stays_and_is_named(statements: list[dict[str, t.Any]], options: dict[str, t.Any]) -> None:
    plan = role_plan(*statements, **options)
    assert (plan.action, plan.calls) == ("unchanged", ())
    assert "the role my-role was kept" in plan.note


def test_a_role_of_the_same_name_under_another_path_is_not_the_one() -> None:
    plan = role_plan(allow(destination()), arn=f"arn:aws:iam::{ACCOUNT}:role/my-role")
    assert (plan.action, plan.note) == ("unchanged", None)


def test_a_role_that_is_gone_needs_nothing() -> None:
    assert ConnectedRole(ROLE, frozenset()).plan(HERE, None).action == "unchanged"
