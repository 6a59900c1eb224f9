# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import (
    DIFFERS,
    MATCHES,
    NOT_COMPARED,
    ExistingConnection,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

NAME = "spot-interruption-act-d7320fba"
TOKEN = "0123456789secretTOKEN"
ARN = f"arn:aws:events:eu-west-1:123456789012:connection/{NAME}/0f1e"
DESIRED = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, description="warnings")
AUTHORIZATION = {
    "AuthorizationType": "API_KEY",
    "AuthParameters": {
        "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {TOKEN}"},
        "InvocationHttpParameters": {"QueryStringParameters": [{"Key": "accountId", "Value": "act-d7320fba", "IsValueSecret": False}]},
    },
}


def described(**changes: t.Any) -> dict[str, t.Any]:
    """What AWS tells about a connection that is as wanted, but for `changes`."""
    answer: dict[str, t.Any] = {
        "connection_arn": ARN,
        "name": NAME,
        "description": "warnings",
        "connection_state": "AUTHORIZED",
        "authorization_type": "API_KEY",
        "secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:events!connection/x/1-abc",
        "auth_parameters": {
            "api_key_auth_parameters": {"api_key_name": "Authorization"},
            "invocation_http_parameters": {
                "query_string_parameters": [{"key": "accountId", "value": "act-d7320fba", "is_value_secret": False}]
            },
        },
    }
    return {**answer, **changes}


def with_parameters(*parameters: dict[str, t.Any]) -> dict[str, t.Any]:
    answer = copy.deepcopy(described())
    answer["auth_parameters"]["invocation_http_parameters"]["query_string_parameters"] = list(parameters)
    return answer


def with_api_key_name(name: str) -> dict[str, t.Any]:
    answer = copy.deepcopy(described())
    answer["auth_parameters"]["api_key_auth_parameters"]["api_key_name"] = name
    return answer


def calls(plan: Plan) -> list[tuple[str, dict[str, t.Any]]]:
    return [(call.operation, dict(call.arguments)) for call in plan.calls]


def test_missing_connection_is_created_with_token_and_visible_account(region: Region) -> None:
    plan = DESIRED.plan(region, None)
    assert plan.action == "created"
    assert calls(plan) == [("create_connection", {"Name": NAME, "Description": "warnings", **AUTHORIZATION})]


def test_a_kms_key_is_given_when_the_connection_is_created(region: Region) -> None:
    plan = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, kms_key="alias/spot").plan(region, None)
    assert calls(plan)[0][1]["KmsKeyIdentifier"] == "alias/spot"


def test_connection_as_desired_is_unchanged(region: Region) -> None:
    current = ExistingConnection(described(), token=MATCHES)
    plan = DESIRED.plan(region, current)
    assert (plan.action, plan.calls, plan.note) == ("unchanged", (), None)
    assert plan.document == described()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(described(authorization_type="BASIC"), id="another authorization type"),
        pytest.param(with_api_key_name("X-Api-Key"), id="another header"),
        pytest.param(with_parameters(), id="no account"),
        pytest.param(with_parameters({"key": "accountId", "value": "act-00000000", "is_value_secret": False}), id="another account"),
        pytest.param(with_parameters({"key": "accountId", "is_value_secret": True}), id="an account that is hidden"),
        pytest.param(
            with_parameters(
                {"key": "accountId", "value": "act-d7320fba", "is_value_secret": False},
                {"key": "debug", "value": "1", "is_value_secret": False},
            ),
            id="a parameter too many",
        ),
    ],
)
def test_authorization_with_drift_is_updated_in_place(region: Region, found: dict[str, t.Any]) -> None:
    plan = DESIRED.plan(region, ExistingConnection(found, token=MATCHES))
    assert plan.action == "updated"
    assert calls(plan) == [("update_connection", {"Name": NAME, **AUTHORIZATION})]


def test_description_with_drift_is_updated_without_the_token(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingConnection(described(description="by hand"), token=MATCHES))
    assert plan.action == "updated"
    assert calls(plan) == [("update_connection", {"Name": NAME, "Description": "warnings"})]


