# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome, failure_message, resource_result

DONE = Outcome(Plan("updated", {"x": 2}, {"x": 1}, {"x": 2}, (Call("paint", {}),)), {"x": 2})
SAME = Outcome(Plan("unchanged", {"x": 2}), {"x": 2})
TOLD = Outcome(Plan("unchanged", {"x": 2}, note="it flickers"), {"x": 2})
GONE = Outcome(Plan("deleted", None, {"x": 1}, None, (Call("break", {}),)), None)
MADE = Outcome(Plan("created", {"x": 2}, None, {"x": 2}, (Call("create", {}),)), {"x": 2})


@pytest.mark.parametrize(
    ("outcome", "entry"),
    [
        (DONE, {"action": "updated", "changed": True, "lamp": {"x": 2}}),
        (SAME, {"action": "unchanged", "changed": False, "lamp": {"x": 2}}),
        (TOLD, {"action": "unchanged", "changed": False, "lamp": {"x": 2}, "note": "it flickers"}),
        (GONE, {"action": "deleted", "changed": True, "lamp": None}),
        (Failure("Boom", "no"), {"action": "failed", "changed": False, "error": {"code": "Boom", "message": "no"}}),
    ],
)
def test_result_of_a_region(outcome: Outcome | Failure, entry: dict[str, t.Any]) -> None:
    assert resource_result("lamp", {"eu-west-1": outcome})["regions"] == {"eu-west-1": entry}


@pytest.mark.parametrize(
    ("results", "changed"), [({"a": SAME}, False), ({"a": SAME, "b": DONE}, True), ({"a": Failure("x", "y")}, False), ({}, False)]
)
def test_result_is_changed_if_one_region_changed(results: dict[str, t.Any], changed: bool) -> None:
    assert resource_result("lamp", results)["changed"] is changed


def test_result_lists_failed_regions_beside_all_others() -> None:
    whole = resource_result("lamp", {"a": DONE, "b": Failure("Boom", "no"), "c": SAME})
    assert whole["failed_regions"] == ["b"]
    assert list(whole["regions"]) == ["a", "b", "c"]
    assert whole["msg"] == "lamp: 1 of 3 region(s) failed. b: Boom: no"


def test_result_without_a_failure_has_no_message() -> None:
    assert "msg" not in resource_result("lamp", {"a": DONE})


def test_diff_has_an_entry_for_each_changed_region() -> None:
    diff = resource_result("lamp", {"a": DONE, "b": SAME, "c": MADE, "d": GONE, "e": Failure("x", "y")})["diff"]
    assert diff == [
        {"before_header": "a lamp", "after_header": "a lamp", "before": {"x": 1}, "after": {"x": 2}},
        {"before_header": "c lamp", "after_header": "c lamp", "before": {}, "after": {"x": 2}},
        {"before_header": "d lamp", "after_header": "d lamp", "before": {"x": 1}, "after": {}},
    ]


def test_message_groups_regions_with_the_same_failure() -> None:
    failures = {"a": Failure("Boom", "no"), "b": Failure("Silence", "…"), "c": Failure("Boom", "no")}
    assert failure_message("lamp", failures, 5) == "lamp: 3 of 5 region(s) failed. a, c: Boom: no | b: Silence: …"
