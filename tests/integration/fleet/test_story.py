# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Five accounts out of the Spot API, two of them on one AWS account, from onboarding to offboarding; one of them has troubles.

Inventory and commands are those of the guide *A fleet, and AWX*; the session in the guide is what they print.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.fleet.fleet import REGIONS, Fleet, lines, table
from tests.integration.interpreters import COLLECTIONS
from tests.integration.playbooks.leaks import seen_in
from tests.integration.playbooks.runner import ANSIBLE_PLAYBOOK, Run
from tests.sandbox.client import Sandbox
from tests.tools.guides import blocks, commands, files

pytestmark = pytest.mark.slow

TWIN = "act-f1ee0006"  # on the AWS account of the first
REFUSED, DOWN = "act-f1ee0002", "act-f1ee0003"
DOWN_REGION = "eu-west-1"
LOST = "act-f1ee0004"
# In the sandbox there are others, too.
INCLUDE = """
spot_api_url: {url}
include:
  - spot_account: act-f1ee*
"""
LINES = commands("guide_fleet")
ONBOARD, VERIFY, REPAIR = (line for line in LINES if line.startswith("ansible-playbook "))
(LIST,) = (line for line in LINES if line.startswith("ansible-inventory "))


@dataclass(frozen=True)
class Story:
    """What the runs came to."""

    accounts: dict[str, str]
    listed: str
    troubled: Run
    mended: Run
    again: Run
    again_writes: list[dict[str, Any]]
    delivered: dict[str, list[str]]
    lost: Run
    report: dict[str, Any]
    repaired: Run
    repair_writes: set[tuple[str, str]]
    offboarded: Run
    before: dict[str, Any]
    after: dict[str, Any]
    tokens: list[str]


