# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people know of accounts whose token Spot does not accept: a trouble is one notification and one reminder."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import (
    known_loss,
    tags_of,
    text_in,
    text_of,
    troubles_in,
    untold,
    waiting_accounts,
    waits_as_known,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import TAG, as_text

FIRST, SECOND, THIRD = "act-f1ee0001", "act-f1ee0002", "act-f1ee0003"
REFUSED = "Spot refuses the token for {}: 401."


def at(minute: float) -> datetime.datetime:
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=minute)


def refused(account: str, region: str = "eu-west-1", why: str = REFUSED, **more: Any) -> dict[str, Any]:
    """The news of a region whose token was not proved; it was lost two minutes before the first minute."""
    found = {"kind": "not_repaired", "spot_account": account, "region": region, "lost": as_text(at(-2)), "cause": "no_proof"}
    return {**found, "why": why.format(account), "count": 0, "authorized": as_text(at(-600)), **more}


def repaired(account: str) -> dict[str, Any]:
    return {"kind": "repaired", "spot_account": account, "region": "eu-west-1", "cause": "", "why": "", "count": 0, "authorized": ""}


def counts(items: list[dict[str, Any]], text: str, minute: float, *proved: str) -> tuple[list[tuple[str, int]], str]:
    """The accounts and counts of what is told, and what people know then."""
    news, known = untold(items, text, at(minute), proved)
    return [(item["spot_account"], item["count"]) for item in news], known


def test_a_trouble_is_told_once_and_once_more_after_an_hour_also_if_it_lasts_for_a_day() -> None:
    told, known = [], ""
    for minute in range(0, 24 * 60, 5):
        news, known = counts([refused(FIRST)], known, minute)
        told += [(minute, *entry) for entry in news]
    assert told == [(0, FIRST, 1), (60, FIRST, 2)]
    assert (known_loss(known, FIRST), known_loss(known, SECOND)) == ((as_text(at(-2)), as_text(at(0))), ("", ""))


def test_another_event_of_a_region_that_is_lost_and_another_region_of_the_account_are_not_told_again() -> None:
    known = counts([refused(FIRST)], "", 0)[1]
    assert counts([refused(FIRST), refused(FIRST, "us-east-1")], known, 50) == ([], known)
    assert counts([refused(FIRST, "us-east-1")], counts([refused(FIRST)], known, 61)[1], 600)[0] == []


def test_accounts_with_the_same_trouble_within_an_hour_are_one_notification_and_one_reminder() -> None:
    everybody = [refused(account) for account in (FIRST, SECOND, THIRD)]
    news, known = counts(everybody[:1], "", 0)
    assert news == [(FIRST, 1)]
    news, known = counts(everybody[1:2], known, 40)
    assert news == []
    news, known = counts(everybody[:2], known, 60)
    assert news == [(FIRST, 2), (SECOND, 2)]
    # An account that joins lets more join.
    news, known = counts(everybody[2:], known, 95)
    assert (news, waiting_accounts(known)) == ([], {FIRST, SECOND, THIRD})
    assert counts(everybody, known, 180) == ([], known)


def test_an_account_that_is_lost_long_after_another_one_with_the_same_trouble_is_told() -> None:
    known = counts([refused(FIRST)], "", 0)[1]
    known = counts([refused(FIRST)], known, 60)[1]
    news, known = counts([refused(FIRST), refused(SECOND)], known, 600)
    assert news == [(SECOND, 1)]
    assert counts([refused(FIRST), refused(SECOND)], known, 660)[0] == [(SECOND, 2)]


def test_an_account_waits_as_known_while_the_reason_is_the_same_and_no_reminder_is_due() -> None:
    known = counts([refused(FIRST)], "", 0)[1]
    why = REFUSED.format(FIRST)
    assert waits_as_known(known, FIRST, why, at(59))
    assert not waits_as_known(known, FIRST, why, at(60))
    assert not waits_as_known(known, FIRST, "Spot knows the token, but not the account.", at(5))
    assert not waits_as_known(known, SECOND, REFUSED.format(SECOND), at(5))
    assert not waits_as_known("over", FIRST, why, at(5))
    reminded = counts([refused(FIRST)], known, 60)[1]
    assert waits_as_known(reminded, FIRST, why, at(24 * 60))
    # The same, but a trouble of a region that has no rule.
    of_a_region = counts([refused(FIRST, cause="failed")], "", 0)[1]
    assert not waits_as_known(of_a_region, FIRST, why, at(5))


