# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A terminal session as a picture: what was typed and what was printed; and whether a picture shows what is printed today."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable
from html import unescape
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "session.svg"
COLUMNS = 118
# What was typed, and what was printed, by choice with a terminal's colours.
Steps = Iterable[tuple[str, str]]

# Without fonts of another site: whoever looks at a picture asks nobody else for anything.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace", "font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)
# Rich's width of a character, for a text size of 20.
_CHARACTER = 20 * 0.61


def svg(steps: Steps) -> str:
    """The picture of a session."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="standard", force_terminal=True, legacy_windows=False)
    for line, printed in steps:
        console.print(Text.assemble(("$ ", "bold green"), (line, "bold")))
        console.print(Text.from_ansi("\n".join(part.rstrip() for part in printed.strip("\n").splitlines())))
        console.print()
    return console.export_svg(title="", code_format=_FORMAT, unique_id="session") + "\n"


def shown(picture: str) -> list[str]:
    """The lines that a picture shows."""
    lines: dict[int, str] = {}
    found = re.findall(r'<text class="session-r\d+" x="([\d.]+)"[^>]* clip-path="url\(#session-line-(\d+)\)">([^<]*)</text>', picture)
    for x, number, text in found:
        column = round(float(x) / _CHARACTER)
        lines[int(number)] = lines.get(int(number), "").ljust(column) + unescape(text).replace("\xa0", " ")
    return [line.rstrip() for _, line in sorted(lines.items())]


def same(picture: str, steps: Steps) -> str:
    """What is in one of them only; nothing if a picture shows what was printed now.

    Accounts come to their end in any order, so the order of lines does not matter; nor does how many tasks there were.
    """

    def counted(lines: list[str]) -> Counter[str]:
        return Counter(re.sub(r"^\[\d+/|\b(?:ok|skipped)=\d+ *", "", line) for line in lines)

    before, now = counted(shown(picture)), counted(shown(svg(steps)))
    missing = [f"no longer printed: {line}" for line in (before - now).elements()]
    return "\n".join([*missing, *(f"not in the picture: {line}" for line in (now - before).elements())])
