# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import ABSENT, ACTIVE, LEFT_OUT, Row, counts, worst_first

# Ansible's settings of colours (`ansible.constants`).
OK, CHANGED, ERROR, WARNING, SKIPPED = "COLOR_OK", "COLOR_CHANGED", "COLOR_ERROR", "COLOR_WARN", "COLOR_SKIP"


class Line(str):
    """A line for people.

    :ivar colour: the name of Ansible's setting of its colour; empty for none
    :ivar indent: the indentation of its further lines if it is longer than the terminal is wide
    """

    colour: str
    indent: int

    def __new__(cls, text: str, colour: str = "", indent: int = 4) -> Line:
        """Return a text with its colour and indentation."""
        line = super().__new__(cls, text.rstrip())
        line.colour, line.indent = colour, indent
        return line


def columns_of(titles: t.Sequence[str], rows: t.Sequence[t.Sequence[str]], colours: t.Sequence[str], last: str) -> list[str]:
    """Return a heading and a line for each row, in columns; the last cell of a row is the text behind the columns.

    :param colours: by row
    :param last: the title of the texts behind the columns; empty if there are none
    """
    widths = [max(len(title), *(len(row[number]) for row in rows)) if rows else len(title) for number, title in enumerate(titles)]
    indent = sum(width + 2 for width in widths)
    found: list[str] = [Line("  ".join([*(title.ljust(width) for title, width in zip(titles, widths)), last]), indent=indent)]
    for row, colour in zip(rows, colours):
        found.append(Line("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]), colour, indent))
    return found


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
    why = "WHY" if any(row["reason"] for row in rows) else ""
    found = worst_first(rows)
    cells = [[*(row[key] for dummy, key in columns), row["reason"]] for row in found]
    return [
        f"{title}, {count(rows)}" if title else count(rows),
        *columns_of([heading for heading, dummy in columns], cells, [_colour(row) for row in found], why),
    ]


def _colour(row: Row) -> str:
    if row["status"] in LEFT_OUT:
        return SKIPPED
    if row.get("changed"):
        return CHANGED
    return {ACTIVE: OK, ABSENT: ""}.get(row["status"], ERROR)
