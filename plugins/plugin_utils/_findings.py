# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, OUTCOMES, PASS, SKIP, UNKNOWN, WARN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import GOOD, LEFT_OUT
from ansible_collections.spot.eventbridge.plugins.module_utils._notify import records
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import UNCHECKED
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import ERROR, SKIPPED, WARNING, Line

# Checks that are off by default; customers of Spot cannot make most of them.
_NOT_CONFIGURED = {**UNCHECKED, records.CHECK: records.NOT_NOTIFIED}

# A check that was left out needs no action: more regions than this are counted, not named.
_MOST_NAMED = 3

_COLOURS = {FAIL: ERROR, UNKNOWN: WARNING, WARN: WARNING, SKIP: SKIPPED}

Findings = t.Iterable[t.Mapping[str, str]]


def problems(checks: Findings, info: t.Mapping[str, t.Any], warnings: bool = False) -> list[str]:
    """Return why a verification fails, one text for each check of the account, and for each region; none if it passes.

    :param checks: the findings of the account as a whole
    :param info: the result of `spot_integration_info`
    :param warnings: whether warnings are problems
    """
    bad = {FAIL, WARN} if warnings else {FAIL}
    found = [check["message"] for check in checks if check["outcome"] in bad]
    found += [info["problem"]] if info["problem"] else []
    working = [row["region"] for row in info["summary"] if row["status"] in GOOD and warnings]
    for region in working:
        found += [f"{region}: {finding['message']}" for finding in info["regions"][region]["findings"] if finding["outcome"] == WARN]
    return found


def finding_lines(checks: Findings, regions: t.Mapping[str, t.Any], verbose: bool = False) -> list[str]:
    """Return a line for each finding that is not a pass, with its remedy, worst first.

    :param checks: the findings of the account as a whole
    :param regions: `status` and `findings` by region
    :param verbose: whether each check that nothing is configured for has its line, instead of one line that counts them
    """
    # The same finding in many regions is one line.
    where: dict[tuple[str, str, str, str], list[str]] = {}
    for check in checks:
        where.setdefault(_key(check), []).append("account")
    for region, entry in sorted(regions.items()):
        for finding in entry["findings"] if entry["status"] not in LEFT_OUT else ():
            where.setdefault(_key(finding), []).append(region)
    told = sorted((key for key in where if key[0] != PASS), key=lambda key: OUTCOMES.index(key[0]))
    total = sum(entry["status"] not in LEFT_OUT for entry in regions.values())
    off = [key for key in told if key[0] == SKIP and _NOT_CONFIGURED.get(key[1]) == key[2]]
    if verbose or len(off) < 2:
        off = []
    lines = [_finding_line(key, where[key], total) for key in told if key not in off]
    return [*lines, _off_line(off)] if off else lines


def _key(finding: t.Mapping[str, str]) -> tuple[str, str, str, str]:
    return finding["outcome"], finding["check"], finding["message"], finding["remedy"]


def _off_line(keys: t.Sequence[tuple[str, str, str, str]]) -> str:
    names = ", ".join(check for dummy, check, *dummies in keys)
    return Line(
        f"SKIP {len(keys)} checks are not configured: {names}. Most need Spot's operators; -v shows who can make each.",
        SKIPPED,
    )


def _finding_line(key: tuple[str, str, str, str], regions: list[str], total: int) -> str:
    outcome, check, message, remedy = key
    place = ", ".join(regions)
    if len(regions) == total > 1:
        place = f"all {total} regions"
    elif outcome == SKIP and len(regions) > _MOST_NAMED:
        place = f"{len(regions)} of {total} regions"
    return Line(f"{outcome.upper()} {check} ({place}) {message} {remedy}", _COLOURS.get(outcome, ""))
