# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EventBridge on moto, corrected.

What is corrected here: the constraints of every request and of every answer, rules (role, tags on update, messages), targets
(limits, partial failure), events (`aws.*` sources, disabled rules, delivery), TestEventPattern. Event buses are in buses.py,
connections and API destinations in connections.py, what happens to an event that matched is in delivery.py.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.events import models, responses, urls
from moto.events.exceptions import InvalidEventPatternException, ResourceNotFoundException, ValidationException
from moto.utilities.utils import get_partition

from . import roles
from .buses import Buses, lets_in
from .connections import Json, Links
from .delivery import Delivery
from .scheduler import Scheduler
from .settings import Settings
from .validation import valid_answer, validate

TARGETS_PER_RULE = 5


def install(settings: Settings, scheduler: Scheduler, delivery: Delivery) -> None:
    """Put the corrected EventBridge into moto's place."""
    EventsBackend.settings, EventsBackend.scheduler, EventsBackend.delivery = settings, scheduler, delivery
    models.events_backends.backend = EventsBackend
    urls.url_paths = {"{0}/": EventsHandler.dispatch}


def backend(account: str, region: str) -> EventsBackend:
    """Return EventBridge of an account in a region. Hold moto's lock."""
    return models.events_backends[account][region]  # type: ignore[return-value]


