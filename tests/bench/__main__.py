# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures onboarding beside a script that makes the same calls, on the sandbox, at 80 ms per AWS call.

Usage: python tests/bench [--latency 0.08] [--repeat 3]

Wall and CPU time of the client alone (the sandbox is a process of its own), the AWS calls that the sandbox counted, and the
ratio to the script in the same run. Of several runs the fastest counts: what a shared machine adds is never negative.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
ACCOUNT = "act-d7320fba"


@dataclass(frozen=True)
class Measure:
    """Seconds of wall and CPU time of a program and its children, and its AWS calls."""

    wall: float
    cpu: float
    calls: int


def measure(sandbox: Sandbox, command: list[str]) -> Measure:
    """Runs a program to its end; a RuntimeError with its output if it fails."""
    sandbox.clear_calls()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=CHECKOUT, env=sandbox.env(), capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measure(wall, cpu, len(sandbox.calls()))


def script(sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command of the script."""
    return [sys.executable, str(CHECKOUT / "tests/bench/threaded_script.py"), sandbox.spot_url, *regions]


def playbook(sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command of onboarding."""
    program = Path(sys.executable).parent / "ansible-playbook"
    variables = {"account": ACCOUNT, "regions": ",".join(regions), "spot_api_url": sandbox.spot_url}
    return [str(program), "playbooks/onboard.yml", *(f"-e{name}={value}" for name, value in variables.items())]


def first_and_unchanged(sandbox: Sandbox, latency: float, command: list[str]) -> tuple[Measure, Measure]:
    """One run on an empty account and one right after it."""
    sandbox.reset()
    sandbox.settings(latency=latency)
    return measure(sandbox, command), measure(sandbox, command)


def fastest(repeat: int, run: Callable[[], tuple[Measure, Measure]]) -> tuple[Measure, Measure]:
    """The fastest first and the fastest unchanged run of several pairs."""
    firsts, seconds = zip(*(run() for _ in range(repeat)), strict=True)
    return min(firsts, key=lambda one: one.wall), min(seconds, key=lambda one: one.wall)


def main() -> None:
    """Prints one line for each number of regions, program and kind of run."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--latency", type=float, default=0.08, help="seconds that each AWS call takes")
    arguments.add_argument("--repeat", type=int, default=3, help="runs of each kind, of which the fastest counts")
    arguments.add_argument("--regions", type=int, nargs="+", default=[1, 5, 17], help="numbers of regions")
    given = arguments.parse_args()

    print(f"{given.latency * 1000:.0f} ms per AWS call, fastest of {given.repeat}, {os.cpu_count()} cores\n")
    print(f"{'regions':>7}  {'run':9}  {'program':10}  {'wall s':>7}  {'CPU s':>6}  {'AWS calls':>9}  {'ratio':>5}")
    walls: dict[tuple[str, int], float] = {}
    with Sandbox() as sandbox:
        for number in given.regions:
            regions = REGIONS[:number]
            results = {
                name: fastest(given.repeat, lambda command=command: first_and_unchanged(sandbox, given.latency, command))
                for name, command in (("script", script(sandbox, regions)), ("collection", playbook(sandbox, regions)))
            }
            for index, run in enumerate(("first", "unchanged")):
                peer = results["script"][index].wall
                for name, measures in results.items():
                    one = measures[index]
                    walls[f"{name} {run}", number] = one.wall
                    line = f"{number:7}  {run:9}  {name:10}  {one.wall:7.2f}  {one.cpu:6.2f}  {one.calls:9}"
                    print(f"{line}  {one.wall / peer:5.2f}", flush=True)
    if len(given.regions) > 1:
        few, many = given.regions[0], given.regions[-1]
        print("\none region more costs")
        for name in ("script first", "collection first", "script unchanged", "collection unchanged"):
            each = (walls[name, many] - walls[name, few]) / (many - few)
            print(f"  {name:20}  {each * 1000:5.0f} ms")


if __name__ == "__main__":
    main()
