# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided about a hub and its members, without a call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.alarms import Alarm, ExistingAlarm, ExistingTopic, Topic
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.event_bus import EventBus, ExistingBus
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub, Senders
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub_queue import ExistingHubQueue, HubQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.permission import ExistingPermission, Permission
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule, HubRule

ACCOUNT, OTHER, NAME = "123456789012", "210987654321", "warnings"
HUB = Hub("hub", "us-east-1", OTHER)
BUS = f"arn:aws:events:us-east-1:{OTHER}:event-bus/hub"
HERE, THERE = Region("eu-west-1", "aws", {}), Region("us-east-1", "aws", {})


def operations(plan: Any) -> list[str]:
    return [call.operation for call in plan.calls]


# Names


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a" * 52])
def test_a_name_that_one_of_its_resources_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError):
        Hub(name)


def test_the_longest_name_fits() -> None:
    assert len(Hub("a" * 51).dead_letters) <= 64


def test_a_hubs_name_that_is_too_long_is_named_with_what_it_may_have() -> None:
    with pytest.raises(ArgumentError, match=r"^The hub's name 'a{52}' \(52 characters\) cannot be used: .*\. Use at most 51 characters\.$"):
        Hub("a" * 52)


@pytest.mark.parametrize(
    ("arn", "region", "name"),
    [(BUS, "us-east-1", "hub"), ("arn:aws-cn:events:cn-north-1:210987654321:event-bus/x", "cn-north-1", "x")],
)
def test_a_hub_is_known_by_its_bus(arn: str, region: str, name: str) -> None:
    found = Hub.from_bus_arn(arn)
    assert (found.region, found.aws_account, found.name, found.bus_arn) == (region, OTHER, name, arn)


@pytest.mark.parametrize("arn", ["", "hub", "arn:aws:events:us-east-1:1:event-bus/hub", f"arn:aws:sqs:us-east-1:{OTHER}:hub"])
def test_another_arn_is_none_of_a_hub(arn: str) -> None:
    with pytest.raises(ArgumentError, match="is not the ARN of an event bus"):
        Hub.from_bus_arn(arn)


# Who may send


def test_the_own_account_needs_no_policy() -> None:
    assert Senders().statement(HUB) is None
    assert Senders(accounts=(OTHER,)).statement(HUB) is None


def test_accounts_are_let_in_by_their_roots_each_once() -> None:
    statement = Senders(accounts=("333333333333", ACCOUNT, ACCOUNT, OTHER)).statement(HUB)
    assert statement
    assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:iam::333333333333:root"]}
    assert (statement["Action"], statement["Resource"], "Condition" in statement) == ("events:PutEvents", BUS, False)


def test_an_organisation_is_let_in_by_its_id() -> None:
    statement = Senders("o-ab12cd34ef").statement(HUB)
    assert statement
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-ab12cd34ef"}}


@pytest.mark.parametrize(("organization", "accounts"), [("606079873399", ()), ("o-ab12cd34ef", (ACCOUNT,)), ("", ("1",))])
def test_who_cannot_be_meant_is_refused(organization: str, accounts: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError):
        Senders(organization, accounts)


# The bus


def test_a_new_bus_gets_its_policy_after_it_is_made() -> None:
    plan = EventBus(HUB, senders=Senders(accounts=(ACCOUNT,)), tags={"a": "b"}).plan(THERE, None)
    assert (plan.action, operations(plan)) == ("created", ["create_event_bus", "put_permission"])
    assert operations(EventBus(HUB).plan(THERE, None)) == ["create_event_bus"]


def test_a_policy_in_another_order_is_unchanged() -> None:
    desired = EventBus(HUB, senders=Senders(accounts=(ACCOUNT, "333333333333")))
    made = json.loads(desired.plan(THERE, None).calls[1].arguments["Policy"])
    made["Statement"][0]["Principal"]["AWS"].reverse()
    assert desired.plan(THERE, ExistingBus("hub", BUS, made)).action == "unchanged"


