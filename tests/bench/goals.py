# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What onboarding may cost. A figure that is more than a tenth above its goal fails the benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field

TOLERANCE = 1.1

# By what is measured: the most that it may be. Ratios are to the threaded script of the same run.
GOALS = {
    "17 regions, first: wall beside the script": 1.0,
    "17 regions, unchanged: wall beside the script": 1.2,
    "17 regions, first: CPU beside the script": 1.6,
    "17 regions, first: round trips in a row": 8,
    "17 regions, unchanged: round trips in a row": 3,
    "17 regions, verify: round trips in a row": 5,
    "30 regions, first: ms of each region more": 15,
    "30 regions, unchanged: ms of each region more": 15,
    "100 accounts, first: CPU s each": 1.4,
    "100 accounts, unchanged: CPU s each": 1.0,
    "100 accounts, first: peak MiB": 819,
    "100 accounts, unchanged: peak MiB": 819,
}


@dataclass
class Findings:
    """What was measured of that for which there is a goal."""

    figures: dict[str, float] = field(default_factory=dict)

    def note(self, what: str, figure: float) -> None:
        """Keep a figure if it has a goal."""
        if what in GOALS:
            self.figures[what] = figure

    def show(self) -> bool:
        """Print each figure beside its goal; whether none is missed."""
        missed = [what for what, figure in self.figures.items() if figure > GOALS[what] * TOLERANCE]
        if self.figures:
            print(f"\n{'goal':50}  {'at most':>8}  {'measured':>8}")
        for what, figure in self.figures.items():
            print(f"{what:50}  {GOALS[what]:8g}  {figure:8.2f}  {'missed' if what in missed else ''}".rstrip())
        left = len(GOALS) - len(self.figures)
        if left:
            print(f"{left} of {len(GOALS)} goals were not measured.")
        return not missed