def test_another_trouble_of_the_same_account_is_told() -> None:
    known = counts([refused(FIRST)], "", 0)[1]
    other = refused(FIRST, why="Spot knows the token, but not the account.")
    news, known = counts([other], known, 5)
    assert news == [(FIRST, 1)]
    # Both are known from then on.
    assert counts([refused(FIRST)], known, 6)[0] == counts([other], known, 7)[0] == []


def test_a_region_that_was_authorised_and_lost_again_is_told_again() -> None:
    known = counts([refused(FIRST)], "", 0)[1]
    again = refused(FIRST, authorized=as_text(at(100)))
    news, known = counts([again], known, 120)
    assert news == [(FIRST, 1)]
    assert counts([again], known, 125) == ([], known)


def test_a_proof_ends_the_trouble_of_its_account_and_of_no_other() -> None:
    known = counts([refused(FIRST), refused(SECOND)], "", 0)[1]
    news, known = counts([repaired(FIRST), refused(SECOND)], known, 5, FIRST)
    assert (news, waiting_accounts(known)) == ([(FIRST, 0)], {SECOND})
    # A new loss of the first one has the trouble of the second one, which people know.
    assert counts([refused(FIRST)], known, 6)[0] == []
    news, known = counts([repaired(SECOND)], known, 7, SECOND)
    assert (news, known) == ([(SECOND, 0)], "over")
    assert counts([refused(FIRST)], known, 8)[0] == [(FIRST, 1)]


def test_a_region_that_cannot_have_a_record_is_told_once_more_after_an_hour_and_again_after_a_month() -> None:
    told, known = [], ""
    gone = refused(FIRST, cause="failed", why="There is no rule.")
    for hour in range(24 * 40):
        # Its token is proved each time, which changes nothing.
        news, known = counts([gone], known, hour * 60, FIRST)
        told += [(hour, *entry) for entry in news]
    assert told == [(0, FIRST, 1), (1, FIRST, 2), (721, FIRST, 1), (722, FIRST, 2)]
    # Another region is told, and neither waits for Spot.
    assert counts([{**gone, "region": "us-east-1"}, gone], known, 24 * 40 * 60, FIRST)[0] == [(FIRST, 1)]
    assert (waiting_accounts(known), known_loss(known, FIRST)) == (set(), ("", ""))


def test_a_run_without_news_changes_nothing() -> None:
    known = counts([refused(FIRST)], "", 0)[1]
    assert counts([], known, 5) == ([], known)
    assert counts([repaired(SECOND)], "", 5, SECOND) == ([(SECOND, 0)], "")


def test_all_ways_in_which_spot_does_not_work_are_one_trouble() -> None:
    ways = (
        "Spot did not respond at api.spotinst.io: timed out.",
        "Spot responded with 503 to GET /x: try later",
        "Spot responded with 500 to GET /x",
    )
    known = counts([refused(FIRST, why=ways[0])], "", 0)[1]
    assert counts([refused(SECOND, why=way) for way in ways], known, 1)[0] == []


def test_a_region_whose_event_never_came_is_known_loss_it_was_seen() -> None:
    known = counts([refused(FIRST, lost="")], "", 0)[1]
    assert known_loss(known, FIRST) == (as_text(at(0)), as_text(at(0)))


@pytest.mark.parametrize("accounts", [1, 30, 300, 1000])
def test_what_people_know_stands_in_tags(accounts: int) -> None:
    items = [refused(f"act-{number:08x}") for number in range(accounts)]
    known = counts(items, counts([refused(FIRST, why="Another.")], "", 0)[1], 0)[1]
    tags = tags_of(known)
    assert len(tags) <= 40
    assert all(len(value) <= 256 and re.fullmatch(r"[\w.:/=+@-]+", value, re.ASCII) for value in tags.values())
    assert text_in(tags) == known
    assert text_of(troubles_in(known)) == known
    assert len(waiting_accounts(known)) == accounts + 1
    # Those of a longer text stay, and are not read.
    assert text_in({**tags, **tags_of("over")}) == "over"


@pytest.mark.parametrize("tags", [{}, {TAG: "off"}, {TAG: "something of others"}, {TAG: "2+0123"}], ids=str)
def test_tags_of_others_are_no_troubles(tags: dict[str, str]) -> None:
    assert troubles_in(text_in(tags)) == []
