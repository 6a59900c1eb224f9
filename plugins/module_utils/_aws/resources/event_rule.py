# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import abc
import functools
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import tag_calls, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import DEFAULT_DESCRIPTION
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, changed_fields, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# AWS sends its own events to the default bus: the notices, as events of EC2 (EC2 user guide, "Spot Instance interruption notices").
EVENT_BUS = "default"


@dataclass(frozen=True)
class ExistingRule:
    """An existing rule with its targets and tags; or no rule, and only the API destination that it is to send to.

    :ivar found: the response of DescribeRule; None if there is no rule
    :ivar targets: the response of ListTargetsByRule
    :ivar destination_arn: the API destination that it is to send to; None if there is none of that name
    """

    found: Document | None
    targets: tuple[Document, ...] = ()
    tags: t.Mapping[str, str] = field(default_factory=dict)
    destination_arn: str | None = None

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {**(self.found or {}), "targets": [document(target) for target in self.targets], "tags": dict(self.tags)}

    def event_pattern(self) -> t.Any:
        """Return the pattern, parsed; its text where it cannot be."""
        text = (self.found or {}).get("event_pattern")
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def managed_fields(self) -> Document:
        """Return the fields of a rule that this collection manages."""
        rule = self.found or {}
        return {
            "description": rule.get("description") or "",
            "state": rule.get("state"),
            "event_pattern": self.event_pattern(),
            "schedule_expression": rule.get("schedule_expression"),
        }

    def target(self, target_id: str) -> Document | None:
        """Return the target with this id."""
        return next((target for target in self.targets if target["Id"] == target_id), None)


