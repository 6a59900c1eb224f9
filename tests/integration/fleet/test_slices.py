# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Four slices of an inventory, as a controller makes them of a job, come to the same as one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fleet.fleet import Fleet, table
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow


def test_four_slices_are_one_run(running: Sandbox, tmp_path: Path) -> None:
    running.reset()
    fleet = Fleet(running, tmp_path / "home", size=4)
    whole = fleet.run("onboard")
    assert whole.rc == 0, whole.output
    state = fleet.state()

    running.reset()
    fleet = Fleet(running, tmp_path / "again", size=4)
    names = list(fleet.accounts)
    slices = [fleet.write_inventory(tmp_path / f"slice{number}.json", names[number::4]) for number in range(4)]
    runs = [run.finish() for run in [fleet.start("onboard", inventory=path) for path in slices]]
    assert [run.rc for run in runs] == [0] * 4
    assert fleet.state() == state
    assert set(table(whole)) == set(names)
    assert {host for run in runs for host in run.recap} - {"localhost"} == set(names)
