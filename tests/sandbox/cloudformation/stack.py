# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack: its state, its resources, its events."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.utilities.utils import get_partition

from ..moto_app import LOCK
from .errors import Refusal
from .evaluation import HIDDEN, Evaluation, NotKnownYet
from .resource_type import Json, State, Tags
from .resource_types import TYPES
from .template import Template

STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> datetime:
    """Return the time, as stacks carry it."""
    return datetime.now(UTC)


@dataclass
class Resource:
    """A resource as CloudFormation remembers it.

    Attributes:
        state: what it was like when it was last made or changed.
        needs: the resources that have to be there as long as it is.
        policies: DeletionPolicy and UpdateReplacePolicy.
        metadata: what the template notes about it.
        shown: the properties as events show them, as JSON.
    """

    logical_id: str
    type: str
    state: State
    needs: frozenset[str]
    policies: Json
    shown: str
    physical_id: str | None = None
    attributes: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    status: str = ""
    reason: str | None = None
    time: datetime = field(default_factory=now)

    def differs(self, other: Resource) -> bool:
        """Tell whether the resource has to be touched to become like another."""
        return (self.type, self.state) != (other.type, other.state)

    def is_replaced_by(self, other: Resource) -> bool:
        """Tell whether the resource cannot become like another, but has to be replaced by it."""
        before, after = self.state.properties, other.state.properties
        return self.type != other.type or any(before.get(key) != after.get(key) for key in TYPES[self.type].replaced_by)

    def described(self, time_key: str) -> Json:
        """A resource as DescribeStackResources (Timestamp) or ListStackResources (LastUpdatedTimestamp) show it."""
        return {
            "LogicalResourceId": self.logical_id,
            "PhysicalResourceId": self.physical_id,
            "ResourceType": self.type,
            time_key: self.time,
            "ResourceStatus": self.status,
            "ResourceStatusReason": self.reason,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }


@dataclass(frozen=True)
class Version:
    """What a stack shall be, or was."""

    template: Template
    parameters: dict[str, str]
    tags: Tags


