# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event buses: an event of EventBridge's own on its way to a queue in another account and region."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox.integration import ACCOUNT, NAME, QUEUE_ARN, REGION, Integration, policy
from tests.sandbox.client import Sandbox

HUB, HUB_REGION, OTHER = "hub", "us-east-1", "210987654321"


class Hub:
    """A bus with a rule that sends everything to a queue, in an account and region of its own."""

    def __init__(self, sandbox: Sandbox, account: str = OTHER, region: str = HUB_REGION) -> None:
        credentials: dict[str, Any] = {}
        if account != ACCOUNT:
            role = f"arn:aws:iam::{account}:role/hub"
            issued = sandbox.boto3("sts").assume_role(RoleArn=role, RoleSessionName="hub")["Credentials"]
            credentials = {
                "access_key": issued["AccessKeyId"],
                "aws_secret_access_key": issued["SecretAccessKey"],
                "aws_session_token": issued["SessionToken"],
            }
        self.events = sandbox.boto3("events", region, **credentials)
        self.sqs = sandbox.boto3("sqs", region, **credentials)
        self.bus_arn = self.events.create_event_bus(Name=HUB)["EventBusArn"]
        self.rule_arn = self.events.put_rule(Name=HUB, EventBusName=HUB, EventPattern='{"source": ["aws.events"]}')["RuleArn"]
        queue_arn = f"arn:aws:sqs:{region}:{account}:{HUB}"
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.rule_arn}},
        }
        self.url = self.sqs.create_queue(QueueName=HUB, Attributes={"Policy": policy(allow)})["QueueUrl"]
        self.events.put_targets(Rule=HUB, EventBusName=HUB, Targets=[{"Id": "queue", "Arn": queue_arn}])

    def let_in(self, principal: Any, **condition: Any) -> None:
        """Set the policy of the bus."""
        allow = {"Sid": "in", "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": self.bus_arn}
        self.events.put_permission(EventBusName=HUB, Policy=policy(allow | ({"Condition": condition} if condition else {})))

    def messages(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def hub(sandbox: Sandbox) -> Hub:
    return Hub(sandbox)


def send_to(integration: Integration, bus_arn: str, **target: Any) -> None:
    """Make an integration whose events of EventBridge's own go to a bus, and its execution role, which may put them there."""
    integration.complete()
    allow = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus_arn}
    integration.iam.put_role_policy(RoleName="execution", PolicyName="hub", PolicyDocument=policy(allow))
    arn = integration.events.put_rule(Name=f"{NAME}-alarm", EventPattern='{"source": ["aws.events"]}')["RuleArn"]
    url = integration.sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    dead_letters = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE_ARN,
        "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
    }
    integration.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(dead_letters)})
    defaults = {"Id": "hub", "Arn": bus_arn, "RoleArn": integration.role_arn, "DeadLetterConfig": {"Arn": QUEUE_ARN}}
    integration.events.put_targets(Rule=f"{NAME}-alarm", Targets=[defaults | target])


def lose(integration: Integration) -> None:
    integration.events.deauthorize_connection(Name=NAME)
    assert integration.sandbox.settled()


