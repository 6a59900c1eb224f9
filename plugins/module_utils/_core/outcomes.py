# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Plan


@dataclass(frozen=True)
class Outcome:
    """What was done, or in check mode would be done, to a resource in a region, and the resource after it."""

    plan: Plan
    document: Document | None


def answer(kind: str, results: t.Mapping[str, Outcome | Failure]) -> Document:
    """The result of all modules of one resource.

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
