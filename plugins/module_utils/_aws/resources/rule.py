# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text, tag_changes, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    DEFAULT_DESCRIPTION,
    ArgumentSpec,
    description_argument_spec,
    tags_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, changed_fields, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    ArgumentError,
    check_aws_account,
    check_name,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# AWS sends the warnings to the default bus, as events of EC2 (EC2 user guide, "Spot Instance interruption notices").
EVENT_BUS = "default"
EVENT_PATTERN: Document = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}
TARGET_ID = "spot"
# A warning is worth two minutes: the instance is gone then.
DEFAULT_EVENT_AGE = 120
DEFAULT_RETRY_ATTEMPTS = 185

_MISSING_ARN = "(known once the API destination is made)"


def argument_spec() -> ArgumentSpec:
    """Return the options for what a rule is like."""
    return {**delivery_argument_spec(), **description_argument_spec(), **tags_argument_spec()}


def delivery_argument_spec() -> ArgumentSpec:
    """Return the options for how a rule's target delivers."""
    return {
        "role_arn": {"type": "str"},
        "aws_account": {"type": "str"},
        "maximum_event_age_in_seconds": {"type": "int", "default": DEFAULT_EVENT_AGE},
        "maximum_retry_attempts": {"type": "int", "default": DEFAULT_RETRY_ATTEMPTS},
        **target_argument_spec(),
    }


def target_argument_spec() -> ArgumentSpec:
    """Return the option for the id of a rule's target."""
    return {"target_id": {"type": "str", "default": TARGET_ID}}


def rule_arn(region: Region, aws_account: str, name: str) -> str:
    """Return the ARN of a rule on the default event bus."""
    return region.arn("events", aws_account, f"rule/{name}")


def check_role_given(role_arn: str | None) -> str:
    """Return the ARN of the execution role.

    :raises ArgumentError: it is missing.
    """
    if not role_arn:
        raise ArgumentError("role_arn is missing: without an execution role, EventBridge calls no API destination.")
    return role_arn


def temporary_rule_prefix(rule: str) -> str:
    """Return how the names of a rule's temporary rules for test events begin: six more characters fit into the 64 that AWS takes."""
    return f"{rule[:50]}-test-"


