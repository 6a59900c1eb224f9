# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site has settings of its own, in ansible.cfg, the environment, its inventory. They do not change what a playbook does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbooks.runner import SPOT_ACCOUNT, Ansible, Run
from tests.integration.playbooks.test_ways_to_run import REGION, assert_delivers
from tests.sandbox.client import Sandbox

OTHER = "act-5a9d1c02"
# In an inventory of servers, for reasons that have nothing to do with this collection.
OF_SERVERS = {
    "account": "web",
    "regions": "us-west-2",
    "state": "absent",
    "report_dir": "/proc/nothing",
    "entry_point": "offboard",
    "ansible_become": True,
    "ansible_become_method": "ansible.builtin.sudo",
    "ansible_become_exe": "/bin/false",
    # Another user than that of the controller: else Ansible leaves become out.
    "ansible_become_user": "nobody",
    "ansible_connection": "ssh",
    "ansible_host": "192.0.2.1",
    "ansible_user": "nobody",
    "ansible_shell_type": "powershell",
    "ansible_python_interpreter": "/usr/bin/no-python",
}
# As a site may have them in its ansible.cfg.
OF_SITE: dict[str, str | None] = {
    "ANSIBLE_BECOME": "true",
    "ANSIBLE_REMOTE_USER": "nobody",
    "ANSIBLE_STRATEGY": "free",
    "ANSIBLE_ANY_ERRORS_FATAL": "true",
    "ANSIBLE_GATHERING": "smart",
    "ANSIBLE_PRIVATE_ROLE_VARS": "true",
    "ANSIBLE_INJECT_FACT_VARS": "false",
    "ANSIBLE_RUN_TAGS": "web",
    "ANSIBLE_SKIP_TAGS": "slow",
}


def inventory(folder: Path, sandbox: Sandbox, *accounts: str, **variables: Any) -> str:
    """An inventory of servers and Spot accounts; the variables are those of all of them."""
    own = {"spot_api_url": sandbox.spot_url, "spot_eventbridge_regions": REGION}
    groups = {"web": {"hosts": {"web1": {}}}, "spot_accounts": {"hosts": dict.fromkeys(accounts, own)}}
    path = folder / "site.json"
    path.write_text(json.dumps({"all": {"vars": {**OF_SERVERS, **variables}, "children": groups}}))
    return str(path)


def accounts_worked_on(run: Run) -> list[str]:
    """The accounts with a result."""
    return sorted({entry["host"] for entry in run.results if entry["action"].endswith("spot_account_report")})


@pytest.mark.slow
def test_the_settings_of_a_site_change_nothing(cold_ansible: Ansible, sandbox: Sandbox, tmp_path: Path) -> None:
    site = inventory(tmp_path, sandbox, SPOT_ACCOUNT, OTHER)
    run = cold_ansible.run("playbooks/onboard.yml", "-i", site, "--limit", f"web1,{SPOT_ACCOUNT}", env=OF_SITE)
    assert_delivers(run, sandbox)
    assert accounts_worked_on(run) == [SPOT_ACCOUNT]
    assert {call["region"] for call in sandbox.calls() if call["service"] == "events"} == {REGION}


@pytest.mark.parametrize(
    ("playbook", "arguments", "why"),
    [
        ("verify", ["--limit", "web"], "The limit web leaves none of the accounts"),
        ("verify", ["--limit", "web", "-e", f"account={SPOT_ACCOUNT}"], "The limit web leaves none of the accounts"),
        ("verify", ["-e", f"account={SPOT_ACCOUNT}", "--skip-tags", "always"], "nothing would be done"),
        ("verify", ["-e", f"account={SPOT_ACCOUNT}", "--skip-tags", "slow,tagged"], "With --skip-tags tagged, nothing would be done"),
        ("repair", ["-e", f"account={SPOT_ACCOUNT}", "--start-at-task", "Work"], "With --start-at-task, nothing would be done"),
        ("stack_set", ["--limit", "web"], "A stack set is one for all of its accounts"),
        ("stack_set", ["--skip-tags", "always"], "nothing would be done"),
        ("stack_set", ["--start-at-task", "Make, complete or remove the stack set"], "nothing would be done"),
    ],
)
def test_where_nothing_would_be_done_the_run_fails(playbook: str, arguments: list[str], why: str, ansible: Ansible, tmp_path: Path) -> None:
    run = ansible.run(f"playbooks/{playbook}.yml", "-i", inventory(tmp_path, ansible.sandbox, OTHER), *arguments)
    assert run.rc != 0
    assert why in " ".join(run.output.split())
    assert ansible.sandbox.calls() == []


def test_a_limit_and_an_empty_inventory_fail(ansible: Ansible) -> None:
    run = ansible.run("playbooks/verify.yml", "--limit", "prod")
    assert run.rc != 0
    assert "The inventory has no hosts, so the limit prod leaves no account." in " ".join(run.output.split())


@pytest.mark.slow
def test_the_account_is_taken_from_spots_environment_where_there_is_no_other(ansible: Ansible, sandbox: Sandbox) -> None:
    given = ("-e", f"spot_api_url={sandbox.spot_url}", "-e", f"regions={REGION}")
    run = ansible.run("playbooks/onboard.yml", *given, env={"SPOTINST_ACCOUNT": SPOT_ACCOUNT})
    assert_delivers(run, sandbox)


@pytest.mark.slow
def test_an_inventory_of_accounts_counts_more_than_spots_environment(ansible: Ansible, sandbox: Sandbox, tmp_path: Path) -> None:
    run = ansible.run("playbooks/verify.yml", "-i", inventory(tmp_path, sandbox, OTHER), env={"SPOTINST_ACCOUNT": SPOT_ACCOUNT})
    assert accounts_worked_on(run) == [OTHER]


@pytest.mark.slow
def test_a_profile_of_a_host_counts_more_than_keys_in_the_environment_and_spots_file_has_the_token(
    cold_ansible: Ansible, sandbox: Sandbox, tmp_path: Path
) -> None:
    credentials = tmp_path / "aws"
    credentials.write_text("[customer]\naws_access_key_id = customers\naws_secret_access_key = any\n")
    file = cold_ansible.home / ".spotinst" / "credentials"
    file.parent.mkdir()
    file.write_text(f"[default]\ntoken = {sandbox.tokens['editor']}\naccount = {SPOT_ACCOUNT}\n")
    site = inventory(tmp_path, sandbox, SPOT_ACCOUNT, aws_profile="customer")
    run = cold_ansible.run("playbooks/onboard.yml", "-i", site, token=None, env={"AWS_SHARED_CREDENTIALS_FILE": str(credentials)})
    assert_delivers(run, sandbox, token="editor")
    assert {call["access_key"] for call in sandbox.calls()} == {"customers"}
