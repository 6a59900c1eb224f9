# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a template says about itself, and what an update or a change set would change."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .evaluation import NotKnownYet
from .resource_type import Json
from .stack import Resource, Stack, Version, now, shown_parameters
from .template import Template


@dataclass
class Change:
    """What an update would do to a resource: Add, Modify or Remove; Modify with Replacement True, False or Conditional."""

    action: str
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: str | None = None

    def described(self) -> Json:
        changed: Json = {
            "Action": self.action,
            "LogicalResourceId": self.logical_id,
            "PhysicalResourceId": self.physical_id,
            "ResourceType": self.type,
            "Replacement": self.replacement,
            "Scope": ["Properties"] if self.action == "Modify" else [],
            "Details": [],
        }
        return {"Type": "Resource", "ResourceChange": changed}


@dataclass
class ChangeSet:
    """A change set: a version that is not carried out yet, and what it would change."""

    name: str
    id: str
    version: Version
    options: Json
    changes: list[Change]
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution_status: str = "AVAILABLE"
    created: Any = field(default_factory=now)

    def summary(self, stack: Stack) -> Json:
        """The change set as ListChangeSets shows it."""
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "ExecutionStatus": self.execution_status,
            "Status": self.status,
            "StatusReason": self.reason,
            "CreationTime": self.created,
            "Description": self.options.get("Description"),
        }

    def described(self, stack: Stack) -> Json:
        """The change set as DescribeChangeSet shows it, less the changes."""
        return {
            **self.summary(stack),
            "Parameters": shown_parameters(self.version),
            "Tags": [{"Key": key, "Value": value} for key, value in self.version.tags.items()],
            "Capabilities": self.options.get("Capabilities", []),
            "NotificationARNs": self.options.get("NotificationARNs", []),
            "IncludeNestedStacks": False,
        }


def changes_of(stack: Stack, version: Version) -> list[Change] | None:
    """Return what an update would do to the resources; None if there is nothing to update at all.

    Other tags or outputs are an update too, even where no resource has to be touched.
    """
    changes: list[Change] = []
    unknown: set[str] = set()
    wanted_ids = stack.evaluation(version).wanted()
    for logical_id in wanted_ids:
        kind, current = version.template.resources[logical_id]["Type"], stack.resources.get(logical_id)
        if current is None or not is_there(current):
            changes.append(Change("Add", logical_id, kind))
            unknown.add(logical_id)
            continue
        try:
            wanted = stack.wanted(version, logical_id, frozenset(unknown))
        except NotKnownYet:
            changes.append(Change("Modify", logical_id, kind, current.physical_id, "Conditional"))
            continue
        if current.differs(wanted):
            replaced = current.is_replaced_by(wanted)
            changes.append(Change("Modify", logical_id, kind, current.physical_id, str(replaced)))
            unknown |= {logical_id} if replaced else set()
        elif current.metadata != wanted.metadata:
            # A DeletionPolicy is no update by itself, but together with metadata (CloudFormation user guide).
            changes.append(Change("Modify", logical_id, kind, current.physical_id, "False"))
    gone = [resource for resource in stack.resources.values() if resource.logical_id not in wanted_ids and is_there(resource)]
    changes += [Change("Remove", resource.logical_id, resource.type, resource.physical_id) for resource in gone]
    if changes or version.tags != stack.version.tags or stack.evaluation(version).outputs() != stack.outputs:
        return changes
    return None


def is_there(resource: Resource) -> bool:
    """Tell whether a resource was made, and not deleted since."""
    return resource.physical_id is not None and resource.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def template_summary(template: Template) -> Json:
    """Return what GetTemplateSummary says of a template."""
    capabilities = template.capabilities
    return {
        "Parameters": [_declared(template, key) for key in template.parameters],
        "Description": template.description,
        "Capabilities": capabilities,
        "CapabilitiesReason": "The following resource(s) require capabilities: [AWS::IAM::Role]" if capabilities else None,
        "ResourceTypes": template.types,
        "Version": template.body.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(template.body["Metadata"]) if "Metadata" in template.body else None,
        "DeclaredTransforms": [],
        "ResourceIdentifierSummaries": [],
    }


def _declared(template: Template, key: str) -> Json:
    declared = template.parameters[key]
    default = {"DefaultValue": str(declared["Default"])} if "Default" in declared else {}
    allowed = [str(value) for value in declared.get("AllowedValues", [])]
    return {
        "ParameterKey": key,
        **default,
        "ParameterType": declared.get("Type", "String"),
        "NoEcho": template.is_hidden(key),
        "Description": declared.get("Description"),
        "ParameterConstraints": {"AllowedValues": allowed} if allowed else {},
    }
