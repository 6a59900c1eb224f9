# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection: the token in it, its repair in place, its removal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import NAME, REGION, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox


class Connection:
    """Runs the module under test for one connection in one region."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run = run
        self._tokens = sandbox.tokens

    def __call__(self, token: str = "editor", **arguments: Any) -> Run:
        given = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": self._tokens[token], "regions": [REGION]}
        return self._run("spot_eventbridge_connection", **{**given, **arguments})


@pytest.fixture
def connection(run: Runner, sandbox: Sandbox) -> Connection:
    return Connection(run, sandbox)


@pytest.fixture
def restricted(sandbox: Sandbox) -> dict[str, str]:
    """Credentials that may do everything but read secrets."""
    allowed = ["events:*", "secretsmanager:CreateSecret", "secretsmanager:UpdateSecret", "secretsmanager:PutSecretValue"]
    sandbox.permit("RESTRICTED", [*allowed, "iam:*"])
    return {"access_key": "RESTRICTED", "secret_key": "testing"}


def writes(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.calls(writes=True)]


# The token


def test_the_token_and_the_account_are_written_as_spot_wants_them(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    assert connection().action == "created"
    assert aws.written_key() == f"Bearer {sandbox.tokens['editor']}"
    parameters = aws.described_connection()["AuthParameters"]
    assert parameters["ApiKeyAuthParameters"] == {"ApiKeyName": "Authorization"}
    assert parameters["InvocationHttpParameters"]["QueryStringParameters"] == [
        {"Key": "accountId", "Value": SPOT_ACCOUNT, "IsValueSecret": False}
    ]


def test_the_token_may_come_from_the_environment(run: Runner, aws: Aws, sandbox: Sandbox) -> None:
    run.environment["SPOTINST_TOKEN"] = sandbox.tokens["viewer"]
    assert run("spot_eventbridge_connection", name=NAME, spot_account=SPOT_ACCOUNT, regions=[REGION]).action == "created"
    assert aws.written_key() == f"Bearer {sandbox.tokens['viewer']}"


@pytest.mark.parametrize(
    ("update_token", "action", "kept"),
    [("changed", "updated", "admin"), ("always", "updated", "admin"), ("on_create", "unchanged", "editor")],
)
def test_another_token(*, connection: Connection, aws: Aws, sandbox: Sandbox, update_token: str, action: str, kept: str) -> None:
    arn = aws.connection(sandbox.tokens["editor"])
    connection()
    run = connection("admin", update_token=update_token)
    assert run.action == action
    assert aws.written_key() == f"Bearer {sandbox.tokens[kept]}"
    assert aws.described_connection()["ConnectionArn"] == arn


@pytest.mark.parametrize(("update_token", "action"), [("changed", "unchanged"), ("always", "updated"), ("on_create", "unchanged")])
def test_the_same_token(connection: Connection, update_token: str, action: str) -> None:
    connection()
    assert connection(update_token=update_token).action == action


def test_a_diff_says_that_the_token_differs_and_not_how(connection: Connection) -> None:
    connection()
    (entry,) = connection("admin").answer["diff"]
    assert (entry["before"]["token"], entry["after"]["token"]) == ("differs", "current")
    assert {key: value for key, value in entry["before"].items() if key != "token"} == {
        key: value for key, value in entry["after"].items() if key != "token"
    }


def test_a_secret_that_may_not_be_read_is_a_warning_and_nothing_is_compared(
    connection: Connection, sandbox: Sandbox, restricted: dict[str, str]
) -> None:
    connection()
    sandbox.clear_calls()
    run = connection("admin", **restricted)
    assert (run.action, writes(sandbox)) == ("unchanged", [])
    (warning,) = run.warnings
    assert warning == f"{REGION}: {run.entry['note']}"
    assert "lacks secretsmanager:GetSecretValue" in warning


def test_a_token_is_written_blindly_if_asked_for_always(
    connection: Connection, aws: Aws, sandbox: Sandbox, restricted: dict[str, str]
) -> None:
    connection()
    run = connection("admin", update_token="always", **restricted)
    assert (run.action, run.warnings) == ("updated", [])
    assert aws.written_key() == f"Bearer {sandbox.tokens['admin']}"


def test_a_secret_that_cannot_be_asked_for_fails_the_region_and_nothing_is_written(connection: Connection, sandbox: Sandbox) -> None:
    connection()
    sandbox.add_fault({"error": {"status": 400, "code": "DecryptionFailure"}}, {"operation": "GetSecretValue"})
    sandbox.clear_calls()
    run = connection()
    assert (run.error["code"], writes(sandbox)) == ("DecryptionFailure", [])


@pytest.mark.parametrize("how", [{"ForceDeleteWithoutRecovery": True}, {"RecoveryWindowInDays": 7}], ids=["gone", "marked"])
def test_a_secret_that_was_deleted_by_hand_is_made_anew(connection: Connection, aws: Aws, sandbox: Sandbox, how: dict[str, Any]) -> None:
    connection()
    aws.secrets().delete_secret(SecretId=aws.described_connection()["SecretArn"], **how)
    assert connection().action == "updated"
    assert aws.written_key() == f"Bearer {sandbox.tokens['editor']}"
    assert connection().action == "unchanged"


# Authorisation


@pytest.mark.parametrize("update_token", ["changed", "always", "on_create"])
def test_a_connection_that_is_not_authorized_is_authorized_again_in_place(
    connection: Connection, aws: Aws, sandbox: Sandbox, update_token: str
) -> None:
    arn = connection().entry["connection"]["connection_arn"]
    aws.events().deauthorize_connection(Name=NAME)
    sandbox.clear_calls()
    predicted = connection(update_token=update_token, check=True)
    assert writes(sandbox) == []
    run = connection(update_token=update_token)
    assert (predicted.action, run.action) == ("reauthorized", "reauthorized")
    assert predicted.answer["diff"] == run.answer["diff"]
    assert writes(sandbox) == ["UpdateConnection"]
    assert run.entry["connection"]["connection_arn"] == arn
    assert run.entry["connection"]["connection_state"] == "AUTHORIZED"
    assert "state_reason" not in run.entry["connection"]
    assert aws.written_key() == f"Bearer {sandbox.tokens['editor']}"


def test_a_connection_that_aws_keeps_deauthorized_is_a_failure_with_awss_reason(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    connection()
    aws.events().deauthorize_connection(Name=NAME)
    sandbox.add_fault({"error": {"status": 200}}, {"operation": "UpdateConnection"})
    run = connection(wait_timeout=1)
    assert run.error["code"] == "Broken"
    assert run.error["message"].startswith(f"the connection {NAME} is DEAUTHORIZED: ")


def test_a_hidden_account_is_made_visible(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    parameters = {
        "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {sandbox.tokens['editor']}"},
        "InvocationHttpParameters": {"QueryStringParameters": [{"Key": "accountId", "Value": SPOT_ACCOUNT, "IsValueSecret": True}]},
    }
    aws.connection(sandbox.tokens["editor"], AuthParameters=parameters)
    run = connection()
    assert run.action == "updated"
    assert run.answer["diff"][0]["before"]["query_string_parameters"] == [{"key": "accountId", "value": "(hidden)"}]
    assert run.answer["diff"][0]["after"]["query_string_parameters"] == [{"key": "accountId", "value": SPOT_ACCOUNT}]
    assert connection().action == "unchanged"


def test_a_connection_of_another_authorization_type_is_changed_in_place(connection: Connection, aws: Aws) -> None:
    basic = {"BasicAuthParameters": {"Username": "somebody", "Password": "something"}}
    arn = aws.connection("", AuthorizationType="BASIC", AuthParameters=basic)
    run = connection()
    assert (run.action, run.entry["connection"]["connection_arn"]) == ("updated", arn)
    assert aws.described_connection()["AuthorizationType"] == "API_KEY"


# KMS


@pytest.mark.slow
def test_the_kms_key_is_set_kept_and_given_back(connection: Connection, aws: Aws) -> None:
    for alias in ("alias/spot", "alias/other"):
        aws.key(alias)
    keys = []
    for kms_key in (None, "alias/spot", None, "alias/spot", "alias/other", "", ""):
        run = connection(kms_key_identifier=kms_key)
        keys.append((run.action, aws.described_connection().get("KmsKeyIdentifier") or None))
    assert keys == [
        ("created", None),
        ("updated", "alias/spot"),
        ("unchanged", "alias/spot"),
        ("unchanged", "alias/spot"),
        ("updated", "alias/other"),
        ("updated", None),
        ("unchanged", None),
    ]


# Waiting


def test_aws_is_waited_for(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    sandbox.settings(state_seconds=1)
    assert connection().entry["connection"]["connection_state"] == "AUTHORIZED"
    assert connection("admin").entry["connection"]["connection_state"] == "AUTHORIZED"
    assert connection(state="absent").action == "deleted"
    assert aws.connection_names() == []


def test_aws_is_not_waited_for_if_told_so(connection: Connection, sandbox: Sandbox) -> None:
    sandbox.settings(state_seconds=20)
    run = connection(wait=False)
    assert (run.action, run.entry["connection"]["connection_state"]) == ("created", "CREATING")


def test_waiting_has_an_end_that_is_told(connection: Connection, sandbox: Sandbox) -> None:
    sandbox.settings(state_seconds=20)
    run = connection(wait_timeout=1)
    assert run.error["code"] == "Timeout"
    assert "still being changed by AWS after 1 seconds" in run.message


def test_a_connection_that_is_just_being_deleted_is_made_anew(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    arn = connection().entry["connection"]["connection_arn"]
    sandbox.settings(state_seconds=1)
    aws.events().delete_connection(Name=NAME)
    run = connection()
    assert run.action == "created"
    assert run.entry["connection"]["connection_arn"] != arn


def test_a_connection_that_is_just_being_made_is_waited_for_and_left_alone(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    connection()
    sandbox.settings(state_seconds=1)
    aws.events().update_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=same_parameters(sandbox))
    assert connection().action == "unchanged"


def same_parameters(sandbox: Sandbox) -> dict[str, Any]:
    return {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {sandbox.tokens['editor']}"}}


# Removal


def test_a_connection_that_others_use_is_kept_and_they_are_named(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    aws.destination(connection().entry["connection"]["connection_arn"], name="billing")
    for check in (True, False):
        run = connection(state="absent", check=check)
        assert run.error["code"] == "InUse"
        assert "used by API destination(s) billing" in run.message
    assert aws.connection_names() == [NAME]


@pytest.mark.parametrize(("destination", "option"), [(NAME, None), ("billing", "billing")])
def test_the_destination_that_goes_with_it_does_not_hinder(connection: Connection, aws: Aws, destination: str, option: str | None) -> None:
    aws.destination(connection().entry["connection"]["connection_arn"], name=destination)
    assert connection(state="absent", api_destination=option).action == "deleted"
    assert aws.connection_names() == []


def test_a_removal_needs_neither_token_nor_account(run: Runner, connection: Connection, aws: Aws) -> None:
    connection()
    assert run("spot_eventbridge_connection", name=NAME, state="absent", regions=[REGION]).action == "deleted"
    assert aws.connection_names() == []


def test_a_connection_of_another_name_is_nobodys_business(connection: Connection, aws: Aws, sandbox: Sandbox) -> None:
    other = "spot-interruption-act-5a9d1c02"
    aws.connection(sandbox.tokens["admin"], name=other)
    described = aws.described_connection(name=other)
    connection()
    connection(state="absent")
    assert {**aws.described_connection(name=other), "ResponseMetadata": 0} == {**described, "ResponseMetadata": 0}


# Lost answers


@pytest.mark.parametrize("state_seconds", [0, 0.6])
def test_an_answer_that_is_lost_after_it_was_created(connection: Connection, aws: Aws, sandbox: Sandbox, state_seconds: float) -> None:
    sandbox.settings(state_seconds=state_seconds)
    sandbox.add_fault({"lost_answer": True}, {"operation": "CreateConnection"}, times=1)
    run = connection()
    assert (run.failed, run.action, run.changed) == (False, "created", True)
    assert run.entry["connection"]["connection_state"] == "AUTHORIZED"
    assert aws.connection_names() == [NAME]
    assert connection().action == "unchanged"


@pytest.mark.parametrize("state_seconds", [0, 0.6])
def test_an_answer_that_is_lost_after_it_was_updated(connection: Connection, aws: Aws, sandbox: Sandbox, state_seconds: float) -> None:
    connection()
    sandbox.settings(state_seconds=state_seconds)
    sandbox.add_fault({"lost_answer": True}, {"operation": "UpdateConnection"}, times=1)
    assert connection("admin").action == "updated"
    assert aws.written_key() == f"Bearer {sandbox.tokens['admin']}"
    assert connection("admin").action == "unchanged"


@pytest.mark.parametrize("state_seconds", [0, 0.6])
def test_an_answer_that_is_lost_after_it_was_deleted(connection: Connection, aws: Aws, sandbox: Sandbox, state_seconds: float) -> None:
    connection()
    sandbox.settings(state_seconds=state_seconds)
    sandbox.add_fault({"lost_answer": True}, {"operation": "DeleteConnection"}, times=1)
    assert connection(state="absent").action == "deleted"
    assert aws.connection_names() == []
