# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbook heal decides on the controller about an account, between its modules."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.histories.modules import healed, plan_result

Json = dict[str, Any]


@dataclass
class Healing:
    """The healing of an account in one run.

    Attributes:
        before: the result of spot_integration_info before the repair.
        messages: the events of the account.
        known: what people know, of spot_heal_queue.
    """

    host: str
    spot_account: str
    preflight: Json
    before: Json
    messages: Sequence[Json] = ()
    known: str = ""
    plan: Json = field(init=False)

    def decide(self, now: datetime.datetime) -> list[str]:
        """The regions to repair."""
        limits = {"minimum_distance": 60.0, "repairs_per_hour": 5, "enabled": True}
        self.plan = plan_result(self.before.get("regions") or {}, self.preflight, limits, now)
        return list(self.plan["repair"])

    def end(self, now: datetime.datetime, after: Json | None = None, integration: Json | None = None, *, predicted: bool = False) -> Json:
        """The result of the account.

        Args:
            after: the result of spot_integration_info after a repair.
            integration: the result of the module that repaired.
            predicted: whether it was check mode.
        """
        given = {
            "spot_account": self.spot_account,
            "preflight": self.preflight,
            "plan": self.plan,
            "known": self.known,
            "messages": list(self.messages),
            "info": [self.before, after or {}],
            "integration": integration or {},
            "failure": None,
            "denied_regions": "skip",
        }
        return dict(healed(given, host=self.host, predicted=predicted, now=now))
