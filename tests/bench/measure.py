# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures a program: wall time, CPU time and memory of all its processes, and the AWS calls that the sandbox counted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from tests.sandbox.client import Sandbox  # noqa: E402

REGIONS = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
]
ANSIBLE_PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")
_MARK = "BENCH_RUN"


@dataclass(frozen=True)
class Measure:
    """Of a program and all its children: seconds of wall and CPU time, MiB of memory at the peak, AWS calls."""

    wall: float
    cpu: float
    memory: float
    calls: int


def measure(sandbox: Sandbox, *commands: Sequence[str], watch_memory: bool = False) -> Measure:
    """Runs programs side by side to their ends; a RuntimeError with the output of one that fails.

    Memory is the sum of what each process has for itself and its part of what it shares (PSS), looked at four times a second.
    """
    sandbox.clear_calls()
    mark = f"{_MARK}={uuid4().hex}"
    environment = {**sandbox.env(), **dict([mark.split("=")])}
    peak, over = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(mark.encode(), peak, over))
    before, start = os.times(), time.monotonic()
    running = [
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]
    if watch_memory:
        watcher.start()
    outputs = [process.communicate()[0] for process in running]
    wall, after = time.monotonic() - start, os.times()
    over.set()
    for command, process, output in zip(commands, running, outputs, strict=True):
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{output[-4000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measure(wall, cpu, peak[0], len(sandbox.calls()))


def _watch(mark: bytes, peak: list[float], over: threading.Event) -> None:
    while not over.wait(0.25):
        peak[0] = max(peak[0], sum(_memory(path) for path in Path("/proc").glob("[0-9]*") if _is_ours(path, mark)))


def _is_ours(path: Path, mark: bytes) -> bool:
    try:
        return mark in (path / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's
        return False


def _memory(path: Path) -> float:
    try:
        lines = (path / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0.0
