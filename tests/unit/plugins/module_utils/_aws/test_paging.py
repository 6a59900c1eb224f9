# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination, others
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

ENDPOINT = "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"
DESTINATION = "arn:aws:events:eu-west-1:123456789012:api-destination/theirs/1"
CONNECTION = "arn:aws:events:eu-west-1:123456789012:connection/theirs/1"


def stubbed(service: str) -> tuple[t.Any, Stubber]:
    client = boto3.client(service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    return client, Stubber(client)


@pytest.mark.parametrize(
    ("service", "operation", "key", "token"),
    [
        pytest.param("events", "list_rules", "Rules", "NextToken", id="with a paginator"),
        pytest.param("events", "list_api_destinations", "ApiDestinations", "NextToken", id="without a paginator"),
        pytest.param("fis", "list_experiment_templates", "experimentTemplates", "nextToken", id="with a small first letter"),
    ],
)
def test_a_list_is_read_to_its_last_page(service: str, operation: str, key: str, token: str) -> None:
    client, stub = stubbed(service)
    name = "Name" if service == "events" else "id"
    stub.add_response(operation, {key: [{name: "one"}], token: "2"}, {})
    stub.add_response(operation, {key: [], token: "3"}, {token: "2"})
    stub.add_response(operation, {key: [{name: "two"}, {name: "three"}]}, {token: "3"})
    with stub:
        assert [item[name] for item in items(client, operation, key)] == ["one", "two", "three"]
    stub.assert_no_pending_responses()


def test_the_arguments_go_with_every_page() -> None:
    client, stub = stubbed("events")
    stub.add_response("list_rules", {"Rules": [], "NextToken": "2"}, {"NamePrefix": "x"})
    stub.add_response("list_rules", {"Rules": [{"Name": "x"}]}, {"NamePrefix": "x", "NextToken": "2"})
    stub.add_response("list_api_destinations", {"ApiDestinations": [], "NextToken": "2"}, {"ConnectionArn": CONNECTION})
    stub.add_response("list_api_destinations", {"ApiDestinations": [{"Name": "y"}]}, {"ConnectionArn": CONNECTION, "NextToken": "2"})
    with stub:
        assert [item["Name"] for item in items(client, "list_rules", "Rules", NamePrefix="x")] == ["x"]
        assert [item["Name"] for item in items(client, "list_api_destinations", "ApiDestinations", ConnectionArn=CONNECTION)] == ["y"]


def test_a_page_is_requested_only_when_it_is_needed() -> None:
    client, stub = stubbed("events")
    stub.add_response("list_api_destinations", {"ApiDestinations": [{"Name": "one"}], "NextToken": "2"}, {})
    with stub:
        assert next(items(client, "list_api_destinations", "ApiDestinations"))["Name"] == "one"


def test_the_rules_of_another_destination_are_read_from_all_pages() -> None:
    client, stub = stubbed("events")
    listed = {"Name": "theirs", "ApiDestinationArn": DESTINATION, "ConnectionArn": CONNECTION, "InvocationEndpoint": ENDPOINT}
    stub.add_response("list_api_destinations", {"ApiDestinations": [], "NextToken": "2"}, {})
    stub.add_response("list_api_destinations", {"ApiDestinations": [listed]}, {"NextToken": "2"})
    stub.add_client_error("describe_connection", "AccessDeniedException")
    stub.add_response("list_rule_names_by_target", {"RuleNames": ["one"], "NextToken": "2"}, {"TargetArn": DESTINATION})
    stub.add_response("list_rule_names_by_target", {"RuleNames": ["two"]}, {"TargetArn": DESTINATION, "NextToken": "2"})
    with stub:
        found = others(Region("eu-west-1", "aws", {"events": client}), "ours", ENDPOINT)
    assert found == (OtherDestination("theirs", None, ("one", "two")),)
