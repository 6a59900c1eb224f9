# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import LEFT_OUT, ORDER, Row, counts, in_words
from ansible_collections.spot.eventbridge.plugins.plugin_utils._findings import finding_lines
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import CHANGED, ERROR, OK, Line, columns_of
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import table as region_table

Result = dict[str, t.Any]
# The variable of a host in which the roles leave the result of its account.
_FACT = "spot_eventbridge_result"

_NOT_FINISHED = "it did not complete: read its messages above, and run it again"


def results_of(hosts: t.Iterable[str], hostvars: t.Any) -> dict[str, Result | None]:
    """Return the results of accounts by host; None where there is none, or the task that makes it failed."""
    # Not templated: the findings of thousands of regions are millions of values, and no value is a template.
    left = {host: hostvars.raw_get(host).get(_FACT) for host in hosts}
    return {host: found if found and "summary" in found else None for host, found in left.items()}


def result(
    rows: t.Sequence[Row],
    *,
    host: str,
    spot_account: str,
    aws_account: str | None,
    good: t.Container[str],
    problem: str,
    error: str = "",
    notes: t.Iterable[str] = (),
) -> Result:
    """Return the result of a run for an account: what all playbooks leave in `spot_eventbridge_result`.

    :param rows: one for each region, worst first
    :param aws_account: None if it is not known
    :param good: the statuses that a region may have at the end
    :param problem: why the account failed, in one line; empty if it did not
    :param error: why the account as a whole failed
    :param notes: what else to know
    """
    return {
        "host": host,
        "spot_account": spot_account,
        "aws_account": aws_account,
        "summary": list(rows),
        "notes": list(notes),
        "failed_regions": [row["region"] for row in rows if row["status"] not in good],
        "error": error,
        "problem": problem,
    }


def failed(error: str, *, host: str, spot_account: str, aws_account: str | None = None) -> Result:
    """Return the result of an account that failed as a whole."""
    return result([], host=host, spot_account=spot_account, aws_account=aws_account, good=(), problem=error, error=error)


def module_error(answer: t.Mapping[str, t.Any], key: str) -> str:
    """Return in one line why a module came to no result; empty if it did.

    :param answer: the result of the module
    :param key: what stands in each of its results
    """
    if key in answer:
        return ""
    return " ".join(str(answer.get("msg") or "the module ended without a result").split())


def title(account: t.Mapping[str, t.Any]) -> str:
    """Return the heading of an account's table.

    :param account: with `spot_account` and `aws_account`
    """
    return f"{account['spot_account']} in AWS account {account['aws_account'] or '(unknown)'}"


def lines(account: t.Mapping[str, t.Any], verbose: bool = False, brief: bool = False) -> list[str]:
    """Return the result of an account for people: a line for each region, worst first, below a heading that counts them.

    For an account that was verified, also a line for each finding that is not a pass.

    :param verbose: whether the checks that nothing is configured for have a line each
    :param brief: whether an account in which nothing is wrong and nothing was done has its heading instead of the table
    """
    if not account["summary"]:
        return [Line(f"{title(account)}: {account['problem']}", ERROR), *account["notes"]]
    found = finding_lines(account["checks"], account["regions"], verbose) if "checks" in account else []
    regions = region_table(account["summary"], title(account))
    if brief and _is_well(account):
        regions = [Line(regions[0], OK)]
    return [*regions, *found, *account["notes"]]


def _is_well(account: t.Mapping[str, t.Any]) -> bool:
    rows = [row for row in account["summary"] if row["status"] not in LEFT_OUT]
    return not account["problem"] and not any(row["reason"] or row["action"] not in ("", "-", "unchanged") for row in rows)


def table(results: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> list[str]:
    """Return one line for each account, the failed ones first, below a heading that counts them.

    :param results: by host; None for a host that left none
    """
    found = [_line(host, found) for host, found in results.items()]
    failed = sum(bool(line["why"]) for line in found)
    heading = f"{len(found)} account{'' if len(found) == 1 else 's'}, {failed} failed, {len(found) - failed} done"
    found.sort(key=lambda line: (line["rank"], line["account"]))
    cells = [[line["account"], line["aws_account"], line["regions"], line["changed"], line["why"]] for line in found]
    colours = [ERROR if line["why"] else CHANGED if line["changed"] != "-" else OK for line in found]
    return [heading, *columns_of(("ACCOUNT", "AWS ACCOUNT", "REGIONS", "CHANGED"), cells, colours, "WHY" if failed else "")]


def progress(account: t.Mapping[str, t.Any], done: int, total: int) -> str:
    """Return the line of an account that is done: `[ 12/100] act-d7320fba  17 active, 2 changed`.

    :param account: its result
    :param done: how many accounts are done, with this one
    """
    line = _line(account["host"], account)
    told = line["regions"] + (f", {line['changed']} changed" if line["changed"] != "-" else "")
    number = f"[{done:>{len(str(total))}}/{total}]"
    return f"{number} {line['account']}  " + (f"FAILED  {line['why']}" if account["problem"] else told)


def _line(host: str, found: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    if found is None:
        return {"account": host, "aws_account": "-", "regions": "-", "changed": "-", "why": _NOT_FINISHED, "rank": -1}
    rows = found["summary"]
    worst = min([ORDER.index(row["status"]) for row in rows], default=-1)
    changed = sum(bool(row["changed"]) for row in rows)
    return {
        "account": host if host == found["spot_account"] else f"{host} ({found['spot_account']})",
        "aws_account": found["aws_account"] or "-",
        "regions": counts(rows) or "-",
        "changed": str(changed) if changed else "-",
        "why": _why(found),
        # Failed accounts come first, whatever the statuses of the others are.
        "rank": worst if found["problem"] else len(ORDER),
    }


def _why(found: t.Mapping[str, t.Any]) -> str:
    """Return the worst that made an account fail; the rest stands in the table of the account."""
    failed = [row for row in found["summary"] if row["region"] in found["failed_regions"]]
    if found["error"] or not failed:
        return str(found["problem"])
    more = len(failed) - 1
    return in_words(failed[0]) + (f" (and {more} more region{'' if more == 1 else 's'})" if more else "")
