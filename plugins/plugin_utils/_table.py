# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, counts, worst_first


def count(rows: t.Sequence[Row]) -> str:
    """Return the number of regions, and of each status: `17 regions, 1 unknown, 16 active`."""
    parts = counts(rows)
    regions = f"{len(rows)} region{'' if len(rows) == 1 else 's'}"
    return f"{regions}, {parts}" if parts else regions


def table(rows: t.Sequence[Row], title: str = "") -> list[str]:
    """Return one line for each region, below a heading that counts them.

    :param rows: each with `region`, `status`, `action` and `reason`
    :param title: the words before the count
    """
    columns = [("REGION", "region"), ("STATUS", "status"), ("DONE", "action")]
    columns = [(heading, key) for heading, key in columns if any(row[key] for row in rows)]
    widths = [max([len(heading), *(len(row[key]) for row in rows)]) for heading, key in columns]
    lines = [f"{title}, {count(rows)}" if title else count(rows)]
    why = "WHY" if any(row["reason"] for row in rows) else ""
    lines.append("  ".join([*(heading.ljust(width) for (heading, dummy), width in zip(columns, widths)), why]).rstrip())
    for row in worst_first(rows):
        cells = [row[key].ljust(width) for (dummy, key), width in zip(columns, widths)]
        lines.append("  ".join([*cells, row["reason"]]).rstrip())
    return lines
