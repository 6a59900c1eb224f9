# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import (
    METRICS,
    DeadLetter,
    Evidence,
    Recent,
    findings,
    parse_dead_letter,
    read_dead_letters,
    read_metrics_between,
    read_points,
    recent,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

EVENT = {"time": "2026-01-01T00:00:00Z", "detail": {"instance-id": "i-1", "instance-action": "terminate"}}
LETTER = DeadLetter("2026-01-01T00:00:00Z", "SDK_CLIENT_ERROR", "HTTP status code 401", 3, "i-1")
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)


def figures(**known: int) -> dict[str, int | None]:
    return {**dict.fromkeys(METRICS), **known}


def evidence(**known: int) -> Evidence:
    return Evidence(24, figures(**known))


def found(given: Evidence, check: str) -> Finding:
    return next(finding for finding in findings(given) if finding.check == check)


def message(body: str | None = json.dumps(EVENT), number: int = 1, **attributes: str) -> dict[str, t.Any]:
    given = {"ERROR_CODE": "SDK_CLIENT_ERROR", "ERROR_MESSAGE": "HTTP status code 401", "RETRY_ATTEMPTS": "3", **attributes}
    texts = {name: {"StringValue": value, "DataType": "String"} for name, value in given.items()}
    return {"MessageId": f"m-{number}", "MessageAttributes": texts, **({} if body is None else {"Body": body})}


# What figures mean


@pytest.mark.parametrize(
    ("known", "outcome"),
    [
        ({}, SKIP),
        ({"matched": 2}, SKIP),
        ({"matched": 0, "delivered": 0, "failed": 0}, SKIP),
        ({"matched": 2, "retried": 4}, SKIP),
        ({"matched": 2, "delivered": 2}, PASS),
        ({"matched": 2, "delivered": 2, "retried": 1, "failed": 0}, PASS),
        ({"matched": 2, "delivered": 1, "failed": 1}, WARN),
        ({"matched": 2, "delivered": 2, "dead_lettered": 1}, WARN),
        ({"matched": 2, "delivered": 2, "dead_letter_failed": 1}, WARN),
    ],
)
def test_deliveries_pass_only_without_a_failure(known: dict[str, int], outcome: str) -> None:
    assert found(evidence(**known), "deliveries").outcome == outcome


def test_missing_metrics_are_reported_as_no_data() -> None:
    said = found(evidence(), "deliveries").message
    assert "no data of the last 24 h" in said
    assert "proves nothing" in said


def test_message_has_all_known_metrics() -> None:
    said = found(evidence(matched=3, delivered=2, dead_letter_failed=1), "deliveries").message
    assert said.endswith("3 matched, 2 delivered, 1 dead letter failed.")


def test_unread_metrics_are_skipped_with_the_reason() -> None:
    finding = found(Evidence(24, figures(), unread="AccessDenied: no"), "deliveries")
    assert (finding.outcome, finding.remedy) == (SKIP, "Grant cloudwatch:GetMetricData, or try again.")
    assert "AccessDenied: no" in finding.message


# What dead letters mean


def test_dead_letters_pass_without_any() -> None:
    assert found(evidence(), "dead_letters").outcome == PASS


def test_message_has_the_latest_dead_letter() -> None:
    finding = found(Evidence(24, figures(), (LETTER,), 7), "dead_letters")
    assert finding.outcome == WARN
    assert finding.message == (
        "7 dead letter(s). The latest, of 2026-01-01T00:00:00Z, instance i-1: SDK_CLIENT_ERROR: HTTP status code 401"
    )


def test_dead_letters_in_flight_are_a_warning() -> None:
    assert found(Evidence(24, figures(), (), 2), "dead_letters").message == "2 dead letter(s)."


def test_unread_dead_letters_are_skipped_with_the_reason() -> None:
    finding = found(Evidence(24, figures(), dead_letters_unread="AccessDenied: no"), "dead_letters")
    assert (finding.outcome, finding.remedy) == (SKIP, "Repair the queue, or grant sqs:ReceiveMessage.")
    assert "AccessDenied: no" in finding.message


