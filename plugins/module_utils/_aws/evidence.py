# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, WARN, Finding

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# EventBridge user guide, "Monitoring Amazon EventBridge"; all have the dimension RuleName.
METRICS = {
    "matched": "TriggeredRules",
    "delivered": "SuccessfulInvocationAttempts",
    "retried": "RetryInvocationAttempts",
    "failed": "FailedInvocations",
    "dead_lettered": "InvocationsSentToDlq",
    "dead_letter_failed": "InvocationsFailedToBeSentToDlq",
}
# CloudWatch keeps five-minute figures for 63 days; a shorter period would be refused for long windows.
_PERIOD = 300
# The instance of test events: Spot's response to it is no evidence.
IMPOSSIBLE_INSTANCE = "i-00000000000000000"
Points = dict[str, list[tuple[datetime.datetime, float]]]
# ReceiveMessage returns at most ten messages at a time, of a random subset (SQS API reference).
_LOOKS = 5
_MOST_DEAD_LETTERS = 20


@dataclass(frozen=True)
class DeadLetter:
    """A notice that could not be delivered, and why.

    :ivar time: when EC2 sent the notice, ISO 8601
    :ivar error_code: EventBridge's, such as `NO_PERMISSIONS`
    :ivar error_message: Spot's response, or EventBridge's reason
    :ivar attempts: how often delivery was tried again; None if unknown
    :ivar source: that of the event: EC2's for a warning, or EventBridge's own for a loss that was to be reported to a hub
    """

    time: str | None
    error_code: str | None
    error_message: str | None
    attempts: int | None
    instance_id: str | None
    source: str | None = None


@dataclass(frozen=True)
class Recent:
    """The deliveries of the window since the last change of the connection and the API destination.

    Earlier deliveries prove nothing about the present integration.

    :ivar since: in words
    :ivar failed: how many failed at least
    :ivar delivered: how many arrived at most
    :ivar dead_letter: the latest dead letter of that time
    """

    since: str
    failed: int
    delivered: int
    dead_letter: DeadLetter | None = None


@dataclass(frozen=True)
class Evidence:
    """The deliveries of a region.

    :ivar metrics: sums over the window by the keys of METRICS; None where CloudWatch has no data, or was not to be read
    :ivar unread: why the metrics could not be read
    :ivar dead_letters: the latest first
    :ivar dead_letter_count: how many there are at least
    :ivar dead_letters_unread: why they could not be read
    :ivar recent: None where it is not known
    :ivar unreported: the events about a lost authorisation that did not reach the hub, the latest first
    """

    window_hours: int
    metrics: t.Mapping[str, int | None]
    dead_letters: tuple[DeadLetter, ...] = ()
    dead_letter_count: int = 0
    unread: str | None = None
    dead_letters_unread: str | None = None
    recent: Recent | None = None
    unreported: tuple[DeadLetter, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """Return the entry in results and reports."""
        dead_letters: dict[str, t.Any] = {
            "count": self.dead_letter_count,
            "messages": [
                {name: value for name, value in asdict(dead_letter).items() if name != "source"} for dead_letter in self.dead_letters
            ],
        }
        if self.dead_letters_unread:
            dead_letters["note"] = self.dead_letters_unread
        result: dict[str, t.Any] = {"window_hours": self.window_hours, "metrics": dict(self.metrics), "dead_letters": dead_letters}
        if self.unread:
            result["note"] = self.unread
        return result


def read_metrics_between(region: Region, rule: str, start: datetime.datetime, end: datetime.datetime) -> dict[str, int | None]:
    """Return sums of the metrics of a rule; None where CloudWatch has no data, which proves nothing.

    A period of CloudWatch that begins before the first time counts as a whole.
    """
    return sums_of(read_points(region, rule, start, end))


def sums_of(points: Points, since: datetime.datetime | None = None) -> dict[str, int | None]:
    """Return the sum of each metric, or of its periods that begin at a time or later."""
    chosen = {key: [value for time, value in found if since is None or time >= since] for key, found in points.items()}
    return {key: int(sum(values)) if values else None for key, values in chosen.items()}


def read_points(region: Region, rule: str, start: datetime.datetime, end: datetime.datetime) -> Points:
    """Return the metrics of a rule by period: when it begins, and the sum."""
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Events", "MetricName": name, "Dimensions": [{"Name": "RuleName", "Value": rule}]},
                "Period": _PERIOD,
                "Stat": "Sum",
            },
        }
        for key, name in METRICS.items()
    ]
    points: Points = {key: [] for key in METRICS}
    window = {"StartTime": start, "EndTime": end}
    for result in items(region.clients["cloudwatch"], "get_metric_data", "MetricDataResults", MetricDataQueries=queries, **window):
        values = result.get("Values", [])
        # Of periods without a time, nothing is known but that they are of the window.
        points[result["Id"]] += zip(result.get("Timestamps") or [start] * len(values), values)
    return points


def recent(points: Points, dead_letters: t.Iterable[DeadLetter], start: datetime.datetime, changed: datetime.datetime | None) -> Recent:
    """Return the deliveries since the last change.

    The period of the change counts as delivered, and not as failed: the change may have repaired its failures.

    :param start: the start of the window
    :param changed: when the connection or the API destination was last changed; None if that is not known
    """
    since = max(start, changed) if changed else start
    figures = sums_of(points, since)
    arrived = sums_of(points, since - datetime.timedelta(seconds=_PERIOD))["delivered"]
    letters = [letter for letter in dead_letters if letter.instance_id != IMPOSSIBLE_INSTANCE and _after(letter.time, since)]
    failed = max(figures["failed"] or 0, figures["dead_lettered"] or 0, len(letters))
    what = f"since {since:%Y-%m-%dT%H:%M:%SZ}, when the connection was last changed," if since != start else "of the window"
    return Recent(what, failed, arrived or 0, letters[0] if letters else None)


