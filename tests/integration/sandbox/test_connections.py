# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox.integration import NAME, REGION, Integration
from tests.sandbox.client import Sandbox


def secret(sandbox: Sandbox, events: Any) -> dict[str, Any]:
    arn = events.describe_connection(Name=NAME)["SecretArn"]
    return json.loads(sandbox.boto3("secretsmanager", REGION).get_secret_value(SecretId=arn)["SecretString"])


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def eventually(state: Callable[[], Any], wanted: Any) -> None:
    end = time.monotonic() + 10
    while state() != wanted:
        assert time.monotonic() < end, state()
        time.sleep(0.02)


def test_create_answers_authorized_at_once(integration: Integration) -> None:
    assert integration.connection("a token that Spot never made")["ConnectionState"] == "AUTHORIZED"


def test_create_on_an_existing_name_is_refused(integration: Integration) -> None:
    integration.connection()
    assert refusal(integration.connection) == "ResourceAlreadyExistsException"


@pytest.mark.parametrize("name", ["with space", "n" * 65, "umläut"])
def test_a_name_outside_of_the_pattern_is_refused(integration: Integration, events: Any, name: str) -> None:
    parameters = integration.parameters()
    code = refusal(events.create_connection, Name=name, AuthorizationType="API_KEY", AuthParameters=parameters)
    assert code == "ValidationException"


@pytest.mark.parametrize("token", ["with:colon", "with\nnewline", "t" * 506])
def test_an_api_key_that_aws_does_not_take_is_refused(integration: Integration, token: str) -> None:
    assert refusal(integration.connection, token=token) == "ValidationException"


def test_a_refusal_does_not_repeat_the_api_key(integration: Integration) -> None:
    with pytest.raises(ClientError) as error:
        integration.connection("hush:hush")
    assert "hush" not in str(error.value)


def test_the_longest_api_key_is_taken(integration: Integration) -> None:
    assert integration.connection("t" * 505)["ConnectionState"] == "AUTHORIZED"


def test_parameters_of_another_type_are_refused(integration: Integration, events: Any) -> None:
    parameters = integration.parameters()
    code = refusal(events.create_connection, Name=NAME, AuthorizationType="BASIC", AuthParameters=parameters)
    assert code == "ValidationException"


def test_describe_shows_the_key_name_but_no_key(integration: Integration, events: Any) -> None:
    integration.connection()
    shown = events.describe_connection(Name=NAME)["AuthParameters"]["ApiKeyAuthParameters"]
    assert shown == {"ApiKeyName": "Authorization"}


def test_describe_shows_the_values_that_are_not_said_to_be_secret(integration: Integration, events: Any) -> None:
    parameters = integration.parameters()
    parameters["InvocationHttpParameters"]["QueryStringParameters"] = [
        {"Key": "shown", "Value": "1", "IsValueSecret": False},
        {"Key": "hidden", "Value": "2", "IsValueSecret": True},
        {"Key": "unsaid", "Value": "3"},
    ]
    events.create_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=parameters)
    shown = events.describe_connection(Name=NAME)["AuthParameters"]["InvocationHttpParameters"]
    assert [(item["Key"], item.get("Value")) for item in shown["QueryStringParameters"]] == [
        ("shown", "1"),
        ("hidden", None),
        ("unsaid", "3"),
    ]


def test_describe_keeps_description_and_key_and_times(integration: Integration, events: Any) -> None:
    integration.connection(Description="to Spot", KmsKeyIdentifier="alias/spot")
    shown = events.describe_connection(Name=NAME)
    assert (shown["Description"], shown["KmsKeyIdentifier"]) == ("to Spot", "alias/spot")
    assert shown["LastAuthorizedTime"] >= shown["CreationTime"]
    assert "StateReason" not in shown


def test_an_unknown_connection_is_not_found(events: Any, integration: Integration) -> None:
    for call in (events.describe_connection, events.delete_connection, events.deauthorize_connection):
        assert refusal(call, Name="nothing") == "ResourceNotFoundException"
    assert refusal(integration.update) == "ResourceNotFoundException"


