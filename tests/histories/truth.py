# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is true in a sandbox, read from its state and not by calls: what there is, and whether a notice would arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.sqs.models import sqs_backends

from tests.sandbox import events
from tests.sandbox.delivery import DeliveryError, Job
from tests.sandbox.moto_app import LOCK
from tests.sandbox.server import Request
from tests.sandbox.world import World

Json = dict[str, Any]
Key = tuple[str, str, str, str]
"""AWS account, region (empty for IAM), kind, name."""
_QUEUE = ("MessageRetentionPeriod", "KmsMasterKeyId", "SqsManagedSseEnabled", "Policy", "VisibilityTimeout", "DelaySeconds")
_QUEUE += ("MaximumMessageSize", "ReceiveMessageWaitTimeSeconds")
SERVICE_LINKED = "AWSServiceRoleForAmazonEventBridgeApiDestinations"


@dataclass(frozen=True)
class Arrival:
    """A notice that Spot would take.

    Attributes:
        spot_account: the account that it counts for.
        rule: the name of the rule that sends it.
        whole: whether it is the event as EC2 has emitted it.
    """

    spot_account: str
    rule: str
    whole: bool = True


def resources(world: World, account: str, regions: tuple[str, ...]) -> dict[Key, Json]:
    """Return everything that there is of the kinds that an integration consists of, as plain values."""
    with LOCK:
        found = {(account, "", kind, name): value for kind, name, value in _roles(account)}
        for region in regions:
            for kind, name, value in (*_events(account, region), *_queues(account, region)):
                found[account, region, kind, name] = value
        return {key: json.loads(json.dumps(value, default=str)) for key, value in found.items()}


def _events(account: str, region: str) -> Iterator[tuple[str, str, Json]]:
    backend = events.backend(account, region)
    for bus in backend.event_buses.values():
        for rule in bus.rules.values():
            pattern = rule.event_pattern.get_pattern()
            yield (
                "rule",
                rule.name if bus.name == "default" else f"{bus.name}/{rule.name}",
                {
                    "arn": rule.arn,
                    "event_pattern": pattern or None,
                    "schedule_expression": rule.scheduled_expression,
                    "state": rule.state,
                    "description": rule.description or "",
                    "targets": {target["Id"]: target for target in rule.targets},
                    "tags": _tags(backend.tagger.list_tags_for_resource(rule.arn)["Tags"]),
                },
            )
    for connection in backend.links.connections.values():
        if connection.state == "DELETING":
            continue
        yield (
            "connection",
            connection.name,
            {
                "arn": connection.arn,
                "authorization_type": connection.authorization_type,
                "parameters": connection.parameters,
                "description": connection.description or "",
                "kms_key_identifier": connection.kms_key or None,
                "connection_state": connection.state,
                "secret": backend.links.current_secret(connection),
            },
        )
    for destination in backend.links.destinations.values():
        yield (
            "api_destination",
            destination.name,
            {
                "arn": destination.arn,
                "description": destination.description or "",
                "connection_arn": destination.connection_arn,
                "invocation_endpoint": destination.endpoint,
                "http_method": destination.method,
                "invocation_rate_limit_per_second": destination.rate_limit,
            },
        )


def is_deleting(account: str, region: str) -> bool:
    """Tell whether a connection is being deleted."""
    with LOCK:
        return any(connection.state == "DELETING" for connection in events.backend(account, region).links.connections.values())


def _queues(account: str, region: str) -> Iterator[tuple[str, str, Json]]:
    for queue in sqs_backends[account][region].queues.values():
        attributes = {name: value for name, value in queue.attributes.items() if name in _QUEUE}
        if attributes.get("Policy"):
            attributes["Policy"] = _parsed(attributes["Policy"])
        # Those that nobody can receive yet, too: delayed, or in flight.
        yield "queue", queue.name, {"attributes": attributes, "tags": dict(queue.tags), "messages": len(queue._messages)}


def _roles(account: str) -> Iterator[tuple[str, str, Json]]:
    for role in iam_backends[account]["aws"].get_roles():
        if role.name != SERVICE_LINKED:
            yield (
                "execution_role",
                role.name,
                {
                    "arn": role.arn,
                    "description": role.description or "",
                    "assume_role_policy_document": _parsed(role.assume_role_policy_document),
                    "policies": {name: _parsed(policy) for name, policy in role.policies.items()},
                    "attached": sorted(role.managed_policies),
                    "permissions_boundary": role.permissions_boundary_arn or None,
                    "tags": _tags(role.tags),
                },
            )


def _parsed(policy: Any) -> Any:
    try:
        return json.loads(policy) if isinstance(policy, str) else policy
    except ValueError:
        return policy


def _tags(found: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found}


def arrivals(world: World, account: str, region: str) -> list[Arrival]:
    """Return where a notice of a region would arrive now, without sending one: nothing changes by it."""
    with LOCK:
        found: list[Arrival] = []
        started: list[Job] = []
        with mock.patch.object(world.scheduler, "call", lambda _delay, attempt: started.append(attempt.args[0])):
            kept, counted = world.delivery._in_flight, _metrics(account, region)
            world.interrupt(region, account)
            world.delivery._in_flight = kept
            _metrics(account, region)[:] = counted
        for job in started:
            links = events_backends[job.account][job.region].links  # type: ignore[attr-defined]
            if ":api-destination/" not in job.target["Arn"]:
                continue
            with mock.patch.object(type(links), "deauthorize", lambda *_: None):
                try:
                    call = world.delivery._prepare(job)
                except (DeliveryError, LookupError, TypeError, ValueError):
                    continue
            found += _arrival(world, job, call)
        return found


def _metrics(account: str, region: str) -> Any:
    from moto.cloudwatch.models import cloudwatch_backends

    return cloudwatch_backends[account][region].metric_data


def _arrival(world: World, job: Job, call: Any) -> Iterator[Arrival]:
    url, spot = urlsplit(call.url), urlsplit(world.urls["spot"])
    if url.netloc not in (spot.netloc, "api.spotinst.io"):
        return
    headers = Message()
    for name, value in call.headers.items():
        headers[name] = value
    with mock.patch.object(world.spot, "outage", None):
        answer = world.spot._answer(Request(call.method, f"{url.path}?{url.query}", headers, call.body))
    if answer.status == 200:
        # Without an account, Spot takes the organisation's oldest. The sandbox itself sends the whole event, whatever a target says.
        spot_account = parse_qs(url.query).get("accountId", ["act-00000001"])[0]
        yield Arrival(spot_account, job.rule_name, not job.target.keys() & {"Input", "InputPath", "InputTransformer"})
