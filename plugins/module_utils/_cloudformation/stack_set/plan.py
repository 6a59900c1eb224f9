# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.properties import Properties, properties
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import (
    CURRENT,
    INOPERABLE,
    SUSPENDED,
    Instance,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.targets import Targets, targets

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Pair, Reading
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# Named as boto3 names the calls, in the order in which they are made: what goes makes room, and takes no part in the update; a
# parameter can be overridden only where the stack set has it.
DELETE_INSTANCES, CREATE_SET, UPDATE_SET = "delete_stack_instances", "create_stack_set", "update_stack_set"
CREATE_INSTANCES, UPDATE_INSTANCES, DELETE_SET = "create_stack_instances", "update_stack_instances", "delete_stack_set"
_STAGES = ({DELETE_INSTANCES}, {CREATE_SET, UPDATE_SET}, {CREATE_INSTANCES, UPDATE_INSTANCES}, {DELETE_SET})
_TRIES = frozenset({UPDATE_SET, CREATE_INSTANCES, UPDATE_INSTANCES})
# CloudFormation API reference, CreateStackInstances: for one operation.
_MOST_UNITS = 50
# What an instance is after an operation that did not end well (StackInstanceComprehensiveStatus).
_FAILED = frozenset({"FAILED", "CANCELLED", "FAILED_IMPORT"})


@dataclass(frozen=True)
class Operation:
    """One call that changes a stack set, or instances of it.

    :ivar action: boto3's name of the call
    :ivar arguments: without the id of the operation
    :ivar accounts: the accounts whose instances it is about, in each of `regions`
    :ivar overrides: all the parameters that these instances override afterwards; empty if that is not known
    :ivar instances: how many instances it is about, if not all accounts have one in all regions
    """

    action: str
    arguments: Document = field(repr=False)
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    overrides: t.Mapping[str, str] = field(default_factory=dict)
    instances: int = 0

    @property
    def stage(self) -> int:
        """Operations of a stage do not need each other, but those of the stages before."""
        return next(number for number, actions in enumerate(_STAGES) if self.action in actions)

    @property
    def takes_time(self) -> bool:
        """Whether AWS goes on with it after the call, as it does with all that is about instances."""
        return self.action not in (CREATE_SET, DELETE_SET)

    @property
    def document(self) -> Document:
        """The operation as it is told to the user."""
        return {
            "action": self.action,
            "accounts": list(self.accounts),
            "regions": list(self.regions),
            "instances": self.instances or len(self.accounts) * len(self.regions),
        }


@dataclass(frozen=True)
class Attempts:
    """What was tried in this run: nothing is tried twice.

    :ivar of_set: the actions
    :ivar of_instances: the actions by instance
    """

    of_set: frozenset[str] = frozenset()
    of_instances: t.Mapping[Pair, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, operations: t.Iterable[t.Mapping[str, t.Any]]) -> Attempts:
        """Out of the operations as they are told to the user."""
        made = list(operations)
        by_pair: dict[Pair, frozenset[str]] = {}
        for entry in made:
            for account in entry["accounts"]:
                for region in entry["regions"]:
                    by_pair[(account, region)] = by_pair.get((account, region), frozenset()) | {entry["action"]}
        return cls(frozenset(entry["action"] for entry in made), by_pair)

    def tried(self, pair: Pair, *actions: str) -> bool:
        """Whether one of these was tried on an instance."""
        return not self.of_instances.get(pair, frozenset()).isdisjoint(actions)


NOTHING_TRIED = Attempts()


@dataclass(frozen=True)
class StackSetPlan:
    """What has to be done to a stack set, and what will come of it.

    :ivar operations: in order
    :ivar left: why an instance is not as it shall be, where nothing is left to be tried
    :ivar set_left: what differs of the stack set although it was changed
    :ivar spot_accounts: the Spot account that each instance shall have
    :ivar effective: the one that it has, apart from a change of the stack set
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
        """The operations that come first."""
        first = min((operation.stage for operation in self.operations), default=0)
        return tuple(operation for operation in self.operations if operation.stage == first)


def plan(desired: StackSet, reading: Reading, attempts: Attempts = NOTHING_TRIED) -> StackSetPlan:
    """What has to be done. Pure: no call, no clock, no check mode.

    :param attempts: what was tried in this run already
    :raises RegionError: what is desired must not be done.
    :raises ArgumentError: a token is needed, and there is none.
    """
    return _Present(desired, reading, attempts).plan() if desired.present else _removal(desired, reading, attempts)


def _removal(desired: StackSet, reading: Reading, attempts: Attempts) -> StackSetPlan:
    if reading.current is None:
        return StackSetPlan()
    tried = {pair for pair in reading.instances if attempts.tried(pair, DELETE_INSTANCES)}
    operations = _delete(desired, reading, {pair: instance for pair, instance in reading.instances.items() if pair not in tried})
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
    """What instances need, each once.

    :ivar gone: to be removed
    :ivar missing: to be made, with this Spot account
    :ivar overridden: another Spot account, this one
    :ivar again: another try; with the Spot account they have
    :ivar left: nothing that was not tried; why they are not as they shall be
    """

    gone: dict[Pair, Instance] = field(default_factory=dict)
    missing: dict[Pair, str] = field(default_factory=dict)
    overridden: dict[Pair, str] = field(default_factory=dict)
    again: dict[Pair, str] = field(default_factory=dict)
    left: dict[Pair, str] = field(default_factory=dict)


class _Present:
    """The plan of a stack set that shall be there."""

    def __init__(self, desired: StackSet, reading: Reading, attempts: Attempts) -> None:
        self._wanted = desired
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
        operations = [
            *_delete(self._wanted, self._reading, needs.gone),
            *self._set_operations(),
            *self._creations(needs.missing),
            *self._overrides(needs.overridden),
            *self._tries(needs.again),
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
        """Notes what an instance needs, unless it was tried already: then, why it is not as it shall be."""
        if self._attempts.tried(pair, *actions):
            needs.left[pair] = why
            return False
        kind[pair] = self._reading.instances[pair] if kind is needs.gone else self._pairs[pair]
        return True

    def _effective(self, instance: Instance) -> str:
        """The Spot account that an instance has once the stack set is changed."""
        return (instance.overrides or {}).get(self._properties.account_parameter, self._wanted.base_spot_account)

    def _failed(self, instance: Instance) -> bool:
        if instance.detailed_status == SUSPENDED:
            return self._active(instance.account)
        return instance.status != CURRENT or instance.detailed_status in _FAILED

    def _active(self, account: str) -> bool:
        # Without the organisation nobody knows, and AWS would leave it out again.
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
        arguments = {**arguments, **_preferences(self._wanted, regions)}
        return [Operation(UPDATE_SET, arguments, accounts, regions, instances=len(self._reading.instances))]

    def _creations(self, missing: t.Mapping[Pair, str]) -> t.Iterator[Operation]:
        for spot_account, accounts, regions in _groups(missing, self._wanted.regions):
            overrides = {} if spot_account == self._wanted.base_spot_account else {self._properties.account_parameter: spot_account}
            given = {"ParameterOverrides": _given(overrides)} if overrides else {}
            for part, where in self._where_to_create(accounts, bool(overrides)):
                arguments = {**_about(self._wanted, regions), **where, **given}
                yield Operation(CREATE_INSTANCES, arguments, part, regions, overrides)

    def _overrides(self, overridden: t.Mapping[Pair, str]) -> t.Iterator[Operation]:
        name, template = self._properties.account_parameter, self._reading.template
        keyed: dict[Pair, tuple[str, tuple[str, ...]]] = {}
        for pair, spot_account in overridden.items():
            foreign = set(self._reading.instances[pair].overrides or {}) - {name}
            keyed[pair] = (spot_account, tuple(sorted(foreign & set(template.parameters if template else ()))))
        for (spot_account, others), accounts, regions in _groups(keyed, self._wanted.regions):
            # What somebody else overrides stays.
            kept = [{"ParameterKey": key, "UsePreviousValue": True} for key in others]
            given = {"ParameterOverrides": [*_given({name: spot_account}), *kept]}
            for part, where in _where_they_are(self._reading, accounts):
                arguments = {**_about(self._wanted, regions), **where, **given}
                yield Operation(UPDATE_INSTANCES, arguments, part, regions, {} if others else {name: spot_account})

    def _tries(self, again: t.Iterable[Pair]) -> t.Iterator[Operation]:
        for _same, accounts, regions in _groups(dict.fromkeys(again, ""), self._wanted.regions):
            for part, where in _where_they_are(self._reading, accounts):
                # Without ParameterOverrides, all keep their value.
                yield Operation(UPDATE_INSTANCES, {**_about(self._wanted, regions), **where}, part, regions)

    def _where_to_create(self, accounts: tuple[str, ...], overridden: bool) -> t.Iterator[tuple[tuple[str, ...], Document]]:
        organization = self._reading.organization
        if organization is None:
            yield accounts, {"Accounts": list(accounts)}
            return
        units = self._wanted.organizational_units
        if not overridden and len(units) <= _MOST_UNITS:
            # Whole units, but for a few accounts; that is shorter, and makes all of them targets of auto-deployment.
            outside = sorted(set(organization.members) - set(accounts) - {organization.management_account})
            if len(outside) < len(accounts):
                yield accounts, {"DeploymentTargets": _whole_units(units, outside)}
                return
        yield from _by_units(accounts, lambda account: organization.members[account].unit)

    def _diff(self, needs: _Needs) -> t.Iterator[Document]:
        if self._change_set:
            header, found = f"stack set {self._wanted.name}", self._properties
            yield _diff(header, found.before or {}, found.after or {})
            if "template" in found.changed and self._wanted.template_body and self._reading.current:
                yield _diff(f"{header}, template", self._reading.current.template_body, self._wanted.template_body)
        effective = {pair: self._effective(self._reading.instances[pair]) for pair in needs.overridden}
        yield from _instance_diff(self._reading, needs.gone, {**needs.missing, **needs.overridden}, effective)


def _not_removed(instance: Instance) -> str:
    return _inoperable(instance) if instance.status == INOPERABLE else "was not removed"


def _inoperable(instance: Instance) -> str:
    return (
        f"is INOPERABLE: AWS could not remove its stack{': ' + instance.reason if instance.reason else ''}. "
        f"Remove the instance with retain_stacks=true, then the stack {instance.stack_id or 'in that account'} by hand"
    )


def _delete(desired: StackSet, reading: Reading, gone: t.Mapping[Pair, Instance]) -> list[Operation]:
    operations = []
    for unit, accounts, regions in _groups({pair: instance.unit for pair, instance in gone.items()}, ()):
        if not unit:
            where: Document = {"Accounts": list(accounts)}
        elif not desired.present and {account for account, dummy in reading.instances} == set(accounts):
            # With all that joined meanwhile.
            where = {"DeploymentTargets": {"OrganizationalUnitIds": [unit]}}
        else:
            where = {"DeploymentTargets": _only(accounts, (unit,))}
        arguments = {**_about(desired, regions), **where, "RetainStacks": desired.retain_stacks}
        operations.append(Operation(DELETE_INSTANCES, arguments, accounts, regions))
    return operations


def _where_they_are(reading: Reading, accounts: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], Document]]:
    organization = reading.organization
    if organization is None:
        yield accounts, {"Accounts": list(accounts)}
        return
    asked_by = {account: instance.unit for (account, dummy), instance in reading.instances.items()}
    yield from _by_units(accounts, lambda account: asked_by[account] or organization.members[account].unit)


def _by_units(accounts: t.Iterable[str], unit_of: t.Callable[[str], str]) -> t.Iterator[tuple[tuple[str, ...], Document]]:
    """Accounts in parts that have few enough units for one operation each."""
    by_unit: dict[str, list[str]] = {}
    for account in accounts:
        by_unit.setdefault(unit_of(account), []).append(account)
    units = list(by_unit)
    for start in range(0, len(units), _MOST_UNITS):
        some = units[start : start + _MOST_UNITS]
        part = tuple(account for unit in some for account in by_unit[unit])
        yield part, {"DeploymentTargets": _only(part, some)}


def _only(accounts: t.Iterable[str], units: t.Iterable[str]) -> Document:
    return {"OrganizationalUnitIds": list(units), "Accounts": list(accounts), "AccountFilterType": "INTERSECTION"}


def _whole_units(units: t.Iterable[str], outside: t.Sequence[str]) -> Document:
    return {"OrganizationalUnitIds": list(units), **({"Accounts": list(outside), "AccountFilterType": "DIFFERENCE"} if outside else {})}


Key = t.TypeVar("Key")


def _groups(items: t.Mapping[Pair, Key], order: t.Sequence[str]) -> t.Iterator[tuple[Key, tuple[str, ...], tuple[str, ...]]]:
    """Instances that can share an operation: of the same key, and in the same regions.

    :param order: of the regions; those that are not in it come after, by their names
    :returns: key, accounts and regions
    """
    regions: dict[tuple[Key, str], list[str]] = {}
    for (account, region), key in items.items():
        regions.setdefault((key, account), []).append(region)
    sharing: dict[tuple[Key, tuple[str, ...]], list[str]] = {}
    rank = {region: number for number, region in enumerate(order)}
    for (key, account), names in regions.items():
        ordered = tuple(sorted(names, key=lambda name: (rank.get(name, len(rank)), name)))
        sharing.setdefault((key, ordered), []).append(account)
    for (key, ordered), accounts in sharing.items():
        yield key, tuple(accounts), ordered


def _about(desired: StackSet, regions: tuple[str, ...]) -> Document:
    return {"StackSetName": desired.name, **desired.call_as, "Regions": list(regions), **_preferences(desired, regions)}


def _preferences(desired: StackSet, regions: t.Container[str]) -> Document:
    preferences = dict(desired.operation_preferences)
    order = [region for region in preferences.pop("RegionOrder", []) if region in regions]
    return {"OperationPreferences": {**preferences, **({"RegionOrder": order} if order else {})}}


def _given(overrides: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in overrides.items()]


def _sorted_parts(pairs: t.Iterable[Pair]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = list(pairs)
    return tuple(sorted({pair[0] for pair in pairs})), tuple(sorted({pair[1] for pair in pairs}))


def _diff(header: str, before: t.Any, after: t.Any) -> Document:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _instance_diff(
    reading: Reading, gone: t.Iterable[Pair], made: t.Mapping[Pair, str], effective: t.Mapping[Pair, str]
) -> t.Iterator[Document]:
    """An entry for each account whose instances come, go, or get another Spot account."""
    before: dict[str, Document] = {}
    after: dict[str, Document] = {}
    for account, region in gone:
        before.setdefault(account, {})[region] = {"status": reading.instances[(account, region)].status}
    for (account, region), spot_account in made.items():
        after.setdefault(account, {})[region] = {"status": CURRENT, "spot_account": spot_account}
        if (account, region) in effective:
            status = reading.instances[(account, region)].status
            before.setdefault(account, {})[region] = {"status": status, "spot_account": effective[(account, region)]}
    for account in sorted({*before, *after}):
        yield _diff(f"AWS account {account}", before.get(account, {}), after.get(account, {}))