@pytest.mark.parametrize(
    "given",
    [evidence(), evidence(failed=1), Evidence(24, figures(), (LETTER,), 1), Evidence(24, figures(), unread="x", dead_letters_unread="y")],
)
def test_every_finding_but_a_pass_has_a_remedy(given: Evidence) -> None:
    assert [finding for finding in findings(given) if bool(finding.remedy) == (finding.outcome == PASS)] == []


def test_message_ends_with_one_full_stop() -> None:
    given = Evidence(24, figures(), unread="AccessDenied: no.", dead_letters_unread="AccessDenied: no.")
    assert [finding.message for finding in findings(given) if ".." in finding.message] == []


# The shape in results and reports


def test_evidence_in_a_result() -> None:
    assert Evidence(24, figures(matched=1), (LETTER,), 1).as_dict() == {
        "window_hours": 24,
        "metrics": {
            "matched": 1,
            "delivered": None,
            "retried": None,
            "failed": None,
            "dead_lettered": None,
            "dead_letter_failed": None,
        },
        "dead_letters": {
            "count": 1,
            "messages": [
                {
                    "time": "2026-01-01T00:00:00Z",
                    "error_code": "SDK_CLIENT_ERROR",
                    "error_message": "HTTP status code 401",
                    "attempts": 3,
                    "instance_id": "i-1",
                }
            ],
        },
    }


def test_unread_evidence_is_noted_in_a_result() -> None:
    told = Evidence(24, figures(), unread="no figures", dead_letters_unread="no letters").as_dict()
    assert (told["note"], told["dead_letters"]["note"]) == ("no figures", "no letters")


# Dead letters


def test_a_dead_letter_is_parsed() -> None:
    assert parse_dead_letter(message()) == LETTER


@pytest.mark.parametrize("body", [None, "", "no JSON", "null", "[]", "7", '"text"', "{}", '{"detail": null}', '{"detail": ["i-1"]}'])
def test_dead_letter_with_another_body_keeps_its_attributes(body: str | None) -> None:
    assert parse_dead_letter(message(body)) == DeadLetter(None, LETTER.error_code, LETTER.error_message, 3, None)


@pytest.mark.parametrize("attempts", ["", "many", "-1", "1.5", "²"])
def test_attempts_without_a_number_are_none(attempts: str) -> None:
    assert parse_dead_letter(message(RETRY_ATTEMPTS=attempts)).attempts is None


def test_a_dead_letter_without_attributes_still_names_the_instance() -> None:
    assert parse_dead_letter({"MessageId": "m", "Body": json.dumps(EVENT)}) == DeadLetter(LETTER.time, None, None, None, "i-1")


def test_attribute_without_text_is_none() -> None:
    assert parse_dead_letter({"Body": "", "MessageAttributes": {"ERROR_CODE": {"BinaryValue": b"x"}}}).error_code is None


@pytest.mark.parametrize(("event", "told"), [({"time": 5}, (None, None)), ({"detail": {"instance-id": 5}}, (None, None))])
def test_field_of_another_type_is_none(event: dict[str, t.Any], told: tuple[t.Any, t.Any]) -> None:
    dead_letter = parse_dead_letter(message(json.dumps(event)))
    assert (dead_letter.time, dead_letter.instance_id) == told


class Sqs:
    """Gives one batch after the other, and remembers what it was asked."""

    def __init__(self, *batches: list[dict[str, t.Any]]) -> None:
        self.batches = list(batches)
        self.asked: list[dict[str, t.Any]] = []

    def receive_message(self, **arguments: t.Any) -> dict[str, t.Any]:
        self.asked.append(arguments)
        batch = self.batches.pop(0) if self.batches else []
        return {"Messages": batch} if batch else {}


