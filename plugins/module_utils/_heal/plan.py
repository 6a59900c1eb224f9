# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import GOOD
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.brakes import (
    FAILED,
    FLAPPING,
    NO_PROOF,
    OF_A_STACK_SET,
    REPAIR,
    WAIT,
    WELL,
    Brakes,
    Decision,
    authorized_at,
    decide,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import (
    MOST_REPAIRS,
    HealingRecord,
    as_text,
    parse_time,
)

Info = t.Mapping[str, t.Any]
Waiting = t.Sequence[t.Mapping[str, t.Any]]

# The kinds of news of a region. A region that is not repaired is reported once, and once more after an hour. Where the token was not
# proved, nothing at all is written to the account: what people know of that is kept with the hub's queue, see `known.py`. So it is where
# there is no rule that could have the record.
REPAIRED, NOT_REPAIRED, WELL_AGAIN = "repaired", "not_repaired", "well_again"
REMINDER = datetime.timedelta(hours=1)
MOST_TOLD = 2
_SECOND = datetime.timedelta(seconds=1)  # Events carry whole seconds.
_TOLD_CAUSES = (FLAPPING, FAILED, OF_A_STACK_SET)


def argument_spec() -> ArgumentSpec:
    """Return the options that limit repairs."""
    return {
        "enabled": {"type": "bool", "default": True},
        "minimum_distance": {"type": "float", "default": Brakes.distance},
        "repairs_per_hour": {"type": "int", "default": Brakes.most},
    }


@dataclass(frozen=True)
class News:
    """The news of a region.

    :ivar kind: REPAIRED, NOT_REPAIRED (also if it flaps) or WELL_AGAIN
    :ivar lost: when AWS reported the loss; empty if no event did
    :ivar seen: when this was read
    :ivar well: since when it works again; empty if it does not
    :ivar notices: how many notices were lost meanwhile, as far as that is known
    :ivar count: how often people were told that it is not repaired, this time included; 0 where that is found out later
    :ivar authorized: when the connection was authorised last; empty if that is not known
    """

    region: str
    kind: str = ""
    lost: str = ""
    seen: str = ""
    well: str = ""
    cause: str = ""
    why: str = ""
    notices: int | None = None
    count: int = 0
    authorized: str = ""


@dataclass(frozen=True)
class Outcome:
    """The end of a region in a run.

    :ivar decision: what was left to do at the end; WELL where it was repaired
    :ivar record: what is to be recorded of it; None where that stands in the tag already
    """

    decision: Decision
    news: News | None = None
    record: HealingRecord | None = None


def record_of(entry: Info) -> HealingRecord:
    """Return what is recorded of a region, in the result of `spot_integration_info`."""
    found = entry.get("healing") or {}
    return HealingRecord(**{**found, "repairs": tuple(found.get("repairs", ()))})


def own_messages(waiting: Waiting, aws_account: str) -> list[Info]:
    """Return the messages that are of this AWS account: two accounts may have integrations of one name."""
    return [message for message in waiting if message["aws_account"] == aws_account]


def plan(regions: Info, *, obstacles: t.Sequence[str], brakes: Brakes, enabled: bool, now: datetime.datetime) -> dict[str, Decision]:
    """Return what is done with each region that was read.

    :param regions: those of the result of `spot_integration_info`
    """
    return {
        name: decide(entry, obstacles=obstacles, record=record_of(entry), brakes=brakes, enabled=enabled, now=now)
        for name, entry in regions.items()
    }


def plan_result(regions: Info, preflight: Info, settings: Info, now: datetime.datetime) -> dict[str, t.Any]:
    """Return what is done with the regions that were read, as the result of `spot_heal_plan`.

    :param regions: those of the result of `spot_integration_info`
    :param preflight: the result of `spot_preflight_info`
    :param settings: the options `enabled`, `minimum_distance` and `repairs_per_hour`
    """
    brakes = Brakes(distance=settings["minimum_distance"], most=settings["repairs_per_hour"])
    obstacles = preflight.get("obstacles") or ()
    found = plan(regions, obstacles=obstacles, brakes=brakes, enabled=settings["enabled"], now=now)
    return {
        "repair": [name for name, decision in found.items() if decision.action == REPAIR],
        "decisions": {name: asdict(decision) for name, decision in found.items()},
        "began": as_text(now),
    }


def waiting_result(preflight: Info, now: datetime.datetime) -> dict[str, t.Any]:
    """Return, as the result of `spot_heal_plan`, that all regions wait, as the token was not proved.

    :param preflight: the result of `spot_preflight_info`
    """
    waits = asdict(Decision(WAIT, NO_PROOF, " ".join(preflight["obstacles"])))
    return {"repair": [], "decisions": dict.fromkeys(preflight["regions"], waits), "began": as_text(now)}


def outcome(
    name: str,
    before: Info,
    after: Info,
    decision: Decision,
    waiting: Waiting,
    *,
    changed: bool,
    failure: str,
    began: datetime.datetime,
    now: datetime.datetime,
    known: tuple[str, str] = ("", ""),
) -> Outcome:
    """Return the end of a region: whether its messages can be deleted, what to tell and what to record.

    :param before: the region as it was read first; `after` as it was read last, the same where nothing was done
    :param waiting: the messages of this region
    :param changed: whether the repair changed something in this region, or the execution role
    :param failure: why the repair failed
    :param began: when the run began
    :param known: since when the account has lost regions whose token was not proved, and since when people know that
    """
    record, authorized = record_of(before), _authorized_text(before)
    lost = record.lost or min((message["time"] for message in waiting if _is_loss(message)), default="")
    if not lost and known[0]:
        # A region that works was one of them if it was authorised after people were told; one that does not, if it was before the loss.
        regained, before_loss = parse_time(authorized) > parse_time(known[1]), parse_time(authorized) <= parse_time(known[0])
        lost = known[0] if (regained if decision.action == WELL else before_loss) else ""
    news = News(region=name, lost=lost, seen=as_text(began), authorized=authorized)
    if decision.action == REPAIR:
        if after["status"] not in GOOD:
            decision = Decision(WAIT, FAILED, failure or after["reason"])
        else:
            repairs = (*record.repairs, as_text(now))[-MOST_REPAIRS:] if changed else record.repairs
            found = replace(news, kind=REPAIRED, well=as_text(now), why=before["reason"], notices=_lost_notices(after, lost))
            return Outcome(Decision(WELL), found, HealingRecord(repairs=repairs))
    elif decision.action == WELL and not record.opted_out and not record.unread:
        return _well(decision, record, before, replace(news, kind=WELL_AGAIN, notices=_lost_notices(after, lost)))
    if decision.action == WAIT and (decision.cause == NO_PROOF or (decision.cause == FAILED and _has_no_rule(after))):
        return Outcome(decision, replace(news, kind=NOT_REPAIRED, cause=decision.cause, why=decision.why))
    if decision.action != WAIT or decision.cause not in _TOLD_CAUSES:
        return Outcome(decision)
    again = record.told and (record.count >= MOST_TOLD or now - parse_time(record.told) < REMINDER)
    if again and record.cause == decision.cause:
        return Outcome(decision)
    count = record.count + 1 if record.cause == decision.cause else 1
    kept = replace(record, lost=lost or as_text(began), told=as_text(now), cause=decision.cause, count=count)
    return Outcome(decision, replace(news, kind=NOT_REPAIRED, cause=decision.cause, why=decision.why, count=count), kept)


def _well(decision: Decision, record: HealingRecord, entry: Info, news: News) -> Outcome:
    """Return the end of a region that works: it is told if people know of the loss, or if a run was killed before it could tell."""
    authorized, since = authorized_at(entry), news.authorized
    regained = bool(authorized and news.lost and authorized >= parse_time(news.lost) + _SECOND)
    by_us = any(parse_time(time) >= parse_time(news.lost) for time in record.repairs) if news.lost else False
    if record.lost or (regained and not by_us):
        repairs = record.repairs if by_us or not regained else (*record.repairs, since)[-MOST_REPAIRS:]
        return Outcome(decision, replace(news, well=since), HealingRecord(repairs=repairs))
    return Outcome(decision)


def _authorized_text(entry: Info) -> str:
    authorized = authorized_at(entry)
    return as_text(authorized) if authorized else ""


def _has_no_rule(entry: Info) -> bool:
    """Return whether there is nothing that could have a record."""
    failed = any(finding["check"] == "rule" and finding["outcome"] == FAIL for finding in entry.get("findings", ()))
    return failed and entry["resources"]["rule"] is None


def _is_loss(message: t.Mapping[str, t.Any]) -> bool:
    return str(message["change"]).endswith(("Deauthorized", "Deauthorization Started", "Deactivated", "Failed Connectivity"))


def _lost_notices(entry: Info, lost: str) -> int | None:
    """Return how many notices are in the dead-letter queue since the loss; None if that was not read, or nothing says since when."""
    evidence = entry.get("evidence")
    if not evidence or not lost or evidence["dead_letters"].get("note"):
        return None
    times = [parse_time(letter["time"] or "") for letter in evidence["dead_letters"]["messages"]]
    return sum(time >= parse_time(lost) - _SECOND for time in times)
