# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import ADMINISTRATOR, RegionError, failure_of, is_code

ORGANIZATIONS = "organizations"


@dataclass(frozen=True)
class Member:
    """An AWS account of the organisation.

    :ivar unit: the requested organizational unit that contains it, directly or not
    :ivar active: whether AWS can deploy to it; not so if it is suspended
    """

    account: str
    unit: str
    active: bool = True


@dataclass(frozen=True)
class Organization:
    """The members of some organizational units.

    :ivar members: by account
    """

    management_account: str
    members: t.Mapping[str, Member]


def read_organization(client: t.Any, units: t.Iterable[str]) -> Organization:
    """Return the accounts of organizational units, including the units in them.

    DescribeOrganization, ListAccountsForParent, ListOrganizationalUnitsForParent: one after the other, as Organizations
    allows few calls per second.

    :param units: ids of organizational units, or of the root
    :raises RegionError: there is no such unit.
    """
    described = client.describe_organization()["Organization"]
    members: dict[str, Member] = {}
    for unit in units:
        try:
            _walk(client, unit, unit, members)
        except Exception as error:
            if is_code(error, "ParentNotFoundException", "OrganizationalUnitNotFoundException"):
                why = f"there is no organizational unit {unit} in the organization {described['Id']}"
                raise RegionError("OrganizationalUnit", why) from None
            failure = failure_of(error)
            if failure.denied:
                # A member that is no delegated administrator gets this with any permissions (Organizations API reference).
                raise RegionError(failure.code, f"{failure.message} {ADMINISTRATOR}") from None
            raise
    return Organization(str(described["MasterAccountId"]), members)


def _walk(client: t.Any, parent: str, unit: str, members: dict[str, Member]) -> None:
    for account in items(client, "list_accounts_for_parent", "Accounts", ParentId=parent):
        # An account in two of the units belongs to the one that was named first. State replaces Status.
        members.setdefault(account["Id"], Member(account["Id"], unit, (account.get("State") or account.get("Status")) == "ACTIVE"))
    for child in items(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        _walk(client, child["Id"], unit, members)