def dead_letters_of(sqs: Sqs) -> tuple[DeadLetter, ...]:
    return read_dead_letters(Region("eu-west-1", "aws", {"sqs": sqs}), "https://queue")


def dated(day: int) -> dict[str, t.Any]:
    return message(json.dumps({**EVENT, "time": f"2026-01-{day:02}T00:00:00Z"}), number=day)


def test_peek_makes_dead_letters_visible_again() -> None:
    sqs = Sqs([dated(1)])
    dead_letters_of(sqs)
    assert {asked["VisibilityTimeout"] for asked in sqs.asked} == {0}


def test_peek_receives_ten_messages_without_waiting() -> None:
    sqs = Sqs()
    dead_letters_of(sqs)
    assert [(asked["WaitTimeSeconds"], asked["MaxNumberOfMessages"]) for asked in sqs.asked] == [(0, 10)]


def test_the_latest_dead_letter_comes_first() -> None:
    assert [dead_letter.time for dead_letter in dead_letters_of(Sqs([dated(1), dated(3)], [dated(2)]))] == [
        f"2026-01-0{day}T00:00:00Z" for day in (3, 2, 1)
    ]


def test_repeated_dead_letter_is_counted_once() -> None:
    assert len(dead_letters_of(Sqs([dated(1)], [dated(1), dated(2)], [dated(2)]))) == 2


def test_peek_ends_without_new_dead_letters() -> None:
    sqs = Sqs([dated(1)], [dated(1)], [dated(2)])
    dead_letters_of(sqs)
    assert len(sqs.asked) == 2


def test_peek_of_a_full_queue_ends() -> None:
    sqs = Sqs(*[[message(number=10 * batch + number) for number in range(10)] for batch in range(9)])
    assert len(dead_letters_of(sqs)) == 20
    assert len(sqs.asked) == 2


def test_malformed_dead_letter_leaves_the_others_readable() -> None:
    assert [
        dead_letter.time for dead_letter in dead_letters_of(Sqs([message('{"time": 5}', number=1), message("x", number=2), dated(3)]))
    ] == [
        "2026-01-03T00:00:00Z",
        None,
        None,
    ]


# Figures


class CloudWatch:
    """Answers with pages of figures, and remembers what it was asked."""

    def __init__(self, *pages: dict[str, list[float]]) -> None:
        self.pages = list(pages)
        self.asked: list[dict[str, t.Any]] = []

    def can_paginate(self, operation: str) -> bool:
        return False

    def get_metric_data(self, **arguments: t.Any) -> dict[str, t.Any]:
        self.asked.append(arguments)
        page = self.pages.pop(0)
        results = [{"Id": key, "Values": values} for key, values in page.items()]
        return {"MetricDataResults": results, **({"NextToken": "more"} if self.pages else {})}


def metrics_of(cloudwatch: CloudWatch, hours: int = 24) -> dict[str, int | None]:
    return read_metrics_between(
        Region("eu-west-1", "aws", {"cloudwatch": cloudwatch}), "a-rule", NOW - datetime.timedelta(hours=hours), NOW
    )


def test_metrics_are_summed_over_the_window_and_all_pages() -> None:
    assert metrics_of(CloudWatch({"matched": [1.0, 2.0], "failed": [1.0]}, {"matched": [4.0]})) == figures(matched=7, failed=1)


def test_metric_without_values_is_none() -> None:
    assert metrics_of(CloudWatch({"matched": [], "failed": [0.0]})) == figures(failed=0)


def test_metrics_are_read_to_the_last_page() -> None:
    cloudwatch = CloudWatch({}, {}, {})
    metrics_of(cloudwatch)
    assert [asked.get("NextToken") for asked in cloudwatch.asked] == [None, "more", "more"]


