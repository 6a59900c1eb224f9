# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook watch, what verify says of the watch, and how both go again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.playbooks.aws_state import everything
from tests.integration.playbooks.runner import NAME, Run
from tests.integration.verify.account import Account, verification, writes
from tests.integration.verify.conftest import MakeAccount
from tests.sandbox.client import Sandbox
from tests.tools.policies import actions, policy

pytestmark = pytest.mark.slow

REGIONS = ["us-east-1", "eu-west-1"]
HUB, HUB_REGION, AWS_ACCOUNT, OTHER = "spot-interruption-hub", "us-east-1", "123456789012", "210987654321"
WATCHED = ("-e", json.dumps({"spot_eventbridge_watch": True}))
STACKS = ("-e", "spot_eventbridge_method=cloudformation")
ALARM = f"{NAME}-alarm"
LOST = ["API Destination Deactivated", "Connection Deauthorized"]


def watch(account: Account, *arguments: str) -> Run:
    return account.start("watch", *arguments).finish()


def lose(sandbox: Sandbox, region: str) -> None:
    sandbox.settings(delivery_time_scale=0.01)
    sandbox.add_fault({"status": 401}, {"target": "spot"}, times=1)
    sandbox.interrupt(region)
    assert sandbox.settled()


def messages(sandbox: Sandbox, **credentials: Any) -> list[dict[str, Any]]:
    sqs = sandbox.boto3("sqs", HUB_REGION, **credentials)
    url = sqs.get_queue_url(QueueName=HUB)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return sorted((json.loads(message["Body"]) for message in found), key=lambda event: event["detail-type"])


def found(run: Run) -> dict[str, tuple[str, str]]:
    """The finding about the watch by region: outcome and message."""
    regions = verification(run)["regions"]
    of_watch = {name: [item for item in entry["findings"] if item["check"] == "watch"] for name, entry in regions.items()}
    return {name: (items[0]["outcome"], items[0]["message"]) for name, items in of_watch.items() if items}


def test_from_onboarding_to_a_message_and_back(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded()
    sandbox.clear_calls()
    predicted = watch(account, "--check")
    assert (predicted.rc, writes(sandbox)) == (0, [])
    assert {line.split()[0] for line in predicted.table().values()} == {"absent"}
    done = watch(account)
    assert {line.split()[0] for line in done.table().values()} == {"watched"}
    sandbox.clear_calls()
    again = watch(account)
    assert (again.rc, again.changed, writes(sandbox)) == (0, 0, [])
    reported = f"The loss of the authorisation is reported to the hub arn:aws:events:{HUB_REGION}:{AWS_ACCOUNT}:event-bus/{HUB}."
    assert found(account.verify(*WATCHED)) == dict.fromkeys(REGIONS, ("pass", reported))
    lose(sandbox, "eu-west-1")
    assert [(event["detail-type"], event["region"]) for event in messages(sandbox)] == [(kind, "eu-west-1") for kind in LOST]
    assert account.repair(token="editor").rc == 0
    sqs = sandbox.boto3("sqs", HUB_REGION)
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=HUB)["QueueUrl"])
    gone = watch(account, "-e", "state=absent")
    assert gone.rc == 0, gone.output
    assert {line.split()[0] for line in gone.table().values()} == {"absent"}
    assert HUB not in json.dumps(everything(sandbox, REGIONS), default=str)
    assert [[rule["Name"] for rule in sandbox.boto3("events", region).list_rules()["Rules"]] for region in REGIONS] == [[NAME], [NAME]]
    assert sandbox.boto3("iam").list_role_policies(RoleName=NAME)["PolicyNames"] == ["invoke-api-destination"]


