# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region, Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import (
    Failure,
    RegionError,
    failure_of,
    is_conflict,
    is_conflict_code,
    is_no_change,
    is_not_yet,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ResourceType = t.TypeVar("ResourceType", bound=Resource)

# How often a change is planned anew because the resource changed under it. More than a few means a second writer.
_MOST_PLANS = 5
# How many steps a change may have. The longest has four: give up a failed update, mend the connection, update, mend again.
_MOST_STEPS = 6
# Seconds between two looks at something that needs time: short at first, as most things are quick.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0)
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True)
class Outcome:
    """What was done, or in check mode would be done, to a resource in a region, and the resource after it."""

    plan: Plan
    document: Document | None


def reconcile(
    resource: Resource,
    region: Region,
    *,
    check_mode: bool,
    timeout: float,
    gate: t.Callable[[Plan], None] = lambda plan: None,
) -> Outcome:
    """Brings a resource in one region to what is desired: read, plan, apply, look at the result.

    Where the resource changed between reading and writing, it is read and planned anew, a few times; where AWS only needs
    time, until the time is over.

    :param timeout: seconds to wait for AWS; 0 waits for nothing.
    :param gate: is shown the plan before anything is done, or predicted, and raises if it must not be.
    :raises RegionError: it cannot be done. botocore's errors pass through.
    """
    deadline = time.monotonic() + timeout
    plan = first = resource.plan(region, _read_settled(resource, region, deadline))
    gate(plan)
    if check_mode or not plan.calls:
        return Outcome(plan, plan.document)
    attempts, steps, no_change = 0, 0, False
    while plan.calls:
        if plan.unmet_dependency:
            raise RegionError("Blocked", plan.unmet_dependency)
        if steps == _MOST_STEPS:
            raise RegionError("NotDone", f"{steps} steps were not enough: {plan.calls[0].operation} would be next. Run again.")
        attempts += 1
        try:
            _apply(resource, region, plan)
            attempts, steps = 0, steps + 1
            if not plan.continues:
                break
            plan = _next_step(resource, region, plan, deadline, timeout)
        except Exception as error:
            if plan.otherwise and is_no_change(error):
                plan, no_change = plan.otherwise, True
                first = first if steps else plan
            else:
                _pause_or_raise(error, attempts, deadline)
                plan = resource.plan(region, _read_settled(resource, region, deadline))
    if no_change and not plan.calls:
        return Outcome(first, plan.document)
    return Outcome(first, _look_at_result(resource, region, deadline, timeout, no_change))


def _pause_or_raise(error: Exception, attempts: int, deadline: float) -> None:
    """Waits where trying again can help.

    :param attempts: how often it was tried
    """
    pause = _pause(attempts or 1)
    conflict = is_conflict(error) and attempts < _MOST_PLANS
    if not conflict and not (is_not_yet(error) and time.monotonic() + pause < deadline):
        raise error
    time.sleep(pause)


def _next_step(resource: Resource, region: Region, done: Plan, deadline: float, timeout: float) -> Plan:
    """What is left to do after a step.

    :raises RegionError: AWS needs longer than the deadline, or the step was of no use.
    """
    current = _read_settled(resource, region, deadline)
    if not resource.settled(current):
        raise RegionError("Timeout", _still_changing(resource, timeout))
    plan = resource.plan(region, current)
    if plan.calls and plan.calls == done.calls:
        if plan.broken:
            raise RegionError("Broken", plan.broken)
        if done.otherwise is None:
            raise RegionError("NotShown", f"AWS took {done.calls[0].operation}, but does not show what came of it; run again later")
        return done.otherwise
    return plan


def _still_changing(resource: Resource, timeout: float) -> str:
    if not timeout:
        return f"the {resource.kind} is being changed by AWS, and more has to be done after it: wait for it, or run again later"
    return f"the {resource.kind} was still being changed by AWS after {timeout:g} seconds; run again later"


def _apply(resource: Resource, region: Region, plan: Plan) -> None:
    for call in plan.calls:
        answer = getattr(region.clients[call.service or resource.service], call.operation)(**call.arguments)
        # PutTargets and RemoveTargets can fail with HTTP 200 (EventBridge API reference).
        if answer.get("FailedEntryCount"):
            entries = answer.get("FailedEntries", [])
            reasons = "; ".join(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}" for entry in entries)
            message = f"{call.operation} failed for {answer['FailedEntryCount']} target(s): {reasons}"
            conflict = bool(entries) and all(is_conflict_code(str(entry.get("ErrorCode"))) for entry in entries)
            raise RegionError("FailedEntries", message, conflict)