def _after(time: str | None, since: datetime.datetime) -> bool:
    try:
        return datetime.datetime.fromisoformat((time or "").replace("Z", "+00:00")) >= since.replace(microsecond=0)
    except (TypeError, ValueError):
        return False


def read_dead_letters(region: Region, queue_url: str) -> tuple[DeadLetter, ...]:
    """Return dead letters, the latest first, without taking them: they stay visible to everybody else."""
    found: dict[str, DeadLetter] = {}
    for _look in range(_LOOKS):
        messages = (
            region.clients["sqs"]
            .receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=0,
                WaitTimeSeconds=0,
                MessageAttributeNames=["All"],
            )
            .get("Messages", [])
        )
        known = len(found)
        for message in messages:
            found[message["MessageId"]] = parse_dead_letter(message)
        if len(found) == known or len(found) >= _MOST_DEAD_LETTERS:
            break
    return tuple(sorted(found.values(), key=lambda dead_letter: dead_letter.time or "", reverse=True)[:_MOST_DEAD_LETTERS])


def parse_dead_letter(message: t.Mapping[str, t.Any]) -> DeadLetter:
    """Return the dead letter of an SQS message (EventBridge user guide, "Considerations for using a dead-letter queue")."""
    try:
        event = json.loads(message.get("Body", ""))
    except ValueError:
        event = None
    attributes = {name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()}
    attempts = attributes.get("RETRY_ATTEMPTS") or ""
    return DeadLetter(
        time=_text(event, "time"),
        error_code=attributes.get("ERROR_CODE"),
        error_message=attributes.get("ERROR_MESSAGE"),
        attempts=int(attempts) if attempts.isdecimal() else None,
        instance_id=_text(event, "detail", "instance-id"),
        source=_text(event, "source"),
    )


def _text(value: t.Any, *keys: str) -> str | None:
    # The queue may hold messages of any form.
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def findings(evidence: Evidence) -> list[Finding]:
    """Return the findings of the evidence. No data is reported as no data, never as a pass."""
    return [_deliveries(evidence), _dead_letters(evidence)]


def _deliveries(evidence: Evidence) -> Finding:
    hours = evidence.window_hours
    if evidence.unread:
        return Finding(
            "deliveries",
            SKIP,
            f"Deliveries were not checked: {evidence.unread.rstrip('.')}.",
            "Grant cloudwatch:GetMetricData, or try again.",
        )
    figures = {key: value for key, value in evidence.metrics.items() if value is not None}
    if evidence.recent and evidence.recent.failed and not evidence.recent.delivered:
        return _failing(evidence.recent)
    if not figures:
        message = f"CloudWatch has no data of the last {hours} h: possibly no instance was interrupted. This proves nothing."
        return Finding("deliveries", SKIP, message, "Wait for an interruption, or widen the window.")
    counted = ", ".join(f"{value} {key.replace('_', ' ')}" for key, value in figures.items())
    if any(figures.get(key) for key in ("failed", "dead_lettered", "dead_letter_failed")):
        return Finding(
            "deliveries",
            WARN,
            f"Not every notice of the last {hours} h reached Spot: {counted}.",
            "Read the reasons in the dead letters. If they are older than the last repair, no action is needed.",
        )
    if figures.get("delivered"):
        return Finding("deliveries", PASS, f"Notices of the last {hours} h reached Spot: {counted}.")
    return Finding("deliveries", SKIP, f"No delivery in the last {hours} h: {counted}. This proves nothing.", "Wait for an interruption.")


_REMEDIES = {
    401: "Run the playbook spot.eventbridge.repair with a token that Spot accepts.",
    403: "Give the token's user the permission elastigroup:createInstanceinterruptionNotification, then run the playbook repair.",
}


def _failing(recent: Recent) -> Finding:
    message = f"No notice {recent.since} reached Spot: {recent.failed} failed."
    letter = recent.dead_letter
    if letter:
        message += f" The latest dead letter, of {letter.time}: {letter.error_code}: {letter.error_message}"
    said = (letter.error_message if letter else None) or ""
    found = (remedy for status, remedy in _REMEDIES.items() if f"status code {status}" in said)
    return Finding("deliveries", FAIL, message, next(found, "Correct the error that the latest dead letter names."))


def _dead_letters(evidence: Evidence) -> Finding:
    if evidence.dead_letters_unread:
        return Finding(
            "dead_letters",
            SKIP,
            f"Dead letters were not read: {evidence.dead_letters_unread.rstrip('.')}.",
            "Repair the queue, or grant sqs:ReceiveMessage.",
        )
    if not evidence.dead_letter_count:
        return Finding("dead_letters", PASS, "There are no dead letters.")
    message = f"{evidence.dead_letter_count} dead letter(s)."
    if evidence.dead_letters:
        last = evidence.dead_letters[0]
        message += f" The latest, of {last.time}, instance {last.instance_id}: {last.error_code}: {last.error_message}"
    return Finding("dead_letters", WARN, message, "Correct the errors that they name, then purge the queue.")
