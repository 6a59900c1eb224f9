# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import json
import secrets
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import DeadLetter, read_dead_letters, read_metrics_between
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import EVENT_BUS
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn, temporary_rule_prefix
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import carried_tags
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import TEST_EVENT

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

SERVICES = ("events", "sqs", "cloudwatch")
# PutEvents refuses every source of AWS's own.
SOURCE = "spot.eventbridge.test"
DETAIL_TYPE = "EC2 Spot Instance Interruption Warning"
# No instance can have it, so that Spot cannot act on it.
INSTANCE = "i-00000000000000000"

_AUTHORIZED = "AUTHORIZED"
# CloudWatch is a minute or two late, and each query costs money (GetMetricData).
_FIRST_PAUSE = 2.0


@dataclass(frozen=True)
class Outcome:
    """The result of a test event.

    :ivar metrics: of the temporary rule, as `read_metrics_between` returns them
    :ivar seconds: from the event to the metrics that show its result
    :ivar dead_letter: its entry in the dead-letter queue
    :ivar before: the state of the connection before, None if there is none; `after` likewise
    """

    metrics: t.Mapping[str, int | None]
    seconds: float
    dead_letter: DeadLetter | None
    before: str | None
    after: str | None


def event(region: str) -> dict[str, t.Any]:
    """Return the entry for PutEvents: a notice except for its source, of an instance that cannot exist."""
    return {
        "EventBusName": EVENT_BUS,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Resources": [f"arn:aws:ec2:{region}a:instance/{INSTANCE}"],
        "Detail": json.dumps({"instance-id": INSTANCE, "instance-action": "terminate"}),
    }


def test_event(region: Region, name: str, target_id: str | None, *, settle: float, timeout: float, connection: str = "") -> Finding:
    """Send a test event through the rule's own target, and read its result.

    The temporary rule is removed in any case; that of a test event that was killed is removed first.

    :param name: of the rule
    :param target_id: of the target in it; None for the one that sends to an API destination
    :param connection: the name of the connection, if it is another
    :param settle: seconds until a new rule matches (EventBridge user guide: "a short period")
    :param timeout: seconds to wait for CloudWatch, which is a minute or two late
    :raises RegionError: AWS accepted only a part. botocore's errors pass through.
    """
    remove(region, name)
    target = _target(region, name, target_id)
    if target is None:
        return Finding(TEST_EVENT, SKIP, f"{region.name}: There is no target to test.", "Run the playbook spot.eventbridge.onboard.")
    before, start = _state(region, connection or name), datetime.datetime.now(datetime.timezone.utc)
    # A name of its own, so that its figures are those of this test event alone.
    rule = f"{temporary_rule_prefix(name)}{secrets.token_hex(3)}"
    try:
        _send(region, rule, target, carried_tags(region, rule_arn(region, target["Arn"].split(":")[4], name)), settle)
        metrics, seconds = _wait(region, rule, start, timeout)
        dead_letter = _dead_letter(region, target, start) if _failed(metrics) else None
        outcome = Outcome(metrics, seconds, dead_letter, before, _state(region, connection or name))
    finally:
        remove(region, name)
    return finding(region.name, outcome)


def remove(region: Region, name: str) -> None:
    """Remove the temporary rules of this name's test events, if there are any."""
    events = region.clients["events"]
    # The whole list is read before the first removal: a token of a page may become invalid with it.
    for rule in list(items(events, "list_rules", "Rules", NamePrefix=temporary_rule_prefix(name), EventBusName=EVENT_BUS)):
        # A rule of others may have such a name, too.
        if SOURCE not in rule.get("EventPattern", ""):
            continue
        try:
            targets = list(_targets(region, rule["Name"]))
            if targets:
                events.remove_targets(Rule=rule["Name"], EventBusName=EVENT_BUS, Ids=[target["Id"] for target in targets])
            events.delete_rule(Name=rule["Name"], EventBusName=EVENT_BUS)
        except Exception as error:
            if not is_code(error, "ResourceNotFoundException"):
                raise


