# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new token: verify sees that AWS holds the old one, onboarding replaces it everywhere, and neither of them is ever shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.leaks import seen_in
from tests.integration.playbooks.runner import NAME, Ansible, Run
from tests.integration.verify.account import arns, failed, statuses, verification, writes
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import Hand
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
EVERYTHING = ("-vvv", "--diff")


@dataclass(frozen=True)
class Story:
    """What happened, in order; each run shows all that it can show.

    Attributes:
        refused: onboarding with a token that Spot does not know; `refused_writes` are its writing calls.
        notification: of a warning after the rotation.
        repaired: after one region was de-authorised and in another somebody had put back the old token.
    """

    tokens: dict[str, str]
    before: dict[str, Any]
    refused: Run
    refused_writes: list[str]
    verified: Run
    rotated: Run
    rotation_writes: list[str]
    rotated_again: Run
    after: dict[str, Any]
    notification: dict[str, Any]
    repaired: Run
    found_after_repair: dict[str, Any]
    offboarded: Run
    ansible: Ansible

    @property
    def runs(self) -> dict[str, Run]:
        return {
            "refused": self.refused,
            "verified": self.verified,
            "rotated": self.rotated,
            "repaired": self.repaired,
            "offboarded": self.offboarded,
        }


@pytest.fixture(scope="module")
def story(running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    running.add_token("new", role="admin")
    running.add_token("revoked", role="admin")
    running.revoke_token("revoked")
    account = make_account(regions=REGIONS)
    account.have_onboarded(token="admin")
    before = account.look(token="admin")

    running.clear_calls()
    refused = account.onboard(*EVERYTHING, token="revoked")
    refused_writes = writes(running)
    verified = account.verify(*EVERYTHING, token="new")
    running.clear_calls()
    rotated = account.onboard(*EVERYTHING, token="new")
    rotation_writes = writes(running)
    rotated_again = account.onboard(token="new")
    after = account.look(token="new")
    running.interrupt("eu-west-1")
    assert running.settled()
    (notification,) = running.notifications()

    Hand(running, "us-east-1").events.deauthorize_connection(Name=NAME)
    Hand(running, "eu-west-1").send_token(running.tokens["admin"])
    repaired = account.repair(*EVERYTHING, token="new")
    found_after_repair = account.look(token="new")
    offboarded = account.offboard(*EVERYTHING, token="new")
    tokens = {name: running.tokens[name] for name in ("admin", "new", "revoked")}
    return Story(
        tokens=tokens,
        before=before,
        refused=refused,
        refused_writes=refused_writes,
        verified=verified,
        rotated=rotated,
        rotation_writes=rotation_writes,
        rotated_again=rotated_again,
        after=after,
        notification=notification,
        repaired=repaired,
        found_after_repair=found_after_repair,
        offboarded=offboarded,
        ansible=account.ansible,
    )


# Rotation


def test_a_token_that_spot_refuses_is_never_written(story: Story) -> None:
    assert story.refused.rc != 0
    assert "Spot refuses the token" in story.refused.message()
    assert story.refused_writes == []


def test_verify_sees_in_every_region_that_aws_holds_another_token(story: Story) -> None:
    found = verification(story.verified)["regions"]
    assert {region: failed(entry) for region, entry in found.items()} == {region: {"connection_token"} for region in REGIONS}
    assert statuses(found) == dict.fromkeys(REGIONS, "drifted")
    assert story.verified.rc != 0


def test_onboarding_with_a_new_token_updates_every_region_and_says_so(story: Story) -> None:
    assert story.rotated.rc == 0
    assert {region: " ".join(line.split()) for region, line in story.rotated.table().items()} == dict.fromkeys(
        REGIONS, "active connection updated"
    )


def test_that_is_one_call_for_each_region(story: Story) -> None:
    assert sorted(story.rotation_writes) == sorted(f"{region} UpdateConnection" for region in REGIONS)


@pytest.mark.parametrize("region", REGIONS)
def test_everything_stays_in_its_place(story: Story, region: str) -> None:
    assert arns(story.after[region]) == arns(story.before[region])


def test_the_new_token_is_the_current_one_everywhere(story: Story) -> None:
    assert {region: failed(entry) for region, entry in story.after.items()} == {region: set() for region in REGIONS}


def test_warnings_arrive_with_the_new_token(story: Story) -> None:
    assert story.notification["status"] == 200
    assert story.notification["headers"]["Authorization"] == f"Bearer {story.tokens['new']}"


def test_rotating_again_changes_nothing(story: Story) -> None:
    assert (story.rotated_again.rc, story.rotated_again.changed) == (0, 0)


def test_repair_puts_the_token_that_was_given_where_another_is(story: Story) -> None:
    assert story.repaired.rc == 0
    assert statuses(story.found_after_repair) == dict.fromkeys(REGIONS, "active")
    table = {region: " ".join(line.split()) for region, line in story.repaired.table().items()}
    assert table["us-east-1"].startswith("active connection reauthorized was inactive: ")
    assert table["eu-west-1"].startswith("active connection updated was drifted: ")
    assert table["ap-south-1"] == "active"


# Secrets


def test_offboarding_succeeds(story: Story) -> None:
    assert story.offboarded.rc == 0


@pytest.mark.parametrize("name", ["refused", "verified", "rotated", "repaired", "offboarded"])
def test_no_token_is_in_the_output_however_much_is_shown(story: Story, name: str) -> None:
    assert story.runs[name].stdout
    assert seen_in(story.runs[name].output.encode(), story.tokens.values()) == []


def test_no_token_is_in_any_file_that_is_left(story: Story) -> None:
    """Among them are the results as callback plugins see them."""
    assert len(list(story.ansible.home.glob("*.jsonl"))) >= 5
    assert story.ansible.seen_in_files(story.tokens.values()) == {}
