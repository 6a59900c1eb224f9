# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import (
    ABSENT,
    BROKEN,
    FAILING,
    GOOD,
    LEFT_OUT,
    STATUSES,
    Row,
    problem,
    row,
    worst_first,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import good_statuses
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import gather
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import Result, failed, module_error, result
from ansible_collections.spot.eventbridge.plugins.plugin_utils._findings import problems

Info = t.Mapping[str, t.Any]

ONBOARD = "onboard"
OFFBOARD = "offboard"
VERIFY = "verify"
REPAIR = "repair"
HEAL = "heal"
WATCH = "watch"


def account_result(given: t.Mapping[str, t.Any], *, host: str, predicted: bool = False) -> Result:
    """Return the result of an account, out of the results of the modules that worked on it.

    :param given: the options of `spot_account_report`
    :param predicted: whether it was check mode
    """
    who = who_of(given, host)
    error = not_begun(given)
    if error:
        return failed(error, **who)
    of_purpose = {
        VERIFY: lambda: _verified(given, who),
        REPAIR: lambda: _repaired(given, who, predicted),
        WATCH: lambda: _watched(given, who),
    }
    if given["purpose"] in of_purpose:
        return of_purpose[given["purpose"]]()
    done = given["integration"]
    error = module_error(done, "regions")
    if error:
        return failed(error, **who)
    good = good_statuses(present=given["purpose"] == ONBOARD, predicted=predicted, denied=given["denied_regions"])
    watch = given.get("watch") or {}
    told = " | ".join(text for text in (done["problem"], watch.get("problem")) if text)
    return result(done["summary"], **who, good=good, problem=told, notes=[*done["notes"], *watch.get("notes", ())])


def who_of(given: t.Mapping[str, t.Any], host: str) -> dict[str, t.Any]:
    """Return whose result it is, as the functions of `_account.py` take it."""
    return {"host": host, "spot_account": given["spot_account"], "aws_account": given["preflight"].get("aws_account")}


def not_begun(given: t.Mapping[str, t.Any]) -> str:
    """Return why the work on an account was not begun, or not finished; empty if it was."""
    if given["failure"] is not None:
        return " ".join(str(given["failure"].get("msg") or "a task failed without saying why").split())
    return module_error(given["preflight"], "regions")


def _verified(given: t.Mapping[str, t.Any], who: t.Mapping[str, t.Any]) -> Result:
    info = latest(given["info"])
    error = module_error(info, "regions")
    if error:
        return {**failed(error, **who), "checks": [], "regions": {}}
    checks = [*given["preflight"]["checks"], *gather(given["proofs"])]
    told = " | ".join(problems(checks, info, given["fail_on_warnings"]))
    good = good_statuses(present=True, predicted=False, denied=given["denied_regions"])
    found = result(info["summary"], **who, good=good, problem=told, notes=info["notes"])
    return {**found, "checks": checks, "regions": info["regions"]}


def _repaired(given: t.Mapping[str, t.Any], who: t.Mapping[str, t.Any], predicted: bool) -> Result:
    before, done = given["info"][0] if given["info"] else {}, given["integration"]
    error = module_error(before, "regions")
    if error:
        return failed(error, **who)
    broken = [line["region"] for line in before["summary"] if line["status"] in BROKEN]
    error = " ".join(given["preflight"].get("obstacles", ())) if broken else ""
    if error or not broken:
        done = {}  # nothing was done: the results are of another run
    else:
        role = done.get("execution_role") or {}
        error = done["msg"] if role.get("action") == "failed" else module_error(done, "regions")
    role_changed = bool((done.get("execution_role") or {}).get("changed"))
    rows = repair_rows(before, latest(given["info"][1:]), done.get("summary", ()), role_changed, predicted)
    # A region that was never onboarded is none to repair; in check mode, all are as broken as before.
    good = STATUSES if predicted else (*good_statuses(present=True, predicted=False, denied=given["denied_regions"]), ABSENT)
    return result(rows, **who, good=good, problem=problem(rows, good, "still broken", error), error=error)


def _watched(given: t.Mapping[str, t.Any], who: t.Mapping[str, t.Any]) -> Result:
    hubs = [hub for hub in given["hubs"] if hub and not hub.get("skipped")]
    error = " | ".join(hub["msg"] for hub in hubs if hub.get("msg"))
    done = given["integration"]
    if "regions" not in done:
        return failed(error or module_error(done, "regions"), **who)
    notes = [f"hub {name} {entry['action']}" for hub in hubs for name, entry in hub["regions"].items() if entry["changed"]]
    kept = [note for hub in hubs for entry in hub["regions"].values() for note in entry["notes"]]
    told = " | ".join(filter(None, (error, done["problem"])))
    found = result(done["summary"], **who, good=STATUSES, problem=told, error=error, notes=[*done["notes"], *notes, *kept])
    return {**found, "failed_regions": done["failed_regions"]}


def latest(results: t.Sequence[Info]) -> Info:
    """Return the last result that is not of a task that was skipped."""
    return next((found for found in reversed(results) if found and not found.get("skipped")), {})


def repair_rows(
    before: Info,
    after: Info,
    done: t.Sequence[Row],
    role_changed: bool = False,
    predicted: bool = False,
) -> list[Row]:
    """Return a row for each region: its status now, what was done, and what was wrong.

    :param before: the result of `spot_integration_info` at first
    :param after: its result afterwards, for the regions that were broken; failed or not
    :param done: the `summary` of the module that repaired them
    :param role_changed: whether the execution role, which serves all regions, was repaired
    :param predicted: whether it was check mode, so that nothing was done
    """
    acts = {act["region"]: act for act in done if act["status"] not in LEFT_OUT}
    found = []
    for region, entry in before["regions"].items():
        now = after.get("regions", {}).get(region, entry)["status"]
        act = acts.get(region)
        if act is None:
            found.append(row(region, now, reason=entry["reason"]))
            continue
        actions = [] if act["action"] in ("-", "unchanged") else [act["action"]]
        if role_changed:
            actions.append("execution role would be repaired" if predicted else "execution role repaired")
        failed = act["reason"] if act["status"] not in GOOD and not predicted else ""
        if entry["status"] == FAILING and not predicted and not act["changed"] and not role_changed:
            # No delivery since then has shown anything else.
            now, failed = FAILING, failed or "nothing differs from what is desired. Prove and write a token with proof=notification."
        why = f"was {entry['status']}: {entry['reason']}" + (f" Not repaired: {failed}" if failed else "")
        found.append(row(region, now, changed=act["changed"], action=", ".join(actions) or "-", reason=why))
    return worst_first(found)
