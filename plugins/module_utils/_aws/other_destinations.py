# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import ACCOUNT_PARAMETER

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region


@dataclass(frozen=True)
class OtherDestination:
    """Another API destination of the region that sends to Spot.

    :ivar spot_account: the account it sends for; None where that is hidden, missing or could not be read
    :ivar rules: the rules that send to it
    """

    name: str
    spot_account: str | None
    rules: tuple[str, ...]


def others(region: Region, own: str, endpoint: str) -> tuple[OtherDestination, ...]:
    """Return the API destinations that send to the same address, except our own. ListApiDestinations, and two calls for each of them.

    :param own: the name of ours
    """
    events = region.clients["events"]
    found: list[OtherDestination] = []
    for item in items(events, "list_api_destinations", "ApiDestinations"):
        if item["Name"] != own and item.get("InvocationEndpoint") == endpoint:
            rules = items(events, "list_rule_names_by_target", "RuleNames", TargetArn=item["ApiDestinationArn"])
            found.append(OtherDestination(item["Name"], _spot_account(events, item["ConnectionArn"]), tuple(rules)))
    return tuple(found)


def _spot_account(events: t.Any, connection_arn: str) -> str | None:
    name = connection_arn.split("connection/", 1)[-1].split("/", maxsplit=1)[0]
    try:
        http = events.describe_connection(Name=name).get("AuthParameters", {}).get("InvocationHttpParameters", {})
    except Exception:
        return None  # its account stays unknown; that it exists is what matters
    values = [item.get("Value") for item in http.get("QueryStringParameters", []) if item.get("Key") == ACCOUNT_PARAMETER]
    return values[0] if values else None
