# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import typing as t

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import METRICS, DeadLetter
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN, temporary_rule_prefix
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._proof import interruption as _interruption
from ansible_collections.spot.eventbridge.plugins.module_utils._proof import test_event as _test_event
from ansible_collections.spot.eventbridge.plugins.module_utils._proof.interruption import Instance
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import group_log as _elastilog

SINCE = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
LETTER = DeadLetter("2026-01-02T03:04:06Z", "SDK_CLIENT_ERROR", "HTTP status code 403", 0, _test_event.INSTANCE)
ARN = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"


def figures(**more: int) -> dict[str, t.Any]:
    return {**dict.fromkeys(METRICS), **more}


# The probe


def test_the_event_is_a_warning_in_everything_but_its_source() -> None:
    event = _test_event.event("eu-west-1")
    assert [event["DetailType"]] == EVENT_PATTERN["detail-type"]
    assert event["Source"] not in EVENT_PATTERN["source"]
    assert json.loads(event["Detail"])["instance-id"] == "i-00000000000000000"


@pytest.mark.parametrize("name", ["a", "a" * 64])
def test_a_temporary_rules_name_fits(name: str) -> None:
    assert len(f"{temporary_rule_prefix(name)}0a1b2c") <= 64


def test_temporary_rules_of_all_pages_are_removed_with_the_targets_of_all_pages() -> None:
    client = boto3.client("events", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    ours = {"EventPattern": json.dumps({"source": [_test_event.SOURCE]})}
    bus = {"EventBusName": "default"}
    with Stubber(client) as stub:
        asked = {"NamePrefix": "a-rule-test-", **bus}
        stub.add_response("list_rules", {"Rules": [{"Name": "a-rule-test-1", **ours}], "NextToken": "2"}, asked)
        stub.add_response("list_rules", {"Rules": [{"Name": "a-rule-test-2", **ours}]}, {**asked, "NextToken": "2"})
        for rule in ("a-rule-test-1", "a-rule-test-2"):
            of_rule = {"Rule": rule, **bus}
            stub.add_response("list_targets_by_rule", {"Targets": [{"Id": "one", "Arn": "a"}], "NextToken": "2"}, of_rule)
            stub.add_response("list_targets_by_rule", {"Targets": [{"Id": "two", "Arn": "b"}]}, {**of_rule, "NextToken": "2"})
            stub.add_response("remove_targets", {"FailedEntryCount": 0}, {**of_rule, "Ids": ["one", "two"]})
            stub.add_response("delete_rule", {}, {"Name": rule, **bus})
        _test_event.remove(Region("eu-west-1", "aws", {"events": client}), "a-rule")
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("metrics", "states", "outcome", "told"),
    [
        (figures(matched=1, delivered=1), ("AUTHORIZED", "AUTHORIZED"), "pass", "Spot took a test event; CloudWatch showed it after 62 s"),
        (figures(matched=1, failed=1), ("AUTHORIZED", "AUTHORIZED"), "fail", "SDK_CLIENT_ERROR: HTTP status code 403"),
        (figures(dead_letter_failed=1), ("DEAUTHORIZED", "DEAUTHORIZED"), "fail", "did not reach Spot"),
        (
            figures(matched=1),
            ("AUTHORIZED", "DEAUTHORIZED"),
            "fail",
            "The test event itself de-authorised the connection, which is DEAUTHORIZED",
        ),
        (figures(delivered=1), ("AUTHORIZED", None), "pass", "Spot took"),
        (figures(matched=1), ("AUTHORIZED", "AUTHORIZED"), "unknown", "shows it was matched"),
        (figures(), (None, None), "unknown", "shows nothing"),
    ],
)
def test_a_probe_is_put_into_words(metrics: dict[str, t.Any], states: tuple[t.Any, t.Any], outcome: str, told: str) -> None:
    found = _test_event.finding("eu-west-1", _test_event.Outcome(metrics, 62.4, LETTER, *states))
    assert (found.check, found.outcome) == ("test_event", outcome)
    assert found.message.startswith("eu-west-1: ")
    assert told in found.message


# The interruption


def instance(state: str = "running", lifecycle: str = "spot") -> Instance:
    return Instance("i-0123456789abcdef0", ARN, state, lifecycle, "m5.large", "worker", "sig-1")


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (instance(), ""),
        (instance(lifecycle=""), "i-0123456789abcdef0 is not a spot instance"),
        (instance(lifecycle="scheduled"), "i-0123456789abcdef0 is not a spot instance"),
        (instance("stopped"), "i-0123456789abcdef0 is stopped, not running"),
    ],
)
def test_nothing_but_a_running_spot_instance_is_interrupted(given: Instance, refusal: str) -> None:
    assert given.refusal == refusal


def test_what_would_be_lost_is_named_in_full() -> None:
    assert "i-0123456789abcdef0 'worker' (m5.large, group sig-1) would be interrupted" in _interruption.unconfirmed("r", instance()).message


def test_the_experiment_is_of_this_instance_alone() -> None:
    made = _interruption.template(instance(), "arn:aws:iam::123456789012:role/fis", "name")
    (target,) = made["targets"].values()
    (action,) = made["actions"].values()
    assert (target["resourceArns"], target["resourceType"]) == ([ARN], "aws:ec2:spot-instance")
    assert (action["actionId"], action["parameters"]) == (
        "aws:ec2:send-spot-instance-interruptions",
        {"durationBeforeInterruption": "PT2M"},
    )
    assert made["tags"] == {"spot.eventbridge": "name"}


@pytest.mark.parametrize(
    ("metrics", "outcome", "told"),
    [
        ({"matched": 1, "delivered": 1}, "pass", "and Spot took it; CloudWatch showed it after 62 s"),
        ({"matched": 1, "failed": 1}, "fail", "did not reach Spot"),
        ({"matched": 1}, "unknown", "the rule matched it and nothing more"),
        ({}, "unknown", "CloudWatch shows nothing"),
    ],
)
def test_an_interruption_is_put_into_words(metrics: dict[str, int], outcome: str, told: str) -> None:
    found = _interruption.finding("eu-west-1", instance(), _interruption.Outcome(SINCE, metrics, 62.4))
    assert (found.check, found.outcome) == ("interruption", outcome)
    assert "announced at 2026-01-02T03:04:05Z" in found.message
    assert told in found.message


# What Spot did


@pytest.mark.parametrize(
    ("entries", "groups", "outcome", "told"),
    [
        ([("2026-01-02T03:04:25.000Z", "later"), ("2026-01-02T03:04:15.000Z", "first")], 1, "pass", "10 s after the announcement: first"),
        ([("soon", "first")], 1, "pass", "at soon: first"),
        ([], 2, "warn", "Spot's log of 2 group(s) does not name i-1"),
        ([], 0, "skip", "the account has no Elastigroup"),
    ],
)
def test_spots_reaction_is_put_into_words(entries: list[tuple[str, str]], groups: int, outcome: str, told: str) -> None:
    found = _elastilog.finding(entries, "i-1", SINCE, groups)
    assert (found.check, found.outcome) == ("spot_reacted", outcome)
    assert told in found.message
