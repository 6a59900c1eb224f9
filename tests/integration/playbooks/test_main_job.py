# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job, once through: predicted, done, an interruption sent, done again, predicted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.aws_state import everything
from tests.integration.playbooks.runner import AWS_ACCOUNT, NAME, SPOT_ACCOUNT, Ansible, Run
from tests.sandbox.client import NOTIFICATION, Sandbox

# Enabled in every AWS account (AWS Account Management guide); the sandbox starts with these.
REGIONS = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]
THROUGH = "eu-west-3"


@dataclass(frozen=True)
class Step:
    """A run, and the AWS calls that it made."""

    run: Run
    calls: list[dict[str, Any]]

    @property
    def writes(self) -> list[str]:
        return [f"{call['region']} {call['operation']}" for call in self.calls if call["write"]]


@dataclass(frozen=True)
class Story:
    """What the runs came to. Tests look at this alone, as the sandbox is another test's by then."""

    predicted: Step
    done: Step
    again: Step
    predicted_again: Step
    aws: dict[str, Any]
    token: str
    spot_url: str
    event: dict[str, Any]
    notifications: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Story:
    running.reset()
    ansible = Ansible(running, tmp_path_factory.mktemp("main_job") / "home")

    def step(*arguments: str) -> Step:
        running.clear_calls()
        return Step(ansible.onboard(*arguments, regions=None), running.calls())

    predicted, done = step("--check"), step()
    aws = everything(running, REGIONS)
    event = running.interrupt(THROUGH)
    assert running.settled()
    notifications = running.notifications()
    again, predicted_again = step(), step("--check")
    return Story(predicted, done, again, predicted_again, aws, running.tokens["admin"], running.spot_url, event, notifications)


def test_it_succeeds_in_every_enabled_region(story: Story) -> None:
    assert story.done.run.rc == 0
    table = story.done.run.table()
    assert sorted(table) == REGIONS
    assert all(line.startswith("active ") for line in table.values())


def test_an_interruption_arrives_at_spot_once(story: Story) -> None:
    (notification,) = story.notifications
    assert notification["path"] == NOTIFICATION
    assert notification["status"] == 200


def test_it_arrives_with_the_token(story: Story) -> None:
    assert story.notifications[0]["headers"]["Authorization"] == f"Bearer {story.token}"


def test_it_arrives_with_the_spot_account_and_nothing_else_in_the_query(story: Story) -> None:
    assert story.notifications[0]["query"] == {"accountId": SPOT_ACCOUNT}


def test_it_arrives_as_the_whole_event(story: Story) -> None:
    body = story.notifications[0]["body"]
    assert body["id"] == story.event["event_id"]
    assert body["detail"] == {"instance-id": story.event["instance_id"], "instance-action": "terminate"}
    assert (body["source"], body["detail-type"]) == ("aws.ec2", "EC2 Spot Instance Interruption Warning")
    assert (body["account"], body["region"]) == (AWS_ACCOUNT, THROUGH)


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_has_one_of_each_resource(story: Story, region: str) -> None:
    numbers = {kind: len(found) for kind, found in story.aws[region].items()}
    assert numbers == {"connections": 1, "keys": 1, "secrets": 1, "destinations": 1, "rules": 1, "queues": 1}


@pytest.mark.parametrize("region", REGIONS)
def test_the_connection_sends_token_and_account(story: Story, region: str) -> None:
    (connection,), (key,) = story.aws[region]["connections"], story.aws[region]["keys"]
    assert connection["ConnectionState"] == "AUTHORIZED"
    assert connection["AuthorizationType"] == "API_KEY"
    assert connection["AuthParameters"] == {
        "ApiKeyAuthParameters": {"ApiKeyName": "Authorization"},
        "InvocationHttpParameters": {"QueryStringParameters": [{"Key": "accountId", "Value": SPOT_ACCOUNT, "IsValueSecret": False}]},
    }
    assert (key["api_key_name"], key["api_key_value"]) == ("Authorization", f"Bearer {story.token}")


