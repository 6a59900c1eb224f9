# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws import regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import apply, shared_role
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.apply import integrate
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress

NAME = "spot.interruption-act-d7320fba"
ORDER = ["queue", "connection", "api_destination", "rule"]


DESIRED = Desired(
    queue=Queue(name="a-queue"),
    connection=Connection(name=NAME, spot_account="act-d7320fba"),
    api_destination=ApiDestination(name=NAME),
    rule=Rule(name=NAME),
)


class Steps:
    """Stands for `reconcile`: notes the region as each kind of resource sees it, fails at one kind if told to.

    :ivar foreseen: the kinds that were planned, in order
    :ivar looked: by kind, whether what was seen at the beginning is used for the change
    """

    def __init__(self, fails_at: str = "", unchanged: t.Container[str] = (), foresees: bool = True) -> None:
        """
        :param foresees: whether the failure only comes with the change
        """
        self.fails_at, self.unchanged, self.foresees = fails_at, unchanged, foresees
        self.foreseen: list[str] = []
        self.done: dict[str, Region] = {}
        self.looked: dict[str, bool] = {}

    def __call__(
        self,
        resource: Resource,
        region: Region,
        *,
        check_mode: bool,
        timeout: float,
        gate: t.Any,
        look: t.Any,
        ready: t.Any = None,
    ) -> Outcome:
        if check_mode:
            self.foreseen.append(resource.kind)
        else:
            self.done[resource.kind] = region
            self.looked[resource.kind] = look is not None
        if resource.kind == self.fails_at and check_mode != self.foresees:
            raise RegionError("Boom", "no")
        document = {f"{resource.kind}_arn": f"arn:{resource.kind}"}
        calls = () if resource.kind in self.unchanged else (Call("create", {}),)
        plan = Plan("created", document, calls=calls)
        gate(plan)
        return Outcome(plan, document)


def run(monkeypatch: pytest.MonkeyPatch, region: Region, steps: Steps, exists: bool = False) -> Progress:
    monkeypatch.setattr(apply, "reconcile", steps)
    monkeypatch.setattr(apply, "Gate", lambda *arguments, **options: Gate(lambda plan: None))
    for resource in (Queue, Connection, ApiDestination, Rule):
        monkeypatch.setattr(resource, "look", lambda self, region: object() if exists else None)
    return integrate(region, DESIRED, check_mode=False, timeout=1)


class Gate:
    """A gate that says what it is to say."""

    found = notes = ()

    def __init__(self, judge: t.Callable[[Plan], None]) -> None:
        self.judge = judge

    def __call__(self, plan: Plan) -> None:
        self.judge(plan)


def test_all_steps_are_planned_and_done(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    steps = Steps()
    progress = run(monkeypatch, region, steps)
    assert (list(progress.outcomes), progress.failure) == (ORDER, None)
    assert (steps.foreseen, set(steps.done)) == (ORDER, set(ORDER))


def test_what_a_step_made_is_handed_on(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    steps = Steps()
    run(monkeypatch, region, steps)
    assert steps.done["api_destination"].known["connection"] == "arn:connection"
    assert steps.done["rule"].known["api_destination"] == "arn:api_destination"


@pytest.mark.parametrize(
    ("exists", "unchanged", "looked"),
    [
        (True, ORDER, {}),
        (True, ["queue"], {"connection": True, "api_destination": False, "rule": False}),
        (True, ["connection", "api_destination"], {"queue": True, "rule": False}),
        (False, ["queue"], {"connection": True, "api_destination": True, "rule": True}),
        (True, [], {"queue": True, "connection": True, "api_destination": False, "rule": False}),
    ],
    ids=str,
)
def test_what_was_seen_before_a_change_of_what_it_needs_counts_only_if_it_was_nothing(
    monkeypatch: pytest.MonkeyPatch, region: Region, exists: bool, unchanged: list[str], looked: dict[str, bool]
) -> None:
    steps = Steps(unchanged=unchanged)
    progress = run(monkeypatch, region, steps, exists)
    assert steps.looked == looked
    assert list(progress.outcomes) == ORDER


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("queue", ["connection", "api_destination"]),
        ("connection", ["queue"]),
        ("api_destination", ["queue", "connection"]),
        ("rule", ["queue", "connection", "api_destination"]),
    ],
)
def test_a_step_that_fails_ends_what_needs_it_and_keeps_what_was_done(
    monkeypatch: pytest.MonkeyPatch, region: Region, kind: str, done: list[str]
) -> None:
    steps = Steps(kind)
    progress = run(monkeypatch, region, steps)
    assert (list(progress.outcomes), set(steps.done)) == (done, {*done, kind})
    assert (progress.failed, progress.failure) == (kind, Failure("Boom", "no"))


@pytest.mark.parametrize("kind", ORDER)
def test_a_step_that_cannot_be_planned_ends_it_and_those_before_it_are_done(
    monkeypatch: pytest.MonkeyPatch, region: Region, kind: str
) -> None:
    steps = Steps(kind, foresees=False)
    progress = run(monkeypatch, region, steps)
    before = ORDER[: ORDER.index(kind)]
    assert (list(progress.outcomes), steps.foreseen, set(steps.done)) == (before, [*before, kind], set(before))
    assert (progress.failed, progress.failure) == (kind, Failure("Boom", "no"))


