# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EventBridge's resource types: connection, API destination, rule."""

from __future__ import annotations

from typing import Any

from .errors import already_exists, handler_failure
from .resource_type import Json, ResourceType, Seconds, Started, State, Tags, change_tags, exists, json_text, tag_list
from .services import Services

_TRANSIENT = ("CREATING", "UPDATING", "AUTHORIZING", "DEAUTHORIZING", "DELETING")


class ConnectionType(ResourceType):
    name = "AWS::Events::Connection"
    name_property = "Name"
    named_after_stack = False
    required = frozenset({"AuthorizationType", "AuthParameters"})
    optional = frozenset({"Name", "Description", "InvocationConnectivityParameters", "KmsKeyIdentifier"})
    replaced_by = frozenset({"Name"})

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        services.call("events", "CreateConnection", **{**_hidden_by_default(wanted.properties), "Name": name})
        started(name)
        return self._settled(services, name)

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        services.call("events", "UpdateConnection", **{**_hidden_by_default(new.properties), "Name": physical_id})
        return self._settled(services, physical_id)

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        services.call("events", "DeleteConnection", Name=physical_id)
        services.wait(lambda: not exists(lambda: services.call("events", "DescribeConnection", Name=physical_id)))

    def _settled(self, services: Services, name: str) -> Json:
        found: Json = {}

        def settled() -> bool:
            found.update(services.call("events", "DescribeConnection", Name=name))
            return found["ConnectionState"] not in _TRANSIENT

        services.wait(settled)
        if found["ConnectionState"] not in ("AUTHORIZED", "ACTIVE"):
            raise handler_failure(f"Connection is {found['ConnectionState']}: {found.get('StateReason')}", "NotStabilized")
        return {**_arns(found["ConnectionArn"]), "SecretArn": found["SecretArn"]}


class ApiDestinationType(ResourceType):
    name = "AWS::Events::ApiDestination"
    name_property = "Name"
    named_after_stack = False
    required = frozenset({"ConnectionArn", "HttpMethod", "InvocationEndpoint"})
    optional = frozenset({"Name", "Description", "InvocationRateLimitPerSecond"})
    replaced_by = frozenset({"Name"})

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        answer = services.call("events", "CreateApiDestination", **{**wanted.properties, "Name": name})
        started(name)
        return _arns(answer["ApiDestinationArn"])

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        answer = services.call("events", "UpdateApiDestination", **{**new.properties, "Name": physical_id})
        return _arns(answer["ApiDestinationArn"])

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        services.call("events", "DeleteApiDestination", Name=physical_id)


class RuleType(ResourceType):
    name = "AWS::Events::Rule"
    name_property = "Name"
    seconds = Seconds(create=30, delete=60)  # after PutTargets, AWS's handler
    seconds_without_targets = 30  # between PutRule and PutTargets, the same
    passed_on = frozenset({"Description", "EventBusName", "RoleArn", "ScheduleExpression", "State"})
    optional = passed_on | {"EventPattern", "Name", "Tags", "Targets"}
    replaced_by = frozenset({"Name", "EventBusName"})
    tagged = True

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        bus = _bus(wanted.properties)
        if exists(lambda: services.call("events", "DescribeRule", Name=name, **bus)):
            raise already_exists(self.name, name)  # PutRule would take over whatever is there
        arn = self._put(services, name, wanted.properties)
        started(name)
        _tag(services, arn, {}, wanted.tags)
        services.sleep(self.seconds_without_targets * services.settings.stack_time_scale)
        self._put_targets(services, name, bus, wanted.properties.get("Targets", []))
        return {"Arn": arn}

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        bus = _bus(new.properties)
        services.call("events", "DescribeRule", Name=physical_id, **bus)  # PutRule would make what is gone anew
        arn = self._put(services, physical_id, new.properties)
        _tag(services, arn, old.tags, new.tags)
        before, after = (state.properties.get("Targets", []) for state in (old, new))
        gone = {target["Id"] for target in before} - {target["Id"] for target in after}
        if gone:
            services.call("events", "RemoveTargets", Rule=physical_id, Ids=sorted(gone), **bus)
        self._put_targets(services, physical_id, bus, [target for target in after if target not in before])
        return {"Arn": arn}

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        """Delete the rule and the targets of the template; a target of somebody else makes DeleteRule fail (AWS's handler)."""
        bus = _bus(properties)
        services.call("events", "DescribeRule", Name=physical_id, **bus)
        targets = properties.get("Targets", [])
        if targets:
            services.call("events", "RemoveTargets", Rule=physical_id, Ids=[target["Id"] for target in targets], **bus)
        services.call("events", "DeleteRule", Name=physical_id, **bus)

    def _put(self, services: Services, name: str, properties: Json) -> str:
        request = {key: value for key, value in properties.items() if key in self.passed_on}
        if "EventPattern" in properties:
            request["EventPattern"] = json_text(properties["EventPattern"])
        arn: str = services.call("events", "PutRule", Name=name, **request)["RuleArn"]
        return arn

    def _put_targets(self, services: Services, name: str, bus: Json, targets: list[Json]) -> None:
        if not targets:
            return
        failed = services.call("events", "PutTargets", Rule=name, Targets=targets, **bus)["FailedEntries"]
        if failed:
            raise handler_failure(f"{failed[0]['ErrorMessage']} (target {failed[0]['TargetId']})", "GeneralServiceException")


def _hidden_by_default(properties: Any) -> Any:
    """Return a connection's properties with IsValueSecret true for each parameter that does not say it (AWS's handler)."""
    if isinstance(properties, list):
        return [_hidden_by_default(item) for item in properties]
    if not isinstance(properties, dict):
        return properties
    secret = {"IsValueSecret": True} if {"Key", "Value"} <= set(properties) else {}
    return {**secret, **{key: _hidden_by_default(value) for key, value in properties.items()}}


def _arns(arn: str) -> Json:
    """Return the ARN, and the one for policies, which does without the UUID at its end."""
    return {"Arn": arn, "ArnForPolicy": arn.rpartition("/")[0]}


def _bus(properties: Json) -> Json:
    return {"EventBusName": properties["EventBusName"]} if "EventBusName" in properties else {}


def _tag(services: Services, arn: str, old: Tags, new: Tags) -> None:
    change_tags(
        old,
        new,
        lambda changed: services.call("events", "TagResource", ResourceARN=arn, Tags=tag_list(changed)),
        lambda gone: services.call("events", "UntagResource", ResourceARN=arn, TagKeys=gone),
    )
