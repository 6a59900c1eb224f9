# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that integrates many accounts by one stack set, run as a user runs it."""

from __future__ import annotations

import json
import shlex
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.modules.accounts import FIRST, HOME, LATE, LATE_SPOT_ACCOUNT, REGIONS, SECOND, SPOT_ACCOUNTS, THIRD, Accounts, each
from tests.integration.playbooks.leaks import seen_in
from tests.integration.playbooks.runner import Ansible, Run, Running
from tests.sandbox.client import Sandbox
from tests.tools.guides import commands

REGION = REGIONS[:1]


class StackSets:
    """Runs of the playbook for three accounts that an inventory of Spot's accounts names."""

    def __init__(self, ansible: Ansible, accounts: Accounts, folder: Path) -> None:
        self.ansible, self.accounts, self.sandbox = ansible, accounts, ansible.sandbox
        self.inventory = folder / "spot_accounts.yml"
        self.take(*SPOT_ACCOUNTS)

    def take(self, *aws_accounts: str) -> None:
        """Let the inventory have the Spot accounts of these AWS accounts."""
        content = {"plugin": "spot.eventbridge.spot_accounts", "spot_api_url": self.sandbox.spot_url}
        self.inventory.write_text(yaml.safe_dump({**content, "include": [{"aws_account": list(aws_accounts)}]}))

    def start(self, *arguments: str, token: str = "admin", **variables: Any) -> Running:
        given = {"spot_api_url": self.sandbox.spot_url, "regions": ",".join(REGION), "aws_region": HOME, **variables}
        words = [word for name, value in given.items() for word in ("-e", json.dumps({name: value}))]
        return self.ansible.start("playbooks/stack_set.yml", "-i", str(self.inventory), *words, *arguments, token=token)

    def run(self, *arguments: str, **variables: Any) -> Run:
        return self.start(*arguments, **variables).finish()

    def succeed(self, *arguments: str, **variables: Any) -> Run:
        done = self.run(*arguments, **variables)
        assert done.rc == 0, done.output
        return done


@pytest.fixture
def sets(ansible: Ansible, sandbox: Sandbox, tmp_path: Path) -> StackSets:
    sandbox.settings(stack_seconds=0, stack_set_seconds=0)
    return StackSets(ansible, Accounts(sandbox), tmp_path)


@pytest.fixture
def cold_sets(cold_ansible: Ansible, sets: StackSets, tmp_path: Path) -> StackSets:
    """The same, with the interpreter of a user."""
    return StackSets(cold_ansible, sets.accounts, tmp_path)


def table(run: Run) -> list[str]:
    """The lines that say what came of it."""
    (shown,) = [entry["result"]["lines"] for entry in run.results if "lines" in entry["result"]]
    assert "\n".join(shown) in run.stdout, "it is shown as a table"
    return list(shown)


HEADING = "AWS ACCOUNT   SPOT ACCOUNT  CURRENT  DONE"


def rows(done: str) -> list[str]:
    return [f"{account}  {spot}  1 of 1   {done}" for account, spot in SPOT_ACCOUNTS.items()]


@pytest.mark.slow
def test_the_commands_of_the_guide_do_what_it_says(sets: StackSets, tmp_path: Path) -> None:
    unit = sets.accounts.unit(sets.accounts.organize(), *SPOT_ACCOUNTS)
    given = {"spot_api_url": sets.sandbox.spot_url, "regions": REGION[0], "aws_region": HOME}
    words = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    look, do, revise, remove = (shlex.split(line.replace("ou-ab12-11111111", unit))[1:] for line in commands("guide_stack_sets"))

    def run(arguments: list[str]) -> Run:
        done = sets.ansible.run(*arguments, *words, cwd=tmp_path)
        assert done.rc == 0, done.output
        return done

    predicted = run(look)
    assert sets.accounts.writes() == []
    done = run(do)
    assert table(predicted) == table(done) == ["stack set spot-interruption: 3 accounts, 3 instances, 0 failed", HEADING, *rows("create")]
    assert (predicted.changed, done.changed) == (1, 1)
    assert sets.accounts.delivered(SPOT_ACCOUNTS, REGION) == each(SPOT_ACCOUNTS, REGION)
    again = run(do)
    assert (again.changed, table(again)[1:]) == (0, [HEADING, *rows("-")])
    assert table(run(revise))[2:] == rows("update")
    gone = run(remove)
    assert (gone.changed, table(gone)) == (1, ["stack set spot-interruption: there is none"])
    assert sets.accounts.left() == []


