# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module spot_backend_database_info: a real PostgreSQL and a real MariaDB, asked by the community's modules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import database
from tests.fakes.database import Server
from tests.integration.modules.secrets_in import secrets_in
from tests.integration.playbooks.runner import SPOT_ACCOUNT, Ansible
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

PLAYBOOK = Path(__file__).with_name("database.yml")
VALUE = f'{{"type": "spot-interruption-notification", "account": "{SPOT_ACCOUNT}", "instance": "i-0123456789abcdef0"}}'
ENGINES = {"postgresql": (database.why_no_postgresql, database.postgresql), "mariadb": (database.why_no_mariadb, database.mariadb)}
HOSTILE_ACCOUNTS = ["' OR '1'='1", "x'; DROP TABLE aws_ec2_events; --", "%", "act%", "\\"]


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    why_not, start = ENGINES[request.param]
    if why_not():
        pytest.skip(why_not())
    with start() as started:
        yield started


@pytest.fixture(scope="module")
def found(server: Server, running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What was found by case. All cases go in one run of Ansible, as its start is what takes time."""
    server.write(VALUE)
    server.write(VALUE, hours_ago=2)
    server.write(VALUE, hours_ago=30)
    server.write(VALUE.replace(SPOT_ACCOUNT, "act-00000001"), account="act-00000001")
    server.write('{"type": "something else"}')
    config = server.config
    cases: dict[str, dict[str, Any]] = {
        "there": {},
        "nothing": {"word": "no-such-word"},
        "wildcard": {"word": "spot%notification"},
        "in the value": {"account_column": "", "word": "i-0123456789abcdef0"},
        "wrong password": {"password": "wrong-password-0123"},
        "no table": {"table": "no_such_table"},
        "hostile table": {"table": 'aws_ec2_events"; DROP TABLE aws_ec2_events; --'},
        "gone": {"port": 1},
        "unknown engine": {"engine": "oracle"},
    }
    asked = [{"account": SPOT_ACCOUNT, "database": {**config, **case}} for case in cases.values()]
    asked += [{"account": account, "database": config} for account in HOSTILE_ACCOUNTS]
    ansible = Ansible(running, tmp_path_factory.mktemp("database") / "home")
    variables = ansible.home / "cases.json"
    variables.write_text(json.dumps({"cases": asked}))
    run = ansible.run(PLAYBOOK, "-e", f"@{variables}", "-vvv")
    variables.unlink()
    assert run.rc == 0, run.output
    assert secrets_in(run.output, [server.password, "wrong-password-0123"]) == []
    answers = [facts["found"] for entry in run.results if "found" in (facts := entry["result"].get("ansible_facts", {}))][-1]
    return dict(zip([*cases, *HOSTILE_ACCOUNTS], answers, strict=True))


@pytest.mark.parametrize("case", ["there", "in the value"])
def test_it_says_how_many_and_when_the_last(found: dict[str, dict[str, str]], server: Server, case: str) -> None:
    text = "to_char(MAX(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    if server.engine == "mariadb":
        text = "DATE_FORMAT(MAX(created_at), '%Y-%m-%dT%H:%i:%SZ')"
    warnings = "account_id = 'act-d7320fba' AND value LIKE '%spot-interruption-notification%'"
    ((last,),) = server.run(f"SELECT {text} FROM aws_ec2_events WHERE {warnings}")
    entry = found[case]
    assert (entry["check"], entry["outcome"]) == ("spot_database", "pass")
    told = entry["message"].removeprefix("Spot's database has 2 notice(s) of the last 24 h, the last one of ").removesuffix(".")
    # The database rounds half a second to either side.
    assert abs((datetime.fromisoformat(told) - datetime.fromisoformat(last)).total_seconds()) <= 1


def test_none_proves_nothing(found: dict[str, dict[str, str]]) -> None:
    assert found["nothing"]["outcome"] == "skip"


def test_a_wildcard_is_a_character_as_any_other(found: dict[str, dict[str, str]]) -> None:
    assert found["wildcard"]["outcome"] == "skip"


@pytest.mark.parametrize("account", HOSTILE_ACCOUNTS)
def test_metacharacters_in_the_account_find_and_change_nothing(found: dict[str, dict[str, str]], server: Server, account: str) -> None:
    assert found[account]["outcome"] == "skip"
    assert server.run("SELECT COUNT(*) FROM aws_ec2_events") == [(5,)]


def test_wrong_credentials_are_named_as_such(found: dict[str, dict[str, str]]) -> None:
    entry = found["wrong password"]
    assert entry["outcome"] == "unknown"
    assert "it refuses the credentials" in entry["message"]
    assert "Check user, password" in entry["remedy"]


def test_a_table_that_is_not_there_is_named(found: dict[str, dict[str, str]]) -> None:
    entry = found["no table"]
    assert entry["outcome"] == "unknown"
    assert "no_such_table" in entry["message"]


def test_a_name_that_is_none_is_never_asked_for(found: dict[str, dict[str, str]]) -> None:
    entry = found["hostile table"]
    assert entry["outcome"] == "unknown"
    assert "which is not the name of a table or column" in entry["message"]


def test_a_server_that_is_gone_is_a_finding(found: dict[str, dict[str, str]]) -> None:
    assert found["gone"]["outcome"] == "unknown"


def test_an_engine_that_is_not_known_is_named_with_those_that_are(found: dict[str, dict[str, str]]) -> None:
    assert "it has to be one of postgresql, mysql, mariadb" in found["unknown engine"]["message"]
