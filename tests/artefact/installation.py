# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published collection, installed beside amazon.aws, and a folder to run it from that has nothing to do with it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox.client import Sandbox

ACCOUNT = "act-d7320fba"
REGIONS = "eu-west-1,us-east-1"
SECONDS = 150


@dataclass
class Installation:
    """A collections path with nothing on it but amazon.aws and the tarball, and an ansible-core to use it with."""

    bin: Path
    collections: Path
    elsewhere: Path
    sandbox: Sandbox

    def play(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a playbook by its name in the collection."""
        variables = {"account": ACCOUNT, "regions": REGIONS, "spot_api_url": self.sandbox.spot_url}
        given = [word for key, value in variables.items() for word in ("-e", f"{key}={value}")]
        return self.run("ansible-playbook", f"spot.eventbridge.{name}", *given, *arguments)

    def version(self) -> str:
        """The version of its ansible-core."""
        return self.run("python", "-c", "from ansible.release import __version__; print(__version__)").stdout

    def run(self, program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a program of its ansible-core, with `environment` besides."""
        whole = {name: value for name, value in self.sandbox.env().items() if not name.startswith("ANSIBLE_")}
        return subprocess.run(
            [self.bin / program, *arguments],
            cwd=self.elsewhere,
            env={
                **whole,
                **(environment or {}),
                "HOME": str(self.elsewhere),
                "PATH": f"{self.bin}:/usr/bin:/bin",
                "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
