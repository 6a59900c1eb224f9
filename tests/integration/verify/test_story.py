# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection is for: Spot refuses one warning, a region dies silently, is found, is mended, and lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import arns, lines, statuses, verification, writes
from tests.integration.verify.conftest import MakeAccount
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
STRUCK = "eu-west-1"


@dataclass(frozen=True)
class Story:
    """What happened, in order.

    Attributes:
        lost: the event that Spot refused; `other` is one in another region afterwards, `next_one` one after the repair.
        unseen: how many dead letters everybody could still receive right after verify had looked at them.
    """

    before: dict[str, Any]
    lost: dict[str, Any]
    verified: Run
    verify_writes: list[str]
    unseen: int
    other: list[dict[str, Any]]
    refused: Run
    refused_writes: list[str]
    predicted: Run
    predicted_writes: list[str]
    repaired: Run
    repair_calls: list[dict[str, Any]]
    next_one: dict[str, Any]
    notifications: list[dict[str, Any]]
    after: dict[str, Any]


@pytest.fixture(scope="module")
def story(running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    account = make_account(regions=REGIONS)
    account.have_onboarded()
    before = account.look()

    running.start_outage(401)
    lost = running.interrupt(STRUCK)
    assert running.settled()
    running.clear_calls()
    refused = account.repair()
    refused_writes = writes(running)
    running.end_outage()

    running.clear_calls()
    verified = account.verify()
    verify_writes = writes(running)
    sqs = running.boto3("sqs", STRUCK)
    letters = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName=account.name)["QueueUrl"], VisibilityTimeout=0)
    running.clear_received()
    running.interrupt("us-east-1")
    assert running.settled()
    other = running.notifications()

    running.clear_calls()
    predicted = account.repair("--check")
    predicted_writes = writes(running)
    running.clear_calls()
    repaired = account.repair()
    repair_calls = running.calls(writes=True)
    running.clear_received()
    next_one = running.interrupt(STRUCK)
    assert running.settled()
    notifications = running.notifications()
    return Story(
        before=before,
        lost=lost,
        verified=verified,
        verify_writes=verify_writes,
        unseen=len(letters.get("Messages", [])),
        other=other,
        refused=refused,
        refused_writes=refused_writes,
        predicted=predicted,
        predicted_writes=predicted_writes,
        repaired=repaired,
        repair_calls=repair_calls,
        next_one=next_one,
        notifications=notifications,
        after=account.look(),
    )


def test_one_refused_warning_makes_its_region_inactive_and_no_other(story: Story) -> None:
    assert statuses(verification(story.verified)["regions"]) == {**dict.fromkeys(REGIONS, "active"), STRUCK: "inactive"}


def test_verify_fails_and_says_so_in_one_line_with_region_status_and_reason(story: Story) -> None:
    message = story.verified.message()
    assert story.verified.rc != 0
    assert f"{STRUCK} inactive: The connection is DEAUTHORIZED" in message
    assert "401" in message
    assert "us-east-1" not in message


def test_the_table_has_one_line_for_the_region(story: Story) -> None:
    (line,) = [line for line in lines(story.verified) if line.startswith(f"{STRUCK} ")]
    assert line.split()[1] == "inactive"
    assert "DEAUTHORIZED" in line


def test_the_dead_letter_says_why_too(story: Story) -> None:
    (line,) = [line for line in lines(story.verified) if line.startswith("WARN dead_letters")]
    assert f"({STRUCK})" in line
    assert f"instance {story.lost['instance_id']}" in line
    assert "401" in line


def test_the_dead_letter_is_in_the_evidence(story: Story) -> None:
    evidence = verification(story.verified)["regions"][STRUCK]["evidence"]
    (letter,) = evidence["dead_letters"]["messages"]
    assert evidence["dead_letters"]["count"] == 1
    assert letter["instance_id"] == story.lost["instance_id"]
    assert letter["error_code"] == "SDK_CLIENT_ERROR"
    assert letter["attempts"] == 1
    assert letter["time"]


def test_the_figures_tell_of_the_loss(story: Story) -> None:
    metrics = verification(story.verified)["regions"][STRUCK]["evidence"]["metrics"]
    assert (metrics["matched"], metrics["failed"], metrics["dead_lettered"]) == (1, 1, 1)
    assert not metrics["delivered"]


def test_each_finding_says_what_to_do(story: Story) -> None:
    (line,) = [line for line in lines(story.verified) if line.startswith("FAIL connection_state")]
    assert line.endswith("Run the playbook spot.eventbridge.repair.")


def test_verify_writes_nothing(story: Story) -> None:
    assert story.verify_writes == []


def test_a_dead_letter_that_was_looked_at_can_still_be_received(story: Story) -> None:
    assert story.unseen == 1


def test_the_other_regions_deliver_meanwhile(story: Story) -> None:
    assert [notification["status"] for notification in story.other] == [200]


def test_repair_writes_nothing_while_spot_refuses_the_token(story: Story) -> None:
    assert story.refused.rc != 0
    assert story.refused_writes == []


def test_repair_says_that_spot_refuses_the_token(story: Story) -> None:
    assert "Spot refuses the token" in story.refused.message()


def test_check_mode_says_what_repair_would_do_and_writes_nothing(story: Story) -> None:
    assert story.predicted.rc == 0
    assert " ".join(story.predicted.table()[STRUCK].split()).startswith("inactive would be connection reauthorized")
    assert story.predicted_writes == []


def test_check_mode_predicts_what_repair_changes(story: Story) -> None:
    assert story.predicted.changed == story.repaired.changed > 0


def test_repair_makes_the_region_active(story: Story) -> None:
    assert story.repaired.rc == 0
    assert statuses(story.after) == dict.fromkeys(REGIONS, "active")


def test_repair_says_what_was_wrong_and_what_was_done(story: Story) -> None:
    line = " ".join(story.repaired.table()[STRUCK].split())
    assert line.startswith("active connection reauthorized was inactive: The connection is DEAUTHORIZED")


def test_repair_makes_one_call_in_the_region_and_none_in_the_others(story: Story) -> None:
    assert [(call["region"], call["operation"]) for call in story.repair_calls] == [(STRUCK, "UpdateConnection")]


@pytest.mark.parametrize("region", REGIONS)
def test_connection_destination_and_rule_stay_the_same(story: Story, region: str) -> None:
    assert arns(story.after[region]) == arns(story.before[region])


def test_the_next_warning_arrives(story: Story) -> None:
    (notification,) = story.notifications
    assert notification["status"] == 200
    assert notification["body"]["id"] == story.next_one["event_id"]


def test_the_letter_that_was_lost_is_still_told(story: Story) -> None:
    (finding,) = [finding for finding in story.after[STRUCK]["findings"] if finding["check"] == "dead_letters"]
    assert finding["outcome"] == "warn"
    assert story.lost["instance_id"] in finding["message"]
