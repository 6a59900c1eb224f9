# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination, OtherTarget, others
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.apply import deploy
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome, diff_entry
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.connected import (
    ConnectedAlarmRule,
    ConnectedConnection,
    ConnectedQueue,
    ConnectedRole,
)

# By region, the integrations that others made, as `Existing.as_dict` returns them.
Others = t.Mapping[str, t.Sequence[Document]]


@dataclass(frozen=True)
class Removal:
    """The result of removing other integrations from a region.

    :ivar diff: an entry for each resource that was removed
    :ivar notes: the resources that were kept, and why
    :ivar failure: why something is left that should be removed
    """

    diff: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Removed:
    """The result of removing other integrations.

    :ivar roles: the result for their execution roles, which are of the whole account
    """

    regions: t.Mapping[str, Removal] = field(default_factory=dict)
    roles: Removal = field(default_factory=Removal)


@dataclass
class _Work:
    """The resources that are removed from a region.

    :ivar parts: the integrations of no stack, as they were found
    """

    region: Region
    parts: tuple[OtherDestination, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failure: Failure | None = None

    def result(self) -> Removal:
        changed = {what: outcome for what, outcome in self.outcomes.items() if outcome.plan.action != "unchanged"}
        return Removal(
            diff=tuple(diff_entry(self.region.name, what, outcome.plan) for what, outcome in changed.items()),
            notes=(*(outcome.plan.note for outcome in self.outcomes.values() if outcome.plan.note), *self.notes),
            failure=self.failure,
        )


@dataclass(frozen=True)
class Removals:
    """Removes other integrations: resources of a stack by the stack; others with all that is connected to their API destinations.

    :ivar timeout: seconds to wait for AWS in each step
    :ivar stack_timeout: seconds to wait for a stack
    :ivar all_regions: whether no other region can need what the other integrations share, that is, their execution role
    :ivar endpoint: the address of Spot that takes the notices
    :ivar spot_account: the account that they serve
    """

    regions: Regions
    check_mode: bool
    timeout: float
    stack_timeout: float
    all_regions: bool = False
    endpoint: str = ""
    spot_account: str = ""

    def run(self, others: Others, *, retain: bool = False, everywhere: bool = False) -> Removed:
        """Remove other integrations in all regions at once.

        What names the other parts goes last, the target and the API destination, so that a run that is killed is completed by the next.

        :param retain: whether what a stack made stays when the stack goes
        :param everywhere: whether they are removed from all regions in which they are
        """
        if not others:
            return Removed()
        works = {name: _Work(self.regions[name]) for name in others}
        self._in_regions(works, lambda work: self._remove_first(work, others[work.region.name], retain))
        roles = self._remove_roles(works, everywhere and self.all_regions)
        self._in_regions(works, self._remove_last)
        return Removed({name: work.result() for name, work in works.items()}, roles)

    def _in_regions(self, works: t.Mapping[str, _Work], remove: t.Callable[[_Work], None]) -> None:
        def one(region: Region) -> None:
            work = works.get(region.name)
            if work and not work.failure:
                try:
                    remove(work)
                except Exception as error:  # what was done before stays in the result
                    work.failure = failure_of(error)

        self.regions.run(one)

    def _remove_first(self, work: _Work, documents: t.Sequence[Document], retain: bool) -> None:
        """Remove stacks; of the other integrations, watch, queue and connection."""
        names = [document["name"] for document in documents if not document["stack_name"]]
        if names:
            work.parts = tuple(other for other in others(work.region, "", self.endpoint, with_targets=True) if other.name in names)
        for other in work.parts:
            _refuse_part_of_stack(work.region, other)
        for stack in dict.fromkeys(document["stack_name"] for document in documents if document["stack_name"]):
            desired = Stack(stack, present=False, retain=retain)
            work.outcomes[f"stack {stack}"] = deploy(desired, work.region, check_mode=self.check_mode, timeout=self.stack_timeout)
        going = frozenset(other.name for other in work.parts if not self._staying(other))
        for rule in dict.fromkeys(target.rule for other in work.parts for target in self._going(other)):
            watch = ConnectedAlarmRule.to_remove(rule)
            self._reconcile(work, watch, watch.name)
        with_queue = [target for other in work.parts for target in self._going(other) if target.queue_arn]
        rules = frozenset(_rule_arn(work.region, target) for target in with_queue)
        for arn in dict.fromkeys(target.queue_arn for target in with_queue):
            queue = _connected_queue(work.region, arn, rules)
            if queue:
                self._reconcile(work, queue, queue.name)
        for other in work.parts:
            if other.name in going and other.connection:
                connection = ConnectedConnection(other.connection, present=False, api_destination=other.name, going=going)
                self._reconcile(work, connection, other.connection)

    def _remove_last(self, work: _Work) -> None:
        """Remove targets, rules and API destinations."""
        for other in work.parts:
            for target in self._going(other):
                rule = Rule(name=target.rule, present=False, target_id=target.target_id)
                self._reconcile(work, rule, target.rule)
            staying = self._staying(other)
            if staying:
                rules = ", ".join(staying)
                work.notes.append(f"the API destination {other.name} was kept: for another account, the rule(s) {rules} send to it")
            else:
                self._reconcile(work, ApiDestination(name=other.name, present=False), other.name)

    def _remove_roles(self, works: t.Mapping[str, _Work], everywhere: bool) -> Removal:
        done = [work for work in works.values() if not work.failure]
        going = frozenset((work.region.name, other.name) for work in done for other in work.parts if not self._staying(other))
        outcomes: dict[str, Outcome] = {}
        notes = []
        arns = (target.role_arn for work in done for other in work.parts for target in self._going(other) if target.role_arn)
        for arn in dict.fromkeys(arns):
            role = ConnectedRole(arn, going, everywhere and len(done) == len(works))
            try:
                home = self.regions.home((role.service,))
                outcomes[f"execution role {role.name}"] = reconcile(role, home, check_mode=self.check_mode, timeout=self.timeout)
            except Exception as error:
                failure = failure_of(error)
                notes.append(f"the execution role {role.name} could not be removed: {failure.code}: {failure.message}")
        notes += [outcome.plan.note for outcome in outcomes.values() if outcome.plan.note]
        changed = {what: outcome for what, outcome in outcomes.items() if outcome.plan.action != "unchanged"}
        return Removal(tuple(diff_entry("", what, outcome.plan) for what, outcome in changed.items()), tuple(notes))

    def _reconcile(self, work: _Work, resource: Resource, name: str) -> None:
        what = f"{resource.kind.replace('_', ' ')} {name}"
        try:
            work.outcomes[what] = reconcile(resource, work.region, check_mode=self.check_mode, timeout=self.timeout)
        except Exception as error:
            failure = failure_of(error)
            raise RegionError(failure.code, f"{what}: {failure.message}") from error

    def _going(self, other: OtherDestination) -> list[OtherTarget]:
        return [target for target in other.targets if target.spot_account in (None, self.spot_account)]

    def _staying(self, other: OtherDestination) -> list[str]:
        return list(dict.fromkeys(target.rule for target in other.targets if target.spot_account not in (None, self.spot_account)))


def _refuse_part_of_stack(region: Region, other: OtherDestination) -> None:
    """
    :raises RegionError: a part belongs to a stack; whether it does could not be read.
    """
    for name in dict.fromkeys((other.name, other.connection, *other.rules)):
        stack = owner(region, name) if name else None
        if stack:
            raise RegionError("PartOfStack", f"{name} belongs to {stack}: remove that integration by hand")


def _connected_queue(region: Region, arn: str, rules: frozenset[str]) -> ConnectedQueue | None:
    """Return the dead-letter queue of this ARN, as it should be: not there. None if there is none."""
    name = arn.rsplit(":", 1)[-1]
    existing = Queue(name, present=False).read(region)
    if existing is None or existing.attributes.get("QueueArn") != arn:
        return None
    return ConnectedQueue(name, present=False, rules=rules, stack=str(owner(region, existing.url) or ""))


def _rule_arn(region: Region, target: OtherTarget) -> str:
    # The dead-letter queue is in the account and region of the rule (EventBridge user guide, "dead-letter queues").
    return region.arn("events", target.queue_arn.split(":")[4], f"rule/{target.rule}")
