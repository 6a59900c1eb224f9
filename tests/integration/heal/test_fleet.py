# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Healing a fleet that shares a hub in another AWS account: an outage of Spot is one proof per account and attempt, and one message."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.fleet.fleet import REGIONS, ROLE, Fleet
from tests.integration.heal.conftest import SOON
from tests.integration.heal.hub import Hub, told
from tests.integration.playbooks.runner import Run, Running
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

HUB_ACCOUNT, SIZE = "200000000001", 3


@dataclass
class WatchedFleet:
    fleet: Fleet
    hub: Hub
    notifications: Path

    def heal(self, **variables: Any) -> Run:
        return self.start(**variables).finish(240)

    def start(self, *arguments: str, **variables: Any) -> Running:
        given = {
            **SOON,
            "spot_eventbridge_watch_hub_account": HUB_ACCOUNT,
            "spot_eventbridge_watch_hub_assume_role_arn": f"arn:aws:iam::{HUB_ACCOUNT}:role/{ROLE}",
            "spot_eventbridge_notify_file": {"folder": str(self.notifications)},
            **variables,
        }
        return self.fleet.start("heal", *arguments, "-e", json.dumps(given))

    def lost(self) -> list[tuple[str, str]]:
        """The accounts and regions without authorisation."""
        found = []
        for account in self.fleet.accounts:
            for region in REGIONS:
                connection = self.fleet.of(account).boto3("events", region).describe_connection(Name=f"spot-interruption-{account}")
                found += [(account, region)] if connection["ConnectionState"] != "AUTHORIZED" else []
        return found


def keys(sandbox: Sandbox, account: str) -> dict[str, Any]:
    role = {"RoleArn": f"arn:aws:iam::{account}:role/{ROLE}", "RoleSessionName": "test"}
    issued = sandbox.boto3("sts").assume_role(**role)["Credentials"]
    return {
        "access_key": issued["AccessKeyId"],
        "aws_secret_access_key": issued["SecretAccessKey"],
        "aws_session_token": issued["SessionToken"],
    }


@pytest.fixture
def watched_fleet(sandbox: Sandbox, tmp_path: Path) -> WatchedFleet:
    sandbox.settings(visibility_time_scale=0.01)
    fleet = Fleet(sandbox, tmp_path / "home", size=SIZE)
    assert fleet.run("onboard").rc == 0
    hub = Hub(sandbox, HUB_ACCOUNT, keys(sandbox, HUB_ACCOUNT)).make()
    hub.let_in(fleet.accounts.values())
    for spot, aws in fleet.accounts.items():
        hub.watch(f"spot-interruption-{spot}", REGIONS, aws, keys(sandbox, aws))
    hub.purge()
    sandbox.clear_calls()
    sandbox.clear_received()
    return WatchedFleet(fleet, hub, tmp_path / "notifications")


def test_an_outage_of_spot(watched_fleet: WatchedFleet, sandbox: Sandbox) -> None:
    accounts = list(watched_fleet.fleet.accounts)
    sandbox.start_outage()
    for spot, aws in watched_fleet.fleet.accounts.items():
        for region in REGIONS:
            sandbox.interrupt(region, aws)
        if spot == accounts[1]:
            # The others lose their authorisation a moment later.
            assert sandbox.settled()
            sandbox.clear_received()
            assert watched_fleet.heal().rc == 2
            assert len(sandbox.proofs()) == 2
    assert sandbox.settled()
    time.sleep(1)
    sandbox.clear_received()
    begun = time.time()
    run = watched_fleet.heal()
    assert run.rc == 2
    assert len(sandbox.proofs()) <= SIZE
    assert [report["healing"][0]["kind"] for report in told(watched_fleet.notifications)] == ["not_repaired"]
    # Of the others, people know.
    assert {call["account"] for call in sandbox.calls(operation="DescribeConnection") if call["time"] > begun} == {
        watched_fleet.fleet.accounts[accounts[2]]
    }
    assert sandbox.calls(operation="UpdateConnection") == []
    sandbox.end_outage()
    for _number in range(4):
        time.sleep(2)
        run = watched_fleet.heal()
        if not watched_fleet.lost() and not watched_fleet.hub.waiting():
            break
    assert (run.rc, watched_fleet.lost(), watched_fleet.hub.dead_letters()) == (0, [], 0), run.output
    reports = told(watched_fleet.notifications)
    # One for the beginning, one for the end.
    assert len(reports) == 2
    assert sum(item["kind"] == "not_repaired" for report in reports for item in report["healing"]) == 2 * len(REGIONS)
    assert sorted((item["spot_account"], item["region"]) for report in reports[1:] for item in report["healing"]) == sorted(
        (account, region) for account in accounts for region in REGIONS
    )


