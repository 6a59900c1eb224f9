# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import (
    EventRule,
    ExistingRule,
    read_destination_arn,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import alarm_rule
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub, pattern

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

ALARM_DESCRIPTION = "Reports the loss of an authorisation to a hub. Managed by the Ansible collection spot.eventbridge."
HUB_DESCRIPTION = "Collects losses of authorisations in a queue. Managed by the Ansible collection spot.eventbridge."
ALARM_TARGET, HUB_TARGET = "hub", "queue"


@dataclass(frozen=True)
class AlarmRule(EventRule):
    """The rule of a member that sends EventBridge's own events about one integration to the bus of a hub.

    :ivar integration: the name of connection and API destination
    :ivar aws_account: the account of both
    :ivar role_arn: the execution role, which may put events on the bus
    :ivar dead_letter_queue: the name of the queue for events that could not be passed on; empty for none
    """

    hub: Hub = field(default_factory=Hub)
    integration: str = ""
    aws_account: str = ""
    role_arn: str = ""
    dead_letter_queue: str = ""
    description: str = ALARM_DESCRIPTION
    target_id: str = ALARM_TARGET

    kind: t.ClassVar[str] = "alarm_rule"

    @classmethod
    def to_remove(cls, integration: str) -> AlarmRule:
        """Return the rule of an integration that is not to be there."""
        return cls(alarm_rule(integration), present=False)

    @property
    def is_elsewhere(self) -> bool:
        """Return whether the hub is in another account, which this one cannot read."""
        return self.hub.aws_account != self.aws_account

    def event_pattern(self, region: Region) -> Document:
        """See `event_rule.EventRule`. The ARNs end with an id of AWS's own, so they are matched by how they begin."""
        kinds = ("connection", "api-destination")
        return pattern(*(region.arn("events", self.aws_account, f"{kind}/{self.integration}/") for kind in kinds))

    def completed(self, region: Region, seen: ExistingRule | None) -> ExistingRule | None:
        """Call DescribeApiDestination: without the integration there is nothing to watch."""
        if not self.present:
            return seen
        arn = read_destination_arn(region, self.integration)
        return dataclasses.replace(seen or ExistingRule(None), destination_arn=arn)

    def unmet_dependency(self, region: Region, existing: ExistingRule) -> str | None:
        """See `event_rule.EventRule`."""
        if existing.destination_arn:
            return None
        return f"there is no API destination {self.integration} in {region.name}: onboard the account first"

    def desired_target(self, region: Region, existing: ExistingRule) -> Document:
        """See `event_rule.EventRule`."""
        target: Document = {"Arn": self.hub.bus_arn, "RoleArn": self.role_arn}
        if self.dead_letter_queue:
            target["DeadLetterConfig"] = {"Arn": region.arn("sqs", self.aws_account, self.dead_letter_queue)}
        return target


@dataclass(frozen=True)
class HubRule(EventRule):
    """The rule on the bus of a hub that sends what arrives to the hub's queue."""

    hub: Hub = field(default_factory=Hub)
    description: str = HUB_DESCRIPTION
    target_id: str = HUB_TARGET

    @property
    def event_bus(self) -> str:
        """See `event_rule.EventRule`."""
        return self.hub.name

    def event_pattern(self, region: Region) -> Document:
        """See `event_rule.EventRule`."""
        return pattern()

    def desired_target(self, region: Region, existing: ExistingRule) -> Document:
        """See `event_rule.EventRule`."""
        return {
            "Arn": self.hub.arn("sqs", self.hub.name),
            "DeadLetterConfig": {"Arn": self.hub.arn("sqs", self.hub.dead_letters)},
        }