def test_token_that_differs_is_updated(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingConnection(described(), token=DIFFERS))
    assert plan.action == "updated"
    assert calls(plan) == [("update_connection", {"Name": NAME, **AUTHORIZATION})]
    assert (plan.before or {})["token"] == "differs"
    assert (plan.after or {})["token"] == "current"


@pytest.mark.parametrize(("update_token", "written"), [("changed", False), ("on_create", False), ("always", True)])
def test_uncompared_token_is_updated_only_with_update_always(region: Region, update_token: str, written: bool) -> None:
    desired = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, description="warnings", update_token=update_token)
    plan = desired.plan(region, ExistingConnection(described(), token=NOT_COMPARED))
    assert bool(plan.calls) == written


@pytest.mark.parametrize("update_token", ["changed", "on_create", "always"])
@pytest.mark.parametrize("state", ["DEAUTHORIZED", "FAILED_CONNECTIVITY", "ACTIVE"])
def test_a_connection_that_is_not_authorized_is_authorized_again_in_place(region: Region, state: str, update_token: str) -> None:
    desired = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, description="warnings", update_token=update_token)
    plan = desired.plan(region, ExistingConnection(described(connection_state=state)))
    assert plan.action == "reauthorized"
    assert calls(plan) == [("update_connection", {"Name": NAME, **AUTHORIZATION})]


def test_deauthorized_connection_is_broken_with_the_reason_of_aws(region: Region) -> None:
    current = ExistingConnection(described(connection_state="DEAUTHORIZED", state_reason="401 from the endpoint"))
    assert DESIRED.broken(current) == f"the connection {NAME} is DEAUTHORIZED: 401 from the endpoint"


def test_a_repair_predicts_a_connection_without_the_reason_of_its_loss(region: Region) -> None:
    current = ExistingConnection(described(connection_state="DEAUTHORIZED", state_reason="401 from the endpoint"))
    assert DESIRED.plan(region, current).document == described()


@pytest.mark.parametrize(
    ("kms_key", "found", "arguments"),
    [
        pytest.param(None, "alias/theirs", None, id="not given: stays"),
        pytest.param("alias/ours", "alias/ours", None, id="the same: stays"),
        pytest.param("alias/ours", None, {"Name": NAME, "KmsKeyIdentifier": "alias/ours"}, id="none yet: set"),
        pytest.param("alias/ours", "alias/theirs", {"Name": NAME, "KmsKeyIdentifier": "alias/ours"}, id="another: set"),
        pytest.param("", "alias/theirs", {"Name": NAME, "KmsKeyIdentifier": ""}, id="empty: back to AWS's"),
        pytest.param("", None, None, id="empty and AWS's already: stays"),
    ],
)
def test_the_kms_key(region: Region, kms_key: str | None, found: str | None, arguments: dict[str, str] | None) -> None:
    desired = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, description="warnings", kms_key=kms_key)
    plan = desired.plan(region, ExistingConnection(described(kms_key_identifier=found), token=MATCHES))
    assert calls(plan) == ([("update_connection", arguments)] if arguments else [])


def test_aws_managed_kms_key_is_predicted_as_none(region: Region) -> None:
    desired = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, description="warnings", kms_key="")
    plan = desired.plan(region, ExistingConnection(described(kms_key_identifier="alias/theirs"), token=MATCHES))
    assert not (plan.document or {}).get("kms_key_identifier")


def test_unread_secret_is_noted_without_a_change(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingConnection(described(), token_unread="no permission"))
    assert plan.action == "unchanged"
    assert plan.note == "not checked whether the token is current: no permission. update_token=always writes it in any case."


def test_the_arn_stays_when_a_connection_is_updated(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingConnection(described(description="by hand"), token=DIFFERS))
    assert (plan.document or {})["connection_arn"] == ARN


