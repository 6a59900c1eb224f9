# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, row, worst_first
from ansible_collections.spot.eventbridge.plugins.module_utils._core.statuses import ABSENT, ACTIVE, STATUSES, UNSUPPORTED
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import Result, result, title
from ansible_collections.spot.eventbridge.plugins.plugin_utils._onboarding import account_error, role_failed
from ansible_collections.spot.eventbridge.plugins.plugin_utils._onboarding import rows as onboarding_rows
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import table

Verification = t.Mapping[str, t.Any]

# What was not checked needs nobody: beyond this, its regions are counted, not named.
_MOST_NAMED = 3

# How findings are sorted: what needs somebody first.
OUTCOMES = (FAIL, UNKNOWN, WARN, SKIP, PASS)


_UNSUPPORTED_REGION = {
    "status": UNSUPPORTED,
    "findings": [{"check": "region", "outcome": SKIP, "message": "This region has no API destinations.", "remedy": ""}],
    "resources": {"connection": None, "api_destination": None, "rule": None, "queue": None},
    "evidence": None,
}


def verification_of(info: t.Mapping[str, t.Any], preflight: t.Mapping[str, t.Any], *, host: str, spot_account: str) -> dict[str, t.Any]:
    """What was found in an account: what the role leaves in `spot_eventbridge_verify_result`.

    :param info: the result of `spot_integration_info`, failed, skipped or not
    :param preflight: the result of `spot_preflight_info`, failed or not
    :returns: `host`, `spot_account`, `aws_account`, `error` (None, or why nothing could be found out), `checks`, `regions`
    """
    error = account_error(preflight, "regions") or account_error(info, "regions")
    unsupported = dict.fromkeys(preflight.get("unsupported", ()), _UNSUPPORTED_REGION)
    return {
        "host": host,
        "spot_account": spot_account,
        "aws_account": preflight.get("aws_account"),
        "error": error or None,
        "checks": [] if error else preflight["checks"],
        "regions": {} if error else {**info["regions"], **unsupported},
    }


def verified(found: Verification, warnings: bool = False) -> Result:
    """What came of verifying an account.

    :param warnings: whether warnings are failures
    """
    whole = _result(found, rows(found), (ACTIVE, UNSUPPORTED), "not active")
    return {**whole, "problem": " | ".join(problems(found, warnings))}


def repaired(before: Verification, after: Verification, done: t.Mapping[str, t.Any], *, error: str = "", predicted: bool = False) -> Result:
    """What came of a repair.

    :param before: what was found first
    :param after: what was found afterwards in the regions that were broken
    :param done: the result of `spot_integration`; empty if nothing was to be done
    :param error: why nothing could be mended
    :param predicted: whether it was check mode, so that nothing was done
    """
    if before["error"]:
        return _result(before, [], (), "", before["error"])
    if done and not error:
        error = done["msg"] if role_failed(done) else account_error(done, "failed_regions")
    role_changed = bool((done.get("execution_role") or {}).get("changed"))
    found = repair_rows(before, after, onboarding_rows(done.get("regions", {}), (), predicted), role_changed, predicted)
    # A region that was never onboarded is none to repair; in check mode, all are as broken as before.
    good = STATUSES if predicted else (ACTIVE, UNSUPPORTED, ABSENT)
    return _result(before, found, good, "still broken", error)


def _result(found: Verification, region_rows: list[Row], good: t.Container[str], goal: str, error: str = "") -> Result:
    who = {key: found[key] for key in ("host", "spot_account", "aws_account")}
    return result(region_rows, **who, good=good, goal=goal, error=error)


def lines(verification: Verification) -> list[str]:
    """What was found in an account, for people: a line for each region, then each finding that is not a pass with its remedy.

    :param verification: `spot_eventbridge_verify_result` of a host
    """
    if verification["error"]:
        return [f"{title(verification)}: {verification['error']}"]
    return [*table(rows(verification), title(verification)), *_finding_lines(verification)]


def rows(verification: Verification) -> list[Row]:
    """One row for each region, worst first."""
    return worst_first(row(region, entry["status"], reason=reason(entry)) for region, entry in verification["regions"].items())


