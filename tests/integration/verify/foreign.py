# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Integrations as others make them: by Spot's template, in the console, with Terraform, with the CDK."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.integration.playbooks.runner import AWS_ACCOUNT, SPOT_ACCOUNT
from tests.sandbox.client import NOTIFICATION, Sandbox

PATTERN = json.dumps({"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]})
SPOT = f"https://api.spotinst.io{NOTIFICATION}"
# As Terraform's and the console's names are: free.
RULE, DESTINATION, CONNECTION, QUEUE, ROLE = "my-rule", "my-dest", "my-conn", "my-letters", "my-role"
PUBLISHED = (
    "https://spotinst-public.s3.amazonaws.com/assets/cloudformation/templates/spot-interruption-notification-event-bridge-template.json"
)


@dataclass
class Foreign:
    """An integration that somebody else made in one region.

    Args:
        endpoint: what it sends to.
        account: the query parameter of the connection; None for none.
        hidden: whether the connection hides that parameter.
        target: further parts of the target.
        bus: the event bus of the rule; to another than the default one, a rule of the default one forwards.
    """

    sandbox: Sandbox
    region: str
    endpoint: str = SPOT
    account: str | None = SPOT_ACCOUNT
    hidden: bool = False
    target: dict[str, Any] = field(default_factory=dict)
    bus: str = "default"

    def __post_init__(self) -> None:
        self.events, self.sqs = (self.sandbox.boto3(service, self.region) for service in ("events", "sqs"))
        self.iam = self.sandbox.boto3("iam")
        self.role = f"{ROLE}-{self.region}"

    def make(self) -> None:
        """Make all of it: connection, destination, role, queue, rule and target."""
        key = {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {self.sandbox.tokens['admin']}"}
        parameters: dict[str, Any] = {"ApiKeyAuthParameters": key}
        if self.account:
            value = {"Key": "accountId", "Value": self.account, "IsValueSecret": self.hidden}
            parameters["InvocationHttpParameters"] = {"QueryStringParameters": [value]}
        connection = self.events.create_connection(Name=CONNECTION, AuthorizationType="API_KEY", AuthParameters=parameters)
        destination = self.events.create_api_destination(
            Name=DESTINATION, ConnectionArn=connection["ConnectionArn"], InvocationEndpoint=self.endpoint, HttpMethod="POST"
        )["ApiDestinationArn"]
        target = {
            "Id": "1",
            "Arn": destination,
            "RoleArn": self.make_role(destination),
            "DeadLetterConfig": {"Arn": self.make_queue(QUEUE, RULE)},
            **self.target,
        }
        if self.bus != "default":
            bus = self.events.create_event_bus(Name=self.bus)["EventBusArn"]
            self.events.put_rule(Name="forward", EventPattern=PATTERN)
            self.events.put_targets(Rule="forward", Targets=[{"Id": "1", "Arn": bus, "RoleArn": target["RoleArn"]}])
        self.events.put_rule(Name=RULE, EventPattern=PATTERN, EventBusName=self.bus)
        self.events.put_targets(Rule=RULE, Targets=[target], EventBusName=self.bus)

    def make_role(self, destination: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn = self.iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": ["events:InvokeApiDestination"], "Resource": [destination]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.iam.put_role_policy(RoleName=self.role, PolicyName="send", PolicyDocument=policy)
        return str(arn)

    def make_queue(self, name: str, rule: str) -> str:
        arn = f"arn:aws:sqs:{self.region}:{AWS_ACCOUNT}:{name}"
        statement = {
            "Sid": "Dead-letter queue permissions",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{self.region}:{AWS_ACCOUNT}:rule/{rule}"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy})
        return arn


def published_stack(sandbox: Sandbox, region: str) -> None:
    """Make a stack of Spot's template, which hides the account: CloudFormation takes a value as secret by default."""
    cloudformation = sandbox.boto3("cloudformation", region)
    given = {"AccountId": SPOT_ACCOUNT, "Token": sandbox.tokens["admin"]}
    cloudformation.create_stack(
        StackName="of-spot",
        TemplateURL=PUBLISHED,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="of-spot", WaiterConfig={"Delay": 1})


def there(sandbox: Sandbox, region: str) -> dict[str, list[str]]:
    """The names of what there is in a region, by kind."""
    events, sqs, secrets = (sandbox.boto3(service, region) for service in ("events", "sqs", "secretsmanager"))
    return {
        "rules": [rule["Name"] for rule in events.list_rules()["Rules"]],
        "destinations": [item["Name"] for item in events.list_api_destinations()["ApiDestinations"]],
        "connections": [item["Name"] for item in events.list_connections()["Connections"]],
        "secrets": [item["Name"].split("/")[1] for item in secrets.list_secrets()["SecretList"]],
        "queues": sorted(url.rsplit("/", 1)[-1] for url in sqs.list_queues().get("QueueUrls", [])),
    }


def roles(sandbox: Sandbox) -> list[str]:
    return sorted(role["RoleName"] for role in sandbox.boto3("iam").list_roles()["Roles"])
