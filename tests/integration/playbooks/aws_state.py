# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all that AWS has, so that two worlds can be compared: without times, and with `<id>` for what AWS makes up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tests.sandbox.client import Sandbox

Json = dict[str, Any]
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-\w{6})?")
_TIMES = re.compile(r".*(Time|Timestamp|Date|Authorized)$")


def everything(sandbox: Sandbox, regions: Iterable[str]) -> Json:
    """Return the roles, and by region the connections, secrets, API destinations, rules and queues, whoever made them."""
    return {"roles": _roles(sandbox), **{region: _region(sandbox, region) for region in regions}}


def _roles(sandbox: Sandbox) -> Json:
    iam = sandbox.boto3("iam")
    found = {}
    for role in iam.list_roles()["Roles"]:
        if role["Path"].startswith("/aws-service-role/"):
            continue
        name = role["RoleName"]
        policies = {policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in _policies(iam, name)}
        found[name] = {
            "trust": role["AssumeRolePolicyDocument"],
            "policies": policies,
            "attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
            "tags": _tags(iam.list_role_tags(RoleName=name)["Tags"]),
        }
    return found


def _policies(iam: Any, role: str) -> list[str]:
    return iam.list_role_policies(RoleName=role)["PolicyNames"]


def _region(sandbox: Sandbox, region: str) -> Json:
    events, sqs, secrets = (sandbox.boto3(service, region) for service in ("events", "sqs", "secretsmanager"))
    connections = [events.describe_connection(Name=item["Name"]) for item in events.list_connections()["Connections"]]
    destinations = [events.describe_api_destination(Name=item["Name"]) for item in events.list_api_destinations()["ApiDestinations"]]
    return {
        "connections": [_plain(item) for item in connections],
        "keys": [json.loads(secrets.get_secret_value(SecretId=item["SecretArn"])["SecretString"]) for item in connections],
        "secrets": [_plain(item["Name"]) for item in secrets.list_secrets()["SecretList"]],
        "destinations": [_plain(item) for item in destinations],
        "rules": [_rule(events, rule["Name"]) for rule in events.list_rules()["Rules"]],
        "queues": [_queue(sqs, url) for url in sqs.list_queues().get("QueueUrls", [])],
    }


def _rule(events: Any, name: str) -> Json:
    rule = _plain(events.describe_rule(Name=name))
    return {
        **rule,
        "EventPattern": json.loads(rule["EventPattern"]),
        "Targets": _plain(events.list_targets_by_rule(Rule=name)["Targets"]),
        "Tags": _tags(events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
    }


def _queue(sqs: Any, url: str) -> Json:
    attributes = _plain(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])
    return {
        "Name": url.rpartition("/")[2],
        **attributes,
        "Policy": json.loads(attributes["Policy"]),
        "Tags": sqs.list_queue_tags(QueueUrl=url).get("Tags", {}),
    }


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != "ResponseMetadata" and not _TIMES.match(key)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _ID.sub("<id>", value) if isinstance(value, str) else value