def test_metrics_are_those_of_the_rule_over_the_window() -> None:
    cloudwatch = CloudWatch({})
    metrics_of(cloudwatch, hours=6)
    (asked,) = cloudwatch.asked
    assert asked["EndTime"] - asked["StartTime"] == datetime.timedelta(hours=6)
    metrics = [query["MetricStat"]["Metric"] for query in asked["MetricDataQueries"]]
    assert {metric["Namespace"] for metric in metrics} == {"AWS/Events"}
    assert {json.dumps(metric["Dimensions"]) for metric in metrics} == {'[{"Name": "RuleName", "Value": "a-rule"}]'}
    assert [metric["MetricName"] for metric in metrics] == [
        "TriggeredRules",
        "SuccessfulInvocationAttempts",
        "RetryInvocationAttempts",
        "FailedInvocations",
        "InvocationsSentToDlq",
        "InvocationsFailedToBeSentToDlq",
    ]


# What failed since the last change

CHANGED = NOW - datetime.timedelta(hours=2)


def at(minutes: int) -> datetime.datetime:
    """A time so many minutes after the last change."""
    return CHANGED + datetime.timedelta(minutes=minutes)


def since(failed: tuple[int, ...] = (), delivered: tuple[int, ...] = (), letters: tuple[int, ...] = (), **more: t.Any) -> str:
    """Return the outcome of deliveries; all times are minutes after the last change."""
    points = {**{key: [] for key in METRICS}, "failed": [(at(n), 1.0) for n in failed], "delivered": [(at(n), 1.0) for n in delivered]}
    found_letters = [
        DeadLetter(at(n).isoformat(), "SDK_CLIENT_ERROR", "HTTP status code 403", 0, more.get("instance", "i-1")) for n in letters
    ]
    known = recent(points, found_letters, NOW - datetime.timedelta(hours=24), more.get("changed", CHANGED))
    return found(Evidence(24, figures(matched=1), tuple(found_letters), len(letters), recent=known), "deliveries").outcome


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"failed": (5, 20)}, FAIL),
        ({"letters": (1,)}, FAIL),
        ({"failed": (5,), "delivered": (60,)}, SKIP),
        # Before the change, or in the period in which it was: no evidence.
        ({"failed": (-30, -2)}, SKIP),
        ({"letters": (-1,)}, SKIP),
        # What arrived before the change says as little.
        ({"failed": (5,), "delivered": (-30,)}, FAIL),
        ({"letters": (1,), "delivered": (-2,)}, SKIP),
        # The connection was not changed in the window, or nobody knows when.
        ({"failed": (-30,), "changed": NOW - datetime.timedelta(hours=48)}, FAIL),
        ({"failed": (-30,), "changed": None}, FAIL),
        # A test event's dead letter is about an instance that Spot cannot know.
        ({"letters": (1,), "instance": "i-00000000000000000"}, SKIP),
        ({}, SKIP),
    ],
)
def test_a_region_fails_only_if_every_delivery_since_the_last_change_failed(given: dict[str, t.Any], outcome: str) -> None:
    assert since(**given) == outcome


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "with a token that Spot accepts"),
        (403, "elastigroup:createInstanceinterruptionNotification"),
        (404, "Correct the error that the latest dead letter names."),
    ],
)
def test_the_reason_is_that_of_the_latest_dead_letter_and_the_remedy_is_of_its_status(status: int, remedy: str) -> None:
    message = f"Unable to invoke ApiDestination endpoint: HTTP status code {status}"
    letter = DeadLetter("2026-01-01T00:00:00Z", "SDK_CLIENT_ERROR", message, 0, "i-1")
    finding = found(Evidence(24, figures(), recent=Recent("of the window", 3, 0, letter)), "deliveries")
    assert (finding.outcome, message in finding.message, "3 failed" in finding.message) == (FAIL, True, True)
    assert remedy in finding.remedy


def test_periods_have_their_times() -> None:
    cloudwatch = CloudWatch({"failed": [1.0]})
    points = read_points(Region("eu-west-1", "aws", {"cloudwatch": cloudwatch}), "a-rule", CHANGED, NOW)
    assert points["failed"] == [(CHANGED, 1.0)]
