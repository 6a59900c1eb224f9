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

Row = t.Dict[str, t.Any]


def worst_first(rows: t.Iterable[Row]) -> list[Row]:
    """Rows in the order in which they should be read: by status, then by region."""
    return sorted(rows, key=lambda row: (STATUSES.index(row["status"]), row["region"]))


def count(rows: t.Sequence[Row]) -> str:
    """How many regions there are of each status: `17 regions: 1 unknown, 16 active`."""
    numbers = [(status, sum(row["status"] == status for row in rows)) for status in STATUSES]
    parts = ", ".join(f"{number} {status}" for status, number in numbers if number)
    return f"{len(rows)} region{'' if len(rows) == 1 else 's'}: {parts or 'none'}"


def table(rows: t.Sequence[Row]) -> list[str]:
    """One line for each region, below a heading, above a count.

    :param rows: each with `region`, `status`, `done` (what was done) and `reason` (why it is not active)
    """
    columns = (("REGION", "region"), ("STATUS", "status"), ("DONE", "done"))
    widths = [max([len(title), *(len(row[key]) for row in rows)]) for title, key in columns]
    lines = ["  ".join(title.ljust(width) for (title, dummy), width in zip(columns, widths))]
    for row in worst_first(rows):
        cells = [row[key].ljust(width) for (dummy, key), width in zip(columns, widths)]
        lines.append("  ".join([*cells, row["reason"]]).rstrip())
    return [*lines, count(rows)]
