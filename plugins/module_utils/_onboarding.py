# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._table import (
    ABSENT,
    ACTIVE,
    INACTIVE,
    INCOMPLETE,
    UNKNOWN,
    UNSUPPORTED,
    Row,
    row,
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
    found += [row(region, UNSUPPORTED, done="-", reason=reason) for region in unsupported]
    return worst_first(_predicted(found) if predicted else found)


def removal_rows(answers: t.Sequence[t.Mapping[str, t.Any]], predicted: bool = False) -> list[Row]:
    """What came of offboarding, one row for each region, worst first.

    :param answers: as for `rows`
    :param predicted: as for `rows`
    """
    every = dict.fromkeys(region for answer in answers for region in answer)
    found = [_removal_row(region, [answer[region] for answer in answers if region in answer]) for region in every]
    return worst_first(_predicted(found) if predicted else found)


def _predicted(found: list[Row]) -> list[Row]:
    return [{**one, "done": f"would be {one['done']}"} if one["changed"] else one for one in found]


def _removal_row(region: str, entries: t.Sequence[t.Mapping[str, t.Any]]) -> Row:
    changed = any(entry["changed"] for entry in entries)
    failed = next((entry["error"] for entry in entries if entry["action"] == "failed"), None)
    if failed:
        status = INCOMPLETE if len(entries) > 1 else UNKNOWN
        return row(region, status, changed=changed, done=_done(entries), reason=f"{failed['code']}: {failed['message']}")
    # What is kept on purpose is no failure: it is somebody else's, or holds what nobody has read yet.
    notes = "; ".join(entry["note"] for entry in entries if entry.get("note"))
    return row(region, ABSENT, changed=changed, done=_done(entries), reason=notes)


def _row(region: str, entries: t.Sequence[t.Mapping[str, t.Any]], steps: int) -> Row:
    changed = any(entry["changed"] for entry in entries)
    failed = next((entry["error"] for entry in entries if entry["action"] == "failed"), None)
    if failed:
        status = INCOMPLETE if len(entries) > 1 else UNKNOWN
        return row(region, status, changed=changed, done=_done(entries), reason=f"{failed['code']}: {failed['message']}")
    if len(entries) < steps:
        return row(region, INCOMPLETE, changed=changed, done=_done(entries), reason="a step was not reached")
    for entry in entries:
        for kind, key, good in _STATES:
            state = (entry.get(kind) or {}).get(key, good)
            if state != good:
                reason = f"the {kind.replace('_', ' ')} is {state}"
                return row(region, INACTIVE, changed=changed, done=_done(entries), reason=entry.get("note", reason))
    return row(region, ACTIVE, changed=changed, done=_done(entries), reason="")


def _done(entries: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    kinds = ("queue", "connection", "api_destination", "rule")
    done = [(kind, entry["action"]) for kind in kinds for entry in entries if kind in entry]
    actions = {action for dummy, action in done}
    if len(done) == len(kinds) and len(actions) == 1:
        return next(iter(actions))
    return ", ".join(f"{kind.replace('_', ' ')} {action}" for kind, action in done if action != "unchanged") or "-"
