# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import ACCOUNT_PARAMETER, Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import DIFFERS, ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import tag_changes, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import StackParameters, as_shown
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.steps import (
    AUTHORIZE,
    UPDATE,
    Attempts,
    StackPlan,
    joined,
    note_on_token,
    template_arguments,
    unchanged,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import REVISION_PARAMETER
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import unchanged as unchanged_connection

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import CurrentStack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Template
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region


class Change:
    """The change of an existing stack: by an update, or at its connection in place.

    CloudFormation knows neither the state of a connection nor its token. So a lost connection is authorised in place. A token alone is
    written by an update; in place only where CloudFormation sees nothing to update, or where the update did not write it.
    """

    def __init__(self, stack: Stack, region: Region, current: CurrentStack, template: Template, attempts: Attempts) -> None:
        self._stack = stack
        self._current = current
        self._found = current.found or {}
        self._template = template
        self._attempts = attempts
        self._connection = self._plan_connection(region)
        self._stale = self._connection.action == "updated"
        self._parameters = stack_parameters(stack, template, self._found["parameters"], current.key_arns)
        self._parameters.check()
        self._notes = (note_on_token(template, self._parameters), self._connection.note, *stack.notes)

    def plan(self) -> StackPlan:
        """Decide the next step."""
        to_update = self._has_to_be_updated()
        if self._connection.action == "reauthorized":
            return self._in_place(to_update)
        if to_update or (self._stale and not self._attempts.updated):
            return self._update(to_update)
        if self._stale:
            return self._in_place(False)
        return unchanged(self._current, joined(*self._notes, self._note_on_no_change()))

    def _has_to_be_updated(self) -> bool:
        differs = (
            self._current.is_half_updated
            or self._parameters.changed()
            or bool(self._current.differences)
            or any(tag_changes(self._found["tags"], self._stack.tags, self._stack.purge_tags))
        )
        if differs:
            return not self._attempts.nothing_to_update
        return self._stack.update == "always" and not self._attempts.updated

    def _update(self, shown: bool) -> StackPlan:
        revision = self._parameters.next_revision() if self._stale else None
        parameters = self._parameters
        if revision:
            parameters = dataclasses.replace(parameters, given={**parameters.given, REVISION_PARAMETER: revision})
        # Without a revision, whether an update writes a token alone is up to CloudFormation.
        before, after = self._shown(parameters, shown or bool(revision))
        return StackPlan(
            "updated",
            self._predicted(after),
            before,
            after,
            (Call(UPDATE, self._update_arguments(parameters)),),
            note=joined(*self._notes),
            # With a revision, an update writes the token; whether it did is visible only where tokens are compared.
            continues=self._stale and not (revision and self._stack.update_token == "always"),
        )

    def _in_place(self, then_update: bool) -> StackPlan:
        before, after = self._shown(self._parameters, then_update)
        name = ", ".join(self._current.connections)
        note = (
            f"the token of the connection {name} is written in place: CloudFormation knows neither its state nor its token, and so "
            "does not notice."
        )
        return StackPlan(
            self._connection.action,
            self._predicted(after) if then_update else {**self._found, "connection": self._connection.document},
            before,
            after,
            tuple(dataclasses.replace(call, service=Connection.service) for call in self._connection.calls),
            note=joined(note, *self._notes),
            continues=then_update,
        )

    def _plan_connection(self, region: Region) -> Plan:
        """Decide the changes of the stack's connection that its template does not decide."""
        names, connection = self._current.connections, self._current.connection
        if not names:
            return Plan("unchanged", None)
        if len(names) > 1:
            note = f"the stack has several connections ({', '.join(names)}): their states and tokens were not read."
            return Plan("unchanged", None, note=note)
        if connection is None:
            raise RegionError(
                "ConnectionGone",
                f"the stack's connection {names[0]} was deleted, which CloudFormation neither detects nor repairs. "
                "Remove the stack (state=absent), and create it again.",
            )
        plan = self._stack.connection(connection.document["name"], connection).plan(region, connection)
        stale = connection.token == DIFFERS or self._sends_other_account(connection)
        if plan.action == "reauthorized" or stale or (self._stack.update_token == "always" and not self._token_written()):
            return plan
        return unchanged_connection(connection, note=plan.note)

    def _sends_other_account(self, connection: ExistingConnection) -> bool:
        values = [item["value"] for item in connection.managed_fields()["query_string_parameters"] if item["key"] == ACCOUNT_PARAMETER]
        # A template may hide the account.
        return any(value not in (self._stack.spot_account, "(hidden)") for value in values)

    def _token_written(self) -> bool:
        by_update = UPDATE in self._attempts.made and REVISION_PARAMETER in self._template.parameters
        return by_update or AUTHORIZE in self._attempts.made

    def _shown(self, parameters: StackParameters, update: bool) -> tuple[Document, Document]:
        """Return before and after, as a diff shows them."""
        before, after = self._current.shown(), self._current.shown()
        if self._connection.calls:
            for key in ("connection_state", "token"):
                before[key], after[key] = (self._connection.before or {})[key], (self._connection.after or {})[key]
        if update:
            after["stack_status"] = "UPDATE_COMPLETE"
            after["parameters"] = parameters.desired()
            after["tags"] = tags_after(self._found["tags"], self._stack.tags, self._stack.purge_tags)
        if update and self._current.differences:
            before["template"], after["template"] = f"differs: {', '.join(self._current.differences)}", "as given"
        return before, after

    def _predicted(self, after: Document) -> Document:
        fields = {key: after[key] for key in ("stack_status", "parameters", "tags")}
        document = {**self._found, **fields, "connection": self._connection.document}
        document.pop("stack_status_reason", None)
        return document

    def _update_arguments(self, parameters: StackParameters) -> Document:
        tags = self._found["tags"]
        arguments = template_arguments(self._stack, self._template, parameters)
        after = tags_after(tags, self._stack.tags, self._stack.purge_tags)
        if after or tags:
            # All of them, or those that are left out would go. Also where none differs: a company's policy can refuse a request that
            # lacks a tag (condition key aws:RequestTag).
            arguments["Tags"] = ansible_dict_to_boto3_tag_list(after)
        return arguments

    def _note_on_no_change(self) -> str | None:
        if not self._attempts.nothing_to_update or not self._current.differences:
            return None
        return f"CloudFormation has nothing to update although the template differs: {', '.join(self._current.differences)}."


def stack_parameters(
    stack: Stack, template: Template, current: t.Mapping[str, str] | None, key_arns: t.Mapping[str, str] | None = None
) -> StackParameters:
    """Return the parameters that are desired.

    :param current: the existing stack's, None where there is no stack
    :param key_arns: the ARNs of KMS keys by identifier, as far as they are known
    :raises RegionError: they do not fit the template.
    """
    account, token = template.account_parameter(stack.account_parameter), template.token_parameter(stack.token_parameter)
    if account == token:
        raise RegionError("NoParameter", f"account_parameter and token_parameter are the same: {account}")
    for name, option in ((account, "spot_account"), (token, "spot_token")):
        if name in stack.parameters:
            raise RegionError("NoParameter", f"give the template's parameter {name} with {option}, not with 'parameters'")
    given = {**as_shown(stack.parameters, current or {}, key_arns), account: stack.spot_account}
    return StackParameters(template, current, given, token, stack.token, stack.update_token == "on_create")
