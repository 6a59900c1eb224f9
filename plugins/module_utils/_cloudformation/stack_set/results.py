# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import DELETE_INSTANCES
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.operations import PLANNED, REFUSED
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.progress import progress_line
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.properties import hidden_parameters
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import (
    IN_PROGRESS,
    INOPERABLE,
    OUTDATED,
    UP_TO_DATE,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.operations import Operations
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.plan import StackSetPlan
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Pair, Reading
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# Instances that a person has to repair come first, then those that failed; the cancelled ones failed because of others.
_WORST_FIRST = (INOPERABLE, "FAILED", OUTDATED, "PENDING", "CANCELLED")
_OTHERS = _WORST_FIRST.index("FAILED")
_MOST_TOLD = 20


def unfinished(desired: StackSet, operations: Operations, first: StackSetPlan | None) -> Document:
    """Return the result of a step after which there is more to do."""
    return {
        "changed": _began(operations.entries),
        "finished": False,
        "progress": progress_line(desired.name, operations.entries, [running.action for running in operations.foreign]),
        "operations": operations.entries,
        "diff": list(first.diff) if first else [],
    }


def stack_set_result(
    desired: StackSet,
    operations: Operations,
    first: StackSetPlan | None,
    *,
    reading: Reading | None = None,
    plan: StackSetPlan | None = None,
    check_mode: bool = False,
    failure: Failure | None = None,
) -> Document:
    """Return the result of `spot_stack_set`.

    :param first: the plan with which the run began; None if it failed before
    :param reading: the last reading
    :param plan: the operations that were left then: some only in check mode, or without wait
    :param failure: why the run failed
    :returns: `changed`, `finished`, `operations`, `failed_instances`, `diff`; `stack_set`, `instances`, `notes` and
        `accounts_without_spot_account` unless it ended before its end; `msg` only if something failed.
    """
    planned = [{**operation.document, "status": PLANNED, "failures": []} for operation in plan.operations] if plan and check_mode else []
    whole: Document = {
        "changed": _began(operations.entries) or bool(planned),
        "finished": True,
        "operations": [*operations.entries, *planned],
        "diff": list(first.diff) if first else [],
    }
    if failure:
        failed = [entry for operation in operations.entries for entry in operation["failures"]]
        problem = f"{failure.code}: {failure.message}"
        return {**whole, "failed_instances": failed, "msg": _message(desired, [problem, *_told(failed)])}
    reading, plan = t.cast("Reading", reading), t.cast("StackSetPlan", plan)
    failed = _failed_instances(reading, plan, operations)
    hidden = hidden_parameters(reading.template) if reading.template else frozenset()
    there = reading.current.document(hidden) if reading.current else None
    whole.update(
        {
            "stack_set": plan.document if check_mode else there,
            "instances": _instances(reading, plan, check_mode=check_mode),
            "failed_instances": failed,
            "accounts_without_spot_account": list(plan.without_spot_account),
            "notes": [*plan.notes, *_notes(operations), *_check_notes(reading, check_mode=check_mode)],
        }
    )
    problems = [f"AWS accepted the change, but it is not visible yet: {', '.join(plan.set_left)}"] if plan.set_left else []
    if failed:
        total = len({*reading.instances, *plan.spot_accounts})
        problems.append(f"{len(failed)} of {total} instance(s) failed")
    if problems:
        whole["msg"] = _message(desired, [*problems, *_told(failed)])
    return whole


def _began(entries: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    return any(entry["status"] != REFUSED for entry in entries)


def _message(desired: StackSet, parts: t.Iterable[str]) -> str:
    return f"stack set {desired.name}: " + " | ".join(parts)


def _told(failed: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return a line for each instance that failed, worst first."""
    lines = [f"{entry['account']} {entry['region']}: {entry['status']}: {entry['reason']}" for entry in _worst_first(failed)]
    more = len(lines) - _MOST_TOLD
    return [*lines[:_MOST_TOLD], *([f"and {more} more, see failed_instances"] if more > 0 else [])]


def _worst_first(failed: t.Iterable[t.Mapping[str, t.Any]]) -> list[t.Mapping[str, t.Any]]:
    def rank(entry: t.Mapping[str, t.Any]) -> tuple[int, str, str]:
        place = _WORST_FIRST.index(entry["status"]) if entry["status"] in _WORST_FIRST else _OTHERS
        return (place, entry["account"], entry["region"])

    return sorted(failed, key=rank)


def _failed_instances(reading: Reading, plan: StackSetPlan, operations: Operations) -> list[Document]:
    failed = []
    for pair, why in plan.left.items():
        told = operations.failure(pair)
        instance = reading.instances.get(pair)
        status = told["status"] if told else (instance.detailed_status or instance.status) if instance else "MISSING"
        # An inoperable instance has to be repaired by a person; AWS's reason alone does not name that.
        reason = told["reason"] if told and told["reason"] and not (instance and instance.status == INOPERABLE) else why
        failed.append({"account": pair[0], "region": pair[1], "status": status, "reason": reason})
    return [dict(entry) for entry in _worst_first(failed)]


def _instances(reading: Reading, plan: StackSetPlan, *, check_mode: bool) -> list[Document]:
    found: dict[Pair, Document] = {
        pair: {
            "account": instance.account,
            "region": instance.region,
            "status": instance.status,
            "detailed_status": instance.detailed_status,
            "reason": instance.reason,
            "stack_id": instance.stack_id,
            "organizational_unit_id": instance.unit,
            "spot_account": plan.effective.get(pair),
        }
        for pair, instance in reading.instances.items()
    }
    if check_mode:
        for operation in plan.operations:
            _predict(found, operation.action, operation.accounts, operation.regions, plan)
    return [found[pair] for pair in sorted(found)]


def _predict(found: dict[Pair, Document], action: str, accounts: t.Iterable[str], regions: t.Sequence[str], plan: StackSetPlan) -> None:
    for account in accounts:
        for region in regions:
            pair = (account, region)
            if action == DELETE_INSTANCES:
                found.pop(pair, None)
            elif pair in plan.spot_accounts:
                there = found.get(pair, {"account": account, "region": region, "stack_id": "", "organizational_unit_id": ""})
                known = {"status": UP_TO_DATE, "detailed_status": "SUCCEEDED", "reason": "", "spot_account": plan.spot_accounts[pair]}
                found[pair] = {**there, **known}


def _check_notes(reading: Reading, *, check_mode: bool) -> list[str]:
    if not check_mode or not reading.running:
        return []
    running = reading.running[0]
    return [f"AWS is working at the operation {running.operation_id} ({running.action}) now; its result is not predicted."]


def _notes(operations: Operations) -> list[str]:
    notes = []
    if going_on := [entry for entry in operations.entries if entry["status"] in IN_PROGRESS]:
        notes.append(f"{len(going_on)} operation(s) continue in AWS; run again to read their results.")
    if operations.not_begun:
        notes.append(f"{operations.not_begun} operation(s) have to wait for earlier ones: run again.")
    return notes
