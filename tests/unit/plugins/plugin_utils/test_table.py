# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import STATUSES, Row, worst_first
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import count, table


def row(region: str, status: str = "active", action: str = "created", reason: str = "") -> Row:
    return {"region": region, "status": status, "action": action, "reason": reason}


def test_a_table_is_a_count_a_heading_and_a_line_for_each_region() -> None:
    rows = [row("us-east-1"), row("ap-southeast-1", "unknown", "-", "AccessDenied: no")]
    assert table(rows) == [
        "2 regions, 1 unknown, 1 active",
        "REGION          STATUS   DONE     WHY",
        "ap-southeast-1  unknown  -        AccessDenied: no",
        "us-east-1       active   created",
    ]


def test_a_title_stands_before_the_count() -> None:
    assert table([row("us-east-1")], "act-d7320fba")[0] == "act-d7320fba, 1 region, 1 active"


def test_no_line_ends_in_blanks() -> None:
    assert [line for line in table([row("us-east-1"), row("eu-west-1", action="-")])[2:] if line != line.rstrip()] == []


def test_a_table_of_nothing_says_so() -> None:
    assert table([])[0] == "0 regions"


@pytest.mark.parametrize(
    ("statuses", "text"),
    [
        ([], "0 regions"),
        (["active"], "1 region, 1 active"),
        (["active"] * 16 + ["unknown"], "17 regions, 1 unknown, 16 active"),
    ],
)
def test_regions_are_counted_by_status_worst_first(statuses: list[str], text: str) -> None:
    assert count([row("x", status) for status in statuses]) == text


def test_every_status_has_its_place() -> None:
    rows = [row("a", status) for status in reversed(STATUSES)]
    assert [found["status"] for found in worst_first(rows)] == list(STATUSES)


def test_regions_of_a_status_are_in_alphabetical_order() -> None:
    assert [found["region"] for found in worst_first([row("b"), row("a")])] == ["a", "b"]
