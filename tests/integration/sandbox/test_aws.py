# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from tests.integration.sandbox.integration import NAME, REGION, Integration
from tests.sandbox.client import Sandbox

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=1)


def refusal(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_seventeen_regions_are_enabled(sandbox: Sandbox) -> None:
    ec2 = sandbox.boto3("ec2")
    assert len(ec2.describe_regions()["Regions"]) == 17
    assert len(ec2.describe_regions(AllRegions=True)["Regions"]) > 17


def test_the_enabled_regions_can_be_chosen(sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "il-central-1"])
    regions = sandbox.boto3("ec2").describe_regions()["Regions"]
    assert {region["RegionName"]: region["OptInStatus"] for region in regions} == {
        "us-east-1": "opt-in-not-required",
        "il-central-1": "opted-in",
    }


def test_regions_can_be_filtered_by_status(sandbox: Sandbox) -> None:
    wanted = [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]
    regions = sandbox.boto3("ec2").describe_regions(AllRegions=True, Filters=wanted)["Regions"]
    assert {region["OptInStatus"] for region in regions} == {"not-opted-in"}


def test_a_region_that_is_not_enabled_knows_no_token(sandbox: Sandbox) -> None:
    status = refusal(sandbox.boto3("events", "ap-east-1").list_rules)
    assert status == (400, "UnrecognizedClientException")


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("events", "list_rules", (400, "AccessDeniedException")),
        ("secretsmanager", "list_secrets", (400, "AccessDeniedException")),
        ("sqs", "list_queues", (400, "AccessDenied")),
        ("iam", "list_roles", (403, "AccessDenied")),
        ("sts", "get_session_token", (403, "AccessDenied")),
        ("ec2", "describe_regions", (403, "UnauthorizedOperation")),
        ("cloudformation", "list_stacks", (403, "AccessDenied")),
    ],
)
def test_a_key_without_permission_is_denied(sandbox: Sandbox, service: str, operation: str, expected: tuple[int, str]) -> None:
    sandbox.permit("RESTRICTED", [])
    assert refusal(getattr(sandbox.boto3(service, access_key="RESTRICTED"), operation)) == expected


def test_the_tags_of_aws_are_aws_own(sandbox: Sandbox, integration: Integration) -> None:
    url = integration.queue()
    assert refusal(integration.sqs.tag_queue, QueueUrl=url, Tags={"aws:mine": "1"})[0] == 400
    assert refusal(integration.sqs.untag_queue, QueueUrl=url, TagKeys=["aws:mine"])[0] == 400
    arn = integration.events.put_rule(Name=NAME, ScheduleExpression="rate(1 day)")["RuleArn"]
    tags = [{"Key": "aws:mine", "Value": "1"}]
    assert refusal(integration.events.tag_resource, ResourceARN=arn, Tags=tags) == (400, "ValidationException")
    assert refusal(integration.events.untag_resource, ResourceARN=arn, TagKeys=["aws:mine"]) == (400, "ValidationException")
    integration.role()
    assert refusal(integration.iam.tag_role, RoleName="execution", Tags=tags) == (400, "InvalidInput")
    assert refusal(integration.iam.untag_role, RoleName="execution", TagKeys=["aws:mine"]) == (400, "InvalidInput")
    integration.iam.tag_role(RoleName="execution", Tags=[{"Key": "mine", "Value": "aws:mine"}])


def test_nobody_is_refused_to_ask_who_they_are(sandbox: Sandbox) -> None:
    sandbox.permit("RESTRICTED", [])
    assert sandbox.boto3("sts", access_key="RESTRICTED").get_caller_identity()["Account"] == "123456789012"


def test_a_permission_is_a_pattern_and_holds_for_its_key_only(sandbox: Sandbox) -> None:
    sandbox.permit("RESTRICTED", ["events:List*"])
    restricted = sandbox.boto3("events", access_key="RESTRICTED")
    assert restricted.list_rules()["Rules"] == []
    assert refusal(restricted.describe_rule, Name=NAME)[1] == "AccessDeniedException"
    assert refusal(sandbox.boto3("events").describe_rule, Name=NAME)[1] == "ResourceNotFoundException"


def test_a_connection_needs_permission_for_its_secret_too(sandbox: Sandbox, integration: Integration) -> None:
    sandbox.permit("RESTRICTED", ["events:*"])
    integration.events = sandbox.boto3("events", REGION, "RESTRICTED")
    with pytest.raises(ClientError, match="secretsmanager:CreateSecret"):
        integration.connection()


def test_the_first_connection_needs_permission_for_the_service_linked_role(sandbox: Sandbox, integration: Integration) -> None:
    sandbox.permit("RESTRICTED", ["events:*", "secretsmanager:*"])
    everything = integration.events
    integration.events = sandbox.boto3("events", REGION, "RESTRICTED")
    with pytest.raises(ClientError, match="iam:CreateServiceLinkedRole"):
        integration.connection()
    everything.create_connection(Name="first", AuthorizationType="API_KEY", AuthParameters=integration.parameters())
    assert integration.connection()["ConnectionState"] == "AUTHORIZED"


