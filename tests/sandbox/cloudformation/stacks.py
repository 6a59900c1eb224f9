# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on the stacks of one account in one region.

A method named after an operation takes its request and returns its answer, or raises a Refusal. All run with moto's lock.
"""

from __future__ import annotations

import re
from uuid import uuid4

from .changes import ChangeSet, changes_of, is_there, template_summary
from .errors import Refusal
from .operations import Operation
from .requests import page_of, require_capabilities, tags_of
from .resource_type import Json
from .services import Services, Surroundings
from .sources import required_template_of, template_of
from .stack import Stack, Version
from .template import parameter_values

STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
NO_UPDATES = "No updates are to be performed."

# The states in which a stack may be updated, and those in which it may not even be deleted.
_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED")
_OPTIONS = ("Capabilities", "ClientRequestToken", "NotificationARNs", "RetainExceptOnCreate", "RoleARN", "TimeoutInMinutes")


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
        require_capabilities(template, request)
        if "DisableRollback" in request and "OnFailure" in request:
            raise Refusal("You can specify either DisableRollback or OnFailure, but not both.")
        there, token = self._named(name), request.get("ClientRequestToken")
        if there and token and token == there.options.get("ClientRequestToken"):
            return {"StackId": there.id}  # recorded: a repetition, without an OperationId
        if there:
            raise Refusal(f"Stack [{name}] already exists", "AlreadyExistsException")
        version = Version(template, parameter_values(template, request.get("Parameters", [])), tags_of(request))
        on_failure = request.get("OnFailure", "DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")
        made = self.create(name, version, request, on_failure, access_key)
        return {"StackId": made.id, "OperationId": made.operations[0]["OperationId"]}

    def update_stack(self, request: Json, access_key: str | None) -> Json:
        stack = self._changeable(request["StackName"])
        self.update(stack, self._next_version(stack, request), request, access_key)
        return {"StackId": stack.id, "OperationId": stack.operations[0]["OperationId"]}

    def delete_stack(self, request: Json, access_key: str | None) -> Json:
        stack = self.find(request["StackName"])
        if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        self.delete(stack, request, access_key)
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

    # Changing, asked for by stack sets too; `access_key` is None for a role that may do all that is needed

    def create(self, name: str, version: Version, request: Json, on_failure: str, access_key: str | None) -> Stack:
        """Begin to create a stack, and return it; `request` is where its options are taken from."""
        stack = self._new_stack(name, version)
        self._set_options(stack, request)
        self._stacks.append(stack)
        self._operation(stack, access_key).create(on_failure)
        return stack

    def update(self, stack: Stack, version: Version, request: Json, access_key: str | None) -> None:
        """Begin to update a stack, or raise a Refusal."""
        if stack.status not in _UPDATABLE:
            raise Refusal(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if changes_of(stack, version) is None:
            raise Refusal(NO_UPDATES)
        self._set_options(stack, request)
        self._operation(stack, access_key).update(version, request.get("DisableRollback", False))

    def delete(self, stack: Stack, request: Json, access_key: str | None) -> None:
        """Begin to delete a stack, or raise a Refusal."""
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

    # Looking

    def describe_stacks(self, request: Json, access_key: str | None) -> Json:
        if "StackName" in request:
            return {"Stacks": [self._existing(request["StackName"]).described()]}
        shown, token = page_of([stack.described() for stack in self._stacks if stack.status != "DELETE_COMPLETE"], request)
        return {"Stacks": shown, **token}

    def list_stacks(self, request: Json, access_key: str | None) -> Json:
        wanted = request.get("StackStatusFilter") or [stack.status for stack in self._stacks]
        shown, token = page_of([stack.summary() for stack in reversed(self._stacks) if stack.status in wanted], request)
        return {"StackSummaries": shown, **token}

    def describe_stack_events(self, request: Json, access_key: str | None) -> Json:
        events, token = page_of(self._existing(request["StackName"], "Stack [{}] does not exist").events, request)
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
        return {"StackResources": resources[:100]}

    def describe_stack_resource(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"], "Stack '{}' does not exist")
        resource = stack.resources.get(request["LogicalResourceId"])
        if resource is None:
            raise Refusal(f"Resource {request['LogicalResourceId']} does not exist for stack {stack.name}")
        return {"StackResourceDetail": _with_stack(stack, resource.described("LastUpdatedTimestamp"))}

    def list_stack_resources(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"])
        shown, token = page_of([resource.described("LastUpdatedTimestamp") for resource in list(stack.resources.values())], request)
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
        stack = self._named(request["StackName"]) or self.find(request["StackName"])
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                again = f"cannot be created again with the changeSet [{request['ChangeSetName']}]."
                raise Refusal(f"Stack [{stack.name}] already exists and {again}")
            template = required_template_of(request)
            version = Version(template, parameter_values(template, request.get("Parameters", [])), tags_of(request))
            if stack is None:
                stack = self._new_stack(request["StackName"], version)
                self._stacks.append(stack)
                stack.set_status("REVIEW_IN_PROGRESS", "User Initiated")
        else:
            stack = self._changeable(request["StackName"])
            version = self._next_version(stack, request)
        require_capabilities(version.template, request)
        if request["ChangeSetName"] in stack.change_sets:
            raise Refusal(f"ChangeSet [{request['ChangeSetName']}] already exists", "AlreadyExistsException")
        identifier = f"{stack.id.partition(':stack/')[0]}:changeSet/{request['ChangeSetName']}/{uuid4()}"
        changes = changes_of(stack, version)
        made = ChangeSet(request["ChangeSetName"], identifier, version, request, changes or [])
        if kind == "UPDATE" and changes is None:
            made.status, made.execution_status = "FAILED", "UNAVAILABLE"
            made.reason = "The submitted information didn't contain changes. Submit different information to create a change set."
        stack.change_sets[made.name] = made
        return {"Id": made.id, "StackId": stack.id}

    def describe_change_set(self, request: Json, access_key: str | None) -> Json:
        found, stack = self._change_set(request), self._stack_of(request)
        changes, token = page_of([change.described() for change in found.changes], request)
        return {**found.described(stack), "Changes": changes, **token}

    def list_change_sets(self, request: Json, access_key: str | None) -> Json:
        stack = self._existing(request["StackName"], "Stack [{}] does not exist")
        shown, token = page_of([found.summary(stack) for found in stack.change_sets.values()], request)
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

    def find(self, name_or_id: str) -> Stack | None:
        """Return a stack by name, or by id, which also finds one that is deleted."""
        return next((stack for stack in self._stacks if stack.id == name_or_id), None) or self._named(name_or_id)

    def _existing(self, name_or_id: str, message: str = "Stack with id {} does not exist") -> Stack:
        stack = self.find(name_or_id)
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
            if any(resource.physical_id == physical_id and is_there(resource) for resource in list(stack.resources.values())):
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
        require_capabilities(template, request)
        parameters = parameter_values(template, request.get("Parameters", []), stack.version.parameters)
        return Version(template, parameters, tags_of(request) if "Tags" in request else stack.version.tags)


def _with_stack(stack: Stack, resource: Json) -> Json:
    return {"StackName": stack.name, "StackId": stack.id, **resource}