def test_the_secret_holds_the_key_and_the_parameters(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    integration.connection()
    assert secret(sandbox, events) == {
        "api_key_name": "Authorization",
        "api_key_value": f"Bearer {sandbox.tokens['editor']}",
        "invocation_http_parameters": {
            "query_string_parameters": [{"key": "accountId", "value": "act-d7320fba", "is_value_secret": False}]
        },
    }


def test_the_secret_is_named_after_the_connection(integration: Integration, events: Any) -> None:
    integration.connection()
    assert f":secret:events!connection/{NAME}/" in events.describe_connection(Name=NAME)["SecretArn"]


def test_update_puts_a_new_version_into_the_same_secret(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    integration.connection("viewer")
    before = events.describe_connection(Name=NAME)
    integration.update("editor")
    after = events.describe_connection(Name=NAME)
    assert secret(sandbox, events)["api_key_value"] == f"Bearer {sandbox.tokens['editor']}"
    assert (after["ConnectionArn"], after["SecretArn"]) == (before["ConnectionArn"], before["SecretArn"])


def test_update_keeps_what_is_left_out(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    integration.connection(Description="to Spot")
    key = {"ApiKeyAuthParameters": {"ApiKeyValue": "Bearer new"}}
    events.update_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=key)
    kept = secret(sandbox, events)
    assert kept["invocation_http_parameters"]["query_string_parameters"][0]["value"] == "act-d7320fba"
    assert (kept["api_key_name"], kept["api_key_value"]) == ("Authorization", "Bearer new")
    assert events.describe_connection(Name=NAME)["Description"] == "to Spot"


def test_update_ignores_parameters_without_the_type(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    integration.connection("viewer")
    events.update_connection(Name=NAME, Description="new", AuthParameters=integration.parameters("editor"))
    assert secret(sandbox, events)["api_key_value"] == f"Bearer {sandbox.tokens['viewer']}"


def test_update_makes_the_secret_again_when_it_was_deleted(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    integration.connection()
    arn = events.describe_connection(Name=NAME)["SecretArn"]
    sandbox.boto3("secretsmanager", REGION).delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    integration.update()
    assert secret(sandbox, events)["api_key_value"] == f"Bearer {sandbox.tokens['editor']}"


def test_deauthorize_switches_connection_and_destination_off(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection())
    events.deauthorize_connection(Name=NAME)
    assert integration.states() == ("DEAUTHORIZED", "INACTIVE")
    assert events.describe_connection(Name=NAME)["StateReason"]


def test_update_heals_a_deauthorized_connection_and_its_destination(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection())
    events.deauthorize_connection(Name=NAME)
    integration.update()
    assert integration.states() == ("AUTHORIZED", "ACTIVE")
    assert "StateReason" not in events.describe_connection(Name=NAME)


def test_update_of_the_description_heals_nothing(integration: Integration, events: Any) -> None:
    integration.connection()
    events.deauthorize_connection(Name=NAME)
    events.update_connection(Name=NAME, Description="still broken")
    assert events.describe_connection(Name=NAME)["ConnectionState"] == "DEAUTHORIZED"


def test_delete_answers_deleting_and_takes_the_secret_along(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    integration.connection()
    assert events.delete_connection(Name=NAME)["ConnectionState"] == "DELETING"
    assert refusal(events.describe_connection, Name=NAME) == "ResourceNotFoundException"
    assert sandbox.boto3("secretsmanager", REGION).list_secrets()["SecretList"] == []


def test_deleting_a_connection_leaves_its_destination_inactive(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection())
    events.delete_connection(Name=NAME)
    assert events.describe_api_destination(Name=NAME)["ApiDestinationState"] == "INACTIVE"


def test_the_first_connection_makes_the_service_linked_role(sandbox: Sandbox, integration: Integration) -> None:
    integration.connection()
    role = sandbox.boto3("iam").get_role(RoleName="AWSServiceRoleForAmazonEventBridgeApiDestinations")["Role"]
    assert role["Path"] == "/aws-service-role/apidestinations.events.amazonaws.com/"


def test_a_connection_can_take_its_time(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    sandbox.settings(state_seconds=1)
    state: Callable[[], str] = lambda: events.describe_connection(Name=NAME)["ConnectionState"]  # noqa: E731
    assert integration.connection()["ConnectionState"] == "CREATING"
    eventually(state, "AUTHORIZING")
    eventually(state, "AUTHORIZED")
    assert integration.update()["ConnectionState"] == "UPDATING"
    eventually(state, "AUTHORIZED")
    assert events.delete_connection(Name=NAME)["ConnectionState"] == "DELETING"
    assert state() == "DELETING"
    eventually(lambda: events.list_connections()["Connections"], [])


def test_a_connection_that_changes_cannot_be_changed(sandbox: Sandbox, integration: Integration, events: Any) -> None:
    sandbox.settings(state_seconds=30)
    integration.connection()
    assert refusal(integration.update) == "ConcurrentModificationException"


def test_list_connections_goes_by_prefix_and_state(integration: Integration, events: Any) -> None:
    for name in ("spot-a", "spot-b", "other"):
        events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=integration.parameters())
    events.deauthorize_connection(Name="spot-b")
    listed = events.list_connections(NamePrefix="spot-", ConnectionState="AUTHORIZED")["Connections"]
    assert [item["Name"] for item in listed] == ["spot-a"]


def test_list_connections_comes_in_pages(integration: Integration, events: Any) -> None:
    for name in ("a", "b", "c"):
        events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=integration.parameters())
    first = events.list_connections(Limit=2)
    rest = events.list_connections(Limit=2, NextToken=first["NextToken"])
    assert [item["Name"] for page in (first, rest) for item in page["Connections"]] == ["a", "b", "c"]
    assert "NextToken" not in rest


def test_regions_and_accounts_are_apart(sandbox: Sandbox, integration: Integration) -> None:
    integration.connection()
    role = sandbox.boto3("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/spot", RoleSessionName="test")
    keys = role["Credentials"]
    other_account = sandbox.boto3(
        "events",
        REGION,
        keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert other_account.list_connections()["Connections"] == []
    assert sandbox.boto3("events", "us-east-1").list_connections()["Connections"] == []


def test_create_destination_on_an_existing_name_is_refused(integration: Integration) -> None:
    connection = integration.connection()
    integration.destination(connection)
    assert refusal(integration.destination, connection=connection) == "ResourceAlreadyExistsException"


def test_a_destination_needs_a_connection_that_exists(integration: Integration, events: Any) -> None:
    connection = integration.connection()
    events.delete_connection(Name=NAME)
    assert refusal(integration.destination, connection=connection) == "ResourceNotFoundException"


@pytest.mark.parametrize("url", ["http://api.spotinst.io/x", "https://api.spotinst.io/a b", "ftp://127.0.0.1/"])
def test_an_endpoint_that_is_no_https_url_is_refused(integration: Integration, url: str) -> None:
    assert refusal(integration.destination, connection=integration.connection(), url=url) == "ValidationException"


def test_the_default_rate_limit_is_300(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection())
    assert events.describe_api_destination(Name=NAME)["InvocationRateLimitPerSecond"] == 300


def test_update_destination_keeps_what_is_left_out(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection(), InvocationRateLimitPerSecond=10, Description="to Spot")
    events.update_api_destination(Name=NAME, HttpMethod="PUT")
    shown = events.describe_api_destination(Name=NAME)
    assert (shown["InvocationRateLimitPerSecond"], shown["HttpMethod"]) == (10, "PUT")
    assert shown["Description"] == "to Spot"


def test_update_destination_can_change_connection_and_endpoint(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection())
    other = events.create_connection(Name="other", AuthorizationType="API_KEY", AuthParameters=integration.parameters())["ConnectionArn"]
    events.update_api_destination(Name=NAME, ConnectionArn=other, InvocationEndpoint="https://api.spotinst.io/new")
    shown = events.describe_api_destination(Name=NAME)
    assert (shown["ConnectionArn"], shown["InvocationEndpoint"]) == (other, "https://api.spotinst.io/new")


def test_an_unknown_destination_is_not_found(events: Any) -> None:
    for call in (events.describe_api_destination, events.update_api_destination, events.delete_api_destination):
        assert refusal(call, Name="nothing") == "ResourceNotFoundException"


def test_list_destinations_goes_by_connection(integration: Integration, events: Any) -> None:
    integration.destination(integration.connection())
    other = events.create_connection(Name="other", AuthorizationType="API_KEY", AuthParameters=integration.parameters())["ConnectionArn"]
    assert events.list_api_destinations(ConnectionArn=other)["ApiDestinations"] == []
    assert [item["Name"] for item in events.list_api_destinations(NamePrefix="spot-")["ApiDestinations"]] == [NAME]
