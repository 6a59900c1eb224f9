# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import StackParameters, as_shown
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import SELF_MANAGED
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    HIDDEN,
    REVISION_PARAMETER,
    Template,
    looks_like_token,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import changed_fields
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_token

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import CurrentStackSet, Reading
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

_DEFAULT_ROLE = ":role/AWSCloudFormationStackSetAdministrationRole"


@dataclass(frozen=True)
class Properties:
    """The desired properties of a stack set, apart from its instances.

    :ivar account_parameter: the template's parameter for the Spot account
    :ivar arguments: those of the call that sets them; None if nothing differs
    :ivar before: the present state as a diff shows it
    :ivar after: the same for the future
    :ivar changed: the names of the properties that differ
    """

    account_parameter: str
    arguments: Document | None = field(default=None, repr=False)
    before: Document | None = None
    after: Document | None = None
    changed: tuple[str, ...] = ()
    document: Document = field(default_factory=dict)


def properties(desired: StackSet, reading: Reading, *, done: bool = False) -> Properties:
    """Compare a stack set with the desired one.

    :param done: whether it was made, or changed, in this run already: then a token that is to be written always is not written again
    :raises RegionError: the template lacks a parameter, or AWS cannot change a property that differs.
    :raises ArgumentError: the token has to be written, and there is none.
    """
    template, current = t.cast("Template", reading.template), reading.current
    account_name, token_name = template.account_parameter(desired.account_parameter), template.token_parameter(desired.token_parameter)
    _check_parameters(desired, template, account_name, token_name)
    existing = current.parameters if current else None
    given = {**as_shown(desired.parameters, existing or {}), account_name: desired.base_spot_account}
    parameters = StackParameters(template, existing, given, token_name, desired.token)
    parameters, write_token = _with_revision(desired, parameters, done)
    parameters.check()
    hidden = hidden_parameters(template, token_name)
    shown = {name: value for name, value in parameters.given.items() if name not in hidden}
    there = {name: value for name, value in (parameters.current or {}).items() if name in template.parameters and name not in hidden}
    tags = tags_after(current.tags if current else {}, desired.tags, desired.purge_tags)
    after = {**_fields(desired), "parameters": {**there, **shown}, "tags": tags}
    if current is None:
        check_token(desired.token)
        arguments = {**_arguments(desired, template), **desired.source, "Parameters": parameters.request()}
        if tags:
            arguments["Tags"] = ansible_dict_to_boto3_tag_list(tags)
        return Properties(account_name, arguments, None, after, ("stack set",), _predicted(desired, {}, after, hidden))
    _check_permission_model(desired, reading, current)
    before = {**_current_fields(desired, current), "parameters": there, "tags": current.tags}
    others = [("template", bool(current.differences)), ("token", write_token), ("update", desired.update == "always" and not done)]
    changed = (*changed_fields(before, after), *(name for name, differs in others if differs))
    if not changed:
        return Properties(account_name, document=current.document(hidden))
    if write_token:
        check_token(desired.token)
    arguments = {**_own_role(desired, current), **_arguments(desired, template), "Parameters": parameters.request()}
    same = not current.differences and desired.update != "always"
    arguments.update({"UsePreviousTemplate": True} if same else desired.source)
    if tags or "tags" in changed:
        # Also where none differs: a company's policy can refuse a request that lacks a tag (condition key aws:RequestTag).
        arguments["Tags"] = ansible_dict_to_boto3_tag_list(tags)
    return Properties(account_name, arguments, before, after, changed, _predicted(desired, current.document(hidden), after, hidden))


def hidden_parameters(template: Template, token_name: str = "") -> frozenset[str]:
    """Return the parameters of which no value may be shown."""
    return frozenset(
        name for name, parameter in template.parameters.items() if parameter.hidden or name == token_name or looks_like_token(name)
    )


def _check_permission_model(desired: StackSet, reading: Reading, current: CurrentStackSet) -> None:
    if reading.instances and current.found.get("PermissionModel", SELF_MANAGED) != desired.permission_model:
        raise RegionError(
            "PermissionModel",
            f"the stack set {desired.name} is not {desired.permission_model}, and has {len(reading.instances)} instances; "
            "AWS changes the model only where there is none. Remove it with state=absent, or give another name.",
        )


