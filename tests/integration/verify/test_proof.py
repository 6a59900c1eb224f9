# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof end to end: one run of verify, from a real interruption of the sandbox to Spot, its log and its database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.secrets_in import secrets_in
from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import Account, verification
from tests.integration.verify.conftest import MakeAccount
from tests.peers import database
from tests.peers.database import Server
from tests.peers.flags import Flags
from tests.peers.log import Log
from tests.sandbox.client import Sandbox

REGION = "eu-west-1"


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


@pytest.fixture(scope="module")
def proof(running: Sandbox, make_account: MakeAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The one run, and what it found by check."""
    if database.why_no_postgresql():
        pytest.skip(database.why_no_postgresql())
    running.reset()
    account: Account = make_account(regions=[REGION])
    account.have_onboarded()
    answer = running.boto3("ec2", REGION).run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceMarketOptions={"MarketType": "spot"}
    )
    instance = answer["Instances"][0]["InstanceId"]
    folder = tmp_path_factory.mktemp("proof")
    with Flags() as flags, Log() as log, database.postgresql() as server:
        inside = SpotsInside(running, log, server)
        inside.start()
        variables = {
            "spot_eventbridge_verify_flag": {"provider": "ofrep", "url": flags.url, "token": flags.secret},
            "spot_eventbridge_verify_log": {"url": log.url, "api_key": log.secret},
            "spot_eventbridge_verify_database": server.config,
            "spot_eventbridge_verify_probe": True,
            "spot_eventbridge_verify_settle_seconds": 0,
            "spot_eventbridge_verify_wait_timeout": 30,
            "spot_eventbridge_verify_instance": instance,
            "spot_eventbridge_verify_instance_region": REGION,
            "spot_eventbridge_verify_confirm_interruption": instance,
            "spot_eventbridge_verify_fis_role_arn": "arn:aws:iam::123456789012:role/fis",
        }
        (folder / "variables.json").write_text(json.dumps(variables))
        begin = time.time()
        run = account.verify("-e", f"@{folder / 'variables.json'}", "-e", f"report_dir={folder / 'report'}", "-v")
        inside.stop()
        secrets = [flags.secret, log.secret, server.password, running.tokens["admin"]]
    assert run.rc == 0, run.output
    found = {check["check"]: check for check in verification(run)["checks"]}
    yield {"run": run, "found": found, "instance": instance, "folder": folder / "report", "secrets": secrets, "begin": begin}


@pytest.mark.parametrize("check", ["feature_flag", "probe", "interruption", "spot_reacted", "spot_log", "spot_database"])
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
        assert {"feature_flag", "probe", "interruption", "spot_log", "spot_database"} <= set(checks)


def test_no_secret_is_shown(proof: dict[str, Any]) -> None:
    run: Run = proof["run"]
    assert secrets_in(run.output, proof["secrets"]) == []
