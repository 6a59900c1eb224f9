# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lints the documentation of the published collection with antsibull-docs: every plugin, role and extra page, and their links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.published import published


def main() -> int:
    """Runs it."""
    with published() as (_, collection):
        command = [str(Path(sys.executable).parent / "antsibull-docs"), "lint-collection-docs", "--plugin-docs", "--check-extra-docs-refs"]
        strict = ["--validate-collection-refs", "dependent", "--disallow-unknown-collection-refs", "."]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collection.parents[2])}
        return subprocess.run([*command, *strict], cwd=collection, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
