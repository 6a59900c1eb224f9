# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._table import (
    ACTIVE,
    INACTIVE,
    INCOMPLETE,
    UNKNOWN,
    UNSUPPORTED,
    Row,
    worst_first,
)

_STATES = (
    # kind, the key of its state, the only good value
    ("connection", "connection_state", "AUTHORIZED"),
    ("api_destination", "api_destination_state", "ACTIVE"),
    ("rule", "state", "ENABLED"),
)


def rows(answers: t.Sequence[t.Mapping[str, t.Any]], unsupported: t.Iterable[str] = (), predicted: bool = False) -> list[Row]:
    """What came of onboarding, one row for each region, worst first.

    :param answers: the `regions` of each writing module's answer, in the order in which they ran; a region that fails in one is
        in none of the later ones
    :param unsupported: the regions that were left out
    :param predicted: whether it was check mode, so that nothing was done
    :returns: rows with `region`, `status`, `changed`, `done`, `reason` and `summary`
    """
    every = dict.fromkeys(region for answer in answers for region in answer)
    found = [_row(region, [answer[region] for answer in answers if region in answer], len(answers)) for region in every]
    reason = "this region has no API destinations"
    found += [_as_row(region, UNSUPPORTED, False, "-", reason) for region in unsupported]
    for row in found:
        if predicted and row["changed"]:
            row["done"] = f"would be {row['done']}"
    return worst_first(found)


def _row(region: str, entries: t.Sequence[t.Mapping[str, t.Any]], steps: int) -> Row:
    changed = any(entry["changed"] for entry in entries)
    failed = next((entry["error"] for entry in entries if entry["action"] == "failed"), None)
    if failed:
        status = INCOMPLETE if len(entries) > 1 else UNKNOWN
        return _as_row(region, status, changed, _done(entries), f"{failed['code']}: {failed['message']}")
    if len(entries) < steps:
        return _as_row(region, INCOMPLETE, changed, _done(entries), "a step was not reached")
    for entry in entries:
        for kind, key, good in _STATES:
            state = (entry.get(kind) or {}).get(key, good)
            if state != good:
                reason = f"the {kind.replace('_', ' ')} is {state}"
                return _as_row(region, INACTIVE, changed, _done(entries), entry.get("note", reason))
    return _as_row(region, ACTIVE, changed, _done(entries), "")


def _done(entries: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    kinds = ("queue", "connection", "api_destination", "rule")
    done = [(kind, entry["action"]) for kind in kinds for entry in entries if kind in entry]
    actions = {action for dummy, action in done}
    if len(done) == len(kinds) and len(actions) == 1:
        return next(iter(actions))
    return ", ".join(f"{kind.replace('_', ' ')} {action}" for kind, action in done if action != "unchanged") or "-"


def _as_row(region: str, status: str, changed: bool, done: str, reason: str) -> Row:
    return {
        "region": region,
        "status": status,
        "changed": changed,
        "done": done,
        "reason": reason,
        "summary": f"{region} {status}: {reason}" if reason else f"{region} {status}",
    }
