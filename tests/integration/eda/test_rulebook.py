# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real ansible-rulebook on a real JVM: a 401, nobody does anything, and the region is well again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.heal.hub import Hub, lose
from tests.integration.playbooks.leaks import seen_in_files
from tests.integration.verify.account import Account
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
LOST = REGIONS[1]
# A machine that is busy with other tests takes many times as long as the ten seconds of one that is not.
PATIENCE = 180


def java() -> bool:
    """Whether there is a Java for the rule engine."""
    found = shutil.which("java")
    version = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr if found else ""
    number = re.search(r'version "(\d+)', version)
    return bool(number) and int(number[1]) >= 17


pytestmark = pytest.mark.skipif(not java(), reason="ansible-rulebook needs a Java of version 17 or newer, and there is none")


@dataclass
class Rulebook:
    """A rulebook that runs, for an account that is watched."""

    sandbox: Sandbox
    account: Account
    hub: Hub
    folder: Path
    process: subprocess.Popen[bytes]

    def state(self, region: str = LOST) -> str:
        return str(self.sandbox.boto3("events", region).describe_connection(Name=self.account.name)["ConnectionState"])

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, happened: Callable[[], bool]) -> float:
        """Wait until something has happened; fail if it takes too long."""
        begin = time.monotonic()
        while not happened():
            assert time.monotonic() - begin < PATIENCE, self.log()[-4000:]
            assert self.process.poll() is None, self.log()[-4000:]
            time.sleep(0.1)
        return time.monotonic() - begin

    def playbooks(self) -> list[int]:
        """The processes of the playbook that runs now."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"TMPDIR={self.folder}".encode() in (path / "environ").read_bytes().split(b"\0")
                if ours and b"ansible-playbook" in (path / "cmdline").read_bytes():
                    found.append(int(path.name))
            except OSError:
                continue
        return found


@pytest.fixture(scope="module")
def rulebook(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rulebook]:
    running.reset()
    running.settings(visibility_time_scale=0.02)
    folder = tmp_path_factory.mktemp("rulebook")
    account = Account(running, folder, regions=REGIONS)
    account.have_onboarded()
    account.have_watched()
    hub = Hub(running)
    hub.purge()
    variables = {
        "spot_api_url": running.spot_url,
        "spot_eventbridge_regions": REGIONS,
        "spot_eventbridge_heal_minimum_distance": 0,
        "spot_eventbridge_heal_wait": 1,
        "spot_eventbridge_notify_file": {"folder": str(folder / "notifications")},
    }
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"spot_accounts": {"hosts": {account.spot_account: variables}}}), encoding="utf-8")
    home = tmp_path_factory.mktemp("home")
    (home / ".spotinst").mkdir()
    (home / ".spotinst" / "credentials").write_text(f"[default]\ntoken = {running.tokens['admin']}\n", encoding="utf-8")
    environment = {
        # ansible-runner has the environment of a playbook in a file while it runs.
        **running.env(token=None),
        "HOME": str(home),
        "TMPDIR": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(Path(sys.prefix) / "collections"),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
    }
    (folder / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    command = ["ansible-rulebook", "--rulebook", "spot.eventbridge.heal", "--inventory", str(inventory), "--verbose"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [shutil.which(command[0], path=environment["PATH"]) or command[0], *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started = Rulebook(running, account, hub, folder, process)
        try:
            started.until(lambda: "Waiting for actions on events" in started.log())
            yield started
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_a_401_is_healed_and_the_next_notice_arrives(rulebook: Rulebook, sandbox_as_it_is: Sandbox) -> None:
    lose(sandbox_as_it_is, LOST)
    assert rulebook.state() == "DEAUTHORIZED"
    seconds = rulebook.until(lambda: rulebook.state() == "AUTHORIZED")
    print(f"healed {seconds:.1f} s after the loss")
    sandbox_as_it_is.clear_received()
    sandbox_as_it_is.interrupt(LOST)
    assert sandbox_as_it_is.settled()
    assert [note["status"] for note in sandbox_as_it_is.notifications()] == [200]
    rulebook.until(lambda: rulebook.hub.waiting() == 0)


def test_a_playbook_that_is_killed_in_the_middle_is_made_up_for(rulebook: Rulebook, sandbox_as_it_is: Sandbox) -> None:
    fault = sandbox_as_it_is.add_fault({"hang": 60}, {"operation": "UpdateConnection", "region": LOST})
    sandbox_as_it_is.clear_calls()
    lose(sandbox_as_it_is, LOST)
    rulebook.until(lambda: bool(sandbox_as_it_is.calls(operation="UpdateConnection", region=LOST)))
    for pid in rulebook.playbooks():
        os.kill(pid, signal.SIGKILL)
    sandbox_as_it_is.clear_faults(fault["id"])
    rulebook.until(lambda: rulebook.state() == "AUTHORIZED" and rulebook.hub.waiting() == 0)


def test_a_while_without_sqs_ends_with_all_regions_well(rulebook: Rulebook, sandbox_as_it_is: Sandbox) -> None:
    fault = sandbox_as_it_is.add_fault({"drop": True}, {"service": "sqs", "operation": "GetQueueAttributes"})
    lose(sandbox_as_it_is, *REGIONS)
    time.sleep(5)
    assert rulebook.state() == "DEAUTHORIZED"
    sandbox_as_it_is.clear_faults(fault["id"])
    rulebook.until(lambda: {rulebook.state(region) for region in REGIONS} == {"AUTHORIZED"})
    rulebook.until(lambda: rulebook.hub.waiting() == 0)
    assert rulebook.hub.dead_letters() == 0


def test_the_token_is_in_no_file_and_not_in_the_log(rulebook: Rulebook, sandbox_as_it_is: Sandbox) -> None:
    assert "load source spot.eventbridge.hub" in rulebook.log()
    assert seen_in_files(rulebook.folder, sandbox_as_it_is.tokens.values()) == {}


@pytest.fixture
def sandbox_as_it_is(running: Sandbox) -> Sandbox:
    """The sandbox of the rulebook, not reset between its tests."""
    return running
