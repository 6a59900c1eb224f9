# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import EVENTBRIDGE, statements_of
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue, Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ACTION, WATCH_POLICY
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import alarm_rule, temporary_rule_prefix
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_DESTINATION = re.compile(r"arn:[^:]+:events:([^:]*):[^:]*:api-destination/([^/*?]+)(?:/[^/]*)?\Z")
_SOURCE = "aws:sourcearn"
# CloudFormation's own tag on its resources (CloudFormation user guide, "Resource tag").
_OF_A_STACK = "aws:cloudformation:stack-name"


@dataclass(frozen=True)
class ConnectedConnection(Connection):
    """The connection of an integration that is removed. It stays if an API destination that stays uses it.

    :ivar going: the names of the API destinations that are removed
    """

    going: frozenset[str] = frozenset()

    def _plan_removal(self, existing: ExistingConnection | None) -> Plan:
        staying = sorted(set(existing.used_by if existing else ()) - self.going)
        if staying:
            note = f"the connection {self.name} was kept, with its token: the API destination(s) {', '.join(staying)} use it"
            return unchanged(existing, note=note)
        return super()._plan_removal(dataclasses.replace(existing, used_by=()) if existing else None)


@dataclass(frozen=True)
class ConnectedAlarmRule(AlarmRule):
    """The rule that reports the loss of an integration that is removed. A rule without the target of `watch` stays."""

    def _plan_removal(self, existing: ExistingRule | None) -> Plan:
        return super()._plan_removal(existing) if existing is None or existing.target(self.target_id) else unchanged(existing)


@dataclass(frozen=True)
class ConnectedQueue(Queue):
    """The dead-letter queue of an integration that is removed. It stays unless its policy opens it to that integration's rules alone.

    :ivar rules: the ARNs of these rules
    :ivar stack: the stack that it belongs to; empty if it belongs to none
    """

    rules: frozenset[str] = frozenset()
    stack: str = ""

    def _plan_removal(self, existing: ExistingQueue | None) -> Plan:
        if existing and self.stack:
            return unchanged(existing, note=f"the queue {self.name} was kept: it belongs to {self.stack}")
        if existing and not _only_for(existing.managed_fields()["policy"], self.rules):
            note = f"the queue {self.name} was kept: its policy does not show that it is used by the removed rule alone"
            return unchanged(existing, note=note)
        return super()._plan_removal(existing)


def _only_for(policy: t.Any, rules: t.Collection[str]) -> bool:
    """Return whether a queue's policy lets only these rules, their test events and their alarm rules send."""
    allowing = [statement for statement in statements_of(policy) if statement.get("Effect") != "Deny"]
    sources = [_sources(statement) for statement in allowing]
    return bool(sources) and all(found and all(_is_one_of(source, rules) for source in found) for found in sources)


def _sources(statement: t.Mapping[str, t.Any]) -> list[str]:
    """Return the ARNs that a statement is limited to, if it is for EventBridge alone."""
    if statement.get("Principal") not in ({"Service": EVENTBRIDGE}, {"Service": [EVENTBRIDGE]}):
        return []
    tests = [(operator, key, value) for operator, tests in (statement.get("Condition") or {}).items() for key, value in dict(tests).items()]
    limits = [
        _as_list(value)
        for operator, key, value in tests
        if key.lower() == _SOURCE and operator in ("ArnEquals", "ArnLike", "StringEquals", "StringLike")
    ]
    return limits[0] if limits else []


def _is_one_of(source: str, rules: t.Collection[str]) -> bool:
    parts = [rule.partition(":rule/") for rule in rules]
    watching = {f"{prefix}:rule/{alarm_rule(name)}" for prefix, dummy, name in parts}
    of_tests = tuple(f"{prefix}:rule/{temporary_rule_prefix(name)}" for prefix, dummy, name in parts)
    return source in rules or source in watching or source.startswith(of_tests)


