# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token is nowhere: not in answers or diffs, not in messages, not in files, in no form.

Every run of every test here is searched for tokens (see runner.py). These tests make it hard: much talk, broken answers,
old tokens, exceptions in the middle.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.integration.modules.aws import NAME, REGION, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.integration.modules.secrets_in import secrets_in
from tests.sandbox.client import Sandbox

TALKATIVE = {"verbosity": 4, "debug_botocore_endpoint_logs": True}


class Connection:
    """Runs the connection's module as talkative as it can be."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run, self._tokens = run, sandbox.tokens

    def __call__(self, token: str = "editor", **arguments: Any) -> Run:
        given = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": self._tokens[token], "regions": [REGION]}
        return self._run("spot_eventbridge_connection", **{**given, **TALKATIVE, **arguments})


@pytest.fixture
def connection(run: Runner, sandbox: Sandbox) -> Connection:
    return Connection(run, sandbox)


@pytest.mark.parametrize("check", [True, False])
def test_creating_updating_repairing_and_deleting_say_nothing_of_old_and_new_tokens(connection: Connection, aws: Aws, check: bool) -> None:
    actions = []
    for token, before, arguments in (
        ("editor", None, {}),
        ("admin", None, {}),
        ("viewer", aws.events().deauthorize_connection, {}),
        ("viewer", None, {"update_token": "always"}),
        ("viewer", None, {"state": "absent"}),
    ):
        if before:
            before(Name=NAME)
        if check:
            connection(token, check=True, **arguments)
        actions.append(connection(token, **arguments).action)
    assert actions == ["created", "updated", "reauthorized", "updated", "deleted"]


@pytest.mark.parametrize("operation", ["DescribeConnection", "GetSecretValue", "CreateConnection", "UpdateConnection"])
@pytest.mark.parametrize(
    "fault",
    [
        {"garbage": True},
        {"drop": True},
        {"error": {"status": 500}},
        {"error": {"status": 400, "code": "ValidationException", "message": "wrong"}},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_call_that_breaks_says_nothing_of_the_token(
    connection: Connection, sandbox: Sandbox, operation: str, fault: dict[str, Any]
) -> None:
    if operation != "CreateConnection":
        connection()
    sandbox.add_fault(fault, {"operation": operation}, times=2)
    quick = {"retries": {"mode": "standard", "total_max_attempts": 2}}
    broken = connection("admin", aws_config=quick, wait_timeout=2)
    assert sandbox.faults()[0]["hits"] > 0
    assert broken.failed or broken.changed or broken.warnings
    sandbox.clear_faults()
    assert not connection("admin").failed
    assert connection("admin").action == "unchanged"


def test_words_of_aws_that_hold_the_token_are_masked(connection: Connection, sandbox: Sandbox) -> None:
    words = f"Value 'Bearer {sandbox.tokens['editor']}' at 'apiKeyValue' failed to satisfy constraint"
    sandbox.add_fault({"error": {"status": 400, "code": "ValidationException", "message": words}}, {"operation": "CreateConnection"})
    assert connection().error["code"] == "ValidationException"


@pytest.mark.parametrize(
    "arguments",
    [
        {"aws_ca_bundle": "/nonexistent"},
        {"endpoint_url": "http://127.0.0.1:1"},
        {"endpoint_url": "not an address"},
        {"aws_config": {"retries": "many"}},
        {"aws_config": {"proxies": {"http": "http://127.0.0.1:1"}, "retries": {"total_max_attempts": 1}}},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_what_breaks_before_the_first_call_says_nothing_of_the_token(connection: Connection, arguments: dict[str, Any]) -> None:
    quick = {"aws_config": {"connect_timeout": 1, "retries": {"mode": "standard", "total_max_attempts": 1}}}
    run = connection(**{**quick, **arguments})
    assert isinstance(run.answer, dict)


def test_a_token_out_of_the_environment_is_masked_too(run: Runner, sandbox: Sandbox) -> None:
    run.environment["SPOTINST_TOKEN"] = sandbox.tokens["editor"]
    done = run("spot_eventbridge_connection", name=NAME, spot_account=SPOT_ACCOUNT, regions=[REGION], **TALKATIVE)
    assert done.action == "created"
    assert done.answer["invocation"]["module_args"]["spot_token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize("fault", [{"garbage": True}, {"drop": True}, {"error": {"status": 500}}, {"status": 401}], ids=str)
def test_asking_spot_says_nothing_of_the_token(run: Runner, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.add_fault(fault, {"target": "spot"})
    token = sandbox.tokens["editor"]
    run("spot_account_info", spot_token=token, spot_account=SPOT_ACCOUNT, spot_api_url=sandbox.spot_url, verbosity=4)
    assert sandbox.faults()[0]["hits"] > 0


def test_the_token_of_a_wrong_account_id_is_masked(connection: Connection, sandbox: Sandbox) -> None:
    """Somebody exchanged the two."""
    run = connection(spot_account=sandbox.tokens["editor"])
    assert "is not a Spot account id" in run.message


# The search itself

TOKEN = "0123456789abcdefSECRET"
BEARER = f"Bearer {TOKEN}".encode()


@pytest.mark.parametrize(
    "text",
    [
        f"xx{TOKEN}xx",
        TOKEN[::-1],
        base64.b64encode(TOKEN.encode()).decode(),
        base64.b64encode(BEARER).decode(),
        base64.b64encode(b"{" + BEARER + b"}").decode(),
        base64.b64encode(b"{{" + BEARER + b"}").decode(),
        TOKEN.encode().hex(),
        hashlib.sha256(BEARER).hexdigest(),
        hashlib.sha1(TOKEN.encode()).hexdigest(),
        hashlib.md5(TOKEN.encode()).hexdigest(),
    ],
)
def test_a_token_is_found_in_every_form(text: str) -> None:
    assert secrets_in(f"before {text} after", [TOKEN])


def test_nothing_is_found_where_nothing_is() -> None:
    assert secrets_in("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER 0123456789abcdef", [TOKEN]) == []
