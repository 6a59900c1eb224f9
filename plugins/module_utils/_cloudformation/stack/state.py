# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import TRANSIENT_STATES
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import HIDDEN, Template, looks_like_token
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# Nothing is in progress behind this one: a change set was made, and never executed.
_REVIEW = "REVIEW_IN_PROGRESS"
# CloudFormation user guide, "stack status codes": from these, a stack can only be deleted.
_DEAD = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", _REVIEW})


@dataclass(frozen=True)
class ForeignTargets:
    """The targets of a stack's rule that are not in the stack's template.

    CloudFormation removes the template's targets alone, and then cannot delete the rule (tests/contract/records/stacks.yml,
    stack-delete-rule-with-foreign-target).

    :ivar logical_id: the rule's name in the template
    """

    logical_id: str
    rule: str
    ids: tuple[str, ...]

    @property
    def note(self) -> str:
        """Return the note for users if the rest of the stack is removed."""
        return f"the rule {self.rule} was kept: it has targets that are not ours ({', '.join(self.ids)})"


@dataclass(frozen=True)
class CurrentStack:
    """An existing stack; or no stack, and only the desired template.

    :ivar found: as it is returned to the user; None where there is no stack
    :ivar template: the desired template; None where it was not read, because nothing can be done with it
    :ivar differences: the differences between the stack's own template and the desired one
    :ivar key_arns: the ARNs of KMS keys by identifier, of those that parameters name
    :ivar connections: the names of its connections
    :ivar connection: the connection, if it has one and AWS does too
    :ivar causes: why the last operation on it failed
    :ivar is_protected: whether it must not be deleted
    :ivar parent: the stack that it is nested in
    :ivar foreign_targets: the targets of others on its rules, as far as they keep it from being deleted
    :ivar retained: its template with everything retained, and whether it is like that already; None where that was not read
    """

    found: Document | None
    template: Template | None = None
    differences: tuple[str, ...] = ()
    key_arns: t.Mapping[str, str] = field(default_factory=dict)
    connections: tuple[str, ...] = ()
    connection: ExistingConnection | None = None
    causes: tuple[str, ...] = ()
    is_protected: bool = False
    parent: str = ""
    foreign_targets: tuple[ForeignTargets, ...] = ()
    retained: tuple[t.Any, bool] | None = None

    @property
    def document(self) -> Document:
        """Return the stack as it is returned to the user. Holds no secret."""
        return {**(self.found or {}), "connection": self.connection.document if self.connection else None}

    @property
    def status(self) -> str:
        """Return `CREATE_COMPLETE` …; empty where there is no stack."""
        return str((self.found or {}).get("stack_status", ""))

    @property
    def in_progress(self) -> bool:
        """Return whether CloudFormation is working on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != _REVIEW

    @property
    def is_failed(self) -> bool:
        """Return whether the last operation on it failed."""
        return "FAILED" in self.status or "ROLLBACK" in self.status

    @property
    def is_dead(self) -> bool:
        """Return whether it can only be deleted."""
        return self.status in _DEAD

    @property
    def is_stuck(self) -> bool:
        """Return whether the rollback of an update failed, and has to be completed before anything else."""
        return self.status == "UPDATE_ROLLBACK_FAILED"

    @property
    def is_half_updated(self) -> bool:
        """Return whether an update failed and was not rolled back: parameters and template are not those of the resources."""
        return self.status == "UPDATE_FAILED"

    @property
    def is_half_deleted(self) -> bool:
        """Return whether its deletion failed, so that another one may leave resources behind."""
        return self.status == "DELETE_FAILED"

    @property
    def settled(self) -> bool:
        """Return whether AWS has finished working on it and its connection, successfully or not."""
        return not self.in_progress and not (self.connection and self.connection.state in TRANSIENT_STATES)

    def why(self) -> str:
        """Return its problem, and the reason."""
        return f"the stack is {self.status}" + (f": {' | '.join(self.causes)}" if self.causes else "")

    def shown(self) -> Document:
        """Return the stack as a diff shows it."""
        return {key: (self.found or {})[key] for key in ("stack_status", "parameters", "tags")}


def describe(cloudformation: t.Any, name: str, token: str, token_parameter: str | None) -> CurrentStack | None:
    """Read a stack with DescribeStacks.

    :param token: a text that must not be shown, empty if it is not known
    :param token_parameter: the parameter with it, if it is given
    :returns: None if there is no such stack
    """
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except Exception as error:
        if is_code(error, "ValidationError") and "does not exist" in str(error):
            return None
        raise
    parameters = {item["ParameterKey"]: item.get("ParameterValue", "") for item in stack.get("Parameters", [])}
    found: Document = {
        "stack_id": stack["StackId"],
        "stack_name": stack["StackName"],
        "stack_status": stack["StackStatus"],
        "parameters": {
            # With and without NoEcho in the template.
            key: HIDDEN if key == token_parameter or looks_like_token(key) else without_token(value, token)
            for key, value in parameters.items()
        },
        "outputs": {item["OutputKey"]: without_token(item["OutputValue"], token) for item in stack.get("Outputs", [])},
        # The other tags are AWS's, and nobody else can change them.
        "tags": boto3_tag_list_to_ansible_dict([tag for tag in stack.get("Tags", []) if not tag["Key"].startswith("aws:")]),
        "resources": {},
    }
    if stack.get("StackStatusReason"):
        found["stack_status_reason"] = without_token(stack["StackStatusReason"], token)
    return CurrentStack(found, is_protected=bool(stack.get("EnableTerminationProtection")), parent=stack.get("ParentId") or "")


def without_token(text: str, token: str) -> str:
    """Return a text of AWS's without the token."""
    return text.replace(token, HIDDEN) if token else text


def resources_of(cloudformation: t.Any, name: str) -> Document:
    """Read the existing resources with DescribeStackResources, by logical id."""
    return {
        item["LogicalResourceId"]: {
            "type": item["ResourceType"],
            "physical_id": item.get("PhysicalResourceId"),
            "status": item["ResourceStatus"],
        }
        for item in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        if item["ResourceStatus"] != "DELETE_COMPLETE"
    }
