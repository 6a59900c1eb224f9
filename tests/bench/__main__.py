# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures onboarding on the sandbox, at 80 ms per AWS call: one account beside its peers, its stacks, and fleets.

Usage: python tests/bench [account] [stacks] [fleet] [--latency 0.08] [--repeat 3] [--regions 1 5 17] [--accounts 1 10 50 100] [--forks 10]

Wall and CPU time of the client alone (the sandbox is a process of its own), the AWS calls that the sandbox counted, and ratios of
the same run. Of several runs the fastest counts: what a shared machine adds is never negative.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import account, fleet, stacks
from tests.sandbox.client import Sandbox


def main() -> None:
    """Runs what the command line names, or all."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", help="account, stacks, fleet; all by default")
    arguments.add_argument("--latency", type=float, default=0.08, help="seconds that each AWS call takes")
    arguments.add_argument("--repeat", type=int, default=3, help="runs of each kind for one account, of which the fastest counts")
    arguments.add_argument("--regions", type=int, nargs="+", default=[1, 5, 17], help="numbers of regions for one account")
    arguments.add_argument("--accounts", type=int, nargs="+", default=[1, 10, 50, 100], help="numbers of accounts for fleets")
    arguments.add_argument("--forks", type=int, default=10, help="how many accounts at a time")
    given = arguments.parse_args()
    unknown = set(given.what) - {"account", "stacks", "fleet"}
    if unknown:
        arguments.error(f"there is no {', '.join(sorted(unknown))}")

    print(f"{given.latency * 1000:.0f} ms per AWS call, fastest of {given.repeat}, {os.cpu_count()} cores\n")
    with Sandbox(max_seconds=7200, settings={"queue_name_seconds": 0}) as sandbox:
        if "account" in given.what or not given.what:
            account.bench(sandbox, given.latency, given.repeat, given.regions)
        if "stacks" in given.what or not given.what:
            stacks.bench(sandbox, given.latency, max(given.regions))
        if "fleet" in given.what or not given.what:
            fleet.bench(sandbox, given.latency, given.accounts, given.forks)


if __name__ == "__main__":
    main()