@pytest.mark.parametrize("region", REGIONS)
def test_the_api_destination_leads_to_spot(story: Story, region: str) -> None:
    (destination,), (connection,) = story.aws[region]["destinations"], story.aws[region]["connections"]
    assert destination["ApiDestinationState"] == "ACTIVE"
    assert destination["ConnectionArn"] == connection["ConnectionArn"]
    assert destination["InvocationEndpoint"] == story.spot_url + NOTIFICATION
    assert (destination["HttpMethod"], destination["InvocationRateLimitPerSecond"]) == ("POST", 300)


@pytest.mark.parametrize("region", REGIONS)
def test_the_rule_takes_every_interruption_warning(story: Story, region: str) -> None:
    (rule,) = story.aws[region]["rules"]
    assert (rule["Name"], rule["EventBusName"], rule["State"]) == (NAME, "default", "ENABLED")
    assert rule["EventPattern"] == {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}
    assert rule["Tags"] == {"ManagedBy": "spot.eventbridge", "SpotAccount": SPOT_ACCOUNT}


@pytest.mark.parametrize("region", REGIONS)
def test_the_target_gives_up_after_two_minutes(story: Story, region: str) -> None:
    (rule,), (destination,) = story.aws[region]["rules"], story.aws[region]["destinations"]
    (target,) = rule["Targets"]
    assert target["Arn"] == destination["ApiDestinationArn"]
    assert target["RoleArn"] == f"arn:aws:iam::{AWS_ACCOUNT}:role/{NAME}"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 120}
    assert target["DeadLetterConfig"] == {"Arn": f"arn:aws:sqs:{region}:{AWS_ACCOUNT}:{NAME}"}
    assert "InputTransformer" not in target


@pytest.mark.parametrize("region", REGIONS)
def test_the_queue_is_open_to_the_rule_alone(story: Story, region: str) -> None:
    (queue,) = story.aws[region]["queues"]
    statement, tls_only = queue["Policy"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Allow", {"Service": "events.amazonaws.com"})
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue["QueueArn"])
    rules = [f"arn:aws:events:{region}:{AWS_ACCOUNT}:rule/{NAME}{rest}" for rest in ("", "-test-*", "-alarm")]
    assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": rules}}
    assert (tls_only["Effect"], tls_only["Principal"], tls_only["Action"]) == ("Deny", "*", "sqs:*")
    assert (tls_only["Resource"], tls_only["Condition"]) == (queue["QueueArn"], {"Bool": {"aws:SecureTransport": "false"}})
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == ("true", "1209600")


def test_there_is_one_execution_role(story: Story) -> None:
    assert list(story.aws["roles"]) == [NAME]


def test_only_eventbridge_of_this_account_may_assume_the_role(story: Story) -> None:
    (statement,) = story.aws["roles"][NAME]["trust"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Allow", {"Service": "events.amazonaws.com"})
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": AWS_ACCOUNT}}


def test_the_role_may_call_its_api_destination_and_nothing_else(story: Story) -> None:
    role = story.aws["roles"][NAME]
    ((statement,),) = [policy["Statement"] for policy in role["policies"].values()]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "events:InvokeApiDestination")
    assert statement["Resource"] == f"arn:aws:events:*:{AWS_ACCOUNT}:api-destination/{NAME}/*"
    assert role["attached"] == []


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert (story.again.run.rc, story.again.run.changed) == (0, 0)
    assert story.again.writes == []


def test_check_mode_makes_no_writing_call(story: Story) -> None:
    assert story.predicted.run.rc == 0
    assert story.predicted.calls
    assert story.predicted.writes == []


def test_check_mode_says_for_each_region_what_would_be_created(story: Story) -> None:
    assert sorted(story.predicted.run.actions()) == REGIONS
    actions = story.predicted.run.actions()[THROUGH]
    assert actions == dict.fromkeys(("queue", "connection", "api_destination", "rule"), "created")
    assert all("created" in line for line in story.predicted.run.table().values())


def test_check_mode_predicts_what_the_real_run_does(story: Story) -> None:
    assert story.predicted.run.actions() == story.done.run.actions()
    assert story.predicted.run.recap == story.done.run.recap
    assert story.done.run.changed > 0


def test_check_mode_predicts_nothing_where_all_is_right(story: Story) -> None:
    assert (story.predicted_again.run.rc, story.predicted_again.run.changed) == (0, 0)
    assert story.predicted_again.writes == []