@pytest.fixture(scope="module")
def story(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Story:
    running.reset()
    running.settings(enabled_regions=REGIONS)
    folder = tmp_path_factory.mktemp("fleet")
    fleet = Fleet(running, folder / "home", size=5)
    fleet.accounts[TWIN] = fleet.accounts["act-f1ee0001"]
    running.add_spot_accounts([{"accountId": TWIN, "name": "act-f1ee0001", "providerExternalId": fleet.accounts[TWIN]}])
    fleet.inventory = folder / "spot_accounts.yml"
    fleet.inventory.write_text(files("guide_fleet")["spot_accounts.yml"] + INCLUDE.format(url=running.spot_url), encoding="utf-8")
    before = fleet.state()
    environment = {**running.env(), "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(folder)}
    program, *words = shlex.split(LIST)
    listed = subprocess.run(
        [ANSIBLE_PLAYBOOK.with_name(program), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout

    denied = {"error": {"status": 403, "code": "AccessDenied", "message": "Not authorized to perform sts:AssumeRole"}}
    running.add_fault(denied, {"operation": "AssumeRole", "role": f"*:{fleet.accounts[REFUSED]}:*"})
    running.add_fault(
        {"error": {"status": 400, "code": "Refused", "message": "Not today"}}, {"account": fleet.accounts[DOWN], "region": DOWN_REGION}
    )
    troubled = fleet.typed(ONBOARD)
    running.clear_faults()
    mended = fleet.run("onboard")
    running.clear_calls()
    again = fleet.run("onboard")
    again_writes = running.calls(writes=True)
    delivered = {spot: deliver(running, aws) for spot, aws in fleet.accounts.items()}

    fleet.lose(LOST, "ap-south-1")
    lost = fleet.typed(VERIFY)
    running.clear_calls()
    repaired = fleet.typed(REPAIR)
    repair_writes = {(call["account"], call["region"]) for call in running.calls(writes=True)}
    offboarded = fleet.run("offboard", "-e", json.dumps({"regions": "all", "spot_eventbridge_delete_messages": True}))
    return Story(
        accounts=dict(fleet.accounts),
        listed=listed,
        troubled=troubled,
        mended=mended,
        again=again,
        again_writes=again_writes,
        delivered=delivered,
        lost=lost,
        report=json.loads((folder / "report" / "report.json").read_text(encoding="utf-8")),
        repaired=repaired,
        repair_writes=repair_writes,
        offboarded=offboarded,
        before=before,
        after=fleet.state(),
        tokens=list(running.tokens.values()),
    )


def deliver(sandbox: Sandbox, aws_account: str) -> list[str]:
    """The Spot accounts to which an interruption in this AWS account came."""
    sandbox.clear_received()
    sandbox.interrupt("us-east-1", aws_account)
    assert sandbox.settled()
    return sorted(received["query"]["accountId"] for received in sandbox.notifications() if received["status"] == 200)


def test_one_account_that_fails_never_stops_the_others(story: Story) -> None:
    found = table(story.troubled)
    assert set(found) == set(story.accounts)
    assert {spot for spot, rest in found.items() if "3 active" in rest} == set(story.accounts) - {REFUSED, DOWN}


def test_a_role_that_cannot_be_assumed_is_named_with_its_account(story: Story) -> None:
    (message,) = story.troubled.messages(REFUSED)
    role = f"arn:aws:iam::{story.accounts[REFUSED]}:role/SpotEventBridge"
    assert message.startswith(f"{REFUSED}: The role {role} cannot be assumed: AccessDenied")
    assert "trust policy" in message


def test_a_region_that_is_down_is_named_and_the_others_of_the_account_are_done(story: Story) -> None:
    (message,) = story.troubled.messages(DOWN)
    assert message.startswith(f"{DOWN}: 1 of 3 region(s) not active: {DOWN_REGION} unknown: Refused: ")
    assert "1 unknown, 2 active" in table(story.troubled)[DOWN]


def test_the_failed_accounts_are_the_first_lines_and_the_failed_hosts(story: Story) -> None:
    assert {line.split()[0] for line in lines(story.troubled)[:2]} == {REFUSED, DOWN}
    assert story.troubled.rc == 2
    assert {host for host, numbers in story.troubled.recap.items() if numbers["failures"]} == {REFUSED, DOWN}


def test_progress_says_which_accounts_are_done_and_how_many_are_left(story: Story) -> None:
    told = re.findall(r"^\[(\d)/6\] (act-\w+)", story.troubled.stdout, re.MULTILINE)
    assert [int(number) for number, _ in told] == [1, 2, 3, 4, 5, 6]
    assert {account for _, account in told} == set(story.accounts)


def test_the_inventory_lists_the_accounts(story: Story) -> None:
    assert set(re.findall(r"act-\w+", story.listed)) == set(story.accounts)


def test_what_is_part_of_a_task_is_not_shown(story: Story) -> None:
    assert "item=" not in story.lost.stdout
    # That of the play that finds the accounts; its other tasks do not apply, and are skipped.
    assert re.findall(r"^TASK \[(.*)\]", story.lost.stdout, re.M) == ["Check that there is an account"]
    assert "skipping:" not in story.lost.stdout


def test_session_in_the_guide_is_printed(story: Story) -> None:
    """The order of accounts in the output, and so their numbers, is by chance."""
    (session,) = (text for _, text in blocks("guide_fleet", "text") if text.startswith(f"$ {VERIFY}\n"))
    shown = [line for line in session.splitlines()[1:] if line]
    output = f"{story.lost.stdout}\n$ {REPAIR}\n{story.repaired.stdout}".splitlines()
    printed = {re.sub(r"^\[\d/", "[", line) for line in output}
    assert len(shown) > 20
    assert [line for line in shown if re.sub(r"^\[\d/", "[", line) not in printed] == []


def test_output_is_a_few_lines_for_each_account(story: Story) -> None:
    # its progress, its line in the table, its line in the recap
    for account in set(story.accounts) - {REFUSED, DOWN}:
        assert len(re.findall(rf"^.*{account}.*$", story.troubled.stdout, re.MULTILINE)) == 3


def test_the_next_run_completes_what_failed(story: Story) -> None:
    assert story.mended.rc == 0
    assert {" ".join(rest.split()[1:3]) for rest in table(story.mended).values()} == {"3 active"}


def test_an_unchanged_fleet_is_not_written_to(story: Story) -> None:
    assert (story.again.rc, story.again.changed, story.again_writes) == (0, 0, [])


def test_a_warning_comes_to_the_accounts_on_that_aws_account_and_to_no_other(story: Story) -> None:
    both = ["act-f1ee0001", TWIN]
    assert story.delivered == {spot: both if spot in both else [spot] for spot in story.accounts}


def test_verify_finds_the_one_region_and_fails_that_one_account(story: Story) -> None:
    assert {host for host, numbers in story.lost.recap.items() if numbers["failures"]} == {LOST}
    assert "ap-south-1 inactive" in table(story.lost)[LOST]


def test_there_is_one_report_of_all_accounts(story: Story) -> None:
    assert {account["host"] for account in story.report["accounts"]} == set(story.accounts)
    assert {account["host"]: account["aws_account"] for account in story.report["accounts"]} == story.accounts


def test_repair_writes_to_the_broken_region_alone(story: Story) -> None:
    assert story.repaired.rc == 0
    assert story.repair_writes == {(story.accounts[LOST], "ap-south-1")}


def test_offboarding_leaves_what_was_there_before(story: Story) -> None:
    assert story.offboarded.rc == 0
    assert story.after == story.before


def test_a_token_is_in_no_output(story: Story) -> None:
    for run in (story.troubled, story.mended, story.again, story.lost, story.repaired, story.offboarded):
        assert seen_in(run.output.encode(), story.tokens) == []