def test_an_absent_connection_needs_no_removal(region: Region) -> None:
    plan = Connection(name=NAME, present=False).plan(region, None)
    assert (plan.action, plan.calls, plan.document) == ("unchanged", (), None)


def test_a_connection_is_removed_together_with_its_own_destination(region: Region) -> None:
    desired = Connection(name=NAME, present=False, api_destination=NAME)
    plan = desired.plan(region, ExistingConnection(described(), used_by=(NAME,)))
    assert (plan.action, calls(plan), plan.document) == ("deleted", [("delete_connection", {"Name": NAME})], None)


def test_connection_used_by_other_destinations_is_kept_with_a_note(region: Region) -> None:
    desired = Connection(name=NAME, present=False, api_destination=NAME)
    with pytest.raises(RegionError, match=r"used by API destination\(s\) audit, billing") as caught:
        desired.plan(region, ExistingConnection(described(), used_by=(NAME, "audit", "billing")))
    assert caught.value.failure.code == "InUse"


@pytest.mark.parametrize(
    "current",
    [
        pytest.param(None, id="created"),
        pytest.param(ExistingConnection(described(), token=DIFFERS), id="updated"),
        pytest.param(ExistingConnection(described(connection_state="DEAUTHORIZED")), id="reauthorized"),
        pytest.param(ExistingConnection(described(), token_unread="denied"), id="unchanged with a note"),
    ],
)
def test_shown_parts_of_a_plan_have_no_token(region: Region, current: ExistingConnection | None) -> None:
    plan = DESIRED.plan(region, current)
    shown = [
        repr(plan),
        repr(plan.calls),
        repr(DESIRED),
        repr(current),
        json.dumps([plan.before, plan.after, plan.document]),
        plan.note or "",
    ]
    assert not [text for text in shown if TOKEN in text]


@pytest.mark.parametrize(
    ("state", "rests"),
    [(state, True) for state in ("AUTHORIZED", "DEAUTHORIZED", "FAILED_CONNECTIVITY", "ACTIVE")]
    + [(state, False) for state in ("CREATING", "UPDATING", "AUTHORIZING", "DEAUTHORIZING", "DELETING")],
)
def test_connection_is_waited_for_in_transitional_states(state: str, rests: bool) -> None:
    assert DESIRED.settled(ExistingConnection(described(connection_state=state))) == rests


# Reading, as far as the sandbox does not do it


class Events:
    """EventBridge with one connection, in the words of boto3."""

    def __init__(self, **changes: t.Any) -> None:
        self.answer = {
            "ConnectionArn": ARN,
            "Name": NAME,
            "ConnectionState": "AUTHORIZED",
            "AuthorizationType": "API_KEY",
            "SecretArn": "arn:secret",
            "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization"}},
            **changes,
        }
        self.pages = [
            {"ApiDestinations": [{"Name": "first", "ConnectionArn": ARN}], "NextToken": "2"},
            {"ApiDestinations": [{"Name": "second", "ConnectionArn": ARN}]},
        ]
        self.tokens: list[str | None] = []

    def can_paginate(self, operation: str) -> bool:
        return False

    def describe_connection(self, Name: str) -> dict[str, t.Any]:  # noqa: N803
        assert Name == NAME
        return self.answer

    def list_api_destinations(self, ConnectionArn: str, NextToken: str | None = None) -> dict[str, t.Any]:  # noqa: N803
        assert ConnectionArn == ARN
        self.tokens.append(NextToken)
        return self.pages[int(NextToken or 1) - 1]


class Secrets:
    """Secrets Manager with one secret, or one refusal."""

    def __init__(self, text: str = "", error: Exception | None = None) -> None:
        self.text, self.error = text, error

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "arn:secret"
        if self.error:
            raise self.error
        return {"SecretString": self.text}


