# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import apply
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

    :ivar looked: by kind, whether what was seen at the beginning is used
    """

    def __init__(self, fails_at: str = "", unchanged: t.Container[str] = ()) -> None:
        self.fails_at, self.unchanged = fails_at, unchanged
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
        self.done[resource.kind] = region
        self.looked[resource.kind] = look is not None
        if resource.kind == self.fails_at:
            raise RegionError("Boom", "no")
        document = {f"{resource.kind}_arn": f"arn:{resource.kind}"}
        calls = () if resource.kind in self.unchanged else (Call("create", {}),)
        return Outcome(Plan("created", document, calls=calls), document)


def run(monkeypatch: pytest.MonkeyPatch, region: Region, steps: Steps) -> Progress:
    monkeypatch.setattr(apply, "reconcile", steps)
    return integrate(region, DESIRED, check_mode=False, timeout=1)


def test_all_steps_are_done(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    progress = run(monkeypatch, region, Steps())
    assert (list(progress.outcomes), progress.failure) == (ORDER, None)


def test_what_a_step_made_is_handed_on(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    steps = Steps()
    run(monkeypatch, region, steps)
    assert steps.done["api_destination"].known["connection"] == "arn:connection"
    assert steps.done["rule"].known["api_destination"] == "arn:api_destination"


@pytest.mark.parametrize(
    ("exists", "unchanged", "looked"),
    [
        (True, ORDER, [True, True, True, True]),
        (True, ["queue"], [True, True, False, False]),
        (False, ["queue"], [True, True, True, True]),
        (True, [], [True, False, False, False]),
    ],
    ids=str,
)
def test_what_was_seen_before_a_change_counts_only_if_it_was_nothing(
    monkeypatch: pytest.MonkeyPatch, region: Region, exists: bool, unchanged: list[str], looked: list[bool]
) -> None:
    steps = Steps(unchanged=unchanged)
    for resource in (Queue, Connection, ApiDestination, Rule):
        monkeypatch.setattr(resource, "look", lambda self, region: object() if exists else None)
    run(monkeypatch, region, steps)
    assert list(steps.looked.values()) == looked


@pytest.mark.parametrize("kind", ORDER)
def test_a_step_that_fails_ends_it_and_keeps_what_was_done(monkeypatch: pytest.MonkeyPatch, region: Region, kind: str) -> None:
    steps = Steps(kind)
    progress = run(monkeypatch, region, steps)
    before = ORDER[: ORDER.index(kind)]
    assert (list(progress.outcomes), list(steps.done)) == (before, [*before, kind])
    assert (progress.failed, progress.failure) == (kind, Failure("Boom", "no"))


# The execution role, and what the gate says


class Fleet:
    """Regions in which `integrate` and `reconcile` are replaced.

    :ivar stopped: the regions that the gate stops
    :ivar done: what was called, in order
    """

    def __init__(self, stopped: tuple[str, ...], role: str = "created") -> None:
        self.stopped, self.role = stopped, role
        self.done: list[str] = []

    def home(self, services: t.Sequence[str]) -> str:
        return "home"

    def run(self, function: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
        return {name: function(name) for name in ("one", "two")}

    def integrate(self, region: t.Any, desired: Desired, *, check_mode: bool, timeout: float, ready: t.Any = None) -> Progress:
        self.done.append(f"{region}{' predicted' if check_mode else ''}")
        outcome = Outcome(Plan("created", {"arn": "arn:q"}), {"arn": "arn:q"})
        if region in self.stopped:
            return Progress({"queue": outcome}, "connection", Failure("AlreadyServed", "no"))
        return Progress({"queue": outcome})

    def reconcile(self, resource: Resource, region: t.Any, *, check_mode: bool, timeout: float) -> Outcome:
        calls = () if self.role == "unchanged" else (Call("create_role", {}),)
        self.done.append(f"role{' predicted' if check_mode else ''}")
        return Outcome(Plan(self.role, {"arn": "arn:role"}, calls=calls), {"arn": "arn:role"})


def everywhere(monkeypatch: pytest.MonkeyPatch, fleet: Fleet, check_mode: bool = False) -> dict[str, t.Any]:
    monkeypatch.setattr(apply, "integrate", fleet.integrate)
    monkeypatch.setattr(apply, "reconcile", fleet.reconcile)
    desired = dataclasses.replace(DESIRED, execution_role=ExecutionRole("a-role"))
    return apply.integrate_everywhere(desired, t.cast("t.Any", fleet), check_mode=check_mode, timeout=1)


def test_no_role_is_made_where_every_region_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(("one", "two"))
    whole = everywhere(monkeypatch, fleet)
    assert fleet.done == ["role predicted", "one predicted", "two predicted"]
    assert (whole["changed"], whole["failed_regions"], "execution_role" in whole) == (False, ["one", "two"], False)
    assert [entry["actions"] for entry in whole["regions"].values()] == [{}, {}]


def test_the_role_is_made_where_one_region_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(("one",))
    whole = everywhere(monkeypatch, fleet)
    assert fleet.done == ["role predicted", "one predicted", "two predicted", "role", "one", "two"]
    assert (whole["failed_regions"], whole["execution_role"]["action"]) == (["one"], "created")


def test_a_role_that_is_there_costs_no_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet((), "unchanged")
    everywhere(monkeypatch, fleet)
    assert fleet.done == ["role predicted", "one", "two"]


def test_check_mode_predicts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(())
    whole = everywhere(monkeypatch, fleet, check_mode=True)
    assert fleet.done == ["role predicted", "one predicted", "two predicted"]
    assert whole["execution_role"]["action"] == "created"