def test_nothing_is_done_where_the_gate_stops_a_later_step(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    def judge(plan: Plan) -> None:
        if "rule_arn" in (plan.document or {}):
            raise RegionError("AlreadyServed", "no")

    steps = Steps(unchanged=["connection"])
    monkeypatch.setattr(apply, "reconcile", steps)
    monkeypatch.setattr(apply, "Gate", lambda *arguments, **options: Gate(judge))
    for resource in (Queue, Connection, ApiDestination, Rule):
        monkeypatch.setattr(resource, "look", lambda self, region: None)
    progress = integrate(region, DESIRED, check_mode=False, timeout=1)
    assert (list(progress.outcomes), steps.done, progress.failed) == (["connection"], {}, "rule")


# The execution role, and what the gate says


class Fleet:
    """Regions in which `integrate` and `reconcile` are replaced.

    :ivar stopped: the regions that the gate stops
    :ivar role: what is done to the role; `refused` for one that cannot be read, `failed` for one that cannot be made
    :ivar done: what was called; what is done at the same time may be in any order
    """

    names = ("one", "two")

    def __init__(self, stopped: tuple[str, ...], role: str = "created") -> None:
        self.stopped, self.role = stopped, role
        self.done: list[str] = []

    def home(self, services: t.Sequence[str]) -> str:
        return "home"

    def run(self, function: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return dict(zip(self.names, pool.map(function, self.names)))

    def integrate(self, region: t.Any, desired: Desired, role: t.Any, *, refused: t.Any, check_mode: bool, timeout: float) -> Progress:
        outcome = Outcome(Plan("created", {"arn": "arn:q"}), {"arn": "arn:q"})
        failure = Failure("AlreadyServed", "no") if region in self.stopped else None
        try:
            role.arn()
        except RegionError as error:
            failure = failure_of(error)
        self.done.append(f"{region} predicted")
        if not role.admits(not failure):
            return Progress({}, "connection", failure)
        if failure or check_mode:
            return Progress({"queue": outcome}, "connection" if failure else "", failure)
        self.done.append(f"{region} begun")
        try:
            role.wait()
        except RegionError as error:
            return Progress({"queue": outcome}, "rule", failure_of(error))
        self.done.append(f"{region} done")
        return Progress({"queue": outcome})

    def reconcile(self, resource: Resource, region: t.Any, *, check_mode: bool, timeout: float, look: t.Any) -> Outcome:
        calls = () if self.role == "unchanged" else (Call("create_role", {}),)
        self.done.append(f"role{' predicted' if check_mode else ''}")
        if self.role == ("refused" if check_mode else "failed"):
            raise RegionError("AccessDenied", "no")
        return Outcome(Plan(self.role, {"arn": "arn:role"}, calls=calls), {"arn": "arn:role"})


def everywhere(monkeypatch: pytest.MonkeyPatch, fleet: Fleet, check_mode: bool = False) -> dict[str, t.Any]:
    monkeypatch.setattr(apply, "integrate", fleet.integrate)
    monkeypatch.setattr(regions, "reconcile", fleet.reconcile)
    desired = dataclasses.replace(DESIRED, execution_role=ExecutionRole("a-role"))
    return apply.integrate_everywhere(desired, t.cast("t.Any", fleet), check_mode=check_mode, timeout=1)


PREDICTED = ["role predicted", "one predicted", "two predicted"]


def test_no_role_is_made_where_every_region_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(("one", "two"))
    whole = everywhere(monkeypatch, fleet)
    assert sorted(fleet.done) == sorted(PREDICTED)
    assert (whole["changed"], whole["failed_regions"], "execution_role" in whole) == (False, ["one", "two"], False)
    assert [entry["actions"] for entry in whole["regions"].values()] == [{}, {}]


def test_the_role_is_made_where_one_region_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(("one",))
    whole = everywhere(monkeypatch, fleet)
    assert sorted(fleet.done) == sorted([*PREDICTED, "role", "two begun", "two done"])
    assert fleet.done.index("role") > fleet.done.index("two predicted")
    assert fleet.done.index("two done") > fleet.done.index("role")
    assert (whole["failed_regions"], whole["execution_role"]["action"]) == (["one"], "created")


def test_a_role_that_is_there_costs_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet((), "unchanged")
    monkeypatch.setattr(shared_role.SharedRole, "_remaining", lambda self: 0.0)
    everywhere(monkeypatch, fleet)
    assert sorted(fleet.done) == sorted([*PREDICTED, *(f"{region} {what}" for region in fleet.names for what in ("begun", "done"))])


def test_check_mode_predicts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(())
    whole = everywhere(monkeypatch, fleet, check_mode=True)
    assert sorted(fleet.done) == sorted(PREDICTED)
    assert whole["execution_role"]["action"] == "created"


def test_no_region_is_touched_where_the_role_cannot_be_what_is_desired(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet((), "refused")
    whole = everywhere(monkeypatch, fleet)
    assert sorted(fleet.done) == sorted(PREDICTED)
    assert (whole["regions"], whole["msg"]) == ({}, "execution role: AccessDenied: no")


def test_a_role_that_cannot_be_made_leaves_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet((), "failed")
    whole = everywhere(monkeypatch, fleet)
    assert sorted(fleet.done) == sorted([*PREDICTED, "role", "one begun", "two begun"])
    assert (whole["failed_regions"], whole["msg"]) == (["one", "two"], "execution role: AccessDenied: no")
    assert {entry["error"]["message"] for entry in whole["regions"].values()} == {
        "rule: the execution role a-role could not be made: AccessDenied: no"
    }
