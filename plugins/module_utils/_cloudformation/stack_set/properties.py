# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_list, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import StackParameters
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
    """What a stack set as a whole shall be like, apart from its instances.

    :ivar account_parameter: the template's parameter for the Spot account
    :ivar arguments: those of the call that makes it so; None if it is so already
    :ivar before: what a diff shows of the present
    :ivar after: the same of the future
    :ivar changed: the names of what differs
    """

    account_parameter: str
    arguments: Document | None = field(default=None, repr=False)
    before: Document | None = None
    after: Document | None = None
    changed: tuple[str, ...] = ()
    document: Document = field(default_factory=dict)


def properties(wanted: StackSet, reading: Reading, *, done: bool = False) -> Properties:
    """Compares a stack set with what it shall be. Pure.

    :param done: whether it was made, or changed, in this run already: then a token that is to be written always is not written again
    :raises RegionError: the template has not the parameters, or AWS cannot change what differs.
    :raises ArgumentError: the token has to be written, and there is none.
    """
    template, current = t.cast("Template", reading.template), reading.current
    account_name, token_name = template.account_parameter(wanted.account_parameter), template.token_parameter(wanted.token_parameter)
    _check_parameters(wanted, template, account_name, token_name)
    given = {**wanted.parameters, account_name: wanted.base_spot_account}
    parameters = StackParameters(template, current.parameters if current else None, given, token_name, wanted.token)
    parameters, write_token = _with_revision(wanted, parameters, done)
    parameters.check()
    hidden = hidden_parameters(template, token_name)
    shown = {name: value for name, value in parameters.given.items() if name not in hidden}
    there = {name: value for name, value in (parameters.current or {}).items() if name in template.parameters and name not in hidden}
    tags = tags_after(current.tags if current else {}, wanted.tags, wanted.purge_tags)
    after = {**_fields(wanted), "parameters": {**there, **shown}, "tags": tags}
    if current is None:
        check_token(wanted.token)
        arguments = {**_arguments(wanted, template), **wanted.source, "Parameters": parameters.request()}
        if tags:
            arguments["Tags"] = as_list(tags)
        return Properties(account_name, arguments, None, after, ("stack set",), _predicted(wanted, {}, after, hidden))
    _check_permission_model(wanted, reading, current)
    before = {**_current_fields(wanted, current), "parameters": there, "tags": current.tags}
    others = [("template", bool(current.differences)), ("token", write_token), ("update", wanted.update == "always" and not done)]
    changed = (*changed_fields(before, after), *(name for name, differs in others if differs))
    if not changed:
        return Properties(account_name, document=current.document(hidden))
    if write_token:
        check_token(wanted.token)
    arguments = {**_own_role(wanted, current), **_arguments(wanted, template), "Parameters": parameters.request()}
    same = not current.differences and wanted.update != "always"
    arguments.update({"UsePreviousTemplate": True} if same else wanted.source)
    if "tags" in changed:
        arguments["Tags"] = as_list(tags)
    return Properties(account_name, arguments, before, after, changed, _predicted(wanted, current.document(hidden), after, hidden))


def hidden_parameters(template: Template, token_name: str = "") -> frozenset[str]:
    """The parameters of which no value may be shown."""
    return frozenset(
        name for name, parameter in template.parameters.items() if parameter.hidden or name == token_name or looks_like_token(name)
    )


def _check_permission_model(wanted: StackSet, reading: Reading, current: CurrentStackSet) -> None:
    if reading.instances and current.found.get("PermissionModel", SELF_MANAGED) != wanted.permission_model:
        raise RegionError(
            "PermissionModel",
            f"the stack set {wanted.name} is not {wanted.permission_model}, and has {len(reading.instances)} instances; "
            "AWS changes the model only where there is none. Remove it with state=absent, or give another name.",
        )


def _own_role(wanted: StackSet, current: CurrentStackSet) -> Document:
    # A role of one's own has to be named in every update (CloudFormation API reference, UpdateStackSet).
    role = current.found.get("AdministrationRoleARN", "")
    if wanted.service_managed or not role or role.endswith(_DEFAULT_ROLE):
        return {}
    return {"AdministrationRoleARN": role}


def _check_parameters(wanted: StackSet, template: Template, account_name: str, token_name: str) -> None:
    for name, option in ((account_name, "spot_accounts and default_spot_account"), (token_name, "spot_token")):
        if name in wanted.parameters:
            raise RegionError("NoParameter", f"parameters: {name} is given with {option}")
    if wanted.token_revision is not None and REVISION_PARAMETER not in template.parameters:
        raise RegionError("NoParameter", f"token_revision: the template has no parameter {REVISION_PARAMETER}")


def _with_revision(wanted: StackSet, parameters: StackParameters, done: bool) -> tuple[StackParameters, bool]:
    """The parameters with the revision that the token shall have, and whether it is written."""
    current = parameters.current
    if current is None:
        revision = wanted.token_revision
        return _revised(parameters, revision), True
    always = wanted.update_token == "always" and not done
    # Another template may call it otherwise; then there is no previous value.
    write = always or parameters.token_name not in current
    if wanted.token_revision is not None:
        write = write or current.get(REVISION_PARAMETER) != wanted.token_revision
        return dataclasses.replace(_revised(parameters, wanted.token_revision), keep_token=not write), write
    revision = parameters.next_revision() if always else None
    return dataclasses.replace(_revised(parameters, revision), keep_token=not write), write


def _revised(parameters: StackParameters, revision: str | None) -> StackParameters:
    if revision is None:
        return parameters
    return dataclasses.replace(parameters, given={**parameters.given, REVISION_PARAMETER: revision})


def _arguments(wanted: StackSet, template: Template) -> Document:
    """What CreateStackSet and UpdateStackSet both take."""
    arguments: Document = {
        "StackSetName": wanted.name,
        "Description": wanted.description,
        "Capabilities": list(template.capabilities),
        "PermissionModel": wanted.permission_model,
        "ManagedExecution": {"Active": wanted.managed_execution},
        **wanted.call_as,
    }
    if wanted.service_managed:
        arguments["AutoDeployment"] = wanted.auto_deployment
    if wanted.administration_role_arn:
        arguments["AdministrationRoleARN"] = wanted.administration_role_arn
    if wanted.execution_role_name:
        arguments["ExecutionRoleName"] = wanted.execution_role_name
    return arguments


def _fields(wanted: StackSet) -> Document:
    fields: Document = {
        "description": wanted.description,
        "permission_model": wanted.permission_model,
        "managed_execution": wanted.managed_execution,
    }
    if wanted.service_managed:
        fields["auto_deployment"] = document(wanted.auto_deployment)
    if wanted.administration_role_arn:
        fields["administration_role_arn"] = wanted.administration_role_arn
    if wanted.execution_role_name:
        fields["execution_role_name"] = wanted.execution_role_name
    return fields


def _current_fields(wanted: StackSet, current: CurrentStackSet) -> Document:
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
    return {name: there[name] for name in _fields(wanted)}


def _predicted(wanted: StackSet, there: Document, after: Document, hidden: t.Iterable[str]) -> Document:
    fields = {key: value for key, value in after.items() if key not in ("managed_execution",)}
    parameters = {**after["parameters"], **dict.fromkeys(hidden, HIDDEN)}
    execution = {"active": wanted.managed_execution}
    return {**there, "stack_set_name": wanted.name, "status": "ACTIVE", **fields, "managed_execution": execution, "parameters": parameters}
