# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules under test need beside them, and what they leave in AWS, by plain boto3 calls."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.client import Sandbox
from tests.tools.kms_keys import make_key

ACCOUNT, REGION = "123456789012", "eu-west-1"
SPOT_ACCOUNT = "act-d7320fba"
NAME = f"spot-interruption-{SPOT_ACCOUNT}"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"


def make_role(iam: Any, service: str = "events.amazonaws.com", **more: Any) -> None:
    """Make a role that a service may assume, and that may send to any API destination."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_policy(statement), **more)
    statement = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    iam.put_role_policy(RoleName=NAME, PolicyName="send", PolicyDocument=_policy(statement))


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Aws:
    """AWS of a sandbox in one region, unless another is named."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._client = sandbox.boto3

    def events(self, region: str = REGION) -> Any:
        return self._client("events", region)

    def sqs(self, region: str = REGION) -> Any:
        return self._client("sqs", region)

    def secrets(self, region: str = REGION) -> Any:
        return self._client("secretsmanager", region)

    # To make

    def key(self, alias: str = "", region: str = REGION, **more: Any) -> str:
        """Make a KMS key that EventBridge can use, and return its ARN. `more` is for `make_key`."""
        return make_key(self._client("kms", region), alias, **more)

    def connection(self, token: str, region: str = REGION, name: str = NAME, **changes: Any) -> str:
        """Make a connection and return its ARN."""
        value = {"Key": "accountId", "Value": SPOT_ACCOUNT, "IsValueSecret": False}
        parameters = {
            "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {token}"},
            "InvocationHttpParameters": {"QueryStringParameters": [value]},
        }
        given = {"AuthorizationType": "API_KEY", "AuthParameters": parameters, **changes}
        return str(self.events(region).create_connection(Name=name, **given)["ConnectionArn"])

    def destination(self, connection_arn: str, region: str = REGION, name: str = NAME, endpoint: str = "https://example.com/") -> str:
        """Make an API destination and return its ARN."""
        answer = self.events(region).create_api_destination(
            Name=name, ConnectionArn=connection_arn, InvocationEndpoint=endpoint, HttpMethod="POST"
        )
        return str(answer["ApiDestinationArn"])

    def role(self) -> None:
        """Make the execution role, which may send to any API destination."""
        make_role(self._client("iam"))

    def foreign_target(self, region: str = REGION) -> None:
        """Give the rule a target of somebody else."""
        self.sqs(region).create_queue(QueueName="audit")
        arn = f"arn:aws:sqs:{region}:{ACCOUNT}:audit"
        self.events(region).put_targets(Rule=NAME, Targets=[{"Id": "audit", "Arn": arn}])

    # To look at

    def described_connection(self, region: str = REGION, name: str = NAME) -> dict[str, Any]:
        return dict(self.events(region).describe_connection(Name=name))

    def connection_names(self, region: str = REGION) -> list[str]:
        return [item["Name"] for item in self.events(region).list_connections()["Connections"]]

    def destination_names(self, region: str = REGION) -> list[str]:
        return [item["Name"] for item in self.events(region).list_api_destinations()["ApiDestinations"]]

    def rule_names(self, region: str = REGION) -> list[str]:
        return [item["Name"] for item in self.events(region).list_rules()["Rules"]]

    def targets(self, region: str = REGION) -> dict[str, dict[str, Any]]:
        """Return the rule's targets by id."""
        return {target["Id"]: target for target in self.events(region).list_targets_by_rule(Rule=NAME)["Targets"]}

    def queue_url(self, region: str = REGION) -> str:
        return str(self.sqs(region).get_queue_url(QueueName=NAME)["QueueUrl"])

    def queue_names(self, region: str = REGION) -> list[str]:
        return [url.rpartition("/")[2] for url in self.sqs(region).list_queues().get("QueueUrls", [])]

    def written_key(self, region: str = REGION) -> str:
        """Return what the connection's secret holds as API key: `Bearer <token>`."""
        secret = self.secrets(region).get_secret_value(SecretId=self.described_connection(region)["SecretArn"])
        return str(json.loads(secret["SecretString"])["api_key_value"])
