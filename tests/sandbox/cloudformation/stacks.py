# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on the stacks of one account in one region.

A method named after an operation takes its request and returns its answer, or raises a Refusal. All run with moto's lock.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from .errors import Refusal
from .evaluation import NotKnownYet
from .operations import Operation
from .resource_type import Json
from .services import Services, Surroundings
from .sources import required_template_of, template_of
from .stack import Resource, Stack, Version, now, shown_parameters
from .template import Template, parameter_values

STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
PAGE = 100

# The states in which a stack may be updated, and those in which it may not even be deleted.
_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED")
_OPTIONS = ("Capabilities", "ClientRequestToken", "NotificationARNs", "RetainExceptOnCreate", "RoleARN", "TimeoutInMinutes")


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
    description: str | None = None
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution_status: str = "AVAILABLE"
    created: Any = field(default_factory=now)

    def summary(self, stack: Stack) -> Json:
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "ExecutionStatus": self.execution_status,
            "Status": self.status,
            "StatusReason": self.reason,
            "CreationTime": self.created,
            "Description": self.description,
        }


class Stacks:
    """The stacks of one account in one region, deleted ones included."""

    def __init__(self, account: str, region: str, around: Surroundings) -> None:
        self.account, self.region, self._around = account, region, around
        self._stacks: list[Stack] = []

    # Changing

    def create_stack(self, request: Json, access_key: str | None) -> Json:
        name = request["StackName"]
        if not STACK_NAME.fullmatch(name):
            raise Refusal(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        template = required_template_of(request)
        _require_capabilities(template, request)
        if "DisableRollback" in request and "OnFailure" in request:
            raise Refusal("You can specify either DisableRollback or OnFailure, but not both.")
        if self._named(name):
            raise Refusal(f"Stack [{name}] already exists", "AlreadyExistsException")
        stack = self._new_stack(name, Version(template, parameter_values(template, request.get("Parameters", [])), _tags(request)))
        self._set_options(stack, request)
        self._stacks.append(stack)
        on_failure = request.get("OnFailure", "DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")
        self._operation(stack, access_key).create(on_failure)
        return {"StackId": stack.id}

    def update_stack(self, request: Json, access_key: str | None) -> Json:
        stack = self._changeable(request["StackName"])
        if stack.status not in _UPDATABLE:
            raise Refusal(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        version = self._next_version(stack, request)
        if not self._changes(stack, version):
            raise Refusal("No updates are to be performed.")
        self._set_options(stack, request)
        self._operation(stack, access_key).update(version, request.get("DisableRollback", False))
        return {"StackId": stack.id}

    def delete_stack(self, request: Json, access_key: str | None) -> Json:
        stack = self._find(request["StackName"])
        if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        if stack.options.get("EnableTerminationProtection"):
            raise Refusal(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status.endswith("_IN_PROGRESS") and stack.status not in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
            raise Refusal(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        retained = request.get("RetainResources", [])
        if retained and stack.status != "DELETE_FAILED":
            raise Refusal(
                f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify which resources to retain only when the "
                "stack is in the DELETE_FAILED state."
            )
        if "RoleARN" in request:
            stack.options["RoleARN"] = request["RoleARN"]
        self._operation(stack, access_key).delete(retained, request.get("DeletionMode") == "FORCE_DELETE_STACK")
        return {}

    def continue_update_rollback(self, request: Json, access_key: str | None) -> Json:
        stack = self._changeable(request["StackName"])
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise Refusal(f"Stack [{stack.id}] is in {stack.status} state and can not continue its rollback.")
        self._operation(stack, access_key).continue_rollback(request.get("ResourcesToSkip", []))
        return {}

    def cancel_update_stack(self, request: Json, access_key: str | None) -> Json:
        stack = self._changeable(request["StackName"])
        if stack.status != "UPDATE_IN_PROGRESS":
            raise Refusal("CancelUpdateStack cannot be called from current stack status")
        stack.interrupted.set()
        return {}

    def update_termination_protection(self, request: Json, access_key: str | None) -> Json:
        stack = self._changeable(request["StackName"])
        stack.options["EnableTerminationProtection"] = request["EnableTerminationProtection"]
        return {"StackId": stack.id}

    # Looking

    def describe_stacks(self, request: Json, access_key: str | None) -> Json:
        if "StackName" in request:
            return {"Stacks": [self._existing(request["StackName"]).described()]}
        shown, token = _page([stack.described() for stack in self._stacks if stack.status != "DELETE_COMPLETE"], request)
        return {"Stacks": shown, **token}

    def list_stacks(self, request: Json, access_key: str | None) -> Json:
        wanted = request.get("StackStatusFilter") or [stack.status for stack in self._stacks]
        shown, token = _page([stack.summary() for stack in reversed(self._stacks) if stack.status in wanted], request)
        return {"StackSummaries": shown, **token}

    def describe_stack_events(self, request: Json, access_key: str | None) -> Json:
        events, token = _page(self._existing(request["StackName"], "Stack [{}] does not exist").events, request)
        return {"StackEvents": events, **token}

    def describe_stack_resources(self, request: Json, access_key: str | None) -> Json:
        if "PhysicalResourceId" in request:
            if "StackName" in request:
                raise Refusal("Specify either StackName or PhysicalResourceId, but not both")
            stack = self._owner(request["PhysicalResourceId"])
        elif "StackName" in request:
            stack = self._existing(request["StackName"])
        else:
            raise Refusal("Either StackName or PhysicalResourceId must be specified")
        resources = [
            _with_stack(stack, resource.described("Timestamp"))
            for resource in list(stack.resources.values())
            if request.get("LogicalResourceId", resource.logical_id) == resource.logical_id
        ]
        return {"StackResources": resources[:PAGE]}

    def describe_stack_resource(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"], "Stack '{}' does not exist")
        resource = stack.resources.get(request["LogicalResourceId"])
        if resource is None:
            raise Refusal(f"Resource {request['LogicalResourceId']} does not exist for stack {stack.name}")
        return {"StackResourceDetail": _with_stack(stack, resource.described("LastUpdatedTimestamp"))}

    def list_stack_resources(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"])
        shown, token = _page([resource.described("LastUpdatedTimestamp") for resource in list(stack.resources.values())], request)
        return {"StackResourceSummaries": shown, **token}

    def get_template(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"])
        version = self._change_set(request).version if "ChangeSetName" in request else stack.version
        return {"TemplateBody": version.template.text, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, request: Json, access_key: str | None) -> Json:
        template = template_of(request)
        if template is None and "StackName" not in request:
            raise Refusal("Either StackName or TemplateBody or TemplateURL must be specified.")
        return template_summary(template or self._existing(request["StackName"]).version.template)

    def validate_template(self, request: Json, access_key: str | None) -> Json:
        summary = template_summary(required_template_of(request))
        parameters = [
            {"ParameterKey": item["ParameterKey"], "DefaultValue": item.get("DefaultValue"), "NoEcho": item["NoEcho"]}
            | ({"Description": item["Description"]} if item.get("Description") else {})
            for item in summary["Parameters"]
        ]
        shown = {key: summary[key] for key in ("Description", "Capabilities", "CapabilitiesReason", "DeclaredTransforms")}
        return {"Parameters": parameters, **shown}

    # Change sets

    def create_change_set(self, request: Json, access_key: str | None) -> Json:
        kind = request.get("ChangeSetType", "UPDATE")
        stack = self._named(request["StackName"]) or self._find(request["StackName"])
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                again = f"cannot be created again with the changeSet [{request['ChangeSetName']}]."
                raise Refusal(f"Stack [{stack.name}] already exists and {again}")
            template = required_template_of(request)
            version = Version(template, parameter_values(template, request.get("Parameters", [])), _tags(request))
            if stack is None:
                stack = self._new_stack(request["StackName"], version)
                self._stacks.append(stack)
                stack.set_status("REVIEW_IN_PROGRESS", "User Initiated")
        else:
            stack = self._changeable(request["StackName"])
            version = self._next_version(stack, request)
        _require_capabilities(version.template, request)
        if request["ChangeSetName"] in stack.change_sets:
            raise Refusal(f"ChangeSet [{request['ChangeSetName']}] already exists", "AlreadyExistsException")
        identifier = f"{stack.id.partition(':stack/')[0]}:changeSet/{request['ChangeSetName']}/{uuid4()}"
        made = ChangeSet(request["ChangeSetName"], identifier, version, request, [], request.get("Description"))
        made.changes = self._changes(stack, version) or []
        if kind == "UPDATE" and self._changes(stack, version) is None:
            made.status, made.execution_status = "FAILED", "UNAVAILABLE"
            made.reason = "The submitted information didn't contain changes. Submit different information to create a change set."
        stack.change_sets[made.name] = made
        return {"Id": made.id, "StackId": stack.id}

    def describe_change_set(self, request: Json, access_key: str | None) -> Json:
        found, stack = self._change_set(request), self._stack_of(request)
        changes, token = _page([change.described() for change in found.changes], request)
        more = {
            "Parameters": shown_parameters(found.version),
            "Tags": [{"Key": key, "Value": value} for key, value in found.version.tags.items()],
            "Capabilities": found.options.get("Capabilities", []),
            "NotificationARNs": found.options.get("NotificationARNs", []),
            "Changes": changes,
            "IncludeNestedStacks": False,
        }
        return {**found.summary(stack), **more, **token}

    def list_change_sets(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"], "Stack [{}] does not exist")
        shown, token = _page([found.summary(stack) for found in stack.change_sets.values()], request)
        return {"Summaries": shown, **token}

    def delete_change_set(self, request: Json, access_key: str | None) -> Json:
        found, stack = self._change_set(request), self._stack_of(request)
        del stack.change_sets[found.name]
        return {}

    def execute_change_set(self, request: Json, access_key: str | None) -> Json:
        found, stack = self._change_set(request), self._stack_of(request)
        if found.execution_status != "AVAILABLE":
            raise Refusal(
                f"ChangeSet [{found.id}] cannot be executed in its current execution status of [{found.execution_status}]",
                "InvalidChangeSetStatus",
            )
        disable_rollback = request.get("DisableRollback", False)
        stack.change_sets.clear()  # AWS user guide: they are deleted with the first that is executed
        self._set_options(stack, found.options)
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.version = found.version
            on_failure = found.options.get("OnStackFailure", "DO_NOTHING" if disable_rollback else "ROLLBACK")
            self._operation(stack, access_key).create(on_failure)
        else:
            self._operation(stack, access_key).update(found.version, disable_rollback)
        return {}

    # Finding

    def _named(self, name: str) -> Stack | None:
        """Return the stack of a name, deleted ones left aside."""
        return next((stack for stack in self._stacks if stack.name == name and stack.status != "DELETE_COMPLETE"), None)

    def _find(self, name_or_id: str) -> Stack | None:
        """Return a stack by name, or by id, which also finds one that is deleted."""
        return next((stack for stack in self._stacks if stack.id == name_or_id), None) or self._named(name_or_id)

    def _existing(self, name_or_id: str, message: str = "Stack with id {} does not exist") -> Stack:
        stack = self._find(name_or_id)
        if stack is None:
            raise Refusal(message.format(name_or_id))
        return stack

    def _changeable(self, name_or_id: str) -> Stack:
        stack = self._existing(name_or_id, "Stack [{}] does not exist")
        if stack.status == "DELETE_COMPLETE":
            raise Refusal(f"Stack [{name_or_id}] does not exist")
        return stack

    def _owner(self, physical_id: str) -> Stack:
        for stack in reversed(self._stacks):
            if any(resource.physical_id == physical_id and _is_there(resource) for resource in list(stack.resources.values())):
                return stack
        raise Refusal(f"Stack for {physical_id} does not exist")

    def _stack_of(self, request: Json) -> Stack:
        if "StackName" in request:
            return self._existing(request["StackName"], "Stack [{}] does not exist")
        for stack in self._stacks:
            if any(found.id == request["ChangeSetName"] for found in stack.change_sets.values()):
                return stack
        raise Refusal(f"ChangeSet [{request['ChangeSetName']}] does not exist", "ChangeSetNotFound")

    def _change_set(self, request: Json) -> ChangeSet:
        for found in self._stack_of(request).change_sets.values():
            if request["ChangeSetName"] in (found.name, found.id):
                return found
        raise Refusal(f"ChangeSet [{request['ChangeSetName']}] does not exist", "ChangeSetNotFound")

    # Making

    def _new_stack(self, name: str, version: Version) -> Stack:
        return Stack(name, self.account, self.region, version, {}, self._around.settings.rule_stack_tags)

    def _set_options(self, stack: Stack, request: Json) -> None:
        stack.options |= {key: request[key] for key in _OPTIONS if key in request}
        stack.options["DisableRollback"] = request.get("DisableRollback", False) or request.get("OnFailure") == "DO_NOTHING"
        if "EnableTerminationProtection" in request:
            stack.options["EnableTerminationProtection"] = request["EnableTerminationProtection"]

    def _operation(self, stack: Stack, access_key: str | None) -> Operation:
        services = Services(self._around, self.account, self.region, None if stack.options.get("RoleARN") else access_key)
        return Operation(stack, services)

    def _next_version(self, stack: Stack, request: Json) -> Version:
        previous = request.get("UsePreviousTemplate")
        template = stack.version.template if previous else required_template_of(request)
        _require_capabilities(template, request)
        parameters = parameter_values(template, request.get("Parameters", []), stack.version.parameters)
        return Version(template, parameters, _tags(request) if "Tags" in request else stack.version.tags)

    def _changes(self, stack: Stack, version: Version) -> list[Change] | None:
        """Return what an update would do; None for nothing at all. No resource has to be touched to change outputs or tags."""
        changes, unknown = [], set()
        wanted_ids = stack.evaluation(version).wanted()
        for logical_id in wanted_ids:
            kind, current = version.template.resources[logical_id]["Type"], stack.resources.get(logical_id)
            if current is None or not _is_there(current):
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
        gone = [resource for resource in stack.resources.values() if resource.logical_id not in wanted_ids and _is_there(resource)]
        changes += [Change("Remove", resource.logical_id, resource.type, resource.physical_id) for resource in gone]
        if changes or version.tags != stack.version.tags:
            return changes
        return None if stack.evaluation(version).outputs() == stack.outputs else changes


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


def _require_capabilities(template: Template, request: Json) -> None:
    given = set(request.get("Capabilities", []))
    if "CAPABILITY_NAMED_IAM" in given:
        given.add("CAPABILITY_IAM")
    missing = [capability for capability in template.capabilities if capability not in given]
    if missing:
        raise Refusal(f"Requires capabilities : [{', '.join(missing)}]", "InsufficientCapabilitiesException")


def _tags(request: Json) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}


def _with_stack(stack: Stack, resource: Json) -> Json:
    return {"StackName": stack.name, "StackId": stack.id, **resource}


def _is_there(resource: Resource) -> bool:
    return resource.physical_id is not None and resource.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def _page(items: list[Json], request: Json) -> tuple[list[Json], Json]:
    """Return one page, and the token for the next."""
    start, size = int(request.get("NextToken", 0)), int(request.get("MaxResults", PAGE))
    more = {"NextToken": str(start + size)} if len(items) > start + size else {}
    return items[start : start + size], more