@pytest.mark.slow
def test_plain_names_in_an_inventory_change_nothing(sets: StackSets) -> None:
    sets.accounts.roles()
    sets.succeed()
    # What the folder of an inventory has for other reasons.
    variables = sets.inventory.parent / "group_vars" / "all.yml"
    variables.parent.mkdir()
    plain = {
        "state": "absent",
        "organizational_units": "ou-ab12-11111111",
        "spot_accounts": {},
        "token_revision": "7",
        "aws_region": "nowhere",
    }
    variables.write_text(yaml.safe_dump(plain))
    again = sets.succeed()
    assert (again.changed, table(again)[1:]) == (0, [HEADING, *rows("-")])
    gone = sets.succeed(spot_eventbridge_stack_set_state="absent")
    assert (gone.changed, sets.accounts.left()) == (1, [])


@pytest.mark.slow
def test_an_account_that_failed_is_told_with_the_reason_and_repaired_by_the_next_run(sets: StackSets) -> None:
    sets.accounts.roles(FIRST, THIRD)
    failed = sets.run()
    assert failed.message().startswith(
        f"stack set spot-interruption: 1 of 3 instance(s) failed | {SECOND} eu-west-1: FAILED: Account {SECOND} should"
    )
    assert table(failed)[2].startswith(f"{SECOND}  {SPOT_ACCOUNTS[SECOND]}  0 of 1   create  eu-west-1: FAILED: Account {SECOND} should")
    sets.accounts.execution_role(SECOND)
    repaired = sets.succeed()
    assert [row.split()[-1] for row in table(repaired)[2:]] == ["-", "update", "-"]
    assert sets.accounts.delivered(SPOT_ACCOUNTS, REGION) == each(SPOT_ACCOUNTS, REGION)


@pytest.mark.slow
def test_it_shows_how_far_it_is_while_it_waits(sets: StackSets) -> None:
    # The first operation fails, long before the last one ends: on a busy machine, too, a step ends in between.
    sets.accounts.roles(SECOND, THIRD)
    sets.sandbox.settings(stack_set_seconds=3)
    done = sets.run(spot_eventbridge_stack_set_step_timeout=1)
    lines = [line for line in done.stdout.splitlines() if line.startswith("stack set spot-interruption: CREATE ")]
    assert len(lines) >= 2
    assert lines[0] == "stack set spot-interruption: CREATE 0 of 3 instances"
    assert any(line.endswith("of 3 instances, 1 failed") for line in lines)
    (result,) = [entry["result"] for entry in done.results if "failed_instances" in entry["result"]]
    assert [entry["action"] for entry in result["operations"]] == ["create_stack_set", *["create_stack_instances"] * 3]
    assert len(sets.accounts.operations()) == 3
    assert result["changed"] is True
    assert len(result["diff"]) == 4


@pytest.mark.slow
def test_it_shows_how_far_it_is_where_each_stack_takes_as_long_as_in_aws(sets: StackSets) -> None:
    sets.accounts.roles()
    sets.sandbox.settings(stack_time_scale=1 / 60)
    done = sets.run(spot_eventbridge_stack_set_step_timeout=1)
    lines = [line for line in done.stdout.splitlines() if line.startswith("stack set spot-interruption: CREATE ")]
    assert len(lines) >= 2, done.stdout
    assert sets.accounts.delivered(SPOT_ACCOUNTS, REGION) == each(SPOT_ACCOUNTS, REGION)


@pytest.mark.slow
def test_a_run_of_many_steps_may_be_killed_at_any_moment(sets: StackSets) -> None:
    sets.accounts.roles()
    sets.sandbox.settings(stack_set_seconds=0.7)
    for number in (1, 2):
        started = sets.start(spot_eventbridge_stack_set_step_timeout=1)
        assert started.kill_when(lambda: sets.accounts.writes().count("CreateStackInstances") >= number)  # noqa: B023 (called at once)
        assert sets.ansible.seen_in_files([sets.sandbox.tokens["admin"]]) == {}
    sets.sandbox.settings(stack_set_seconds=0)
    sets.succeed()
    assert sets.accounts.delivered(SPOT_ACCOUNTS, REGION) == each(SPOT_ACCOUNTS, REGION)
    assert sets.accounts.writes().count("CreateStackSet") == 1
    assert sets.succeed().changed == 0


def test_an_organization_with_an_account_that_joins_later(sets: StackSets) -> None:
    root = sets.accounts.organize()
    unit = sets.accounts.unit(root, FIRST, SECOND, THIRD)
    sets.sandbox.add_organization_account(LATE)
    given = {"organizational_units": unit, "spot_eventbridge_stack_set_auto_deployment": {"enabled": True}}
    sets.take(FIRST, SECOND)
    first = sets.succeed(**given)
    assert table(first)[-1].startswith(f"{THIRD} of the organizational units: no Spot account is known, so nothing was deployed there.")
    sets.accounts.move(LATE, root, unit)
    sets.take(*SPOT_ACCOUNTS, LATE)
    known = {**SPOT_ACCOUNTS, LATE: LATE_SPOT_ACCOUNT}
    assert [row.split()[-1] for row in table(sets.succeed(**given))[2:]] == ["-", "-", "create", "update"]
    assert sets.accounts.delivered(known, REGION) == each(known, REGION)


