# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that every file says its copyright and licence, with reuse, in a copy of what git does not ignore.

In the checkout itself, reuse asks git what is ignored, and then complains of what other tests have made since, such as a __pycache__.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory(prefix="licences-") as copy:
        for name in filter(None, listed.stdout.split("\0")):
            source, target = CHECKOUT / name, Path(copy) / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        return subprocess.run(["reuse", "--root", copy, "lint", "--lines"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
