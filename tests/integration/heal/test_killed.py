# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run of heal that is killed at some moment, and started again: nothing is lost, nothing is done twice that matters."""

from __future__ import annotations

import time

import pytest

from tests.integration.heal.conftest import REGIONS, Watched
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

HOME, LOST, THIRD = REGIONS
# What the run is just about to do, or has just done, when it is killed.
MOMENTS = [
    ("after", "ReceiveMessage", HOME),
    ("after", "GetCallerIdentity", HOME),
    ("before", "DescribeConnection", LOST),
    ("before", "UpdateConnection", LOST),
    ("after", "UpdateConnection", LOST),
    ("before", "GetMetricData", LOST),
    ("before", "TagResource", LOST),
    ("after", "TagResource", LOST),
    ("before", "DeleteMessageBatch", HOME),
    ("after", "DeleteMessageBatch", HOME),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=[" ".join(moment[:2]) for moment in MOMENTS])
def test_the_next_run_ends_where_an_undisturbed_one_does(watched: Watched, sandbox: Sandbox, moment: tuple[str, str, str]) -> None:
    when, operation, region = moment
    watched.lose(LOST)
    sandbox.clear_calls()
    fault = sandbox.add_fault({"hang": 60}, {"operation": operation, "region": region}) if when == "before" else None
    running = watched.start()

    def happened() -> bool:
        return any(when == "before" or call["status"] == 200 for call in sandbox.calls(operation=operation, region=region))

    assert running.kill_when(happened, timeout=120), f"{operation} was not called"
    if fault:
        sandbox.clear_faults(fault["id"])
    # A hundredth of the time after which what was received is visible again.
    time.sleep(3.5)
    for _number in range(3):
        assert watched.heal().rc == 0
        if not watched.hub.waiting():
            break
        time.sleep(3.5)
    assert (watched.hub.waiting(), watched.hub.dead_letters()) == (0, 0)
    assert set(watched.states().values()) == {"AUTHORIZED"}
    assert watched.repairs().keys() == {LOST}
    assert sum(call["status"] == 200 for call in sandbox.calls(operation="UpdateConnection")) == 1
    # A message that was sent just before the kill is sent again, with the same id, in the same file.
    kinds = [kind for kind, _, region in watched.told()]
    assert kinds in (["repaired"], ["well_again"], ["repaired", "well_again"])
    assert watched.account.ansible.seen_in_files(sandbox.tokens.values()) == {}
