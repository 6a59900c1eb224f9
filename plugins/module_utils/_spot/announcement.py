# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError


def seconds_after(when: str, announced: datetime.datetime) -> float | None:
    """Return how many seconds after an announcement something was; None if the form of its time is not known."""
    try:
        return (datetime.datetime.fromisoformat(when.replace("Z", "+00:00")) - announced).total_seconds()
    except (TypeError, ValueError):  # no time, or one without a time zone
        return None


def after(when: str, announced: datetime.datetime | None) -> str:
    """Return the same as a part of a sentence, empty where nothing was announced."""
    seconds = seconds_after(when, announced) if announced else None
    return "" if seconds is None else f", {max(0.0, seconds):.0f} s after the announcement"


def parse_announced(text: str) -> datetime.datetime | None:
    """Return when an interruption was announced, from an option; None if it is empty.

    :raises ArgumentError: it is not a valid time.
    """
    if not text:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise ArgumentError(f"announced is {text[:50]!r}, which is not a valid time. A time has the form 2026-01-02T03:04:05Z.") from None
