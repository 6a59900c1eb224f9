# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions to the Spot API, asked of the sandbox's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.spot import NO_INSTANCE, questions
from tests.sandbox.client import Sandbox

ACCOUNT = "act-d7320fba"
SCRIPT = Path(__file__).with_name("spot.py")


@pytest.fixture
def spot(running: Sandbox) -> Sandbox:
    running.reset()
    return running


def ask(spot: Sandbox, output: Path, *options: str, url: str | None = None, account: str = ACCOUNT, **tokens: str) -> tuple[int, str]:
    """Run the script, and return its exit code and what it has printed."""
    arguments = ["--account", account, "--url", url or spot.spot_url, "--output", str(output), *options]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**spot.env("editor"), **tokens},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def answers(output: Path) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in json.loads(output.read_text(encoding="utf-8"))["answers"]}


def test_each_question_is_asked_or_has_a_reason(spot: Sandbox, tmp_path: Path) -> None:
    code, _ = ask(spot, tmp_path / "answers.json", "--notify", SPOTINST_VIEWER_TOKEN=spot.tokens["viewer"])
    found = answers(tmp_path / "answers.json")
    assert code == 0
    assert set(found) == {question.name for question in questions(ACCOUNT)}
    assert {name: entry["status"] for name, entry in found.items()} == {
        "unknown-token": 401,
        "no-token": 401,
        "unseen-account": 403,
        "no-account": 403,
        "groups": 200,
        "accounts": 403,
        "accounts-of-nobody": 200,
        "log-of-no-group": 200,
        "no-such-path": 404,
        "notification-of-nothing": 400,
        "notification-not-json": 400,
        "notification-of-a-viewer": 403,
        "notification-unknown-token": 401,
        "notification-unseen-account": 403,
        "notification": 200,
    }


def test_what_needs_more_is_not_asked(spot: Sandbox, tmp_path: Path) -> None:
    ask(spot, tmp_path / "answers.json")
    left_out = {name: entry["not asked"] for name, entry in answers(tmp_path / "answers.json").items() if "not asked" in entry}
    assert left_out == {"notification": "sends a notification: --notify", "notification-of-a-viewer": "needs SPOTINST_VIEWER_TOKEN"}


def test_no_instance_that_may_exist_is_ever_named(spot: Sandbox, tmp_path: Path) -> None:
    ask(spot, tmp_path / "answers.json", "--notify", SPOTINST_VIEWER_TOKEN=spot.tokens["viewer"])
    bodies = [request["body"] for request in spot.received() if request["body"]]
    named = {body["detail"]["instance-id"] for body in bodies if isinstance(body, dict) and "detail" in body}
    assert named == {NO_INSTANCE}
    assert "/aws/ec2/instance/interruption" not in [request["path"] for request in spot.received()]


def test_nothing_private_is_printed_or_written(spot: Sandbox, tmp_path: Path) -> None:
    viewer = spot.tokens["viewer"]
    _, printed = ask(spot, tmp_path / "answers.json", "--notify", SPOTINST_VIEWER_TOKEN=viewer)
    written = (tmp_path / "answers.json").read_text(encoding="utf-8")
    for private in (*spot.tokens.values(), ACCOUNT, "606079873399", "123456789012", "production"):
        assert private not in printed and private not in written


def test_a_limit_is_shown_with_its_headers(spot: Sandbox, tmp_path: Path) -> None:
    spot.add_fault({"status": 429, "reset": 7}, {"target": "spot", "path": "/aws/ec2/group"}, after=8)
    ask(spot, tmp_path / "answers.json", "--limit", "20")
    limit = answers(tmp_path / "answers.json")["limit"]
    assert (limit["status"], limit["headers"]["X-RateLimit-Reset"]) == (429, "7")


def test_spot_that_cannot_be_reached_is_said(spot: Sandbox, tmp_path: Path) -> None:
    code, printed = ask(spot, tmp_path / "answers.json", url="http://127.0.0.1:9")
    assert code == 1 and "Spot cannot be reached" in printed


@pytest.mark.parametrize(("account", "tokens"), [("123456789012", {}), (ACCOUNT, {"SPOTINST_TOKEN": ""})])
def test_wrong_arguments_ask_nothing(spot: Sandbox, tmp_path: Path, account: str, tokens: dict[str, str]) -> None:
    code, printed = ask(spot, tmp_path / "answers.json", account=account, **tokens)
    assert code == 2 and "Nothing was asked." in printed
    assert spot.received() == []
