# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule: its target among others, its execution role, its tags, its removal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, REGION, ROLE_ARN, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

PATTERN = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}


class Rule:
    """Runs the module under test for one rule in one region."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def __call__(self, **arguments: Any) -> Run:
        given = {"name": NAME, "role_arn": ROLE_ARN, "dead_letter_queue": NAME, "regions": [REGION]}
        return self._run("spot_interruption_rule", **{**given, **arguments})


@pytest.fixture
def rule(run: Runner) -> Rule:
    return Rule(run)


@pytest.fixture
def destination_arn(aws: Aws, sandbox: Sandbox) -> str:
    """The ARN of the API destination; connection and execution role are there as well."""
    aws.role()
    return aws.destination(aws.connection(sandbox.tokens["editor"]))


def tags(aws: Aws) -> dict[str, str]:
    found = aws.events().list_tags_for_resource(ResourceARN=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}")["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


# Rule and target


def test_it_sends_spots_warnings_to_the_destination_of_its_name(rule: Rule, aws: Aws, destination_arn: str) -> None:
    assert rule().action == "created"
    found = aws.events().describe_rule(Name=NAME)
    assert (json.loads(found["EventPattern"]), found["State"], found["EventBusName"]) == (PATTERN, "ENABLED", "default")
    assert aws.targets() == {
        "spot": {
            "Id": "spot",
            "Arn": destination_arn,
            "RoleArn": ROLE_ARN,
            "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 120},
            "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"},
        }
    }


def test_a_warning_of_ec2_arrives_at_spot(rule: Rule, run: Runner, sandbox: Sandbox, destination_arn: str) -> None:
    policy = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    sandbox.boto3("iam").put_role_policy(RoleName=NAME, PolicyName="invoke", PolicyDocument=document)
    run("spot_api_destination", name=NAME, regions=[REGION])
    rule()
    instance = sandbox.interrupt(REGION)["instance_id"]
    assert sandbox.settled()
    (notification,) = sandbox.notifications()
    assert (notification["status"], notification["body"]["detail"]["instance-id"]) == (200, instance)


@pytest.mark.parametrize(
    "drift",
    [
        {"EventPattern": '{"source": ["aws.ec2"]}'},
        {"EventPattern": json.dumps(PATTERN), "State": "DISABLED"},
        {"EventPattern": json.dumps(PATTERN), "Description": "by hand"},
        {"EventPattern": json.dumps(PATTERN), "ScheduleExpression": "rate(1 day)"},
    ],
    ids=["pattern", "disabled", "description", "schedule"],
)
def test_a_rule_changed_by_hand_is_mended(rule: Rule, aws: Aws, destination_arn: str, drift: dict[str, Any]) -> None:
    made = rule(tags={"team": "a"}).entry["rule"]
    aws.events().put_rule(Name=NAME, **drift)
    run = rule(tags={"team": "a"})
    assert (run.action, run.entry["rule"]) == ("updated", made)
    assert rule(tags={"team": "a"}).action == "unchanged"


def test_a_pattern_that_says_the_same_is_left_alone(rule: Rule, aws: Aws, destination_arn: str) -> None:
    made = rule().entry["rule"]
    text = json.dumps(dict(reversed(PATTERN.items())), indent=2)
    aws.events().put_rule(Name=NAME, EventPattern=text, Description=made["description"])
    assert rule().action == "unchanged"


def test_a_prediction_for_a_pattern_that_says_the_same_is_right(rule: Rule, aws: Aws, destination_arn: str) -> None:
    made = rule().entry["rule"]
    aws.events().put_rule(Name=NAME, EventPattern=json.dumps(PATTERN, indent=2), Description=made["description"])
    predicted = rule(maximum_retry_attempts=3, check=True)
    assert predicted.regions == rule(maximum_retry_attempts=3).regions


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        ({"maximum_event_age_in_seconds": 60}, "RetryPolicy", {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 60}),
        ({"maximum_retry_attempts": 0}, "RetryPolicy", {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 120}),
        ({"dead_letter_queue": "other"}, "DeadLetterConfig", {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:other"}),
        ({"dead_letter_queue": None}, "DeadLetterConfig", None),
    ],
    ids=["age", "attempts", "queue", "no queue"],
)
def test_an_option_of_the_target_is_set(
    *, rule: Rule, aws: Aws, destination_arn: str, option: dict[str, Any], key: str, value: Any
) -> None:
    rule()
    assert rule(**option).action == "updated"
    assert aws.targets()["spot"].get(key) == value
    assert rule(**option).action == "unchanged"


def test_a_destination_that_was_made_anew_is_found(rule: Rule, aws: Aws, sandbox: Sandbox, destination_arn: str) -> None:
    rule()
    aws.events().delete_api_destination(Name=NAME)
    anew = aws.destination(aws.described_connection()["ConnectionArn"])
    assert rule().action == "updated"
    assert aws.targets()["spot"]["Arn"] == anew


def test_a_destination_whose_arn_is_known_is_not_asked_for(rule: Rule, sandbox: Sandbox, destination_arn: str) -> None:
    sandbox.clear_calls()
    assert rule(api_destination_arns={REGION: destination_arn}).action == "created"
    assert sandbox.calls(operation="DescribeApiDestination") == []


def test_a_destination_that_is_not_there_is_named_and_nothing_is_made(rule: Rule, aws: Aws) -> None:
    aws.role()
    run = rule()
    assert run.error["code"] == "Blocked"
    assert f"there is no API destination {NAME} in {REGION}: create it first" in run.message
    assert aws.rule_names() == []


def test_check_mode_takes_it_that_the_destination_will_be_there(rule: Rule) -> None:
    run = rule(check=True)
    assert (run.failed, run.action) == (False, "created")


def test_an_aws_account_that_is_given_is_not_asked_for(rule: Rule, sandbox: Sandbox, destination_arn: str) -> None:
    rule(aws_account=ACCOUNT)
    assert sandbox.calls(service="sts") == []


# Targets of others


def test_foreign_targets_are_kept_when_the_rule_is_mended(rule: Rule, aws: Aws, destination_arn: str) -> None:
    rule()
    aws.foreign_target()
    audit = aws.targets()["audit"]
    aws.events().disable_rule(Name=NAME)
    assert rule(maximum_retry_attempts=3).action == "updated"
    assert aws.targets()["audit"] == audit
    assert aws.targets()["spot"]["RetryPolicy"]["MaximumRetryAttempts"] == 3


def test_foreign_targets_are_kept_when_ours_is_removed_and_the_rule_with_them(rule: Rule, aws: Aws, destination_arn: str) -> None:
    rule()
    aws.foreign_target()
    for check in (True, False):
        run = rule(state="absent", check=check)
        assert (run.action, run.changed) == ("updated", True)
        assert run.warnings == [f"{REGION}: the rule {NAME} was kept: it has targets that are not ours (audit)"]
    assert list(aws.targets()) == ["audit"]
    again = rule(state="absent")
    assert (again.action, again.changed, len(again.warnings)) == ("unchanged", False, 1)


def test_a_target_made_by_hand_is_taken_over_lest_warnings_are_sent_twice(rule: Rule, aws: Aws, destination_arn: str) -> None:
    aws.events().put_rule(Name=NAME, EventPattern=json.dumps(PATTERN))
    aws.events().put_targets(Rule=NAME, Targets=[{"Id": "Id1", "Arn": destination_arn, "RoleArn": ROLE_ARN}])
    assert rule().action == "updated"
    assert list(aws.targets()) == ["Id1"]
    assert rule().action == "unchanged"


def test_a_rule_of_another_name_is_nobodys_business(rule: Rule, aws: Aws, destination_arn: str) -> None:
    aws.events().put_rule(Name="other", EventPattern=json.dumps(PATTERN))
    rule()
    rule(state="absent")
    assert aws.rule_names() == ["other"]


# Failures in an answer that is HTTP 200


def test_a_target_that_could_not_be_put_is_a_failure(rule: Rule, sandbox: Sandbox, destination_arn: str) -> None:
    fault = sandbox.add_fault({"partial": True}, {"operation": "PutTargets"})
    run = rule()
    assert run.error["code"] == "FailedEntries"
    assert "put_targets failed for 1 target(s): ConcurrentModificationException: Rule is being modified." in run.message
    # Planned anew a few times, and then given up.
    assert len(sandbox.calls(operation="PutTargets")) == 5
    sandbox.clear_faults(fault["id"])
    assert rule().action == "updated"


def test_a_target_that_somebody_else_was_changing_is_put_again(rule: Rule, sandbox: Sandbox, destination_arn: str) -> None:
    sandbox.add_fault({"partial": True}, {"operation": "PutTargets"}, times=1)
    assert rule().action == "created"
    assert rule().action == "unchanged"


def test_a_target_that_could_not_be_removed_is_a_failure_and_the_rule_stays(
    rule: Rule, aws: Aws, sandbox: Sandbox, destination_arn: str
) -> None:
    rule()
    fault = sandbox.add_fault({"partial": True}, {"operation": "RemoveTargets"})
    run = rule(state="absent")
    assert run.error["code"] == "FailedEntries"
    assert aws.rule_names() == [NAME]
    sandbox.clear_faults(fault["id"])
    assert rule(state="absent").action == "deleted"


# The execution role


def test_a_role_that_has_not_spread_yet_is_taken(rule: Rule, aws: Aws, sandbox: Sandbox) -> None:
    aws.destination(aws.connection(sandbox.tokens["editor"]))
    sandbox.settings(role_spread_seconds=3)
    aws.role()
    run = rule()
    assert (run.failed, run.action) == (False, "created")
    assert list(aws.targets()) == ["spot"]


def test_a_role_that_does_not_exist_is_refused_before_any_region(rule: Rule, aws: Aws, sandbox: Sandbox) -> None:
    # PutTargets accepts it (tests/contract/records/rules.yml, targets-missing-role-accepted), and no delivery succeeds.
    aws.destination(aws.connection(sandbox.tokens["editor"]))
    before = sandbox.calls(writes=True)
    run = rule()
    assert (run.failed, run.regions, run.answer["execution_role"]["error"]["code"]) == (True, {}, "RoleNotUsable")
    assert f"there is no role {NAME} in the AWS account {ACCOUNT}. Create the role, or correct its ARN" in run.message
    assert sandbox.calls(writes=True) == before
    predicted = rule(check=True)
    assert (predicted.failed, predicted.action) == (False, "created")
    assert any("Outside of check mode, this fails: there is no role" in warning for warning in predicted.warnings)


def test_a_role_that_may_not_be_passed_is_told_with_the_permission(rule: Rule, sandbox: Sandbox, destination_arn: str) -> None:
    sandbox.permit("RESTRICTED", ["events:*", "iam:GetRole", "sts:*"])
    run = rule(access_key="RESTRICTED", secret_key="testing")
    assert run.error["code"] == "AccessDeniedException"
    assert "iam:PassRole" in run.message


# Tags


@pytest.mark.parametrize(
    ("wanted", "purge", "action", "after"),
    [
        (None, True, "unchanged", {"team": "a", "owner": "them"}),
        ({"team": "b"}, False, "updated", {"team": "b", "owner": "them"}),
        ({"team": "b"}, True, "updated", {"team": "b"}),
        ({"team": "a"}, False, "unchanged", {"team": "a", "owner": "them"}),
        ({}, True, "updated", {}),
        ({}, False, "unchanged", {"team": "a", "owner": "them"}),
    ],
)
def test_tags(
    *, rule: Rule, aws: Aws, destination_arn: str, wanted: dict[str, str] | None, purge: bool, action: str, after: dict[str, str]
) -> None:
    rule(tags={"team": "a", "owner": "them"})
    predicted = rule(tags=wanted, purge_tags=purge, check=True)
    run = rule(tags=wanted, purge_tags=purge)
    assert (predicted.action, run.action, tags(aws)) == (action, action, after)
    assert predicted.regions == run.regions


# Lost answers


@pytest.mark.parametrize(
    ("operation", "arguments", "action"),
    [
        ("PutRule", {"tags": {"team": "a"}}, "created"),
        ("PutTargets", {}, "created"),
        ("PutRule", {"description": "new"}, "updated"),
        ("PutTargets", {"maximum_retry_attempts": 3}, "updated"),
        ("TagResource", {"tags": {"team": "b"}}, "updated"),
        ("UntagResource", {"tags": {}}, "updated"),
        ("RemoveTargets", {"state": "absent"}, "deleted"),
        ("DeleteRule", {"state": "absent"}, "deleted"),
    ],
)
def test_a_lost_answer_ends_as_if_it_had_come(
    *, rule: Rule, aws: Aws, sandbox: Sandbox, destination_arn: str, operation: str, arguments: dict[str, Any], action: str
) -> None:
    if action != "created":
        rule(tags={"team": "a"})
    sandbox.add_fault({"lost_answer": True}, {"operation": operation}, times=1)
    assert rule(**arguments).action == action
    assert aws.rule_names() == ([] if action == "deleted" else [NAME])
    if action != "deleted":
        assert list(aws.targets()) == ["spot"]
    assert rule(**arguments).action == "unchanged"
