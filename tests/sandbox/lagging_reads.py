# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that show for some time what there was before a change, as those of an eventually consistent service do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .server import Answer
from .settings import Settings

if TYPE_CHECKING:
    from .aws import Call

# SQS shows attributes up to a minute late (SQS API reference, SetQueueAttributes), IAM "within seconds" (IAM user guide, troubleshooting).
# Of EventBridge, nothing is documented.
_SERVICES = ("events", "sqs", "iam")
_READS = re.compile("Describe|Get|List")
Key = tuple[str, ...]


class LaggingReads:
    """Answers reads as of before the last changes, while these are younger than the setting `read_lag_seconds`.

    Nobody knows at a change what will be read after it. So it remembers what was read since the lag was set, and asks all of that once
    more before each change: who reads before writing, and again after it, sees that.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked: dict[Key, Callable[[], Answer]] = {}
        self._shown: dict[Key, tuple[float, Answer]] = {}

    def reset(self) -> None:
        """Forget what was read."""
        self._asked.clear()
        self._shown.clear()

    def answer(self, call: Call, ask: Callable[[], Answer]) -> Answer:
        """Answer a call: by `ask`, or with what it would have had for an answer before."""
        if not self._settings.read_lag_seconds or call.service not in _SERVICES:
            return ask()
        place = (call.account, "" if call.service == "iam" else call.region, call.service)
        if call.writes:
            until = time.monotonic() + self._settings.read_lag_seconds
            for key, again in self._asked.items():
                if key[:3] == place:
                    self._shown[key] = (until, self._still_shown(key) or again())
            return ask()
        if call.origin or not _READS.match(call.operation):  # services of AWS know what they have done
            return ask()
        key = (*place, call.access_key, call.operation, call.request.target, call.request.body.decode())
        self._asked[key] = ask
        return self._still_shown(key) or ask()

    def _still_shown(self, key: Key) -> Answer | None:
        until, shown = self._shown.get(key, (0.0, None))
        return shown if time.monotonic() < until else None
