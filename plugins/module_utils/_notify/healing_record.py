# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

# On the rule, so that every machine that heals knows what was done and told. AWS keeps no history of a connection.
TAG = "SpotHealing"
# The values with which people opt a region out. In YAML, `off` without quotes is the boolean false.
OFF = ("off", "false")
MOST_REPAIRS = 5
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_TOLD = re.compile(rf"(?P<cause>[a-z_]+)/(?P<time>{_TIME})/(?P<count>\d)")


@dataclass(frozen=True)
class HealingRecord:
    """The record of a region's healing.

    :ivar lost: since when the region does not work and people know it; empty if it works
    :ivar told: when people were last told that it is not repaired; empty if they were not
    :ivar cause: the cause of that, a constant of `_heal/brakes.py`
    :ivar count: how often they were told so
    :ivar repairs: when the region was repaired, the latest at the end; five at most
    :ivar opted_out: whether people have opted the region out, by the value `off` of the tag; then there is no record
    :ivar unread: why the tag could not be read
    """

    lost: str = ""
    told: str = ""
    cause: str = ""
    count: int = 0
    repairs: tuple[str, ...] = ()
    opted_out: bool = False
    unread: str = ""


def parse_time(text: str) -> datetime.datetime:
    """Return a time of AWS, or of this collection, in ISO 8601; the beginning of time if it is not one."""
    try:
        time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def as_text(time: datetime.datetime) -> str:
    """Return a time as it stands in the tag and in notifications."""
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def healing_in(tags: t.Mapping[str, str], spot_account: str) -> HealingRecord:
    """Return the record in a rule's tags. Text that is not of this collection, or of another Spot account, is ignored."""
    words = tags.get(TAG, "").split()
    if len(words) == 1 and words[0].lower() in OFF:
        return HealingRecord(opted_out=True)
    if words[:1] != [f"account={spot_account}"]:
        return HealingRecord()
    entries = dict(word.partition("=")[::2] for word in words[1:])
    told = _TOLD.fullmatch(entries.get("told", ""))
    lost = entries.get("lost", "")
    return HealingRecord(
        lost=lost if re.fullmatch(_TIME, lost) else "",
        told=told["time"] if told else "",
        cause=told["cause"] if told else "",
        count=int(told["count"]) if told else 0,
        repairs=tuple(time for time in entries.get("repairs", "").split("+") if re.fullmatch(_TIME, time))[-MOST_REPAIRS:],
    )


def healing_tag(spot_account: str, record: HealingRecord) -> str:
    """Return the tag that `healing_in` reads: at most 256 of the characters that AWS allows (Tagging AWS resources, user guide)."""
    entries = {
        "lost": record.lost,
        "told": f"{record.cause}/{record.told}/{record.count}" if record.told else "",
        "repairs": "+".join(record.repairs[-MOST_REPAIRS:]),
    }
    return " ".join([f"account={spot_account}", *(f"{name}={value}" for name, value in entries.items() if value)])
