# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import DEFAULT_ENDPOINT
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import read as read_module
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings, read
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import sample_warning

AWS, SPOT, NAME = "123456789012", "act-d7320fba", "spot-interruption-act-d7320fba"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
PARAMETERS = {
    "name": NAME,
    "spot_account": SPOT,
    "invocation_endpoint": DEFAULT_ENDPOINT,
    "role_arn": None,
    "queue_name": None,
    "stack_name": None,
    "aws_account": AWS,
    "maximum_event_age_in_seconds": 120,
    "maximum_retry_attempts": 185,
    "invocation_rate_limit_per_second": 300,
    "target_id": "spot",
    "spot_token": None,
}


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read at once is read in order here, so that the order of the calls is known."""
    monkeypatch.setattr(read_module, "at_once", lambda *functions: [function() for function in functions])


class Partition:
    """Regions of which only the first one's partition is asked, and the caller's account."""

    def __init__(self, partition: str = "aws") -> None:
        self.names = ("eu-west-1",)
        self.partition = partition
        self.asked = 0

    def __getitem__(self, name: str) -> Region:
        return Region(name, self.partition, {})

    def aws_account(self) -> str:
        self.asked += 1
        return "210987654321"


def desired(regions: Partition | None = None, **changes: t.Any) -> Desired:
    return Desired.to_compare({**PARAMETERS, **changes}, t.cast("t.Any", regions or Partition()))


def test_the_sample_is_what_the_pattern_asks_for() -> None:
    sample = sample_warning("eu-west-1", AWS)
    assert all(sample[field] in values for field, values in EVENT_PATTERN.items())


# What is there


class World:
    """Clients of a region in which nothing of the integration is there, until a test says otherwise.

    :ivar answers: by operation, what is answered; an exception is raised, a function called
    :ivar asked: the operations that were called
    """

    def __init__(self, refusal: t.Callable[..., ClientError], **answers: t.Any) -> None:
        nothing = refusal("ResourceNotFoundException")
        self.answers: dict[str, t.Any] = {
            "describe_connection": nothing,
            "describe_api_destination": nothing,
            "describe_rule": nothing,
            "list_targets_by_rule": {"Targets": []},
            "get_queue_url": refusal("AWS.SimpleQueueService.NonExistentQueue"),
            "list_api_destinations": {"ApiDestinations": []},
            "get_metric_data": {"MetricDataResults": []},
            **answers,
        }
        self.asked: list[str] = []

    def can_paginate(self, operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> t.Any:
        def call(**arguments: t.Any) -> t.Any:
            self.asked.append(operation)
            answer = self.answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer(**arguments) if callable(answer) else answer

        return call

    def read(self, hours: int = 0) -> Readings:
        clients = dict.fromkeys(("events", "secretsmanager", "sqs", "cloudwatch"), self)
        return read(Region("eu-west-1", "aws", clients), desired(), None, hours, NOW)


RULE = {"Name": NAME, "Arn": f"arn:aws:events:eu-west-1:{AWS}:rule/{NAME}", "State": "ENABLED"}
QUEUE_URL = {"QueueUrl": "https://queue"}


def test_what_is_not_there_is_none(refusal: t.Callable[..., ClientError]) -> None:
    readings = World(refusal).read()
    assert (readings.connection, readings.api_destination, readings.rule, readings.queue) == (None, None, None, None)


def test_each_resource_is_asked_about_once(refusal: t.Callable[..., ClientError]) -> None:
    world = World(refusal)
    world.read()
    assert world.asked == ["describe_connection", "describe_api_destination", "describe_rule", "get_queue_url", "list_api_destinations"]


def test_what_is_refused_is_a_failure_and_the_rest_is_read(refusal: t.Callable[..., ClientError]) -> None:
    readings = World(refusal, describe_connection=refusal("AccessDeniedException", "no", "DescribeConnection")).read()
    assert isinstance(readings.connection, Failure)
    assert readings.connection.denied
    assert (readings.rule, readings.others) == (None, ())


def test_a_region_that_does_not_answer_is_asked_once(refusal: t.Callable[..., ClientError]) -> None:
    silent = ConnectTimeoutError(endpoint_url="https://x")
    world = World(refusal, describe_connection=silent)
    readings = world.read(hours=24)
    assert world.asked == ["describe_connection"]
    assert readings.connection is readings.rule is readings.queue is readings.others


def test_documents_are_what_was_read_and_none_for_the_rest(refusal: t.Callable[..., ClientError]) -> None:
    readings = World(refusal, describe_rule=RULE, describe_connection=refusal("AccessDeniedException")).read()
    documents = readings.documents()
    assert documents["rule"]["name"] == NAME
    assert [kind for kind, document in documents.items() if document is None] == ["connection", "api_destination", "queue"]


def test_aws_is_asked_whether_the_rule_would_pick_a_warning(refusal: t.Callable[..., ClientError]) -> None:
    given: dict[str, t.Any] = {}

    def test_event_pattern(**arguments: t.Any) -> dict[str, bool]:
        given.update(arguments)
        return {"Result": True}

    world = World(refusal, describe_rule={**RULE, "EventPattern": json.dumps(EVENT_PATTERN)}, test_event_pattern=test_event_pattern)
    assert world.read().matches_sample is True
    assert json.loads(given["Event"]) == sample_warning("eu-west-1", AWS)
    assert json.loads(given["EventPattern"]) == EVENT_PATTERN


def test_a_rule_without_a_pattern_picks_nothing(refusal: t.Callable[..., ClientError]) -> None:
    world = World(refusal, describe_rule={**RULE, "ScheduleExpression": "rate(1 day)"})
    assert world.read().matches_sample is False
    assert "test_event_pattern" not in world.asked


def test_no_rule_is_nothing_to_ask_about(refusal: t.Callable[..., ClientError]) -> None:
    assert World(refusal).read().matches_sample is None


# Other destinations


def listed(name: str, endpoint: str = DEFAULT_ENDPOINT) -> dict[str, str]:
    arn = f"arn:aws:events:eu-west-1:{AWS}"
    return {
        "Name": name,
        "ApiDestinationArn": f"{arn}:api-destination/{name}/1",
        "ConnectionArn": f"{arn}:connection/of-{name}/2",
        "InvocationEndpoint": endpoint,
    }


def connection_for(account: str | None) -> t.Callable[..., dict[str, t.Any]]:
    """DescribeConnection of connections of others, with this account in the query string, or without."""
    value = [{"Key": "accountId", "Value": account}] if account else [{"Key": "accountId", "IsValueSecret": True}]

    def describe_connection(Name: str) -> dict[str, t.Any]:  # noqa: N803
        assert Name.startswith("of-") or Name == NAME
        return {
            "ConnectionArn": "arn:c",
            "ConnectionState": "AUTHORIZED",
            "AuthParameters": {"InvocationHttpParameters": {"QueryStringParameters": value}},
        }

    return describe_connection


def others_of(refusal: t.Callable[..., ClientError], *pages: list[dict[str, str]], **answers: t.Any) -> t.Any:
    given = list(pages)

    def list_api_destinations(**arguments: t.Any) -> dict[str, t.Any]:
        page = given.pop(0)
        return {"ApiDestinations": page, **({"NextToken": "more"} if given else {})}

    usual = {
        "describe_connection": connection_for(SPOT),
        "list_api_destinations": list_api_destinations,
        "list_rule_names_by_target": {"RuleNames": ["their-rule"]},
    }
    return World(refusal, **{**usual, **answers}).read().others


def test_destinations_to_the_same_endpoint_are_found_on_all_pages(refusal: t.Callable[..., ClientError]) -> None:
    found = others_of(refusal, [listed("one"), listed(NAME)], [listed("elsewhere", "https://example.com/"), listed("two")])
    assert found == (OtherDestination("one", SPOT, ("their-rule",)), OtherDestination("two", SPOT, ("their-rule",)))


@pytest.mark.parametrize("answer", [connection_for(None), {"ConnectionArn": "arn:c", "ConnectionState": "AUTHORIZED"}])
def test_a_destination_that_does_not_say_for_whom_is_found_all_the_same(refusal: t.Callable[..., ClientError], answer: t.Any) -> None:
    assert others_of(refusal, [listed("one")], describe_connection=answer) == (OtherDestination("one", None, ("their-rule",)),)


def test_a_destination_whose_connection_may_not_be_read_is_found_all_the_same(refusal: t.Callable[..., ClientError]) -> None:
    found = others_of(refusal, [listed("one")], describe_connection=refusal("AccessDeniedException"))
    assert found == (OtherDestination("one", None, ("their-rule",)),)


# Evidence


def attributes(messages: int) -> dict[str, t.Any]:
    return {"Attributes": {"QueueArn": f"arn:aws:sqs:eu-west-1:{AWS}:{NAME}", "ApproximateNumberOfMessages": str(messages)}}


def with_queue(refusal: t.Callable[..., ClientError], messages: int, **answers: t.Any) -> World:
    return World(refusal, get_queue_url=QUEUE_URL, get_queue_attributes=attributes(messages), **answers)


def test_no_hours_look_for_no_evidence(refusal: t.Callable[..., ClientError]) -> None:
    world = with_queue(refusal, 1)
    assert world.read(hours=0).evidence is None
    assert {"get_metric_data", "receive_message"} & set(world.asked) == set()


def test_an_empty_queue_is_not_received_from(refusal: t.Callable[..., ClientError]) -> None:
    world = with_queue(refusal, 0)
    evidence = world.read(hours=24).evidence
    assert evidence is not None
    assert (evidence.dead_letter_count, evidence.dead_letters_unread) == (0, None)
    assert "receive_message" not in world.asked


def test_letters_that_others_hold_are_counted(refusal: t.Callable[..., ClientError]) -> None:
    evidence = with_queue(refusal, 3, receive_message={}).read(hours=24).evidence
    assert evidence is not None
    assert (evidence.dead_letters, evidence.dead_letter_count) == ((), 3)


def test_letters_that_came_meanwhile_are_counted(refusal: t.Callable[..., ClientError]) -> None:
    messages = [{"MessageId": str(number), "Body": "{}"} for number in range(2)]
    evidence = with_queue(refusal, 1, receive_message={"Messages": messages}).read(hours=24).evidence
    assert evidence is not None
    assert (len(evidence.dead_letters), evidence.dead_letter_count) == (2, 2)


def test_letters_that_may_not_be_read_are_counted_with_the_reason(refusal: t.Callable[..., ClientError]) -> None:
    evidence = with_queue(refusal, 2, receive_message=refusal("AccessDenied", "no", "ReceiveMessage")).read(hours=24).evidence
    assert evidence is not None
    assert evidence.dead_letter_count == 2
    assert "AccessDenied: ReceiveMessage: no" in str(evidence.dead_letters_unread)


def test_figures_that_may_not_be_read_are_none_with_the_reason(refusal: t.Callable[..., ClientError]) -> None:
    evidence = with_queue(refusal, 0, get_metric_data=refusal("AccessDenied", "no", "GetMetricData")).read(hours=24).evidence
    assert evidence is not None
    assert set(evidence.metrics.values()) == {None}
    assert "AccessDenied: GetMetricData: no" in str(evidence.unread)


def test_without_a_queue_there_are_no_letters_to_read(refusal: t.Callable[..., ClientError]) -> None:
    evidence = World(refusal).read(hours=24).evidence
    assert evidence is not None
    assert "no queue" in str(evidence.dead_letters_unread)


@pytest.mark.parametrize(("state", "changed"), [("AUTHORIZED", 10), ("DEAUTHORIZED", 0)])
def test_the_loss_of_the_authorisation_is_no_change_since_which_deliveries_count(state: str, changed: int) -> None:
    times = {"last_authorized_time": NOW.isoformat(), "last_modified_time": (NOW + datetime.timedelta(seconds=10)).isoformat()}
    connection = ExistingConnection({"connection_state": state, **times})
    assert read_module._last_change(connection, None) == NOW + datetime.timedelta(seconds=changed)
