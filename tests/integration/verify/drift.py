# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people, and other programs, do to an integration by hand: each kind of it, in one region."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.playbooks.runner import AWS_ACCOUNT, NAME, SPOT_ACCOUNT
from tests.sandbox.client import Sandbox

ELSEWHERE = "https://example.com/"


class Hand:
    """Somebody with a console of AWS, in one region."""

    def __init__(self, sandbox: Sandbox, region: str) -> None:
        self.events = sandbox.boto3("events", region)
        self.sqs = sandbox.boto3("sqs", region)
        self.secrets = sandbox.boto3("secretsmanager", region)

    def target(self) -> dict[str, Any]:
        """The target of the rule, to be put again with changes."""
        (target,) = self.events.list_targets_by_rule(Rule=NAME)["Targets"]
        return dict(target)

    def put_target(self, **changes: Any) -> None:
        self.events.put_targets(Rule=NAME, Targets=[{**self.target(), **changes}])

    def put_rule(self, **changes: Any) -> None:
        rule = self.events.describe_rule(Name=NAME)
        kept = {key: rule[key] for key in ("Name", "EventPattern", "State", "Description")}
        self.events.put_rule(**{**kept, **changes})

    def update_connection(self, **parameters: Any) -> None:
        self.events.update_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=parameters)

    def send_account(self, spot_account: str, hidden: bool = False) -> None:
        value = {"Key": "accountId", "Value": spot_account, "IsValueSecret": hidden}
        # AWS takes no update of an API key connection without the key (recorded), so the same one is sent again.
        secret = self.events.describe_connection(Name=NAME)["SecretArn"]
        held = json.loads(self.secrets.get_secret_value(SecretId=secret)["SecretString"])
        key = {"ApiKeyName": held["api_key_name"], "ApiKeyValue": held["api_key_value"]}
        self.update_connection(ApiKeyAuthParameters=key, InvocationHttpParameters={"QueryStringParameters": [value]})

    def send_token(self, token: str) -> None:
        self.update_connection(ApiKeyAuthParameters={"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {token}"})

    def change_connection(self, key: dict[str, str] | None = None, **parameters: Any) -> None:
        """Change parts of the connection's API key, or of what it sends with each event."""
        secret = self.events.describe_connection(Name=NAME)["SecretArn"]
        held = json.loads(self.secrets.get_secret_value(SecretId=secret)["SecretString"])
        ours = {"ApiKeyName": held["api_key_name"], "ApiKeyValue": held["api_key_value"], **(key or {})}
        self.update_connection(ApiKeyAuthParameters=ours, InvocationHttpParameters=parameters)

    def other_destination(self, name: str, endpoint: str, account: str = "act-5a9d1c02") -> str:
        """Make an API destination on a connection of its own, and return its ARN."""
        key = {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer x"}
        value = {"Key": "accountId", "Value": account, "IsValueSecret": False}
        parameters = {"ApiKeyAuthParameters": key, "InvocationHttpParameters": {"QueryStringParameters": [value]}}
        made = self.events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=parameters)
        return self.destination_on(made["ConnectionArn"], name, endpoint)

    def destination_on(self, connection_arn: str, name: str, endpoint: str = ELSEWHERE) -> str:
        """Make an API destination on a connection, and return its ARN."""
        made = self.events.create_api_destination(Name=name, ConnectionArn=connection_arn, InvocationEndpoint=endpoint, HttpMethod="POST")
        return str(made["ApiDestinationArn"])

    def connection(self) -> dict[str, Any]:
        return dict(self.events.describe_connection(Name=NAME))

    def update_destination(self, **changes: Any) -> None:
        self.events.update_api_destination(Name=NAME, **changes)

    def queue_url(self) -> str:
        return str(self.sqs.get_queue_url(QueueName=NAME)["QueueUrl"])

    def set_queue(self, **attributes: str) -> None:
        kept = self.sqs.get_queue_attributes(QueueUrl=self.queue_url(), AttributeNames=["Policy"])["Attributes"]
        self.sqs.set_queue_attributes(QueueUrl=self.queue_url(), Attributes={**kept, **attributes})

    def open_queue_to(self, principal: Any, rule: str) -> None:
        """Give the queue another policy."""
        arn = f"arn:aws:sqs:{self.sqs.meta.region_name}:{AWS_ACCOUNT}:{NAME}"
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
        condition = {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{self.sqs.meta.region_name}:{AWS_ACCOUNT}:rule/{rule}"}}
        self.set_queue(Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}))

    def allow_plain_http(self) -> None:
        """Take the denial of plain HTTP out of the policy of the queue."""
        policy = json.loads(self.sqs.get_queue_attributes(QueueUrl=self.queue_url(), AttributeNames=["Policy"])["Attributes"]["Policy"])
        kept = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
        self.set_queue(Policy=json.dumps({**policy, "Statement": kept}))

    def rule_arn(self) -> str:
        return str(self.events.describe_rule(Name=NAME)["Arn"])

    def put_dead_letter(self) -> None:
        """Put a message into the queue that might be one of EventBridge's."""
        attributes = {"ERROR_CODE": {"DataType": "String", "StringValue": "SDK_CLIENT_ERROR"}}
        body = json.dumps({"time": "2026-01-01T00:00:00Z", "detail": {"instance-id": "i-00000000000000001"}})
        self.sqs.send_message(QueueUrl=self.queue_url(), MessageBody=body, MessageAttributes=attributes)


