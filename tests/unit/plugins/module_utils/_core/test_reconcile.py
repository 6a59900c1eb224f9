# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._core import polling
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome


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


class Lamp(Resource):
    """A lamp that shall shine green."""

    kind = "lamp"
    service = "lamps"
    reads: tuple[str, ...] = ()
    unmet_dependency: str | None = None
    in_part = False
    always_paint = False

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: t.Any) -> Lamp:
        return cls()

    def look(self, region: Region) -> Light | None:
        return t.cast("Light | None", region.clients["lamps"].read())

    def settled(self, current: Light | None) -> bool:
        return current is None or current.state != "FLICKERING"

    def plan(self, region: Region, current: Light | None) -> Plan:
        desired = {"color": "green", "state": "STEADY"}
        if self.in_part:
            return Plan("updated", desired, {}, {}, (Call("fail_in_part", {}),))
        if current is None:
            return Plan("created", desired, None, desired, (Call("create", {"color": "green"}),), unmet_dependency=self.unmet_dependency)
        if current.color == "green" and current.state != "DARK" and not self.always_paint:
            return unchanged(current)
        calls = (Call("paint", {"color": "green"}),)
        return Plan("updated", desired, current.document, desired, calls, unmet_dependency=self.unmet_dependency)

    def achieved(self, region: Region, current: Light | None) -> bool:
        if current and current.state == "DARK":
            raise RegionError("Broken", "the lamp is dark")
        return self.always_paint or super().achieved(region, current)


@pytest.fixture(autouse=True)
def no_real_waiting(monkeypatch: pytest.MonkeyPatch, clock: t.Any) -> None:
    monkeypatch.setattr(polling, "time", clock)


def run(lamps: Lamps, lamp: Lamp | None = None, check_mode: bool = False, timeout: float = 120) -> Outcome:
    region = Region("eu-west-1", "aws", {"lamps": lamps})
    return reconcile(lamp or Lamp(), region, check_mode=check_mode, timeout=timeout)


# What is there, what is wanted


def test_resource_as_desired_is_only_read() -> None:
    lamps = Lamps(Light("green"))
    assert run(lamps).plan.action == "unchanged"
    assert (lamps.calls, lamps.reads) == ([], 1)


@pytest.mark.parametrize(
    ("found", "action", "called"), [(None, "created", ["create"]), (Light("red"), "updated", ["paint"])], ids=["missing", "wrong"]
)
def test_missing_resource_is_created_and_read_again(found: Light | None, action: str, called: list[str]) -> None:
    lamps = Lamps(found)
    outcome = run(lamps)
    assert (outcome.plan.action, lamps.calls) == (action, called)
    assert outcome.document == {"color": "green", "state": "STEADY"}


@pytest.mark.parametrize("found", [None, Light("red")])
def test_check_mode_predicts_the_same_without_calls(found: Light | None) -> None:
    lamps = Lamps(found)
    predicted = run(lamps, check_mode=True)
    assert lamps.calls == []
    assert predicted == run(lamps)


def test_check_mode_ignores_an_unmet_dependency() -> None:
    lamp = Lamp()
    lamp.unmet_dependency = "there is no socket"
    assert run(Lamps(), lamp, check_mode=True).plan.action == "created"


def test_unmet_dependency_is_an_error_outside_check_mode() -> None:
    lamp = Lamp()
    lamp.unmet_dependency = "there is no socket"
    lamps = Lamps()
    with pytest.raises(RegionError, match="there is no socket"):
        run(lamps, lamp)
    assert lamps.calls == []


# Others who are faster