def test_an_event_crosses_account_and_region_unchanged(integration: Integration, hub: Hub) -> None:
    hub.let_in({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    send_to(integration, hub.bus_arn)
    lose(integration)
    found = {message["detail-type"]: message for message in hub.messages()}
    assert set(found) == {"Connection Deauthorized", "API Destination Deactivated"}
    lost = found["Connection Deauthorized"]
    assert (lost["source"], lost["account"], lost["region"]) == ("aws.events", ACCOUNT, REGION)
    assert lost["resources"] == [integration.events.describe_connection(Name=NAME)["ConnectionArn"]]
    assert set(lost["detail"]) == {"ConnectionName", "StateReason", "Timestamp"}


@pytest.mark.parametrize("principal", [None, {"AWS": "arn:aws:iam::999999999999:root"}])
def test_a_bus_that_does_not_let_an_account_in_gets_nothing(integration: Integration, hub: Hub, principal: Any) -> None:
    if principal:
        hub.let_in(principal)
    send_to(integration, hub.bus_arn)
    lose(integration)
    assert hub.messages() == []
    assert {letter["ERROR_CODE"] for letter in integration.dead_letters()} == {"NO_PERMISSIONS"}


@pytest.mark.parametrize("member", [True, False])
def test_a_bus_lets_an_organization_in(sandbox: Sandbox, integration: Integration, hub: Hub, member: bool) -> None:
    organization = sandbox.boto3("organizations").create_organization(FeatureSet="ALL")["Organization"]["Id"]
    hub.let_in("*", StringEquals={"aws:PrincipalOrgID": organization if member else "o-another"})
    send_to(integration, hub.bus_arn)
    lose(integration)
    assert len(hub.messages()) == (2 if member else 0)


def test_within_an_account_the_role_decides(sandbox: Sandbox, integration: Integration) -> None:
    hub = Hub(sandbox, ACCOUNT)
    send_to(integration, hub.bus_arn)
    lose(integration)
    assert len(hub.messages()) == 2


def test_a_role_that_may_not_put_events_sends_nothing(integration: Integration, hub: Hub) -> None:
    hub.let_in({"AWS": ACCOUNT})
    send_to(integration, hub.bus_arn)
    integration.iam.delete_role_policy(RoleName="execution", PolicyName="hub")
    lose(integration)
    assert hub.messages() == []
    assert {letter["ERROR_CODE"] for letter in integration.dead_letters()} == {"NO_PERMISSIONS"}


def test_another_region_needs_a_role(integration: Integration, hub: Hub) -> None:
    hub.let_in({"AWS": ACCOUNT})
    send_to(integration, hub.bus_arn)
    target = {"Id": "hub", "Arn": hub.bus_arn, "DeadLetterConfig": {"Arn": QUEUE_ARN}}
    integration.events.put_targets(Rule=f"{NAME}-alarm", Targets=[target])
    lose(integration)
    assert hub.messages() == []
    assert {letter["ERROR_CODE"] for letter in integration.dead_letters()} == {"NO_PERMISSIONS"}


def test_a_bus_that_was_deleted_is_no_resource(sandbox: Sandbox, integration: Integration) -> None:
    hub = Hub(sandbox, ACCOUNT)
    send_to(integration, hub.bus_arn)
    hub.events.remove_targets(Rule=HUB, EventBusName=HUB, Ids=["queue"])
    hub.events.delete_rule(Name=HUB, EventBusName=HUB)
    hub.events.delete_event_bus(Name=HUB)
    lose(integration)
    assert {letter["ERROR_CODE"] for letter in integration.dead_letters()} == {"NO_RESOURCE"}


def test_an_event_is_passed_on_once(sandbox: Sandbox, integration: Integration, hub: Hub) -> None:
    last = Hub(sandbox, ACCOUNT, "eu-west-2")
    last.let_in({"AWS": OTHER})
    hub.let_in({"AWS": ACCOUNT})
    hub.events.put_targets(Rule=HUB, EventBusName=HUB, Targets=[{"Id": "last", "Arn": last.bus_arn}])
    send_to(integration, hub.bus_arn)
    lose(integration)
    assert (len(hub.messages()), last.messages()) == (2, [])


def test_put_events_reaches_the_bus_of_another_account_if_it_is_let_in(sandbox: Sandbox, hub: Hub) -> None:
    hub.events.put_rule(Name=HUB, EventBusName=HUB, EventPattern='{"source": ["mine"]}')
    entry = {"Source": "mine", "DetailType": "x", "Detail": "{}", "EventBusName": hub.bus_arn}
    events = sandbox.boto3("events", HUB_REGION)
    assert events.put_events(Entries=[entry])["Entries"][0]["ErrorCode"] == "AccessDeniedException"
    hub.let_in({"AWS": ACCOUNT})
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert sandbox.settled()
    assert [message["account"] for message in hub.messages()] == [ACCOUNT]


def test_a_policy_is_replaced_as_a_whole(hub: Hub) -> None:
    hub.let_in({"AWS": ACCOUNT})
    hub.let_in("*", StringEquals={"aws:PrincipalOrgID": "o-1"})
    (statement,) = json.loads(hub.events.describe_event_bus(Name=HUB)["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def test_a_policy_that_is_none_or_too_long_is_refused(hub: Hub) -> None:
    put = hub.events.put_permission
    assert refusal(put, EventBusName=HUB, Policy="{}") == "ValidationException"
    accounts = {"AWS": [f"arn:aws:iam::{number:012d}:root" for number in range(300)]}
    allow = {"Effect": "Allow", "Principal": accounts, "Action": "events:PutEvents", "Resource": hub.bus_arn}
    assert refusal(put, EventBusName=HUB, Policy=policy(allow)) == "PolicyLengthExceededException"


def test_a_bus_with_rules_cannot_be_deleted(hub: Hub) -> None:
    assert refusal(hub.events.delete_event_bus, Name=HUB) == "ValidationException"


def test_bus_and_rule_of_one_name_have_tags_of_their_own(hub: Hub) -> None:
    hub.events.tag_resource(ResourceARN=hub.bus_arn, Tags=[{"Key": "is", "Value": "bus"}])
    hub.events.tag_resource(ResourceARN=hub.rule_arn, Tags=[{"Key": "is", "Value": "rule"}])
    values = [hub.events.list_tags_for_resource(ResourceARN=arn)["Tags"][0]["Value"] for arn in (hub.bus_arn, hub.rule_arn)]
    assert values == ["bus", "rule"]
    assert refusal(hub.events.list_tags_for_resource, ResourceARN=f"{hub.bus_arn}-none") == "ResourceNotFoundException"


def test_what_is_received_too_often_goes_to_the_dead_letter_queue(hub: Hub) -> None:
    dead = hub.sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = hub.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    hub.sqs.set_queue_attributes(QueueUrl=hub.url, Attributes={"RedrivePolicy": redrive})
    hub.sqs.send_message(QueueUrl=hub.url, MessageBody="{}")
    assert [len(hub.messages()) for _ in range(3)] == [1, 1, 0]
    assert hub.sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "{}"


def test_an_alarm_tells_a_topic(sandbox: Sandbox) -> None:
    topic = sandbox.boto3("sns", HUB_REGION).create_topic(Name=HUB, Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    cloudwatch = sandbox.boto3("cloudwatch", HUB_REGION)
    alarm = {
        "AlarmName": HUB,
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": HUB}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [topic],
    }
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "a", "Value": "b"}])
    (found,) = cloudwatch.describe_alarms(AlarmNames=[HUB])["MetricAlarms"]
    assert {key: found[key] for key in alarm} == alarm
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