@dataclass(frozen=True)
class EventRule(Resource):
    """A desired rule, with one target of this collection. Targets of others stay as they are.

    :ivar target_id: the id of that target
    """

    name: str
    present: bool = True
    description: str = DEFAULT_DESCRIPTION
    target_id: str = ""
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True

    kind: t.ClassVar[str] = "rule"
    service: t.ClassVar[str] = "events"
    reads: t.ClassVar[tuple[str, ...]] = ()

    @property
    def event_bus(self) -> str:
        """Return the name of the rule's bus."""
        return EVENT_BUS

    @abc.abstractmethod
    def event_pattern(self, region: Region) -> Document:
        """Return the events that the rule matches."""

    @abc.abstractmethod
    def desired_target(self, region: Region, existing: ExistingRule) -> Document:
        """Return the target, as PutTargets takes it, apart from its id."""

    def own_target_id(self, existing: ExistingRule) -> str:
        """Return the id that the target has, or will have."""
        return self.target_id

    def note(self, existing: ExistingRule, target_id: str) -> str | None:
        """Return what people have to know of a rule that is as desired; None if nothing."""
        return None

    def unmet_dependency(self, region: Region, existing: ExistingRule) -> str | None:
        """Return what is missing that the target needs, and what to do; None if nothing is."""
        return None

    def look(self, region: Region) -> ExistingRule | None:
        """Call DescribeRule, ListTargetsByRule, ListTagsForResource where tags are desired; None if there is no rule of this name.

        A rule that was just made is there, so all are called at once.
        """
        events, tagged = region.clients["events"], self.present and self.tags is not None

        def targets() -> t.Any:
            return tuple(items(events, "list_targets_by_rule", "Targets", Rule=self.name, EventBusName=self.event_bus))

        def tags(arn: str) -> t.Any:
            return events.list_tags_for_resource(ResourceARN=arn)["Tags"] if tagged else []

        describe = functools.partial(events.describe_rule, Name=self.name, EventBusName=self.event_bus)
        made = region.known.get(self.kind)
        try:
            found, *rest = at_once(describe, targets, functools.partial(tags, made)) if made else [describe()]
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return None
            raise
        existing_targets, existing_tags = rest or at_once(targets, functools.partial(tags, found["Arn"]))
        return ExistingRule(document(found), existing_targets, boto3_tag_list_to_ansible_dict(existing_tags))

    def plan(self, region: Region, existing: ExistingRule | None) -> Plan:
        """See `plan.Resource`. Targets that are not ours stay as they are."""
        if not self.present:
            return self._plan_removal(existing)
        existing = existing or ExistingRule(None)
        pattern, target_id = self.event_pattern(region), self.own_target_id(existing)
        desired, target = self._desired_fields(pattern), {**self.desired_target(region, existing), "Id": target_id}
        put_rule = existing.found is None or bool(changed_fields(existing.managed_fields(), desired))
        put_target = existing.target(target_id) != target
        tagging = tag_calls(existing.tags, self.tags, self.purge_tags, existing.document["arn"]) if existing.found is not None else []
        if existing.found is not None and not (put_rule or put_target or tagging):
            return unchanged(existing, note=self.note(existing, target_id))

        calls: list[Call] = []
        if put_rule:
            # PutRule resets all arguments that are left out. It takes the tags of a new rule only (recorded), but a company's policy can
            # refuse a request that lacks them (condition key aws:RequestTag).
            arguments: Document = {
                "Name": self.name,
                "EventBusName": self.event_bus,
                "EventPattern": json.dumps(pattern),
                "State": "ENABLED",
                "Description": self.description,
            }
            if self.tags:
                arguments["Tags"] = ansible_dict_to_boto3_tag_list(self.tags)
            calls.append(Call("put_rule", arguments))
        calls += tagging
        if put_target:
            calls.append(Call("put_targets", {"Rule": self.name, "EventBusName": self.event_bus, "Targets": [target]}))
        return Plan(
            "created" if existing.found is None else "updated",
            self._predicted(existing, target, json.dumps(pattern) if put_rule else ""),
            self._shown(existing, target_id) if existing.found else None,
            {**desired, "target": document(target), "tags": tags_after(existing.tags, self.tags, self.purge_tags)},
            tuple(calls),
            unmet_dependency=self.unmet_dependency(region, existing),
            note=self.note(existing, target_id),
        )

    def _plan_removal(self, existing: ExistingRule | None) -> Plan:
        if existing is None:
            return unchanged(None)
        own, where = existing.target(self.target_id), {"Rule": self.name, "EventBusName": self.event_bus}
        others = [target["Id"] for target in existing.targets if target["Id"] != self.target_id]
        calls = [Call("remove_targets", {**where, "Ids": [self.target_id]})] if own else []
        # Its tags were not read.
        before = {**existing.managed_fields(), "target": document(own) if own else None}
        if others:
            note = f"the rule {self.name} was kept: it has targets that are not ours ({', '.join(others)})"
            rest = ExistingRule(existing.found, tuple(target for target in existing.targets if target is not own), existing.tags)
            if not own:
                return unchanged(existing, note=note)
            return Plan("updated", rest.document, before, {**before, "target": None}, tuple(calls), note=note)
        calls.append(Call("delete_rule", {"Name": self.name, "EventBusName": self.event_bus}))
        return Plan("deleted", None, before, None, tuple(calls))

    def _desired_fields(self, pattern: Document) -> Document:
        return {"description": self.description, "state": "ENABLED", "event_pattern": pattern, "schedule_expression": None}

    def _shown(self, existing: ExistingRule, target_id: str) -> Document:
        target = existing.target(target_id)
        return {**existing.managed_fields(), "target": document(target) if target else None, "tags": dict(existing.tags)}

    def _predicted(self, existing: ExistingRule, target: Document, pattern: str) -> Document:
        others = [document(other) for other in existing.targets if other["Id"] != target["Id"]]
        rule = {key: value for key, value in (existing.found or {}).items() if key != "schedule_expression"}
        return {
            **rule,
            "name": self.name,
            "event_bus_name": self.event_bus,
            "description": self.description,
            "state": "ENABLED",
            "event_pattern": pattern or rule["event_pattern"],
            "targets": [*others, document(target)],
            "tags": tags_after(existing.tags, self.tags, self.purge_tags),
        }


def read_destination_arn(region: Region, name: str) -> str | None:
    """Return the ARN of an API destination; None if there is none of this name. DescribeApiDestination."""
    try:
        return str(region.clients["events"].describe_api_destination(Name=name)["ApiDestinationArn"])
    except Exception as error:
        if is_code(error, "ResourceNotFoundException"):
            return None
        raise
