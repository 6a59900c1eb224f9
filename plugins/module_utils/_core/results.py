# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Plan

Row = dict[str, t.Any]

# The statuses of an integration in a region, worst first: the order in which people should read them.
UNKNOWN = "unknown"
INACTIVE = "inactive"
FAILING = "failing"
INCOMPLETE = "incomplete"
ABSENT = "absent"
DRIFTED = "drifted"
DENIED = "denied"
UNSUPPORTED = "unsupported"
ACTIVE = "active"
STATUSES = (UNKNOWN, INACTIVE, FAILING, INCOMPLETE, ABSENT, DRIFTED, DENIED, UNSUPPORTED, ACTIVE)
# Of the playbook watch alone, which does not look whether notices arrive.
WATCHED = "watched"
ORDER = (*STATUSES, WATCHED)
# A region where there can be no integration: AWS has no API destinations there, or the organisation denies the region.
LEFT_OUT = (DENIED, UNSUPPORTED)
GOOD = (ACTIVE, *LEFT_OUT)
# The statuses that a repair can change; a region that was never onboarded stays as it is.
BROKEN = (INACTIVE, FAILING, INCOMPLETE, DRIFTED)
LEFT_OUT_ACTION = "left_out"
NO_API_DESTINATIONS = "This region has no API destinations."
# The effects of a region that the organisation denies: none, or a failure of the account.
SKIP_DENIED = "skip"
FAIL_DENIED = "fail"


def left_out(failure: Failure) -> tuple[str, str]:
    """Return why there can be no integration in a region: the status, and the reason in one line.

    This is the only place that decides it, for every module.

    :returns: two empty texts for any other failure
    """
    if failure.of_organization:
        return DENIED, f"The organisation denies this region: {failure.code}: {failure.message}"
    if failure.unsupported:
        known = failure.unreachable or failure.code == "ValidationError"
        return UNSUPPORTED, failure.message if known else NO_API_DESTINATIONS
    return "", ""


def left_out_entry(status: str, why: str) -> Document:
    """Return the entry of a region in which there can be no integration, and in which nothing was done."""
    return {"action": LEFT_OUT_ACTION, "changed": False, "status": status, "reason": why}


def row(region: str, status: str, *, action: str = "", reason: str = "", changed: bool = False) -> Row:
    """Return the result of one region, as in `summary` of a result.

    :param action: the action, in words; `-` for none, empty if nothing was to be done
    :param reason: one line: why the region is not active, or a note
    """
    return {"region": region, "status": status, "action": action, "reason": reason, "changed": changed}


def in_words(row: Row) -> str:
    """Return a row as one line: `eu-west-1 inactive: the connection is DEAUTHORIZED`."""
    status = f"{row['region']} {row['status']}"
    return f"{status}: {row['reason']}" if row["reason"] else status


def worst_first(rows: t.Iterable[Row]) -> list[Row]:
    """Return the rows in reading order: by status, then by region."""
    return sorted(rows, key=lambda row: (ORDER.index(row["status"]), row["region"]))


def counts(rows: t.Sequence[Row]) -> str:
    """Return the number of regions of each status, worst first: `1 unknown, 16 active`."""
    numbers = [(status, sum(row["status"] == status for row in rows)) for status in ORDER]
    return ", ".join(f"{number} {status}" for status, number in numbers if number)


def problem(rows: t.Sequence[Row], good: t.Container[str], goal: str, error: str = "") -> str:
    """Return in one line why an account did not succeed; empty if it did.

    :param good: the statuses that a region may have at the end
    :param goal: the words for regions of other statuses, such as `not active`
    :param error: why the account as a whole failed
    """
    failed = [row for row in rows if row["status"] not in good]
    problems = [error] if error else []
    if failed:
        problems.append(f"{len(failed)} of {len(rows)} region(s) {goal}: {' | '.join(map(in_words, failed))}")
    return " | ".join(problems)


def failed_result(message: str) -> Document:
    """Return the result of a module that failed before it worked on any region.

    :param message: why
    """
    return {"msg": message, "problem": message, "summary": [], "notes": []}


@dataclass(frozen=True)
class Outcome:
    """The action on a resource in a region, predicted in check mode, and the resource after it."""

    plan: Plan
    document: Document | None


def resource_result(kind: str, results: t.Mapping[str, Outcome | Failure]) -> Document:
    """Return the result of all modules of one resource.

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
    """Return the entry that `--diff` shows of a resource that changes.

    :param region: empty for a resource of the whole account
    """
    header = f"{region} {kind}".strip()
    return {"before_header": header, "after_header": header, "before": plan.before or {}, "after": plan.after or {}}


def failure_message(what: str, failures: t.Mapping[str, Failure], total: int) -> str:
    """Return one line with each failed region and its reason; regions with the same reason are grouped."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, failure in failures.items():
        reasons.setdefault((failure.code, failure.message), []).append(name)
    parts = [f"{', '.join(names)}: {code}: {message}" for (code, message), names in reasons.items()]
    return f"{what}: {len(failures)} of {total} region(s) failed. " + " | ".join(parts)
