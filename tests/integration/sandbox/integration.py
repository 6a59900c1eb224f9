# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An integration as the collection makes it, built with plain boto3 calls."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.client import NOTIFICATION, Sandbox

ACCOUNT, REGION, NAME = "123456789012", "eu-west-1", "spot-interruption-act-d7320fba"
PATTERN = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}"


class Integration:
    """Creates the parts of an integration; the methods return what AWS answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.events = sandbox.boto3("events", REGION)
        self.iam = sandbox.boto3("iam")
        self.sqs = sandbox.boto3("sqs", REGION)
        self.role_arn = f"arn:aws:iam::{ACCOUNT}:role/execution"

    def complete(self, **target: Any) -> None:
        """Everything: a warning is delivered after this. `target` goes to put_target()."""
        self.role()
        self.queue()
        self.rule(self.destination(self.connection())["ApiDestinationArn"], **target)

    def connection(self, token: str = "editor", **more: Any) -> Any:
        return self.events.create_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=self.parameters(token), **more)

    def update(self, token: str = "editor") -> Any:
        return self.events.update_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=self.parameters(token))

    def parameters(self, token: str = "editor") -> dict[str, Any]:
        value = f"Bearer {self.sandbox.tokens.get(token, token)}"
        account = {"Key": "accountId", "Value": "act-d7320fba", "IsValueSecret": False}
        return {
            "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": value},
            "InvocationHttpParameters": {"QueryStringParameters": [account]},
        }

    def destination(self, connection: Any, url: str | None = None, **more: Any) -> Any:
        return self.events.create_api_destination(
            Name=NAME,
            ConnectionArn=connection["ConnectionArn"],
            InvocationEndpoint=url or self.sandbox.spot_url + NOTIFICATION,
            HttpMethod="POST",
            **more,
        )

    def rule(self, destination_arn: str, **target: Any) -> None:
        self.events.put_rule(Name=NAME, EventPattern=json.dumps(PATTERN))
        self.put_target(destination_arn, **target)

    def put_target(self, arn: str, **target: Any) -> Any:
        defaults = {
            "Id": "spot",
            "Arn": arn,
            "RoleArn": self.role_arn,
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 120},
            "DeadLetterConfig": {"Arn": QUEUE_ARN},
        }
        return self.events.put_targets(Rule=NAME, Targets=[defaults | target])

    def role(self, trusted: str = "events.amazonaws.com", account: str = ACCOUNT, resource: str | None = None) -> None:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": trusted},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
        self.iam.create_role(RoleName="execution", AssumeRolePolicyDocument=policy(trust))
        resource = resource or f"arn:aws:events:*:{ACCOUNT}:api-destination/{NAME}/*"
        allow = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": resource}
        self.iam.put_role_policy(RoleName="execution", PolicyName="invoke", PolicyDocument=policy(allow))

    def queue(self, rule_arn: str = RULE_ARN) -> str:
        return self.queue_of(NAME, rule_arn)

    def queue_of(self, name: str, rule_arn: str) -> str:
        """Create a queue that a rule may send to, and return its URL."""
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        }
        return self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy(allow)})["QueueUrl"]

    def interrupt(self) -> list[str]:
        """Let EC2 warn, wait for the end of the delivery, and return the outcome of each attempt."""
        self.sandbox.settings(delivery_time_scale=0.01)
        event_id = self.sandbox.interrupt(REGION)["event_id"]
        assert self.sandbox.settled()
        return [attempt["outcome"] for attempt in self.sandbox.deliveries(event_id=event_id)]

    def dead_letters(self) -> list[dict[str, str]]:
        """Return the attributes of the dead letters, which stay in the queue."""
        url = self.sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
        answer = self.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return [
            {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} for message in answer.get("Messages", [])
        ]

    def states(self) -> tuple[str, str]:
        """Return the state of the connection and that of the API destination."""
        return (
            self.events.describe_connection(Name=NAME)["ConnectionState"],
            self.events.describe_api_destination(Name=NAME)["ApiDestinationState"],
        )


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
