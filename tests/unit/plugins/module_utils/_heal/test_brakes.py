# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The brakes of healing, a test for each row of their table: what is done with a region, what is told, and what is recorded."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.brakes import (
    FAILED,
    FLAPPING,
    LEAVE,
    NO_PROOF,
    OF_A_STACK_SET,
    REPAIR,
    TOO_SOON,
    UNREAD,
    WAIT,
    WELL,
    Brakes,
    Decision,
    pause,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import known_loss, untold
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.plan import (
    NOT_REPAIRED,
    REPAIRED,
    WELL_AGAIN,
    Outcome,
    outcome,
    own_messages,
    plan,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import HealingRecord, as_text

NOW = datetime.datetime(2026, 1, 1, 12, 0, tzinfo=datetime.timezone.utc)
HERE, ACCOUNT = "eu-west-1", "act-d7320fba"
REFUSED = ["Spot refuses the token for act-d7320fba: 401."]


def at(seconds: float) -> str:
    """The time so many seconds after NOW."""
    return as_text(NOW + datetime.timedelta(seconds=seconds))


def entry(status: str, record: HealingRecord | None = None, authorized: str = at(-7200), **more: Any) -> dict[str, Any]:
    """A region as spot_integration_info returns it."""
    return {
        "status": status,
        "reason": "" if status == "active" else "The connection is DEAUTHORIZED.",
        "healing": dataclasses.asdict(record or HealingRecord()),
        "resources": {"connection": {"last_authorized_time": authorized}},
        "evidence": None,
        "stack_set": "",
        **more,
    }


def decided(found: dict[str, Any], obstacles: list[str] | None = None, enabled: bool = True, brakes: Brakes | None = None) -> Decision:
    return plan({HERE: found}, obstacles=obstacles or [], brakes=brakes or Brakes(), enabled=enabled, now=NOW)[HERE]


def message(seconds: float = -30, change: str = "Connection Deauthorized", account: str = "123456789012") -> dict[str, Any]:
    return {"handle": "h", "receives": 1, "aws_account": account, "region": HERE, "change": change, "time": at(seconds)}


def ended(
    before: dict[str, Any],
    decision: Decision,
    after: dict[str, Any] | None = None,
    waiting: list[dict[str, Any]] | None = None,
    *,
    now: datetime.datetime = NOW,
    known: tuple[str, str] = ("", ""),
) -> Outcome:
    events = [message()] if waiting is None else waiting
    return outcome(HERE, before, after or before, decision, events, changed=True, failure="", began=now, now=now, known=known)


# Pauses


@pytest.mark.parametrize(("receives", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (100, 300)])
def test_pauses_double_up_to_five_minutes(receives: int, seconds: int) -> None:
    assert pause(receives, lambda: 0.5) == seconds


def test_pauses_differ_by_a_fifth_at_most_and_never_exceed_the_longest() -> None:
    assert (pause(2, lambda: 0.0), pause(2, lambda: 1.0), pause(9, lambda: 1.0)) == (48, 72, 300)
    assert len({pause(4) for dummy in range(100)}) > 1


# The rows of the table


def test_token_revoked_nothing_is_written_and_people_are_told_once_and_once_more_after_an_hour() -> None:
    told, known = [], ""
    for minute in range(0, 24 * 60, 5):
        now = NOW + datetime.timedelta(minutes=minute)
        found = entry("inactive")
        decision = decided(found, REFUSED)
        assert (decision.action, decision.cause) == (WAIT, NO_PROOF)
        # After an hour, the events are dead letters.
        end = ended(found, decision, now=now, waiting=[message()] if minute < 80 else [], known=known_loss(known, ACCOUNT))
        assert (end.record, end.news and end.news.lost) == (None, at(-30))
        news, known = untold([{"spot_account": ACCOUNT, **dataclasses.asdict(end.news)}] if end.news else [], known, now, ())
        told += [(minute, item["kind"], item["count"]) for item in news]
    assert told == [(0, NOT_REPAIRED, 1), (60, NOT_REPAIRED, 2)]


def test_spot_down_for_an_hour_then_the_next_run_repairs_and_tells_the_whole_time_line() -> None:
    found = entry("inactive")
    assert decided(found, ["Spot did not respond."]).action == WAIT
    assert decided(found).action == REPAIR
    end = ended(found, decided(found), entry("active"), waiting=[], known=(at(-3600), at(-3500)))
    assert end.news is not None
    assert (end.news.kind, end.news.lost, end.news.well) == (REPAIRED, at(-3600), at(0))
    assert end.record == HealingRecord(repairs=(at(0),))


def test_a_region_that_works_and_was_authorised_before_people_were_told_is_no_news() -> None:
    found = entry("active", authorized=at(-595))
    assert ended(found, decided(found, REFUSED), waiting=[], known=(at(-600), at(-590))) == Outcome(Decision(WELL))


def test_a_region_that_was_authorised_after_the_account_lost_others_has_no_time_of_loss() -> None:
    found = entry("inactive", authorized=at(-1800))
    news = ended(found, decided(found), entry("active"), waiting=[], known=(at(-3600), at(-3500))).news
    assert news
    assert (news.kind, news.lost) == (REPAIRED, "")


def test_duplicate_events_find_a_good_state_and_tell_nothing_again() -> None:
    found = entry("active", HealingRecord(repairs=(at(-20),)), authorized=at(-20))
    end = ended(found, decided(found), waiting=[message(-30), message(-30, "API Destination Deactivated")])
    assert (end.decision.action, end.news, end.record) == (WELL, None, None)


def test_a_run_killed_between_repair_and_telling_is_made_up_for() -> None:
    found = entry("active", authorized=at(-20))
    end = ended(found, decided(found))
    assert end.news is not None
    assert (end.news.kind, end.news.lost, end.news.well) == (WELL_AGAIN, at(-30), at(-20))
    assert end.record == HealingRecord(repairs=(at(-20),))


def test_an_event_of_the_second_in_which_the_connection_was_authorised_says_nothing_of_a_loss_before() -> None:
    found = entry("active", authorized=f"{at(-30)[:-1]}.7Z")
    end = ended(found, decided(found), waiting=[message(-30)])
    assert (end.decision.action, end.news, end.record) == (WELL, None, None)


def test_an_event_never_sent_is_found_by_the_sweep() -> None:
    found = entry("inactive")
    end = ended(found, decided(found), entry("active"), waiting=[])
    assert end.news is not None
    assert (decided(found).action, end.news.kind, end.news.lost) == (REPAIR, REPAIRED, "")


def test_an_event_of_a_loss_that_somebody_has_repaired_already_is_told_as_such() -> None:
    found = entry("active", authorized=at(-100))
    end = ended(found, decided(found, REFUSED), waiting=[], known=(at(-600), at(-590)))
    assert end.news is not None
    assert (end.news.kind, end.news.well) == (WELL_AGAIN, at(-100))
    # A late event of the same loss is not told again.
    assert end.record == HealingRecord(repairs=(at(-100),))


def test_good_news_alone_tells_nothing() -> None:
    end = ended(entry("active", authorized=at(-20)), Decision(WELL), waiting=[message(-20, "Connection Authorized")])
    assert (end.news, end.record) == (None, None)


@pytest.mark.parametrize("status", ["inactive", "incomplete", "drifted"])
def test_deauthorised_by_hand_on_purpose_stays_so_where_healing_is_off(status: str) -> None:
    decision = decided(entry(status), enabled=False)
    assert (decision.action, decision.is_done) == (LEAVE, True)
    assert ended(entry(status), decision).news is None


def test_an_integration_that_was_removed_is_not_made_again() -> None:
    assert decided(entry("absent")).action == LEAVE


def test_a_region_that_could_not_be_read_waits_and_nobody_is_told() -> None:
    decision = decided(entry("unknown"))
    assert (decision.action, decision.cause, ended(entry("unknown"), decision).news) == (WAIT, UNREAD, None)


def test_a_region_just_authorised_waits_for_the_least_distance_and_nobody_is_told() -> None:
    found = entry("inactive", authorized=at(-59))
    decision = decided(found)
    assert (decision.action, decision.cause, ended(found, decision).news) == (WAIT, TOO_SOON, None)
    assert decided(entry("inactive", authorized=at(-61))).action == REPAIR
    assert decided(found, brakes=Brakes(distance=0)).action == REPAIR


def test_a_repair_that_did_not_authorise_counts_for_the_distance_too() -> None:
    assert decided(entry("incomplete", HealingRecord(repairs=(at(-10),)))).cause == TOO_SOON


def test_after_five_repairs_in_an_hour_the_region_flaps_is_told_once_and_repaired_again_an_hour_later() -> None:
    repairs = tuple(at(-seconds) for seconds in (3500, 2800, 2100, 1400, 700))
    found = entry("inactive", HealingRecord(repairs=repairs))
    decision = decided(found)
    assert (decision.action, decision.cause) == (WAIT, FLAPPING)
    end = ended(found, decision)
    assert end.news is not None
    assert end.record == HealingRecord(lost=at(-30), told=at(0), cause=FLAPPING, count=1, repairs=repairs)
    assert ended(entry("inactive", end.record), decision).news is None
    assert decided(
        entry("inactive", HealingRecord(repairs=tuple(at(-seconds - 200) for seconds in (3500, 2800, 2100, 1400, 700))))
    ).action == (REPAIR)


def test_a_repair_that_failed_is_told_with_the_reason_and_the_events_stay() -> None:
    end = ended(entry("inactive"), Decision(REPAIR), entry("inactive"))
    assert end.news is not None
    assert (end.decision.cause, end.decision.is_done, end.news.why) == (FAILED, False, "The connection is DEAUTHORIZED.")


def test_a_repair_that_did_not_make_the_rule_has_no_record() -> None:
    gone = entry("incomplete", findings=[{"check": "rule", "outcome": "fail"}])
    gone["resources"]["rule"] = None
    end = ended(entry("incomplete"), Decision(REPAIR), gone)
    assert end.news is not None
    assert (end.decision.cause, end.news.count, end.record) == (FAILED, 0, None)


def test_another_cause_is_told_at_once() -> None:
    found = entry("inactive", HealingRecord(lost=at(-600), told=at(-500), cause=FLAPPING, count=1))
    assert ended(found, decided(found, REFUSED)).news is not None


def test_dead_letters_since_the_loss_are_counted() -> None:
    letters = [{"time": at(seconds)} for seconds in (-100, -30, -10)] + [{"time": None}]
    after = entry("active", evidence={"dead_letters": {"count": 4, "messages": letters}})
    end = ended(entry("inactive"), Decision(REPAIR), after)
    assert end.news is not None
    assert end.news.notices == 2


def test_events_of_another_aws_account_with_an_integration_of_the_same_name_are_left_alone() -> None:
    assert own_messages([message(account="999999999999"), message()], "123456789012") == [message()]


@pytest.mark.parametrize("status", ["inactive", "drifted", "incomplete", "unknown"])
def test_a_region_that_people_opted_out_is_left_alone_whatever_it_is(status: str) -> None:
    off = entry(status, HealingRecord(opted_out=True))
    decision = decided(off, REFUSED)
    assert (decision.action, decision.is_done, decision.why) == (LEAVE, True, "the tag SpotHealing of its rule is off")
    assert ended(off, decision) == Outcome(decision)


@pytest.mark.parametrize("record", [HealingRecord(opted_out=True), HealingRecord(unread="AccessDenied: no")], ids=str)
def test_what_works_and_has_no_record_that_was_read_gets_none(record: HealingRecord) -> None:
    well = entry("active", record, authorized=at(-10))
    assert ended(well, decided(well)) == Outcome(Decision(WELL))


def test_a_region_whose_tags_could_not_be_read_waits() -> None:
    decision = decided(entry("inactive", HealingRecord(unread="AccessDenied: no")))
    assert (decision.action, decision.cause, "AccessDenied: no" in decision.why) == (WAIT, UNREAD, True)


def test_a_region_of_a_stack_set_is_not_written_to_and_told_with_what_helps() -> None:
    found = {**entry("inactive"), "stack_set": "StackSet-spot-interruption-1"}
    decision = decided(found)
    assert (decision.action, decision.cause) == (WAIT, OF_A_STACK_SET)
    assert "with another token_revision" in decision.why
    news = ended(found, decision).news
    assert news
    assert (news.kind, news.count) == (NOT_REPAIRED, 1)
    # Verify reads it under its own names, so that it is broken although its connection is authorised.
    authorized = {**found, "resources": {"connection": {"connection_state": "AUTHORIZED"}}}
    assert decided(authorized).cause == OF_A_STACK_SET
    assert decided({**authorized, "stack_set": ""}).action == REPAIR