@dataclass(frozen=True)
class Rule(Resource):
    """The rule that is desired: spot interruption warnings of the default bus go to an API destination.

    :ivar api_destination: the name of the API destination
    :ivar api_destination_arns: its ARN by region, where it is known already
    :ivar role_arn: the execution role with which EventBridge calls the destination
    :ivar dead_letter_queue: the name of the queue for what could not be delivered; empty for none
    :ivar aws_account: the account of that queue
    :ivar event_age: seconds after which delivery is given up, 60 to 86400
    :ivar retry_attempts: 0 to 185
    """

    name: str
    present: bool = True
    api_destination: str = ""
    api_destination_arns: t.Mapping[str, str] | None = None
    role_arn: str = ""
    dead_letter_queue: str = ""
    aws_account: str = ""
    event_age: int = DEFAULT_EVENT_AGE
    retry_attempts: int = DEFAULT_RETRY_ATTEMPTS
    description: str = DEFAULT_DESCRIPTION
    target_id: str = TARGET_ID
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True

    kind: t.ClassVar[str] = "rule"
    service: t.ClassVar[str] = "events"
    reads: t.ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """
        :raises ArgumentError: AWS would refuse it.
        """
        check_name(self.name)
        check_name(self.api_destination or self.name)
        check_name(self.target_id)
        if self.dead_letter_queue:
            check_name(self.dead_letter_queue, QUEUE_NAME)
        if not 60 <= self.event_age <= 86400:
            raise ArgumentError("maximum_event_age_in_seconds must be 60 to 86400: AWS takes nothing else.")
        if not 0 <= self.retry_attempts <= 185:
            raise ArgumentError("maximum_retry_attempts must be 0 to 185: AWS takes nothing else.")

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Rule:
        """See `plan.Resource`."""
        name = params["name"]
        if params["state"] == "absent":
            return cls(name=name, present=False, target_id=params["target_id"])
        queue = params["dead_letter_queue"] or ""
        desired = cls(
            name=name,
            api_destination=params["api_destination"] or name,
            api_destination_arns=params["api_destination_arns"],
            role_arn=check_role_given(params["role_arn"]),
            dead_letter_queue=queue,
            event_age=params["maximum_event_age_in_seconds"],
            retry_attempts=params["maximum_retry_attempts"],
            description=params["description"],
            target_id=params["target_id"],
            tags=as_text(params["tags"]),
            purge_tags=params["purge_tags"],
        )
        if not queue:
            return desired
        # AWS is called only once all other options are known to be valid.
        return dataclasses.replace(desired, aws_account=check_aws_account(params["aws_account"] or regions.aws_account()))

    def completed(self, region: Region, seen: ExistingRule | None) -> ExistingRule | None:
        """DescribeApiDestination where its ARN is not known."""
        return dataclasses.replace(seen or ExistingRule(None), destination_arn=self._read_destination_arn(region)) if self.present else seen

    def look(self, region: Region) -> ExistingRule | None:
        """DescribeRule, ListTargetsByRule, ListTagsForResource where tags are desired; None if there is no rule of this name."""
        events = region.clients["events"]
        try:
            found = events.describe_rule(Name=self.name, EventBusName=EVENT_BUS)
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return None
            raise
        tagged = self.present and self.tags is not None
        targets, tags = at_once(
            lambda: tuple(items(events, "list_targets_by_rule", "Targets", Rule=self.name, EventBusName=EVENT_BUS)),
            lambda: events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"] if tagged else [],
        )
        return ExistingRule(document(found), targets, boto3_tag_list_to_ansible_dict(tags))

    def _read_destination_arn(self, region: Region) -> str | None:
        known = region.known.get("api_destination") or (self.api_destination_arns or {}).get(region.name)
        if known:
            return known
        try:
            return str(region.clients["events"].describe_api_destination(Name=self.api_destination)["ApiDestinationArn"])
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return None
            raise

    def plan(self, region: Region, existing: ExistingRule | None) -> Plan:
        """See `plan.Resource`. Targets that are not ours stay as they are."""
        if not self.present:
            return self._plan_removal(existing)
        existing = existing or ExistingRule(None)
        missing = f"there is no API destination {self.api_destination} in {region.name}: make it first, with spot_api_destination"
        desired, target = self._desired_fields(), self._desired_target(region, existing.destination_arn)
        target_id = self._own_target_id(existing)
        target["Id"] = target_id
        put_rule = existing.found is None or bool(changed_fields(existing.managed_fields(), desired))
        put_target = existing.target(target_id) != target
        to_set, to_remove = tag_changes(existing.tags, self.tags, self.purge_tags)
        if existing.found is not None and not (put_rule or put_target or to_set or to_remove):
            return unchanged(existing)

        calls: list[Call] = []
        if put_rule:
            # PutRule resets whatever is left out. It takes the tags of a new rule only (recorded), but a company's policy can refuse
            # a request that lacks them (condition key aws:RequestTag).
            arguments: Document = {
                "Name": self.name,
                "EventBusName": EVENT_BUS,
                "EventPattern": json.dumps(EVENT_PATTERN),
                "State": "ENABLED",
                "Description": self.description,
            }
            if self.tags:
                arguments["Tags"] = ansible_dict_to_boto3_tag_list(self.tags)
            calls.append(Call("put_rule", arguments))
        if existing.found is not None and to_set:
            calls.append(Call("tag_resource", {"ResourceARN": existing.document["arn"], "Tags": ansible_dict_to_boto3_tag_list(to_set)}))
        if to_remove:
            calls.append(Call("untag_resource", {"ResourceARN": existing.document["arn"], "TagKeys": to_remove}))
        if put_target:
            calls.append(Call("put_targets", {"Rule": self.name, "EventBusName": EVENT_BUS, "Targets": [target]}))
        return Plan(
            "created" if existing.found is None else "updated",
            self._predicted(existing, target, put_rule),
            self._shown(existing, target_id) if existing.found else None,
            {**desired, "target": document(target), "tags": tags_after(existing.tags, self.tags, self.purge_tags)},
            tuple(calls),
            unmet_dependency=None if existing.destination_arn else missing,
        )

    def _plan_removal(self, existing: ExistingRule | None) -> Plan:
        if existing is None:
            return unchanged(None)
        own = existing.target(self.target_id)
        others = [target["Id"] for target in existing.targets if target["Id"] != self.target_id]
        calls = [Call("remove_targets", {"Rule": self.name, "EventBusName": EVENT_BUS, "Ids": [self.target_id]})] if own else []
        # Its tags were not read.
        before = {**existing.managed_fields(), "target": document(own) if own else None}
        if others:
            note = f"the rule {self.name} was kept: it has targets that are not ours ({', '.join(others)})"
            rest = ExistingRule(existing.found, tuple(target for target in existing.targets if target is not own), existing.tags)
            if not own:
                return unchanged(existing, note=note)
            return Plan("updated", rest.document, before, {**before, "target": None}, tuple(calls), note=note)
        calls.append(Call("delete_rule", {"Name": self.name, "EventBusName": EVENT_BUS}))
        return Plan("deleted", None, before, None, tuple(calls))

    def _own_target_id(self, existing: ExistingRule) -> str:
        # A target made by hand may already send to our destination: taking it over avoids delivering twice.
        if existing.target(self.target_id) is None:
            for target in existing.targets:
                if target["Arn"] == existing.destination_arn:
                    return str(target["Id"])
        return self.target_id

    def _desired_fields(self) -> Document:
        return {
            "description": self.description,
            "state": "ENABLED",
            "event_pattern": EVENT_PATTERN,
            "schedule_expression": None,
        }

    def _desired_target(self, region: Region, destination_arn: str | None) -> Document:
        target: Document = {
            "Arn": destination_arn or _MISSING_ARN,
            "RoleArn": self.role_arn,
            "RetryPolicy": {
                "MaximumRetryAttempts": self.retry_attempts,
                "MaximumEventAgeInSeconds": self.event_age,
            },
        }
        if self.dead_letter_queue:
            target["DeadLetterConfig"] = {"Arn": region.arn("sqs", self.aws_account, self.dead_letter_queue)}
        return target

    def _shown(self, existing: ExistingRule, target_id: str) -> Document:
        target = existing.target(target_id)
        return {**existing.managed_fields(), "target": document(target) if target else None, "tags": dict(existing.tags)}

    def _predicted(self, existing: ExistingRule, target: Document, put_rule: bool) -> Document:
        others = [document(other) for other in existing.targets if other["Id"] != target["Id"]]
        rule = {key: value for key, value in (existing.found or {}).items() if key != "schedule_expression"}
        return {
            **rule,
            "name": self.name,
            "event_bus_name": EVENT_BUS,
            "description": self.description,
            "state": "ENABLED",
            "event_pattern": json.dumps(EVENT_PATTERN) if put_rule else rule["event_pattern"],
            "targets": [*others, document(target)],
            "tags": tags_after(existing.tags, self.tags, self.purge_tags),
        }
