# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.sandbox.integration import NAME, PATTERN, QUEUE_ARN, REGION, RULE_ARN, Integration
from tests.sandbox.client import Sandbox

QUEUE_TARGET = f"{QUEUE_ARN}-target"


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture
def rule(events: Any) -> str:
    return events.put_rule(Name=NAME, EventPattern=json.dumps(PATTERN))["RuleArn"]


def test_put_rule_resets_what_is_left_out(events: Any) -> None:
    events.put_rule(Name=NAME, EventPattern=json.dumps(PATTERN), State="DISABLED", Description="to Spot")
    events.put_rule(Name=NAME, EventPattern=json.dumps(PATTERN))
    shown = events.describe_rule(Name=NAME)
    assert shown["State"] == "ENABLED"
    assert "Description" not in shown


def test_put_rule_keeps_the_targets(events: Any, rule: str) -> None:
    events.put_targets(Rule=NAME, Targets=[{"Id": "1", "Arn": QUEUE_TARGET}])
    events.put_rule(Name=NAME, EventPattern=json.dumps(PATTERN))
    assert len(events.list_targets_by_rule(Rule=NAME)["Targets"]) == 1


def test_tags_count_only_when_the_rule_is_created(events: Any) -> None:
    for value in ("first", "second"):
        tags = [{"Key": "by", "Value": value}]
        arn = events.put_rule(Name=NAME, EventPattern=json.dumps(PATTERN), Tags=tags)["RuleArn"]
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "by", "Value": "first"}]


def test_a_pattern_that_is_none_is_refused(events: Any) -> None:
    assert refusal(events.put_rule, Name=NAME, EventPattern='{"source": "aws.ec2"}')[0] == "InvalidEventPatternException"


def test_an_unknown_rule_is_not_found(events: Any) -> None:
    assert refusal(events.describe_rule, Name=NAME)[0] == "ResourceNotFoundException"
    target = {"Id": "1", "Arn": QUEUE_TARGET}
    assert refusal(events.put_targets, Rule=NAME, Targets=[target])[0] == "ResourceNotFoundException"


def test_a_rule_with_targets_cannot_be_deleted(events: Any, rule: str) -> None:
    events.put_targets(Rule=NAME, Targets=[{"Id": "1", "Arn": QUEUE_TARGET}])
    assert refusal(events.delete_rule, Name=NAME) == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )


def test_a_target_keeps_everything_it_was_given(integration: Integration, events: Any, rule: str) -> None:
    integration.role()
    http = {"HeaderParameters": {"X-From": "rule"}, "QueryStringParameters": {"a": "b"}, "PathParameterValues": ["c"]}
    integration.put_target("arn:aws:events:eu-west-1:123456789012:api-destination/x/1", HttpParameters=http)
    assert events.list_targets_by_rule(Rule=NAME)["Targets"] == [
        {
            "Id": "spot",
            "Arn": "arn:aws:events:eu-west-1:123456789012:api-destination/x/1",
            "RoleArn": integration.role_arn,
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 120},
            "DeadLetterConfig": {"Arn": QUEUE_ARN},
            "HttpParameters": http,
        }
    ]


def test_a_role_of_the_rule_that_does_not_exist_cannot_be_assumed(integration: Integration, events: Any) -> None:
    assert refusal(events.put_rule, Name=NAME, EventPattern='{"source": ["a"]}', RoleArn=integration.role_arn) == (
        "ValidationException",
        f"Provided role '{integration.role_arn}' cannot be assumed by principal 'events.amazonaws.com'.",
    )


def test_the_role_of_a_target_is_not_looked_at(integration: Integration, rule: str) -> None:
    assert integration.put_target(QUEUE_TARGET)["FailedEntryCount"] == 0


@pytest.mark.parametrize("trust", [{"trusted": "lambda.amazonaws.com"}, {"account": "999999999999"}])
def test_a_role_that_does_not_trust_eventbridge_cannot_be_assumed(integration: Integration, events: Any, trust: dict[str, str]) -> None:
    integration.role(**trust)
    given = {"Name": NAME, "EventPattern": '{"source": ["a"]}', "RoleArn": integration.role_arn}
    assert "cannot be assumed by principal" in refusal(events.put_rule, **given)[1]


