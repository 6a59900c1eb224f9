# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the CloudFormation template by checkov, in an environment of its own: checkov pins boto3 and half of PyPI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.environments import CHECKOUT, environment

TEMPLATE = "roles/spot_eventbridge/files/spot-interruption-eventbridge.yml"


def main() -> int:
    """Run checkov; any finding is a failure."""
    checkov = environment("checkov", Path(sys.executable), ["checkov>=3.3,<3.4"]) / "bin" / "checkov"
    command = [checkov, "--file", TEMPLATE, "--framework", "cloudformation", "--compact", "--quiet", "--skip-download"]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