def test_who_may_send_no_longer_is_removed_and_others_stay() -> None:
    ours = Senders(accounts=(ACCOUNT,)).statement(HUB)
    theirs = {"Sid": "theirs", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": BUS}
    policy = {"Version": "2012-10-17", "Statement": [ours]}
    assert operations(EventBus(HUB).plan(THERE, ExistingBus("hub", BUS, policy))) == ["remove_permission"]
    both = {"Version": "2012-10-17", "Statement": [ours, theirs]}
    (call,) = EventBus(HUB).plan(THERE, ExistingBus("hub", BUS, both)).calls
    assert json.loads(call.arguments["Policy"])["Statement"] == [theirs]


@pytest.mark.parametrize(("rules", "action"), [((), "deleted"), (("hub",), "deleted"), (("hub", "theirs"), "unchanged")])
def test_a_bus_with_rules_of_others_stays(rules: tuple[str, ...], action: str) -> None:
    plan = EventBus(HUB, present=False).plan(THERE, ExistingBus("hub", BUS, rules=rules))
    assert (plan.action, bool(plan.note)) == (action, action == "unchanged")


def test_a_policy_that_aws_would_refuse_is_not_sent() -> None:
    senders = Senders(accounts=tuple(f"{number:012d}" for number in range(300)))
    with pytest.raises(RegionError, match="Give the AWS organisation instead of 300 accounts"):
        EventBus(HUB, senders=senders).plan(THERE, None)


# Queues


def queue(receives: int) -> HubQueue:
    return HubQueue("hub" if receives else HUB.dead_letters, hub=HUB, rule="hub", aws_account=OTHER, receives=receives)


def test_the_queue_hands_over_to_its_dead_letter_queue_and_that_one_to_none() -> None:
    attributes = [queue(receives).plan(THERE, None).calls[0].arguments["Attributes"] for receives in (7, 0)]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{OTHER}:hub-dead-letters", "maxReceiveCount": 7}
    assert json.loads(attributes[0]["RedrivePolicy"]) == redrive
    assert "RedrivePolicy" not in attributes[1]


def test_a_queue_is_open_to_the_rule_of_its_hub_alone() -> None:
    for receives in (7, 0):
        send = json.loads(queue(receives).plan(THERE, None).calls[0].arguments["Attributes"]["Policy"])["Statement"][0]
        assert send["Condition"] == {"ArnLike": {"aws:SourceArn": [f"arn:aws:events:us-east-1:{OTHER}:rule/hub/hub"]}}


def test_another_number_of_receives_is_a_change() -> None:
    attributes = queue(7).plan(THERE, None).calls[0].arguments["Attributes"]
    existing = ExistingHubQueue("hub", "https://queue", dict(attributes))
    assert queue(7).plan(THERE, existing).action == "unchanged"
    assert operations(queue(8).plan(THERE, existing)) == ["set_queue_attributes"]


# Rules


def test_a_member_matches_its_integration_alone_and_sends_with_its_role() -> None:
    rule = AlarmRule("warnings-alarm", hub=HUB, integration=NAME, aws_account=ACCOUNT, role_arn="arn:role", dead_letter_queue="letters")
    plan = rule.plan(HERE, ExistingRule(None, destination_arn="arn:destination"))
    put_rule, put_targets = plan.calls
    pattern = json.loads(put_rule.arguments["EventPattern"])
    assert pattern["resources"] == [
        {"prefix": f"arn:aws:events:eu-west-1:{ACCOUNT}:{kind}/{NAME}/"} for kind in ("connection", "api-destination")
    ]
    assert pattern["source"] == ["aws.events"]
    letters = {"Arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:letters"}
    assert put_targets.arguments["Targets"] == [{"Id": "hub", "Arn": BUS, "RoleArn": "arn:role", "DeadLetterConfig": letters}]


def test_without_the_integration_a_rule_is_predicted_and_not_made() -> None:
    rule = AlarmRule("warnings-alarm", hub=HUB, integration=NAME, aws_account=ACCOUNT, role_arn="arn:role")
    plan = rule.plan(HERE, None)
    assert plan.action == "created"
    assert plan.unmet_dependency == f"there is no API destination {NAME} in eu-west-1: onboard the account first"


def test_the_rule_of_the_hub_is_on_its_bus_and_matches_all_integrations() -> None:
    put_rule, put_targets = HubRule("hub", hub=HUB).plan(THERE, None).calls
    assert (put_rule.arguments["EventBusName"], put_targets.arguments["EventBusName"]) == ("hub", "hub")
    assert "resources" not in json.loads(put_rule.arguments["EventPattern"])
    assert put_targets.arguments["Targets"][0]["Arn"] == f"arn:aws:sqs:us-east-1:{OTHER}:hub"


# Permission


def test_the_permission_is_for_one_bus() -> None:
    existing = ExistingPermission("arn:role")
    (call,) = Permission(NAME, HUB).plan(HERE, existing).calls
    (statement,) = json.loads(call.arguments["PolicyDocument"])["Statement"]
    assert statement == {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}
    assert Permission(NAME, HUB).plan(HERE, ExistingPermission("arn:role", Permission(NAME, HUB).policy())).action == "unchanged"


def test_another_hub_is_a_change() -> None:
    theirs = Permission(NAME, Hub("other", "us-east-1", OTHER)).policy()
    assert Permission(NAME, HUB).plan(HERE, ExistingPermission("arn:role", theirs)).action == "updated"


@pytest.mark.parametrize(("policy", "action"), [(None, "unchanged"), ({"Statement": []}, "deleted")])
def test_only_our_policy_is_removed(policy: Any, action: str) -> None:
    assert Permission(NAME, present=False).plan(HERE, ExistingPermission("arn:role", policy)).action == action
    assert Permission(NAME, role_arn="arn:role", present=False).plan(HERE, ExistingPermission("arn:role", policy)).action == "unchanged"


@pytest.mark.parametrize(("decision", "note"), [("yes", False), ("unsure", True)])
def test_a_role_that_is_made_elsewhere_is_only_read(decision: str, note: bool) -> None:
    plan = Permission(NAME, HUB, "arn:role").plan(HERE, ExistingPermission("arn:role", decision=decision))
    assert (plan.calls, bool(plan.note)) == ((), note)


def test_a_role_that_is_made_elsewhere_and_may_not_report_is_a_failure() -> None:
    with pytest.raises(RegionError, match="may not call events:PutEvents"):
        Permission(NAME, HUB, "arn:role").plan(HERE, ExistingPermission("arn:role", decision="no"))


# Topic and alarms


def test_a_topic_with_subscriptions_stays() -> None:
    existing = ExistingTopic(f"arn:aws:sns:us-east-1:{OTHER}:hub", subscriptions=2)
    plan = Topic(HUB, present=False).plan(THERE, existing)
    assert (plan.action, "2 subscription(s)" in str(plan.note)) == ("unchanged", True)


@pytest.mark.parametrize("of_dead_letters", [False, True])
def test_what_aws_shows_of_an_alarm_is_unchanged(of_dead_letters: bool) -> None:
    desired = Alarm(HUB, of_dead_letters, notifies=True)
    shown = {**desired.plan(THERE, None).calls[0].arguments, "StateValue": "OK", "ActionsEnabled": True}
    shown["Metrics"] = list(reversed(shown["Metrics"]))
    assert desired.plan(THERE, ExistingAlarm(shown)).action == "unchanged"
    assert Alarm(HUB, of_dead_letters).plan(THERE, ExistingAlarm(shown)).action == "updated"


def test_the_alarm_for_waiting_messages_takes_fifteen_minutes() -> None:
    arguments = Alarm(HUB).plan(THERE, None).calls[0].arguments
    periods = {metric["MetricStat"]["Period"] for metric in arguments["Metrics"] if "MetricStat" in metric}
    assert periods == {15 * 60 // arguments["EvaluationPeriods"]}
