# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN, Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

NAME = "spot-interruption-act-d7320fba"
DESTINATION = f"arn:aws:events:eu-west-1:123456789012:api-destination/{NAME}/2d3c"
RULE = f"arn:aws:events:eu-west-1:123456789012:rule/{NAME}"
ROLE = f"arn:aws:iam::123456789012:role/{NAME}"
DESIRED = Rule(
    name=NAME,
    api_destination=NAME,
    role_arn=ROLE,
    dead_letter_queue="letters",
    aws_account="123456789012",
    description="warnings",
)
TARGET = {
    "Id": "spot",
    "Arn": DESTINATION,
    "RoleArn": ROLE,
    "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 120},
    "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:letters"},
}
FOREIGN = {"Id": "audit", "Arn": "arn:aws:sqs:eu-west-1:123456789012:audit"}
PUT_RULE = {
    "Name": NAME,
    "EventBusName": "default",
    "EventPattern": json.dumps(EVENT_PATTERN),
    "State": "ENABLED",
    "Description": "warnings",
}
PUT_TARGET = ("put_targets", {"Rule": NAME, "EventBusName": "default", "Targets": [TARGET]})


def described(**changes: t.Any) -> dict[str, t.Any]:
    """What AWS tells about a rule that is as wanted, but for `changes`."""
    return {
        "name": NAME,
        "arn": RULE,
        "event_bus_name": "default",
        "event_pattern": json.dumps(EVENT_PATTERN),
        "state": "ENABLED",
        "description": "warnings",
        **changes,
    }


def current(*targets: dict[str, t.Any], tags: dict[str, str] | None = None, **changes: t.Any) -> ExistingRule:
    return ExistingRule(described(**changes), targets or (TARGET,), tags or {}, DESTINATION)


def calls(plan: Plan) -> list[tuple[str, dict[str, t.Any]]]:
    return [(call.operation, dict(call.arguments)) for call in plan.calls]


def test_the_pattern_is_that_of_spot_interruption_warnings() -> None:
    assert EVENT_PATTERN == {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}


def test_missing_rule_is_created_with_its_target(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingRule(None, destination_arn=DESTINATION))
    assert (plan.action, calls(plan), plan.before) == ("created", [("put_rule", PUT_RULE), PUT_TARGET], None)


def test_a_new_rule_gets_its_tags_when_it_is_made(region: Region) -> None:
    plan = Rule(name=NAME, role_arn=ROLE, tags={"team": "a"}).plan(region, ExistingRule(None, destination_arn=DESTINATION))
    assert calls(plan)[0][1]["Tags"] == [{"Key": "team", "Value": "a"}]
    assert [operation for operation, dummy in calls(plan)] == ["put_rule", "put_targets"]


def test_existing_rule_is_tagged_by_a_separate_call_and_every_request_has_the_tags(region: Region) -> None:
    plan = Rule(name=NAME, role_arn=ROLE, tags={"team": "a"}).plan(region, current(state="DISABLED"))
    assert [operation for operation, dummy in calls(plan)] == ["put_rule", "tag_resource", "put_targets"]
    assert [arguments["Tags"] for dummy, arguments in calls(plan)[:2]] == [[{"Key": "team", "Value": "a"}]] * 2


def test_an_update_of_a_rule_has_the_tags_that_it_has_already(region: Region) -> None:
    plan = Rule(name=NAME, role_arn=ROLE, tags={"team": "a"}).plan(
        region, dataclasses.replace(current(state="DISABLED"), tags={"team": "a"})
    )
    assert calls(plan)[0][1]["Tags"] == [{"Key": "team", "Value": "a"}]


def test_rule_as_desired_is_unchanged(region: Region) -> None:
    plan = DESIRED.plan(region, current())
    assert (plan.action, plan.calls) == ("unchanged", ())


@pytest.mark.parametrize(
    "text",
    [
        '{"detail-type":["EC2 Spot Instance Interruption Warning"],"source":["aws.ec2"]}',
        json.dumps(EVENT_PATTERN, indent=2),
    ],
)
def test_a_pattern_is_compared_as_json(region: Region, text: str) -> None:
    assert DESIRED.plan(region, current(event_pattern=text)).action == "unchanged"


