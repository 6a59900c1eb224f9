# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stacks of one account, all regions in one module run, beside a run of amazon.aws.cloudformation for each region."""

from __future__ import annotations

from pathlib import Path

from tests.bench.account import first_and_unchanged
from tests.bench.measure import ANSIBLE_PLAYBOOK, REGIONS
from tests.sandbox.client import Sandbox

PLAY = Path(__file__).parent / "stacks.yml"


def bench(sandbox: Sandbox, latency: float, number: int) -> None:
    """Prints a line for each way and kind of run; the ratio is to the collection's."""
    print(f"\n{'regions':>7}  {'run':9}  {'way':25}  {'wall s':>7}  {'CPU s':>6}  {'AWS calls':>9}  {'ratio':>6}")
    results = {
        way: first_and_unchanged(sandbox, latency, [ANSIBLE_PLAYBOOK, str(PLAY), f"-eway={way}", f"-eregions={','.join(REGIONS[:number])}"])
        for way in ("spot_stack", "amazon.aws.cloudformation")
    }
    for index, run in enumerate(("first", "unchanged")):
        peer = results["spot_stack"][index].wall
        for way, measures in results.items():
            one = measures[index]
            print(f"{number:7}  {run:9}  {way:25}  {one.wall:7.2f}  {one.cpu:6.2f}  {one.calls:9}  {one.wall / peer:6.2f}", flush=True)
