# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.event_bus import EventBus
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import HubRule

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import Points
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub


@dataclass(frozen=True)
class SeenHub:
    """A hub as its own account reads it.

    :ivar exists: whether it has an event bus
    :ivar rule: the rule that sends what arrives to the hub's queue
    """

    exists: bool
    rule: ExistingRule | None = None


@dataclass(frozen=True)
class Reports:
    """What CloudWatch has about the rule that reports to a hub in another account, which cannot be read.

    :ivar arrived: when an event arrived there last, the beginning of a period; None if none did
    :ivar failed: when one did not
    """

    arrived: datetime.datetime | None = None
    failed: datetime.datetime | None = None


def read_hub(region: Region, hub: Hub) -> SeenHub:
    """Return a hub of the caller's account. DescribeEventBus, DescribeRule, ListTargetsByRule.

    :param region: that of the hub
    """
    bus, rule = at_once(lambda: EventBus(hub).look(region), lambda: HubRule(hub.name, hub=hub).look(region))
    return SeenHub(bus is not None, rule)


def reports_in(points: Points) -> Reports:
    """Return when events arrived and did not arrive, in the metrics of a rule by period."""

    def last(*keys: str) -> datetime.datetime | None:
        return max((time for key in keys for time, value in points.get(key, ()) if value), default=None)

    return Reports(last("delivered"), last("failed", "dead_lettered", "dead_letter_failed"))
