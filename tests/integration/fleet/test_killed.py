# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet's controller that is killed twenty times, each time at another moment, and started again each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fleet.fleet import REGIONS, Fleet
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

KILLS = 20


def test_killed_twenty_times_it_still_comes_to_its_end(running: Sandbox, tmp_path: Path) -> None:
    running.reset()
    fleet = Fleet(running, tmp_path / "home", size=2, regions=[*REGIONS, "us-west-2", "eu-central-1", "sa-east-1"])
    assert fleet.run("onboard").rc == 0
    undisturbed, writes = fleet.state(), len(running.calls(writes=True))
    running.reset()
    running.add_spot_accounts([{"accountId": spot, "providerExternalId": aws} for spot, aws in fleet.accounts.items()])
    done = 0
    for kill in range(KILLS):
        running.clear_calls()
        few = 1 + kill % 3
        # After a few writes AWS keeps its answers to itself: the moments are different ones, and no run comes to its end.
        running.add_fault({"hang": 60}, {"write": "yes"}, after=few)
        assert fleet.start("onboard", "-f", "2").kill_when(lambda few=few: len(running.calls(writes=True)) > few)
        running.clear_faults()
        done += few

    run = fleet.run("onboard")
    assert run.rc == 0, run.output
    assert fleet.state() == undisturbed
    assert done + len(running.calls(writes=True)) >= writes
    assert fleet.ansible.seen_in_files(running.tokens.values()) == {}
