# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Input that cannot be right: one line that says what to do, and nothing is written."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
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
    assert_refused(silent_spot.finish(timeout=120), sandbox, "Spot did not respond", silent_url, "run again")
    assert_refused(silent_aws.finish(timeout=120 - 30), sandbox, "AWS did not respond", silent_url, "run again")


@pytest.mark.slow
def test_how_long_to_wait_for_aws_can_be_chosen(ansible: Ansible, sandbox: Sandbox, silent_url: str) -> None:
    run = ansible.onboard("-e", IMPATIENT, env={"AWS_ENDPOINT_URL": silent_url})
    assert_refused(run, sandbox, "AWS did not respond", silent_url)
    assert run.seconds < 30


@pytest.mark.parametrize("account", ["act-XYZ", "act-d7320fba1", "act-D7320FBA", "123456789012"])
def test_an_account_id_of_another_form(ansible: Ansible, sandbox: Sandbox, account: str) -> None:
    assert_refused(ansible.onboard(account=account), sandbox, f"'{account}'", "An id has the form act-d7320fba")


def test_no_token(ansible: Ansible, sandbox: Sandbox) -> None:
    assert_refused(ansible.onboard(token=None), sandbox, "There is no Spot token", "set SPOTINST_TOKEN")


@pytest.mark.slow
def test_a_token_of_the_environment_that_aws_cannot_send(ansible: Ansible, sandbox: Sandbox) -> None:
    run = ansible.onboard("-vvv", env={"SPOTINST_TOKEN": "first\nsecond"})
    assert_refused(run, sandbox, "a line break", "token alone")
    assert "first\nsecond" not in run.output


@dataclass(frozen=True)
class Bad:
    """Variables of a host that cannot be right, and what the line about it says."""

    variables: dict[str, Any]
    says: tuple[str, ...]


def token(value: str, what: str) -> Bad:
    return Bad({"spot_token": value}, (what, "token alone"))


def regions(value: str, *says: str) -> Bad:
    return Bad({"spot_eventbridge_regions": value}, says)


def unknown_region(name: str) -> Bad:
    return regions(f"us-east-1,{name}", f"Not a region, or not enabled in this AWS account: {name}.", "Enabled are: ap-northeast-1")


NO_HTTPS = "http://api.spotinst.io/notify"
# All in one run, each a host of its own: what is wrong with one has to be said of that one.
BAD = {
    "token-with-colon": token("not:one", "a colon"),
    "token-with-newline": token("first\nsecond", "a line break"),
    "token-with-space": token("first second", "white space"),
    "token-with-scheme": token("Bearer abcdef0123456789", "without 'Bearer'"),
    "token-of-506": token("x" * 506, "506 characters; AWS can send at most 505"),
    "token-revoked": Bad({"spot_token": "(gone)"}, ("Spot refuses the token", "401", "Use a valid token")),
    "token-of-others": Bad(
        {"spot_token": "(limited)"}, (f"The token does not see the Spot account {SPOT_ACCOUNT}", "Check the account's id")
    ),
    "account-elsewhere": Bad(
        {"spot_account": "act-b1e4f7a3"}, ("belongs to AWS account 210987654321", "not to 123456789012", "AWS_PROFILE")
    ),
    "no-region": regions("", "No region is given", "'all'"),
    "no-region-either": regions(" , ", "No region is given", "'all'"),
    "region-unknown": unknown_region("mars-1"),
    "region-a-zone": unknown_region("us-east-1a"),
    "region-disabled": unknown_region("ap-east-1"),
    "name-of-65": Bad({"spot_eventbridge_name": "n" * 65}, ("65 characters", "AWS accepts 1 to 64")),
    "api-without-tls": Bad({"spot_api_url": NO_HTTPS}, (f"'{NO_HTTPS}", "is not an https:// address")),
    "endpoint-without-tls": Bad({"spot_eventbridge_invocation_endpoint": NO_HTTPS}, (f"'{NO_HTTPS}", "is not an https:// address")),
}


@dataclass(frozen=True)
class Story:
    """The run over all of them, its writing calls, and the tokens that were sent to Spot."""

    run: Run
    writes: list[dict[str, Any]]
    sent: set[str]


@pytest.fixture(scope="module")
def story(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Story:
    running.reset()
    running.add_token("gone", role="admin")
    running.revoke_token("gone")
    hosts = {host: {"spot_account": SPOT_ACCOUNT, **bad.variables} for host, bad in BAD.items()}
    for variables in hosts.values():
        if (name := variables.get("spot_token", "").strip("()")) in running.tokens:
            variables["spot_token"] = running.tokens[name]
    folder = tmp_path_factory.mktemp("bad_input")
    inventory = folder / "inventory.json"
    shared = {"spot_api_url": running.spot_url, "spot_eventbridge_regions": "us-east-1,eu-west-1"}
    inventory.write_text(json.dumps({"spot_accounts": {"hosts": hosts, "vars": shared}}), encoding="utf-8")
    run = Ansible(running, folder / "home").run("playbooks/onboard.yml", "-i", str(inventory), "-vvv")
    sent = {request["headers"].get("Authorization", "") for request in running.received()}
    return Story(run, running.calls(writes=True), sent)


@pytest.mark.parametrize("host", BAD)
def test_it_is_refused_with_one_line_that_says_what_to_do(story: Story, host: str) -> None:
    message = story.run.message(host)
    for part in BAD[host].says:
        assert part in message


def test_nothing_was_written_for_any_of_them(story: Story) -> None:
    assert story.writes == []


def test_a_token_that_cannot_be_right_is_neither_shown_nor_sent(story: Story) -> None:
    wrong = [bad.variables["spot_token"] for bad in BAD.values() if "token alone" in bad.says]
    assert len(wrong) == 5
    assert [value for value in wrong if value in story.run.output or f"Bearer {value}" in story.sent] == []


@pytest.mark.slow
def test_a_region_given_twice_is_done_once(ansible: Ansible, sandbox: Sandbox) -> None:
    run = ansible.onboard(regions="us-east-1,us-east-1")
    assert run.rc == 0
    assert list(run.table()) == ["us-east-1"]
    assert len(sandbox.calls(operation="CreateConnection")) == 1


@pytest.mark.slow
def test_an_account_list_that_is_for_admins_only_is_a_warning(ansible: Ansible, sandbox: Sandbox) -> None:
    forbidden: dict[str, Any] = {"status": 403, "code": "FORBIDDEN", "message": "administrators only"}
    sandbox.add_fault({"error": forbidden}, {"target": "spot", "path": "/setup/account"})
    run = ansible.onboard()
    assert run.rc == 0
    warning = " ".join(run.stderr.split())
    assert f"[WARNING]: Not checked whether {SPOT_ACCOUNT} belongs to AWS account 123456789012" in warning
    assert "403" in warning
    assert all(line.startswith("active ") for line in run.table().values())
