# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import statements_of
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import tag_calls, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub, Senders

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# EventBridge quotas: characters of an event bus's policy.
_LONGEST_POLICY = 10_240


@dataclass(frozen=True)
class ExistingBus:
    """An existing event bus.

    :ivar policy: its policy, parsed; None if it has none
    :ivar rules: the names of its rules, as far as they were asked for
    """

    name: str
    arn: str
    policy: t.Any = None
    tags: t.Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = ()

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {"name": self.name, "arn": self.arn, "policy": self.policy, "tags": dict(self.tags)}


@dataclass(frozen=True)
class EventBus(Resource):
    """The event bus of a hub that is desired, and who may send to it. Statements of others in its policy stay."""

    hub: Hub
    present: bool = True
    senders: Senders = field(default_factory=Senders)
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True

    kind: t.ClassVar[str] = "event_bus"
    service: t.ClassVar[str] = "events"
    reads: t.ClassVar[tuple[str, ...]] = ()

    def look(self, region: Region) -> ExistingBus | None:
        """DescribeEventBus, ListTagsForResource where tags are desired; to remove it, ListRules."""
        events = region.clients["events"]
        try:
            found = events.describe_event_bus(Name=self.hub.name)
            tagged = self.present and self.tags is not None
            tags = events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"] if tagged else []
            rules = () if self.present else tuple(rule["Name"] for rule in items(events, "list_rules", "Rules", EventBusName=self.hub.name))
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return None
            raise
        policy = json.loads(found["Policy"]) if found.get("Policy") else None
        return ExistingBus(found["Name"], found["Arn"], policy, boto3_tag_list_to_ansible_dict(tags), rules)

    def plan(self, region: Region, existing: ExistingBus | None) -> Plan:
        """See `plan.Resource`."""
        if not self.present:
            return self._plan_removal(existing)
        policy = self._policy(existing.policy if existing else None)
        after: Document = {"policy": policy, "tags": tags_after(existing.tags if existing else {}, self.tags, self.purge_tags)}
        calls = []
        if existing is None:
            arguments: Document = {"Name": self.hub.name}
            if self.tags:
                arguments["Tags"] = ansible_dict_to_boto3_tag_list(self.tags)
            calls.append(Call("create_event_bus", arguments))
        if policy and (existing is None or existing.policy is None or compare_policies(existing.policy, policy)):
            # It replaces the whole policy (EventBridge API reference, PutPermission).
            calls.append(Call("put_permission", {"EventBusName": self.hub.name, "Policy": json.dumps(policy)}))
        if existing and existing.policy and not policy:
            calls.append(Call("remove_permission", {"EventBusName": self.hub.name, "RemoveAllPermissions": True}))
        if existing:
            calls += tag_calls(existing.tags, self.tags, self.purge_tags, existing.arn)
        if not calls:
            return unchanged(existing)
        before = {"policy": existing.policy, "tags": dict(existing.tags)} if existing else None
        predicted = {"name": self.hub.name, "arn": self.hub.bus_arn, **after}
        return Plan("updated" if existing else "created", predicted, before, after, tuple(calls))

    def _policy(self, existing: t.Any) -> Document | None:
        """Return the policy with the statements of others.

        :raises RegionError: AWS would refuse it.
        """
        own = self.senders.statement(self.hub)
        others = [other for other in statements_of(existing) if other.get("Sid") != "SpotInterruptionMembers"]
        statements = [*([own] if own else []), *others]
        policy: Document | None = {"Version": "2012-10-17", "Statement": statements} if statements else None
        if policy and len(json.dumps(policy)) > _LONGEST_POLICY:
            message = f"the policy of the event bus {self.hub.name} would be longer than the {_LONGEST_POLICY} characters that AWS takes"
            raise RegionError("PolicyTooLong", f"{message}. Give the AWS organisation instead of {len(self.senders.accounts)} accounts.")
        return policy

    def _plan_removal(self, existing: ExistingBus | None) -> Plan:
        if existing is None:
            return unchanged(None)
        # Its own rule is removed before it, except in a prediction.
        others = [rule for rule in existing.rules if rule != self.hub.name]
        if others:
            return unchanged(existing, note=f"the event bus {self.hub.name} was kept: it has rules of others ({', '.join(others)})")
        before = {"policy": existing.policy, "tags": dict(existing.tags)}
        return Plan("deleted", None, before, None, (Call("delete_event_bus", {"Name": self.hub.name}),))