def timestamp(seconds: float) -> str:
    """Return a time as events carry it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class EventsBackend(Buses):
    """EventBridge of one account in one region."""

    settings: Settings
    scheduler: Scheduler
    delivery: Delivery

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.links = Links(account_id, region_name, self.settings, self.scheduler, self._emit)

    @property
    def _url_module(self) -> Any:
        return urls  # moto derives it from the name of the class's module

    def describe_rule(self, name: str, event_bus_arn: str | None) -> models.Rule:
        bus = self._normalize_event_bus_arn(event_bus_arn)
        if name not in self._get_event_bus(bus).rules:
            raise ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus}.")
        return super().describe_rule(name, event_bus_arn)

    def put_rule(self, name: str, *args: Any, **kwargs: Any) -> models.Rule:
        bus = self._get_event_bus(self._normalize_event_bus_arn(kwargs.get("event_bus_arn")))
        role_arn = kwargs.get("role_arn")
        if role_arn:
            self._require_arn(role_arn)
            if not roles.is_assumable(role_arn, self.account_id, self._rule_arn(bus, name), self.settings):
                raise ValidationException(f"Provided role '{role_arn}' cannot be assumed by principal '{roles.PRINCIPAL}'.")
        if name in bus.rules:
            kwargs["tags"] = None  # AWS API reference, PutRule: ignored for a rule that exists already
        return super().put_rule(name, *args, **kwargs)

    def delete_rule(self, name: str, event_bus_arn: str | None) -> None:
        self._get_event_bus(self._normalize_event_bus_arn(event_bus_arn))  # moto deletes on a bus that is not there
        super().delete_rule(name, event_bus_arn)

    def enable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        self.describe_rule(name, event_bus_arn)
        return super().enable_rule(name, event_bus_arn)

    def disable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        self.describe_rule(name, event_bus_arn)
        return super().disable_rule(name, event_bus_arn)

    def list_targets_by_rule(self, rule_id: str, event_bus_arn: str | None, *args: Any, **kwargs: Any) -> Any:
        self.describe_rule(rule_id, event_bus_arn)
        return super().list_targets_by_rule(rule_id, event_bus_arn, *args, **kwargs)

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[Json]) -> None:
        """Set targets. Neither existence nor trust of their roles is looked at (recorded): a delivery fails instead."""
        rule = self.describe_rule(name, event_bus_arn)
        for target in targets:
            if target.get("RoleArn"):
                self._require_arn(target["RoleArn"])
            elif ":api-destination/" in target["Arn"]:
                raise ValidationException(f"RoleArn is required for target {target['Arn']}.")
        ids = {target["Id"] for target in rule.targets} | {target["Id"] for target in targets}
        if len(ids) > TARGETS_PER_RULE:
            raise JsonRESTError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        super().put_targets(name, event_bus_arn, targets)

    def _require_arn(self, arn: str) -> None:
        if not re.fullmatch(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", arn):
            raise ValidationException(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")

    def _rule_arn(self, bus: models.EventBus, name: str) -> str:
        path = name if bus.name == "default" else f"{bus.name}/{name}"
        return f"arn:{get_partition(self.region_name)}:events:{self.region_name}:{self.account_id}:rule/{path}"

    def put_events(self, events: list[Json]) -> list[Json]:
        return [self._put_event(entry) for entry in events]

    def _put_event(self, entry: Json) -> Json:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _refused("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
        if entry["Source"].startswith("aws."):
            return _refused("NotAuthorizedForSourceException", "Not authorized for the source.")
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return _refused("MalformedDetail", "Detail is malformed.")
        bus_name = entry.get("EventBusName") or "default"
        owner = bus_name.split(":")[4] if bus_name.startswith("arn:") else self.account_id
        receiver = self if owner == self.account_id else backend(owner, self.region_name)
        bus = receiver.event_buses.get(self._normalize_event_bus_arn(bus_name))
        if receiver is not self and not (bus and lets_in(bus, self.account_id, None)):
            return _refused("AccessDeniedException", f"Not authorized to perform events:PutEvents on {bus_name}.")
        if bus is None:
            return {"EventId": str(uuid4())}  # taken, and dropped
        event = self._event(
            source=entry["Source"],
            detail_type=entry["DetailType"],
            resources=entry.get("Resources", []),
            detail=detail,
            at=entry.get("Time"),
        )
        receiver.route(bus.name, event)
        return {"EventId": event["id"]}

    def publish(self, bus: str, **event: Any) -> tuple[Json, list[str]]:
        """Put an event on a bus of this account and region, whatever its source.

        Returns the event as it is delivered and the names of the rules that matched it.
        """
        made = self._event(**event)
        return made, self.route(bus, made)

    def _event(self, *, source: str, detail_type: str, resources: list[str], detail: Json, at: float | None = None) -> Json:
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.account_id,
            "time": timestamp(time.time() if at is None else at),
            "region": self.region_name,
            "resources": resources,
            "detail": detail,
        }

    def route(self, bus: str, event: Json, hops: int = 0) -> list[str]:
        """Deliver an event to the targets of the rules of a bus that match it, and return their names.

        `hops` is how many buses have passed it on before.
        """
        matching = [
            rule for rule in self._get_event_bus(bus).rules.values() if rule.state != "DISABLED" and _matches(rule.event_pattern, event)
        ]
        for rule in matching:
            self.delivery.deliver(self.account_id, self.region_name, rule, event, hops)
        return [rule.name for rule in matching]

    def _emit(self, detail_type: str, resources: list[str], detail: Json) -> None:
        self.publish("default", source="aws.events", detail_type=detail_type, resources=resources, detail=detail)


def _matches(pattern: models.EventPattern, event: Json) -> bool:
    """Tell whether an event matches; the rule of a schedule has no pattern and matches none."""
    return bool(pattern.get_pattern()) and pattern.matches_event(event)  # type: ignore[arg-type]


def _refused(code: str, message: str) -> Json:
    return {"ErrorCode": code, "ErrorMessage": message}


class EventsHandler(responses.EventsHandler):
    """Answers EventBridge's operations; request and answer are checked against the service model."""

    def call_action(self) -> Any:
        try:
            validate(self._get_action(), self.body or "{}")
        except ValidationException as refusal:
            return refusal.code, dict(refusal.get_headers()), refusal.description
        settings, action = self._backend.settings, self._get_action()
        if self.region in (settings.unsupported_regions or []) and ("Connection" in action or "ApiDestination" in action):
            unknown = JsonRESTError("UnknownOperationException", "")
            return unknown.code, dict(unknown.get_headers()), unknown.description
        status, headers, body = super().call_action()
        if status == 200:
            body = valid_answer("events", action, body or "{}")
        return status, headers, body

    @property
    def _backend(self) -> EventsBackend:
        return backend(self.current_account, self.region)

    def _with(self, operation: Any) -> tuple[str, dict[str, Any]]:
        return self._create_response(operation(json.loads(self.body)))

    def list_rules(self) -> tuple[str, dict[str, Any]]:
        body, headers = super().list_rules()
        answer = json.loads(body)
        for rule in answer["Rules"]:
            rule.pop("CreatedBy", None)  # DescribeRule alone has it
        return json.dumps(answer), headers

    def create_connection(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.create_connection)

    def describe_connection(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.describe_connection)

    def update_connection(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.update_connection)

    def deauthorize_connection(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.deauthorize_connection)

    def delete_connection(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.delete_connection)

    def list_connections(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.list_connections)

    def create_api_destination(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.create_api_destination)

    def describe_api_destination(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.describe_api_destination)

    def update_api_destination(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.update_api_destination)

    def delete_api_destination(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.delete_api_destination)

    def list_api_destinations(self) -> tuple[str, dict[str, Any]]:
        return self._with(self._backend.links.list_api_destinations)

    def test_event_pattern(self) -> tuple[str, dict[str, Any]]:  # type: ignore[override]
        return self._with(_test_event_pattern)


def _test_event_pattern(request: Json) -> Json:
    pattern = models.EventPattern.load(request["EventPattern"])
    try:
        event = json.loads(request["Event"])
    except ValueError:
        raise ValidationException("Parameter Event is not valid. Reason: it is not valid JSON.") from None
    required = ("id", "detail-type", "source", "account", "time", "region", "resources")
    missing = [name for name in required if name not in event] if isinstance(event, dict) else list(required)
    if missing:
        raise ValidationException(f"Parameter Event is not valid. Reason: {', '.join(missing)} is missing.")
    if not pattern.get_pattern():
        raise InvalidEventPatternException(reason="Empty event pattern is not allowed")
    return {"Result": _matches(pattern, event)}
