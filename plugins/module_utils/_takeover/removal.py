# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import TARGET_ID, Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.apply import deploy
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome, diff_entry
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.apply import integrate
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired

# By region, the integrations that others made, as `Existing.as_dict` returns them.
Others = t.Mapping[str, t.Sequence[Document]]


@dataclass(frozen=True)
class Removal:
    """The result of removing other integrations from a region.

    :ivar diff: an entry for each resource that was removed
    :ivar failure: why something is left
    """

    diff: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Removals:
    """How other integrations are removed.

    :ivar timeout: seconds to wait for AWS in each step
    :ivar stack_timeout: seconds to wait for a stack
    :ivar all_regions: whether no other region can need what the other integrations share, that is, their execution role
    """

    regions: Regions
    check_mode: bool
    timeout: float
    stack_timeout: float
    all_regions: bool = False

    def run(self, others: Others, *, retain: bool = False) -> dict[str, Removal]:
        """Remove other integrations in all regions at once; those of stacks by their stacks.

        :param retain: whether what a stack made stays when the stack goes
        """
        if not others:
            return {}
        results = self.regions.run(lambda region: self._remove(region, others.get(region.name, ()), retain))
        return {
            name: result if isinstance(result, Removal) else Removal(failure=result) for name, result in results.items() if name in others
        }

    def _remove(self, region: Region, others: t.Sequence[Document], retain: bool) -> Removal:
        outcomes: dict[str, Outcome] = {}
        stacks, names = _stacks(others), _without_stack(others)
        try:
            for stack in stacks:
                desired = Stack(stack, present=False, retain=retain)
                outcomes[f"stack {stack}"] = deploy(desired, region, check_mode=self.check_mode, timeout=self.stack_timeout)
        except Exception as error:  # what was done before stays in the result
            return _removal(region, outcomes, failure_of(error))
        for name in names:
            progress = integrate(region, absent(name), check_mode=self.check_mode, timeout=self.timeout)
            outcomes.update({f"{kind} {name}": outcome for kind, outcome in progress.outcomes.items()})
            if progress.failure:
                where = f"{progress.failed.replace('_', ' ')}: "
                return _removal(region, outcomes, dataclasses.replace(progress.failure, message=where + progress.failure.message))
        return _removal(region, outcomes)


def absent(name: str) -> Desired:
    """Return the integration of this name, with its execution role, as it should be: not there."""
    return Desired(
        execution_role=ExecutionRole(name, present=False),
        queue=Queue(name=name.replace(".", "-"), present=False),
        connection=Connection(name=name, present=False, api_destination=name),
        api_destination=ApiDestination(name=name, present=False),
        rule=Rule(name=name, present=False, target_id=TARGET_ID),
        present=False,
    )


def remove_roles(others: Others, removals: Removals) -> list[str]:
    """Remove the execution roles of integrations that were removed from all regions.

    :returns: notes: which role is left, and why
    """
    notes = []
    for name in dict.fromkeys(name for region in others.values() for name in _without_stack(region)):
        role = ExecutionRole(name, present=False)
        try:
            home = removals.regions.home((role.service,))
            note = reconcile(role, home, check_mode=removals.check_mode, timeout=removals.timeout).plan.note
        except Exception as error:
            failure = failure_of(error)
            note = f"the execution role {name} could not be removed: {failure.code}: {failure.message}"
        notes += [note] if note else []
    return notes


def _stacks(others: t.Sequence[Document]) -> list[str]:
    return list(dict.fromkeys(other["stack_name"] for other in others if other["stack_name"]))


def _without_stack(others: t.Sequence[Document]) -> list[str]:
    return list(dict.fromkeys(other["name"] for other in others if not other["stack_name"]))


def _removal(region: Region, outcomes: t.Mapping[str, Outcome], failure: Failure | None = None) -> Removal:
    return Removal(
        diff=tuple(diff_entry(region.name, what, outcome.plan) for what, outcome in outcomes.items() if outcome.plan.action != "unchanged"),
        notes=tuple(outcome.plan.note for outcome in outcomes.values() if outcome.plan.note),
        failure=failure,
    )