@dataclass(frozen=True)
class ExistingConnectedRole:
    """A role of a target that is removed, as it is.

    :ivar role: the response of GetRole
    :ivar policies: the inline policies, by name
    :ivar attached: the names of the attached policies
    """

    role: Document
    policies: t.Mapping[str, t.Any]
    attached: tuple[str, ...]

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {"arn": self.role["Arn"], "assume_role_policy_document": self.role.get("AssumeRolePolicyDocument"), **self.policies}


@dataclass(frozen=True)
class ConnectedRole(Resource):
    """The execution role of an integration that is removed. It stays unless it can be of no use to anything else.

    :ivar going: the API destinations that are removed: region and name
    :ivar everywhere: whether no other region of the account has API destinations of these names that stay
    """

    arn: str
    going: frozenset[tuple[str, str]]
    everywhere: bool = False

    kind: t.ClassVar[str] = "execution_role"
    service: t.ClassVar[str] = "iam"
    reads: t.ClassVar[tuple[str, ...]] = ()

    @property
    def name(self) -> str:
        """Return the name, without the path."""
        return self.arn.rsplit("/", 1)[-1]

    def look(self, region: Region) -> ExistingConnectedRole | None:
        """Call GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies."""
        iam = region.clients["iam"]
        try:
            role = iam.get_role(RoleName=self.name)["Role"]
            names = list(items(iam, "list_role_policies", "PolicyNames", RoleName=self.name))
            policies = {name: iam.get_role_policy(RoleName=self.name, PolicyName=name)["PolicyDocument"] for name in names}
            attached = items(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=self.name)
            return ExistingConnectedRole(role, policies, tuple(policy["PolicyName"] for policy in attached))
        except Exception as error:
            if is_code(error, "NoSuchEntity", "NoSuchEntityException"):
                return None
            raise

    def plan(self, region: Region, existing: ExistingConnectedRole | None) -> Plan:
        """See `plan.Resource`."""
        if existing is None or existing.role["Arn"] != self.arn:
            return unchanged(None)
        why = self._why_it_stays(existing)
        if why:
            return unchanged(existing, note=f"the role {self.name} was kept: {why}")
        calls = [Call("delete_role_policy", {"RoleName": self.name, "PolicyName": name}) for name in existing.policies]
        return Plan("deleted", None, existing.document, None, (*calls, Call("delete_role", {"RoleName": self.name})))

    def achieved(self, region: Region, existing: ExistingConnectedRole | None) -> bool:
        """See `plan.Resource`."""
        return existing is None

    def _why_it_stays(self, existing: ExistingConnectedRole) -> str | None:
        if any(tag["Key"] == _OF_A_STACK for tag in existing.role.get("Tags", [])):
            return "it belongs to a CloudFormation stack"
        if existing.attached:
            return f"it has attached policies ({', '.join(existing.attached)})"
        trusted = [statement.get("Principal") for statement in statements_of(existing.role.get("AssumeRolePolicyDocument"))]
        if any(principal not in ({"Service": EVENTBRIDGE}, {"Service": [EVENTBRIDGE]}) for principal in trusted):
            return "not only EventBridge may assume it"
        sending = [policy for name, policy in existing.policies.items() if name != WATCH_POLICY]
        statements = [statement for policy in sending for statement in statements_of(policy)]
        if not statements or not all(map(self._only_sends_there, statements)):
            return "its policies do not show that it serves the removed API destination alone"
        return None

    def _only_sends_there(self, statement: t.Mapping[str, t.Any]) -> bool:
        actions, resources = _as_list(statement.get("Action")), _as_list(statement.get("Resource"))
        return (
            statement.get("Effect") == "Allow"
            and [action.lower() for action in actions] == [ACTION.lower()]
            and bool(resources)
            and all(map(self._goes, resources))
        )

    def _goes(self, resource: str) -> bool:
        found = _DESTINATION.match(resource)
        if not found:
            return False
        region, name = found.groups()
        return (region, name) in self.going or (self.everywhere and name in {going for dummy, going in self.going})


def _as_list(value: t.Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [] if value is None else [str(value)]
