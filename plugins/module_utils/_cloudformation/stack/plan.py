# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.change import Change, stack_parameters
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.steps import (
    NOTHING_TRIED,
    Attempts,
    StackPlan,
    joined,
    note_on_token,
    template_arguments,
    unchanged,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import CurrentStack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Template
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region


def plan(stack: Stack, region: Region, current: CurrentStack | None, attempts: Attempts = NOTHING_TRIED) -> StackPlan:
    """Decide the next step.

    :raises RegionError: the desired state must not be made here.
    """
    if current and current.in_progress:
        raise RegionError("InProgress", f"the stack is {current.status}: wait until it is done, or raise wait_timeout")
    if current and current.parent:
        raise RegionError("Nested", f"the stack is nested in {current.parent}; change that stack instead")
    if not stack.present:
        return _removal(stack, current)
    if current is None or current.template is None:
        raise RegionError("NoTemplate", "CloudFormation returned no summary of the template; run again later")
    if current.found is None:
        return _creation(stack, current.template)
    if current.is_dead:
        return _replacement(stack, current, current.template)
    change = Change(stack, region, current, current.template, attempts).plan()
    return _rollback(stack, current, change) if current.is_stuck else change


def _removal(stack: Stack, current: CurrentStack | None) -> StackPlan:
    if current is None:
        return unchanged(None)
    foreign = current.foreign_targets
    # "Specify which resources to retain only when the stack is in the DELETE_FAILED state" (CloudFormation API reference).
    retained = [targets.logical_id for targets in foreign] if current.is_half_deleted else []
    deletion = StackPlan("deleted", None, current.shown(), None, (_delete(stack, current, retained),))
    if foreign:
        note = "; ".join(targets.note for targets in foreign)
        deletion = dataclasses.replace(deletion, note=note, continues=not retained)
    if current.retained is None:
        return deletion
    # "You can't update the deletion policy by itself" (CloudFormation user guide): so each resource is marked as well.
    body, done = current.retained
    deletion = dataclasses.replace(deletion, note="the stack is deleted, and its resources stay.")
    if done:
        return deletion
    arguments = {
        "StackName": stack.name,
        "TemplateBody": json.dumps(body),
        "Parameters": [{"ParameterKey": key, "UsePreviousValue": True} for key in (current.found or {})["parameters"]],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        **stack.role,
    }
    if (current.found or {})["tags"]:
        arguments["Tags"] = ansible_dict_to_boto3_tag_list((current.found or {})["tags"])
    return dataclasses.replace(deletion, calls=(Call("update_stack", arguments),), continues=True)


def _delete(stack: Stack, current: CurrentStack, retained: t.Sequence[str] = ()) -> Call:
    if current.is_protected:
        raise RegionError(
            "Protected",
            "the stack has termination protection and was kept. Switch that off first "
            f"(aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {stack.name}).",
        )
    return Call("delete_stack", {"StackName": stack.name, **stack.role, **({"RetainResources": list(retained)} if retained else {})})


def _creation(stack: Stack, template: Template) -> StackPlan:
    parameters = stack_parameters(stack, template, None)
    parameters.check()
    arguments = template_arguments(stack, template, parameters)
    if stack.tags:
        arguments["Tags"] = ansible_dict_to_boto3_tag_list(stack.tags)
    after: Document = {"stack_status": "CREATE_COMPLETE", "parameters": parameters.desired(), "tags": dict(stack.tags or {})}
    document = {"stack_name": stack.name, **after, "outputs": {}, "resources": {}, "connection": None}
    note = joined(note_on_token(template, parameters), *stack.notes)
    return StackPlan("created", document, None, after, (Call("create_stack", arguments),), note=note)


def _replacement(stack: Stack, current: CurrentStack, template: Template) -> StackPlan:
    """Return the plan for a stack that can only be deleted: it is deleted first, and then created.

    :raises RegionError: a rule of it cannot be deleted.
    """
    if current.foreign_targets:
        kept = "; ".join(f"{targets.rule} ({', '.join(targets.ids)})" for targets in current.foreign_targets)
        message = f"the stack is {current.status}: its rule has targets of others, so it cannot be deleted and created again: {kept}."
        raise RegionError("ForeignTargets", f"{message} Remove these targets, and run again.")
    creation = _creation(stack, template)
    return dataclasses.replace(
        creation,
        before=current.shown(),
        calls=(_delete(stack, current),),
        note=joined(f"{current.why()}. It cannot be updated: it is deleted and created again.", creation.note),
        continues=True,
    )


def _rollback(stack: Stack, current: CurrentStack, change: StackPlan) -> StackPlan:
    """Return the plan for a stack whose rollback failed: the rollback is completed first, and a change comes after it."""
    before, after = current.shown(), {**current.shown(), "stack_status": "UPDATE_ROLLBACK_COMPLETE"}
    document = {**(change.document or {}), "stack_status": "UPDATE_ROLLBACK_COMPLETE"}
    return StackPlan(
        "reauthorized" if change.action == "reauthorized" else "updated",
        change.document if change.calls else document,
        change.before or before,
        change.after or after,
        (Call("continue_update_rollback", {"StackName": stack.name, **stack.role}),),
        note=joined(f"{current.why()}. Its rollback is completed first.", change.note),
        continues=True,
    )
