# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Input that cannot be right: one line that says what to do, and nothing is written."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.playbooks.runner import IMPATIENT, SPOT_ACCOUNT, Ansible, Run
from tests.sandbox.client import Sandbox


@pytest.fixture
def silent_url() -> Iterator[str]:
    """The address of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def assert_refused(run: Run, sandbox: Sandbox, *parts: str) -> None:
    """The run has failed with one line that holds these parts, before anything was written."""
    message = run.message()
    for part in parts:
        assert part in message
    assert sandbox.calls(writes=True) == []


@pytest.mark.slow
def test_without_an_answer_of_aws_or_spot_it_gives_up_within_two_minutes(ansible: Ansible, sandbox: Sandbox, silent_url: str) -> None:
    given = ("-e", f"account={SPOT_ACCOUNT}", "-e")
    silent_aws = ansible.start("playbooks/onboard.yml", *given, f"spot_api_url={sandbox.spot_url}", env={"AWS_ENDPOINT_URL": silent_url})
    silent_spot = ansible.start("playbooks/onboard.yml", *given, f"spot_api_url={silent_url}")
    assert_refused(silent_spot.finish(timeout=120), sandbox, "Spot did not answer", silent_url, "run again")
    assert_refused(silent_aws.finish(timeout=120 - 30), sandbox, "AWS did not answer", silent_url, "run again")


def test_how_long_to_wait_for_aws_can_be_chosen(ansible: Ansible, sandbox: Sandbox, silent_url: str) -> None:
    run = ansible.onboard("-e", IMPATIENT, env={"AWS_ENDPOINT_URL": silent_url})
    assert_refused(run, sandbox, "AWS did not answer", silent_url)
    assert run.seconds < 30


@pytest.mark.parametrize("account", ["act-XYZ", "act-d7320fb", "act-d7320fba1", "act-D7320FBA", "d7320fba", "123456789012"])
def test_an_account_id_of_another_form(ansible: Ansible, sandbox: Sandbox, account: str) -> None:
    assert_refused(ansible.onboard(account=account), sandbox, f"'{account}'", "Ids look like act-d7320fba")


def test_no_token(ansible: Ansible, sandbox: Sandbox) -> None:
    assert_refused(ansible.onboard(token=None), sandbox, "There is no Spot token", "set SPOTINST_TOKEN")


@pytest.mark.parametrize(
    ("token", "what"),
    [
        pytest.param("not:one", "a colon", id="colon"),
        pytest.param("first\nsecond", "a line break", id="newline"),
        pytest.param("first second", "white space", id="space"),
        pytest.param("Bearer abcdef0123456789", "without 'Bearer'", id="with its scheme"),
        pytest.param("x" * 506, "506 characters; AWS can send at most 505", id="506 characters"),
    ],
)
def test_a_token_that_aws_cannot_send(ansible: Ansible, sandbox: Sandbox, token: str, what: str) -> None:
    run = ansible.onboard("-vvv", env={"SPOTINST_TOKEN": token})
    assert_refused(run, sandbox, what, "token alone")
    assert token not in run.output


def test_a_token_that_spot_refuses(ansible: Ansible, sandbox: Sandbox) -> None:
    sandbox.add_token("gone", role="admin")
    sandbox.revoke_token("gone")
    run = ansible.onboard(token="gone")
    assert_refused(run, sandbox, "Spot refuses the token", "401", "Take a token that is valid")


def test_a_spot_account_that_the_token_does_not_see(ansible: Ansible, sandbox: Sandbox) -> None:
    run = ansible.onboard(token="limited")
    assert_refused(run, sandbox, f"The token does not see the Spot account {SPOT_ACCOUNT}", "Check the account's id")


def test_a_spot_account_of_another_aws_account(ansible: Ansible, sandbox: Sandbox) -> None:
    run = ansible.onboard(account="act-b1e4f7a3")
    assert_refused(run, sandbox, "belongs to AWS account 210987654321", "not to 123456789012", "AWS_PROFILE")


@pytest.mark.parametrize("regions", ["", " , "])
def test_no_region(ansible: Ansible, sandbox: Sandbox, regions: str) -> None:
    run = ansible.onboard("-e", f'{{"regions": "{regions}"}}', regions=None)
    assert_refused(run, sandbox, "No region is given", "'all'")


@pytest.mark.parametrize("unknown", ["mars-1", "us-east-1a", "ap-east-1"])
def test_a_region_that_is_unknown_or_not_enabled(ansible: Ansible, sandbox: Sandbox, unknown: str) -> None:
    run = ansible.onboard(regions=f"us-east-1,{unknown}")
    assert_refused(run, sandbox, f"Not a region, or not enabled in this AWS account: {unknown}.", "Enabled are: ap-northeast-1")


def test_a_region_given_twice_is_done_once(ansible: Ansible, sandbox: Sandbox) -> None:
    run = ansible.onboard(regions="us-east-1,us-east-1")
    assert run.rc == 0
    assert list(run.table()) == ["us-east-1"]
    assert len(sandbox.calls(operation="CreateConnection")) == 1


def test_a_name_over_64_characters(ansible: Ansible, sandbox: Sandbox) -> None:
    run = ansible.onboard("-e", f"spot_eventbridge_name={'n' * 65}")
    assert_refused(run, sandbox, "65 characters", "AWS takes 1 to 64")


@pytest.mark.parametrize("variable", ["spot_api_url", "spot_eventbridge_endpoint"])
def test_an_endpoint_that_is_not_https(ansible: Ansible, sandbox: Sandbox, variable: str) -> None:
    run = ansible.onboard("-e", f"{variable}=http://api.spotinst.io/notify")
    assert_refused(run, sandbox, "'http://api.spotinst.io/notify", "is not an https:// address")
    assert sandbox.received() == []


def test_an_account_list_that_is_for_admins_only_is_a_warning(ansible: Ansible, sandbox: Sandbox) -> None:
    forbidden: dict[str, Any] = {"status": 403, "code": "FORBIDDEN", "message": "administrators only"}
    sandbox.add_fault({"error": forbidden}, {"target": "spot", "path": "/setup/account"})
    run = ansible.onboard()
    assert run.rc == 0
    warning = " ".join(run.stderr.split())
    assert f"[WARNING]: Whether {SPOT_ACCOUNT} belongs to AWS account 123456789012 was not checked" in warning
    assert "403" in warning
    assert all(line.startswith("active ") for line in run.table().values())
