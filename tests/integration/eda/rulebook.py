# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real ansible-rulebook on a real JVM, with the rulebook that heals."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sandbox.client import Sandbox

COMMAND = "ansible-rulebook"


def java() -> bool:
    """Whether there is a Java for the rule engine."""
    found = shutil.which("java")
    version = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr if found else ""
    number = re.search(r'version "(\d+)', version)
    return bool(number) and int(number[1]) >= 17


class Rulebook:
    """A rulebook that runs. What it and its playbooks write is below a folder.

    Args:
        hosts: the variables of the inventory's accounts.
        patience: seconds after which what was waited for has not happened.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, home: Path, hosts: dict[str, dict[str, Any]], patience: float) -> None:
        self.sandbox, self.folder, self._patience = sandbox, folder, patience
        self._inventory = folder / "inventory.json"
        self._inventory.write_text(json.dumps({"spot_accounts": {"hosts": hosts}}), encoding="utf-8")
        (home / ".spotinst").mkdir()
        (home / ".spotinst" / "credentials").write_text(f"[default]\ntoken = {sandbox.tokens['admin']}\n", encoding="utf-8")
        (folder / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
        self._environment = {
            # ansible-runner has the environment of a playbook in a file while it runs.
            **sandbox.env(token=None),
            "HOME": str(home),
            "TMPDIR": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(Path(sys.prefix) / "collections"),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        }
        self._logs = 0
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it, and wait until it waits for events."""
        self._logs += 1
        command = [
            shutil.which(COMMAND, path=self._environment["PATH"]) or COMMAND,
            *("--rulebook", "spot.eventbridge.heal", "--inventory", str(self._inventory), "--verbose"),
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.until(lambda: "Waiting for actions on events" in self.log())

    def stop(self) -> None:
        """End it, and the playbooks that it has started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.kill_playbooks()

    def kill(self) -> None:
        """Kill it alone. A playbook that it has started goes on."""
        self.process.kill()
        self.process.wait()

    def kill_playbooks(self) -> None:
        for pid in self.playbooks():
            os.kill(pid, signal.SIGKILL)

    @property
    def _log(self) -> Path:
        return self.folder / f"log-{self._logs}"

    def log(self) -> str:
        return self._log.read_text()

    def until(self, happened: Callable[[], bool], pause: float = 0.1) -> float:
        """Wait until something has happened; fail if it takes too long. Returns the seconds.

        Args:
            pause: seconds until it is looked at again.
        """
        begin = time.monotonic()
        while not happened():
            assert time.monotonic() - begin < self._patience, self.log()[-4000:]
            assert self.process.poll() is None, self.log()[-4000:]
            time.sleep(pause)
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