def test_the_first_event_after_an_outage_heals_all_accounts_in_one_run(watched_fleet: WatchedFleet, sandbox: Sandbox) -> None:
    accounts = list(watched_fleet.fleet.accounts)
    everything = sorted((account, region) for account in accounts for region in REGIONS)
    sandbox.settings(visibility_time_scale=0.2)
    sandbox.start_outage()
    for aws in watched_fleet.fleet.accounts.values():
        for region in REGIONS:
            sandbox.interrupt(region, aws)
    assert sandbox.settled()
    assert watched_fleet.heal().rc == 2
    assert len(told(watched_fleet.notifications)) == 1
    sandbox.end_outage()
    sandbox.clear_received()
    # A fifth of the 30 seconds after which the first event is visible again.
    while not watched_fleet.hub.visible():
        time.sleep(0.5)
    assert watched_fleet.hub.visible() < len(everything)
    run = watched_fleet.heal()
    assert (run.rc, watched_fleet.lost()) == (0, []), run.output
    assert len(sandbox.proofs()) == SIZE
    reports = told(watched_fleet.notifications)
    assert [sorted((item["spot_account"], item["region"]) for item in report["healing"]) for report in reports] == [everything] * 2
    assert {item["kind"] for item in reports[1]["healing"]} == {"repaired"}
    sandbox.settings(visibility_time_scale=0.01)
    # A new outage is a new message.
    sandbox.start_outage()
    sandbox.interrupt(REGIONS[0], watched_fleet.fleet.accounts[accounts[0]])
    assert sandbox.settled()
    assert watched_fleet.heal().rc == 2
    assert [item["kind"] for item in told(watched_fleet.notifications)[2]["healing"]] == ["not_repaired"]


def test_an_outage_that_ends_in_the_run_that_notices_it_is_one_notification(watched_fleet: WatchedFleet, sandbox: Sandbox) -> None:
    sandbox.start_outage()
    for aws in watched_fleet.fleet.accounts.values():
        for region in REGIONS:
            sandbox.interrupt(region, aws)
    assert sandbox.settled()
    sandbox.clear_received()
    run = watched_fleet.start("--forks", "1")
    end = time.monotonic() + 60
    while len(sandbox.proofs()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    sandbox.end_outage()
    done = run.finish()
    assert (done.rc, watched_fleet.lost()) == (0, []), done.output
    assert [note["status"] for note in sandbox.proofs()] == [401, 401, 200, 200, 200]
    (report,) = told(watched_fleet.notifications)
    assert sorted((item["spot_account"], item["region"], item["kind"]) for item in report["healing"]) == sorted(
        (account, region, "repaired") for account in watched_fleet.fleet.accounts for region in REGIONS
    )


def test_a_sweep_in_an_outage_tells_nothing_again(watched_fleet: WatchedFleet, sandbox: Sandbox) -> None:
    first, second = list(watched_fleet.fleet.accounts.values())[:2]
    sandbox.start_outage()
    sandbox.interrupt(REGIONS[0], first)
    assert sandbox.settled()
    assert watched_fleet.heal().rc == 2
    sandbox.interrupt(REGIONS[0], second)
    assert sandbox.settled()
    assert watched_fleet.heal(sweep=True).rc == 2
    assert len(told(watched_fleet.notifications)) == 1
    sandbox.end_outage()
    assert watched_fleet.heal(sweep=True).rc == 0
    assert [len(report["healing"]) for report in told(watched_fleet.notifications)] == [1, 2]
