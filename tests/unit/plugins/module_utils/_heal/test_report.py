# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told of healing, and the record of it."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.report import HealingReport, Outage, without_outage
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import (
    TAG,
    HealingRecord,
    healing_in,
    healing_tag,
)

TIMES = tuple(f"2026-01-01T0{hour}:00:00Z" for hour in range(6))
ACCOUNT = "act-d7320fba"


def item(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "repaired",
        "spot_account": ACCOUNT,
        "aws_account": "123456789012",
        "region": "eu-west-1",
        "lost": "2026-01-01T00:00:00Z",
        "seen": "2026-01-01T00:00:03Z",
        "well": "2026-01-01T00:00:07Z",
        "cause": "",
        "why": "The connection is DEAUTHORIZED.",
        "notices": 1,
        "count": 0,
        **changes,
    }


def refused(account: str, region: str) -> dict[str, Any]:
    why = f"Spot refuses the token for {account}: 401."
    return item(kind="not_repaired", spot_account=account, region=region, well="", cause="no_proof", why=why, notices=None, count=1)


def test_a_repaired_region_has_its_time_line() -> None:
    text = HealingReport([item()], TIMES[0]).text()
    assert (
        "act-d7320fba in AWS account 123456789012, eu-west-1: lost at 2026-01-01T00:00:00Z, seen at 2026-01-01T00:00:03Z (3 s later), "
        "repaired at 2026-01-01T00:00:07Z (7 s later). Dead letters of that time: 1. The connection is DEAUTHORIZED." in text
    )


def test_an_outage_is_one_message_with_a_line_for_each_account_and_its_reason_once() -> None:
    accounts, regions = [f"act-f1ee{number:04x}" for number in range(100)], [f"eu-west-{number}" for number in range(17)]
    report = HealingReport([refused(account, region) for account in accounts for region in regions], TIMES[0])
    assert report.subject == "EventBridge for 100 accounts: 1700 regions not repaired"
    assert report.text().count("Spot refuses the token: 401.") == 1
    assert len(re.findall("^- act-", report.text(), re.M)) == 100


def test_one_account_is_named_in_the_subject_and_all_that_happened_is_counted() -> None:
    report = HealingReport([item(), item(region="us-east-1", cause="flapping"), refused(ACCOUNT, "ap-south-1")], TIMES[0])
    assert report.subject == "EventBridge for act-d7320fba: 1 region not repaired, 1 region flapping, 1 region repaired"
    assert report.document()["healing"] == [dict(entry) for entry in report.items]
    assert report.markdown().startswith(f"# {report.subject}\n")


def test_the_id_is_that_of_the_losses_not_of_the_time_of_the_message() -> None:
    first = HealingReport([item(), item(region="us-east-1")], TIMES[0]).id
    assert HealingReport([item(region="us-east-1"), item(seen=TIMES[3])], TIMES[1]).id == first
    assert HealingReport([item(count=2), item(region="us-east-1")], TIMES[0]).id != first


@pytest.mark.parametrize(
    "record",
    [
        HealingRecord(),
        HealingRecord(repairs=TIMES[:2]),
        HealingRecord(lost=TIMES[0], told=TIMES[1], cause="flapping", count=2, repairs=TIMES[:5]),
    ],
    ids=str,
)
def test_what_is_recorded_is_read_again(record: HealingRecord) -> None:
    tag = healing_tag(ACCOUNT, record)
    assert healing_in({TAG: tag}, ACCOUNT) == record
    assert len(tag) <= 256
    assert re.fullmatch(r"[\w.:/=+@ -]*", tag, re.ASCII)


@pytest.mark.parametrize("value", ["off", "OFF", " off ", "False"])
def test_the_value_off_of_people_opts_the_region_out(value: str) -> None:
    assert healing_in({TAG: value}, ACCOUNT) == HealingRecord(opted_out=True)


def test_only_the_latest_five_repairs_are_recorded() -> None:
    assert healing_in({TAG: healing_tag(ACCOUNT, HealingRecord(repairs=TIMES))}, ACCOUNT).repairs == TIMES[1:]


