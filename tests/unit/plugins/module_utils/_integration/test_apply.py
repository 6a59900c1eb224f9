# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.outcomes import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import apply as _integrate
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.apply import Integration, integrate
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress

NAME = "spot.interruption-act-d7320fba"
TOKEN = "0123456789secretTOKEN"
ORDER = ["queue", "connection", "api_destination", "rule"]


class Regions:
    """Knows the caller's AWS account; counts how often it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def aws_account(self) -> str:
        self.asked += 1
        return "123456789012"


def desired(regions: Regions | None = None, **changes: t.Any) -> Integration:
    given = {
        "name": NAME,
        "queue_name": None,
        "on_existing": "stop",
        "state": "present",
        "aws_account": None,
        "spot_account": "act-d7320fba",
        "spot_token": TOKEN,
        "description": "warnings",
        "kms_key_identifier": "alias/connection",
        "update_token": "changed",
        "invocation_endpoint": "https://api.spotinst.io/x",
        "invocation_rate_limit_per_second": 7,
        "role_arn": "arn:role",
        "role_name": None,
        "role_permissions_boundary": None,
        "maximum_event_age_in_seconds": 120,
        "maximum_retry_attempts": 185,
        "target_id": "spot",
        "message_retention_period": 60,
        "queue_kms_master_key_id": "alias/queue",
        "delete_messages": False,
        "tags": {"team": "a"},
        "purge_tags": False,
        **changes,
    }
    return Integration.from_parameters(given, t.cast("t.Any", regions or Regions()))


# What is desired


def test_all_resources_have_the_one_name() -> None:
    found = desired()
    assert [found.connection.name, found.api_destination.name, found.rule.name] == [NAME] * 3
    assert [found.api_destination.connection, found.rule.api_destination, found.queue.rule] == [NAME] * 3


def test_a_queues_name_has_hyphens_for_dots_as_sqs_takes_none() -> None:
    assert (desired().queue.name, desired().rule.dead_letter_queue) == ("spot-interruption-act-d7320fba",) * 2


def test_the_queue_may_be_named() -> None:
    found = desired(queue_name="letters")
    assert (found.queue.name, found.rule.dead_letter_queue) == ("letters", "letters")


def test_queue_and_connection_have_keys_of_their_own() -> None:
    assert (desired().queue.kms_key, desired().connection.kms_key) == ("alias/queue", "alias/connection")


@pytest.mark.parametrize(("changes", "asked"), [({}, 1), ({"aws_account": "123456789012"}, 0), ({"state": "absent"}, 0)])
def test_the_aws_account_is_asked_for_once_and_only_if_need_be(changes: dict[str, t.Any], asked: int) -> None:
    regions = Regions()
    desired(regions, **changes)
    assert regions.asked == asked


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": "a" * 65},
        {"queue_name": "a.b"},
        {"spot_account": None},
        {"spot_token": ""},
        {"role_arn": None},
        {"aws_account": "1"},
        {"invocation_endpoint": "http://example.com"},
        {"message_retention_period": 1},
        {"maximum_event_age_in_seconds": 1},
    ],
    ids=str,
)
def test_wrong_parameters_are_refused(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError):
        desired(**wrong)


def test_nothing_is_made_before_what_it_needs() -> None:
    assert [step.kind for step in desired().steps()] == ORDER


def test_nothing_is_removed_while_something_else_needs_it() -> None:
    assert [step.kind for step in desired(state="absent").steps()] == ORDER[::-1]


# Step by step


class Steps:
    """Stands for `reconcile`: notes the resources, fails at one kind if told to."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.done: dict[str, t.Any] = {}

    def __call__(self, resource: Resource, region: Region, *, check_mode: bool, timeout: float, gate: t.Any) -> Outcome:
        self.done[resource.kind] = resource
        if resource.kind == self.fails_at:
            raise RegionError("Boom", "no")
        document = {f"{resource.kind}_arn": f"arn:{resource.kind}"}
        return Outcome(Plan("created", document), document)


def run(monkeypatch: pytest.MonkeyPatch, region: Region, steps: Steps) -> Progress:
    monkeypatch.setattr(_integrate, "reconcile", steps)
    return integrate(desired(), region, check_mode=False, timeout=1)


def test_all_steps_are_done(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    progress = run(monkeypatch, region, Steps())
    assert (list(progress.outcomes), progress.failure) == (ORDER, None)


def test_what_a_step_made_is_handed_on(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    steps = Steps()
    run(monkeypatch, region, steps)
    assert steps.done["api_destination"].connection_arns == {"eu-west-1": "arn:connection"}
    assert steps.done["rule"].api_destination_arns == {"eu-west-1": "arn:api_destination"}


@pytest.mark.parametrize("kind", ORDER)
def test_a_step_that_fails_ends_it_and_keeps_what_was_done(monkeypatch: pytest.MonkeyPatch, region: Region, kind: str) -> None:
    steps = Steps(kind)
    progress = run(monkeypatch, region, steps)
    before = ORDER[: ORDER.index(kind)]
    assert (list(progress.outcomes), list(steps.done)) == (before, [*before, kind])
    assert (progress.failed, progress.failure) == (kind, Failure("Boom", "no"))


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(desired())
