# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import (
    METRICS,
    Evidence,
    read_dead_letters,
    read_points,
    recent,
    sums_of,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination, others
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack, owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ExistingRole, read_with_policies
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames, names_of, stack_names
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import HealingRecord, healing_in
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import Records, read_tags, records_in
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import sample_warning
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import SOURCE
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.seen import Reports, SeenHub, read_hub, reports_in

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

Read = t.TypeVar("Read")

SERVICES = ("events", "secretsmanager", "sqs", "cloudwatch")


@dataclass(frozen=True)
class Readings:
    """Everything about an integration in a region. Each part is the response, None if it does not exist, or why it could not be
    read.

    :ivar stack: the stack that it belongs to, None if to none
    :ivar matches_sample: whether the rule matches a sample notice (TestEventPattern); None if there is no rule
    :ivar alarm_rule: the rule that watches it, where that is desired
    :ivar hub: the hub, where it is in the same account
    :ivar reports: the evidence of a hub in another account; None where deliveries are not read
    :ivar tags: the tags of rule and queue, by kind; those of a part that is not there, or need not be read, are missing
    :ivar notification: the record of notifications of Spot's operators; None if there is no rule that records them
    """

    connection: ExistingConnection | Failure | None
    api_destination: ExistingApiDestination | Failure | None
    rule: ExistingRule | Failure | None
    queue: ExistingQueue | Failure | None
    execution_role: ExistingRole | Failure | None
    matches_sample: bool | Failure | None = None
    others: tuple[OtherDestination, ...] | Failure = ()
    evidence: Evidence | None = None
    notification: Records | Failure | None = None
    stack: Stack | StackNames | Failure | None = None
    tags: t.Mapping[str, t.Mapping[str, str] | Failure] = field(default_factory=dict)
    alarm_rule: ExistingRule | Failure | None = None
    hub: SeenHub | Failure | None = None
    reports: Reports | Failure | None = None

    @classmethod
    def unread(cls, failure: Failure) -> Readings:
        """Return the readings of a region of which nothing could be read."""
        return cls(failure, failure, failure, failure, failure, others=failure, stack=failure)

    def healing(self, spot_account: str) -> HealingRecord:
        """Return what the rule's tags record of the region's healing, or why they could not be read."""
        tags = self.tags.get("rule", {})
        return HealingRecord(unread=f"{tags.code}: {tags.message}") if isinstance(tags, Failure) else healing_in(tags, spot_account)

    @property
    def stack_set(self) -> str:
        """Return the stack of a stack set that it belongs to; empty if it belongs to none, as far as is known."""
        stack = self.stack.stack if isinstance(self.stack, StackNames) else self.stack
        return stack.name if isinstance(stack, Stack) and stack.of_a_set else ""

    def documents(self) -> dict[str, t.Any]:
        """Return the resources as results have them: None for a resource that does not exist or could not be read."""
        parts = {
            "connection": self.connection,
            "api_destination": self.api_destination,
            "rule": self.rule,
            "queue": self.queue,
        }
        return {name: None if part is None or isinstance(part, Failure) else part.document for name, part in parts.items()}


@dataclass
class Reader:
    """Reads on after a refused call, and makes no further call to a region that does not respond at all."""

    region: Region
    gone: Failure | None = field(default=None)

    def __call__(self, function: t.Callable[[], Read]) -> Read | Failure:
        if self.gone:
            return self.gone
        try:
            return function()
        except Exception as error:
            failure = failure_of(error)
            if failure.unreachable:
                self.gone = failure
            return failure


