# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published collection at work: installed beside amazon.aws, run from a folder that has nothing to do with it."""

from __future__ import annotations

import json

from tests.artefact.installation import REGIONS, Installation
from tests.artefact.supported import Supported
from tests.sandbox.client import Sandbox


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
