# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, counts, problem, worst_first
from ansible_collections.spot.eventbridge.plugins.module_utils._core.statuses import STATUSES
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import table as region_table

Result = dict[str, t.Any]

_NOT_FINISHED = "it did not come to its end: see what is said of it above, and run it again"


def result(
    rows: t.Iterable[Row],
    *,
    host: str,
    spot_account: str,
    aws_account: str | None,
    good: t.Container[str],
    goal: str,
    error: str = "",
    notes: t.Iterable[str] = (),
) -> Result:
    """What came of a run for an account: what all playbooks leave in `spot_eventbridge_result`.

    :param rows: one for each region
    :param aws_account: None if it could not be found out
    :param good: the statuses that a region may have in the end
    :param goal: what is said of regions with others, such as `not active`
    :param error: why the account as a whole failed
    :param notes: what else to know
    :returns: `host`, `spot_account`, `aws_account`, `rows`, `notes`, `failed_regions`, `error`, and `problem`: why it
        failed, in one line, or nothing.
    """
    rows = worst_first(rows)
    return {
        "host": host,
        "spot_account": spot_account,
        "aws_account": aws_account,
        "rows": rows,
        "notes": list(notes),
        "failed_regions": [row["region"] for row in rows if row["status"] not in good],
        "error": error,
        "problem": problem(rows, good, goal, error),
    }


def failed(failure: t.Mapping[str, t.Any], *, host: str, spot_account: str) -> Result:
    """What came of an account for which a task failed that should not.

    :param failure: the task's result
    """
    error = " ".join(str(failure.get("msg") or "a task failed without saying why").split())
    return result([], host=host, spot_account=spot_account, aws_account=None, good=(), goal="", error=error)


def title(account: t.Mapping[str, t.Any]) -> str:
    """What stands above the table of an account.

    :param account: with `spot_account` and `aws_account`
    """
    return f"{account['spot_account']} in AWS account {account['aws_account'] or '(unknown)'}"


def lines(account: t.Mapping[str, t.Any]) -> list[str]:
    """What came of an account, for people: a line for each region, worst first, below a heading that counts them."""
    if not account["rows"]:
        return [f"{title(account)}: {account['problem']}", *account["notes"]]
    return [*region_table(account["rows"], title(account)), *account["notes"]]


def table(results: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> list[str]:
    """One line for each account, the failed ones first, below a heading that counts them.

    :param results: by host; None for a host that left none
    """
    found = [_line(host, found) for host, found in results.items()]
    failed = sum(bool(line["why"]) for line in found)
    heading = f"{len(found)} account{'' if len(found) == 1 else 's'}, {failed} failed, {len(found) - failed} done"
    columns = [("ACCOUNT", "account"), ("AWS ACCOUNT", "aws_account"), ("REGIONS", "regions"), ("CHANGED", "changed")]
    widths = [max([len(name), *(len(line[key]) for line in found)]) for name, key in columns]
    lines = [heading, "  ".join([*(name.ljust(width) for (name, dummy), width in zip(columns, widths)), "WHY" if failed else ""]).rstrip()]
    for line in sorted(found, key=lambda line: (line["rank"], line["account"])):
        cells = [line[key].ljust(width) for (dummy, key), width in zip(columns, widths)]
        lines.append("  ".join([*cells, line["why"]]).rstrip())
    return lines


def progress(account: t.Mapping[str, t.Any], done: int, total: int) -> str:
    """The line of an account that is done: `[ 12/100] act-d7320fba  17 active, 2 changed`.

    :param account: what came of it
    :param done: how many accounts are done, with this one
    """
    line = _line(account["host"], account)
    told = line["regions"] + (f", {line['changed']} changed" if line["changed"] != "-" else "")
    number = f"[{done:>{len(str(total))}}/{total}]"
    return f"{number} {line['account']}  " + (f"FAILED  {line['why']}" if account["problem"] else told)


def _line(host: str, found: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    if found is None:
        return {"account": host, "aws_account": "-", "regions": "-", "changed": "-", "why": _NOT_FINISHED, "rank": -1}
    rows = found["rows"]
    worst = min([STATUSES.index(row["status"]) for row in rows], default=-1)
    changed = sum(bool(row["changed"]) for row in rows)
    return {
        "account": host if host == found["spot_account"] else f"{host} ({found['spot_account']})",
        "aws_account": found["aws_account"] or "-",
        "regions": counts(rows) or "-",
        "changed": str(changed) if changed else "-",
        "why": _why(found),
        # What failed comes first, however bad the rest is.
        "rank": worst if found["problem"] else len(STATUSES),
    }


def _why(found: t.Mapping[str, t.Any]) -> str:
    """The worst that made an account fail; the rest stands in the table of the account."""
    failed = [row for row in found["rows"] if row["region"] in found["failed_regions"]]
    if found["error"] or not failed:
        return str(found["problem"])
    more = len(failed) - 1
    return str(failed[0]["summary"]) + (f" (and {more} more region{'' if more == 1 else 's'})" if more else "")
