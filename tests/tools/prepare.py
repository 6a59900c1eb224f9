# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the environments that checks would make when they run, while the rest is still being installed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.artefact.supported import chosen
from tests.checks.importer import importing


def main() -> None:
    """Makes them, one after the other."""
    importing()
    for combination in chosen():
        combination.environment()
        combination.collections()


if __name__ == "__main__":
    main()