@dataclass(frozen=True)
class Drift:
    """One thing that is done to the integration of a region.

    Attributes:
        by: does it.
        fails: the checks that fail then, and no other.
        status: of the region then.
        lost: the kinds of resources that are gone, and so have another ARN when they are made again.
    """

    name: str
    by: Callable[[Hand], Any]
    fails: set[str]
    status: str = "drifted"
    lost: tuple[str, ...] = ()


DRIFTS = [
    Drift("rule disabled", lambda hand: hand.events.disable_rule(Name=NAME), {"rule_state"}),
    Drift("pattern changed", lambda hand: hand.put_rule(EventPattern='{"source": ["aws.s3"]}'), {"rule_pattern", "rule_matches"}),
    Drift("pattern widened", lambda hand: hand.put_rule(EventPattern='{"source": ["aws.ec2"]}'), {"rule_pattern"}),
    Drift(
        "rule deleted",
        lambda hand: (hand.events.remove_targets(Rule=NAME, Ids=["spot"]), hand.events.delete_rule(Name=NAME)),
        {"rule"},
        "incomplete",
    ),
    Drift("target removed", lambda hand: hand.events.remove_targets(Rule=NAME, Ids=["spot"]), {"target"}, "incomplete"),
    Drift(
        "target to another destination",
        lambda hand: hand.put_target(Arn=hand.other_destination("other", ELSEWHERE)),
        {"target_destination"},
    ),
    Drift(
        "retry policy changed",
        lambda hand: hand.put_target(RetryPolicy={"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 86400}),
        {"target_retry_policy"},
    ),
    Drift("part of the warning sent", lambda hand: hand.put_target(InputPath="$.detail"), {"target_input"}),
    Drift("dead letters not kept", lambda hand: hand.put_target(DeadLetterConfig={}), {"target_dead_letter"}),
    Drift("endpoint changed", lambda hand: hand.update_destination(InvocationEndpoint=ELSEWHERE), {"api_destination_endpoint"}),
    Drift("method changed", lambda hand: hand.update_destination(HttpMethod="PUT"), {"api_destination_method"}),
    Drift("rate limit changed", lambda hand: hand.update_destination(InvocationRateLimitPerSecond=1), {"api_destination_rate_limit"}),
    Drift(
        "destination moved to another connection",
        lambda hand: (
            hand.other_destination("other", ELSEWHERE),
            hand.update_destination(ConnectionArn=hand.events.describe_connection(Name="other")["ConnectionArn"]),
        ),
        {"api_destination_connection"},
    ),
    Drift(
        "destination deleted",
        lambda hand: hand.events.delete_api_destination(Name=NAME),
        {"api_destination"},
        "incomplete",
        ("api_destination",),
    ),
    Drift(
        "connection deleted",
        lambda hand: hand.events.delete_connection(Name=NAME),
        {"connection", "api_destination_state"},
        "inactive",
        ("connection",),
    ),
    Drift(
        "connection de-authorised",
        lambda hand: hand.events.deauthorize_connection(Name=NAME),
        # AWS also removes the authorisation parameters (EventBridge API reference, DeauthorizeConnection).
        {"connection_state", "api_destination_state"},
        "inactive",
    ),
    Drift("another account", lambda hand: hand.send_account("act-5a9d1c02"), {"connection_account"}),
    Drift("account hidden", lambda hand: hand.send_account(SPOT_ACCOUNT, hidden=True), {"connection_account"}),
    Drift("another token", lambda hand: hand.send_token("somebody-elses"), {"connection_token"}),
    Drift(
        "secret deleted",
        lambda hand: hand.secrets.delete_secret(SecretId=hand.connection()["SecretArn"], ForceDeleteWithoutRecovery=True),
        {"connection_token"},
    ),
    Drift("queue deleted", lambda hand: hand.sqs.delete_queue(QueueUrl=hand.queue_url()), {"queue"}, "incomplete"),
    Drift("queue closed", lambda hand: hand.open_queue_to({"Service": "events.amazonaws.com"}, "another-rule"), {"queue_policy"}),
    Drift("queue opened", lambda hand: hand.open_queue_to("*", NAME), {"queue_policy"}),
    Drift("queue over plain HTTP", Hand.allow_plain_http, {"queue_policy"}),
    Drift("queue not encrypted", lambda hand: hand.set_queue(SqsManagedSseEnabled="false"), {"queue_encryption"}),
]

ACCOUNT_SENT = {"Key": "accountId", "Value": SPOT_ACCOUNT, "IsValueSecret": False}
# What else onboarding changes back: verify sees it in the one check of the settings.
SETTINGS = [
    Drift("messages kept for a minute", lambda hand: hand.set_queue(MessageRetentionPeriod="60"), {"settings"}),
    Drift("queue without our tag", lambda hand: hand.sqs.untag_queue(QueueUrl=hand.queue_url(), TagKeys=["ManagedBy"]), {"settings"}),
    Drift(
        "rule without our tag", lambda hand: hand.events.untag_resource(ResourceARN=hand.rule_arn(), TagKeys=["ManagedBy"]), {"settings"}
    ),
    Drift("rule described otherwise", lambda hand: hand.put_rule(Description="theirs"), {"settings"}),
    Drift("destination described otherwise", lambda hand: hand.update_destination(Description="theirs"), {"settings"}),
    Drift("connection described otherwise", lambda hand: hand.events.update_connection(Name=NAME, Description="theirs"), {"settings"}),
    Drift("rule on a schedule, too", lambda hand: hand.put_rule(ScheduleExpression="rate(1 day)"), {"settings"}),
    Drift("target sends a header", lambda hand: hand.put_target(HttpParameters={"HeaderParameters": {"X-Any": "1"}}), {"settings"}),
    Drift(
        "target sends another account",
        lambda hand: hand.put_target(HttpParameters={"QueryStringParameters": {"accountId": "act-5a9d1c02"}}),
        {"settings"},
    ),
    Drift(
        "connection sends a further parameter",
        lambda hand: hand.change_connection(QueryStringParameters=[ACCOUNT_SENT, {"Key": "x", "Value": "1", "IsValueSecret": False}]),
        {"settings"},
    ),
    Drift(
        "connection sends a header",
        lambda hand: hand.change_connection(HeaderParameters=[{"Key": "Content-Type", "Value": "text/plain", "IsValueSecret": False}]),
        {"settings"},
    ),
    Drift(
        "connection adds to the body",
        lambda hand: hand.change_connection(BodyParameters=[{"Key": "detail", "Value": "x", "IsValueSecret": True}]),
        {"settings"},
    ),
]
# What is of others, or makes no difference, and stays.
NO_DRIFTS = [
    Drift("tags of others", lambda hand: hand.sqs.tag_queue(QueueUrl=hand.queue_url(), Tags={"Team": "theirs"}), set()),
    Drift(
        "tags of others on the rule",
        lambda hand: hand.events.tag_resource(ResourceARN=hand.rule_arn(), Tags=[{"Key": "T", "Value": "t"}]),
        set(),
    ),
    Drift("another size of messages", lambda hand: hand.set_queue(MaximumMessageSize="65536"), set()),
    Drift(
        "another form of the pattern",
        lambda hand: hand.put_rule(EventPattern=json.dumps(json.loads(hand.events.describe_rule(Name=NAME)["EventPattern"]), indent=3)),
        set(),
    ),
]