def _own_role(desired: StackSet, current: CurrentStackSet) -> Document:
    # A role of one's own has to be named in every update (CloudFormation API reference, UpdateStackSet).
    role = current.found.get("AdministrationRoleARN", "")
    if desired.service_managed or not role or role.endswith(_DEFAULT_ROLE):
        return {}
    return {"AdministrationRoleARN": role}


def _check_parameters(desired: StackSet, template: Template, account_name: str, token_name: str) -> None:
    for name, option in ((account_name, "spot_accounts and default_spot_account"), (token_name, "spot_token")):
        if name in desired.parameters:
            raise RegionError("NoParameter", f"parameters: {name} is given with {option}")
    if desired.token_revision is not None and REVISION_PARAMETER not in template.parameters:
        raise RegionError("NoParameter", f"token_revision: the template has no parameter {REVISION_PARAMETER}")


def _with_revision(desired: StackSet, parameters: StackParameters, done: bool) -> tuple[StackParameters, bool]:
    """Return the parameters with the desired revision of the token, and whether the token is written."""
    current = parameters.current
    if current is None:
        revision = desired.token_revision
        return _revised(parameters, revision), True
    always = desired.update_token == "always" and not done
    # The existing template may have another name for the token; then there is no previous value.
    write = always or parameters.token_name not in current
    if desired.token_revision is not None:
        write = write or current.get(REVISION_PARAMETER) != desired.token_revision
        return dataclasses.replace(_revised(parameters, desired.token_revision), keep_token=not write), write
    revision = parameters.next_revision() if always else None
    return dataclasses.replace(_revised(parameters, revision), keep_token=not write), write


def _revised(parameters: StackParameters, revision: str | None) -> StackParameters:
    if revision is None:
        return parameters
    return dataclasses.replace(parameters, given={**parameters.given, REVISION_PARAMETER: revision})


def _arguments(desired: StackSet, template: Template) -> Document:
    """Return the arguments of both CreateStackSet and UpdateStackSet."""
    arguments: Document = {
        "StackSetName": desired.name,
        "Description": desired.description,
        "Capabilities": list(template.capabilities),
        "PermissionModel": desired.permission_model,
        "ManagedExecution": {"Active": desired.managed_execution},
        **desired.call_as,
    }
    if desired.service_managed:
        arguments["AutoDeployment"] = desired.auto_deployment
    if desired.administration_role_arn:
        arguments["AdministrationRoleARN"] = desired.administration_role_arn
    if desired.execution_role_name:
        arguments["ExecutionRoleName"] = desired.execution_role_name
    return arguments


def _fields(desired: StackSet) -> Document:
    fields: Document = {
        "description": desired.description,
        "permission_model": desired.permission_model,
        "managed_execution": desired.managed_execution,
    }
    if desired.service_managed:
        fields["auto_deployment"] = document(desired.auto_deployment)
    if desired.administration_role_arn:
        fields["administration_role_arn"] = desired.administration_role_arn
    if desired.execution_role_name:
        fields["execution_role_name"] = desired.execution_role_name
    return fields


def _current_fields(desired: StackSet, current: CurrentStackSet) -> Document:
    found = current.found
    deployment = found.get("AutoDeployment", {})
    told = {"Enabled": bool(deployment.get("Enabled"))}
    if told["Enabled"]:
        told["RetainStacksOnAccountRemoval"] = bool(deployment.get("RetainStacksOnAccountRemoval"))
    there = {
        "description": found.get("Description", ""),
        "permission_model": found.get("PermissionModel", SELF_MANAGED),
        "managed_execution": bool(found.get("ManagedExecution", {}).get("Active")),
        "auto_deployment": document(told),
        "administration_role_arn": found.get("AdministrationRoleARN"),
        "execution_role_name": found.get("ExecutionRoleName"),
    }
    return {name: there[name] for name in _fields(desired)}


def _predicted(desired: StackSet, there: Document, after: Document, hidden: t.Iterable[str]) -> Document:
    fields = {key: value for key, value in after.items() if key not in ("managed_execution",)}
    parameters = {**after["parameters"], **dict.fromkeys(hidden, HIDDEN)}
    execution = {"active": desired.managed_execution}
    return {**there, "stack_set_name": desired.name, "status": "ACTIVE", **fields, "managed_execution": execution, "parameters": parameters}
