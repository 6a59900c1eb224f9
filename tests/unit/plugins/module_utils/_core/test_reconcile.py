# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core import reconcile as _reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import Outcome, answer, failure_message, reconcile


@dataclass
class Light:
    """A lamp as it is."""

    color: str
    state: str = "STEADY"

    @property
    def document(self) -> dict[str, t.Any]:
        return {"color": self.color, "state": self.state}


@dataclass
class Lamps:
    """A service with one lamp. `errors` are raised by the next calls, one each; None lets a call pass."""

    lamp: Light | None = None
    errors: list[Exception | None] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    reads: int = 0
    becomes: str = "STEADY"
    steady_after: int = 0
    """How many reads after a change show it FLICKERING."""
    before: Light | None = None
    hidden_for: int = 0
    """How many reads after a change still show what was there before."""
    changed: t.Callable[[Lamps], None] | None = None
    """Called whenever a call is refused: what others did meanwhile."""

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        error = self.errors.pop(0) if self.errors else None
        if error:
            if self.changed:
                self.changed(self)
            raise error

    def create(self, color: str) -> dict[str, t.Any]:
        self._called("create")
        self.lamp = Light(color, self.becomes)
        return {}

    def paint(self, color: str) -> dict[str, t.Any]:
        self._called("paint")
        self.before = self.lamp
        self.lamp = Light(color, self.becomes)
        return {}

    def fail_in_part(self) -> dict[str, t.Any]:
        self._called("fail_in_part")
        return {"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "spot", "ErrorCode": "Boom", "ErrorMessage": "no target"}]}

    def read(self) -> Light | None:
        self.reads += 1
        if self.lamp and self.steady_after and self.calls:
            self.steady_after -= 1
            return Light(self.lamp.color, "FLICKERING")
        if self.hidden_for and self.calls:
            self.hidden_for -= 1
            return self.before
        return self.lamp


class Lamp:
    """A lamp that shall shine green."""

    kind = "lamp"
    service = "lamps"
    reads: tuple[str, ...] = ()
    unmet_dependency: str | None = None
    in_part = False
    always_paint = False

    def read(self, region: Region) -> Light | None:
        return t.cast("Light | None", region.clients["lamps"].read())

    def settled(self, current: Light | None) -> bool:
        return current is None or current.state != "FLICKERING"

    def plan(self, region: Region, current: Light | None) -> Plan:
        desired = {"color": "green", "state": "STEADY"}
        if self.in_part:
            return Plan("updated", desired, {}, {}, (Call("fail_in_part", {}),))
        if current is None:
            return Plan("created", desired, None, desired, (Call("create", {"color": "green"}),), unmet_dependency=self.unmet_dependency)
        broken = "the lamp is dark" if current.state == "DARK" else None
        if current.color == "green" and not broken and not self.always_paint:
            return unchanged(current)
        calls = (Call("paint", {"color": "green"}),)
        return Plan(
            "updated",
            desired,
            current.document,
            desired,
            calls,
            unmet_dependency=self.unmet_dependency,
            broken=broken,
            repeats=self.always_paint,
        )


@pytest.fixture(autouse=True)
def no_real_waiting(monkeypatch: pytest.MonkeyPatch, clock: t.Any) -> None:
    monkeypatch.setattr(_reconcile, "time", clock)


def run(lamps: Lamps, lamp: Lamp | None = None, check_mode: bool = False, timeout: float = 120) -> Outcome:
    region = Region("eu-west-1", "aws", {"lamps": lamps})
    return reconcile(t.cast("t.Any", lamp or Lamp()), region, check_mode=check_mode, timeout=timeout)


# What is there, what is wanted


def test_what_is_as_wanted_is_only_read() -> None:
    lamps = Lamps(Light("green"))
    assert run(lamps).plan.action == "unchanged"
    assert (lamps.calls, lamps.reads) == ([], 1)


@pytest.mark.parametrize(
    ("found", "action", "called"), [(None, "created", ["create"]), (Light("red"), "updated", ["paint"])], ids=["missing", "wrong"]
)
def test_what_is_not_is_made_so_and_looked_at_afterwards(found: Light | None, action: str, called: list[str]) -> None:
    lamps = Lamps(found)
    outcome = run(lamps)
    assert (outcome.plan.action, lamps.calls) == (action, called)
    assert outcome.document == {"color": "green", "state": "STEADY"}


@pytest.mark.parametrize("found", [None, Light("red")])
def test_check_mode_predicts_the_same_and_calls_nothing(found: Light | None) -> None:
    lamps = Lamps(found)
    predicted = run(lamps, check_mode=True)
    assert lamps.calls == []
    assert predicted == run(lamps)


def test_check_mode_predicts_beyond_what_blocks() -> None:
    lamp = Lamp()
    lamp.unmet_dependency = "there is no socket"
    assert run(Lamps(), lamp, check_mode=True).plan.action == "created"


def test_what_blocks_is_an_error_when_it_is_done_for_real() -> None:
    lamp = Lamp()
    lamp.unmet_dependency = "there is no socket"
    lamps = Lamps()
    with pytest.raises(RegionError, match="there is no socket"):
        run(lamps, lamp)
    assert lamps.calls == []


# Others who are faster


def test_a_lamp_that_somebody_else_made_meanwhile_is_read_and_planned_anew(refusal: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ResourceAlreadyExistsException")])
    lamps.changed = lambda service: setattr(service, "lamp", Light("red"))
    outcome = run(lamps)
    assert lamps.calls == ["create", "paint"]
    assert outcome.document == {"color": "green", "state": "STEADY"}


def test_a_call_whose_answer_was_lost_counts_as_done(refusal: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ResourceAlreadyExistsException")])
    lamps.changed = lambda service: setattr(service, "lamp", Light("green"))
    outcome = run(lamps)
    assert lamps.calls == ["create"]
    assert outcome.plan.action == "created"


def test_planning_anew_has_an_end(refusal: t.Any, clock: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ConcurrentModificationException") for dummy in range(100)])
    with pytest.raises(Exception, match="ConcurrentModificationException"):
        run(lamps)
    assert len(lamps.calls) == 5
    assert sum(clock.pauses) < 10


def test_planning_anew_takes_place_without_wait_too(refusal: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ConcurrentModificationException")])
    assert run(lamps, timeout=0).plan.action == "created"


def test_another_refusal_is_raised_at_once(refusal: t.Any, clock: t.Any) -> None:
    lamps = Lamps(errors=[refusal("LimitExceededException")])
    with pytest.raises(Exception, match="LimitExceededException"):
        run(lamps)
    assert (len(lamps.calls), clock.pauses) == (1, [])


# AWS needs time


def not_yet(refusal: t.Any) -> Exception:
    return t.cast("Exception", refusal("ValidationException", "Provided role 'arn' cannot be assumed by principal 'events.amazonaws.com'."))


def test_a_role_that_has_not_spread_is_waited_for(refusal: t.Any, clock: t.Any) -> None:
    lamps = Lamps(errors=[not_yet(refusal) for dummy in range(12)])
    assert run(lamps).plan.action == "created"
    assert clock.pauses == sorted(clock.pauses)


def test_a_role_that_never_spreads_is_waited_for_as_long_as_told(refusal: t.Any, clock: t.Any) -> None:
    with pytest.raises(Exception, match="cannot be assumed"):
        run(Lamps(errors=[not_yet(refusal) for dummy in range(1000)]), timeout=30)
    assert 20 < sum(clock.pauses) <= 30


def test_a_role_that_has_not_spread_is_not_waited_for_without_wait(refusal: t.Any, clock: t.Any) -> None:
    with pytest.raises(Exception, match="cannot be assumed"):
        run(Lamps(errors=[not_yet(refusal)]), timeout=0)
    assert clock.pauses == []


def test_a_lamp_that_flickers_is_waited_for_before_it_is_planned() -> None:
    lamps = Lamps(Light("green"), steady_after=3, calls=["somebody else's"])
    assert run(lamps).plan.action == "unchanged"
    assert lamps.reads == 4


def test_a_lamp_that_flickers_is_waited_for_after_it_was_changed() -> None:
    lamps = Lamps(Light("red"), steady_after=3)
    assert (run(lamps).document or {})["state"] == "STEADY"


def test_a_lamp_that_flickers_for_ever_is_an_error_that_says_so(clock: t.Any) -> None:
    lamps = Lamps(Light("red"), steady_after=1000)
    with pytest.raises(RegionError, match="still being changed by AWS after 60 seconds; run again later") as caught:
        run(lamps, timeout=60)
    assert caught.value.failure.code == "Timeout"
    assert 50 < sum(clock.pauses) <= 60


def test_a_flickering_lamp_is_returned_as_it_is_without_wait(clock: t.Any) -> None:
    lamps = Lamps(Light("red"), steady_after=1000)
    assert run(lamps, timeout=0).document == {"color": "green", "state": "FLICKERING"}
    assert clock.pauses == []


def test_a_lamp_that_is_dark_after_it_was_mended_is_an_error_with_the_reason() -> None:
    with pytest.raises(RegionError, match="the lamp is dark") as caught:
        run(Lamps(Light("red"), becomes="DARK"))
    assert caught.value.failure.code == "Broken"


def test_a_change_that_is_not_shown_at_once_is_looked_for_again(clock: t.Any) -> None:
    lamps = Lamps(Light("red"), hidden_for=3)
    assert run(lamps).document == {"color": "green", "state": "STEADY"}
    assert (lamps.calls, len(clock.pauses)) == (["paint"], 3)


def test_a_change_that_is_never_shown_is_an_error_that_says_so(clock: t.Any) -> None:
    with pytest.raises(RegionError, match="does not show it after 60 seconds; run again later") as caught:
        run(Lamps(Light("red"), hidden_for=1000), timeout=60)
    assert caught.value.failure.code == "NotShown"
    assert 50 < sum(clock.pauses) <= 60


def test_a_change_that_is_not_shown_is_not_looked_for_without_wait(clock: t.Any) -> None:
    assert run(Lamps(Light("red"), hidden_for=1000), timeout=0).document == {"color": "red", "state": "STEADY"}
    assert clock.pauses == []


def test_a_change_that_is_wanted_in_every_run_is_made_once_in_each(clock: t.Any) -> None:
    lamp = Lamp()
    lamp.always_paint = True
    lamps = Lamps(Light("green"))
    assert run(lamps, lamp).plan.action == "updated"
    assert (lamps.calls, clock.pauses) == (["paint"], [])


# Several steps


@dataclass
class Ladder:
    """A service with a number that rises by one in each step. `sticks_at` is where it stays, `idle_at` where AWS sees nothing to do."""

    height: int = 0
    sticks_at: int = 99
    idle_at: int = 99
    resting: bool = True
    steps: list[str] = field(default_factory=list)
    refusal: t.Callable[..., Exception] | None = None

    def climb(self, by: str) -> dict[str, t.Any]:
        if self.height == self.idle_at and self.refusal:
            raise self.refusal("ValidationError", "No updates are to be performed.")
        self.steps.append(f"climb {by}")
        self.height += self.height != self.sticks_at
        return {}


@dataclass
class Helper:
    """Another service, which can lift the ladder as well."""

    ladder: Ladder

    def lift(self) -> dict[str, t.Any]:
        self.ladder.steps.append("lift")
        self.ladder.height += 1
        return {}


@dataclass
class Rung:
    """Where on the ladder somebody is."""

    height: int
    resting: bool

    @property
    def document(self) -> dict[str, t.Any]:
        return {"height": self.height}


@dataclass
class Climber:
    """Somebody who wants to be on a rung. Each step but the last continues; `helped` is what is done where AWS sees nothing to do."""

    top: int
    by: str = ""
    broken: str | None = None
    helped: str = ""

    kind = "ladder"
    service = "ladders"
    reads: tuple[str, ...] = ()

    def read(self, region: Region) -> Rung:
        ladder = region.clients["ladders"]
        return Rung(ladder.height, ladder.resting)

    def settled(self, current: Rung) -> bool:
        return current.resting

    def plan(self, region: Region, current: Rung) -> Plan:
        if current.height == self.top:
            return unchanged(current)
        call = Call("climb", {"by": self.by or str(current.height)})
        shown = ({"height": current.height}, {"height": self.top})
        lift = Plan("lifted", {"height": self.top}, *shown, (Call("lift", {}, "helpers"),), note="lifted")
        otherwise = {"lift": lift, "stay": unchanged(current, note="no need")}.get(self.helped)
        continues = self.top - current.height > 1 or bool(otherwise)
        return Plan("climbed", {"height": self.top}, *shown, (call,), broken=self.broken, continues=continues, otherwise=otherwise)


def climb(ladder: Ladder, climber: Climber, check_mode: bool = False, timeout: float = 120) -> Outcome:
    region = Region("eu-west-1", "aws", {"ladders": ladder, "helpers": Helper(ladder)})
    return reconcile(t.cast("t.Any", climber), region, check_mode=check_mode, timeout=timeout)


def test_steps_are_planned_one_after_the_other_and_told_as_one_change() -> None:
    ladder = Ladder()
    outcome = climb(ladder, Climber(3))
    assert ladder.steps == ["climb 0", "climb 1", "climb 2"]
    assert (outcome.plan.before, outcome.plan.after, outcome.document) == ({"height": 0}, {"height": 3}, {"height": 3})


def test_check_mode_predicts_all_steps_and_makes_none() -> None:
    ladder = Ladder()
    predicted = climb(ladder, Climber(3), check_mode=True)
    assert ladder.steps == []
    assert predicted == climb(ladder, Climber(3))


def test_steps_without_end_are_given_up() -> None:
    ladder = Ladder()
    with pytest.raises(RegionError, match="6 steps were not enough: climb would be next") as caught:
        climb(ladder, Climber(50))
    assert (caught.value.failure.code, ladder.height) == ("NotDone", 6)


def test_a_step_that_leaves_it_broken_is_not_made_twice() -> None:
    ladder = Ladder(sticks_at=0)
    with pytest.raises(RegionError, match="the rung is rotten") as caught:
        climb(ladder, Climber(3, by="foot", broken="the rung is rotten"))
    assert (caught.value.failure.code, ladder.steps) == ("Broken", ["climb foot"])


def test_a_step_that_is_of_no_use_is_not_made_twice() -> None:
    ladder = Ladder(sticks_at=0)
    with pytest.raises(RegionError, match="AWS took climb, but does not show what came of it") as caught:
        climb(ladder, Climber(3, by="foot"))
    assert (caught.value.failure.code, ladder.steps) == ("NotShown", ["climb foot"])


def test_a_step_that_is_of_no_use_gives_way_to_what_is_done_otherwise() -> None:
    ladder = Ladder(sticks_at=0)
    outcome = climb(ladder, Climber(1, by="foot", helped="lift"))
    assert ladder.steps == ["climb foot", "lift"]
    assert outcome.document == {"height": 1}


def test_a_step_that_aws_does_not_end_is_an_error_that_says_so() -> None:
    ladder = Ladder()
    climber = Climber(3)
    ladder.climb = lambda by: setattr(ladder, "resting", False) or {}  # type: ignore[method-assign]
    with pytest.raises(RegionError, match="the ladder was still being changed by AWS after 60 seconds") as caught:
        climb(ladder, climber, timeout=60)
    assert caught.value.failure.code == "Timeout"


def test_without_wait_a_step_that_aws_has_not_ended_is_the_last() -> None:
    ladder = Ladder()
    ladder.climb = lambda by: setattr(ladder, "resting", False) or {}  # type: ignore[method-assign]
    with pytest.raises(RegionError, match="more has to be done after it: wait for it, or run again later"):
        climb(ladder, Climber(3), timeout=0)


# Nothing to do, says AWS


def test_where_aws_sees_nothing_to_do_it_is_done_otherwise_and_told_so(refusal: t.Any) -> None:
    ladder = Ladder(idle_at=0, refusal=refusal)
    outcome = climb(ladder, Climber(1, helped="lift"))
    assert (ladder.steps, outcome.plan.action, outcome.plan.note, outcome.document) == (["lift"], "lifted", "lifted", {"height": 1})


def test_where_aws_sees_nothing_to_do_and_nothing_is_done_otherwise_nothing_changed(refusal: t.Any) -> None:
    ladder = Ladder(idle_at=0, refusal=refusal)
    outcome = climb(ladder, Climber(1, helped="stay"))
    assert (ladder.steps, outcome.plan.action, outcome.plan.note, outcome.document) == ([], "unchanged", "no need", {"height": 0})


def test_where_aws_sees_nothing_more_to_do_what_was_done_is_told(refusal: t.Any) -> None:
    ladder = Ladder(idle_at=1, refusal=refusal)
    outcome = climb(ladder, Climber(2, helped="stay"))
    assert (ladder.steps, outcome.plan.action, outcome.document) == (["climb 0"], "climbed", {"height": 1})


def test_nothing_to_do_is_an_error_where_nothing_else_was_planned(refusal: t.Any) -> None:
    with pytest.raises(Exception, match="No updates are to be performed"):
        climb(Ladder(idle_at=0, refusal=refusal), Climber(1))


# HTTP 200 that is a failure


def test_entries_that_failed_are_a_failure_with_their_reasons() -> None:
    lamp = Lamp()
    lamp.in_part = True
    with pytest.raises(RegionError, match=r"fail_in_part failed for 1 target\(s\): Boom: no target") as caught:
        run(Lamps(Light("red")), lamp)
    assert caught.value.failure.code == "FailedEntries"


# The answer

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
def test_a_region_in_the_answer(outcome: Outcome | Failure, entry: dict[str, t.Any]) -> None:
    assert answer("lamp", {"eu-west-1": outcome})["regions"] == {"eu-west-1": entry}


@pytest.mark.parametrize(
    ("results", "changed"), [({"a": SAME}, False), ({"a": SAME, "b": DONE}, True), ({"a": Failure("x", "y")}, False), ({}, False)]
)
def test_one_region_that_changed_is_a_change(results: dict[str, t.Any], changed: bool) -> None:
    assert answer("lamp", results)["changed"] is changed


def test_failed_regions_are_listed_and_nothing_else_is_left_out() -> None:
    whole = answer("lamp", {"a": DONE, "b": Failure("Boom", "no"), "c": SAME})
    assert whole["failed_regions"] == ["b"]
    assert list(whole["regions"]) == ["a", "b", "c"]
    assert whole["msg"] == "lamp: 1 of 3 region(s) failed. b: Boom: no"


def test_there_is_no_message_where_nothing_failed() -> None:
    assert "msg" not in answer("lamp", {"a": DONE})


def test_the_diff_has_an_entry_for_each_region_that_changes() -> None:
    diff = answer("lamp", {"a": DONE, "b": SAME, "c": MADE, "d": GONE, "e": Failure("x", "y")})["diff"]
    assert diff == [
        {"before_header": "a lamp", "after_header": "a lamp", "before": {"x": 1}, "after": {"x": 2}},
        {"before_header": "c lamp", "after_header": "c lamp", "before": {}, "after": {"x": 2}},
        {"before_header": "d lamp", "after_header": "d lamp", "before": {"x": 1}, "after": {}},
    ]


def test_regions_that_fail_alike_are_told_together() -> None:
    failures = {"a": Failure("Boom", "no"), "b": Failure("Silence", "…"), "c": Failure("Boom", "no")}
    assert failure_message("lamp", failures, 5) == "lamp: 3 of 5 region(s) failed. a, c: Boom: no | b: Silence: …"
