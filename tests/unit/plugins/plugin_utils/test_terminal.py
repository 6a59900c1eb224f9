# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible import constants

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _terminal
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import CHANGED, ERROR, OK, SKIPPED, Line, table
from ansible_collections.spot.eventbridge.plugins.plugin_utils._terminal import fitted, show

REASON = "The connection is DEAUTHORIZED: HTTP 401 from the endpoint. AWS drops every notice until it is authorised again."
ROWS: list[dict[str, Any]] = [
    {"region": "us-east-1", "status": "inactive", "action": "", "reason": REASON, "changed": False},
    {"region": "ap-southeast-1", "status": "active", "action": "", "reason": "", "changed": True},
    {"region": "eu-west-1", "status": "active", "action": "", "reason": "", "changed": False},
    {"region": "mx-central-1", "status": "unsupported", "action": "", "reason": "no API destinations", "changed": False},
]


class Display:
    """Keeps what was displayed on the screen and in the log."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, bool]]] = []

    def display(self, text: str, **options: bool) -> None:
        self.calls.append((text, options))


@pytest.mark.parametrize("columns", [80, 160])
def test_no_line_is_longer_than_the_terminal_is_wide(columns: int) -> None:
    shown = [part for line in table(ROWS, "act-d7320fba in AWS account 123456789012") for part in fitted(line, columns)]
    assert max(map(len, shown)) <= columns
    assert " ".join(" ".join(shown).split()) == " ".join(" ".join(table(ROWS, "act-d7320fba in AWS account 123456789012")).split())


def test_further_lines_stand_below_the_last_column() -> None:
    heading, line = table(ROWS)[1:3]
    assert heading.endswith("WHY")
    first, *further = fitted(line, 80)
    assert first.index("The connection") == heading.index("WHY")
    assert {len(part) - len(part.lstrip()) for part in further} == {heading.index("WHY")}


def test_without_a_terminal_a_line_stays_as_it_is() -> None:
    assert fitted("x " * 500, 0) == ["x " * 500]


def test_a_word_is_never_divided() -> None:
    assert fitted(Line(f"See https://example.com/{'a' * 100}"), 40)[-1].strip() == f"https://example.com/{'a' * 100}"


def test_a_row_has_the_colour_of_its_status() -> None:
    assert {line.split()[0]: line.colour for line in table(ROWS)[2:]} == {
        "us-east-1": ERROR,
        "ap-southeast-1": CHANGED,
        "eu-west-1": OK,
        "mx-central-1": SKIPPED,
    }


def test_colours_are_on_the_screen_and_not_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_terminal, "ANSIBLE_COLOR", True)
    monkeypatch.setattr(_terminal, "stringc", lambda text, color: f"<{color}>{text}")
    display = Display()
    show(display, [Line("bad", ERROR), "plain"])
    assert display.calls == [
        (f"<{constants.COLOR_ERROR}>bad\nplain", {"screen_only": True}),
        ("bad\nplain", {"log_only": True}),
    ]


def test_without_colours_lines_are_displayed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_terminal, "ANSIBLE_COLOR", False)
    display = Display()
    show(display, [Line("bad", ERROR)])
    assert display.calls == [("bad", {})]