def test_a_new_role_cannot_be_assumed_until_it_has_spread(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    sandbox.settings(role_spread_seconds=60)
    integration.role()
    given = {"Name": NAME, "EventPattern": '{"source": ["a"]}', "RoleArn": integration.role_arn}
    assert "cannot be assumed by principal" in refusal(events.put_rule, **given)[1]
    sandbox.settings(role_spread_seconds=0)
    assert events.put_rule(**given)["RuleArn"]


def test_a_rule_has_five_targets_at_most(sandbox: Sandbox, rule: str) -> None:
    targets = [{"Id": str(number), "Arn": QUEUE_TARGET} for number in range(6)]
    once = Config(retries={"total_max_attempts": 1})  # boto3 takes the quota for throttling, and waits
    events = sandbox.boto3("events", REGION, config=once)
    assert refusal(events.put_targets, Rule=NAME, Targets=targets)[0] == "LimitExceededException"


def test_an_event_may_not_be_given_less_than_a_minute(integration: Integration, rule: str) -> None:
    unchecked = Config(parameter_validation=False)  # boto3 knows this limit as well
    integration.events = integration.sandbox.boto3("events", REGION, config=unchecked)
    policy = {"MaximumEventAgeInSeconds": 59}
    assert refusal(integration.put_target, arn=QUEUE_TARGET, RetryPolicy=policy)[0] == "ValidationException"


@pytest.mark.parametrize("operation", ["PutTargets", "RemoveTargets"])
def test_targets_can_fail_with_http_200(sandbox: Sandbox, integration: Integration, events: Any, rule: str, operation: str) -> None:
    integration.role()
    integration.put_target(QUEUE_TARGET)
    sandbox.add_fault({"partial": True}, {"operation": operation}, times=1)
    answer = integration.put_target(QUEUE_TARGET) if operation == "PutTargets" else events.remove_targets(Rule=NAME, Ids=["spot"])
    assert answer["FailedEntryCount"] == 1
    assert answer["FailedEntries"][0]["TargetId"] == "spot"
    assert len(events.list_targets_by_rule(Rule=NAME)["Targets"]) == 1


def put_event(events: Any, source: str) -> dict[str, Any]:
    return events.put_events(Entries=[{"Source": source, "DetailType": "test", "Detail": "{}"}])


def test_put_events_refuses_the_sources_of_aws(events: Any) -> None:
    answer = put_event(events, "aws.ec2")
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_put_events_takes_a_source_of_ones_own(events: Any) -> None:
    answer = put_event(events, "spot.probe")
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"][0]["EventId"]


def test_put_events_takes_ten_entries_at_most(events: Any) -> None:
    entries = [{"Source": "spot.probe", "DetailType": "test", "Detail": "{}"}] * 11
    assert refusal(events.put_events, Entries=entries)[0] == "ValidationException"


@pytest.mark.parametrize(("source", "result"), [("aws.ec2", True), ("aws.s3", False)])
def test_test_event_pattern_has_a_result(events: Any, source: str, result: bool) -> None:
    event = {
        "id": "1",
        "detail-type": PATTERN["detail-type"][0],
        "source": source,
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {},
    }
    answer = events.test_event_pattern(EventPattern=json.dumps(PATTERN), Event=json.dumps(event))
    assert answer["Result"] is result


def test_the_interruption_names_the_rules_that_match(sandbox: Sandbox, events: Any, rule: str) -> None:
    events.put_rule(Name="of-s3", EventPattern='{"source": ["aws.s3"]}')
    assert sandbox.interrupt(REGION)["rules"] == [NAME]


def test_a_disabled_rule_stays_silent(sandbox: Sandbox, events: Any, rule: str) -> None:
    events.disable_rule(Name=NAME)
    assert sandbox.interrupt(REGION)["rules_matched"] == 0


def test_a_rule_can_send_to_a_queue(sandbox: Sandbox, integration: Integration, events: Any, rule: str) -> None:
    url = integration.queue(RULE_ARN)
    events.put_targets(Rule=NAME, Targets=[{"Id": "1", "Arn": QUEUE_ARN}])
    integration.interrupt()
    message = integration.sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert json.loads(message["Body"])["source"] == "aws.ec2"
