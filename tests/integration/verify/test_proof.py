# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof end to end: one run of verify, from a real interruption of the sandbox to Spot, its log and its database.

Commands and variables are those of the guide *Inside Spot*; only what is at other addresses here is put in its place.
"""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes import database
from tests.fakes.database import Server
from tests.fakes.flags import Flags
from tests.fakes.log import Log
from tests.fakes.webhook import Webhook
from tests.integration.modules.secrets_in import secrets_in
from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import Account, verification
from tests.integration.verify.conftest import MakeAccount
from tests.sandbox.client import Sandbox
from tests.tools.guides import commands, files

REGION = "eu-west-1"
HAND_OVER, LOOK, INTERRUPT = commands("guide_inside_spot")
FILES = files("guide_inside_spot")


class SpotsInside(threading.Thread):
    """What Spot does with a warning that it took, behind its API: a line in its log, a row in its database."""

    def __init__(self, sandbox: Sandbox, log: Log, server: Server) -> None:
        super().__init__(daemon=True)
        self._sandbox, self._log, self._server = sandbox, log, server
        self._over = threading.Event()

    def run(self) -> None:
        seen = 0
        while not self._over.wait(0.3):
            taken = [entry for entry in self._sandbox.notifications() if entry["status"] == 200]
            for entry in taken[seen:]:
                account = entry["query"]["accountId"]
                self._log.write(f"606079873399 {entry['path']} {account}")
                self._server.write(json.dumps({"type": "spot-interruption-notification", **entry["body"]["detail"]}), account)
            seen = len(taken)

    def stop(self) -> None:
        self._over.set()
        self.join(5)


def type_in(account: Account, line: str, folder: Path, secrets: Mapping[str, str]) -> Run:
    """Type a line of the guide, in the folder of its files."""
    _, *words = shlex.split(line)
    given = {"spot_api_url": account.sandbox.spot_url, "regions": REGION, "spot_eventbridge_verify_settle_seconds": 0, **secrets}
    given["spot_eventbridge_verify_wait_timeout"] = 30
    return account.ansible.run(*words, "-e", json.dumps(given), cwd=folder)


@pytest.fixture(scope="module")
def proof(running: Sandbox, make_account: MakeAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The one run, and what it found by check."""
    if database.why_no_postgresql():
        pytest.skip(database.why_no_postgresql())
    running.reset()
    account: Account = make_account(regions=[REGION])
    folder = tmp_path_factory.mktemp("proof")
    answer = running.boto3("ec2", REGION).run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceMarketOptions={"MarketType": "spot"}
    )
    instance = answer["Instances"][0]["InstanceId"]
    with Webhook() as webhook, Flags() as flags, Log() as log, database.postgresql() as server:
        places = {
            "https://flags.example.com": flags.url,
            "https://kibana.example.com": log.url,
            "database.example.com": server.config["host"],
            "i-0123456789abcdef0": instance,
        }
        for name, text in FILES.items():
            (folder / name).write_text(re.sub("|".join(map(re.escape, places)), lambda place: places[place[0]], text), encoding="utf-8")
        secrets = {
            "vault_webhook_url": webhook.address,
            "vault_flag_token": flags.secret,
            "vault_kibana_key": log.secret,
            "vault_database_password": server.password,
        }
        handed_over = type_in(account, HAND_OVER, folder, secrets)
        assert handed_over.rc == 0, handed_over.output
        inside = SpotsInside(running, log, server)
        inside.start()
        # The guide's server listens where every PostgreSQL does.
        variables = yaml.safe_load((folder / "inside-spot.yml").read_text())
        variables["spot_eventbridge_verify_database"]["port"] = server.port
        (folder / "inside-spot.yml").write_text(json.dumps(variables))
        begin = time.time()
        run = type_in(account, f"{INTERRUPT} -e report_dir=report -v", folder, secrets)
        inside.stop()
    assert run.rc == 0, run.output
    yield {
        "run": run,
        "found": {check["check"]: check for check in verification(run)["checks"]},
        "regions": verification(run)["regions"],
        "instance": instance,
        "folder": folder / "report",
        "secrets": [webhook.secret, *list(secrets.values())[1:], running.tokens["admin"]],
        "begin": begin,
        "told": webhook.bodies,
    }


def test_what_the_guide_does_without_an_interruption_is_part_of_it() -> None:
    assert INTERRUPT.startswith(f"{LOOK} ")


def test_spot_was_told_of_the_region_once_and_verify_says_so(proof: dict[str, Any]) -> None:
    (body,) = proof["told"]
    assert body["notification"]["regions"] == [REGION]
    (found,) = [finding for finding in proof["regions"][REGION]["findings"] if finding["check"] == "notification"]
    assert found["outcome"] == "pass"


@pytest.mark.parametrize("check", ["feature_flag", "test_event", "interruption", "spot_reacted", "spot_log", "spot_database"])
def test_everything_is_found(proof: dict[str, Any], check: str) -> None:
    assert proof["found"][check]["outcome"] == "pass", proof["found"][check]


@pytest.mark.parametrize("check", ["spot_reacted", "spot_log", "spot_database"])
def test_each_says_how_long_after_the_announcement(proof: dict[str, Any], check: str) -> None:
    assert "s after the announcement" in proof["found"][check]["message"]


def test_the_instance_is_named_where_it_can_be(proof: dict[str, Any]) -> None:
    assert proof["instance"] in proof["found"]["interruption"]["message"]
    assert proof["instance"] in proof["found"]["spot_reacted"]["message"]


@pytest.mark.parametrize("file", ["report.json", "report.html", "junit.xml"])
def test_it_is_in_every_form_of_the_report(proof: dict[str, Any], file: str) -> None:
    text = (Path(proof["folder"]) / file).read_text(encoding="utf-8")
    assert secrets_in(text, proof["secrets"]) == []
    if file == "report.json":
        checks = [entry["check"] for entry in json.loads(text)["accounts"][0]["checks"]]
        assert {"feature_flag", "test_event", "interruption", "spot_log", "spot_database"} <= set(checks)


def test_no_secret_is_shown(proof: dict[str, Any]) -> None:
    run: Run = proof["run"]
    assert secrets_in(run.output, proof["secrets"]) == []