def read(
    region: Region,
    desired: Desired,
    role: ExistingRole | Failure | None,
    window_hours: int,
    now: datetime.datetime,
    *,
    stack: StackNames | None = None,
) -> Readings:
    """Read everything about an integration in one region. Makes no writing call, and never raises for a refusal of AWS.

    :param role: the execution role, which is read once for the whole account
    :param window_hours: hours of which the deliveries are read, 0 for none
    :param stack: the stack whose integration is read, if it is known; else the one that owns the connection is searched
    """
    attempt, watch = Reader(region), desired.alarm_rule
    connection, api_destination, rule, queue, alarm_rule = at_once(
        lambda: attempt(lambda: desired.connection.read(region)),
        lambda: attempt(lambda: desired.api_destination.look(region)),
        lambda: attempt(lambda: desired.rule.look(region)),
        lambda: attempt(lambda: desired.queue.read(region)),
        lambda: attempt(lambda: watch.look(region)) if watch else None,
    )
    ruled, queued, changed = isinstance(rule, ExistingRule), isinstance(queue, ExistingQueue), _last_change(connection, api_destination)
    # Also of a connection that must not be read.
    belongs = stack is None and connection is not None
    matches, other, evidence, rule_tags, queue_tags, owned, reports = at_once(
        lambda: attempt(lambda: _matches_sample(region, rule, desired.aws_account)) if ruled else None,
        lambda: attempt(lambda: others(region, desired.api_destination.name, desired.endpoint)),
        lambda: _read_evidence(attempt, desired, queue, window_hours, now, changed=changed) if window_hours else None,
        lambda: attempt(lambda: read_tags(region, rule.document["arn"])) if ruled else None,
        lambda: (
            attempt(lambda: region.clients["sqs"].list_queue_tags(QueueUrl=queue.url).get("Tags", {}))
            if queued and desired.tags is not None
            else None
        ),
        lambda: attempt(lambda: owner(region, desired.connection.name)) if belongs else stack,
        lambda: attempt(lambda: _read_reports(region, watch, window_hours, now)) if watch and watch.is_elsewhere and window_hours else None,
    )
    notification = rule_tags if rule_tags is None or isinstance(rule_tags, Failure) else records_in(rule_tags, desired.spot_account)
    tags = {kind: found for kind, found in (("rule", rule_tags), ("queue", queue_tags)) if found is not None}
    return Readings(
        connection, api_destination, rule, queue, role, matches, other, evidence, notification, owned, tags, alarm_rule, reports=reports
    )


def read_in_stack(region: Region, desired: Desired, window_hours: int, now: datetime.datetime) -> tuple[Desired, Readings]:
    """Read as `read` does the integration that the stack holds in this region, under its own names; its execution role included.

    :returns: the desired integration, under the names in the stack; and the readings
    """
    attempt = Reader(region)
    stack = attempt(lambda: stack_names(region, desired.stack_name))
    if not isinstance(stack, StackNames):
        # Without a stack, it is not known whether there could be one.
        connection = attempt(lambda: desired.connection.read(region))
        refused = connection if isinstance(connection, Failure) and connection.leaves_out else None
        return desired, Readings(refused, None, None, None, None, stack=stack)
    return _read_as_named(region, desired, stack, window_hours, now)


def read_in_stack_set(
    region: Region, desired: Desired, by_name: Readings, window_hours: int, now: datetime.datetime
) -> tuple[Desired, Readings]:
    """Read an integration that turned out to be in a stack of a stack set under its names there, as `read_in_stack` does.

    Nobody can say the name of such a stack ahead: AWS chooses it for each account and region. With this collection's template, only the
    execution role has another name, and nothing else is read twice.

    :param by_name: the readings under the names that are desired; they are returned where it is in no such stack
    """
    if not (isinstance(by_name.stack, Stack) and by_name.stack.of_a_set):
        return desired, by_name
    stack = names_of(by_name.stack, by_name.stack.resources)
    return _read_as_named(region, replace(desired, stack_name=stack.stack.name, tags=None), stack, window_hours, now, by_name=by_name)


def _read_as_named(
    region: Region, desired: Desired, stack: StackNames, window_hours: int, now: datetime.datetime, *, by_name: Readings | None = None
) -> tuple[Desired, Readings]:
    named = desired.named_as_in(stack, region)
    role = read_role(region, named.rule.role_arn)
    if isinstance(role, ExistingRole):  # its path is no part of its name
        named = named.with_role(role.arn)
    parts = ("queue", "connection", "api_destination", "rule")
    if by_name and all(getattr(named, part).name == getattr(desired, part).name for part in parts):
        return named, replace(by_name, execution_role=role, stack=stack)
    return named, read(region, named, role, window_hours, now, stack=stack)