@pytest.mark.parametrize(
    "text", ["", "account=act-00000001 lost=2026-01-01T00:00:00Z", "something", "account=act-d7320fba lost=x told=y repairs=z"]
)
def test_what_others_wrote_is_ignored(text: str) -> None:
    assert healing_in({TAG: text}, ACCOUNT) == HealingRecord()


def at(minute: int) -> datetime.datetime:
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=minute)


def settle(items: list[dict[str, Any]], known: str, minute: int, **more: Any) -> tuple[list[dict[str, Any]], str]:
    """The news that are told, and what people know then; tokens of the accounts that have trouble were not proved."""
    unproved = [entry["why"] for entry in items if entry["cause"] == "no_proof"]
    return without_outage(items, known, at(minute), **{"unproved": unproved, "proved": False, **more})


def test_the_same_trouble_of_more_accounts_is_not_told_again_while_it_lasts() -> None:
    first = [refused("act-f1ee0001", "eu-west-1"), item(region="ap-south-1")]
    kept, known = settle(first, "", 0)
    assert (kept, Outage.from_text(known).time) == (first, "2026-01-01T00:00:00Z")
    joined = [refused("act-f1ee0002", "eu-west-1"), item(region="eu-north-1")]
    kept, known = settle(joined, known, 9)
    assert (kept, Outage.from_text(known).time) == (joined[1:], "2026-01-01T00:09:00Z")
    # Each attempt prolongs it, also one without news, and another trouble is told.
    other = [
        refused("act-f1ee0003", "eu-west-1"),
        {**refused("act-f1ee0004", "eu-west-1"), "why": "Spot knows the token, but not the account."},
    ]
    kept, known = settle(other, known, 18)
    assert kept == other[1:]
    # Both troubles are known from then on.
    assert settle(other, known, 20)[0] == []
    kept, known = settle([], known, 27, unproved=[joined[0]["why"]])
    assert settle(joined, known, 36)[0] == joined[1:]
    assert settle(joined, known, 38)[0] == joined
    # The reminder after an hour is one as well.
    reminder = {**refused("act-f1ee0001", "eu-west-1"), "count": 2}
    kept, known = settle([reminder, joined[0]], known, 36)
    assert kept == [reminder]
    assert settle([{**reminder, "region": "us-east-1"}, joined[0]], known, 37)[0] == []


def test_an_outage_is_over_with_the_first_proof_and_the_next_one_is_told() -> None:
    lost, back = refused("act-f1ee0001", "eu-west-1"), item(spot_account="act-f1ee0001")
    _kept, known = settle([lost], "", 0)
    # As long as another account has the trouble, it lasts.
    assert Outage.from_text(settle([back], known, 2, proved=True, unproved=[lost["why"]])[1]).lasts(at(3))
    kept, known = settle([back], known, 3, proved=True)
    assert (kept, known, Outage.from_text(known).lasts(at(3))) == ([back], "over", False)
    assert settle([lost], known, 5)[0] == [lost]


def test_a_run_without_work_and_one_without_an_outage_change_nothing() -> None:
    _kept, known = settle([refused("act-f1ee0001", "eu-west-1")], "", 0)
    assert settle([], known, 5) == ([], known)
    assert settle([item()], "", 5, proved=True) == ([item()], "")


def test_all_ways_in_which_spot_does_not_work_are_one_trouble() -> None:
    ways = (
        "Spot did not respond at api.spotinst.io: timed out.",
        "Spot responded with 503 to GET /x: try later",
        "Spot responded with 500 to GET /x",
    )
    _kept, known = settle([{**refused("act-f1ee0001", "eu-west-1"), "why": ways[0]}], "", 0)
    assert settle([{**refused("act-f1ee0002", "eu-west-1"), "why": way} for way in ways], known, 1)[0] == []


def test_what_is_known_of_an_outage_is_a_value_of_a_tag() -> None:
    many = [{**refused("act-f1ee0001", "eu-west-1"), "why": f"Trouble {number}"} for number in range(99)]
    known = settle(many, "", 0)[1]
    assert len(known) <= 256
    assert re.fullmatch(r"[\w.:/=+@ -]*", known, re.ASCII)


def test_a_tag_of_others_is_no_outage() -> None:
    assert Outage.from_text("something") == Outage()
