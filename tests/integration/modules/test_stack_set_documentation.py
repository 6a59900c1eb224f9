# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of `spot_stack_set` says is so. It needs accounts besides that of the caller, so it is tried out here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.integration.modules.accounts import ADMINISTRATOR, FIRST, HOME, NAME, REGIONS, SECOND, SPOT_ACCOUNTS, Accounts
from tests.integration.modules.runner import Run
from tests.integration.modules.test_documentation import permissions
from tests.integration.playbooks.runner import Ansible
from tests.sandbox.client import Sandbox
from tests.tools.documented import differences, documented, seen, text
from tests.tools.policies import policy

pytestmark = pytest.mark.slow

MODULE, OTHER = "spot_stack_set", "210987654321"
SMALL = {FIRST: SPOT_ACCOUNTS[FIRST], SECOND: SPOT_ACCOUNTS[SECOND]}
ABSENT = {"state": "absent", "template_body": None, "spot_accounts": None, "regions": None}


def test_examples_run(accounts: Accounts, sandbox: Sandbox, tmp_path: Path) -> None:
    accounts.roles(ADMINISTRATOR, OTHER)
    unit = accounts.unit(accounts.organize(), *SMALL)
    hosts = {spot_account: {"aws_account": account} for account, spot_account in SMALL.items()}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"spot_accounts": {"hosts": hosts}}))
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": yaml.safe_load(text("spot_stack_set", "EXAMPLES").replace("ou-ab12-11111111", unit)),
    }
    playbook = tmp_path / "examples.yml"
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    done = Ansible(sandbox, tmp_path / "home").run(playbook, "-i", str(inventory))
    assert done.rc == 0, done.output
    results = [entry["result"] for entry in done.results]
    assert [told for result in results for told in differences(MODULE, result)] == []
    assert [[operation["action"] for operation in result["operations"]] for result in results] == [
        ["create_stack_set", *["create_stack_instances"] * 2],
        ["create_stack_set", *["create_stack_instances"] * 2],
        ["update_stack_set"],
        ["delete_stack_instances", "delete_stack_set"],
    ]


def test_the_permissions_for_what_it_calls_are_in_its_notes_and_its_policy(
    accounts: Accounts, sandbox: Sandbox, stack_set: Callable[..., Run]
) -> None:
    unit = accounts.unit(accounts.organize(), *SMALL)
    given = {"permission_model": "service_managed", "organizational_unit_ids": [unit], "spot_accounts": SMALL, "regions": REGIONS[:1]}
    needed = permissions(MODULE)
    sandbox.clear_calls()
    sandbox.permit("testing", [policy("stack-set")])
    try:
        assert not stack_set(**given).failed
        assert not stack_set(**{**given, "spot_accounts": {**SMALL, FIRST: "act-b1e4f7a3"}}, token_revision="2").failed
        assert not stack_set(**ABSENT).failed
    finally:
        sandbox.clear_permissions()
    called = {f"{call['service']}:{call['operation']}" for call in sandbox.calls(by="caller")}
    # A role of one's own is passed, and CloudFormation asks who the delegated administrators are; nobody calls it here.
    elsewhere = {"iam:PassRole", "organizations:ListDelegatedAdministrators", "cloudformation:ListStackSetOperationResults"}
    assert needed - called == elsewhere


def test_everything_that_return_tells_is_returned(accounts: Accounts, sandbox: Sandbox, stack_set: Callable[..., Run]) -> None:
    found: set[str] = set()

    def look(**given: object) -> Run:
        done = stack_set(**{"regions": REGIONS[:1], "spot_accounts": SMALL, **given})
        found.update(seen(MODULE, done.answer))
        return done

    accounts.roles(FIRST)
    careful = {"failure_tolerance_percentage": 0}
    assert look(tags={"team": "platform"}, operation_preferences=careful).failed
    accounts.execution_role(SECOND)
    assert not look(**ABSENT).failed
    unit = accounts.unit(accounts.organize(), *SMALL)
    sandbox.settings(stack_set_seconds=4)
    assert look(
        permission_model="service_managed", organizational_unit_ids=[unit], _step={"operations": [], "seconds": 1}
    ).answer.keys() & {"_step"}
    sandbox.settings(stack_set_seconds=0)
    look(permission_model="service_managed", organizational_unit_ids=[unit])
    look(name=NAME, region=HOME, check=True)
    # Of whole operations, AWS alone gives reasons; lines are made by the action plugin.
    assert documented(MODULE) - found == {f"{MODULE}:operations.status_reason", f"{MODULE}:lines"}
