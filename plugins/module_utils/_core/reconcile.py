# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, failure_of, is_conflict_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, Retries, pauses, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# Seconds to wait for a description that AWS took and does not show yet, once all else is shown; and until what does not work is believed
# to be broken, as the first reads after a change may show what was before it.
_SHOWN_LATE = 5.0


def reconcile(
    resource: Resource,
    region: Region,
    *,
    check_mode: bool,
    timeout: float,
    gate: t.Callable[[Plan], None] = lambda plan: None,
    look: t.Callable[[], t.Any] | None = None,
    ready: t.Callable[[], None] | None = None,
) -> Outcome:
    """Bring a resource in one region to the desired state: read, plan, apply, read the result.

    After a conflict, the resource is read and planned again, a few times; where AWS only needs time, until the time is over.

    :param timeout: seconds to wait for AWS; 0 waits for nothing
    :param gate: gets the plan before it is carried out, or predicted, and raises if it must not be
    :param look: returns the earlier result of the resource's `look`; without it, the resource is read
    :param ready: returns when the changes may be made; its time does not count
    :raises RegionError: it cannot be done. botocore's errors pass through.
    """
    deadline, resource = Deadline(timeout), resource.prepared(region)
    told = plan = resource.plan(region, _read_settled(resource, region, deadline, look))
    gate(told)
    if check_mode or not told.calls:
        return Outcome(told, told.document)
    if ready:
        ready()
        deadline = Deadline(timeout)
    retries, refused = Retries(deadline), None
    while plan.calls:
        if plan.unmet_dependency:
            raise RegionError("Blocked", plan.unmet_dependency)
        call = plan.calls[0]
        try:
            for call in plan.calls:
                region = _make(call, resource, region)
            break
        except Exception as error:
            existing, failure = None, failure_of(error)
            if failure.denied and not refused:
                existing = _read_settled(resource, region, deadline)
                described = resource.as_described(existing)
                rest = described.plan(region, existing)
                if call not in rest.calls:
                    refused = f"the description of the {resource.kind} stays as it is: {failure.code}: {failure.message}"
                    resource, told, plan = described, rest, rest
                    continue
            retries.pause(error)
            plan = resource.plan(region, _read_settled(resource, region, deadline))
    document, note = _read_result(resource, region, deadline)
    notes = [text for text in (told.note, refused, note) if text]
    return Outcome(dataclasses.replace(told, note="; ".join(notes) or None), document)


def _make(call: Call, resource: Resource, region: Region) -> Region:
    """Make a call of a plan, and return the region, in which a rule that it made is known."""
    response = getattr(region.clients[call.service or resource.service], call.operation)(**call.arguments)
    # PutTargets and RemoveTargets can fail with HTTP 200 (EventBridge API reference).
    if response.get("FailedEntryCount"):
        entries = response.get("FailedEntries", [])
        reasons = "; ".join(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}" for entry in entries)
        message = f"{call.operation} failed for {response['FailedEntryCount']} target(s): {reasons}"
        conflict = bool(entries) and all(is_conflict_code(str(entry.get("ErrorCode"))) for entry in entries)
        raise RegionError("FailedEntries", message, conflict)
    return region.knowing(resource.kind, response.get("RuleArn"))


def _read_settled(resource: Resource, region: Region, deadline: Deadline, look: t.Callable[[], t.Any] | None = None) -> t.Any:
    first = [look] if look else []

    def read() -> t.Any:
        return resource.completed(region, first.pop()()) if first else resource.read(region)

    return poll(read, resource.settled, deadline)


def _read_result(resource: Resource, region: Region, deadline: Deadline) -> tuple[Document | None, str | None]:
    """Read until the changes are visible: every result was read from AWS.

    :returns: the resource, and a note about a description that is not visible yet
    """
    between, note = pauses(), None
    soon = Deadline(min(_SHOWN_LATE, deadline.remaining))
    while True:
        existing = _read_settled(resource, region, deadline)
        if not deadline.seconds:
            break
        if not resource.settled(existing):
            message = f"the {resource.kind} was still being changed by AWS after {deadline.seconds:g} seconds; run again later"
            raise RegionError("Timeout", message)
        try:
            if resource.achieved(region, existing):
                break
        except RegionError:
            if not soon.sleep(next(between)):
                raise
            continue
        all_else = resource.as_described(existing).achieved(region, existing)
        # SQS may show a change of attributes only after a minute (SQS API reference, SetQueueAttributes).
        if not (soon if all_else else deadline).sleep(next(between)):
            if all_else:
                note = f"AWS accepted the description of the {resource.kind}, but it is not visible yet. Nothing else depends on it"
                break
            message = f"AWS accepted the change, but it is not visible after {deadline.seconds:g} seconds; run again later"
            raise RegionError("NotShown", message)
    return (existing.document if existing else None), note
