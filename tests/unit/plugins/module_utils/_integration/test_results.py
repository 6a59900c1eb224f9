# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress, combined_result

ORDER = ["queue", "connection", "api_destination", "rule"]


def progress(*actions: str, failed: bool = False, note: str | None = None) -> Progress:
    """A region in which these were the actions; the next step failed if told so."""
    outcomes = {
        kind: Outcome(Plan(action, {"kind": kind}, {}, {"x": 1}, note=note), {"kind": kind}) for kind, action in zip(ORDER, actions)
    }
    return Progress(outcomes, ORDER[len(actions)], Failure("Boom", "no")) if failed else Progress(outcomes)


@pytest.mark.parametrize(
    ("actions", "action", "changed"),
    [
        (("created",) * 4, "created", True),
        (("unchanged",) * 4, "unchanged", False),
        (("deleted",) * 4, "deleted", True),
        (("unchanged", "created", "created", "created"), "updated", True),
        (("unchanged", "reauthorized", "updated", "unchanged"), "reauthorized", True),
        (("deleted", "unchanged", "unchanged", "unchanged"), "updated", True),
    ],
)
def test_one_word_for_a_region(actions: tuple[str, ...], action: str, changed: bool) -> None:
    whole = combined_result({"eu-west-1": progress(*actions)})
    entry = whole["regions"]["eu-west-1"]
    assert (entry["action"], entry["changed"], whole["changed"]) == (action, changed, changed)
    assert entry["actions"] == dict(zip(ORDER, actions))


def test_every_resource_is_in_the_answer() -> None:
    entry = combined_result({"eu-west-1": progress(*["created"] * 4)})["regions"]["eu-west-1"]
    assert [entry[kind] for kind in ORDER] == [{"kind": kind} for kind in ORDER]


def test_a_region_that_fails_halfway_tells_what_changed_and_which_step_failed() -> None:
    whole = combined_result({"eu-west-1": progress("created", failed=True), "us-east-1": progress(*["unchanged"] * 4)})
    entry = whole["regions"]["eu-west-1"]
    assert (entry["action"], entry["changed"], entry["actions"]) == ("failed", True, {"queue": "created"})
    assert entry["error"] == {"code": "Boom", "message": "connection: no"}
    assert (whole["changed"], whole["failed_regions"]) == (True, ["eu-west-1"])
    assert whole["msg"] == "integration: 1 of 2 region(s) failed. eu-west-1: Boom: connection: no"


def test_a_region_that_fails_altogether_is_in_the_answer_too() -> None:
    whole = combined_result({"eu-west-1": Failure("Boom", "no")})
    assert whole["regions"]["eu-west-1"] == {
        "action": "failed",
        "changed": False,
        "actions": {},
        "notes": [],
        "error": {"code": "Boom", "message": "no"},
    }


def test_the_diff_has_an_entry_for_each_resource_that_changes() -> None:
    diff = combined_result({"eu-west-1": progress("unchanged", "created", "unchanged", "updated")})["diff"]
    assert [entry["after_header"] for entry in diff] == ["eu-west-1 connection", "eu-west-1 rule"]


def test_notes_are_gathered() -> None:
    assert combined_result({"eu-west-1": progress("unchanged", "unchanged", note="look")})["regions"]["eu-west-1"]["notes"] == [
        "look",
        "look",
    ]
