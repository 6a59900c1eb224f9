# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real ansible-rulebook on a real JVM: a 401, nobody does anything, and the region is well again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.integration.eda.rulebook import Rulebook, java
from tests.integration.heal.hub import Hub, lose, told
from tests.integration.playbooks.leaks import seen_in_files
from tests.integration.verify.account import Account
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
LOST = REGIONS[1]
# A machine that is busy with other tests takes many times as long as the ten seconds of one that is not.
PATIENCE = 180

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not java(), reason="ansible-rulebook needs a Java of version 17 or newer, and there is none"),
]


class Healing(Rulebook):
    """The rulebook for an account that is watched."""

    account: Account
    hub: Hub

    def state(self, region: str = LOST) -> str:
        return str(self.sandbox.boto3("events", region).describe_connection(Name=self.account.name)["ConnectionState"])


@pytest.fixture(scope="module")
def rulebook(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Healing]:
    running.reset()
    running.settings(visibility_time_scale=0.02)
    folder = tmp_path_factory.mktemp("rulebook")
    account = Account(running, folder, regions=REGIONS)
    account.have_onboarded()
    account.have_watched()
    variables = {
        "spot_api_url": running.spot_url,
        "spot_eventbridge_regions": REGIONS,
        "spot_eventbridge_heal_minimum_distance": 0,
        "spot_eventbridge_heal_wait": 1,
        "spot_eventbridge_notify_file": {"folder": str(folder / "notifications")},
    }
    started = Healing(running, folder, tmp_path_factory.mktemp("home"), {account.spot_account: variables}, PATIENCE)
    started.account, started.hub = account, Hub(running)
    started.hub.purge()
    try:
        started.start()
        yield started
    finally:
        started.stop()


def test_a_401_is_healed_and_the_next_notice_arrives(rulebook: Healing, sandbox_as_it_is: Sandbox) -> None:
    lose(sandbox_as_it_is, LOST)
    assert rulebook.state() == "DEAUTHORIZED"
    seconds = rulebook.until(lambda: rulebook.state() == "AUTHORIZED")
    print(f"healed {seconds:.1f} s after the loss")
    sandbox_as_it_is.clear_received()
    sandbox_as_it_is.interrupt(LOST)
    assert sandbox_as_it_is.settled()
    assert [note["status"] for note in sandbox_as_it_is.notifications()] == [200]
    rulebook.until(lambda: rulebook.hub.waiting() == 0)


def test_a_playbook_that_is_killed_in_the_middle_is_made_up_for(rulebook: Healing, sandbox_as_it_is: Sandbox) -> None:
    fault = sandbox_as_it_is.add_fault({"hang": 60}, {"operation": "UpdateConnection", "region": LOST})
    sandbox_as_it_is.clear_calls()
    lose(sandbox_as_it_is, LOST)
    rulebook.until(lambda: bool(sandbox_as_it_is.calls(operation="UpdateConnection", region=LOST)))
    rulebook.kill_playbooks()
    sandbox_as_it_is.clear_faults(fault["id"])
    rulebook.until(lambda: rulebook.state() == "AUTHORIZED" and rulebook.hub.waiting() == 0)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "with its playbook"])
def test_a_rulebook_that_is_killed_in_the_middle_of_an_action_goes_on_when_it_is_started_again(
    rulebook: Healing, sandbox_as_it_is: Sandbox, alone: bool
) -> None:
    fault = sandbox_as_it_is.add_fault({"hang": 60}, {"operation": "UpdateConnection", "region": LOST})
    before = len(told(rulebook.folder / "notifications"))
    sandbox_as_it_is.clear_calls()
    lose(sandbox_as_it_is, LOST)
    rulebook.until(lambda: bool(sandbox_as_it_is.calls(operation="UpdateConnection", region=LOST)))
    rulebook.kill()
    if not alone:
        rulebook.kill_playbooks()
    assert rulebook.state() == "DEAUTHORIZED"
    sandbox_as_it_is.clear_faults(fault["id"])
    rulebook.start()
    rulebook.until(lambda: rulebook.state() == "AUTHORIZED" and rulebook.hub.waiting() == 0 and not rulebook.playbooks())
    assert rulebook.hub.dead_letters() == 0
    assert {call["region"] for call in sandbox_as_it_is.calls(operation="UpdateConnection")} == {LOST}
    news = [item for report in told(rulebook.folder / "notifications")[before:] for item in report["healing"]]
    assert {item["region"] for item in news} == {LOST}
    assert {item["kind"] for item in news} <= {"repaired", "well_again"}
    sandbox_as_it_is.clear_received()
    sandbox_as_it_is.interrupt(LOST)
    assert sandbox_as_it_is.settled()
    assert [note["status"] for note in sandbox_as_it_is.notifications()] == [200]


def test_a_while_without_sqs_ends_with_all_regions_well(rulebook: Healing, sandbox_as_it_is: Sandbox) -> None:
    fault = sandbox_as_it_is.add_fault({"drop": True}, {"service": "sqs", "operation": "GetQueueAttributes"})
    lose(sandbox_as_it_is, *REGIONS)
    time.sleep(5)
    assert rulebook.state() == "DEAUTHORIZED"
    sandbox_as_it_is.clear_faults(fault["id"])
    rulebook.until(lambda: {rulebook.state(region) for region in REGIONS} == {"AUTHORIZED"})
    rulebook.until(lambda: rulebook.hub.waiting() == 0)
    assert rulebook.hub.dead_letters() == 0


def test_the_token_is_in_no_file_and_not_in_the_log(rulebook: Healing, sandbox_as_it_is: Sandbox) -> None:
    assert "load source spot.eventbridge.hub" in rulebook.log()
    assert seen_in_files(rulebook.folder, sandbox_as_it_is.tokens.values()) == {}


@pytest.fixture
def sandbox_as_it_is(running: Sandbox) -> Sandbox:
    """The sandbox of the rulebook, not reset between its tests."""
    return running
