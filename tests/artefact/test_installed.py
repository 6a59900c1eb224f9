# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published collection at work: installed beside amazon.aws, run from a folder that has nothing to do with it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.artefact.supported import Supported, chosen
from tests.sandbox.client import Sandbox
from tests.tools.published import install

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
        return self._run("ansible-playbook", f"spot.eventbridge.{name}", *given, *arguments)

    def version(self) -> str:
        """The version of its ansible-core."""
        return self._run("python", "-c", "from ansible.release import __version__; print(__version__)").stdout

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in self.sandbox.env().items() if not name.startswith("ANSIBLE_")}
        return subprocess.run(
            [self.bin / program, *arguments],
            cwd=self.elsewhere,
            env={
                **environment,
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


@pytest.fixture(params=chosen(), ids=lambda combination: combination.name)
def combination(request: pytest.FixtureRequest) -> Supported:
    return request.param


@pytest.fixture
def installation(combination: Supported, tarball: Path, sandbox: Sandbox, tmp_path: Path) -> Installation:
    folder = combination.environment()
    collections, elsewhere = tmp_path / "collections", tmp_path / "elsewhere"
    shutil.copytree(combination.collections(), collections)
    elsewhere.mkdir()
    install([folder / "bin" / "ansible-galaxy"], tarball, collections)
    return Installation(folder / "bin", collections, elsewhere, sandbox)


def test_onboard_verify_and_offboard(installation: Installation, combination: Supported, sandbox: Sandbox) -> None:
    assert installation.version().startswith(f"{combination.core[0]}.{combination.core[1]}.")

    onboarded = installation.play("onboard")
    assert onboarded.returncode == 0, onboarded.stdout + onboarded.stderr
    assert sandbox.boto3("events", "eu-west-1").list_rules()["Rules"]
    sandbox.interrupt("eu-west-1")
    assert sandbox.settled()
    assert [request["status"] for request in sandbox.notifications()] == [200]

    verified = installation.play("verify", "-e", "report_dir=report")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    report = installation.elsewhere / "report"
    assert sorted(path.name for path in report.iterdir()) == ["junit.xml", "report.html", "report.json"]
    (account,) = json.loads((report / "report.json").read_text())["accounts"]
    assert {region["status"] for region in account["regions"].values()} == {"active"}

    offboarded = installation.play("offboard")
    assert offboarded.returncode == 0, offboarded.stdout + offboarded.stderr
    for region in REGIONS.split(","):
        events = sandbox.boto3("events", region)
        assert (events.list_rules()["Rules"], events.list_connections()["Connections"]) == ([], [])

    printed = "".join(run.stdout + run.stderr for run in (onboarded, verified, offboarded))
    assert "Traceback" not in printed
    assert sandbox.tokens["admin"] not in printed
