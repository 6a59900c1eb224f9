# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack as Owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import (
    ACCOUNT_PARAMETER,
    DIFFERS,
    TRANSIENT_STATES,
    Connection,
    CurrentConnection,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text, tag_changes, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import StackParameters
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_events import read_causes
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_state import (
    REVIEW,
    CurrentStack,
    describe,
    resources_of,
    without_token,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    REVISION_PARAMETER,
    Template,
    body_differences,
    check_template_body,
    check_template_url,
    parameter_text,
    retained,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core import reconcile as _reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    ArgumentSpec,
    template_argument_spec,
    update_token_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_spot_account,
    check_stack_name,
    check_token,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Existing
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region, Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import Outcome

DEFAULT_TIMEOUT = 900
CONNECTION_TYPE = "AWS::Events::Connection"
# CloudFormation user guide, "stack status codes": from these, a stack can only be deleted.
_DEAD = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", REVIEW})
_STUCK = "UPDATE_ROLLBACK_FAILED"
# An update that failed and was not rolled back: what the stack says of itself is not so until it is updated again.
_HALF_DONE = "UPDATE_FAILED"


def argument_spec() -> ArgumentSpec:
    """Return the options for what a stack is like."""
    return {
        "spot_account": {"type": "str"},
        "cloudformation_role_arn": {"type": "str"},
        "retain_resources": {"type": "bool", "default": False},
        **template_argument_spec(),
        **update_token_argument_spec(),
    }


@dataclass(frozen=True)
class Stack:
    """The stack that is desired.

    :ivar account_parameter: the template's parameter for the Spot account; None looks for it
    :ivar token_parameter: the same for the token
    :ivar parameters: the other parameters that shall have a certain value
    :ivar role_arn: the role that CloudFormation works with, in place of the caller
    :ivar update_token: `changed`, `always` or `on_create`
    :ivar update: `changed`; or `always`, which leaves it to CloudFormation whether something changed
    :ivar retain: whether the resources stay when the stack goes
    """

    name: str
    present: bool = True
    template_body: str | None = None
    template_url: str | None = None
    spot_account: str = ""
    token: str = field(default="", repr=False)
    account_parameter: str | None = None
    token_parameter: str | None = None
    parameters: t.Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True
    update_token: str = "changed"
    update: str = "changed"
    retain: bool = False

    kind: t.ClassVar[str] = "stack"
    service: t.ClassVar[str] = "cloudformation"
    reads: t.ClassVar[tuple[str, ...]] = ("events", "secretsmanager")

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Stack:
        """See `_plan.Resource`."""
        name = check_stack_name(params["stack_name"])
        if Owner(name, "").of_a_set:
            raise ArgumentError(f"The stack '{name}' belongs to a stack set, which would undo what is done to it. Use spot_stack_set.")
        if params["state"] == "absent":
            return cls(
                name,
                present=False,
                token_parameter=params["token_parameter"],
                role_arn=params["cloudformation_role_arn"],
                retain=params["retain_resources"],
            )
        token, body, url = check_token(params["spot_token"]), params["template_body"], params["template_url"]
        if not body and not url:
            raise ArgumentError("There is no template: set template_body or template_url.")
        given = {key: parameter_text(value) for key, value in params["parameters"].items() if value is not None}
        tags = as_text(params["tags"])
        if any(token in text for text in (body or "", url or "", *given.values(), *(tags or {}).values())):
            raise ArgumentError("The Spot token must only be given with spot_token: CloudFormation shows templates, parameters and tags.")
        return cls(
            name,
            template_body=check_template_body(body) if body else None,
            template_url=check_template_url(url) if url else None,
            spot_account=check_spot_account(params["spot_account"]),
            token=token,
            account_parameter=params["account_parameter"],
            token_parameter=params["token_parameter"],
            parameters=given,
            role_arn=params["cloudformation_role_arn"],
            tags=tags,
            purge_tags=params["purge_tags"],
            update_token=params["update_token"],
            update=params["update"],
        )

    # Reading

    def read(self, region: Region) -> CurrentStack | None:
        """DescribeStacks, and nothing else as long as CloudFormation is at work. Then the templates, the resources, and the connection
        itself, as CloudFormation knows neither its state nor its token."""
        cloudformation = region.clients["cloudformation"]
        current = describe(cloudformation, self.name, self.token, self.token_parameter)
        if current and current.in_progress:
            return current
        if current and current.is_failed and current.found:
            causes = tuple(without_token(cause, self.token) for cause in read_causes(cloudformation, current.found["stack_id"]))
            current = dataclasses.replace(current, causes=causes)
        if not self.present:
            if current and self.retain and current.status not in _DEAD:
                body = cloudformation.get_template(StackName=self.name)["TemplateBody"]
                current = dataclasses.replace(current, retained=retained(body))
            return current
        desired = Template.from_summary(cloudformation.get_template_summary(**self._source()))
        current = dataclasses.replace(current or CurrentStack(None), template=desired)
        if current.found is None or current.status in _DEAD:
            return current
        resources = resources_of(cloudformation, self.name)
        names = tuple(item["physical_id"] for item in resources.values() if item["type"] == CONNECTION_TYPE and item["physical_id"])
        return dataclasses.replace(
            current,
            found={**current.found, "resources": resources},
            differences=self._differences(cloudformation, desired),
            connections=names,
            connection=self._connection(names[0]).read(region) if len(names) == 1 else None,
        )

    def _differences(self, cloudformation: t.Any, desired: Template) -> tuple[str, ...]:
        if self.template_body is not None:
            return body_differences(cloudformation.get_template(StackName=self.name)["TemplateBody"], self.template_body)
        return Template.from_summary(cloudformation.get_template_summary(StackName=self.name)).differences(desired)

    def _source(self) -> Document:
        return {"TemplateURL": self.template_url} if self.template_body is None else {"TemplateBody": self.template_body}

    def _connection(self, name: str, current: CurrentConnection | None = None) -> Connection:
        """The connection of the stack as it is desired: the template decides about it, but for the token."""
        return Connection(
            name=name,
            spot_account=self.spot_account,
            token=self.token,
            description=current.managed_fields()["description"] if current else "",
            update_token=self.update_token,
        )

    def settled(self, current: CurrentStack | None) -> bool:
        """See `_plan.Resource`."""
        if current is None or current.found is None:
            return True
        return not current.in_progress and not (current.connection and current.connection.state in TRANSIENT_STATES)

    # Planning

    def plan(self, region: Region, current: CurrentStack | None) -> Plan:
        """See `_plan.Resource`."""
        if current and current.in_progress:
            raise RegionError("InProgress", f"the stack is {current.status}: wait until it is done, or raise wait_timeout")
        if current and current.parent:
            raise RegionError("Nested", f"the stack is nested in {current.parent}, and only changes with that")
        if not self.present:
            return self._plan_removal(current)
        if current is None or current.template is None:
            raise RegionError("NoTemplate", "CloudFormation did not tell what is in the template")
        if current.found is None:
            return self._plan_creation(current.template)
        if current.status in _DEAD:
            return self._plan_replacement(current, current.template)
        plan = self._plan_change(region, current, current.template)
        return self._plan_rollback(current, plan) if current.status == _STUCK else plan

    def _plan_removal(self, current: CurrentStack | None) -> Plan:
        if current is None:
            return unchanged(None)
        broken = current.why() if current.is_failed else None
        if current.retained is None:
            return Plan("deleted", None, current.shown(), None, (self._delete(current),), broken=broken)
        # "You can't update the deletion policy by itself" (CloudFormation user guide): so each resource is marked as well.
        body, done = current.retained
        note = "the stack goes, and what it made stays."
        self._delete(current)  # raises where it is protected, before anything is done
        if done:
            return Plan("deleted", None, current.shown(), None, (self._delete(current),), broken=broken, note=note)
        arguments = {
            "StackName": self.name,
            "TemplateBody": json.dumps(body),
            "Parameters": [{"ParameterKey": key, "UsePreviousValue": True} for key in (current.found or {})["parameters"]],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            **self._role(),
        }
        return Plan("deleted", None, current.shown(), None, (Call("update_stack", arguments),), broken=broken, note=note, continues=True)

    def _plan_creation(self, template: Template) -> Plan:
        parameters = self._stack_parameters(template, None)
        parameters.check()
        arguments = self._arguments(template, parameters)
        if self.tags:
            arguments["Tags"] = ansible_dict_to_boto3_tag_list(self.tags)
        after: Document = {"stack_status": "CREATE_COMPLETE", "parameters": parameters.desired(), "tags": dict(self.tags or {})}
        document = {"stack_name": self.name, **after, "outputs": {}, "resources": {}, "connection": None}
        call = Call("create_stack", arguments)
        return Plan("created", document, None, after, (call,), note=self._note_on_token(template, parameters))

    def _plan_replacement(self, current: CurrentStack, template: Template) -> Plan:
        """What cannot be updated any more goes first."""
        creation = self._plan_creation(template)
        return dataclasses.replace(
            creation,
            before=current.shown(),
            calls=(self._delete(current),),
            broken=current.why(),
            note=_joined(f"{current.why()}. It cannot be updated: it is deleted and made anew.", creation.note),
            continues=True,
        )

    def _plan_rollback(self, current: CurrentStack, change: Plan) -> Plan:
        """A rollback that got stuck is completed first; a change comes after it."""
        arguments = {"StackName": self.name, **self._role()}
        before, after = current.shown(), {**current.shown(), "stack_status": "UPDATE_ROLLBACK_COMPLETE"}
        document = {**(change.document or {}), "stack_status": "UPDATE_ROLLBACK_COMPLETE"}
        return Plan(
            "reauthorized" if change.action == "reauthorized" else "updated",
            change.document if change.calls else document,
            change.before or before,
            change.after or after,
            (Call("continue_update_rollback", arguments),),
            broken=f"{current.why()}. Mend what hinders the rollback, or skip it with ContinueUpdateRollback's ResourcesToSkip.",
            note=_joined(f"{current.why()}. Its rollback is completed first.", change.note),
            continues=True,
        )

    def _plan_change(self, region: Region, current: CurrentStack, template: Template) -> Plan:
        found = current.found or {}
        connection = self._plan_connection(region, current)
        is_lost, is_stale = connection.action == "reauthorized", connection.action == "updated"
        parameters = self._stack_parameters(template, found["parameters"])
        parameters.check()
        changed = (
            current.status == _HALF_DONE
            or parameters.changed()
            or bool(current.differences)
            or any(tag_changes(found["tags"], self.tags, self.purge_tags))
        )
        update = changed or is_stale or self.update == "always"
        if not update and not is_lost:
            return unchanged(current, note=_joined(self._note_on_token(template, parameters), connection.note))

        revision = parameters.next_revision() if is_stale else None
        if revision:
            parameters = dataclasses.replace(parameters, given={**parameters.given, REVISION_PARAMETER: revision})
        # A token alone may be written by CloudFormation or in place: which of them, only CloudFormation says.
        before, after = self._shown(current, parameters, connection, changed or bool(revision) or self.update == "always")
        notes = (self._note_on_token(template, parameters), connection.note)
        in_place = Plan(
            connection.action,
            {**found, "connection": connection.document},
            *self._shown(current, parameters, connection, False),
            tuple(dataclasses.replace(call, service=Connection.service) for call in connection.calls),
            broken=connection.broken,
            repeats=connection.repeats,
            note=_joined(self._note_on_place(current), *notes),
        )
        if not update:
            return in_place
        document = {**found, **{key: after[key] for key in ("stack_status", "parameters", "tags")}, "connection": connection.document}
        document.pop("stack_status_reason", None)
        if is_lost:
            # The warnings do not wait for CloudFormation.
            note = _joined(self._note_on_place(current), *notes)
            return dataclasses.replace(in_place, document=document, before=before, after=after, continues=True, note=note)
        return Plan(
            "updated",
            document,
            before,
            after,
            (Call("update_stack", self._update_arguments(current, template, parameters)),),
            broken=current.why() if current.is_failed else None,
            repeats=not changed and (connection.repeats if is_stale else True),
            note=_joined(*notes),
            # Unless the revision says so, CloudFormation may have had no reason to write the token.
            continues=is_stale and not (revision and connection.repeats),
            otherwise=in_place if is_stale else unchanged(current, note=_joined(*notes, self._note_on_no_change(current))),
        )

    def _plan_connection(self, region: Region, current: CurrentStack) -> Plan:
        """What has to be done to the stack's connection that its template does not decide."""
        if not current.connections:
            return Plan("unchanged", None)
        if len(current.connections) > 1:
            names = ", ".join(current.connections)
            return Plan("unchanged", None, note=f"the stack has several connections ({names}): their states and tokens were not looked at.")
        if current.connection is None:
            raise RegionError(
                "ConnectionGone",
                f"the stack's connection {current.connections[0]} is gone, which CloudFormation does not see and cannot mend. "
                "Remove the stack (state=absent), and make it anew.",
            )
        plan = self._connection(current.connection.document["name"], current.connection).plan(region, current.connection)
        stale = current.connection.token == DIFFERS or self.update_token == "always" or self._sends_other_account(current.connection)
        if plan.action == "reauthorized" or stale:
            # A template may hide the account: that it is hidden still, after the token was written, is no failure.
            return dataclasses.replace(plan, repeats=self.update_token == "always" and plan.action != "reauthorized")
        return unchanged(current.connection, note=plan.note)

    def _sends_other_account(self, connection: CurrentConnection) -> bool:
        values = [item["value"] for item in connection.managed_fields()["query_string_parameters"] if item["key"] == ACCOUNT_PARAMETER]
        return any(value not in (self.spot_account, "(hidden)") for value in values)

    def _shown(self, current: CurrentStack, parameters: StackParameters, connection: Plan, update: bool) -> tuple[Document, Document]:
        """Before and after, as a diff shows them."""
        found = current.found or {}
        before, after = current.shown(), current.shown()
        if connection.calls:
            for key in ("connection_state", "token"):
                before[key], after[key] = (connection.before or {})[key], (connection.after or {})[key]
        if update:
            after["stack_status"] = "UPDATE_COMPLETE"
            after["parameters"] = parameters.desired()
            after["tags"] = tags_after(found["tags"], self.tags, self.purge_tags)
        if update and current.differences:
            before["template"], after["template"] = f"differs: {', '.join(current.differences)}", "as given"
        return before, after

    def _stack_parameters(self, template: Template, current: t.Mapping[str, str] | None) -> StackParameters:
        account, token = template.account_parameter(self.account_parameter), template.token_parameter(self.token_parameter)
        if account == token:
            raise RegionError("NoParameter", f"account_parameter and token_parameter are the same: {account}")
        for name, option in ((account, "spot_account"), (token, "spot_token")):
            if name in self.parameters:
                raise RegionError("NoParameter", f"give the template's parameter {name} with {option}, not with 'parameters'")
        return StackParameters(
            template, current, {**self.parameters, account: self.spot_account}, token, self.token, self.update_token == "on_create"
        )

    # The calls

    def _arguments(self, template: Template, parameters: StackParameters) -> Document:
        return {
            "StackName": self.name,
            **self._source(),
            "Parameters": parameters.request(),
            "Capabilities": sorted({"CAPABILITY_IAM", *template.capabilities}),
            **self._role(),
        }

    def _update_arguments(self, current: CurrentStack, template: Template, parameters: StackParameters) -> Document:
        tags = (current.found or {})["tags"]
        arguments = self._arguments(template, parameters)
        if any(tag_changes(tags, self.tags, self.purge_tags)):
            # All of them, or those that are left out would go.
            arguments["Tags"] = ansible_dict_to_boto3_tag_list(tags_after(tags, self.tags, self.purge_tags))
        return arguments

    def _delete(self, current: CurrentStack) -> Call:
        if current.is_protected:
            raise RegionError(
                "Protected",
                "the stack has termination protection and was kept. Switch that off first "
                f"(aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {self.name}).",
            )
        return Call("delete_stack", {"StackName": self.name, **self._role()})

    def _role(self) -> Document:
        return {"RoleARN": self.role_arn} if self.role_arn else {}

    # The notes

    def _note_on_token(self, template: Template, parameters: StackParameters) -> str | None:
        if template.parameters[parameters.token_name].hidden:
            return None
        return f"the template's parameter {parameters.token_name} is not NoEcho: whoever may look at the stack can see the token."

    def _note_on_place(self, current: CurrentStack) -> str:
        name = ", ".join(current.connections)
        return (
            f"the token of the connection {name} is written in place: CloudFormation knows neither its state nor its token, and so "
            "does not notice."
        )

    def _note_on_no_change(self, current: CurrentStack) -> str | None:
        if not current.differences:
            return None
        return f"CloudFormation has nothing to update although the template differs: {', '.join(current.differences)}."


def answer(results: t.Mapping[str, Outcome | Failure], existing: t.Mapping[str, t.Sequence[Existing]]) -> Document:
    """The answer of `spot_stack`, where the connection stands beside the stack that made it. See `_reconcile.answer`.

    :param existing: what was there already, of others, by region
    """
    whole = _reconcile.answer(Stack.kind, results)
    for name, entry in whole["regions"].items():
        if existing.get(name):
            entry["other_integrations"] = [other.as_dict(name) for other in existing[name]]
        if Stack.kind in entry:
            stack = dict(entry[Stack.kind] or {})
            connection = stack.pop(Connection.kind, None)
            entry.update({Stack.kind: stack or None, Connection.kind: connection})
    return whole


def _joined(*notes: str | None) -> str | None:
    return " ".join(note for note in notes if note) or None
