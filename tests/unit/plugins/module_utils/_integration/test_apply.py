# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan, Resource
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
    """Stands for `reconcile`: notes the region as each kind of resource sees it, fails at one kind if told to."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.done: dict[str, Region] = {}

    def __call__(self, resource: Resource, region: Region, *, check_mode: bool, timeout: float, gate: t.Any) -> Outcome:
        self.done[resource.kind] = region
        if resource.kind == self.fails_at:
            raise RegionError("Boom", "no")
        document = {f"{resource.kind}_arn": f"arn:{resource.kind}"}
        return Outcome(Plan("created", document), document)


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


@pytest.mark.parametrize("kind", ORDER)
def test_a_step_that_fails_ends_it_and_keeps_what_was_done(monkeypatch: pytest.MonkeyPatch, region: Region, kind: str) -> None:
    steps = Steps(kind)
    progress = run(monkeypatch, region, steps)
    before = ORDER[: ORDER.index(kind)]
    assert (list(progress.outcomes), list(steps.done)) == (before, [*before, kind])
    assert (progress.failed, progress.failure) == (kind, Failure("Boom", "no"))