def _read_settled(resource: Resource, region: Region, deadline: float) -> t.Any:
    looks = 0
    while True:
        current = resource.read(region)
        looks += 1
        pause = _pause(looks)
        if resource.settled(current) or time.monotonic() + pause > deadline:
            return current
        time.sleep(pause)


def _look_at_result(resource: Resource, region: Region, deadline: float, timeout: float, no_change: bool) -> Document | None:
    """Reads until AWS shows what was done: what is returned was seen.

    :param no_change: whether AWS said of a part of what is desired that it would change nothing
    """
    looks = 0
    while True:
        current = _read_settled(resource, region, deadline)
        if not timeout:
            break
        if not resource.settled(current):
            raise RegionError("Timeout", _still_changing(resource, timeout))
        plan = resource.plan(region, current)
        if no_change and plan.otherwise:
            plan = plan.otherwise
        looks += 1
        if plan.broken:
            raise RegionError("Broken", plan.broken)
        if not plan.calls or plan.repeats:
            break
        # SQS may show a change of attributes only after a minute (SQS API reference, SetQueueAttributes).
        if time.monotonic() + _pause(looks) > deadline:
            raise RegionError("NotShown", f"AWS took the change, but does not show it after {timeout:g} seconds; run again later")
        time.sleep(_pause(looks))
    return current.document if current else None


def _pause(attempt: int) -> float:
    return _PAUSES[attempt - 1] if attempt <= len(_PAUSES) else _LONGEST_PAUSE


def answer(kind: str, results: t.Mapping[str, Outcome | Failure]) -> Document:
    """The answer all writing modules give.

    :param kind: the key under which the resource stands
    :param results: by region
    :returns: `changed`, `regions`, `failed_regions`, `diff`; `msg` only if a region failed.
    """
    regions: Document = {}
    diff: list[Document] = []
    for name, result in results.items():
        if isinstance(result, Failure):
            regions[name] = {"action": "failed", "changed": False, "error": result.as_dict()}
            continue
        plan = result.plan
        changed = plan.action != "unchanged"
        regions[name] = {"action": plan.action, "changed": changed, kind: result.document}
        if plan.note:
            regions[name]["note"] = plan.note
        if changed:
            diff.append(diff_entry(name, kind, plan))
    failures = {name: result for name, result in results.items() if isinstance(result, Failure)}
    whole: Document = {
        "changed": any(entry["changed"] for entry in regions.values()),
        "regions": regions,
        "failed_regions": list(failures),
        "diff": diff,
    }
    if failures:
        whole["msg"] = failure_message(kind, failures, len(results))
    return whole


def diff_entry(region: str, kind: str, plan: Plan) -> Document:
    """What `--diff` shows of a resource that changes.

    :param region: empty for what is one for the whole account
    """
    header = f"{region} {kind}".strip()
    return {"before_header": header, "after_header": header, "before": plan.before or {}, "after": plan.after or {}}


def failure_message(what: str, failures: t.Mapping[str, Failure], total: int) -> str:
    """One line that names each region that failed and why; regions with the same reason stand together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, failure in failures.items():
        reasons.setdefault((failure.code, failure.message), []).append(name)
    parts = [f"{', '.join(names)}: {code}: {message}" for (code, message), names in reasons.items()]
    return f"{what}: {len(failures)} of {total} region(s) failed. " + " | ".join(parts)


def run(module: AnsibleAWSModule, resource_class: type[ResourceType]) -> None:
    """The body of the modules of one resource: from parameters to the answer."""

    def work() -> Document:
        regions = Regions(module, (resource_class.service, *resource_class.reads), module.params["regions"])
        resource = resource_class.from_parameters(module.params, regions)
        timeout = wait_seconds(module.params)
        results = regions.run(lambda region: reconcile(resource, region, check_mode=module.check_mode, timeout=timeout))
        return answer(resource.kind, results)

    finish(module, work)


def wait_seconds(params: t.Mapping[str, t.Any]) -> float:
    """How long to wait for AWS, 0 for not at all."""
    return float(params["wait_timeout"]) if params["wait"] else 0.0


def finish(module: AnsibleAWSModule, work: t.Callable[[], Document]) -> None:
    """Ends a writing module with the answer of its work. Nothing that is raised leaves it: it would print the token."""
    try:
        whole = work()
    except ArgumentError as error:
        module.fail_json(msg=str(error))
    except Exception as error:
        module.fail_json(msg=failure_of(error).message)
    for name, entry in whole["regions"].items():
        for note in entry.get("notes") or [entry.get("note")]:
            if note:
                module.warn(f"{name}: {note}")
    note = (whole.get("execution_role") or {}).get("note")
    if note:
        module.warn(note)
    if "msg" in whole:
        module.fail_json(**whole)
    module.exit_json(**whole)