def test_a_target_with_a_role_needs_permission_to_pass_it(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    sandbox.permit("RESTRICTED", ["events:*"])
    integration.events = sandbox.boto3("events", REGION, "RESTRICTED")
    with pytest.raises(ClientError, match="iam:PassRole"):
        integration.put_target("arn:aws:events:eu-west-1:123456789012:api-destination/x/1")


def test_calls_are_logged_without_their_content(sandbox: Sandbox, integration: Integration) -> None:
    integration.connection()
    (call,) = sandbox.calls(service="events")
    assert call.pop("time") <= call.pop("ended")
    assert call == {
        "by": "caller",
        "account": "123456789012",
        "access_key": "testing",
        "region": REGION,
        "service": "events",
        "operation": "CreateConnection",
        "write": True,
        "status": 200,
        "fault": None,
        "tags": {},
    }


def test_calls_are_logged_with_the_tags_that_they_set(sandbox: Sandbox) -> None:
    """A company's policy looks at these, and only at these."""
    tags = [{"Key": "team", "Value": "platform"}]
    sandbox.boto3("events", REGION).put_rule(Name="tagged", EventPattern='{"source": ["a"]}', Tags=tags)
    sandbox.boto3("sqs", REGION).create_queue(QueueName="tagged", tags={"team": "platform"})
    sandbox.boto3("iam").create_role(RoleName="tagged", AssumeRolePolicyDocument="{}", Tags=tags)
    found = [(call["operation"], call["tags"]) for call in sandbox.calls(writes=True)]
    assert found == [(operation, {"team": "platform"}) for operation in ("PutRule", "CreateQueue", "CreateRole")]


def test_calls_that_write_can_be_told_apart(sandbox: Sandbox, integration: Integration) -> None:
    url = integration.queue()
    integration.sqs.receive_message(QueueUrl=url)
    sandbox.boto3("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/x", RoleSessionName="test")
    sandbox.boto3("ec2").describe_regions()
    integration.events.list_rules()
    integration.role()
    assert [call["operation"] for call in sandbox.calls(writes=True)] == ["CreateQueue", "CreateRole", "PutRolePolicy"]


def test_the_log_names_the_account_behind_the_key(sandbox: Sandbox) -> None:
    role = sandbox.boto3("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/x", RoleSessionName="test")
    keys = role["Credentials"]
    other = sandbox.boto3("events", REGION, keys["AccessKeyId"], aws_session_token=keys["SessionToken"])
    other.list_rules()
    assert sandbox.calls(service="events")[0]["account"] == "210987654321"


def test_the_log_can_be_cleared(sandbox: Sandbox, events: Any) -> None:
    events.list_rules()
    sandbox.clear_calls()
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [("events", "list_rules", "ThrottlingException"), ("iam", "list_roles", "Throttling")],
)
def test_fault_throttle(sandbox: Sandbox, service: str, operation: str, code: str) -> None:
    sandbox.add_fault({"throttle": True}, {"service": service})
    assert refusal(getattr(sandbox.boto3(service, config=ONCE), operation)) == (400, code)


def test_fault_error(sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 500, "code": "InternalException"}}, {"region": REGION})
    assert refusal(sandbox.boto3("events", REGION, config=ONCE).list_rules) == (500, "InternalException")
    assert sandbox.boto3("events", "us-east-1").list_rules()["Rules"] == []


def test_fault_latency_does_not_hold_others_up(sandbox: Sandbox) -> None:
    sandbox.add_fault({"latency": 2.0}, {"region": REGION})
    slow = [threading.Thread(target=sandbox.boto3("events", REGION).list_rules) for _ in range(5)]
    other = sandbox.boto3("events", "us-east-1")
    begin = time.monotonic()
    for thread in slow:
        thread.start()
    other.list_rules()
    assert all(thread.is_alive() for thread in slow)
    for thread in slow:
        thread.join()
    # Not one after another.
    assert 2.0 <= time.monotonic() - begin < 5 * 2.0


def test_fault_hang(sandbox: Sandbox) -> None:
    sandbox.add_fault({"hang": 2}, {"service": "events"})
    with pytest.raises(ReadTimeoutError):
        sandbox.boto3("events", config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2)).list_rules()


def test_fault_drop(sandbox: Sandbox) -> None:
    sandbox.add_fault({"drop": True}, {"service": "events"})
    with pytest.raises(ConnectionClosedError):
        sandbox.boto3("events", config=ONCE).list_rules()


def test_fault_garbage(sandbox: Sandbox) -> None:
    sandbox.add_fault({"garbage": True}, {"service": "iam"})
    with pytest.raises(ResponseParserError):
        sandbox.boto3("iam", config=ONCE).list_roles()


def test_fault_lost_answer_has_done_the_call(sandbox: Sandbox) -> None:
    sandbox.add_fault({"lost_answer": True}, {"operation": "PutRule"})
    with pytest.raises(ConnectionClosedError):
        sandbox.boto3("events", config=ONCE).put_rule(Name=NAME, EventPattern='{"source": ["x"]}')
    assert sandbox.boto3("events").describe_rule(Name=NAME)["Name"] == NAME


