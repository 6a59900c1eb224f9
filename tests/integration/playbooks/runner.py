# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-playbook as a user does, in an environment that holds nothing but what the test gives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.integration.interpreters import CHECKOUT, RECORDER, for_playbooks, left_by_playbooks
from tests.integration.playbooks.leaks import seen_in_files
from tests.sandbox.client import Sandbox
from tests.tools.guides import unexplained
from tests.tools.short_path import short_path
from tests.tools.warm_python import NAME_BYTES

ANSIBLE_PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
SPOT_ACCOUNT, AWS_ACCOUNT = "act-d7320fba", "123456789012"
NAME = f"spot-interruption-{SPOT_ACCOUNT}"

ACCOUNT_REPORT = "spot.eventbridge.spot_account_report"
FLEET_REPORT = "spot.eventbridge.spot_fleet_report"

# As an extra variable: what does not answer is given up soon. Not too soon, as the machine may be busy.
IMPATIENT = json.dumps(
    {"spot_eventbridge_aws_config": {"connect_timeout": 3, "read_timeout": 3, "retries": {"mode": "standard", "total_max_attempts": 2}}}
)

# All processes of a run carry it in their environment, or its begin as their name. Ansible's workers leave the process group of their
# parent.
_MARK = "TEST_RUN"


@dataclass
class Run:
    """What a run of ansible-playbook came to.

    Attributes:
        results: what the callback plugin `recorder` wrote: outcome, host, task, action, result.
        recap: by host, the numbers of the recap's line: ok, changed, failures, skipped, unreachable.
    """

    rc: int
    stdout: str
    stderr: str
    seconds: float
    results: list[dict[str, Any]] = field(default_factory=list)
    recap: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """Everything that a person sees."""
        return self.stdout + self.stderr

    @property
    def changed(self) -> int:
        """The sum of `changed=` in the recap."""
        return sum(numbers["changed"] for numbers in self.recap.values())

    def messages(self, host: str | None = None) -> list[str]:
        """The messages with which tasks failed, those of the failed items for a loop."""
        failed = [entry for entry in self.results if entry["outcome"] == "failed" and host in (None, entry["host"])]
        return [
            str(result["msg"])
            for entry in failed
            for result in entry["result"].get("results", [entry["result"]])
            if result.get("failed", True) and "msg" in result
        ]

    def message(self, host: str | None = None) -> str:
        """The one message with which a run, or a host of it, failed: one line, and no traceback anywhere."""
        assert self.rc != 0
        assert "Traceback" not in self.output
        (message,) = self.messages(host)
        assert "\n" not in message.strip()
        return message

    def actions(self) -> dict[str, dict[str, str]]:
        """What was done, or would be done, by region and resource; up to what failed."""
        (regions,) = [found for entry in self.results if isinstance(found := entry["result"].get("regions"), dict)]
        return {region: answer["actions"] for region, answer in regions.items()}

    def table(self) -> dict[str, str]:
        """The table at the end: the rest of the line by region."""
        (lines,) = [entry["result"]["lines"] for entry in self.results if entry["action"] == ACCOUNT_REPORT]
        heading = next(number for number, line in enumerate(lines) if line.startswith("REGION"))
        rows = (line.split(maxsplit=1) for line in lines[heading + 1 :])
        return {region: rest.rstrip() for region, rest in rows if REGION.fullmatch(region)}


