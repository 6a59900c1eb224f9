# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regions that fail, and an AWS that is busy."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.integration.playbooks.aws_state import everything
from tests.integration.playbooks.runner import IMPATIENT, Ansible, Run
from tests.sandbox.client import Sandbox

GOOD, ERRORS, SILENT = "us-east-1", "eu-west-1", "ap-south-1"


@dataclass(frozen=True)
class Story:
    """A run with two regions that fail, and one after they have recovered."""

    bad: Run
    kinds_in_good: dict[str, int]
    mended: Run


@pytest.fixture(scope="module")
def story(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Story:
    running.reset()
    ansible = Ansible(running, tmp_path_factory.mktemp("failing_regions") / "home")
    running.add_fault({"error": {"status": 500, "code": "InternalException", "message": "It is broken"}}, {"region": ERRORS})
    running.add_fault({"hang": 30}, {"region": SILENT})
    regions = ",".join((GOOD, ERRORS, SILENT))
    bad = ansible.onboard("-e", IMPATIENT, regions=regions)
    found = everything(running, [GOOD])[GOOD]
    running.clear_faults()
    mended = ansible.onboard(regions=regions)
    return Story(bad, {kind: len(resources) for kind, resources in found.items()}, mended)


def test_the_other_regions_are_done(story: Story) -> None:
    assert story.bad.table()[GOOD].startswith("active ")
    assert set(story.kinds_in_good.values()) == {1}


def test_the_run_fails_and_names_each_region_with_its_reason(story: Story) -> None:
    message = story.bad.message()
    assert "2 of 3 region(s) not active" in message
    (errors,) = [part for part in message.split(" | ") if f"{ERRORS} " in part]
    assert "InternalException" in errors
    assert "It is broken" in errors
    (silent,) = [part for part in message.split(" | ") if f"{SILENT} " in part]
    assert "AWS did not respond" in silent


def test_the_table_shows_them(story: Story) -> None:
    table = story.bad.table()
    assert table[ERRORS].startswith("unknown ")
    assert "It is broken" in table[ERRORS]
    assert table[SILENT].startswith("unknown ")
    assert "AWS did not respond" in table[SILENT]


def test_the_next_run_completes_them_and_only_them(story: Story) -> None:
    assert story.mended.rc == 0
    done = {region: set(actions.values()) for region, actions in story.mended.actions().items()}
    assert done == {GOOD: {"unchanged"}, ERRORS: {"created"}, SILENT: {"created"}}


@pytest.mark.slow
def test_it_gets_through_when_every_fifth_call_is_throttled(ansible: Ansible, sandbox: Sandbox) -> None:
    # A rule for each region: so calls of the same numbers are struck every time, whichever of those made at once is first.
    for seed, region in enumerate((GOOD, ERRORS), start=1):
        sandbox.add_fault({"throttle": True}, {"region": region}, rate=0.2, seed=seed)
    run = ansible.onboard(regions=f"{GOOD},{ERRORS}")
    assert run.rc == 0, run.output
    calls = sandbox.calls()
    throttled = [call for call in calls if call["fault"] == "throttle"]
    assert len(throttled) > 5
    # Each is made again, and none of them more often than that: 48 calls are needed.
    assert len(calls) - len(throttled) <= 60
    assert len(calls) <= 100
