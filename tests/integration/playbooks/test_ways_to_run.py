# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways in which people start it, and how they choose AWS and Spot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.interpreters import COLLECTIONS
from tests.integration.playbooks.runner import ACCOUNT_REPORT, SPOT_ACCOUNT, Ansible, Run
from tests.sandbox.client import Sandbox
from tests.tools.guides import blocks

REGION = "eu-west-1"
NO_CREDENTIALS: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that has nothing to do with the checkout."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_installed_as_a_collection_it_runs_from_any_folder(cold_ansible: Ansible, sandbox: Sandbox, elsewhere: Path) -> None:
    given = (f"account={SPOT_ACCOUNT}", f"spot_api_url={sandbox.spot_url}", f"regions={REGION}")
    run = cold_ansible.run(
        "spot.eventbridge.onboard",
        *(word for text in given for word in ("-e", text)),
        cwd=elsewhere,
        env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )
    assert_delivers(run, sandbox)


@pytest.mark.slow
def test_an_inventory_host_binds_a_spot_account_and_its_token(ansible: Ansible, sandbox: Sandbox, elsewhere: Path) -> None:
    inventory = elsewhere / "accounts.yml"
    inventory.write_text(
        f"""
        spot_accounts:
          vars:
            spot_api_url: {sandbox.spot_url}
            spot_eventbridge_regions: [{REGION}]
          hosts:
            production:
              spot_account: {SPOT_ACCOUNT}
              spot_token: {sandbox.tokens["editor"]}
            # Without an address: a run that touched it would fail.
            staging:
              spot_account: act-b1e4f7a3
        """
    )
    run = ansible.run("playbooks/onboard.yml", "-i", str(inventory), "-e", "account=production", token=None)
    assert_delivers(run, sandbox, token="editor")
    assert "staging" not in run.recap


def test_without_an_account_all_hosts_of_the_group_are_onboarded(ansible: Ansible, sandbox: Sandbox, elsewhere: Path) -> None:
    inventory = elsewhere / "accounts.yml"
    accounts = (SPOT_ACCOUNT, "act-5a9d1c02")
    hosts = "".join(f"{account}: {{}}\n            " for account in accounts)
    inventory.write_text(
        f"""
        spot_accounts:
          vars:
            spot_api_url: {sandbox.spot_url}
            spot_eventbridge_regions: {REGION}
          hosts:
            {hosts}
        """
    )
    run = ansible.run("playbooks/onboard.yml", "-i", str(inventory))
    assert run.rc == 0
    sandbox.interrupt(REGION)
    assert sandbox.settled()
    assert sorted(sent["query"]["accountId"] for sent in sandbox.notifications()) == sorted(accounts)


def test_without_an_account_and_a_group_it_says_what_to_give(ansible: Ansible) -> None:
    run = ansible.run("playbooks/onboard.yml")
    assert "-e account=act-" in run.message()


@pytest.mark.slow
def test_the_play_in_the_guide_takes_its_credentials_from_module_defaults(cold_ansible: Ansible, sandbox: Sandbox, elsewhere: Path) -> None:
    (shown,) = (code for _, code in blocks("guide_own_plays", "yaml") if "module_defaults" in code)
    play = elsewhere / "mine.yml"
    play.write_text(shown)
    inventory = elsewhere / "accounts.yml"
    inventory.write_text(
        f"""
        spot_accounts:
          vars:
            spot_eventbridge_api_url: {sandbox.spot_url}
            spot_eventbridge_regions: [{REGION}]
          hosts:
            customer:
              spot_account: {SPOT_ACCOUNT}
              spot_token: {sandbox.tokens["editor"]}
        """
    )
    run = cold_ansible.run(
        play,
        *("-i", str(inventory), "-e", "vault_aws_access_key=chosen vault_aws_secret_key=by-module-defaults"),
        cwd=elsewhere,
        token=None,
        env={**NO_CREDENTIALS, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )
    assert_delivers(run, sandbox, token="editor")
    assert {call["access_key"] for call in sandbox.calls()} == {"chosen"}
    (result,) = [entry["result"] for entry in run.results if entry["action"] == ACCOUNT_REPORT]
    assert (result["failed_regions"], [row["region"] for row in result["summary"]]) == ([], [REGION])


@pytest.mark.slow
def test_aws_is_chosen_by_a_profile(cold_ansible: Ansible, sandbox: Sandbox, elsewhere: Path) -> None:
    credentials = elsewhere / "credentials"
    credentials.write_text("[customer]\naws_access_key_id = customers\naws_secret_access_key = none\n")
    run = cold_ansible.onboard(
        regions=REGION, env={**NO_CREDENTIALS, "AWS_PROFILE": "customer", "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    )
    assert_delivers(run, sandbox)
    assert {call["access_key"] for call in sandbox.calls()} == {"customers"}


def assert_delivers(run: Run, sandbox: Sandbox, token: str = "admin") -> None:
    """The run has succeeded, and an interruption arrives with the token of that name."""
    assert run.rc == 0, run.output
    assert run.changed > 0
    sandbox.interrupt(REGION)
    assert sandbox.settled()
    (sent,) = sandbox.notifications()
    assert (sent["status"], sent["query"]) == (200, {"accountId": SPOT_ACCOUNT})
    assert sent["headers"]["Authorization"] == f"Bearer {sandbox.tokens[token]}"
