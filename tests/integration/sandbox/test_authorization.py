# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox asks for the resources that AWS's service authorization reference names, and evaluates policies with them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from tests.sandbox import moto_app
from tests.sandbox.authorization import needs
from tests.sandbox.aws import Call
from tests.sandbox.client import Sandbox
from tests.sandbox.server import Request
from tests.tools.policies import faults

ACCOUNT, REGION, NAME = "123456789012", "eu-west-1", "spot"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/spot"
CONNECTION = f"arn:aws:events:{REGION}:{ACCOUNT}:connection/spot/1"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/spot"
QUEUE = f"https://sqs/{ACCOUNT}/spot"
FIS_ACTIONS = {"interrupt": {"actionId": "aws:ec2:send-spot-instance-interruptions"}}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    *(("events", f"{verb}Connection", {"Name": NAME}) for verb in ("Create", "Update", "Describe", "Delete")),
    ("events", "CreateApiDestination", {"Name": NAME, "ConnectionArn": CONNECTION}),
    *(("events", f"{verb}ApiDestination", {"Name": NAME}) for verb in ("Update", "Delete")),
    ("events", "PutRule", {"Name": NAME, "Tags": [{"Key": "a", "Value": "b"}]}),
    *(("events", f"{verb}Rule", {"Name": NAME}) for verb in ("Describe", "Delete")),
    ("events", "PutTargets", {"Rule": NAME, "Targets": [{"RoleArn": ROLE}]}),
    *(("events", operation, {"Rule": NAME}) for operation in ("RemoveTargets", "ListTargetsByRule")),
    *(("events", f"{verb}Resource", {"ResourceARN": RULE}) for verb in ("Tag", "Untag", "ListTagsFor")),
    ("events", "PutEvents", {"Entries": [{}]}),
    *(("events", operation, {}) for operation in ("ListRules", "ListApiDestinations", "ListRuleNamesByTarget", "TestEventPattern")),
    *(("sqs", operation, {"QueueName": NAME, "tags": {"a": "b"}}) for operation in ("CreateQueue", "GetQueueUrl")),
    *(("sqs", operation, {"QueueUrl": QUEUE}) for operation in ("DeleteQueue", "GetQueueAttributes", "ReceiveMessage", "TagQueue")),
    ("secretsmanager", "GetSecretValue", {"SecretId": NAME}),
    ("iam", "CreateRole", {"RoleName": NAME, "Path": "/", "Tags.member.1.Key": "a"}),
    *(("iam", operation, {"RoleName": NAME}) for operation in ("GetRole", "PutRolePolicy", "UpdateAssumeRolePolicy")),
    ("iam", "GetPolicy", {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/spot"}),
    ("cloudformation", "CreateStack", {"StackName": NAME, "RoleARN": ROLE, "Tags.member.1.Key": "a"}),
    *(("cloudformation", operation, {"StackName": NAME}) for operation in ("DeleteStack", "GetTemplate", "DescribeStackEvents")),
    ("cloudformation", "DescribeStackResources", {"PhysicalResourceId": NAME}),
    ("cloudformation", "GetTemplateSummary", {"TemplateBody": "{}"}),
    ("cloudformation", "CreateStackSet", {"StackSetName": NAME, "AdministrationRoleARN": ROLE}),
    *(("cloudformation", f"{verb}StackInstances", {"StackSetName": NAME}) for verb in ("Create", "Update", "Delete", "List")),
    ("organizations", "ListAccountsForParent", {"ParentId": "ou-ab12-11111111"}),
    ("organizations", "ListOrganizationalUnitsForParent", {"ParentId": "r-ab12"}),
    ("organizations", "DescribeOrganization", {}),
    ("fis", "POST /experimentTemplates", {"tags": {"a": "b"}, "actions": FIS_ACTIONS, "roleArn": ROLE}),
    ("fis", "POST /experiments", {"experimentTemplateId": "EXT1"}),
    ("fis", "GET /experiments/EXP1", {}),
    ("fis", "GET /experimentTemplates", {}),
    ("fis", "DELETE /experimentTemplates/EXT1", {}),
    ("sts", "AssumeRole", {"RoleArn": ROLE}),
    ("ec2", "DescribeRegions", {}),
    ("cloudwatch", "GetMetricData", {}),
]


def call(service: str, operation: str, body: dict[str, Any]) -> Call:
    is_form = service in ("iam", "cloudformation", "sts", "ec2")
    content = urlencode(body) if is_form else json.dumps(body)
    request = Request("POST", "/", {}, content.encode())
    return Call(service, service, REGION, "KEY", ACCOUNT, operation, request, {"Action": operation, **body} if is_form else {})


@pytest.mark.parametrize(("service", "operation", "body"), CALLS, ids=[f"{service}-{operation}" for service, operation, _ in CALLS])
def test_resources_are_those_of_the_reference(service: str, operation: str, body: dict[str, Any]) -> None:
    moto_app.reset()
    for need in needs(call(service, operation, body)):
        condition = {"StringEquals": dict(need.context)}
        statement = {"Effect": "Allow", "Action": need.action, "Resource": list(need.resources), "Condition": condition}
        found = faults({"Version": "2012-10-17", "Statement": [statement]})
        # What else an action needs, and further resources, are needs of their own.
        assert [fault for fault in found if "also needs" not in fault and "has no resource of the type" not in fault] == []


def test_a_service_linked_role_is_needed_once() -> None:
    moto_app.reset()
    creation = call("events", "CreateConnection", {"Name": NAME})
    assert "iam:CreateServiceLinkedRole" in {need.action for need in needs(creation)}


def allow(action: str | list[str], resource: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_policy_allows_its_resources_and_no_other(sandbox: Sandbox) -> None:
    sandbox.permit("LIMITED", [allow("events:PutRule", f"arn:aws:events:*:{ACCOUNT}:rule/mine-*")])
    events = sandbox.boto3("events", REGION, access_key="LIMITED")
    pattern = json.dumps({"source": ["aws.ec2"]})
    events.put_rule(Name="mine-1", EventPattern=pattern)
    with pytest.raises(ClientError, match=r"not authorized to perform: events:PutRule on resource: .*:rule/theirs"):
        events.put_rule(Name="theirs", EventPattern=pattern)
    assert sandbox.permissions_used("LIMITED") == {"events:PutRule"}


def test_an_action_without_resources_is_refused_where_a_resource_is_named(sandbox: Sandbox) -> None:
    sandbox.permit("LIMITED", [allow("events:ListRules", f"arn:aws:events:*:{ACCOUNT}:rule/*")])
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.boto3("events", REGION, access_key="LIMITED").list_rules()


def test_a_condition_decides(sandbox: Sandbox) -> None:
    pass_on = allow("iam:PassRole", ROLE, StringEquals={"iam:PassedToService": "cloudformation.amazonaws.com"})
    sandbox.permit("LIMITED", ["events:*", pass_on])
    events = sandbox.boto3("events", REGION, access_key="LIMITED")
    events.put_rule(Name="mine", EventPattern=json.dumps({"source": ["aws.ec2"]}))
    with pytest.raises(ClientError, match="iam:PassRole"):
        events.put_targets(Rule="mine", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:x", "RoleArn": ROLE}])


def test_a_denial_wins(sandbox: Sandbox) -> None:
    denied = {"Statement": [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]}
    sandbox.permit("LIMITED", ["sqs:*", denied])
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.boto3("sqs", REGION, access_key="LIMITED").create_queue(QueueName="mine")