@dataclass
class Stack:
    """A stack of one account in one region.

    Attributes:
        version: what was asked for last; after a rollback, what there was before.
        rule_tags: whether rules are tagged (see `Settings`).
        operations: what was done to it, the newest first: kind and id.
        interrupted: set to end an operation early.
        rollback_to: the version and the resources before an update that failed.
        busy: held by the operation that is under way.
    """

    name: str
    account: str
    region: str
    version: Version
    options: Json
    rule_tags: bool = True
    id: str = ""
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    detailed: str | None = None
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    change_sets: dict[str, Any] = field(default_factory=dict)
    rollback_to: tuple[Version, dict[str, Resource]] | None = None
    operations: list[Json] = field(default_factory=list)
    interrupted: threading.Event = field(default_factory=threading.Event)
    busy: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.id = f"arn:{get_partition(self.region)}:cloudformation:{self.region}:{self.account}:stack/{self.name}/{uuid4()}"

    @property
    def pseudo(self) -> Json:
        """The pseudo parameters."""
        return {
            "AWS::AccountId": self.account,
            "AWS::NotificationARNs": self.options.get("NotificationARNs", []),
            "AWS::Partition": get_partition(self.region),
            "AWS::Region": self.region,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com",
        }

    def evaluation(self, version: Version, mask: bool = False, unknown: frozenset[str] = frozenset()) -> Evaluation:
        """Return the values of a version's expressions with the resources that there are, less those that are `unknown` yet."""

        def resource(logical_id: str, attribute: str | None) -> Any:
            found = self.resources.get(logical_id)
            if found is None or logical_id in unknown or found.physical_id is None:
                raise NotKnownYet(logical_id)
            if attribute is not None and attribute not in found.attributes:
                raise Refusal(f"Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt")
            return found.physical_id if attribute is None else found.attributes[attribute]

        return Evaluation(version.template, version.parameters, self.pseudo, resource, mask)

    def wanted(self, version: Version, logical_id: str, unknown: frozenset[str] = frozenset()) -> Resource:
        """Return a resource as a version wants it; NotKnownYet if it depends on one that is not there."""
        declared = version.template.resources[logical_id]
        properties = self.evaluation(version, unknown=unknown).properties(logical_id)
        return Resource(
            logical_id=logical_id,
            type=declared["Type"],
            state=State(properties, self._tags(version, logical_id, declared["Type"], properties)),
            needs=frozenset(version.template.dependencies(logical_id)),
            policies={key: declared[key] for key in ("DeletionPolicy", "UpdateReplacePolicy") if key in declared},
            metadata=declared.get("Metadata", {}),
            shown=json.dumps(self.evaluation(version, mask=True, unknown=unknown).properties(logical_id)),
        )

    def _tags(self, version: Version, logical_id: str, kind: str, properties: Json) -> Tags:
        if not TYPES[kind].tagged:
            return {}
        own = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}
        if kind == "AWS::Events::Rule" and not self.rule_tags:
            return own
        if not TYPES[kind].shows_system_tags:
            return {**version.tags, **own}
        automatic = {"logical-id": logical_id, "stack-id": self.id, "stack-name": self.name}
        return {**version.tags, **own, **{f"aws:cloudformation:{key}": value for key, value in automatic.items()}}

    def set_status(self, status: str, reason: str | None = None, detailed: str | None = None) -> None:
        """Change the stack's state, and note it as an event. `detailed` is the DetailedStatus."""
        with LOCK:
            self.status, self.reason, self.detailed = status, reason, detailed
            what = {"LogicalResourceId": self.name, "PhysicalResourceId": self.id, "ResourceType": STACK_TYPE}
            self._note({**what, "DetailedStatus": detailed}, status, reason)

    def set_resource_status(self, resource: Resource, status: str, reason: str | None = None, detailed: str | None = None) -> None:
        """Change a resource's state, and note it as an event. `detailed` is the DetailedStatus."""
        with LOCK:
            resource.status, resource.reason, resource.time = status, reason, now()
            what = {
                "LogicalResourceId": resource.logical_id,
                "PhysicalResourceId": resource.physical_id or "",
                "ResourceType": resource.type,
                "ResourceProperties": resource.shown,
            }
            self._note({**what, "DetailedStatus": detailed}, status, reason)

    def begin(self, kind: str) -> str:
        """Begin an operation of a kind such as CREATE_STACK, and return its id."""
        self.operations.insert(0, {"OperationType": kind, "OperationId": str(uuid4())})
        return str(self.operations[0]["OperationId"])

    def _note(self, what: Json, status: str, reason: str | None) -> None:
        event = {
            "StackId": self.id,
            "EventId": f"{what['LogicalResourceId']}-{status}-{uuid4()}" if "ResourceProperties" in what else str(uuid4()),
            "StackName": self.name,
            **what,
            "Timestamp": now(),
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ClientRequestToken": self.options.get("ClientRequestToken"),
            "OperationId": self.operations[0]["OperationId"] if self.operations else None,
        }
        self.events.insert(0, event)  # the newest first, as they are asked for

    def described(self) -> Json:
        """The stack as DescribeStacks shows it."""
        template = self.version.template
        return {
            "StackId": self.id,
            "StackName": self.name,
            "Description": template.description,
            "Parameters": shown_parameters(self.version) or None,
            "CreationTime": self.created,
            "LastUpdatedTime": self.updated,
            "DeletionTime": self.deleted,
            "RollbackConfiguration": {},
            "StackStatus": self.status,
            "StackStatusReason": self.reason,
            "DisableRollback": self.options.get("DisableRollback", False),
            "NotificationARNs": self.options.get("NotificationARNs", []),
            "TimeoutInMinutes": self.options.get("TimeoutInMinutes"),
            "Capabilities": self.options.get("Capabilities") or None,
            "Outputs": self.outputs or None,
            "RoleARN": self.options.get("RoleARN"),
            "Tags": [{"Key": key, "Value": value} for key, value in self.version.tags.items()],
            "EnableTerminationProtection": self.options.get("EnableTerminationProtection", False),
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
            "RetainExceptOnCreate": self.options.get("RetainExceptOnCreate"),
            "DetailedStatus": self.detailed,
            "DeploymentConfig": {"Mode": "STANDARD", "DisableRollback": self.options.get("DisableRollback", False)},
            "LastOperations": self.operations[:1] or None,
        }

    def summary(self) -> Json:
        """The stack as ListStacks shows it."""
        return {
            "StackId": self.id,
            "StackName": self.name,
            "TemplateDescription": self.version.template.description,
            "CreationTime": self.created,
            "LastUpdatedTime": self.updated,
            "DeletionTime": self.deleted,
            "StackStatus": self.status,
            "StackStatusReason": self.reason,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }


def shown_parameters(version: Version) -> list[Json]:
    """Return the parameters as they are shown, those with NoEcho without their value."""
    return [
        {"ParameterKey": key, "ParameterValue": HIDDEN if version.template.is_hidden(key) else value}
        for key, value in version.parameters.items()
    ]
