# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Existing
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import (
    ABSENT,
    ACTIVE,
    DENIED,
    DRIFTED,
    GOOD,
    INACTIVE,
    INCOMPLETE,
    LEFT_OUT,
    LEFT_OUT_ACTION,
    NO_API_DESTINATIONS,
    SKIP_DENIED,
    UNKNOWN,
    UNSUPPORTED,
    Outcome,
    Row,
    diff_entry,
    failure_message,
    left_out,
    left_out_entry,
    problem,
    row,
    worst_first,
)

# The status that a region has before a predicted change is made.
_PREDICTED = {"created": ABSENT, "reauthorized": INACTIVE}
_STATES = (
    # kind, the key of its state, the only good value
    ("connection", "connection_state", "AUTHORIZED"),
    ("api_destination", "api_destination_state", "ACTIVE"),
    ("rule", "state", "ENABLED"),
)


@dataclass(frozen=True)
class Progress:
    """The steps that were done in a region.

    :ivar outcomes: the results of these steps, by kind
    :ivar failed: the kind of the step that failed; no later step was tried
    :ivar existing: the other integrations that serve the account there, as far as they were searched
    :ivar notes: notes for users about them
    """

    outcomes: t.Mapping[str, Outcome]
    failed: str = ""
    failure: Failure | None = None
    existing: tuple[Existing, ...] = ()
    notes: tuple[str, ...] = ()


def combined_result(results: t.Mapping[str, Progress | Failure], role: Outcome | Failure | None = None) -> Document:
    """Return the result of `spot_integration` for all regions.

    :param role: the execution role, if it is managed here
    :returns: `changed`, `regions`, `failed_regions`, `diff`; `execution_role` if it is managed here; `msg` only if something failed
    """
    regions: Document = {}
    diff: list[Document] = []
    failures: dict[str, Failure] = {}
    for name, result in results.items():
        progress = Progress({}, failure=result) if isinstance(result, Failure) else result
        actions = {kind: outcome.plan.action for kind, outcome in progress.outcomes.items()}
        regions[name] = {
            "action": "failed" if progress.failure else _action_of_all(actions.values()),
            "changed": any(action != "unchanged" for action in actions.values()),
            "actions": actions,
            **{kind: outcome.document for kind, outcome in progress.outcomes.items()},
            "notes": [*(outcome.plan.note for outcome in progress.outcomes.values() if outcome.plan.note), *progress.notes],
        }
        if progress.existing:
            regions[name]["other_integrations"] = [existing.as_dict(name) for existing in progress.existing]
        status, why = left_out(progress.failure) if progress.failure and not regions[name]["changed"] else ("", "")
        if status:
            regions[name].update(left_out_entry(status, why))
        elif progress.failure:
            what = f"{progress.failed.replace('_', ' ')}: " if progress.failed else ""
            failures[name] = dataclasses.replace(progress.failure, message=what + progress.failure.message)
            regions[name]["error"] = failures[name].as_dict()
        diff += [diff_entry(name, kind, outcome.plan) for kind, outcome in progress.outcomes.items() if actions[kind] != "unchanged"]
    whole: Document = {
        "changed": any(entry["changed"] for entry in regions.values()),
        "regions": regions,
        "failed_regions": list(failures),
        "diff": diff,
    }
    if failures:
        whole["msg"] = failure_message("integration", failures, len(results))
    return whole if role is None else _with_role(whole, role)


def _with_role(whole: Document, role: Outcome | Failure) -> Document:
    kind = ExecutionRole.kind
    if isinstance(role, Failure):
        failed = {"action": "failed", "changed": False, "error": role.as_dict()}
        return {**whole, kind: failed, "msg": f"execution role: {role.code}: {role.message}"}
    plan = role.plan
    changed = plan.action != "unchanged"
    entry: Document = {"action": plan.action, "changed": changed, "role": role.document}
    if plan.note:
        entry["note"] = plan.note
    diff = [diff_entry("", "execution role", plan)] if changed else []
    return {**whole, "changed": whole["changed"] or changed, kind: entry, "diff": [*diff, *whole["diff"]]}


def _action_of_all(actions: t.Iterable[str]) -> str:
    """Return one word for all steps: theirs if it is the same one, else the most important."""
    different = set(actions)
    if len(different) == 1:
        return different.pop()
    return "reauthorized" if "reauthorized" in different else "updated"


def account_result(
    whole: Document,
    *,
    present: bool,
    predicted: bool,
    spot_account: str | None,
    aws_account: str | None,
    unsupported: t.Iterable[str] = (),
    denied: str = SKIP_DENIED,
) -> Document:
    """Return the result of `spot_integration` or `spot_stack`, completed for the account.

    :param whole: `regions`, each with its `action`; `execution_role` if it is managed here; `msg` if something failed
    :param present: whether the integration was to be made, or to be removed
    :param predicted: whether nothing was done, as in check mode
    :param unsupported: the regions that the user had left out, as they have no API destinations
    :param denied: `skip` or `fail`: the effect of a region that the organisation denies
    :returns: `whole`; in each region also `status` and `reason`; `summary` with a row for each region, `problem`, `notes`
    """
    make = _row if present else _removal_row
    role = whole.get(ExecutionRole.kind) or {}
    role_failed = role.get("action") == "failed"
    # In the problem, the role's message is enough.
    told = {region: make(region, entry, predicted) for region, entry in whole["regions"].items()}
    rows = {region: _without_role(line) for region, line in told.items()} if present and role_failed else told
    regions = {
        region: {"status": rows[region]["status"], "reason": rows[region]["reason"], **entry} for region, entry in whole["regions"].items()
    }
    # Without a region that was worked on, those that would have been left out do not matter.
    by_user = [row(region, UNSUPPORTED, action="-", reason=NO_API_DESTINATIONS) for region in unsupported if rows]
    summary = worst_first([*rows.values(), *by_user])
    good, goal = good_statuses(present=present, predicted=predicted, denied=denied), "not active" if present else "could not be cleared"
    refused = {name: Failure(DENIED, line["reason"]) for name, line in rows.items() if line["status"] == DENIED and DENIED not in good}
    if refused:
        message = whole.get("msg") or failure_message("integration", refused, len(rows))
        whole = {**whole, "msg": message, "failed_regions": [*whole["failed_regions"], *refused]}
    return {
        **whole,
        "spot_account": spot_account,
        "aws_account": aws_account,
        "regions": regions,
        "summary": summary,
        "problem": problem(worst_first([*told.values(), *by_user]), good, goal, whole["msg"] if role_failed else ""),
        "notes": [*_role_notes(role, predicted), *whole.get("notes", ())],
    }