def finding(region: str, outcome: Outcome) -> Finding:
    """Return the finding of a test event."""
    if outcome.before == _AUTHORIZED and outcome.after not in (_AUTHORIZED, None):
        message = (
            f"{region}: The test event itself de-authorised the connection, which is {outcome.after}: AWS drops every notice from now on."
        )
        return Finding(
            TEST_EVENT, FAIL, message + _why(outcome.dead_letter), "Run the playbook spot.eventbridge.repair; the token may be refused."
        )
    if outcome.metrics.get("delivered"):
        return Finding(TEST_EVENT, PASS, f"{region}: Spot took a test event; CloudWatch showed it after {outcome.seconds:.0f} s.")
    if _failed(outcome.metrics):
        message = f"{region}: A test event did not reach Spot.{_why(outcome.dead_letter)}"
        return Finding(TEST_EVENT, FAIL, message, "Correct the error that it names, then purge the dead-letter queue.")
    told = "it was matched" if outcome.metrics.get("matched") else "nothing"
    message = f"{region}: The result of a test event is not known: after {outcome.seconds:.0f} s, CloudWatch shows {told}."
    return Finding(TEST_EVENT, UNKNOWN, message, "Try again with more time; CloudWatch may be late.")


def _why(dead_letter: DeadLetter | None) -> str:
    return f" {dead_letter.error_code}: {dead_letter.error_message}" if dead_letter else ""


def _failed(metrics: t.Mapping[str, int | None]) -> bool:
    return any(metrics.get(key) for key in ("failed", "dead_lettered", "dead_letter_failed"))


def _targets(region: Region, rule: str) -> t.Iterator[dict[str, t.Any]]:
    return items(region.clients["events"], "list_targets_by_rule", "Targets", Rule=rule, EventBusName=EVENT_BUS)


def _target(region: Region, name: str, target_id: str | None) -> dict[str, t.Any] | None:
    try:
        targets = list(_targets(region, name))
    except Exception as error:
        if is_code(error, "ResourceNotFoundException"):
            return None
        raise
    ours = [target for target in targets if target["Id"] == target_id or (target_id is None and ":api-destination/" in target["Arn"])]
    return ours[0] if ours else None


def _state(region: Region, name: str) -> str | None:
    try:
        return str(region.clients["events"].describe_connection(Name=name)["ConnectionState"])
    except Exception as error:
        if is_code(error, "ResourceNotFoundException"):
            return None
        raise


def _send(region: Region, rule: str, target: t.Mapping[str, t.Any], tags: t.Mapping[str, str], settle: float) -> None:
    events = region.clients["events"]
    events.put_rule(
        Name=rule,
        EventBusName=EVENT_BUS,
        EventPattern=json.dumps({"source": [SOURCE], "detail-type": [DETAIL_TYPE]}),
        State="ENABLED",
        Description="A test event of the Ansible collection spot.eventbridge. It is temporary: remove it.",
        **({"Tags": ansible_dict_to_boto3_tag_list(tags)} if tags else {}),
    )
    _all_done(events.put_targets(Rule=rule, EventBusName=EVENT_BUS, Targets=[target]), "PutTargets", "FailedEntries")
    time.sleep(settle)
    _all_done(events.put_events(Entries=[event(region.name)]), "PutEvents", "Entries")


def _all_done(response: t.Mapping[str, t.Any], operation: str, entries: str) -> None:
    if response.get("FailedEntryCount"):
        told = "; ".join(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}" for entry in response.get(entries, []))
        raise RegionError("FailedEntries", f"{operation} failed: {told}")


def _wait(region: Region, rule: str, start: datetime.datetime, timeout: float) -> tuple[dict[str, int | None], float]:
    """Read the metrics until they show a delivery or a failure, or the time is over."""
    # CloudWatch refuses an empty time, and figures lie at the beginning of their minute.
    start -= datetime.timedelta(minutes=5)

    def read() -> dict[str, int | None]:
        return read_metrics_between(region, rule, start, datetime.datetime.now(datetime.timezone.utc))

    deadline = Deadline(timeout)
    metrics = poll(read, lambda found: bool(found.get("delivered")) or _failed(found), deadline, at_least=_FIRST_PAUSE)
    return metrics, deadline.passed


def _dead_letter(region: Region, target: t.Mapping[str, t.Any], start: datetime.datetime) -> DeadLetter | None:
    arn = target.get("DeadLetterConfig", {}).get("Arn")
    if not arn:
        return None
    try:
        url = region.clients["sqs"].get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        dead_letters = read_dead_letters(region, url)
    except Exception:
        return None  # why it failed stays unknown; that it failed is known
    since = start.strftime("%Y-%m-%dT%H:%M:%SZ")
    return next(
        (dead_letter for dead_letter in dead_letters if dead_letter.instance_id == INSTANCE and (dead_letter.time or "") >= since), None
    )
