# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import queue_use
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue, Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.queue_policy import QueuePolicy
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import KeyUse
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

DEFAULT_RECEIVES = 20


@dataclass(frozen=True)
class ExistingHubQueue(ExistingQueue):
    """An existing queue of a hub."""

    def managed_fields(self) -> Document:
        """See `dead_letter_queue.ExistingQueue`."""
        redrive = self.attributes.get("RedrivePolicy")
        return {**super().managed_fields(), "redrive_policy": json.loads(redrive) if redrive else None}


@dataclass(frozen=True)
class HubQueue(Queue):
    """A queue of a hub that is desired: open to the hub's rule.

    :ivar receives: after how many receives a message goes to the hub's dead-letter queue; 0 for that queue itself
    """

    hub: Hub = field(default_factory=Hub)
    receives: int = 0
    holds: t.ClassVar[str] = "message(s)"

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Under this key it stands in a result."""
        return "queue" if self.receives else "dead_letter_queue"

    def look(self, region: Region) -> ExistingHubQueue | None:
        """See `dead_letter_queue.Queue`."""
        found = super().look(region)
        fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(ExistingQueue)} if found else {}
        return ExistingHubQueue(**fields) if found else None

    def key_use(self, region: Region) -> KeyUse:
        """See `dead_letter_queue.Queue`."""
        return queue_use(region, self.name, self.hub.rule_path)

    def policy(self, region: Region) -> QueuePolicy:
        """See `dead_letter_queue.Queue`."""
        return QueuePolicy(self.hub.arn("sqs", self.name), (self.hub.arn("events", f"rule/{self.hub.rule_path}"),), self.hub.aws_account)

    def _attributes(self, policy: Document) -> dict[str, str]:
        attributes = super()._attributes(policy)
        return {**attributes, "RedrivePolicy": json.dumps(self._redrive)} if self._redrive else attributes

    def _desired_fields(self, policy: Document) -> Document:
        return {**super()._desired_fields(policy), "redrive_policy": self._redrive}

    @property
    def _redrive(self) -> Document | None:
        if not self.receives:
            return None
        return {"deadLetterTargetArn": self.hub.arn("sqs", self.hub.dead_letters), "maxReceiveCount": self.receives}
