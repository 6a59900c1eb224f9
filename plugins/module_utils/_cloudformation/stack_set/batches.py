# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Instance, Pair, Reading
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# boto3's names of the calls, in order: removed instances free quotas and take no part in the update; a parameter can be overridden
# only if the stack set has it.
DELETE_INSTANCES, CREATE_SET, UPDATE_SET = "delete_stack_instances", "create_stack_set", "update_stack_set"
CREATE_INSTANCES, UPDATE_INSTANCES, DELETE_SET = "create_stack_instances", "update_stack_instances", "delete_stack_set"
_STAGES = ({DELETE_INSTANCES}, {CREATE_SET, UPDATE_SET}, {CREATE_INSTANCES, UPDATE_INSTANCES}, {DELETE_SET})
# CloudFormation API reference, CreateStackInstances: for one operation.
_MOST_UNITS = 50


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
        """Return the number of the stage. Operations of a stage need only those of the stages before."""
        return next(number for number, actions in enumerate(_STAGES) if self.action in actions)

    @property
    def takes_time(self) -> bool:
        """Return whether AWS goes on with it after the call, as it does with all that is about instances."""
        return self.action not in (CREATE_SET, DELETE_SET)

    @property
    def document(self) -> Document:
        """Return the operation as it is returned."""
        return {
            "action": self.action,
            "accounts": list(self.accounts),
            "regions": list(self.regions),
            "instances": self.instances or len(self.accounts) * len(self.regions),
        }


class Batches:
    """Combines the operations that instances need into as few as AWS takes."""

    def __init__(self, desired: StackSet, reading: Reading, account_parameter: str = "") -> None:
        """
        :param account_parameter: the template's parameter for the Spot account
        """
        self._desired = desired
        self._reading = reading
        self._account_parameter = account_parameter

    def deletions(self, gone: t.Mapping[Pair, Instance]) -> t.Iterator[Operation]:
        """Return the operations that remove instances."""
        for unit, accounts, regions in _groups({pair: instance.unit for pair, instance in gone.items()}, ()):
            if not unit:
                where: Document = {"Accounts": list(accounts)}
            elif not self._desired.present and {account for account, dummy in self._reading.instances} == set(accounts):
                # With all that joined meanwhile.
                where = {"DeploymentTargets": {"OrganizationalUnitIds": [unit]}}
            else:
                where = {"DeploymentTargets": _only(accounts, (unit,))}
            arguments = {**self._about(regions), **where, "RetainStacks": self._desired.retain_stacks}
            yield Operation(DELETE_INSTANCES, arguments, accounts, regions)

    def creations(self, missing: t.Mapping[Pair, str]) -> t.Iterator[Operation]:
        """Return the operations that make instances.

        :param missing: the Spot account of each
        """
        for spot_account, accounts, regions in _groups(missing, self._desired.regions):
            overrides = {} if spot_account == self._desired.base_spot_account else {self._account_parameter: spot_account}
            given = {"ParameterOverrides": _given(overrides)} if overrides else {}
            for part, where in self._where_to_create(accounts, bool(overrides)):
                arguments = {**self._about(regions), **where, **given}
                yield Operation(CREATE_INSTANCES, arguments, part, regions, overrides)

    def overrides(self, overridden: t.Mapping[Pair, str]) -> t.Iterator[Operation]:
        """Return the operations that give instances another Spot account."""
        name, template = self._account_parameter, self._reading.template
        keyed: dict[Pair, tuple[str, tuple[str, ...]]] = {}
        for pair, spot_account in overridden.items():
            foreign = set(self._reading.instances[pair].overrides or {}) - {name}
            keyed[pair] = (spot_account, tuple(sorted(foreign & set(template.parameters if template else ()))))
        for (spot_account, others), accounts, regions in _groups(keyed, self._desired.regions):
            # Overrides of others stay.
            kept = [{"ParameterKey": key, "UsePreviousValue": True} for key in others]
            given = {"ParameterOverrides": [*_given({name: spot_account}), *kept]}
            for part, where in self._where_they_are(accounts):
                arguments = {**self._about(regions), **where, **given}
                yield Operation(UPDATE_INSTANCES, arguments, part, regions, {} if others else {name: spot_account})

    def tries(self, again: t.Iterable[Pair]) -> t.Iterator[Operation]:
        """Return the operations that update instances once more as they are."""
        for _same, accounts, regions in _groups(dict.fromkeys(again, ""), self._desired.regions):
            for part, where in self._where_they_are(accounts):
                # Without ParameterOverrides, all keep their value.
                yield Operation(UPDATE_INSTANCES, {**self._about(regions), **where}, part, regions)

    def _where_to_create(self, accounts: tuple[str, ...], overridden: bool) -> t.Iterator[tuple[tuple[str, ...], Document]]:
        organization = self._reading.organization
        if organization is None:
            yield accounts, {"Accounts": list(accounts)}
            return
        units = self._desired.organizational_units
        if not overridden and len(units) <= _MOST_UNITS:
            # Whole units, except a few accounts; that is shorter, and makes all of them targets of auto-deployment.
            outside = sorted(set(organization.members) - set(accounts) - {organization.management_account})
            if len(outside) < len(accounts):
                yield accounts, {"DeploymentTargets": _whole_units(units, outside)}
                return
        yield from _by_units(accounts, lambda account: organization.members[account].unit)

    def _where_they_are(self, accounts: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], Document]]:
        organization = self._reading.organization
        if organization is None:
            yield accounts, {"Accounts": list(accounts)}
            return
        asked_by = {account: instance.unit for (account, dummy), instance in self._reading.instances.items()}
        yield from _by_units(accounts, lambda account: asked_by[account] or organization.members[account].unit)

    def _about(self, regions: tuple[str, ...]) -> Document:
        return {
            "StackSetName": self._desired.name,
            **self._desired.call_as,
            "Regions": list(regions),
            **preferences(self._desired, regions),
        }


def _by_units(accounts: t.Iterable[str], unit_of: t.Callable[[str], str]) -> t.Iterator[tuple[tuple[str, ...], Document]]:
    """Return the accounts in parts that have few enough units for one operation each."""
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
    """Return the instances that can share an operation: of the same key, and in the same regions.

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


def preferences(desired: StackSet, regions: t.Container[str]) -> Document:
    """Return the operation preferences as boto3 takes them, for some regions."""
    preferences = dict(desired.operation_preferences)
    order = [region for region in preferences.pop("RegionOrder", []) if region in regions]
    return {"OperationPreferences": {**preferences, **({"RegionOrder": order} if order else {})}}


def _given(overrides: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in overrides.items()]
