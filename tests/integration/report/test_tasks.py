# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module spot_fleet_report, run by Ansible for three hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.tools import report_accounts as accounts

pytestmark = pytest.mark.slow

MODULE = "spot.eventbridge.spot_fleet_report"
VERSION = yaml.safe_load((accounts.FILES.parents[2] / "galaxy.yml").read_text(encoding="utf-8"))["version"]

FOUND = "{{ (lookup('ansible.builtin.file', 'found.json') | from_json)[ansible_play_hosts_all.index(inventory_hostname)] }}"


def result(found: dict[str, Any]) -> dict[str, Any]:
    """What spot_account_report makes of what was found in an account."""
    summary = [
        {"region": name, "status": entry["status"], "action": "", "reason": "", "changed": False}
        for name, entry in found["regions"].items()
    ]
    return {**found, "summary": summary, "notes": [], "failed_regions": [], "problem": found["error"] or ""}


class Playbook:
    """Runs the module in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "found.json").write_text(json.dumps([result(found) for found in accounts.three()]), encoding="utf-8")

    def run(self, report_dir: str, *flags: str, check_writable: bool = False) -> subprocess.CompletedProcess[str]:
        play: dict[str, Any] = {
            "hosts": "all",
            "connection": "local",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.set_fact": {"spot_eventbridge_result": FOUND}, "no_log": True},
                {MODULE: {"report_dir": report_dir, "check_writable": check_writable}, "run_once": True},
            ],
        }
        (self.folder / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(Path(sys.prefix) / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "LC_ALL": "C.UTF-8",
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "one,two,three,", *flags, "play.yml"]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120)

    def left(self) -> set[str]:
        """What stands in the folder besides what the test put there."""
        return {path.name for path in self.folder.iterdir()} - {"found.json", "play.yml", "home"}


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    return Playbook(tmp_path)


def test_the_report_is_written_once_and_is_no_change(playbook: Playbook) -> None:
    run = playbook.run("new/report", "-v")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "changed=0" in run.stdout
    assert "DEAUTHORIZED" not in run.stdout, "a verbose run does not show the files"
    heading = next(number for number, line in enumerate(run.stdout.splitlines()) if line.startswith("3 accounts, "))
    assert run.stdout.splitlines()[heading + 1].startswith("ACCOUNT "), "a table is a table"
    assert '"3 accounts' not in run.stdout, "it is not shown again as a list of strings"
    folder = playbook.folder / "new" / "report"
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == dict.fromkeys(
        ("report.html", "report.json", "junit.xml"), "0o644"
    )
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    schema = json.loads((accounts.FILES / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(report)
    assert report["accounts"] == accounts.report(accounts.three())["accounts"]
    assert report["collection"] == {"name": "spot.eventbridge", "version": VERSION}
    assert ElementTree.parse(folder / "junit.xml").getroot().get("failures") == "8"
    assert "</html>" in (folder / "report.html").read_text(encoding="utf-8")


def test_check_mode_writes_no_report(playbook: Playbook) -> None:
    run = playbook.run("new/report", "--check")
    assert run.returncode == 0, run.stdout + run.stderr
    assert playbook.left() == set()


@pytest.mark.parametrize("flags", [(), ("--check",)])
def test_a_folder_that_can_be_made_is_not_made_yet(playbook: Playbook, flags: tuple[str, ...]) -> None:
    run = playbook.run("new/report", *flags, check_writable=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "changed=0" in run.stdout
    assert playbook.left() == set()


@pytest.mark.parametrize(
    ("report_dir", "why"),
    [
        ("found.json/report", "found.json is not a folder"),
        # Nobody may write here, not even root.
        pytest.param(
            "/proc/report", "/proc is not writable", marks=pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc")
        ),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_in_one_line(playbook: Playbook, report_dir: str, why: str) -> None:
    run = playbook.run(report_dir, check_writable=True)
    assert run.returncode != 0
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("fatal:")]
    message = json.loads(line[line.index("{") :])["msg"]
    assert message.startswith(f"The report cannot be written to {report_dir}: ")
    assert why in message
    assert "\n" not in message
