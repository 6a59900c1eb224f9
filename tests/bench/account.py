# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One account: the playbooks beside a threaded script that makes the same calls; the AWS CLI in a loop, and one region at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

from tests.bench.goals import Findings
from tests.bench.measure import ANSIBLE_PLAYBOOK, CHECKOUT, MORE_REGIONS, REGIONS, Measure, measure
from tests.sandbox.client import Sandbox

ACCOUNT = "act-d7320fba"
HERE = Path(__file__).parent
AWS_CLI = CHECKOUT / ".cache" / "awscli" / "bin" / "aws"


NAME = f"spot-interruption-{ACCOUNT}"
RUNS = ("first", "unchanged", "verify", "repair")


def script(sandbox: Sandbox, regions: list[str], run: str = "first") -> list[str]:
    """The command of the threaded script; it repairs by making what is missing."""
    return [sys.executable, str(HERE / "threaded_script.py"), *(["--verify"] if run == "verify" else []), sandbox.spot_url, *regions]


def playbook(sandbox: Sandbox, regions: list[str], run: str = "first") -> list[str]:
    """The command of the playbook for this kind of run."""
    name = run if run in ("verify", "repair") else "onboard"
    variables = {"account": ACCOUNT, "regions": ",".join(regions), "spot_api_url": sandbox.spot_url}
    return [ANSIBLE_PLAYBOOK, f"playbooks/{name}.yml", *(f"-e{name}={value}" for name, value in variables.items())]


def region_by_region(_sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command that uses the collection for one region at a time."""
    return [ANSIBLE_PLAYBOOK, str(HERE / "region_by_region.yml"), f"-eregions={','.join(regions)}"]


def cli_loop(_sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The command of the loop of the AWS CLI, with the calls that onboarding makes."""
    return [str(HERE / "cli_loop.sh"), str(AWS_CLI), *regions]


def bare_cli_loop(sandbox: Sandbox, regions: list[str]) -> list[str]:
    """The same without a look at anything."""
    return ["env", "BARE=1", *cli_loop(sandbox, regions)]


def empty(sandbox: Sandbox, latency: float) -> None:
    """An account without anything in it, in which all regions of the benchmark are enabled."""
    sandbox.reset()
    sandbox.settings(latency=latency, enabled_regions=[*REGIONS, *MORE_REGIONS])


def first_and_unchanged(sandbox: Sandbox, latency: float, command: list[str]) -> tuple[Measure, Measure]:
    """One run on an empty account and one right after it."""
    empty(sandbox, latency)
    return measure(sandbox, command), measure(sandbox, command)


def each_run(sandbox: Sandbox, latency: float, make: Callable[..., list[str]], regions: list[str]) -> dict[str, Measure]:
    """A run of each kind in turn, the last one after the rule of the first region was deleted."""
    empty(sandbox, latency)
    found = {}
    for run in RUNS:
        if run == "repair":
            events = sandbox.boto3("events", regions[0])
            events.remove_targets(Rule=NAME, Ids=[target["Id"] for target in events.list_targets_by_rule(Rule=NAME)["Targets"]])
            events.delete_rule(Name=NAME)
        found[run] = measure(sandbox, make(sandbox, regions, run))
    return found


def fastest(repeat: int, runs: Callable[[], dict[str, Measure]]) -> dict[str, Measure]:
    """Of several runs the least of each figure: what a shared machine adds is never negative."""
    several = [runs() for _ in range(repeat)]
    return {run: Measure(*(min(figures) for figures in zip(*(astuple(one[run]) for one in several), strict=True))) for run in several[0]}


def bench(sandbox: Sandbox, latency: float, repeat: int, numbers: list[int], findings: Findings) -> None:
    """Prints one line for each number of regions, kind of run and program."""
    columns = f"{'wall s':>7}  {'CPU s':>6}  {'AWS calls':>9}  {'in a row':>8}"
    print(f"{'regions':>7}  {'run':9}  {'program':10}  {columns}   beside the script: wall, CPU, calls, in a row")
    walls: dict[tuple[str, str, int], float] = {}
    for number in numbers:
        regions = [*REGIONS, *MORE_REGIONS][:number]
        results = {
            name: fastest(repeat, lambda make=make, regions=regions: each_run(sandbox, latency, make, regions))
            for name, make in (("script", script), ("collection", playbook))
        }
        for run in RUNS:
            peer, one = results["script"][run], results["collection"][run]
            ratios = (one.wall / peer.wall, one.cpu / peer.cpu, one.calls / peer.calls, one.row / peer.row)
            _line(number, run, "script", peer)
            _line(number, run, "collection", one, *ratios)
            for name, measures in results.items():
                walls[name, run, number] = measures[run].wall
            what = f"{number} regions, {run}"
            findings.note(f"{what}: wall beside the script", ratios[0])
            findings.note(f"{what}: CPU beside the script", ratios[1])
            findings.note(f"{what}: round trips in a row", one.row)
    if len(numbers) > 1:
        few, many = numbers[0], numbers[-1]
        print("\none region more costs")
        for run in RUNS:
            each = {name: (walls[name, run, many] - walls[name, run, few]) / (many - few) * 1000 for name in ("script", "collection")}
            print(f"  {run:9}  script {each['script']:5.0f} ms  collection {each['collection']:5.0f} ms")
            findings.note(f"{many} regions, {run}: ms of each region more", each["collection"])


def bench_peers(sandbox: Sandbox, latency: float, number: int) -> None:
    """Prints a line for each other way to onboard, beside a first run of the collection."""
    print("\nother ways, a first run of each, wall beside that of the collection")
    ways = (("collection", playbook), ("one at a time", region_by_region), ("AWS CLI", cli_loop), ("AWS CLI, bare", bare_cli_loop))
    walls: list[float] = []
    for name, make in ways:
        empty(sandbox, latency)
        one = measure(sandbox, make(sandbox, REGIONS[:number]))
        walls.append(one.wall)
        print(f"{number:7}  {name:14}  {one.wall:7.2f}  {one.cpu:6.2f}  {one.calls:9}  {one.wall / walls[0]:6.2f}", flush=True)


def _line(number: int, run: str, name: str, one: Measure, *ratios: float) -> None:
    figures = f"{one.wall:7.2f}  {one.cpu:6.2f}  {one.calls:9}  {one.row:8}"
    print(f"{number:7}  {run:9}  {name:10}  {figures}   {'  '.join(f'{ratio:5.2f}' for ratio in ratios)}".rstrip(), flush=True)