class Ansible:
    """Starts ansible-playbook with its own home and temporary folder, in which a test can look for what is left.

    Args:
        home: a folder that does not exist yet.
        warm: whether Ansible and modules are run by interpreters that are warm already: in a third of the CPU time of a user's run. Their
            arguments are not what a user's would be, and some temporary files are not below `home`.
    """

    def __init__(self, sandbox: Sandbox, home: Path, warm: bool = True) -> None:
        self.sandbox = sandbox
        self.home = home
        self._warm = warm
        temporary = home / "tmp"
        temporary.mkdir(parents=True)
        self._temporary = short_path(temporary)

    def onboard(self, *arguments: str, account: str = SPOT_ACCOUNT, regions: str | None = "us-east-1,eu-west-1", **options: Any) -> Run:
        """Run the main job; without `regions`, in all of them. `options` are those of run()."""
        given = [f"account={account}", f"spot_api_url={self.sandbox.spot_url}", *([] if regions is None else [f"regions={regions}"])]
        return self.run("playbooks/onboard.yml", *(word for text in given for word in ("-e", text)), *arguments, **options)

    def run(self, playbook: str | Path, *arguments: str, timeout: float = 150, **options: Any) -> Run:
        """Run a playbook to its end, which has to come before `timeout` seconds."""
        return self.start(playbook, *arguments, **options).finish(timeout)

    def start(
        self,
        playbook: str | Path,
        *arguments: str,
        cwd: Path = CHECKOUT,
        token: str | None = "admin",
        env: dict[str, str | None] | None = None,
    ) -> Running:
        """Start a playbook.

        Args:
            cwd: where it runs; also elsewhere it has the configuration of the checkout, unless `env` has another.
            token: the name of the Spot token in the environment.
            env: further variables; None takes one away.
        """
        mark = uuid4().hex
        recorded = self.home / f"{mark}.jsonl"
        whole = {
            **{name: value for name, value in self.sandbox.env(token).items() if not name.startswith("ANSIBLE_")},
            "HOME": str(self.home),
            "TMPDIR": str(self._temporary),
            **RECORDER,
            **({} if cwd == CHECKOUT or _configures(env) else {"ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")}),
            "RECORDER_PATH": str(recorded),
            _MARK: mark,
            **(env or {}),
        }
        process = subprocess.Popen(
            [*self._program(env), str(playbook), *arguments],
            cwd=cwd,
            env={name: value for name, value in whole.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Running(process, mark, recorded)

    def seen_in_files(self, tokens: Iterable[str]) -> dict[str, list[str]]:
        """Return the files that runs left in which a token is, see leaks.py."""
        folders = [self.home, *([left_by_playbooks()] if self._warm else [])]
        return {path: seen for folder in folders for path, seen in seen_in_files(folder, tokens).items()}

    def _program(self, env: Mapping[str, str | None] | None) -> list[Path | str]:
        # The warm one has read its configuration long ago.
        return [for_playbooks(), "-m", "ansible", "playbook"] if self._warm and not _configures(env) else [ANSIBLE_PLAYBOOK]


class Running:
    """A run that has begun."""

    def __init__(self, process: subprocess.Popen[str], mark: str, recorded: Path) -> None:
        self._process = process
        self._mark = f"{_MARK}={mark}".encode()
        self._name = mark[:NAME_BYTES].encode()
        self._recorded = recorded
        self._begin = time.monotonic()

    def finish(self, timeout: float = 150) -> Run:
        """Wait for the end; a TimeoutExpired if it takes longer than `timeout` seconds, and then nothing is left running."""
        try:
            stdout, stderr = self._process.communicate(timeout=timeout)
        except BaseException:
            self.kill()
            raise
        run = Run(self._process.returncode, stdout, stderr, time.monotonic() - self._begin)
        for line in self._recorded.read_text(encoding="utf-8").splitlines() if self._recorded.exists() else []:
            entry = json.loads(line)
            if "recap" in entry:
                run.recap = entry["recap"]
            else:
                run.results.append(entry)
        assert unexplained(run.results) == set()
        return run

    def kill(self) -> None:
        """SIGKILL to every process of the run, until there is none."""
        while pids := self.pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        self._process.communicate()

    def kill_when(self, happened: Callable[[], bool], timeout: float = 60) -> bool:
        """Kill every process as soon as something happened, or fail after `timeout` seconds; False if the run ended before."""
        end = time.monotonic() + timeout
        try:
            while not (done := happened()) and self._process.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.02)
        finally:
            self.kill()
        return done

    def pids(self) -> list[int]:
        """The processes of the run that are alive; the first one also while it is replaced, and shows no environment."""
        first = [self._process.pid] if self._process.poll() is None else []
        return first + [pid for pid in (int(path.name) for path in Path("/proc").glob("[0-9]*")) if self._is_ours(pid)]

    def command_lines(self) -> set[bytes]:
        """The arguments of the processes of the run, as every user of the machine sees them."""
        return {_read(Path(f"/proc/{pid}/cmdline")) for pid in self.pids()}

    def _is_ours(self, pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        if self._mark in _read(process / "environ").split(b"\0"):
            return True
        # A process that has ended keeps its name until somebody looks at its status; its arguments are gone.
        return _read(process / "comm").strip() == self._name and _read(process / "cmdline") != b""


def _configures(env: Mapping[str, str | None] | None) -> bool:
    return any(name.startswith("ANSIBLE_") for name in env or {})


def _read(path: Path) -> bytes:
    """Return a file of /proc; nothing where the process is gone, or somebody else's."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
