# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox.endpoint import Endpoint
from tests.integration.sandbox.integration import ACCOUNT, NAME, QUEUE_ARN, REGION, RULE_ARN, Integration
from tests.sandbox.client import Sandbox
from tests.tools.kms_keys import DEAD_LETTERS, ROOT, make_key


def sum_of(sandbox: Sandbox, metric: str, rule: str = NAME) -> float:
    """All values of ten minutes: what happened may lie on both sides of a period's end."""
    stat = {"Namespace": "AWS/Events", "MetricName": metric, "Dimensions": [{"Name": "RuleName", "Value": rule}]}
    now = datetime.now(UTC)
    answer = sandbox.boto3("cloudwatch", REGION).get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": stat, "Period": 300, "Stat": "Sum"}}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
    )
    return sum(answer["MetricDataResults"][0]["Values"])


def test_a_warning_reaches_spot(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    warned = sandbox.interrupt(REGION, instance_id="i-1234567890abcdef0", action="stop")
    assert sandbox.settled()
    (received,) = sandbox.notifications()
    assert received["status"] == 200
    assert received["query"] == {"accountId": "act-d7320fba"}
    assert received["headers"]["Authorization"] == f"Bearer {sandbox.tokens['editor']}"
    assert received["headers"]["User-Agent"] == "Amazon/EventBridge/ApiDestinations"
    assert received["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert received["headers"]["Range"] == "bytes=0-1048575"
    body = received["body"]
    assert datetime.strptime(body.pop("time"), "%Y-%m-%dT%H:%M:%SZ")
    assert body == {
        "version": "0",
        "id": warned["event_id"],
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "region": REGION,
        "resources": ["arn:aws:ec2:eu-west-1a:instance/i-1234567890abcdef0"],
        "detail": {"instance-id": "i-1234567890abcdef0", "instance-action": "stop"},
    }


def test_a_warning_reaches_spot_by_its_public_name(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    integration.events.update_api_destination(
        Name=NAME, InvocationEndpoint="https://api.spotinst.io/aws/ec2/instance/interruptionNotification"
    )
    assert integration.interrupt() == ["delivered"]
    assert len(sandbox.notifications()) == 1


def test_nothing_else_off_loopback_is_contacted(integration: Integration) -> None:
    integration.complete(RetryPolicy={"MaximumRetryAttempts": 0})
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint="https://example.com/")
    assert integration.interrupt() == ["dead-lettered"]
    assert "API destination endpoint cannot be reached." in integration.dead_letters()[0]["ERROR_MESSAGE"]


def test_an_event_of_ones_own_takes_the_same_way(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    integration.events.put_rule(Name=NAME, EventPattern='{"source": ["spot.probe"]}')
    integration.events.put_events(Entries=[{"Source": "spot.probe", "DetailType": "probe", "Detail": '{"a": 1}'}])
    assert sandbox.settled()
    assert sandbox.notifications()[0]["body"]["detail"] == {"a": 1}


@pytest.mark.parametrize("status", [401, 407])
def test_one_refused_authorisation_switches_everything_off(sandbox: Sandbox, integration: Integration, status: int) -> None:
    integration.complete()
    sandbox.add_fault({"status": status}, {"target": "spot"}, times=1)
    assert integration.interrupt() == ["retrying", "dead-lettered"]
    assert integration.states() == ("DEAUTHORIZED", "INACTIVE")
    assert str(status) in integration.events.describe_connection(Name=NAME)["StateReason"]


def test_a_revoked_token_switches_everything_off(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.revoke_token("editor")
    integration.interrupt()
    assert integration.states() == ("DEAUTHORIZED", "INACTIVE")


def test_an_outage_of_spots_user_service_switches_everything_off(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.start_outage(401)
    integration.interrupt()
    sandbox.end_outage()
    assert integration.states() == ("DEAUTHORIZED", "INACTIVE")


def test_a_deauthorized_connection_drops_without_asking_spot(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    integration.events.deauthorize_connection(Name=NAME)
    assert integration.interrupt() == ["dead-lettered"]
    assert sandbox.notifications() == []
    assert integration.dead_letters()[0]["ERROR_CODE"] == "SDK_CLIENT_ERROR"


def test_an_update_of_the_connection_heals_the_delivery(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.revoke_token("editor")
    integration.interrupt()
    integration.update("admin")
    assert integration.states() == ("AUTHORIZED", "ACTIVE")
    assert integration.interrupt() == ["delivered"]


def test_a_deleted_secret_deauthorizes_with_the_next_event(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    arn = integration.events.describe_connection(Name=NAME)["SecretArn"]
    sandbox.boto3("secretsmanager", REGION).delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    assert integration.states() == ("AUTHORIZED", "ACTIVE")
    integration.interrupt()
    assert integration.states() == ("DEAUTHORIZED", "INACTIVE")


def test_the_key_is_taken_from_the_secret(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    secrets = sandbox.boto3("secretsmanager", REGION)
    arn = integration.events.describe_connection(Name=NAME)["SecretArn"]
    integration.update("admin")
    value = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["api_key_value"]
    integration.interrupt()
    assert sandbox.notifications()[0]["headers"]["Authorization"] == value == f"Bearer {sandbox.tokens['admin']}"


@pytest.mark.parametrize("operation", ["put_secret_value", "update_secret"])
def test_nobody_but_eventbridge_writes_the_secret(sandbox: Sandbox, integration: Integration, operation: str) -> None:
    integration.complete()
    secrets = sandbox.boto3("secretsmanager", REGION)
    arn = integration.events.describe_connection(Name=NAME)["SecretArn"]
    with pytest.raises(ClientError, match="Operation is not allowed on secret owned by events"):
        getattr(secrets, operation)(SecretId=arn, SecretString="{}")
    assert integration.interrupt() == ["delivered"]


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_pass_is_retried(sandbox: Sandbox, integration: Integration, status: int) -> None:
    integration.complete()
    sandbox.add_fault({"status": status}, {"target": "spot"}, times=2)
    assert integration.interrupt() == ["retrying", "retrying", "delivered"]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_other_refusals_are_not_retried(sandbox: Sandbox, integration: Integration, status: int) -> None:
    integration.complete()
    sandbox.add_fault({"status": status}, {"target": "spot"})
    assert integration.interrupt() == ["dead-lettered"]
    assert integration.states() == ("AUTHORIZED", "ACTIVE")


def test_a_connection_that_is_refused_is_retried(integration: Integration) -> None:
    integration.complete()
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint="http://127.0.0.1:1/")
    assert integration.interrupt() == ["retrying"] * 3 + ["dead-lettered"]


def test_an_endpoint_that_does_not_answer_in_time_is_retried(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.settings(delivery_timeout=1)
    sandbox.add_fault({"latency": 3}, {"target": "spot"}, times=1)
    assert integration.interrupt() == ["retrying", "delivered"]


def test_retry_after_is_honoured(integration: Integration, endpoint: Endpoint) -> None:
    integration.complete()
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint=endpoint.url)
    endpoint.script = [(503, {"Retry-After": "50"})]  # half a second, at the time scale of these tests
    begin = time.monotonic()
    assert integration.interrupt() == ["retrying", "delivered"]
    assert time.monotonic() - begin >= 0.5


def test_a_dead_letter_says_what_happened(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.add_fault({"status": 500}, {"target": "spot"})
    assert integration.interrupt() == ["retrying"] * 3 + ["dead-lettered"]
    (letter,) = integration.dead_letters()
    message = letter.pop("ERROR_MESSAGE")
    assert "500" in message
    assert letter == {
        "RULE_ARN": RULE_ARN,
        "TARGET_ARN": integration.events.describe_api_destination(Name=NAME)["ApiDestinationArn"],
        "ERROR_CODE": "SDK_CLIENT_ERROR",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "3",
    }


def test_an_event_gets_too_old(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete(RetryPolicy={"MaximumEventAgeInSeconds": 60})
    sandbox.add_fault({"status": 500}, {"target": "spot"})
    integration.interrupt()
    assert integration.dead_letters()[0]["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"


def test_an_event_does_not_get_older_because_the_machine_is_busy(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete(RetryPolicy={"MaximumEventAgeInSeconds": 60})
    sandbox.add_fault({"status": 500, "latency": 0.5}, {"target": "spot"}, times=2)
    # The waits are a hundredth, and so would be the age that is left: 0.6 s.
    assert integration.interrupt() == ["retrying", "retrying", "delivered"]


@pytest.mark.parametrize(
    ("statements", "state", "outcome"),
    [
        ((ROOT, DEAD_LETTERS), "Enabled", "dead-lettered"),
        ((ROOT,), "Enabled", "dropped"),
        ((ROOT, DEAD_LETTERS), "Disabled", "dropped"),
    ],
)
def test_a_dead_letter_needs_the_key_of_its_queue(
    sandbox: Sandbox, integration: Integration, statements: Any, state: str, outcome: str
) -> None:
    integration.complete(RetryPolicy={"MaximumRetryAttempts": 0})
    kms = sandbox.boto3("kms", REGION)
    key = make_key(kms, "alias/letters", statements)
    if state == "Disabled":
        kms.disable_key(KeyId=key.rpartition("/")[2])  # moto knows no ARN here
    url = integration.sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    integration.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/letters"})
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint="https://example.com/")
    assert integration.interrupt() == [outcome]
    assert sum_of(sandbox, "InvocationsFailedToBeSentToDlq") == (outcome == "dropped")


def test_a_dead_letter_can_be_looked_at_without_taking_it(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.add_fault({"status": 400}, {"target": "spot"})
    integration.interrupt()
    url = integration.sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    counts = []
    for _ in range(2):
        answer = integration.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, AttributeNames=["ApproximateReceiveCount"])
        counts.append(answer["Messages"][0]["Attributes"]["ApproximateReceiveCount"])
    assert counts == ["1", "2"]
    assert json.loads(answer["Messages"][0]["Body"])["source"] == "aws.ec2"


def test_without_a_queue_the_event_is_dropped(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete(DeadLetterConfig={})
    sandbox.add_fault({"status": 400}, {"target": "spot"})
    assert integration.interrupt() == ["dropped"]


def test_a_queue_whose_policy_names_another_rule_gets_nothing(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    url = integration.sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    policy = integration.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    other = policy.replace(RULE_ARN, f"{RULE_ARN}-of-another")
    integration.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": other})
    sandbox.add_fault({"status": 400}, {"target": "spot"})
    assert integration.interrupt() == ["dropped"]
    assert sum_of(sandbox, "InvocationsFailedToBeSentToDlq") == 1.0


def test_a_queue_in_another_region_gets_nothing(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete(DeadLetterConfig={"Arn": QUEUE_ARN.replace(REGION, "us-east-1")})
    sandbox.add_fault({"status": 400}, {"target": "spot"})
    assert integration.interrupt() == ["dropped"]


def test_a_target_without_a_role_is_refused(integration: Integration) -> None:
    integration.complete()
    arn = integration.events.describe_api_destination(Name=NAME)["ApiDestinationArn"]
    with pytest.raises(ClientError, match="RoleArn is required for target"):
        integration.events.put_targets(Rule=NAME, Targets=[{"Id": "spot", "Arn": arn}])


@pytest.mark.parametrize("trust", [{"trusted": "lambda.amazonaws.com"}, {"account": "999999999999"}, None])
def test_a_role_that_cannot_be_assumed_delivers_nothing(integration: Integration, trust: dict[str, str] | None) -> None:
    integration.queue()
    if trust is not None:
        integration.role(**trust)
    integration.rule(integration.destination(integration.connection())["ApiDestinationArn"])
    assert integration.interrupt() == ["dead-lettered"]
    (letter,) = integration.dead_letters()
    assert letter["ERROR_CODE"] == "FAILED_TO_ASSUME_ROLE"
    assert set(letter) == {"RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"}


def test_a_new_role_delivers_when_it_has_spread(sandbox: Sandbox, integration: Integration) -> None:
    sandbox.settings(role_spread_seconds=60)
    integration.complete()
    assert integration.interrupt() == ["dead-lettered"]
    assert integration.dead_letters()[0]["ERROR_CODE"] == "FAILED_TO_ASSUME_ROLE"
    sandbox.settings(role_spread_seconds=0)
    assert integration.interrupt() == ["delivered"]


def test_a_role_that_may_not_invoke_delivers_nothing(integration: Integration) -> None:
    integration.complete()
    integration.iam.delete_role_policy(RoleName="execution", PolicyName="invoke")
    assert integration.interrupt() == ["dead-lettered"]
    assert integration.dead_letters()[0]["ERROR_CODE"] == "NO_PERMISSIONS"


def test_an_attached_policy_is_as_good_as_an_inline_one(integration: Integration) -> None:
    integration.complete()
    inline = integration.iam.get_role_policy(RoleName="execution", PolicyName="invoke")["PolicyDocument"]
    integration.iam.delete_role_policy(RoleName="execution", PolicyName="invoke")
    arn = integration.iam.create_policy(PolicyName="invoke", PolicyDocument=json.dumps(inline))["Policy"]["Arn"]
    integration.iam.attach_role_policy(RoleName="execution", PolicyArn=arn)
    assert integration.interrupt() == ["delivered"]


def test_a_role_that_was_deleted_delivers_nothing(integration: Integration) -> None:
    integration.complete()
    integration.iam.delete_role_policy(RoleName="execution", PolicyName="invoke")
    integration.iam.delete_role(RoleName="execution")
    assert integration.interrupt() == ["dead-lettered"]


def test_a_destination_that_was_deleted_is_no_resource(integration: Integration) -> None:
    integration.complete()
    integration.events.delete_api_destination(Name=NAME)
    assert integration.interrupt() == ["dead-lettered"]
    assert integration.dead_letters()[0]["ERROR_CODE"] == "NO_RESOURCE"


def test_parameters_of_the_connection_win_over_the_targets(integration: Integration, endpoint: Endpoint) -> None:
    http = {"QueryStringParameters": {"accountId": "act-wrong", "more": "1"}, "HeaderParameters": {"X-From": "rule"}}
    integration.complete(HttpParameters=http)
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint=f"{endpoint.url}/path")
    integration.interrupt()
    assert endpoint.received[0]["path"] == "/path?accountId=act-d7320fba&more=1"
    assert endpoint.received[0]["headers"]["X-From"] == "rule"


def test_header_and_body_parameters_of_the_connection_are_sent(integration: Integration, endpoint: Endpoint) -> None:
    integration.complete()
    http = {"HeaderParameters": [{"Key": "X-A", "Value": "1"}], "BodyParameters": [{"Key": "extra", "Value": "2"}]}
    parameters = integration.parameters() | {"InvocationHttpParameters": http}
    integration.events.update_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=parameters)
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint=endpoint.url)
    integration.interrupt()
    assert endpoint.received[0]["headers"]["X-A"] == "1"
    assert endpoint.received[0]["body"]["extra"] == "2"


def test_put_events_succeeds_although_the_endpoint_is_down(integration: Integration) -> None:
    integration.complete()
    integration.events.put_rule(Name=NAME, EventPattern='{"source": ["spot.probe"]}')
    integration.events.update_api_destination(Name=NAME, InvocationEndpoint="http://127.0.0.1:1/")
    entry = {"Source": "spot.probe", "DetailType": "probe", "Detail": "{}"}
    assert integration.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_eventbridge_tells_of_itself(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    pattern = json.dumps({"source": ["aws.events"]})
    arn = integration.events.put_rule(Name="alarm", EventPattern=pattern)["RuleArn"]
    url = integration.queue_of("alarm", arn)
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:alarm"
    integration.events.put_targets(Rule="alarm", Targets=[{"Id": "1", "Arn": queue_arn}])
    integration.events.deauthorize_connection(Name=NAME)
    integration.update()
    assert sandbox.settled()
    messages: list[dict[str, Any]] = []
    while answer := integration.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        messages += answer
    assert sorted(json.loads(message["Body"])["detail-type"] for message in messages) == [
        "API Destination Activated",
        "API Destination Deactivated",
        "Connection Authorized",
        "Connection Deauthorized",
    ]


def test_metrics_tell_of_a_delivery(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    integration.interrupt()
    for metric in ("TriggeredRules", "Invocations", "SuccessfulInvocationAttempts"):
        assert sum_of(sandbox, metric) == 1.0, metric
    for metric in ("FailedInvocations", "RetryInvocationAttempts", "InvocationsSentToDlq"):
        assert sum_of(sandbox, metric) == 0, metric


def test_metrics_tell_of_a_failure(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.add_fault({"status": 500}, {"target": "spot"})
    integration.interrupt()
    assert sum_of(sandbox, "FailedInvocations") == 1.0
    assert sum_of(sandbox, "RetryInvocationAttempts") == 3.0
    assert sum_of(sandbox, "InvocationsSentToDlq") == 1.0


def test_metrics_of_another_rule_and_namespace_are_apart(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    integration.interrupt()
    own = {"MetricName": "Invocations", "Value": 7, "Dimensions": [{"Name": "RuleName", "Value": NAME}]}
    cloudwatch = sandbox.boto3("cloudwatch", REGION)
    cloudwatch.put_metric_data(Namespace="Own", MetricData=[own])
    assert sum_of(sandbox, "Invocations") == 1.0
    assert sum_of(sandbox, "Invocations", "another") == 0


def test_metric_statistics_answer_too(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    integration.interrupt()
    answer = sandbox.boto3("cloudwatch", REGION).get_metric_statistics(
        Namespace="AWS/Events",
        MetricName="Invocations",
        Dimensions=[{"Name": "RuleName", "Value": NAME}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=300,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in answer["Datapoints"]] == [1.0]
