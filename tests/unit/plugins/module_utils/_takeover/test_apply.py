# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.apply import migrate
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.removal import Others, Removal, Removals, Removed

OLD = {"region": "eu-west-1", "name": "theirs", "stack_name": "old", "rules": ["theirs"], "stack_set": False}
ARRIVED = Finding("test_event", "pass", "eu-west-1: Spot took it")
Entry = dict[str, t.Any]


class Regions:
    """One region."""

    def run(self, function: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
        region = type("Region", (), {"name": "eu-west-1"})()
        try:
            return {"eu-west-1": function(region)}
        except RuntimeError as error:
            return {"eu-west-1": Failure("Boom", str(error))}


@dataclasses.dataclass(frozen=True)
class Removing(Removals):
    """Removes nothing, but notes what it was to remove."""

    removal: Removal = dataclasses.field(default_factory=Removal)
    asked: list[Others] = dataclasses.field(default_factory=list)

    def run(self, others: Others, *, retain: bool = False, everywhere: bool = False) -> Removed:
        self.asked.append(others)
        return Removed(dict.fromkeys(others, self.removal))


def take_over(
    proof: Finding | None = ARRIVED,
    removal: Removal | None = None,
    *,
    check_mode: bool = False,
    existing: bool = True,
    action: str = "created",
) -> tuple[Entry, Removing]:
    """Migrate one region; without a proof, sending the test event fails."""
    removing = Removing(t.cast("t.Any", Regions()), check_mode, 1, 1, removal=removal or Removal())
    entry = {"action": action, "changed": action != "unchanged", "actions": {}, "notes": ["before"]}
    whole = {"changed": entry["changed"], "regions": {"eu-west-1": entry}, "failed_regions": [], "diff": []}
    if existing:
        entry["other_integrations"] = [OLD]
    if action == "failed":
        entry["error"] = {"code": "Boom", "message": "no"}

    def send(region: t.Any) -> Finding:
        if proof is None:
            raise RuntimeError("refused")
        return proof

    return migrate("integration", whole, send, removing), removing


def only(whole: Entry) -> Entry:
    (entry,) = whole["regions"].values()
    return t.cast("Entry", entry)


def test_the_other_is_removed_once_a_test_event_arrived() -> None:
    whole, removing = take_over()
    assert removing.asked == [{"eu-west-1": [OLD]}]
    assert (only(whole)["taken_over"], only(whole)["test_event"]["outcome"], whole["failed_regions"]) == (True, "pass", [])


def test_an_unchanged_one_that_takes_over_has_changed() -> None:
    whole, _ = take_over(action="unchanged")
    assert (whole["changed"], only(whole)["changed"]) == (True, True)


@pytest.mark.parametrize(
    "proof",
    [Finding("test_event", "fail", "refused"), Finding("test_event", "skip", "refused"), Finding("test_event", "unknown", "refused"), None],
)
def test_where_no_test_event_arrived_both_stay_and_the_region_fails(proof: Finding | None) -> None:
    whole, removing = take_over(proof)
    assert removing.asked == [{}]
    message = only(whole)["error"]["message"]
    assert "the stack old was kept" in message
    assert "refused" in message
    assert (whole["failed_regions"], "taken_over" in only(whole)) == (["eu-west-1"], False)
    assert whole["msg"] == f"integration: 1 of 1 region(s) failed. eu-west-1: NotTakenOver: {message}"


def test_a_region_from_which_the_other_could_not_be_removed_fails() -> None:
    whole, _ = take_over(removal=Removal(failure=Failure("Boom", "no")))
    assert only(whole)["error"] == {"code": "NotTakenOver", "message": "the stack old could not be removed: no"}
    assert whole["failed_regions"] == ["eu-west-1"]


def test_check_mode_sends_nothing_and_predicts_the_removal() -> None:
    whole, removing = take_over(None, check_mode=True)
    assert removing.asked == [{"eu-west-1": [OLD]}]
    assert (only(whole)["taken_over"], "test_event" in only(whole)) == (True, False)


def test_what_was_removed_is_in_the_diff_and_its_notes_are_kept() -> None:
    diff = {"before_header": "eu-west-1 stack old"}
    whole, _ = take_over(removal=Removal((diff,), ("what it made stays",)))
    assert (whole["diff"], only(whole)["notes"]) == ([diff], ["before", "what it made stays"])


@pytest.mark.parametrize(("existing", "action"), [(False, "created"), (True, "failed")])
def test_a_region_without_another_or_that_failed_is_left_alone(existing: bool, action: str) -> None:
    whole, removing = take_over(existing=existing, action=action)
    assert removing.asked == []
    assert "taken_over" not in only(whole)
