# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tests.sandbox.client
from tests.integration.sandbox.integration import REGION, Integration
from tests.sandbox.client import Sandbox

SANDBOX = Path(tests.sandbox.client.__file__).parent


def gone(pid: int, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def started(state_file: Path, *options: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, str(SANDBOX), "--state-file", str(state_file), *options]
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "is ready" in process.stdout.readline()
    return process


@pytest.mark.slow
def test_two_at_once_know_nothing_of_each_other(integration: Integration) -> None:
    integration.connection()
    with Sandbox() as other:
        assert other.boto3("events", REGION).list_connections()["Connections"] == []
        assert other.tokens["admin"] != integration.sandbox.tokens["admin"]


@pytest.mark.slow
def test_what_is_slow_to_import_is_left_to_its_first_user() -> None:
    # moto's CloudFormation takes two seconds, as long as all the rest together; the sandbox's own is seldom wanted.
    command = [sys.executable, "-c", "import sys, tests.sandbox.world; print([name for name in sys.modules if 'cloudformation' in name])"]
    loaded = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True).stdout
    assert set(ast.literal_eval(loaded)) == {"tests.sandbox.cloudformation", "tests.sandbox.cloudformation.published"}


@pytest.mark.slow
def test_it_starts_anywhere_and_stops_when_told(tmp_path: Path) -> None:
    process = started(tmp_path / "state.json", cwd=Path("/"))
    process.terminate()
    assert process.wait(5) == 0
    assert not (tmp_path / "state.json").exists()


@pytest.mark.slow
def test_it_leaves_the_state_file_of_a_later_one_alone(tmp_path: Path) -> None:
    first = started(tmp_path / "state.json")
    second = started(tmp_path / "state.json")
    first.terminate()
    first.wait(5)
    assert Sandbox.attach(tmp_path / "state.json").pid == second.pid
    second.terminate()
    second.wait(5)


@pytest.mark.slow
def test_the_state_file_is_for_its_owner_only(tmp_path: Path) -> None:
    process = started(tmp_path / "state.json")
    mode = stat.S_IMODE((tmp_path / "state.json").stat().st_mode)
    process.kill()
    process.wait()
    assert mode == 0o600


@pytest.mark.slow
def test_it_ends_after_its_time(tmp_path: Path) -> None:
    assert started(tmp_path / "state.json", "--max-seconds", "0.5").wait(5) == 0


@pytest.mark.slow
def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = started(tmp_path / "state.json", "--parent-pid", str(parent.pid))
    parent.kill()  # and not waited for: a parent that is dead but not yet reaped is dead all the same
    assert process.wait(5) == 0
    parent.wait()


def test_a_killed_user_leaves_no_sandbox_behind(tmp_path: Path) -> None:
    program = f"""
import sys, time
sys.path.insert(0, {str(SANDBOX.parents[1])!r})
from tests.sandbox.client import Sandbox
print(Sandbox().start().pid, flush=True)
time.sleep(60)
"""
    user = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    pid = int(user.stdout.readline())
    user.kill()
    user.wait()
    assert gone(pid)


@pytest.mark.slow
def test_one_can_attach_to_a_running_sandbox(tmp_path: Path) -> None:
    process = started(tmp_path / "state.json", "--token", "fixed")
    attached = Sandbox.attach(tmp_path / "state.json")
    assert (attached.pid, attached.tokens["admin"]) == (process.pid, "fixed")
    assert attached.boto3("events").list_rules()["Rules"] == []
    process.terminate()
    process.wait()


def test_a_child_program_gets_its_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("SPOTINST_TOKEN", "a real one")
    environment = sandbox.env("editor")
    assert environment["AWS_ENDPOINT_URL"] == sandbox.aws_url
    assert environment["AWS_REGION"] == "us-east-1"
    assert "AWS_DEFAULT_REGION" not in environment
    assert environment["SPOTINST_TOKEN"] == sandbox.tokens["editor"]
    assert "SPOTINST_TOKEN" not in sandbox.env(None)


def test_reset_forgets_everything(integration: Integration) -> None:
    sandbox = integration.sandbox
    integration.complete()
    sandbox.add_fault({"latency": 0.01})
    sandbox.settings(latency=0.01)
    sandbox.permit("KEY", [])
    sandbox.reset()
    assert integration.events.list_connections()["Connections"] == []
    assert integration.iam.list_roles()["Roles"] == []
    assert sandbox.faults() == []
    assert sandbox.settings()["latency"] == 0
    assert sandbox.call("GET", "/permissions") == {}


def test_an_unknown_setting_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="latensy"):
        sandbox.settings(latensy=1)


def test_a_reset_ends_what_is_under_way(integration: Integration) -> None:
    sandbox = integration.sandbox
    integration.complete()
    sandbox.add_fault({"status": 500}, {"target": "spot"})
    sandbox.interrupt(REGION)
    sandbox.reset()
    assert sandbox.settled(1)
    assert sandbox.deliveries() == []


@pytest.mark.parametrize("seconds", [0.1, 1.3])
def test_what_was_sent_before_a_reset_does_not_arrive_after_it(integration: Integration, seconds: float) -> None:
    sandbox = integration.sandbox
    integration.complete()
    sandbox.add_fault({"latency": seconds}, {"target": "spot"})
    for _ in range(20):
        sandbox.interrupt(REGION)
    sandbox.reset()
    time.sleep(seconds)
    assert sandbox.received() == []
