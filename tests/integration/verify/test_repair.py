# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repair touches what is broken, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.runner import NAME, Run
from tests.integration.verify.account import Account, statuses, writes
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import Hand
from tests.sandbox.client import Sandbox

BROKEN, HEALTHY, NEVER, DOWN = "us-east-1", "eu-west-1", "ap-south-1", "sa-east-1"


@dataclass(frozen=True)
class Story:
    """A repair while one region has lost its connection, one was never onboarded, and one does not answer."""

    run: Run
    writes: list[str]
    found: dict[str, Any]
    event: dict[str, Any]
    notifications: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    make_account(regions=[BROKEN, HEALTHY, DOWN]).have_onboarded()
    Hand(running, BROKEN).events.delete_connection(Name=NAME)
    account = make_account(regions=[BROKEN, HEALTHY, NEVER, DOWN])
    fault = running.add_fault({"error": {"status": 400, "code": "Refused", "message": "Not today"}}, {"region": DOWN})
    running.clear_calls()
    run = account.repair()
    written = writes(running)
    running.clear_faults(fault["id"])
    event = running.interrupt(BROKEN)
    assert running.settled()
    return Story(run, written, account.look(), event, running.notifications())


def test_a_connection_that_was_deleted_is_made_again(story: Story) -> None:
    assert statuses(story.found)[BROKEN] == "active"
    assert "connection created" in story.run.table()[BROKEN]


def test_the_destination_points_to_the_new_connection(story: Story) -> None:
    resources = story.found[BROKEN]["resources"]
    assert resources["api_destination"]["connection_arn"] == resources["connection"]["connection_arn"]


def test_the_next_warning_arrives_through_it(story: Story) -> None:
    assert [(notification["status"], notification["body"]["id"]) for notification in story.notifications] == [
        (200, story.event["event_id"])
    ]


def test_only_the_broken_region_is_written_to(story: Story) -> None:
    assert {call.split()[0] for call in story.writes} == {BROKEN}


def test_a_region_that_was_never_onboarded_is_left_alone_and_told(story: Story) -> None:
    assert statuses(story.found)[NEVER] == "absent"
    assert story.run.table()[NEVER].startswith("absent ")


def test_a_region_that_could_not_be_read_fails_the_run_and_is_named(story: Story) -> None:
    message = story.run.message()
    assert f"{DOWN} unknown: " in message
    assert "Not today" in message
    assert BROKEN not in message


@pytest.mark.slow
def test_where_nothing_is_broken_nothing_is_done(account: Account) -> None:
    account.have_onboarded()
    account.sandbox.clear_calls()
    run = account.repair()
    assert (run.rc, run.changed) == (0, 0)
    assert writes(account.sandbox) == []