def test_conflict_is_read_and_planned_again(refusal: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ResourceAlreadyExistsException")])
    lamps.changed = lambda service: setattr(service, "lamp", Light("red"))
    outcome = run(lamps)
    assert lamps.calls == ["create", "paint"]
    assert outcome.document == {"color": "green", "state": "STEADY"}


def test_call_with_a_lost_response_counts_as_done(refusal: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ResourceAlreadyExistsException")])
    lamps.changed = lambda service: setattr(service, "lamp", Light("green"))
    outcome = run(lamps)
    assert lamps.calls == ["create"]
    assert outcome.plan.action == "created"


def test_conflicts_are_retried_a_limited_number_of_times(refusal: t.Any, clock: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ConcurrentModificationException") for dummy in range(100)])
    with pytest.raises(Exception, match="ConcurrentModificationException"):
        run(lamps)
    assert len(lamps.calls) == 5
    assert sum(clock.pauses) < 10


def test_conflict_is_planned_again_without_wait(refusal: t.Any) -> None:
    lamps = Lamps(errors=[refusal("ConcurrentModificationException")])
    assert run(lamps, timeout=0).plan.action == "created"


def test_other_errors_are_raised_at_once(refusal: t.Any, clock: t.Any) -> None:
    lamps = Lamps(errors=[refusal("LimitExceededException")])
    with pytest.raises(Exception, match="LimitExceededException"):
        run(lamps)
    assert (len(lamps.calls), clock.pauses) == (1, [])


# AWS needs time


def not_yet(refusal: t.Any) -> Exception:
    return t.cast("Exception", refusal("ValidationException", "Provided role 'arn' cannot be assumed by principal 'events.amazonaws.com'."))


def test_role_not_visible_yet_is_waited_for(refusal: t.Any, clock: t.Any) -> None:
    lamps = Lamps(errors=[not_yet(refusal) for dummy in range(12)])
    assert run(lamps).plan.action == "created"
    assert clock.pauses == sorted(clock.pauses)


def test_role_never_visible_fails_after_the_timeout(refusal: t.Any, clock: t.Any) -> None:
    with pytest.raises(Exception, match="cannot be assumed"):
        run(Lamps(errors=[not_yet(refusal) for dummy in range(1000)]), timeout=30)
    assert 20 < sum(clock.pauses) <= 30


def test_role_not_visible_yet_fails_at_once_without_wait(refusal: t.Any, clock: t.Any) -> None:
    with pytest.raises(Exception, match="cannot be assumed"):
        run(Lamps(errors=[not_yet(refusal)]), timeout=0)
    assert clock.pauses == []


def test_resource_in_transition_is_waited_for_before_planning() -> None:
    lamps = Lamps(Light("green"), steady_after=3, calls=["somebody else's"])
    assert run(lamps).plan.action == "unchanged"
    assert lamps.reads == 4


def test_resource_in_transition_is_waited_for_after_a_change() -> None:
    lamps = Lamps(Light("red"), steady_after=3)
    assert (run(lamps).document or {})["state"] == "STEADY"


def test_resource_in_transition_after_the_timeout_is_an_error(clock: t.Any) -> None:
    lamps = Lamps(Light("red"), steady_after=1000)
    with pytest.raises(RegionError, match="still being changed by AWS after 60 seconds; run again later") as caught:
        run(lamps, timeout=60)
    assert caught.value.failure.code == "Timeout"
    assert 50 < sum(clock.pauses) <= 60


def test_resource_in_transition_is_returned_without_wait(clock: t.Any) -> None:
    lamps = Lamps(Light("red"), steady_after=1000)
    assert run(lamps, timeout=0).document == {"color": "green", "state": "FLICKERING"}
    assert clock.pauses == []


def test_resource_broken_after_the_change_is_an_error_with_its_reason() -> None:
    with pytest.raises(RegionError, match="the lamp is dark") as caught:
        run(Lamps(Light("red"), becomes="DARK"))
    assert caught.value.failure.code == "Broken"


def test_resource_that_was_broken_and_whose_change_is_not_visible_yet_is_read_again(clock: t.Any) -> None:
    lamps = Lamps(Light("red", "DARK"), hidden_for=3)
    assert run(lamps).document == {"color": "green", "state": "STEADY"}
    assert (lamps.calls, len(clock.pauses)) == (["paint"], 3)


def test_resource_that_stays_broken_is_an_error_after_seconds(clock: t.Any) -> None:
    with pytest.raises(RegionError, match="the lamp is dark"):
        run(Lamps(Light("red", "DARK"), hidden_for=1000), timeout=60)
    assert sum(clock.pauses) <= 5


def test_change_not_visible_yet_is_read_again(clock: t.Any) -> None:
    lamps = Lamps(Light("red"), hidden_for=3)
    assert run(lamps).document == {"color": "green", "state": "STEADY"}
    assert (lamps.calls, len(clock.pauses)) == (["paint"], 3)


def test_change_never_visible_is_an_error(clock: t.Any) -> None:
    with pytest.raises(RegionError, match="it is not visible after 60 seconds; run again later") as caught:
        run(Lamps(Light("red"), hidden_for=1000), timeout=60)
    assert caught.value.failure.code == "NotShown"
    assert 50 < sum(clock.pauses) <= 60


@dataclass
class DescribedLamp(Lamp):
    """A lamp with a description, which the service takes and does not show."""

    description: str = "a lamp"

    def plan(self, region: Region, current: Light | None) -> Plan:
        if current and not super().plan(region, current).calls:
            return super().plan(region, Light("red")) if current.document.get("description", "") != self.description else unchanged(current)
        return super().plan(region, current)


@pytest.mark.parametrize("timeout", [3.5, 120])
def test_a_description_that_is_not_shown_is_a_note_after_seconds(clock: t.Any, timeout: float) -> None:
    lamps = Lamps()
    outcome = run(lamps, DescribedLamp(), timeout=timeout)
    assert (lamps.calls, outcome.plan.action, outcome.document) == (["create"], "created", {"color": "green", "state": "STEADY"})
    assert outcome.plan.note == "AWS accepted the description of the lamp, but it is not visible yet. Nothing else depends on it"
    assert sum(clock.pauses) < 5


def test_a_description_does_not_excuse_another_change_that_is_not_shown(clock: t.Any) -> None:
    with pytest.raises(RegionError, match="it is not visible after 60 seconds; run again later"):
        run(Lamps(Light("red"), hidden_for=1000), DescribedLamp(), timeout=60)


def test_change_not_visible_yet_is_not_read_again_without_wait(clock: t.Any) -> None:
    assert run(Lamps(Light("red"), hidden_for=1000), timeout=0).document == {"color": "red", "state": "STEADY"}
    assert clock.pauses == []


def test_unconditional_change_is_made_once_per_run(clock: t.Any) -> None:
    lamp = Lamp()
    lamp.always_paint = True
    lamps = Lamps(Light("green"))
    assert run(lamps, lamp).plan.action == "updated"
    assert (lamps.calls, clock.pauses) == (["paint"], [])


# HTTP 200 that is a failure


def test_failed_entries_of_a_response_are_a_failure_with_their_reasons() -> None:
    lamp = Lamp()
    lamp.in_part = True
    with pytest.raises(RegionError, match=r"fail_in_part failed for 1 target\(s\): Boom: no target") as caught:
        run(Lamps(Light("red")), lamp)
    assert caught.value.failure.code == "FailedEntries"


@dataclass
class LabelledLamp(Lamp):
    """A lamp whose label is written by a call of its own."""

    description: str = "a lamp"

    def plan(self, region: Region, current: Light | None) -> Plan:
        rest = super().plan(region, current)
        if current is None or current.document.get("description", "") == self.description:
            return rest
        return Plan("updated", rest.document, {}, {}, (Call("label", {"text": self.description}), *rest.calls))


class Unlabelled(Lamps):
    """A service that refuses every label."""

    def label(self, text: str) -> dict[str, t.Any]:
        self._called("label")
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: lamps:Label"}}, "Label")


@pytest.mark.parametrize(
    ("found", "action", "called"), [(Light("green"), "unchanged", ["label"]), (Light("red"), "updated", ["label", "paint"])]
)
def test_a_refused_description_is_a_note_and_prevents_nothing_else(found: Light, action: str, called: list[str]) -> None:
    lamps = Unlabelled(found)
    outcome = run(lamps, LabelledLamp())
    assert (outcome.plan.action, lamps.calls) == (action, called)
    assert "the description of the lamp stays as it is: AccessDenied" in str(outcome.plan.note)


def test_another_refused_call_is_a_failure_as_before() -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Paint")
    with pytest.raises(ClientError):
        run(Lamps(Light("red"), errors=[refused]))
    with pytest.raises(ClientError):
        run(Unlabelled(Light("red"), errors=[None, refused]), LabelledLamp())
