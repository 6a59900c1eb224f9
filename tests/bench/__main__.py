# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the playbooks on the sandbox, at 80 ms per AWS call: one account beside other ways, its stacks, and fleets.

Usage: python tests/bench [account] [peers] [tls] [stacks] [fleet] [slices] [--latency 0.08] [--repeat 3] [--regions 1 17 30]
                          [--accounts 1 10 100] [--forks 10]

Wall and CPU time of the client alone (the sandbox is a process of its own), the AWS calls that the sandbox counted, how many of them
are in a row, and ratios of the same run. Ends with status 1 if a goal (goals.py) is missed by more than a tenth.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import account, fleet, stacks, tls
from tests.bench.goals import Findings
from tests.bench.measure import REGIONS
from tests.sandbox.client import Sandbox

PARTS = ("account", "peers", "tls", "stacks", "fleet", "slices")


def main() -> int:
    """Runs what the command line names, or all."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", help=f"{', '.join(PARTS)}; all by default")
    arguments.add_argument("--latency", type=float, default=0.08, help="seconds that each AWS call takes")
    arguments.add_argument("--repeat", type=int, default=3, help="runs of each kind for one account, of which the least figures count")
    arguments.add_argument("--regions", type=int, nargs="+", default=[1, 17, 30], help="numbers of regions for one account")
    arguments.add_argument("--accounts", type=int, nargs="+", default=[1, 10, 100], help="numbers of accounts for fleets")
    arguments.add_argument("--forks", type=int, default=10, help="how many accounts at a time")
    given = arguments.parse_args()
    unknown = set(given.what) - set(PARTS)
    if unknown:
        arguments.error(f"there is no {', '.join(sorted(unknown))}")
    findings, many = Findings(), min(len(REGIONS), max(given.regions))

    print(f"{given.latency * 1000:.0f} ms per AWS call, least of {given.repeat}, {os.cpu_count()} cores\n")
    with Sandbox(max_seconds=7200, settings={"queue_name_seconds": 0}) as sandbox:
        measures: dict[str, Callable[[], None]] = {
            "account": lambda: account.bench(sandbox, given.latency, given.repeat, given.regions, findings),
            "peers": lambda: account.bench_peers(sandbox, given.latency, many),
            "tls": lambda: tls.bench(sandbox, given.latency, many),
            "stacks": lambda: stacks.bench(sandbox, given.latency, many),
            "fleet": lambda: fleet.bench(sandbox, given.latency, given.accounts, given.forks, findings),
            "slices": lambda: fleet.bench_slices(sandbox, given.latency, min(20, max(given.accounts))),
        }
        for part in PARTS:
            if part in given.what or not given.what:
                measures[part]()
    return 0 if findings.show() else 1


if __name__ == "__main__":
    sys.exit(main())
