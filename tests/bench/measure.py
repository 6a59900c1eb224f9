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
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
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
# Those that an account has to opt into.
MORE_REGIONS = [
    "af-south-1",
    "ap-east-1",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
]
# What is asked for a whole account is waited for by all its regions.
_OF_ACCOUNT = ("ec2", "iam", "sts")
ANSIBLE_PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")
_MARK = "BENCH_RUN"


@dataclass(frozen=True)
class Measure:
    """Of a program and all its children: seconds of wall and CPU time, MiB of memory at the peak, AWS calls.

    Attributes:
        row: the most AWS calls of a region, and of the account as a whole, of which each was begun after the end of the one before it.
    """

    wall: float
    cpu: float
    memory: float
    calls: int
    row: int


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
    calls = sandbox.calls()
    return Measure(wall, cpu, peak[0], len(calls), longest_row(calls))


def longest_row(calls: Sequence[Mapping[str, Any]]) -> int:
    """The round trips in a row of the region that has the most: `Measure.row`."""
    shared, own = defaultdict(list), defaultdict(list)
    for call in sorted((call for call in calls if call["ended"]), key=lambda call: float(call["time"])):
        if call["service"] in _OF_ACCOUNT:
            shared[call["account"]].append(call)
        else:
            own[call["account"], call["region"]].append(call)
    rows = [_row([*shared.get(account, ()), *found]) for (account, _region), found in own.items()]
    return max([*rows, *map(_row, shared.values())], default=0)


def _row(calls: Sequence[Mapping[str, Any]]) -> int:
    ends: list[tuple[float, int]] = []
    for call in sorted(calls, key=lambda call: float(call["time"])):
        ends.append((call["ended"], 1 + max((row for end, row in ends if end <= call["time"]), default=0)))
    return max((row for _end, row in ends), default=0)


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
