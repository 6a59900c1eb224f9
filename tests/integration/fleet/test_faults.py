# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Troubles of AWS and Spot, while a fleet is onboarded: nothing is lost, nothing twice, and no storm of retries."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.fleet.fleet import Fleet, table
from tests.integration.playbooks.runner import IMPATIENT
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Fault:
    """Fault rules, and how many calls more than an undisturbed run they may cost, as a factor."""

    rules: list[dict[str, Any]]
    more: float = 1.0


AWS = {"target": "aws"}
CONCURRENT = {"error": {"status": 400, "code": "ConcurrentModificationException", "message": "is being modified"}}
FAULTS = {
    # Every fifth call, and every fifth of the calls that repeat it: 1.25 calls for each.
    "20 % throttled": Fault([{"do": {"throttle": True}, "match": AWS, "rate": 0.2, "seed": 7}], more=1.6),
    "every tenth call a 500": Fault([{"do": {"error": {"status": 500}}, "match": AWS, "every": 10}], more=1.3),
    "a call that hangs": Fault([{"do": {"hang": 60}, "match": {"operation": "CreateConnection"}, "times": 1}], more=1.2),
    "changed by somebody else": Fault([{"do": CONCURRENT, "match": {"operation": "Put*"}, "every": 3}], more=1.8),
    "targets half done": Fault([{"do": {"partial": True}, "match": {"operation": "PutTargets"}, "every": 2}], more=1.8),
    "answers that are lost": Fault([{"do": {"lost_answer": True}, "match": {"operation": "Create*"}, "every": 4}], more=1.5),
    "Spot limits, then fails, then cuts the connection": Fault(
        [
            {"do": {"status": 429, "reset": 1}, "match": {"target": "spot"}, "times": 1},
            {"do": {"status": 500}, "match": {"target": "spot"}, "times": 1},
            {"do": {"drop": True}, "match": {"target": "spot"}, "after": 2, "times": 1},
        ]
    ),
}


@pytest.fixture(scope="module")
def undisturbed(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """What there is after a run without faults, and how many calls it took."""
    running.reset()
    fleet = Fleet(running, tmp_path_factory.mktemp("undisturbed") / "home", size=2)
    run = fleet.run("onboard")
    assert run.rc == 0, run.output
    calls = len(running.calls())
    return fleet.state(), calls


@pytest.mark.parametrize("name", FAULTS)
def test_a_fleet_is_onboarded_all_the_same(fleet: Fleet, undisturbed: tuple[dict[str, Any], int], name: str) -> None:
    fault, (state, calls) = FAULTS[name], undisturbed
    for rule in fault.rules:
        fleet.sandbox.call("POST", "/faults", rule)
    run = fleet.run("onboard", "-e", IMPATIENT.replace('"total_max_attempts": 2', '"total_max_attempts": 6'))
    struck = fleet.sandbox.faults()
    fleet.sandbox.clear_faults()
    assert run.rc == 0, run.output
    assert all(rule["hits"] for rule in struck)
    # Two more for each attempt to look at what was made.
    assert len(fleet.sandbox.calls()) <= calls * fault.more
    assert fleet.state() == state


def test_a_role_that_takes_twenty_seconds_to_spread_is_taken_at_once_and_notices_arrive_afterwards(fleet: Fleet) -> None:
    # PutTargets takes a role that EventBridge does not know yet (tests/contract/records/rules.yml, targets-missing-role-accepted). With
    # the time to settle, no rule is made before (tests/integration/modules/test_role_settling.py).
    spot, aws = "act-f1ee0001", fleet.accounts["act-f1ee0001"]
    fleet.sandbox.settings(role_spread_seconds=20)
    run = fleet.run("onboard", "--limit", spot, "-e", "regions=us-east-1,eu-west-1")
    assert run.rc == 0, run.output
    assert Counter(call["region"] for call in fleet.sandbox.calls(operation="PutTargets")) == {"us-east-1": 1, "eu-west-1": 1}
    time.sleep(20)
    fleet.sandbox.clear_received()
    fleet.sandbox.interrupt("eu-west-1", aws)
    assert fleet.sandbox.settled()
    assert [(sent["query"]["accountId"], sent["status"]) for sent in fleet.sandbox.notifications()] == [(spot, 200)]


def test_a_role_that_is_refused_as_it_has_not_spread_is_waited_for(fleet: Fleet) -> None:
    text = "Provided role cannot be assumed by principal 'events.amazonaws.com'."
    refusal = {"error": {"status": 400, "code": "ValidationException", "message": text}}
    for region in ("us-east-1", "eu-west-1"):
        fleet.sandbox.add_fault(refusal, {"operation": "PutTargets", "region": region}, times=4)
    run = fleet.run("onboard", "--limit", "act-f1ee0001", "-e", "regions=us-east-1,eu-west-1")
    assert run.rc == 0, run.output
    tries = Counter(call["region"] for call in fleet.sandbox.calls(operation="PutTargets"))
    assert tries == {"us-east-1": 5, "eu-west-1": 5}


def test_spot_that_is_down_names_every_account_and_nothing_is_written(fleet: Fleet) -> None:
    fleet.sandbox.add_fault({"text": "upstream error", "status": 502}, {"target": "spot"})
    run = fleet.run("onboard")
    assert run.rc == 2
    assert set(table(run)) == set(fleet.accounts)
    assert all("502" in rest for rest in table(run).values())
    assert fleet.sandbox.calls(writes=True) == []
    # Three attempts for each account, and no more.
    assert len(fleet.sandbox.received()) == 3 * len(fleet.accounts)


def test_credentials_that_expire_half_way_are_named_and_the_next_run_completes(
    fleet: Fleet, undisturbed: tuple[dict[str, Any], int]
) -> None:
    expired = {
        "error": {"status": 400, "code": "ExpiredTokenException", "message": "The security token included in the request is expired"}
    }
    fleet.sandbox.add_fault(expired, {"target": "aws", "account": "1*"}, after=undisturbed[1] // 2)
    run = fleet.run("onboard", "-f", "2")
    fleet.sandbox.clear_faults()
    assert run.rc == 2
    found = table(run)
    assert set(found) == set(fleet.accounts)
    assert any("Expired" in rest for rest in found.values())
    # What is told as done is done.
    for account, rest in found.items():
        assert ("Expired" in rest) != rest.split(" ", 1)[1].startswith("3 active"), (account, rest)

    assert fleet.run("onboard").rc == 0
    assert fleet.state() == undisturbed[0]