def with_role(desired: Desired, readings: Readings, role: ExistingRole | Failure | None) -> tuple[Desired, Readings]:
    """Return what is desired, and what was read in a region, with the execution role, which was read meanwhile."""
    if isinstance(role, ExistingRole) and desired.execution_role:  # its path is no part of its name
        desired = desired.with_role(role.arn)
    return desired, replace(readings, execution_role=role)


def read_hub_of(regions: Regions, desired: Desired) -> SeenHub | Failure | None:
    """Return the hub of the integration, which is read once for the whole account; None where it is not desired, or in another account."""
    watch = desired.alarm_rule
    if watch is None or not watch.present or watch.is_elsewhere:
        return None
    name = watch.hub.region
    region = regions[name] if name in regions.names else regions.elsewhere([name], ("events",))[0]
    return Reader(region)(lambda: read_hub(region, watch.hub))


def _read_reports(region: Region, watch: AlarmRule, hours: int, now: datetime.datetime) -> Reports:
    return reports_in(read_points(region, watch.name, now - datetime.timedelta(hours=hours), now))


def read_role(region: Region, arn: str) -> ExistingRole | Failure | None:
    """Return the execution role, as `read` takes it."""
    return Reader(region)(lambda: read_with_policies(region, arn))


def _matches_sample(region: Region, rule: ExistingRule, aws_account: str) -> bool | None:
    pattern = (rule.found or {}).get("event_pattern")
    if not pattern:
        return False
    sample = json.dumps(sample_warning(region.name, aws_account))
    answer = region.clients["events"].test_event_pattern(EventPattern=pattern, Event=sample)
    return t.cast("bool | None", answer.get("Result"))


def _read_evidence(
    attempt: Reader,
    desired: Desired,
    queue: ExistingQueue | Failure | None,
    hours: int,
    now: datetime.datetime,
    *,
    changed: datetime.datetime | None,
) -> Evidence:
    region, start = attempt.region, now - datetime.timedelta(hours=hours)
    points = attempt(lambda: read_points(region, desired.rule.name, start, now))
    if isinstance(points, Failure):
        return _read_dead_letters(attempt, queue, Evidence(hours, dict.fromkeys(METRICS), unread=f"{points.code}: {points.message}"))
    found = _read_dead_letters(attempt, queue, Evidence(hours, sums_of(points)))
    return replace(found, recent=recent(points, found.dead_letters, start, changed))


def _read_dead_letters(attempt: Reader, queue: ExistingQueue | Failure | None, evidence: Evidence) -> Evidence:
    """Return the evidence with the dead letters, or why they could not be read."""
    if not isinstance(queue, ExistingQueue):
        return replace(evidence, dead_letters_unread="there is no queue, or it could not be read")
    if not queue.messages:
        return evidence
    dead_letters = attempt(lambda: read_dead_letters(attempt.region, queue.url))
    if isinstance(dead_letters, Failure):
        why = f"{dead_letters.code}: {dead_letters.message}"
        return replace(evidence, dead_letter_count=queue.messages, dead_letters_unread=why)
    unreported = tuple(letter for letter in dead_letters if letter.source == SOURCE)
    warnings = tuple(letter for letter in dead_letters if letter not in unreported)
    count = max(queue.messages, len(dead_letters)) - len(unreported)
    return replace(evidence, dead_letters=warnings, dead_letter_count=count, unreported=unreported)


def _last_change(*parts: t.Any) -> datetime.datetime | None:
    """Return when the connection or the API destination was last changed or authorised; None if that is not known.

    That AWS took the authorisation away is no such change: the failure that led to it is of the same moment.
    """
    documents = [part.document or {} for part in parts if part is not None and not isinstance(part, Failure)]
    times = [document.get("last_authorized_time") for document in documents]
    times += [document.get("last_modified_time") for document in documents if document.get("connection_state") != "DEAUTHORIZED"]
    known = [datetime.datetime.fromisoformat(time) for time in times if time]
    return max((time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc) for time in known), default=None)