def read(desired: Connection, events: Events, secrets: Secrets | None = None) -> ExistingConnection:
    clients = {"events": events, **({"secretsmanager": secrets} if secrets else {})}
    found = desired.read(Region("eu-west-1", "aws", clients))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (json.dumps({"api_key_value": f"Bearer {TOKEN}"}), MATCHES),
        (json.dumps({"api_key_value": "Bearer another"}), DIFFERS),
        (json.dumps({"api_key_value": TOKEN}), DIFFERS),
        ("not JSON", NOT_COMPARED),
        (json.dumps({"password": "x"}), NOT_COMPARED),
        (json.dumps(["x"]), NOT_COMPARED),
    ],
)
def test_the_token_is_compared_with_the_managed_secret(text: str, outcome: str) -> None:
    assert read(DESIRED, Events(), Secrets(text)).token == outcome


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("ResourceNotFoundException", DIFFERS),
        ("InvalidRequestException", DIFFERS),
        ("AccessDeniedException", NOT_COMPARED),
    ],
)
def test_unreadable_secret_is_not_compared(refusal: t.Callable[..., Exception], code: str, outcome: str) -> None:
    found = read(DESIRED, Events(), Secrets(error=refusal(code)))
    assert found.token == outcome
    assert bool(found.token_unread) == (outcome == NOT_COMPARED)


def test_connection_without_a_secret_is_not_compared() -> None:
    found = read(DESIRED, Events(SecretArn=None), Secrets())
    assert (found.token, found.token_unread) == (NOT_COMPARED, "AWS did not name the connection's secret")


def test_other_errors_of_the_secret_are_raised(refusal: t.Callable[..., Exception]) -> None:
    with pytest.raises(Exception, match="InternalServiceError"):
        read(DESIRED, Events(), Secrets(error=refusal("InternalServiceError")))


@pytest.mark.parametrize(("update_token", "state"), [("always", "AUTHORIZED"), ("on_create", "AUTHORIZED"), ("changed", "DEAUTHORIZED")])
def test_secret_is_not_read_without_need(update_token: str, state: str) -> None:
    desired = Connection(name=NAME, spot_account="act-d7320fba", token=TOKEN, update_token=update_token)
    assert read(desired, Events(ConnectionState=state)).token == NOT_COMPARED


def test_api_key_value_in_a_response_is_removed() -> None:
    parameters = {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {TOKEN}"}}
    found = read(DESIRED, Events(AuthParameters=parameters, SecretArn=None))
    assert TOKEN not in repr(found)


def test_destinations_on_a_connection_are_looked_for_on_all_pages_before_a_removal() -> None:
    assert read(Connection(name=NAME, present=False), Events()).used_by == ("first", "second")


# Parameters


def parameters(**changes: t.Any) -> dict[str, t.Any]:
    return {
        "name": NAME,
        "state": "present",
        "spot_account": "act-d7320fba",
        "spot_token": TOKEN,
        "description": "warnings",
        "kms_key_identifier": None,
        "update_token": "changed",
        "api_destination": None,
        **changes,
    }


class Regions:
    names = ("eu-west-1",)


def from_parameters(**changes: t.Any) -> Connection:
    return Connection.from_parameters(parameters(**changes), t.cast("t.Any", Regions()))


def test_parameters_become_the_desired_state() -> None:
    assert from_parameters() == DESIRED


def test_removal_needs_neither_token_nor_account() -> None:
    assert from_parameters(state="absent", spot_token=None, spot_account=None) == Connection(NAME, present=False, api_destination=NAME)


def test_a_removal_may_name_the_destination_that_goes_with_it() -> None:
    assert from_parameters(state="absent", api_destination="other").api_destination == "other"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"spot_account": None},
        {"name": "a b"},
        {"spot_account": "act-1"},
        {"spot_token": None},
        {"spot_token": f"{TOKEN}:"},
        {"name": "a" * 65},
        {"kms_key_identifier": "alias/aws/secretsmanager"},
        {"kms_key_identifier": "arn:aws:kms:us-east-1:123456789012:key/1f"},
    ],
)
def test_invalid_parameters_are_errors_without_the_token(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError) as caught:
        from_parameters(**wrong)
    assert TOKEN not in str(caught.value)
