# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import Member, Organization
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Instance, Pair, Reading

_SHOWN = 5


@dataclass(frozen=True)
class Targets:
    """The desired instances of a stack set.

    :ivar accounts: the Spot account of each AWS account for which instances are desired
    :ivar undesired: the instances to be removed
    :ivar without_spot_account: AWS accounts of the organizational units for which no Spot account is given
    :ivar notes: notes for users about them
    """

    accounts: t.Mapping[str, str]
    undesired: tuple[Instance, ...] = ()
    without_spot_account: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def pairs(self, regions: t.Iterable[str]) -> dict[Pair, str]:
        """Return the Spot accounts by instance."""
        regions = list(regions)
        return {(account, region): spot_account for account, spot_account in self.accounts.items() for region in regions}


def targets(desired: StackSet, reading: Reading) -> Targets:
    """Compare the desired instances with the organisation and the existing instances.

    :raises RegionError: more accounts would lose their instances than purge_limit allows.
    """
    if reading.organization is None:
        chosen = desired.spot_accounts if desired.accounts is None else desired.accounts
        accounts = {account: desired.spot_account(account) or "" for account in sorted(chosen) if account not in desired.excluded_accounts}
        return _with_undesired(desired, reading, Targets(accounts), set())
    return _of_organization(desired, reading, reading.organization)


def _of_organization(desired: StackSet, reading: Reading, organization: Organization) -> Targets:
    allowed = {
        account: member
        for account, member in sorted(organization.members.items())
        if account not in desired.excluded_accounts and (desired.accounts is None or account in desired.accounts)
    }
    management = organization.management_account
    suspended = [account for account, member in allowed.items() if not member.active and account != management]
    able = {account: member for account, member in allowed.items() if member.active and account != management}
    accounts = {account: spot_account for account in able if (spot_account := desired.spot_account(account))}
    without = tuple(account for account in able if account not in accounts)
    asked = (set(desired.spot_accounts) if desired.accounts is None else set(desired.accounts)) - desired.excluded_accounts
    notes = []
    if management in asked:
        notes.append(f"AWS does not deploy to the management account {management}: onboard it with spot.eventbridge.onboard.")
    if elsewhere := sorted(asked - set(organization.members) - {management}):
        notes.append(f"{_some(elsewhere)} left out: not in the organizational units.")
    if left_out := [account for account in suspended if desired.spot_account(account)]:
        notes.append(f"{_some(left_out)} left out: not active in the organisation.")
    if without:
        notes.append(
            f"{_some(without)} of the organizational units: no Spot account is known, so nothing was deployed there. "
            "Name it in spot_accounts, or the AWS account in excluded_accounts."
        )
    notes += _auto_deployment_notes(desired, able, accounts)
    return _with_undesired(desired, reading, Targets(accounts, (), without, tuple(notes)), {*without, *suspended})


def _auto_deployment_notes(desired: StackSet, able: t.Mapping[str, Member], accounts: t.Mapping[str, str]) -> list[str]:
    if not desired.auto_deployment.get("Enabled"):
        return []
    reached = {able[account].unit for account in accounts}
    unreached = [unit for unit in desired.organizational_units if unit not in reached]
    return [f"{unit}: accounts that join it get no automatic deployment, as none in it has a Spot account yet." for unit in unreached]


def _with_undesired(desired: StackSet, reading: Reading, found: Targets, kept: set[str]) -> Targets:
    """Add the instances to be removed.

    :param kept: the accounts whose instances stay although they are not desired
    """
    pairs = found.pairs(desired.regions)
    undesired = [
        instance
        for pair, instance in sorted(reading.instances.items())
        if pair not in pairs and not (instance.account in kept and instance.region in desired.regions)
    ]
    if not undesired:
        return found
    if not desired.purge_instances:
        note = f"{len(undesired)} instance(s) that are not desired were kept: {_some([' '.join(instance.pair) for instance in undesired])}"
        return Targets(found.accounts, (), found.without_spot_account, (*found.notes, f"{note}."))
    _check_limit(desired, reading, {instance.account for instance in undesired} - set(found.accounts) - kept)
    return Targets(found.accounts, tuple(undesired), found.without_spot_account, found.notes)


def _check_limit(desired: StackSet, reading: Reading, leaving: set[str]) -> None:
    """Refuse to remove too many accounts, as a mapping may be too small by mistake. Accounts excluded by name do not count.

    :param leaving: the accounts that would have no instance left
    :raises RegionError: they are too many.
    """
    there = {account for account, dummy in reading.instances}
    losing = sorted(leaving - desired.excluded_accounts)
    if losing and len(losing) * 100 > len(there) * desired.purge_limit:
        raise RegionError(
            "PurgeLimit",
            f"{len(losing)} of {len(there)} AWS accounts would lose their instances, more than purge_limit={desired.purge_limit}%: "
            f"{_some(losing)}; nothing was changed. "
            "Complete spot_accounts; to remove these instances, raise purge_limit or name the accounts in excluded_accounts.",
        )


def _some(names: t.Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
