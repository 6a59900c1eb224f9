# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import random
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import BY_STACK_SET
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import (
    ABSENT,
    BROKEN,
    GOOD,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import TAG, HealingRecord, parse_time

# The actions on a region.
WELL = "well"
LEAVE = "leave"
REPAIR = "repair"
WAIT = "wait"
# The causes for not repairing a region now.
NO_PROOF = "no_proof"
FLAPPING = "flapping"
TOO_SOON = "too_soon"
UNREAD = "unread"
FAILED = "failed"
OF_A_STACK_SET = "stack_set"

_FIRST_PAUSE, _LONGEST_PAUSE = 15.0, 300.0
# A fifth more or less, so that what was lost at once is not tried again at once.
_JITTER = 0.2
# The seconds between two messages of an outage.
_TURN = 30


@dataclass(frozen=True)
class Brakes:
    """The limits of repairs.

    :ivar distance: the least seconds between an authorisation and the next repair
    :ivar most: how many repairs of a region an hour may have
    """

    distance: float = 60.0
    most: int = 5


@dataclass(frozen=True)
class Decision:
    """The action on a region in this run.

    :ivar action: WELL, LEAVE, REPAIR or WAIT
    :ivar cause: why it waits, for programs
    :ivar why: the same in one line, for people
    """

    action: str
    cause: str = ""
    why: str = ""

    @property
    def is_done(self) -> bool:
        """Return whether nothing is left to do, so that the messages of the region can be deleted."""
        return self.action in (WELL, LEAVE)


def pause(receives: int, chance: t.Callable[[], float] = random.random) -> int:
    """Return for how many seconds a message is postponed: 15 s, doubled with each receive, at most 300 s, with jitter.

    :param receives: how often the message was received, SQS's ApproximateReceiveCount
    :param chance: a number from 0 to 1
    """
    seconds = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(receives, 10))
    return round(min(_LONGEST_PAUSE, seconds * (1 - _JITTER + 2 * _JITTER * chance())))


def pauses(messages: t.Iterable[t.Mapping[str, t.Any]], chance: t.Callable[[], float] = random.random) -> dict[str, int]:
    """Return for how many seconds messages are postponed, by receipt handle.

    Those whose token was not proved come back one after the other: the first shows whether Spot accepts tokens again, and then all accounts
    are worked on. So the end of an outage is seen soon, with one proof each time.

    :param messages: each with `handle`, `receives`, and `cause`, why it waits
    """
    found, turns = {}, 0
    for message in messages:
        seconds = pause(message["receives"], chance)
        if message["cause"] == NO_PROOF:
            turns += 1
            seconds = max(seconds, min(round(_LONGEST_PAUSE), turns * _TURN))
        found[message["handle"]] = seconds
    return found


def decide(
    entry: t.Mapping[str, t.Any],
    *,
    obstacles: t.Sequence[str],
    record: HealingRecord,
    brakes: Brakes,
    enabled: bool,
    now: datetime.datetime,
) -> Decision:
    """Return what is done with a region.

    :param entry: the region in the result of `spot_integration_info`
    :param obstacles: why the token must not be written, of preflight
    :param enabled: whether the account is to be healed
    """
    status = entry["status"]
    if status in GOOD:
        return Decision(WELL)
    left = _left_alone(status, record, enabled)
    if left:
        return Decision(LEAVE, why=left)
    waits = _waits(entry, obstacles, record)
    return waits if waits else _limited(entry, record, brakes, now)


def _waits(entry: t.Mapping[str, t.Any], obstacles: t.Sequence[str], record: HealingRecord) -> Decision | None:
    """Return the decision on a region that must not be written to now; None if it may be."""
    if entry["status"] not in BROKEN:
        return Decision(WAIT, UNREAD, entry["reason"])
    if record.unread:
        why = f"the tags of its rule cannot be read ({record.unread}), so whether the tag {TAG} is off is not known"
        return Decision(WAIT, UNREAD, why)
    if entry["stack_set"]:
        why = f"{entry['stack_set']} is a stack of a stack set, and only its stack set may change it. {BY_STACK_SET}"
        return Decision(WAIT, OF_A_STACK_SET, why)
    return Decision(WAIT, NO_PROOF, " ".join(obstacles)) if obstacles else None


def _left_alone(status: str, record: HealingRecord, enabled: bool) -> str:
    """Return why a region is not healed, whatever the reason that it does not work; empty if it may be."""
    if not enabled:
        return "spot_eventbridge_heal is false"
    if record.opted_out:
        return f"the tag {TAG} of its rule is off"
    return "there is no integration" if status == ABSENT else ""


def _limited(entry: t.Mapping[str, t.Any], record: HealingRecord, brakes: Brakes, now: datetime.datetime) -> Decision:
    """Return the decision on a region that could be repaired, by what was done to it before."""
    hour_ago = now - datetime.timedelta(hours=1)
    repairs = [time for time in record.repairs if parse_time(time) > hour_ago]
    if len(repairs) >= brakes.most:
        why = f"it was repaired {len(repairs)} times within an hour and lost each time. Find out what Spot responds to the notices."
        return Decision(WAIT, FLAPPING, why)
    last = [parse_time(time) for time in repairs] + _authorized(entry)
    if last and (now - max(last)).total_seconds() < brakes.distance:
        return Decision(WAIT, TOO_SOON, f"it was authorised less than {brakes.distance:.0f} s ago, so it is repaired a little later")
    return Decision(REPAIR)


def authorized_at(entry: t.Mapping[str, t.Any]) -> datetime.datetime | None:
    """Return when the connection of a region was last authorised; None if that is not known."""
    return next(iter(_authorized(entry)), None)


def _authorized(entry: t.Mapping[str, t.Any]) -> list[datetime.datetime]:
    connection = (entry.get("resources") or {}).get("connection") or {}
    given = connection.get("last_authorized_time")
    return [parse_time(given)] if given else []
