# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._integration.info_result import info_result, reason


def finding(outcome: str, check: str = "rule_state", message: str = "The rule is DISABLED.", remedy: str = "Repair.") -> dict[str, str]:
    return {"check": check, "outcome": outcome, "message": message, "remedy": "" if outcome == "pass" else remedy}


def region(status: str = "active", *findings: dict[str, str]) -> dict[str, t.Any]:
    return {"status": status, "findings": list(findings) or [finding("pass", "rule", "The rule is there.")]}


DRIFTED = region("drifted", finding("fail"))
INACTIVE = region("inactive", finding("fail", "connection_state", "The connection is DEAUTHORIZED."))
WARNED = region("active", finding("warn", "double_delivery", "Twice."))


def result(unsupported: t.Sequence[str] = (), **regions: dict[str, t.Any]) -> dict[str, t.Any]:
    """The result for regions that are given with underscores for hyphens."""
    found = {name.replace("_", "-"): entry for name, entry in regions.items()}
    return info_result(found, spot_account="act-d7320fba", aws_account="123456789012", unsupported=unsupported)


def test_rows_come_worst_first_and_say_why() -> None:
    found = result(eu_west_1=DRIFTED, us_east_1=region(), ap_south_1=INACTIVE)
    assert [(row["region"], row["status"], row["reason"]) for row in found["summary"]] == [
        ("ap-south-1", "inactive", "The connection is DEAUTHORIZED."),
        ("eu-west-1", "drifted", "The rule is DISABLED."),
        ("us-east-1", "active", ""),
    ]


def test_a_region_that_was_left_out_is_a_region_with_the_one_finding() -> None:
    left_out = result(["ca-west-1"], eu_west_1=region())["regions"]["ca-west-1"]
    assert (left_out["status"], [(found["check"], found["outcome"]) for found in left_out["findings"]]) == (
        "unsupported",
        [("region", "skip")],
    )


def test_regions_keep_their_order() -> None:
    assert list(result(["ca-west-1"], us_east_1=region(), ap_south_1=INACTIVE)["regions"]) == ["us-east-1", "ap-south-1", "ca-west-1"]


@pytest.mark.parametrize("status", ["unknown", "inactive", "incomplete", "absent", "drifted"])
def test_a_region_that_is_not_active_is_the_problem(status: str) -> None:
    given = region(status, finding("fail"), finding("fail", "rule_pattern"))
    assert result(eu_west_1=given, us_east_1=region())["problem"] == f"eu-west-1 {status}: The rule is DISABLED. (and 1 more)"


def test_active_and_unsupported_regions_are_no_problem() -> None:
    assert result(["ca-west-1"], eu_west_1=WARNED)["problem"] == ""


# Why a region is not active


def test_an_active_region_needs_no_reason() -> None:
    assert reason(WARNED) == ""


def test_the_reason_is_the_worst_finding_and_how_many_are_as_bad() -> None:
    given = [
        finding("warn", message="w"),
        finding("fail", message="first"),
        finding("skip", message="s"),
        finding("fail", message="second"),
    ]
    assert reason(region("drifted", *given)) == "first (and 1 more)"


def test_the_state_of_the_connection_explains_the_rest() -> None:
    state = finding("fail", "connection_state", "The connection is DEAUTHORIZED.")
    assert reason(region("inactive", finding("fail"), state)) == "The connection is DEAUTHORIZED. (and 1 more)"


def test_what_could_not_be_read_is_a_reason() -> None:
    given = region("unknown", finding("skip", message="s"), finding("unknown", "rule", "Could not be read: X: y"))
    assert reason(given) == "Could not be read: X: y"
