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
from ansible_collections.spot.eventbridge.plugins.module_utils._core.outcomes import Outcome, diff_entry, failure_message
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document


@dataclass(frozen=True)
class Progress:
    """The steps that were done in a region.

    :ivar outcomes: the results of these steps, by kind
    :ivar failed: the kind of the step that failed; no later step was tried
    :ivar existing: the other integrations that serve the account there, as far as they were looked for
    """

    outcomes: t.Mapping[str, Outcome]
    failed: str = ""
    failure: Failure | None = None
    existing: tuple[Existing, ...] = ()


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
            "notes": [outcome.plan.note for outcome in progress.outcomes.values() if outcome.plan.note],
        }
        if progress.existing:
            regions[name]["other_integrations"] = [existing.as_dict(name) for existing in progress.existing]
        if progress.failure:
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