def test_a_hub_in_another_account_is_made_and_kept(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded()
    hub = {
        "spot_eventbridge_watch_hub_account": OTHER,
        "spot_eventbridge_watch_hub_assume_role_arn": f"arn:aws:iam::{OTHER}:role/Hub",
        "spot_eventbridge_watch_hub_accounts": [AWS_ACCOUNT],
    }
    assert watch(account, "-e", json.dumps(hub)).rc == 0
    lose(sandbox, "eu-west-1")
    issued = sandbox.boto3("sts").assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/Hub", RoleSessionName="test")["Credentials"]
    keys = {"access_key": issued["AccessKeyId"], "aws_session_token": issued["SessionToken"]}
    assert [event["account"] for event in messages(sandbox, **keys)] == [AWS_ACCOUNT] * 2
    seen = found(account.verify(*WATCHED, "-e", json.dumps(hub)))
    # Only an event that has arrived shows what the hub of another account is like.
    assert seen["eu-west-1"][0] == "pass"
    assert seen["us-east-1"][0] == "warn"
    assert "no event that was sent to it shows that it exists and lets this account in" in seen["us-east-1"][1]
    lose(sandbox, "us-east-1")
    assert {outcome for outcome, _ in found(account.verify(*WATCHED, "-e", json.dumps(hub))).values()} == {"pass"}
    assert watch(account, "-e", json.dumps(hub), "-e", "state=absent").rc == 0
    assert len(messages(sandbox, **keys)) == 4  # the hub of several accounts stays


def test_events_that_the_hub_refused_are_found_by_their_dead_letters(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded()
    hub = {
        "spot_eventbridge_watch_hub_account": OTHER,
        "spot_eventbridge_watch_hub_assume_role_arn": f"arn:aws:iam::{OTHER}:role/Hub",
    }
    watch(account, "-e", json.dumps(hub))
    lose(sandbox, "eu-west-1")
    run = account.verify(*WATCHED, "-e", json.dumps(hub))
    assert {region: outcome for region, (outcome, _) in found(run).items()} == {"us-east-1": "warn", "eu-west-1": "warn"}
    assert "no event that was sent to it" in found(run)["us-east-1"][1]
    assert f"an event did not reach arn:aws:events:{HUB_REGION}:{OTHER}:event-bus/{HUB}" in found(run)["eu-west-1"][1]
    assert "2 event(s) did not reach" in found(run)["eu-west-1"][1]
    assert "NO_PERMISSIONS" in found(run)["eu-west-1"][1]
    # They are no warnings of EC2.
    assert verification(run)["regions"]["eu-west-1"]["evidence"]["dead_letters"]["count"] == 1


def remove_hub(sandbox: Sandbox) -> None:
    events = sandbox.boto3("events", HUB_REGION)
    events.remove_targets(Rule=HUB, EventBusName=HUB, Ids=["queue"])
    events.delete_rule(Name=HUB, EventBusName=HUB)
    events.delete_event_bus(Name=HUB)


DRIFT: dict[str, tuple[Callable[[Sandbox], Any], str]] = {
    "missing": (
        lambda sandbox: (
            sandbox.boto3("events", "eu-west-1").remove_targets(Rule=ALARM, Ids=["hub"]),
            sandbox.boto3("events", "eu-west-1").delete_rule(Name=ALARM),
        ),
        f"there is no rule {ALARM}",
    ),
    "disabled": (lambda sandbox: sandbox.boto3("events", "eu-west-1").disable_rule(Name=ALARM), f"the rule {ALARM} is DISABLED"),
    "another pattern": (
        lambda sandbox: sandbox.boto3("events", "eu-west-1").put_rule(Name=ALARM, EventPattern='{"source": ["a"]}'),
        f"the event pattern of the rule {ALARM} is another one",
    ),
    "no target": (
        lambda sandbox: sandbox.boto3("events", "eu-west-1").remove_targets(Rule=ALARM, Ids=["hub"]),
        f"the rule {ALARM} has no target hub",
    ),
    "no hub": (remove_hub, f"there is no event bus arn:aws:events:{HUB_REGION}:{AWS_ACCOUNT}:event-bus/{HUB}"),
    "no rule of the hub": (
        lambda sandbox: (
            sandbox.boto3("events", HUB_REGION).remove_targets(Rule=HUB, EventBusName=HUB, Ids=["queue"]),
            sandbox.boto3("events", HUB_REGION).delete_rule(Name=HUB, EventBusName=HUB),
        ),
        f"there is no rule {HUB} on the event bus",
    ),
    "a rule of the hub that is disabled": (
        lambda sandbox: sandbox.boto3("events", HUB_REGION).disable_rule(Name=HUB, EventBusName=HUB),
        f"the rule {HUB} is DISABLED",
    ),
    "no permission": (
        lambda sandbox: sandbox.boto3("iam").delete_role_policy(RoleName=NAME, PolicyName="report-to-hub"),
        "the execution role may not call events:PutEvents",
    ),
}


def test_what_keeps_losses_from_being_reported_is_a_warning_and_watch_repairs_it(running: Sandbox, make_account: MakeAccount) -> None:
    running.reset()
    account = make_account(regions=REGIONS)
    account.have_onboarded()
    account.have_watched()
    bus = f"arn:aws:events:{HUB_REGION}:{AWS_ACCOUNT}:event-bus/{HUB}"
    for drift, (spoil, told) in DRIFT.items():
        spoil(running)
        entry = account.look(["eu-west-1"], role_name=NAME, watch_bus_arn=bus)["eu-west-1"]
        (finding,) = [item for item in entry["findings"] if item["check"] == "watch"]
        assert (drift, finding["outcome"], told in finding["message"]) == (drift, "warn", True), finding
        assert entry["status"] == "active"
        # What is no pass here is a change there.
        assert account.have_watched(check=True)
        account.have_watched()
        entry = account.look(["eu-west-1"], role_name=NAME, watch_bus_arn=bus)["eu-west-1"]
        assert [item["outcome"] for item in entry["findings"] if item["check"] == "watch"] == ["pass"]


def test_what_may_not_be_read_is_unknown_and_the_region_stays_active(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded()
    watch(account)
    denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized"}}
    bus = f"arn:aws:events:{HUB_REGION}:{AWS_ACCOUNT}:event-bus/{HUB}"
    sandbox.add_fault(denied, {"operation": "DescribeRule", "region": "eu-west-1"}, after=1)
    entry = account.look(["eu-west-1"], role_name=NAME, watch_bus_arn=bus)["eu-west-1"]
    assert "watch" in {item["check"] for item in entry["findings"]}


def test_a_hub_that_may_not_be_read_is_a_warning_and_one_permission_shows_it(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded()
    watch(account)
    given = {"tags": {"ManagedBy": "spot.eventbridge"}, "watch_bus_arn": f"arn:aws:events:{HUB_REGION}:{AWS_ACCOUNT}:event-bus/{HUB}"}
    for policies, outcome in (([policy("verify")], "warn"), ([policy("verify"), policy("verify-watch")], "pass")):
        sandbox.permit("READONLY", policies)
        entry = account.look(["eu-west-1"], key="READONLY", role_name=NAME, **given)["eu-west-1"]
        (finding,) = [item for item in entry["findings"] if item["check"] == "watch"]
        assert (finding["outcome"], entry["status"]) == (outcome, "active"), finding
        assert ("cannot be read: " in finding["message"]) == (outcome == "warn")
    assert set(actions(policy("verify-watch"))) <= sandbox.permissions_used("READONLY")


def test_without_a_watch_nothing_is_said_of_it(account: Account) -> None:
    account.have_onboarded()
    assert found(account.verify()) == {}


def test_onboarding_makes_the_watch_where_it_is_set(sandbox: Sandbox, account: Account) -> None:
    assert account.onboard(*WATCHED).rc == 0
    # The hub is made by the playbook watch alone.
    bus = f"arn:aws:events:{HUB_REGION}:{AWS_ACCOUNT}:event-bus/{HUB}"
    missing = f"The loss of the authorisation may not be reported: there is no event bus {bus}."
    assert found(account.verify(*WATCHED)) == dict.fromkeys(REGIONS, ("warn", missing))
    account.have_watched()
    assert {outcome for outcome, _ in found(account.verify(*WATCHED)).values()} == {"pass"}
    assert account.onboard(*WATCHED).changed == 0
    assert account.offboard(token=None).rc == 0
    assert [sandbox.boto3("events", region).list_rules()["Rules"] for region in REGIONS] == [[], []]


def test_with_stacks_the_rule_is_in_the_stack(sandbox: Sandbox, account: Account) -> None:
    sandbox.settings(stack_seconds=0)
    account.have_onboarded_by_stacks()
    done = watch(account, *STACKS)
    assert done.rc == 0, done.output
    run = account.verify(*STACKS, *WATCHED)
    assert run.rc == 0, run.output
    assert {outcome for outcome, _ in found(run).values()} == {"pass"}
    lose(sandbox, "eu-west-1")
    assert [event["detail-type"] for event in messages(sandbox)] == LOST
    sqs = sandbox.boto3("sqs", HUB_REGION)
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=HUB)["QueueUrl"])
    assert account.repair(*STACKS, *WATCHED, token="editor").rc == 0
    assert [rule["Name"] for rule in sandbox.boto3("events", "eu-west-1").list_rules()["Rules"] if rule["Name"].endswith("-alarm")]
    gone = watch(account, *STACKS, "-e", "state=absent")
    assert gone.rc == 0, gone.output
    assert not [rule["Name"] for rule in sandbox.boto3("events", "eu-west-1").list_rules()["Rules"] if rule["Name"].endswith("-alarm")]
    sandbox.clear_calls()
    assert account.offboard(*STACKS, "-e", json.dumps({"spot_eventbridge_delete_messages": True})).rc == 0


def test_a_hub_that_fails_fails_the_account_and_no_region_is_touched(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded()
    sandbox.clear_calls()
    failed = watch(account, "-e", json.dumps({"spot_eventbridge_watch_hub_accounts": ["1"]}))
    assert (failed.rc, writes(sandbox)) == (2, [])
    assert "'1' is not an AWS account id" in failed.output