def test_accounts_may_be_named_and_regions_default_to_those_that_all_have(sets: StackSets) -> None:
    predicted = sets.succeed("--check", spot_accounts={FIRST: SPOT_ACCOUNTS[FIRST]}, regions="all")
    assert table(predicted)[2] == f"{FIRST}  {SPOT_ACCOUNTS[FIRST]}  17 of 17  create"


@pytest.mark.slow
def test_a_token_that_is_not_good_for_an_account_is_never_written(sets: StackSets) -> None:
    sets.accounts.roles()
    sets.sandbox.add_token("narrow", role="editor", accounts=[SPOT_ACCOUNTS[FIRST], SPOT_ACCOUNTS[THIRD]])
    refused = sets.run(token="narrow", spot_accounts=SPOT_ACCOUNTS)
    assert f"The token does not see the Spot account {SPOT_ACCOUNTS[SECOND]}" in refused.message()
    assert sets.accounts.writes() == []
    sets.succeed(token="narrow", spot_accounts=SPOT_ACCOUNTS, spot_eventbridge_stack_set_proof="none")


def test_a_spot_account_of_another_aws_account_is_never_written(sets: StackSets) -> None:
    refused = sets.run(spot_accounts={FIRST: SPOT_ACCOUNTS[SECOND]})
    assert f"The Spot account {SPOT_ACCOUNTS[SECOND]} belongs to AWS account {SECOND}, not to {FIRST}." in refused.message()
    assert sets.accounts.writes() == []


def test_two_spot_accounts_of_one_aws_account_are_refused(sets: StackSets) -> None:
    sets.sandbox.add_spot_accounts([{"accountId": "act-00000099", "providerExternalId": FIRST, "name": "twin"}])
    refused = sets.run()
    assert f"The AWS account {FIRST} has two Spot accounts" in refused.output
    assert refused.rc != 0
    assert sets.accounts.writes() == []


@pytest.mark.slow
def test_the_token_is_nowhere(cold_sets: StackSets) -> None:
    cold_sets.accounts.roles(FIRST, THIRD)
    cold_sets.sandbox.settings(stack_set_seconds=1.2)
    tokens, command_lines, files = [cold_sets.sandbox.tokens["admin"]], set(), {}
    running = cold_sets.start("-vvv", "--diff", spot_eventbridge_stack_set_step_timeout=1)
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            command_lines.update(running.command_lines())
            files.update(cold_sets.ansible.seen_in_files(tokens))
            time.sleep(0.03)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        done = running.finish()
    finally:
        ended.set()
        looking.join()
    assert any(b"ansible-playbook" in line for line in command_lines)
    assert seen_in(b"\n".join(command_lines), tokens) == []
    assert {**files, **cold_sets.ansible.seen_in_files(tokens)} == {}
    assert seen_in(done.output.encode(), tokens) == []


PLAY = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  module_defaults:
    group/spot.eventbridge.aws: {region: us-east-1}
  tasks:
    - name: In the background
      spot.eventbridge.spot_stack_set: &given
        name: spot-interruption
        template_body: "{{ lookup('spot.eventbridge.stack_template') }}"
        spot_accounts: {"111111111111": act-00000011}
        regions: [eu-west-1]
        _step: {seconds: 1}
      async: 60
      poll: 1

    - name: Not waiting
      spot.eventbridge.spot_stack_set:
        <<: *given
        wait: false
      register: again

    - name: Wrong
      spot.eventbridge.spot_stack_set:
        <<: *given
        wait_timeout: soon
      ignore_errors: true
"""


@pytest.mark.slow
def test_it_runs_in_the_background_with_defaults_of_its_group_and_refuses_what_is_wrong(sets: StackSets, tmp_path: Path) -> None:
    sets.accounts.roles(FIRST)
    sets.sandbox.settings(stack_set_seconds=1.2)
    playbook = tmp_path / "play.yml"
    playbook.write_text(PLAY)
    # Ansible's own folder for such jobs is not where it looks for them if HOME is another.
    done = sets.ansible.run(playbook, env={"ANSIBLE_ASYNC_DIR": str(tmp_path / "async")})
    assert done.rc == 0, done.output
    results = [entry["result"] for entry in done.results if entry["action"].endswith("spot_stack_set")]
    assert [result["changed"] for result in results if "operations" in result] == [True, False]
    assert "wait_timeout" in results[-1]["msg"]
