# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told of healing, and the record of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.report import HealingReport
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