def reason(entry: t.Mapping[str, t.Any]) -> str:
    """Why a region is not active, in one line; empty if it is."""
    if entry["status"] == ACTIVE:
        return ""
    found = sorted(entry["findings"], key=lambda finding: OUTCOMES.index(finding["outcome"]))
    worst = [finding for finding in found if finding["outcome"] == found[0]["outcome"]]
    # Of what is missing or lost, the state that the connection is in explains the rest.
    chosen = next((finding for finding in worst if finding["check"] == "connection_state"), worst[0])
    return chosen["message"] + (f" (and {len(worst) - 1} more)" if len(worst) > 1 else "")


def problems(verification: Verification, warnings: bool = False) -> list[str]:
    """Why a verification fails, one text for each region or account-wide check; none if it passes.

    :param warnings: whether warnings count
    """
    if verification["error"]:
        return [verification["error"]]
    bad = {FAIL, WARN} if warnings else {FAIL}
    found = [check["message"] for check in verification["checks"] if check["outcome"] in bad]
    for region_row in rows(verification):
        if region_row["status"] not in (ACTIVE, UNSUPPORTED):
            found.append(region_row["summary"])
        elif warnings:
            findings = verification["regions"][region_row["region"]]["findings"]
            found += [f"{region_row['region']}: {finding['message']}" for finding in findings if finding["outcome"] == WARN]
    return found


def _finding_lines(verification: Verification) -> list[str]:
    # The same finding in many regions is one line.
    where: dict[tuple[str, str, str, str], list[str]] = {}
    for check in verification["checks"]:
        where.setdefault(_key(check), []).append("account")
    for region, entry in sorted(verification["regions"].items()):
        for finding in entry["findings"] if entry["status"] != UNSUPPORTED else ():
            where.setdefault(_key(finding), []).append(region)
    told = sorted((key for key in where if key[0] != PASS), key=lambda key: OUTCOMES.index(key[0]))
    total = sum(entry["status"] != UNSUPPORTED for entry in verification["regions"].values())
    return [_finding_line(key, where[key], total) for key in told]


def _key(finding: t.Mapping[str, str]) -> tuple[str, str, str, str]:
    return finding["outcome"], finding["check"], finding["message"], finding["remedy"]


def _finding_line(key: tuple[str, str, str, str], regions: list[str], total: int) -> str:
    outcome, check, message, remedy = key
    place = ", ".join(regions)
    if len(regions) == total > 1:
        place = f"all {total} regions"
    elif outcome == SKIP and len(regions) > _MOST_NAMED:
        place = f"{len(regions)} of {total} regions"
    return f"{outcome.upper()} {check} ({place}) {message} {remedy}".rstrip()


def repair_rows(
    before: Verification,
    after: Verification,
    done: t.Sequence[Row],
    role_changed: bool = False,
    predicted: bool = False,
) -> list[Row]:
    """What came of a repair, one row for each region: what it is now, what was done, and what was wrong.

    :param before: what was found first
    :param after: what was found afterwards in the regions that were broken
    :param done: rows of what was done there, as onboarding gives them
    :param role_changed: whether the execution role, which serves all regions, was mended
    :param predicted: whether it was check mode, so that nothing was done
    """
    acts = {act["region"]: act for act in done}
    found = []
    for region, entry in before["regions"].items():
        now = after["regions"].get(region, entry)["status"] if not after["error"] else entry["status"]
        act = acts.get(region)
        if act is None:
            found.append(row(region, now, reason=reason(entry)))
            continue
        actions = [] if act["done"] in ("-", "unchanged") else [act["done"]]
        if role_changed:
            actions.append("execution role would be mended" if predicted else "execution role mended")
        failed = act["reason"] if act["status"] not in (ACTIVE, UNSUPPORTED) and not predicted else ""
        why = f"was {entry['status']}: {reason(entry)}" + (f" Not mended: {failed}" if failed else "")
        found.append(row(region, now, changed=act["changed"], done=", ".join(actions) or "-", reason=why))
    return worst_first(found)
