# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import (
    CREATE_INSTANCES,
    CREATE_SET,
    DELETE_INSTANCES,
    DELETE_SET,
    UPDATE_INSTANCES,
    UPDATE_SET,
    Batches,
    Operation,
    preferences,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.properties import Properties, properties
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import (
    INOPERABLE,
    SUSPENDED,
    UP_TO_DATE,
    Instance,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.targets import Targets, targets

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Pair, Reading
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

_TRIES = frozenset({UPDATE_SET, CREATE_INSTANCES, UPDATE_INSTANCES})
# The statuses of an instance after an operation that failed (StackInstanceComprehensiveStatus).
_FAILED = frozenset({"FAILED", "CANCELLED", "FAILED_IMPORT"})


@dataclass(frozen=True)
class Attempts:
    """The attempts of this run: nothing is tried twice.

    :ivar of_set: the actions
    :ivar of_instances: the actions by instance
    """

    of_set: frozenset[str] = frozenset()
    of_instances: t.Mapping[Pair, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, operations: t.Iterable[t.Mapping[str, t.Any]]) -> Attempts:
        """Return the attempts, out of the operations as they are returned."""
        made = list(operations)
        by_pair: dict[Pair, frozenset[str]] = {}
        for entry in made:
            for account in entry["accounts"]:
                for region in entry["regions"]:
                    by_pair[(account, region)] = by_pair.get((account, region), frozenset()) | {entry["action"]}
        return cls(frozenset(entry["action"] for entry in made), by_pair)

    def tried(self, pair: Pair, *actions: str) -> bool:
        """Return whether one of these was tried on an instance."""
        return not self.of_instances.get(pair, frozenset()).isdisjoint(actions)


NOTHING_TRIED = Attempts()


@dataclass(frozen=True)
class StackSetPlan:
    """The changes of a stack set, and their result.

    :ivar operations: in order
    :ivar left: why an instance is not as desired although everything was tried
    :ivar set_left: the differences of the stack set that a change has not removed
    :ivar spot_accounts: the desired Spot account of each instance
    :ivar effective: the existing one, apart from a change of the stack set
    :ivar without_spot_account: see `Targets`
    """

    operations: tuple[Operation, ...] = ()
    diff: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()
    document: Document | None = None
    left: t.Mapping[Pair, str] = field(default_factory=dict)
    set_left: tuple[str, ...] = ()
    spot_accounts: t.Mapping[Pair, str] = field(default_factory=dict)
    effective: t.Mapping[Pair, str] = field(default_factory=dict)
    without_spot_account: tuple[str, ...] = ()

    @property
    def stage(self) -> tuple[Operation, ...]:
        """Return the operations that come first."""
        first = min((operation.stage for operation in self.operations), default=0)
        return tuple(operation for operation in self.operations if operation.stage == first)


def plan(desired: StackSet, reading: Reading, attempts: Attempts = NOTHING_TRIED) -> StackSetPlan:
    """Decide what has to be done.

    :param attempts: the attempts of this run so far
    :raises RegionError: the desired state must not be made.
    :raises ArgumentError: a token is needed, and there is none.
    """
    return _Present(desired, reading, attempts).plan() if desired.present else _removal(desired, reading, attempts)


def _removal(desired: StackSet, reading: Reading, attempts: Attempts) -> StackSetPlan:
    if reading.current is None:
        return StackSetPlan()
    tried = {pair for pair in reading.instances if attempts.tried(pair, DELETE_INSTANCES)}
    to_delete = {pair: instance for pair, instance in reading.instances.items() if pair not in tried}
    operations = list(Batches(desired, reading).deletions(to_delete))
    removed = DELETE_SET in attempts.of_set
    if not tried and not removed:
        operations.append(Operation(DELETE_SET, {"StackSetName": desired.name, **desired.call_as}))
    before = reading.current.document(())
    shown = {key: before[key] for key in ("description", "permission_model", "tags") if key in before}
    diff = [_diff(f"stack set {desired.name}", shown, {}), *_instance_diff(reading, dict.fromkeys(reading.instances), {}, {})]
    left = {pair: _not_removed(reading.instances[pair]) for pair in tried}
    return StackSetPlan(tuple(operations), tuple(diff), left=left, set_left=("state",) if removed and not operations else ())


@dataclass(frozen=True)
class _Needs:
    """The operations that instances need, one for each.

    :ivar gone: to be removed
    :ivar missing: to be made, with this Spot account
    :ivar overridden: another Spot account, this one
    :ivar again: another try; with the Spot account they have
    :ivar left: nothing that was not tried; why they are not as desired
    """

    gone: dict[Pair, Instance] = field(default_factory=dict)
    missing: dict[Pair, str] = field(default_factory=dict)
    overridden: dict[Pair, str] = field(default_factory=dict)
    again: dict[Pair, str] = field(default_factory=dict)
    left: dict[Pair, str] = field(default_factory=dict)


class _Present:
    """Plans a stack set that is desired."""

    def __init__(self, desired: StackSet, reading: Reading, attempts: Attempts) -> None:
        self._desired = desired
        self._reading = reading
        self._attempts = attempts
        self._targets: Targets = targets(desired, reading)
        self._pairs = self._targets.pairs(desired.regions)
        done = not attempts.of_set.isdisjoint((CREATE_SET, UPDATE_SET))
        self._properties: Properties = properties(desired, reading, done=done)
        self._change_set = self._properties.arguments is not None and not done
        self._set_left = self._properties.changed if done else ()

    def plan(self) -> StackSetPlan:
        """See `plan`."""
        needs = self._needs()
        batches = Batches(self._desired, self._reading, self._properties.account_parameter)
        operations = [
            *batches.deletions(needs.gone),
            *self._set_operations(),
            *batches.creations(needs.missing),
            *batches.overrides(needs.overridden),
            *batches.tries(needs.again),
        ]
        return StackSetPlan(
            operations=tuple(operations),
            diff=tuple(self._diff(needs)),
            notes=(*self._targets.notes, *self._suspended_notes()),
            document=self._properties.document,
            left=needs.left,
            set_left=self._set_left,
            spot_accounts=self._pairs,
            effective={pair: self._effective(instance) for pair, instance in self._reading.instances.items()},
            without_spot_account=self._targets.without_spot_account,
        )

    def _needs(self) -> _Needs:
        needs = _Needs()
        for instance in self._targets.undesired:
            if self._attempts.tried(instance.pair, DELETE_INSTANCES):
                needs.left[instance.pair] = _not_removed(instance)
            else:
                needs.gone[instance.pair] = instance
        for pair, spot_account in self._pairs.items():
            there = self._reading.instances.get(pair)
            if there is None:
                self._need(needs.missing, needs, pair, "was not made", {CREATE_INSTANCES})
            elif there.status == INOPERABLE:
                if self._need(needs.gone, needs, pair, _inoperable(there), {DELETE_INSTANCES}):
                    needs.missing[pair] = spot_account
            elif self._effective(there) != spot_account:
                self._need(needs.overridden, needs, pair, "has another Spot account", {UPDATE_INSTANCES, CREATE_INSTANCES})
            elif self._failed(there) and not self._change_set:
                self._need(needs.again, needs, pair, there.reason or "is not current", _TRIES)
        return needs

    def _need(self, kind: dict[Pair, t.Any], needs: _Needs, pair: Pair, why: str, actions: t.Collection[str]) -> bool:
        """Record the operation that an instance needs; if it was tried already, why the instance is not as desired."""
        if self._attempts.tried(pair, *actions):
            needs.left[pair] = why
            return False
        kind[pair] = self._reading.instances[pair] if kind is needs.gone else self._pairs[pair]
        return True

    def _effective(self, instance: Instance) -> str:
        """Return the Spot account that an instance has once the stack set is changed."""
        return (instance.overrides or {}).get(self._properties.account_parameter, self._desired.base_spot_account)

    def _failed(self, instance: Instance) -> bool:
        if instance.detailed_status == SUSPENDED:
            return self._active(instance.account)
        return instance.status != UP_TO_DATE or instance.detailed_status in _FAILED

    def _active(self, account: str) -> bool:
        # Without the organisation it is not known, and AWS would leave the account out again.
        organization = self._reading.organization
        return organization is not None and organization.members[account].active

    def _suspended_notes(self) -> list[str]:
        skipped = sorted({pair[0] for pair, found in self._reading.instances.items() if found.detailed_status == SUSPENDED})
        return [f"AWS left {account} out, as it is suspended." for account in skipped if account in self._targets.accounts]

    def _set_operations(self) -> list[Operation]:
        if not self._change_set:
            return []
        arguments = self._properties.arguments or {}
        if self._reading.current is None:
            return [Operation(CREATE_SET, arguments)]
        accounts, regions = _sorted_parts(self._reading.instances)
        arguments = {**arguments, **preferences(self._desired, regions)}
        return [Operation(UPDATE_SET, arguments, accounts, regions, instances=len(self._reading.instances))]

    def _diff(self, needs: _Needs) -> t.Iterator[Document]:
        if self._change_set:
            header, found = f"stack set {self._desired.name}", self._properties
            yield _diff(header, found.before or {}, found.after or {})
            if "template" in found.changed and self._desired.template_body and self._reading.current:
                yield _diff(f"{header}, template", self._reading.current.template_body, self._desired.template_body)
        effective = {pair: self._effective(self._reading.instances[pair]) for pair in needs.overridden}
        yield from _instance_diff(self._reading, needs.gone, {**needs.missing, **needs.overridden}, effective)


def _not_removed(instance: Instance) -> str:
    return _inoperable(instance) if instance.status == INOPERABLE else "was not removed"


def _inoperable(instance: Instance) -> str:
    return (
        f"is INOPERABLE: AWS could not remove its stack{': ' + instance.reason if instance.reason else ''}. "
        f"Remove the instance with retain_stacks=true, then the stack {instance.stack_id or 'in that account'} by hand"
    )


def _sorted_parts(pairs: t.Iterable[Pair]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = list(pairs)
    return tuple(sorted({pair[0] for pair in pairs})), tuple(sorted({pair[1] for pair in pairs}))


def _diff(header: str, before: t.Any, after: t.Any) -> Document:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _instance_diff(
    reading: Reading, gone: t.Iterable[Pair], made: t.Mapping[Pair, str], effective: t.Mapping[Pair, str]
) -> t.Iterator[Document]:
    """Return an entry for each account whose instances are made, removed, or get another Spot account."""
    before: dict[str, Document] = {}
    after: dict[str, Document] = {}
    for account, region in gone:
        before.setdefault(account, {})[region] = {"status": reading.instances[(account, region)].status}
    for (account, region), spot_account in made.items():
        after.setdefault(account, {})[region] = {"status": UP_TO_DATE, "spot_account": spot_account}
        if (account, region) in effective:
            status = reading.instances[(account, region)].status
            before.setdefault(account, {})[region] = {"status": status, "spot_account": effective[(account, region)]}
    for account in sorted({*before, *after}):
        yield _diff(f"AWS account {account}", before.get(account, {}), after.get(account, {}))
