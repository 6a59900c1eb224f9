# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

# The words of a status, worst first: the order in which people should read them.
UNKNOWN = "unknown"
INACTIVE = "inactive"
INCOMPLETE = "incomplete"
ABSENT = "absent"
DRIFTED = "drifted"
UNSUPPORTED = "unsupported"
ACTIVE = "active"
STATUSES = (UNKNOWN, INACTIVE, INCOMPLETE, ABSENT, DRIFTED, UNSUPPORTED, ACTIVE)

Row = dict[str, t.Any]


def row(region: str, status: str, *, changed: bool = False, done: str = "", reason: str = "") -> Row:
    """What is told of a region.

    :param done: what was done there; `-` for nothing, empty where nothing was to be done
    :param reason: one line for people: why it is not active, or what they should know
    """
    return {
        "region": region,
        "status": status,
        "changed": changed,
        "done": done,
        "reason": reason,
        "summary": f"{region} {status}: {reason}" if reason else f"{region} {status}",
    }


def worst_first(rows: t.Iterable[Row]) -> list[Row]:
    """Rows in the order in which they should be read: by status, then by region."""
    return sorted(rows, key=lambda row: (STATUSES.index(row["status"]), row["region"]))


def counts(rows: t.Sequence[Row]) -> str:
    """How many regions there are of each status, worst first: `1 unknown, 16 active`."""
    numbers = [(status, sum(row["status"] == status for row in rows)) for status in STATUSES]
    return ", ".join(f"{number} {status}" for status, number in numbers if number)


def count(rows: t.Sequence[Row]) -> str:
    """How many regions there are, and of each status: `17 regions, 1 unknown, 16 active`."""
    parts = counts(rows)
    regions = f"{len(rows)} region{'' if len(rows) == 1 else 's'}"
    return f"{regions}, {parts}" if parts else regions


def table(rows: t.Sequence[Row], title: str = "") -> list[str]:
    """One line for each region, below a heading that counts them.

    :param rows: each with `region`, `status`, `done` (what was done) and `reason` (why it is not active)
    :param title: what stands before the count
    """
    columns = [("REGION", "region"), ("STATUS", "status"), ("DONE", "done")]
    columns = [(heading, key) for heading, key in columns if any(row[key] for row in rows)]
    widths = [max([len(heading), *(len(row[key]) for row in rows)]) for heading, key in columns]
    lines = [f"{title}, {count(rows)}" if title else count(rows)]
    why = "WHY" if any(row["reason"] for row in rows) else ""
    lines.append("  ".join([*(heading.ljust(width) for (heading, dummy), width in zip(columns, widths)), why]).rstrip())
    for row in worst_first(rows):
        cells = [row[key].ljust(width) for (dummy, key), width in zip(columns, widths)]
        lines.append("  ".join([*cells, row["reason"]]).rstrip())
    return lines
