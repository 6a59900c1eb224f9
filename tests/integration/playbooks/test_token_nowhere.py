# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token is nowhere but where it has to be: in memory, in AWS's secret, and in a header to Spot."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbooks.leaks import seen_in, seen_in_files
from tests.integration.playbooks.runner import IMPATIENT, SPOT_ACCOUNT, Ansible, Run, Running
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

HOME, REGION, THIRD = "us-east-1", "eu-west-1", "ap-south-1"


@dataclass
class Evidence:
    """What runs have shown and left: those that succeed, and those that fail while they hold the token in their hands."""

    home: Path
    tokens: list[str]
    runs: dict[str, Run] = field(default_factory=dict)
    command_lines: set[bytes] = field(default_factory=set)
    files_meanwhile: dict[str, list[str]] = field(default_factory=dict)

    def watch(self, running: Running) -> Run:
        """Look at the processes and files of a run until it ends."""
        ended = threading.Event()

        def look() -> None:
            while not ended.is_set():
                self.command_lines |= running.command_lines()
                self.files_meanwhile |= seen_in_files(self.home, self.tokens)
                time.sleep(0.03)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            return running.finish()
        finally:
            ended.set()
            looking.join()


@pytest.fixture(scope="module")
def evidence(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    running.reset()
    ansible = Ansible(running, tmp_path_factory.mktemp("token_nowhere") / "home", warm=False)
    new = running.add_token("new", role="admin")
    gathered = Evidence(ansible.home, [running.tokens["admin"], new])
    given = (f"account={SPOT_ACCOUNT}", f"spot_api_url={running.spot_url}", f"regions={HOME},{REGION}")
    words = [word for text in given for word in ("-e", text)]

    def run(name: str, *arguments: str, token: str = "new", env: dict[str, str | None] | None = None) -> None:
        started = ansible.start("playbooks/onboard.yml", "-vvv", "--diff", *words, *arguments, token=token, env=env)
        gathered.runs[name] = gathered.watch(started)

    def fault(do: dict[str, Any], **match: str) -> None:
        running.add_fault(do, match)

    run("created", token="admin")
    run("token replaced", "-e", "spot_eventbridge_import_modules=false")
    run("debugged", env={"ANSIBLE_DEBUG": "1"})

    # AWS repeats what it does not like, hangs up, or answers nonsense, just when it was given the token.
    refusal = f"1 validation error detected: Value 'Bearer {new}' at 'authParameters' is not what it should be"
    fault({"error": {"status": 400, "code": "ValidationException", "message": refusal}}, operation="UpdateConnection", region=REGION)
    fault({"drop": True}, operation="UpdateConnection", region=HOME)
    fault({"garbage": True}, operation="DescribeConnection", region=THIRD)
    run("refused by AWS", "-e", "spot_eventbridge_update_token=always", "-e", f"regions={HOME},{REGION},{THIRD}", "-e", IMPATIENT)
    running.clear_faults()

    nonsense = {"status": 400, "text": f"cannot parse: Authorization: Bearer {new}"}
    fault(nonsense, target="spot", path="/aws/ec2/instance/interruptionNotification")
    run("refused by Spot")
    running.clear_faults()
    return gathered


def test_the_runs_were_what_they_should_be(evidence: Evidence) -> None:
    assert evidence.runs["created"].actions()[REGION]["connection"] == "created"
    assert evidence.runs["token replaced"].actions()[REGION]["connection"] == "updated"
    assert evidence.runs["token replaced"].output.count("in a process of its own") == 1
    assert "done with _execute_module" in evidence.runs["debugged"].output
    assert not any(line.startswith("active ") for line in evidence.runs["refused by AWS"].table().values())
    assert "validation error detected" in evidence.runs["refused by AWS"].message()
    assert "cannot parse: Authorization" in evidence.runs["refused by Spot"].stderr


@pytest.mark.parametrize("name", ["created", "token replaced", "debugged", "refused by AWS", "refused by Spot"])
def test_it_is_not_in_the_output(evidence: Evidence, name: str) -> None:
    assert seen_in(evidence.runs[name].output.encode(), evidence.tokens) == []


def test_it_is_in_no_file_while_a_run_lasts(evidence: Evidence) -> None:
    assert evidence.files_meanwhile == {}


def test_it_is_in_no_file_that_is_left(evidence: Evidence) -> None:
    """Among them are the results as callback plugins see them, which is what AWX stores."""
    assert list(evidence.home.glob("*.jsonl"))
    assert seen_in_files(evidence.home, evidence.tokens) == {}


def test_it_is_in_no_process_list(evidence: Evidence) -> None:
    assert any(b"ansible-playbook" in line for line in evidence.command_lines)
    assert seen_in(b"\n".join(evidence.command_lines), evidence.tokens) == []


def test_it_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "encoded").write_bytes(base64.b64encode(b'{"x": "Bearer some-token-of-spot"}'))
    assert list(seen_in_files(tmp_path, ["some-token-of-spot"])) == [str(tmp_path / "encoded")]
    assert seen_in(b"... some-token-of-spot ...", ["some-token-of-spot"]) == ["token"]
