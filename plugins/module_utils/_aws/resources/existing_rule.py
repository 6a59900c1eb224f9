# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document


@dataclass(frozen=True)
class ExistingRule:
    """An existing rule with its targets and tags; or no rule, and only the API destination that it is to send to.

    :ivar found: the response of DescribeRule; None if there is no rule
    :ivar targets: the response of ListTargetsByRule
    :ivar destination_arn: the API destination that it is to send to; None if there is none of that name
    """

    found: Document | None
    targets: tuple[Document, ...] = ()
    tags: t.Mapping[str, str] = field(default_factory=dict)
    destination_arn: str | None = None

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {**(self.found or {}), "targets": [document(target) for target in self.targets], "tags": dict(self.tags)}

    def event_pattern(self) -> t.Any:
        """Return the pattern, parsed; its text where it cannot be."""
        text = (self.found or {}).get("event_pattern")
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def managed_fields(self) -> Document:
        """Return the fields of a rule that this collection manages."""
        rule = self.found or {}
        return {
            "description": rule.get("description") or "",
            "state": rule.get("state"),
            "event_pattern": self.event_pattern(),
            "schedule_expression": rule.get("schedule_expression"),
        }

    def target(self, target_id: str) -> Document | None:
        """Return the target with this id."""
        return next((target for target in self.targets if target["Id"] == target_id), None)