def test_a_fault_can_come_every_so_often(sandbox: Sandbox) -> None:
    client = sandbox.boto3("events", config=ONCE)
    sandbox.add_fault({"throttle": True}, every=3)
    assert struck(client, 6) == [False, False, True, False, False, True]


def test_a_fault_can_come_late_and_end_soon(sandbox: Sandbox) -> None:
    client = sandbox.boto3("events", config=ONCE)
    sandbox.add_fault({"throttle": True}, after=1, times=2)
    assert struck(client, 5) == [False, True, True, False, False]


def test_a_fault_can_come_at_a_rate_that_repeats(sandbox: Sandbox) -> None:
    client = sandbox.boto3("events", config=ONCE)
    runs = []
    for _ in range(2):
        sandbox.clear_faults()
        sandbox.add_fault({"throttle": True}, rate=0.5, seed=7)
        runs.append(struck(client, 20))
    assert runs[0] == runs[1]
    assert 0 < sum(runs[0]) < 20


def test_a_rate_strikes_four_attempts_of_a_call_at_most(sandbox: Sandbox) -> None:
    retried = Config(retries={"mode": "standard", "total_max_attempts": 6})
    sandbox.add_fault({"throttle": True}, rate=1.0)
    assert sandbox.boto3("events", config=retried).list_rules()["Rules"] == []
    assert [call["status"] for call in sandbox.calls()] == [400] * 4 + [200]


def test_the_first_fault_that_strikes_wins(sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 500, "code": "First"}}, {"operation": "List*"}, times=1)
    sandbox.add_fault({"error": {"status": 500, "code": "Second"}})
    client = sandbox.boto3("events", config=ONCE)
    assert [refusal(client.list_rules)[1] for _ in range(2)] == ["First", "Second"]


def test_faults_can_be_listed_and_removed(sandbox: Sandbox, events: Any) -> None:
    first = sandbox.add_fault({"latency": 0.001}, {"service": "events"})
    sandbox.add_fault({"latency": 0.001}, {"service": "iam"})
    events.list_rules()
    assert [(fault["match"], fault["hits"]) for fault in sandbox.faults()] == [
        ({"service": "events"}, 1),
        ({"service": "iam"}, 0),
    ]
    sandbox.clear_faults(first["id"])
    assert len(sandbox.faults()) == 1


def test_a_fault_is_logged(sandbox: Sandbox) -> None:
    sandbox.add_fault({"throttle": True})
    refusal(sandbox.boto3("events", config=ONCE).list_rules)
    assert [(call["fault"], call["status"]) for call in sandbox.calls()] == [("throttle", 400)]


def test_a_fault_with_a_typing_error_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="regoin"):
        sandbox.add_fault({"drop": True}, {"regoin": REGION})


def test_latency_can_be_had_for_every_call(sandbox: Sandbox, events: Any) -> None:
    events.list_rules()
    sandbox.settings(latency=0.2)
    begin = time.monotonic()
    events.list_rules()
    assert time.monotonic() - begin >= 0.2


def test_a_waiting_receive_does_not_hold_others_up(sandbox: Sandbox, integration: Integration) -> None:
    url = integration.queue()
    waiting = threading.Thread(target=integration.sqs.receive_message, kwargs={"QueueUrl": url, "WaitTimeSeconds": 2})
    waiting.start()
    integration.events.list_rules()
    assert waiting.is_alive()
    waiting.join()


def test_an_operation_that_moto_lacks_is_an_error_and_no_crash(sandbox: Sandbox) -> None:
    client = sandbox.boto3("iam", config=ONCE)
    status, _ = refusal(client.simulate_principal_policy, PolicySourceArn="arn:aws:iam::1:role/x", ActionNames=["a:b"])
    assert status >= 400


def struck(client: Any, calls: int) -> list[bool]:
    result = []
    for _ in range(calls):
        try:
            client.list_rules()
            result.append(False)
        except ClientError:
            result.append(True)
    return result


def test_reads_can_show_a_change_late_to_whoever_has_read_before(sandbox: Sandbox) -> None:
    events, sqs = sandbox.boto3("events"), sandbox.boto3("sqs")
    sandbox.settings(read_lag_seconds=60)
    with pytest.raises(ClientError):
        events.describe_rule(Name="late")
    url = sqs.create_queue(QueueName="late")["QueueUrl"]
    events.put_rule(Name="late", EventPattern='{"source": ["aws.ec2"]}')
    with pytest.raises(ClientError):
        events.describe_rule(Name="late")
    # Nobody has read these before.
    assert [rule["Name"] for rule in events.list_rules()["Rules"]] == ["late"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"] == {"DelaySeconds": "0"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "7"})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"] == {"DelaySeconds": "0"}
    sandbox.settings(read_lag_seconds=0)
    assert events.describe_rule(Name="late")["State"] == "ENABLED"
