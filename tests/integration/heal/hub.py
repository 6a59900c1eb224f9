# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hub, and the rules that send EventBridge's own events of an account to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.sandbox.client import Sandbox

HUB, HUB_REGION, AWS_ACCOUNT = "spot-interruption-hub", "us-east-1", "123456789012"
_ALL = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class Hub:
    """The hub's bus and queues, in an account and region of their own; those that exist already, or `make` makes them.

    Args:
        keys: the credentials of the hub's account, as options of Sandbox.boto3.
    """

    def __init__(self, sandbox: Sandbox, account: str = AWS_ACCOUNT, keys: dict[str, Any] | None = None) -> None:
        self.sandbox = sandbox
        self.account = account
        self.events, self.sqs = (sandbox.boto3(service, HUB_REGION, **(keys or {})) for service in ("events", "sqs"))
        self.bus = f"arn:aws:events:{HUB_REGION}:{account}:event-bus/{HUB}"

    @property
    def url(self) -> str:
        return str(self.sqs.get_queue_url(QueueName=HUB)["QueueUrl"])

    @property
    def dead_letters_url(self) -> str:
        return str(self.sqs.get_queue_url(QueueName=f"{HUB}-dead-letters")["QueueUrl"])

    def make(self, receives: int = 10) -> Hub:
        """Make the hub by hand; after so many receives, a message becomes a dead letter."""
        assert self.bus == self.events.create_event_bus(Name=HUB)["EventBusArn"]
        rule = self.events.put_rule(Name=HUB, EventBusName=HUB, EventPattern='{"source": ["aws.events"]}')["RuleArn"]
        letters = f"arn:aws:sqs:{HUB_REGION}:{self.account}:{HUB}-dead-letters"
        self.sqs.create_queue(QueueName=f"{HUB}-dead-letters")
        queue = f"arn:aws:sqs:{HUB_REGION}:{self.account}:{HUB}"
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        redrive = {"deadLetterTargetArn": letters, "maxReceiveCount": receives}
        attributes = {"Policy": document(allow), "RedrivePolicy": json.dumps(redrive)}
        self.sqs.create_queue(QueueName=HUB, Attributes=attributes)
        self.events.put_targets(Rule=HUB, EventBusName=HUB, Targets=[{"Id": "queue", "Arn": queue}])
        return self

    def let_in(self, accounts: Iterable[str]) -> None:
        """Let accounts send to the bus."""
        allow = {"Sid": "in", "Effect": "Allow", "Principal": {"AWS": list(accounts)}, "Action": "events:PutEvents", "Resource": self.bus}
        self.events.put_permission(EventBusName=HUB, Policy=document(allow))

    def watch(self, name: str, regions: Iterable[str], account: str = AWS_ACCOUNT, keys: dict[str, Any] | None = None) -> None:
        """Send the events of an integration to the hub, by its execution role."""
        may = document({"Effect": "Allow", "Action": "events:PutEvents", "Resource": self.bus})
        self.sandbox.boto3("iam", **(keys or {})).put_role_policy(RoleName=name, PolicyName="watch", PolicyDocument=may)
        for region in regions:
            events = self.sandbox.boto3("events", region, **(keys or {}))
            prefixes = [{"prefix": f"arn:aws:events:{region}:{account}:{kind}/{name}/"} for kind in ("connection", "api-destination")]
            pattern = {"source": ["aws.events"], "resources": prefixes}
            events.put_rule(Name=f"{name}-alarm", EventPattern=json.dumps(pattern))
            target = {"Id": "hub", "Arn": self.bus, "RoleArn": f"arn:aws:iam::{account}:role/{name}"}
            events.put_targets(Rule=f"{name}-alarm", Targets=[target])

    def send(self, body: Any) -> None:
        """Put something into the queue that EventBridge has not sent."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def waiting(self) -> int:
        """How many messages there are, visible or in flight."""
        return self._count(self.url, *_ALL)

    def visible(self) -> int:
        """How many messages there are that can be received."""
        return self._count(self.url, "ApproximateNumberOfMessages")

    def dead_letters(self) -> int:
        return self._count(self.dead_letters_url, *_ALL)

    def purge(self) -> None:
        """Forget what onboarding and repairs have announced."""
        assert self.sandbox.settled()
        self.sqs.purge_queue(QueueUrl=self.url)

    def _count(self, url: str, *names: str) -> int:
        return sum(map(int, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"].values()))


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def event(name: str, region: str, account: str = AWS_ACCOUNT, change: str = "Connection Deauthorized") -> dict[str, Any]:
    """An event as AWS documents it (EventBridge user guide, events of API destination connections)."""
    now = time.gmtime()
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": change,
        "source": "aws.events",
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:connection/{name}/0a1b2c3d-0000-0000-0000-000000000000"],
        "detail": {"ConnectionName": name, "Timestamp": time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", now)},
    }


def interruption(region: str, instance_id: str, account: str = AWS_ACCOUNT) -> dict[str, Any]:
    """A notice as EC2 gives it now (EC2 user guide, "Spot Instance interruption notices")."""
    return {
        "version": "0",
        "id": "12345678-1234-1234-1234-123456789012",
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": region,
        "resources": [f"arn:aws:ec2:{region}a:instance/{instance_id}"],
        "detail": {"instance-id": instance_id, "instance-action": "terminate"},
    }


def lose(sandbox: Sandbox, *regions: str, account: str = AWS_ACCOUNT) -> None:
    """Spot answers the notices of these regions with 401, each one: AWS switches the regions off."""
    fault = sandbox.add_fault({"status": 401}, {"target": "spot", "operation": "POST"})
    for region in regions:
        sandbox.interrupt(region, account)
    assert sandbox.settled()
    sandbox.clear_faults(fault["id"])


def told(folder: Path) -> list[dict[str, Any]]:
    """What people were told, by the channel `file`."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)]