def test_unchanged_pattern_is_predicted_as_it_is_written(region: Region) -> None:
    text = json.dumps(EVENT_PATTERN, indent=2)
    plan = DESIRED.plan(region, current({**TARGET, "RoleArn": "arn:other"}, event_pattern=text))
    assert calls(plan) == [PUT_TARGET]
    assert (plan.document or {})["event_pattern"] == text


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "by hand"},
        {"description": None},
        {"state": "DISABLED"},
        {"state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
        {"event_pattern": '{"source": ["aws.ec2"]}'},
        {"event_pattern": None},
        {"event_pattern": "not JSON"},
        {"schedule_expression": "rate(1 day)"},
    ],
    ids=str,
)
def test_rule_with_drift_is_put_without_its_target(region: Region, changes: dict[str, t.Any]) -> None:
    plan = DESIRED.plan(region, current(**changes))
    assert (plan.action, calls(plan)) == ("updated", [("put_rule", PUT_RULE)])


@pytest.mark.parametrize(
    "changes",
    [
        {"Arn": "arn:aws:events:eu-west-1:123456789012:api-destination/other/1"},
        {"RoleArn": "arn:aws:iam::123456789012:role/other"},
        {"RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}},
        {"RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 120}},
        {"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:other"}},
        {"InputPath": "$.detail"},
        {"HttpParameters": {"HeaderParameters": {"X": "y"}}},
    ],
    ids=str,
)
def test_target_with_drift_is_put_without_the_rule(region: Region, changes: dict[str, t.Any]) -> None:
    plan = DESIRED.plan(region, current({**TARGET, **changes}))
    assert (plan.action, calls(plan)) == ("updated", [PUT_TARGET])


@pytest.mark.parametrize("left_out", ["RoleArn", "RetryPolicy", "DeadLetterConfig"])
def test_incomplete_target_is_put(region: Region, left_out: str) -> None:
    plan = DESIRED.plan(region, current({key: value for key, value in TARGET.items() if key != left_out}))
    assert calls(plan) == [PUT_TARGET]


def test_undesired_queue_is_removed_from_the_target(region: Region) -> None:
    plan = Rule(name=NAME, role_arn=ROLE, description="warnings").plan(region, current())
    assert "DeadLetterConfig" not in calls(plan)[0][1]["Targets"][0]


def test_foreign_targets_are_ignored(region: Region) -> None:
    assert DESIRED.plan(region, current(FOREIGN, TARGET)).action == "unchanged"


def test_missing_target_is_put_beside_foreign_targets(region: Region) -> None:
    plan = DESIRED.plan(region, current(FOREIGN))
    assert calls(plan) == [PUT_TARGET]
    assert [target["id"] for target in (plan.document or {})["targets"]] == ["audit", "spot"]


def test_foreign_target_of_the_same_destination_is_taken_over(region: Region) -> None:
    plan = DESIRED.plan(region, current({"Id": "by-hand", "Arn": DESTINATION}))
    assert calls(plan) == [("put_targets", {"Rule": NAME, "EventBusName": "default", "Targets": [{**TARGET, "Id": "by-hand"}]})]


def test_a_second_target_to_the_same_destination_is_a_note(region: Region) -> None:
    plan = DESIRED.plan(region, current(TARGET, {**FOREIGN, "Arn": DESTINATION}, FOREIGN | {"Id": "log"}))
    assert plan.action == "unchanged"
    assert plan.note == f"the rule {NAME} delivers each notice again by audit, targets of others: remove them"


def test_foreign_target_as_desired_is_unchanged(region: Region) -> None:
    assert DESIRED.plan(region, current({**TARGET, "Id": "by-hand"})).action == "unchanged"


@pytest.mark.parametrize(
    ("tags", "purge", "desired"),
    [
        pytest.param(None, True, [], id="not given: left alone"),
        pytest.param({"owner": "them", "team": "a"}, True, [], id="the same"),
        pytest.param({"team": "a"}, False, [], id="fewer, not purged"),
        pytest.param({"team": "a"}, True, [("untag_resource", {"ResourceARN": RULE, "TagKeys": ["owner"]})], id="fewer, purged"),
        pytest.param(
            {"team": "b"}, False, [("tag_resource", {"ResourceARN": RULE, "Tags": [{"Key": "team", "Value": "b"}]})], id="another value"
        ),
    ],
)
def test_tags_of_an_existing_rule(
    region: Region, tags: dict[str, str] | None, purge: bool, desired: list[tuple[str, dict[str, t.Any]]]
) -> None:
    rule = Rule(name=NAME, role_arn=ROLE, dead_letter_queue="letters", aws_account="123456789012", description="warnings", tags=tags)
    rule = Rule(**{**vars(rule), "purge_tags": purge})
    assert calls(rule.plan(region, current(tags={"owner": "them", "team": "a"}))) == desired


def test_missing_destination_is_an_unmet_dependency_of_the_plan(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingRule(None))
    assert plan.action == "created"
    assert plan.unmet_dependency == f"there is no API destination {NAME} in eu-west-1: create it first (spot_api_destination)"


def test_existing_destination_is_no_unmet_dependency(region: Region) -> None:
    assert DESIRED.plan(region, ExistingRule(None, destination_arn=DESTINATION)).unmet_dependency is None


REMOVAL = Rule(NAME, present=False)
REMOVE_TARGET = ("remove_targets", {"Rule": NAME, "EventBusName": "default", "Ids": ["spot"]})
DELETE_RULE = ("delete_rule", {"Name": NAME, "EventBusName": "default"})


def test_an_absent_rule_needs_no_removal(region: Region) -> None:
    plan = REMOVAL.plan(region, None)
    assert (plan.action, plan.calls) == ("unchanged", ())


def test_a_rule_is_removed_after_its_target(region: Region) -> None:
    plan = REMOVAL.plan(region, current())
    assert (plan.action, calls(plan), plan.document) == ("deleted", [REMOVE_TARGET, DELETE_RULE], None)


def test_a_rule_without_targets_is_removed_at_once(region: Region) -> None:
    plan = REMOVAL.plan(region, ExistingRule(described()))
    assert calls(plan) == [DELETE_RULE]


def test_rule_with_foreign_targets_is_kept_without_our_target(region: Region) -> None:
    plan = REMOVAL.plan(region, current(TARGET, FOREIGN))
    assert (plan.action, calls(plan)) == ("updated", [REMOVE_TARGET])
    assert plan.note == f"the rule {NAME} was kept: it has targets that are not ours (audit)"
    assert [target["id"] for target in (plan.document or {})["targets"]] == ["audit"]


def test_rule_with_only_foreign_targets_is_unchanged(region: Region) -> None:
    plan = REMOVAL.plan(region, current(FOREIGN))
    assert (plan.action, plan.calls) == ("unchanged", ())
    assert "audit" in (plan.note or "")


def from_parameters(**changes: t.Any) -> Rule:
    given = {
        "name": NAME,
        "state": "present",
        "api_destination": None,
        "api_destination_arns": None,
        "role_arn": ROLE,
        "dead_letter_queue": "letters",
        "aws_account": "123456789012",
        "maximum_event_age_in_seconds": 120,
        "maximum_retry_attempts": 185,
        "target_id": "spot",
        "description": "warnings",
        "tags": None,
        "purge_tags": True,
        **changes,
    }
    return Rule.from_parameters(given, t.cast("t.Any", NobodyIsAsked()))


class NobodyIsAsked:
    def aws_account(self) -> str:
        raise AssertionError("the AWS account is known, or needed by nobody")


def test_parameters_become_the_desired_state() -> None:
    assert from_parameters() == DESIRED


def test_aws_account_is_not_read_without_a_queue() -> None:
    assert from_parameters(dead_letter_queue=None, aws_account=None).dead_letter_queue == ""


@pytest.mark.parametrize(
    "border",
    [
        {"maximum_event_age_in_seconds": 60},
        {"maximum_event_age_in_seconds": 86400},
        {"maximum_retry_attempts": 0},
        {"name": "a" * 64, "api_destination": "b"},
    ],
    ids=str,
)
def test_limits_of_parameters_are_valid(border: dict[str, t.Any]) -> None:
    assert from_parameters(**border)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a" * 65},
        {"api_destination": "a b"},
        {"dead_letter_queue": "with.dot"},
        {"target_id": "a/b"},
        {"role_arn": None},
        {"role_arn": ""},
        {"aws_account": "12345"},
        {"maximum_event_age_in_seconds": 59},
        {"maximum_event_age_in_seconds": 86401},
        {"maximum_retry_attempts": -1},
        {"maximum_retry_attempts": 186},
    ],
    ids=str,
)
def test_invalid_parameters_are_errors(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError):
        from_parameters(**wrong)


def test_tag_values_of_parameters_become_text() -> None:
    assert from_parameters(tags={"cost": 7, "live": True}).tags == {"cost": "7", "live": "True"}
