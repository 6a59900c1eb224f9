# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One account: onboarding beside a threaded script that makes the same calls, the AWS CLI in a loop, and one region at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.measure import ANSIBLE_PLAYBOOK, CHECKOUT, REGIONS, Measure, measure
from tests.sandbox.client import Sandbox

ACCOUNT = "act-d7320fba"
HERE = Path(__file__).parent
AWS_CLI = CHECKOUT / ".cache" / "awscli" / "bin" / "aws"


def script(sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command of the threaded script."""
    return [sys.executable, str(HERE / "threaded_script.py"), sandbox.spot_url, *regions]


def playbook(sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command of onboarding."""
    variables = {"account": ACCOUNT, "regions": ",".join(regions), "spot_api_url": sandbox.spot_url}
    return [ANSIBLE_PLAYBOOK, "playbooks/onboard.yml", *(f"-e{name}={value}" for name, value in variables.items())]


def region_by_region(_sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command that uses the collection for one region at a time."""
    return [ANSIBLE_PLAYBOOK, str(HERE / "region_by_region.yml"), f"-eregions={','.join(regions)}"]


def cli_loop(_sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command of the loop of the AWS CLI, with the calls that onboarding makes."""
    return [str(HERE / "cli_loop.sh"), str(AWS_CLI), *regions]


def bare_cli_loop(sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The same without a look at anything."""
    return ["env", "BARE=1", *cli_loop(sandbox, regions)]


def first_and_unchanged(sandbox: Sandbox, latency: float, command: list[str]) -> tuple[Measure, Measure]:
    """One run on an empty account and one right after it."""
    sandbox.reset()
    sandbox.settings(latency=latency)
    return measure(sandbox, command), measure(sandbox, command)


def fastest(repeat: int, run: Callable[[], tuple[Measure, Measure]]) -> tuple[Measure, Measure]:
    """The fastest first and the fastest unchanged run of several pairs."""
    firsts, seconds = zip(*(run() for _ in range(repeat)), strict=True)
    return min(firsts, key=lambda one: one.wall), min(seconds, key=lambda one: one.wall)


def bench(sandbox: Sandbox, latency: float, repeat: int, numbers: list[int]) -> None:
    """Prints one line for each number of regions, program and kind of run."""
    print(f"{'regions':>7}  {'run':9}  {'program':16}  {'wall s':>7}  {'CPU s':>6}  {'AWS calls':>9}  {'ratio':>6}")
    walls: dict[tuple[str, int], float] = {}
    for number in numbers:
        regions = REGIONS[:number]
        commands = {"script": script(sandbox, regions), "collection": playbook(sandbox, regions)}
        results = {
            name: fastest(repeat, lambda command=command: first_and_unchanged(sandbox, latency, command))
            for name, command in commands.items()
        }
        for index, run in enumerate(("first", "unchanged")):
            peer = results["script"][index].wall
            for name, measures in results.items():
                walls[f"{name} {run}", number] = measures[index].wall
                _line(number, run, name, measures[index], peer)
    if len(numbers) > 1:
        few, many = numbers[0], numbers[-1]
        print("\none region more costs")
        for name in ("script first", "collection first", "script unchanged", "collection unchanged"):
            print(f"  {name:20}  {(walls[name, many] - walls[name, few]) / (many - few) * 1000:5.0f} ms")
    print("\nregion after region, once, beside the fastest first run of the collection")
    peer = walls["collection first", numbers[-1]]
    for name, make in (("one at a time", region_by_region), ("AWS CLI", cli_loop), ("AWS CLI, bare", bare_cli_loop)):
        sandbox.reset()
        sandbox.settings(latency=latency)
        _line(numbers[-1], "first", name, measure(sandbox, make(sandbox, REGIONS[: numbers[-1]])), peer)


def _line(number: int, run: str, name: str, one: Measure, peer: float) -> None:
    print(f"{number:7}  {run:9}  {name:16}  {one.wall:7.2f}  {one.cpu:6.2f}  {one.calls:9}  {one.wall / peer:6.2f}", flush=True)