def _without_role(line: Row) -> Row:
    """Return the row of a region whose execution role could not be made or changed: without it, nothing is delivered."""
    return {**line, "status": UNKNOWN, "reason": "the execution role could not be made or changed"} if line["status"] == ACTIVE else line


def good_statuses(*, present: bool, predicted: bool, denied: str = SKIP_DENIED) -> tuple[str, ...]:
    """Return the statuses that a region may have at the end.

    :param present: whether the integration was to be made, or to be removed
    :param predicted: whether nothing was done, so that each region still is what it was
    :param denied: `skip` or `fail`: the effect of a region that the organisation denies
    """
    good = tuple(status for status in GOOD if status != DENIED or denied == SKIP_DENIED)
    if not present:
        return (ABSENT, *(status for status in good if status in LEFT_OUT))
    return (*good, *((ABSENT, DRIFTED, INACTIVE) if predicted else ()))


def _role_notes(role: t.Mapping[str, t.Any], predicted: bool) -> list[str]:
    if role.get("changed"):
        return [f"execution role {'would be ' if predicted else ''}{role['action']}"]
    return [role["note"]] if role.get("note") else []


def _row(region: str, entry: t.Mapping[str, t.Any], predicted: bool) -> Row:
    if entry["action"] == LEFT_OUT_ACTION:
        return row(region, entry["status"], action="-", reason=entry["reason"])
    if entry["action"] == "failed":
        return _failed_row(region, entry, predicted)
    words, changes = _in_words(entry, predicted), _changes(entry)
    if entry.get("error"):  # it was made, and another integration is still there
        return row(region, INCOMPLETE, action=words, reason=entry["error"]["message"], changed=changes)
    lost = [
        f"the {kind.replace('_', ' ')} is {entry[kind].get(key)}"
        for kind, key, good in _STATES
        if (entry.get(kind) or {}).get(key, good) != good
    ]
    reason = "; ".join(_notes(entry) or lost) if lost else ""
    status = INACTIVE if lost else ACTIVE
    if predicted and changes:
        status = _PREDICTED.get(entry["action"], DRIFTED)
    if entry.get("taken_over"):
        from_others = f"{'would take over from' if predicted else 'took over from'} {names_of(entry['other_integrations'])}"
        words, changes = (f"{words}, {from_others}" if words not in ("-", "unchanged") else from_others), True
    return row(region, status, action=words, reason=reason, changed=changes)


def _removal_row(region: str, entry: t.Mapping[str, t.Any], predicted: bool) -> Row:
    if entry["action"] == LEFT_OUT_ACTION:
        return row(region, entry["status"], action="-", reason=entry["reason"])
    if entry["action"] == "failed":
        return _failed_row(region, entry, predicted)
    # A resource that is kept on purpose is no failure: it is another owner's, or holds messages that nobody has read yet.
    return row(region, ABSENT, action=_in_words(entry, predicted), reason="; ".join(_notes(entry)), changed=_changes(entry))


def _failed_row(region: str, entry: t.Mapping[str, t.Any], predicted: bool) -> Row:
    status = INCOMPLETE if _actions(entry) else UNKNOWN
    reason = f"{entry['error']['code']}: {entry['error']['message']}"
    return row(region, status, action=_in_words(entry, predicted), reason=reason, changed=_changes(entry))


def _actions(entry: t.Mapping[str, t.Any]) -> t.Mapping[str, str]:
    """Return the action for each part; a stack is one."""
    if "actions" in entry:
        return t.cast("t.Mapping[str, str]", entry["actions"])
    return {} if entry["action"] == "failed" else {"stack": entry["action"]}


def _changes(entry: t.Mapping[str, t.Any]) -> bool:
    return any(action != "unchanged" for action in _actions(entry).values())


def _notes(entry: t.Mapping[str, t.Any]) -> list[str]:
    return entry["notes"] if "notes" in entry else [entry["note"]] if entry.get("note") else []


def _in_words(entry: t.Mapping[str, t.Any], predicted: bool) -> str:
    actions = _actions(entry)
    words = [f"{kind.replace('_', ' ')} {action}" for kind, action in actions.items() if action != "unchanged"]
    if entry["action"] != "failed" and len(set(actions.values())) == 1:
        words = [entry["action"]]
    return ("would be " if predicted and _changes(entry) else "") + (", ".join(words) or "-")


def names_of(others: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Return the names of other integrations: of their stacks, or else of their API destinations.

    :param others: as `Existing.as_dict` returns them
    """
    return ", ".join(dict.fromkeys(f"the stack {other['stack_name']}" if other["stack_name"] else str(other["name"]) for other in others))
