# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Organizations on moto: what stack sets ask of it, and accounts of given ids.

Corrected: CloudFormation's stack sets can have a delegated administrator, and a delegated administrator sees the organization,
whose accounts no other member may list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

from moto.organizations import utils
from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import FakeDelegatedAdministrator, OrganizationsBackend, organizations_backends
from moto.organizations.responses import OrganizationsResponse

PARTITION = "aws"
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"


def install() -> None:
    """Put the corrections into moto's place."""
    if STACK_SETS not in FakeDelegatedAdministrator.SUPPORTED_SERVICES:
        FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(STACK_SETS)

    def seen_by(self: OrganizationsResponse) -> OrganizationsBackend:
        management = management_account(self.current_account)
        delegated = management and any(admin.account.id == self.current_account for admin in _backend(management).admins)
        return _backend(management if management and delegated else self.current_account)

    list_accounts = OrganizationsResponse.list_accounts_for_parent

    def list_if_allowed(self: OrganizationsResponse) -> str:
        management = management_account(self.current_account)
        if management and seen_by(self) is not _backend(management):
            raise OrganizationsClientError("AccessDeniedException", "You don't have permissions to access this resource.")
        return str(list_accounts(self))

    OrganizationsResponse.list_accounts_for_parent = list_if_allowed  # type: ignore[method-assign]
    OrganizationsResponse.organizations_backend = property(seen_by)  # type: ignore[method-assign,assignment]


def add_account(account: str, management: str, name: str = "", parent: str | None = None) -> dict[str, Any]:
    """Make an account a member of an organization, in its root or a given organizational unit. Hold moto's lock.

    In AWS it would be invited, and would accept.
    """
    backend = _backend(management)
    with patch.object(utils, "make_random_account_id", lambda: account):
        backend.create_account(AccountName=name or account, Email=f"{account}@example.com")
    if parent:
        backend.get_account_by_id(account).parent_id = backend.validate_parent_id(parent)
    return {"account": account, "parent": backend.get_account_by_id(account).parent_id}


def management_account(account: str) -> str | None:
    """Return the management account of an account's organization, None if it is in none."""
    if _backend(account).org:
        return account
    return organizations_backends.master_accounts.get(account, (None,))[0]


def organization_id(management: str) -> str:
    """Return the id of the organization of a management account."""
    return str(_backend(management).org.id)  # type: ignore[union-attr]


def is_delegated(account: str, management: str) -> bool:
    """Tell whether an account is a delegated administrator for stack sets."""
    return any(admin.account.id == account and STACK_SETS in admin.services for admin in _backend(management).admins)


def parents(management: str) -> dict[str, str]:
    """Return the root or organizational unit that each account is in."""
    return {account.id: account.parent_id for account in _backend(management).accounts}


def chain(management: str, unit: str | None) -> list[str]:
    """Return an organizational unit and all above it, the root last; nothing for None."""
    above = {known.id: known.parent_id for known in _backend(management).ou}
    found: list[str] = []
    current = unit
    while current:
        found.append(current)
        current = above.get(current)
    return found


def accounts_below(management: str, units: Iterable[str]) -> dict[str, str]:
    """Return the accounts in organizational units and all below, but not the management account: account to the unit that was named."""
    wanted = list(units)
    found: dict[str, str] = {}
    for account, parent in parents(management).items():
        named = [unit for unit in chain(management, parent) if unit in wanted]
        if named and account != management:
            found[account] = named[0]
    return found


def is_suspended(management: str, account: str) -> bool:
    """Tell whether an account is closed."""
    return any(member.id == account and member.status == "SUSPENDED" for member in _backend(management).accounts)


def unknown_units(management: str, units: Iterable[str]) -> list[str]:
    """Return the ids that are neither the root nor an organizational unit."""
    known = {unit.id for unit in _backend(management).ou}
    return [unit for unit in units if unit not in known]


def _backend(account: str) -> OrganizationsBackend:
    return organizations_backends[account][PARTITION]
