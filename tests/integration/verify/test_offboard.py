# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Offboarding leaves nothing of this integration, and everything of others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.aws_state import everything
from tests.integration.playbooks.runner import NAME, SPOT_ACCOUNT, Run
from tests.integration.verify.account import Account, outcomes, statuses, writes
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import Hand
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1"]
SECOND = "act-5a9d1c02"
SHARED, FOREIGN, LETTERS, PLAIN = "us-east-1", "eu-west-1", "ap-south-1", "sa-east-1"


@dataclass(frozen=True)
class Story:
    """An integration comes and goes beside that of another Spot account on the same AWS account."""

    others: dict[str, Any]
    predicted: Run
    predicted_writes: list[str]
    done: Run
    left: dict[str, Any]
    again: Run
    again_writes: list[str]
    second: dict[str, Any]
    notifications: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    running.settings(enabled_regions=REGIONS)
    first, second = make_account(), make_account(spot_account=SECOND)
    second.have_onboarded()
    others = everything(running, REGIONS)
    first.have_onboarded()

    running.clear_calls()
    predicted = first.offboard("--check", token=None)
    predicted_writes = writes(running)
    done = first.offboard(token=None)
    left = everything(running, REGIONS)
    running.clear_calls()
    again = first.offboard(token=None)
    again_writes = writes(running)
    running.interrupt("eu-west-1")
    assert running.settled()
    return Story(others, predicted, predicted_writes, done, left, again, again_writes, second.look(REGIONS), running.notifications())


def test_nothing_is_left_and_everything_of_others_is_as_it_was(story: Story) -> None:
    assert story.done.rc == 0
    assert story.left == story.others


def test_the_table_says_of_each_region_that_it_is_gone(story: Story) -> None:
    assert {region: line.split() for region, line in story.done.table().items()} == {region: ["absent", "deleted"] for region in REGIONS}


def test_another_spot_account_stays_active(story: Story) -> None:
    assert {region: outcomes(entry) for region, entry in story.second.items()} == {region: {} for region in REGIONS}


def test_warnings_then_go_to_the_other_account_alone(story: Story) -> None:
    assert [(notification["query"], notification["status"]) for notification in story.notifications] == [({"accountId": SECOND}, 200)]


def test_check_mode_writes_nothing(story: Story) -> None:
    assert story.predicted.rc == 0
    assert story.predicted_writes == []


def test_check_mode_predicts_what_is_done(story: Story) -> None:
    assert story.predicted.actions() == story.done.actions()
    assert story.predicted.recap == story.done.recap
    assert story.done.changed > 0


def test_check_mode_says_what_would_be_done(story: Story) -> None:
    assert all("would be deleted" in line for line in story.predicted.table().values())


def test_twice_is_harmless(story: Story) -> None:
    assert (story.again.rc, story.again.changed) == (0, 0)
    assert story.again_writes == []


# What is kept


@dataclass(frozen=True)
class Kept:
    """What happens where something must not be removed, and when it may be.

    Attributes:
        partly: one region alone is offboarded; `role_after_part` is whether the execution role is there then.
        run: then all of them, while another destination uses the connection in one.
        repaired: a repair of regions in which something was kept.
        mended: all of them after that destination is gone, with the word that dead letters may go.
    """

    partly: Run
    role_after_part: bool
    run: Run
    found: dict[str, Any]
    role_after_refusal: bool
    foreign_targets: list[str]
    repaired: Run
    repair_writes: list[str]
    mended: Run
    left: dict[str, Any]


@pytest.fixture(scope="module")
def kept(running: Sandbox, make_account: MakeAccount) -> Kept:
    running.reset()
    running.settings(enabled_regions=[SHARED, FOREIGN, LETTERS, PLAIN])
    account, one = make_account(), make_account(regions=[PLAIN])
    account.have_onboarded()
    hands = {region: Hand(running, region) for region in (SHARED, FOREIGN, LETTERS)}
    hands[SHARED].destination_on(hands[SHARED].connection()["ConnectionArn"], "of-others")
    queue = hands[FOREIGN].sqs.create_queue(QueueName="audit")["QueueUrl"]
    arn = hands[FOREIGN].sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    hands[FOREIGN].events.put_targets(Rule=NAME, Targets=[{"Id": "audit", "Arn": arn}])
    hands[LETTERS].put_dead_letter()

    partly = one.offboard()
    role_after_part = has_role(running)
    run = account.offboard()
    found, role_after_refusal = account.look([SHARED, FOREIGN, LETTERS, PLAIN]), has_role(running)
    targets = [target["Id"] for target in hands[FOREIGN].events.list_targets_by_rule(Rule=NAME)["Targets"]]
    running.clear_calls()
    repaired = make_account(regions=[FOREIGN, LETTERS]).repair()
    repair_writes = writes(running)
    hands[SHARED].events.delete_api_destination(Name="of-others")
    mended = account.offboard("-e", json.dumps({"spot_eventbridge_delete_messages": True}))
    left = {region: account.look([region])[region]["resources"] for region in (SHARED, FOREIGN, LETTERS, PLAIN)}
    return Kept(partly, role_after_part, run, found, role_after_refusal, targets, repaired, repair_writes, mended, left)


