# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import regions_of_account
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress


@dataclass(frozen=True)
class RoleUsers:
    """The regions that need the execution role after a removal.

    :ivar left: in words, the regions where it is used or may be used; empty if it can go
    :ivar disabled: the regions of AWS that are not enabled for the account, so that nothing could be read there
    """

    left: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()


def role_users(desired: Desired, regions: Regions, removed: t.Mapping[str, Progress | Failure]) -> RoleUsers:
    """Find out where the execution role is still needed. Only reads.

    Every enabled region of the account counts, also those that were not to be cleared.

    :param removed: the results of the removal, by region
    """
    refused = {name: result if isinstance(result, Failure) else result.failure for name, result in removed.items()}
    left = {name: _may_use(name, failure) for name, failure in refused.items() if failure and not failure.unsupported}
    try:
        enabled, disabled = regions.first(regions_of_account)[1]
    except Exception as error:
        failure = failure_of(error)
        return RoleUsers((*left.values(), f"other regions, which cannot be listed ({failure.code}: {failure.message})"))
    others = regions.elsewhere(enabled, ("events",))
    found = regions.run(lambda region: _uses(region, desired), others) if others else {}
    for name, used in found.items():
        if isinstance(used, Failure):
            left.update({} if used.unsupported else {name: _may_use(name, used)})
        elif used:
            left[name] = name
    return RoleUsers(tuple(left.values()), disabled)


def _uses(region: Region, desired: Desired) -> bool:
    rule = desired.rule.look(region)
    if rule is not None and rule.target(desired.rule.target_id) is not None:
        return True
    # The role goes last: a destination or connection that is left is one of an integration that is half removed.
    return desired.api_destination.look(region) is not None or desired.connection.read(region) is not None


def _may_use(name: str, failure: Failure) -> str:
    return f"{name} (could not be read or cleared: {failure.code})"
