# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many accounts, each in an AWS account of its own whose role is assumed; and four slices of them as four processes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.bench.goals import Findings
from tests.bench.measure import ANSIBLE_PLAYBOOK, REGIONS, Measure, measure
from tests.sandbox.client import Sandbox


def start_over(sandbox: Sandbox, latency: float, size: int) -> dict[str, dict[str, str]]:
    """An empty sandbox with so many accounts; the hosts of an inventory."""
    sandbox.reset()
    sandbox.settings(latency=latency)
    accounts = {f"act-be{number:06x}": f"2{number:011}" for number in range(1, size + 1)}
    sandbox.add_spot_accounts([{"accountId": spot, "providerExternalId": aws} for spot, aws in accounts.items()])
    return {spot: {"aws_account": aws, "aws_role_arn": f"arn:aws:iam::{aws}:role/Spot"} for spot, aws in accounts.items()}


def command(sandbox: Sandbox, path: Path, hosts: dict[str, dict[str, str]], forks: int) -> list[str]:
    """The command that onboards these hosts."""
    path.write_text(json.dumps({"spot_accounts": {"hosts": hosts}}), encoding="utf-8")
    variables = {"regions": ",".join(REGIONS), "spot_api_url": sandbox.spot_url}
    extra = [f"-e{name}={value}" for name, value in variables.items()]
    return [ANSIBLE_PLAYBOOK, "-i", str(path), "-f", str(forks), "playbooks/onboard.yml", *extra]


_HEADING = f"{'accounts':>8}  {'run':9}  {'wall s':>7}  {'CPU s':>7}  {'CPU s each':>10}  {'peak MiB':>8}  {'AWS calls':>9}"


def bench(sandbox: Sandbox, latency: float, sizes: list[int], forks: int, findings: Findings) -> None:
    """Prints a line for each size and kind of run."""
    print(f"\n{len(REGIONS)} regions each, {forks} forks\n{_HEADING}")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            whole = command(sandbox, Path(folder, "all.json"), start_over(sandbox, latency, size), forks)
            for run in ("first", "unchanged"):
                one = measure(sandbox, whole, watch_memory=True)
                _line(size, run, one)
                findings.note(f"{size} accounts, {run}: CPU s each", one.cpu / size)
                findings.note(f"{size} accounts, {run}: peak MiB", one.memory)


def bench_slices(sandbox: Sandbox, latency: float, size: int) -> None:
    """Prints how four slices divide the time of one run."""
    slices = min(4, size)
    print(f"\n{size} accounts, first run: one process with {slices * 2} forks, and {slices} slices with 2 forks each\n{_HEADING}")
    with tempfile.TemporaryDirectory() as folder:
        hosts = start_over(sandbox, latency, size)
        _line(size, "one", measure(sandbox, command(sandbox, Path(folder, "all.json"), hosts, slices * 2), watch_memory=True))
        hosts = start_over(sandbox, latency, size)
        parts = [dict(list(hosts.items())[number::slices]) for number in range(slices)]
        commands = [command(sandbox, Path(folder, f"{number}.json"), part, 2) for number, part in enumerate(parts)]
        _line(size, f"{slices} slices", measure(sandbox, *commands, watch_memory=True))


def _line(size: int, run: str, one: Measure) -> None:
    print(
        f"{size:8}  {run:9}  {one.wall:7.1f}  {one.cpu:7.1f}  {one.cpu / size:10.2f}  {one.memory:8.0f}  {one.calls:9}",
        flush=True,
    )