def has_role(sandbox: Sandbox) -> bool:
    return NAME in [role["RoleName"] for role in sandbox.boto3("iam").list_roles()["Roles"]]


def test_one_region_can_be_offboarded_alone(kept: Kept) -> None:
    assert kept.partly.rc == 0
    assert list(kept.partly.table()) == [PLAIN]


def test_the_execution_role_stays_while_a_region_needs_it(kept: Kept) -> None:
    assert kept.role_after_part
    assert kept.role_after_refusal


def test_a_connection_that_others_use_is_refused_and_they_are_named(kept: Kept) -> None:
    message = kept.run.message()
    assert f"{SHARED} " in message
    assert "used by API destination(s) of-others" in message
    assert kept.found[SHARED]["resources"]["connection"]


def test_the_other_regions_are_cleared_all_the_same(kept: Kept) -> None:
    assert {kept.found[region]["resources"]["connection"] for region in (FOREIGN, LETTERS, PLAIN)} == {None}
    assert {line.split()[0] for region, line in kept.run.table().items() if region != SHARED} == {"absent"}


def test_a_rule_with_a_target_of_others_is_kept_with_that_target_and_named(kept: Kept) -> None:
    assert kept.foreign_targets == ["audit"]
    assert kept.found[FOREIGN]["resources"]["rule"]["state"] == "ENABLED"
    assert f"the rule {NAME} was kept: it has targets that are not ours (audit)" in kept.run.table()[FOREIGN]


def test_a_queue_with_dead_letters_is_kept_and_named(kept: Kept) -> None:
    assert kept.found[LETTERS]["resources"]["queue"]["messages"] == 1
    assert f"the queue {NAME} was kept: it holds 1 dead letter(s)" in kept.run.table()[LETTERS]


def test_what_was_kept_does_not_make_a_region_broken(kept: Kept) -> None:
    assert statuses(kept.found) == {SHARED: "incomplete", FOREIGN: "absent", LETTERS: "absent", PLAIN: "absent"}


def test_repair_does_not_bring_it_back(kept: Kept) -> None:
    assert kept.repaired.rc == 0
    assert {line.split()[0] for line in kept.repaired.table().values()} == {"absent"}
    assert kept.repair_writes == []


def test_the_next_run_removes_what_may_go_and_then_the_role(kept: Kept) -> None:
    assert kept.mended.rc == 0
    assert kept.left[SHARED]["connection"] is None
    assert kept.left[LETTERS]["queue"] is None


def test_only_what_is_of_others_is_left(kept: Kept) -> None:
    left = {(region, kind) for region, resources in kept.left.items() for kind, found in resources.items() if found}
    assert left == {(FOREIGN, "rule")}


# Killed in the middle


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "region"), [("DeleteApiDestination", "eu-west-1"), ("DeleteRole", "us-east-1")])
def test_a_run_that_was_killed_is_completed_by_the_next(sandbox: Sandbox, make_account: MakeAccount, operation: str, region: str) -> None:
    sandbox.settings(enabled_regions=REGIONS)
    untouched = everything(sandbox, REGIONS)
    account = make_account()
    account.have_onboarded()
    kill_at(account, operation, region)
    assert everything(sandbox, REGIONS) != untouched

    run = account.offboard()
    assert run.rc == 0, run.output
    assert everything(sandbox, REGIONS) == untouched


def kill_at(account: Account, operation: str, region: str) -> None:
    """Start offboarding, and kill all of its processes while AWS keeps this call waiting."""
    sandbox = account.sandbox
    sandbox.add_fault({"hang": 60}, {"operation": operation, "region": region})
    running = account.start("offboard")
    assert running.kill_when(lambda: bool(sandbox.calls(operation=operation, region=region))), f"{operation} was not called"
    sandbox.clear_faults()


@pytest.mark.slow
def test_an_account_that_was_never_onboarded_can_be_offboarded(account: Account) -> None:
    run = account.offboard(token=None)
    assert (run.rc, run.changed) == (0, 0)
    assert writes(account.sandbox) == []
    assert account.spot_account == SPOT_ACCOUNT
