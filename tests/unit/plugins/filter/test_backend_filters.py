# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter.spot_database_finding import spot_database_finding
from ansible_collections.spot.eventbridge.plugins.filter.spot_database_query import spot_database_query
from ansible_collections.spot.eventbridge.plugins.filter.spot_side_checks import spot_side_checks

CONFIG = {"engine": "postgresql"}


def test_a_query_has_what_the_modules_take() -> None:
    asked = spot_database_query(CONFIG, "act-d7320fba", 3)
    assert set(asked) == {"statements", "named_args", "collection"}
    assert asked["named_args"]["hours"] == 3


def test_an_answer_is_a_finding() -> None:
    result = {"query_result": [{"hits": 0, "last_one": None}]}
    assert spot_database_finding(result, CONFIG)["check"] == "spot_database"
    assert spot_database_finding(result, CONFIG, announced="2026-01-02T03:04:05Z")["outcome"] == "warn"


def test_results_are_gathered() -> None:
    assert [entry["outcome"] for entry in spot_side_checks([])] == ["skip"] * 5


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: spot_database_query("postgresql", "act-d7320fba"),
        lambda: spot_database_query({"engine": "oracle"}, "act-d7320fba"),
        lambda: spot_database_finding([], CONFIG),
        lambda: spot_database_finding({"query_result": []}, None),
        lambda: spot_database_finding({"query_result": []}, CONFIG, announced="soon"),
        lambda: spot_side_checks("x"),
        lambda: spot_side_checks([["x"]]),
    ],
)
def test_what_cannot_be_right_is_an_error_of_a_filter(wrong: t.Callable[[], object]) -> None:
    with pytest.raises(AnsibleFilterError):
        wrong()
