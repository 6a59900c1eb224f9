# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Healing integrations of stacks, and of a stack set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.heal.conftest import REGIONS, SOON, Watched
from tests.integration.heal.hub import Hub, lose, told
from tests.integration.modules.accounts import ADMINISTRATOR, FIRST, SPOT_ACCOUNTS, Accounts
from tests.integration.playbooks.runner import Ansible, Run
from tests.integration.verify.account import Account, last_message
from tests.sandbox.client import NOTIFICATION, Sandbox

pytestmark = pytest.mark.slow

HOME, LOST, _THIRD = REGIONS
STACKS = {"spot_eventbridge_method": "cloudformation", "spot_eventbridge_watch": True}


class Stacked(Watched):
    """An account whose integration and watch are in stacks."""

    def start(self, *arguments: str, **variables: Any) -> Any:
        return super().start(*arguments, **{**STACKS, **variables})


@pytest.fixture
def stacked(sandbox: Sandbox, tmp_path: Path) -> Stacked:
    sandbox.settings(visibility_time_scale=0.01, stack_seconds=0)
    (tmp_path / "account").mkdir()
    account = Account(sandbox, tmp_path / "account", regions=REGIONS)
    onboarded = account.onboard("-e", json.dumps({"spot_eventbridge_method": "cloudformation"}))
    assert onboarded.rc == 0, onboarded.output
    done = account.start("watch", "-e", json.dumps(STACKS)).finish()
    assert done.rc == 0, done.output
    # Beside an integration by modules, the stack has another name.
    account.name += "-stack"
    hub = Hub(sandbox)
    hub.purge()
    sandbox.clear_calls()
    sandbox.clear_received()
    return Stacked(sandbox, account, hub, tmp_path / "notifications")


def test_a_region_of_a_stack_is_healed_in_place(stacked: Stacked, sandbox: Sandbox) -> None:
    stacked.lose(LOST)
    assert stacked.states()[LOST] == "DEAUTHORIZED"
    run = stacked.heal()
    assert run.rc == 0, run.output
    assert set(stacked.states().values()) == {"AUTHORIZED"}
    assert stacked.told() == [("repaired", "", LOST)]
    # The other stacks are not touched.
    assert {call.split()[0] for call in stacked.written()} == {LOST}
    sandbox.interrupt(LOST)
    assert sandbox.settled()
    assert sandbox.notifications()[-1]["status"] == 200
    assert stacked.heal().rc == 0
    assert (stacked.hub.waiting(), stacked.hub.dead_letters()) == (0, 0)


def test_a_rule_that_was_deleted_out_of_a_stack_is_told_once_and_what_is_said_to_help_helps(stacked: Stacked, sandbox: Sandbox) -> None:
    events = sandbox.boto3("events", LOST)
    (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if rule["Name"] == stacked.account.name]
    events.remove_targets(Rule=rule, Ids=[target["Id"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]])
    events.delete_rule(Name=rule)
    sandbox.clear_calls()
    for _number in range(2):
        run = stacked.heal(sweep=True)
        assert run.rc == 2
        message = last_message(run)
        assert "It was deleted outside the stack" in message
        assert "which does not make it again: offboard the region, and onboard it again." in message
    assert stacked.told() == [("not_repaired", "failed", LOST)]
    # Neither of the others is written to.
    assert {call.split()[0] for call in stacked.written()} <= {LOST}
    region = json.dumps({**STACKS, "regions": LOST})
    assert stacked.account.offboard("-e", region).rc == 0
    assert stacked.account.onboard("-e", region).rc == 0
    assert stacked.heal(sweep=True).rc == 0
    assert set(stacked.states().values()) == {"AUTHORIZED"}


REGION = "eu-west-1"


@dataclass
class StackSet:
    """An account whose integration, with its watch, is an instance of a stack set."""

    sandbox: Sandbox
    ansible: Ansible
    accounts: Accounts
    hub: Hub
    folder: Path

    def play(self, playbook: str, **variables: Any) -> Run:
        given = {"spot_api_url": self.sandbox.spot_url, "regions": REGION, **variables}
        words = [word for name, value in given.items() for word in ("-e", json.dumps({name: value}))]
        return self.ansible.start(f"playbooks/{playbook}.yml", "-i", str(self.folder / "inventory.json"), *words).finish()

    def deploy(self, **variables: Any) -> Run:
        parameters = {"WatchBusArn": self.hub.bus, "Endpoint": self.sandbox.spot_url + NOTIFICATION}
        return self.play("stack_set", aws_region=HOME, spot_eventbridge_stack_set_parameters=parameters, **variables)

    def heal(self, **variables: Any) -> Run:
        channel = {"spot_eventbridge_notify_file": {"folder": str(self.folder / "notifications")}}
        hub = {
            "spot_eventbridge_watch_hub_account": ADMINISTRATOR,
            "spot_eventbridge_watch_hub_assume_role_arn": f"arn:aws:iam::{ADMINISTRATOR}:role/tester",
        }
        return self.play("heal", **{**SOON, **channel, **hub, **variables})

    def state(self) -> str:
        name = f"spot-interruption-{SPOT_ACCOUNTS[FIRST]}"
        return str(self.accounts.client(FIRST, "events", REGION).describe_connection(Name=name)["ConnectionState"])


@pytest.fixture
def stack_set(sandbox: Sandbox, tmp_path: Path) -> StackSet:
    sandbox.settings(visibility_time_scale=0.01, stack_seconds=0, stack_set_seconds=0)
    accounts = Accounts(sandbox)
    accounts.roles()
    hub = Hub(sandbox).make()
    hub.let_in([FIRST])
    host = {"aws_account": FIRST, "aws_role_arn": f"arn:aws:iam::{FIRST}:role/tester", "spot_account": SPOT_ACCOUNTS[FIRST]}
    (tmp_path / "inventory.json").write_text(json.dumps({"spot_accounts": {"hosts": {SPOT_ACCOUNTS[FIRST]: host}}}), encoding="utf-8")
    found = StackSet(sandbox, Ansible(sandbox, tmp_path / "home"), accounts, hub, tmp_path)
    made = found.deploy()
    assert made.rc == 0, made.output
    hub.purge()
    sandbox.clear_calls()
    sandbox.clear_received()
    return found


def test_a_region_of_a_stack_set_is_refused_in_one_line_and_a_new_revision_repairs_it(stack_set: StackSet, sandbox: Sandbox) -> None:
    lose(sandbox, REGION, account=FIRST)
    assert stack_set.state() == "DEAUTHORIZED"
    assert stack_set.hub.waiting() > 0
    sandbox.clear_calls()
    run = stack_set.heal()
    assert run.rc == 2
    assert "only its stack set may change it. Run the playbook spot.eventbridge.stack_set" in last_message(run)
    assert len(last_message(run).splitlines()) == 1
    # Nothing but the record of what people were told.
    assert {call["operation"] for call in sandbox.calls(writes=True) if call["service"] != "sqs"} <= {"TagResource", "AssumeRole"}
    (first,) = told(stack_set.folder / "notifications")
    assert [(item["kind"], item["cause"]) for item in first["healing"]] == [("not_repaired", "stack_set")]
    done = stack_set.deploy(token_revision="2")
    assert done.rc == 0, done.output
    assert stack_set.state() == "AUTHORIZED"
    while stack_set.hub.waiting():
        again = stack_set.heal()
        assert again.rc == 0, again.output
    assert [item["kind"] for item in told(stack_set.folder / "notifications")[1]["healing"]] == ["well_again"]
    assert stack_set.hub.dead_letters() == 0
