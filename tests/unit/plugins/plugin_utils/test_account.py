# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import problem, row, worst_first
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import failed, lines, module_error, result, table

WHO = {"host": "act-d7320fba", "spot_account": "act-d7320fba", "aws_account": "123456789012"}


def came_of(*rows: t.Any, **more: t.Any) -> dict[str, t.Any]:
    error, good = more.get("error", ""), ("active", "unsupported")
    return result(worst_first(rows), good=good, problem=problem(worst_first(rows), good, "not active", error), **{**WHO, **more})


GOOD = row("eu-west-1", "active", changed=True, action="created")
BAD = row("us-east-1", "unknown", action="-", reason="X: no")


def test_an_account_where_all_is_good_has_no_problem() -> None:
    found = came_of(GOOD, row("ca-west-1", "unsupported"))
    assert (found["problem"], found["failed_regions"]) == ("", [])


def test_a_problem_names_each_region_that_failed_and_why() -> None:
    found = came_of(GOOD, BAD, row("us-west-2", "inactive", reason="lost"))
    assert found["problem"] == "2 of 3 region(s) not active: us-east-1 unknown: X: no | us-west-2 inactive: lost"
    assert found["failed_regions"] == ["us-east-1", "us-west-2"]


def test_what_failed_for_the_whole_account_comes_before_its_regions() -> None:
    assert came_of(BAD, error="execution role: no")["problem"].startswith("execution role: no | 1 of 1 region(s) not active")


def test_lines_have_the_table_of_the_regions_and_then_what_else_to_know() -> None:
    found = lines(came_of(GOOD, notes=["execution role created"]))
    assert found == [
        "act-d7320fba in AWS account 123456789012, 1 region, 1 active",
        "REGION     STATUS  DONE",
        "eu-west-1  active  created",
        "execution role created",
    ]


def test_without_a_region_the_problem_is_the_line() -> None:
    assert lines(came_of(error="No credentials.", aws_account=None)) == ["act-d7320fba in AWS account (unknown): No credentials."]


def test_an_account_that_failed_as_a_whole_has_the_one_problem() -> None:
    found = failed("No way.", host="a", spot_account="b")
    assert (found["problem"], found["error"], found["summary"], found["aws_account"]) == ("No way.", "No way.", [], None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"regions": {}}, ""), ({"msg": "MODULE\nFAILURE"}, "MODULE FAILURE"), ({}, "the module ended without a result")],
)
def test_a_module_that_came_to_no_result_is_an_error_whatever_it_said(answer: dict[str, t.Any], error: str) -> None:
    assert module_error(answer, "regions") == error


def test_a_table_has_a_line_for_each_account_the_failed_ones_first() -> None:
    accounts = {
        "good": came_of(GOOD, host="good"),
        "one": came_of(GOOD, BAD, host="one"),
        "more": came_of(BAD, *(row(f"us-west-{n}", "inactive", reason="lost") for n in (1, 2)), host="more"),
        "refused": came_of(error="Spot refuses the token.", host="refused", aws_account=None),
        "killed": None,
    }
    assert table(accounts) == [
        "5 accounts, 4 failed, 1 done",
        "ACCOUNT                 AWS ACCOUNT   REGIONS                CHANGED  WHY",
        "killed                  -             -                      -        "
        "it did not complete: read its messages above, and run it again",
        "refused (act-d7320fba)  -             -                      -        Spot refuses the token.",
        "more (act-d7320fba)     123456789012  1 unknown, 2 inactive  -        us-east-1 unknown: X: no (and 2 more regions)",
        "one (act-d7320fba)      123456789012  1 unknown, 1 active    1        us-east-1 unknown: X: no",
        "good (act-d7320fba)     123456789012  1 active               1",
    ]


def test_where_none_failed_there_is_no_column_for_it() -> None:
    assert table({"act-d7320fba": came_of(GOOD)}) == [
        "1 account, 0 failed, 1 done",
        "ACCOUNT       AWS ACCOUNT   REGIONS   CHANGED",
        "act-d7320fba  123456789012  1 active  1",
    ]


def test_an_account_that_is_well_is_one_line_where_it_is_brief() -> None:
    well = came_of(row("eu-west-1", "active", action="-"), row("ca-west-1", "unsupported", reason="no API destinations"))
    assert lines(well, brief=True) == ["act-d7320fba in AWS account 123456789012, 2 regions, 1 unsupported, 1 active"]
    assert len(lines(well)) == 4


@pytest.mark.parametrize(
    "other",
    [BAD, GOOD, row("us-west-2", "active", action="-", reason="the queue was kept")],
    ids=["failed", "changed", "with a note"],
)
def test_any_other_account_has_its_table_where_it_is_brief(other: dict[str, t.Any]) -> None:
    assert lines(came_of(row("eu-west-1", "active", action="-"), other), brief=True)[1].startswith("REGION")
