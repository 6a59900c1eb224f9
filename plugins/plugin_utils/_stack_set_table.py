# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import CHANGED, ERROR, OK, Line, columns_of

_CURRENT = "CURRENT"


def lines(result: t.Mapping[str, t.Any], name: str) -> list[str]:
    """Return the result of a stack set for people: a heading that counts, then a line for each AWS account, failed ones first.

    :param result: the result of `spot_stack_set`
    :param name: of the stack set
    """
    if "instances" not in result:
        told = str(result.get("msg", "it did not complete"))
        return [told if told.startswith("stack set ") else f"stack set {name}: {told}"]
    failures: dict[str, list[t.Mapping[str, t.Any]]] = {}
    for failure in result["failed_instances"]:
        failures.setdefault(failure["account"], []).append(failure)
    by_account: dict[str, list[t.Mapping[str, t.Any]]] = {account: [] for account in failures}
    for instance in result["instances"]:
        by_account.setdefault(instance["account"], []).append(instance)
    rows = [_row(account, by_account[account], failures.get(account, []), result) for account in by_account]
    failed = len(result["failed_instances"])
    total = len({(item["account"], item["region"]) for item in (*result["instances"], *result["failed_instances"])})
    heading = f"stack set {name}: {_many(len(rows), 'account')}, {_many(total, 'instance')}, {failed} failed"
    if not rows:
        return [f"stack set {name}: there is none" if result.get("stack_set") is None else heading, *result["notes"]]
    rows.sort(key=lambda row: (not row["why"], row["account"]))
    cells = [[row["account"], row["spot_account"], row["current"], row["done"], row["why"]] for row in rows]
    colours = [ERROR if row["why"] else CHANGED if row["done"] != "-" else OK for row in rows]
    table = columns_of(("AWS ACCOUNT", "SPOT ACCOUNT", "CURRENT", "DONE"), cells, colours, "WHY" if failed else "")
    return [heading, *table, *result["notes"]]


def next_step_of_stack_set(result: t.Mapping[str, t.Any]) -> list[str]:
    """Return the last line of a run: what to do next; nothing if all instances are as desired.

    :param result: the result of `spot_stack_set`
    """
    failed = "instances" not in result or result["failed_instances"]
    return [Line("Next: correct the errors above, and run it again.")] if failed else []


def _row(
    account: str, instances: t.Sequence[t.Mapping[str, t.Any]], failures: t.Sequence[t.Mapping[str, t.Any]], result: t.Mapping[str, t.Any]
) -> dict[str, str]:
    bad = {failure["region"] for failure in failures}
    current = sum(instance["status"] == _CURRENT and instance["region"] not in bad for instance in instances)
    total = len({instance["region"] for instance in instances} | bad)
    spot_accounts = list(dict.fromkeys(instance["spot_account"] for instance in instances if instance["spot_account"]))
    # delete_stack_instances is a word too long for a column.
    done = list(dict.fromkeys(entry["action"].partition("_")[0] for entry in result["operations"] if account in entry["accounts"]))
    return {
        "account": account,
        "spot_account": ", ".join(spot_accounts) or "-",
        "current": f"{current} of {total}",
        "done": ", ".join(done) or "-",
        "why": _why(failures),
    }


def _why(failures: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Return the worst that went wrong in an account; they come worst first."""
    if not failures:
        return ""
    more = len(failures) - 1
    first = f"{failures[0]['region']}: {failures[0]['status']}: {failures[0]['reason']}"
    return first + (f" (and {more} more region{'' if more == 1 else 's'})" if more else "")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
