# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, row
from ansible_collections.spot.eventbridge.plugins.plugin_utils._verification import lines, problems, repair_rows

TITLE = "act-d7320fba in AWS account 123456789012"


def finding(outcome: str, check: str = "rule_state", message: str = "The rule is DISABLED.", remedy: str = "Repair.") -> dict[str, str]:
    return {"check": check, "outcome": outcome, "message": message, "remedy": "" if outcome == "pass" else remedy}


def region(status: str = "active", *findings: dict[str, str]) -> dict[str, t.Any]:
    return {"status": status, "findings": list(findings) or [finding("pass", "rule", "The rule is there.")]}


DRIFTED = region("drifted", finding("fail"))
INACTIVE = region("inactive", finding("fail", "connection_state", "The connection is DEAUTHORIZED."))
UNSUPPORTED = region("unsupported", finding("skip", "region", "This region has no API destinations."))
WARNED = region("active", finding("warn", "double_delivery", "Twice."))


def verification(checks: t.Sequence[dict[str, str]] = (), error: str | None = None, **regions: dict[str, t.Any]) -> dict[str, t.Any]:
    """A host's verification; regions are given with underscores for hyphens."""
    return {
        "host": "production",
        "spot_account": "act-d7320fba",
        "aws_account": "123456789012",
        "error": error,
        "checks": list(checks),
        "regions": {name.replace("_", "-"): entry for name, entry in regions.items()},
    }


# Lines for people


def test_lines_begin_with_the_account_and_how_many_regions_are_well() -> None:
    assert lines(verification(eu_west_1=region(), us_east_1=DRIFTED))[0] == f"{TITLE}, 2 regions, 1 drifted, 1 active"


def test_each_region_has_a_line_worst_first() -> None:
    shown = lines(verification(us_east_1=region(), eu_west_1=DRIFTED, ap_south_1=INACTIVE))
    assert [line.split()[:2] for line in shown[2:5]] == [["ap-south-1", "inactive"], ["eu-west-1", "drifted"], ["us-east-1", "active"]]


def test_a_region_that_is_not_active_says_why_in_its_line() -> None:
    assert lines(verification(eu_west_1=DRIFTED))[2] == "eu-west-1  drifted  The rule is DISABLED."


def test_each_finding_that_is_no_pass_has_a_line_with_its_remedy() -> None:
    assert lines(verification(eu_west_1=DRIFTED))[3:] == ["FAIL rule_state (eu-west-1) The rule is DISABLED. Repair."]


def test_passes_have_no_line() -> None:
    assert len(lines(verification(eu_west_1=region()))) == 3


def test_findings_come_worst_first() -> None:
    given = [finding(outcome, outcome) for outcome in ("skip", "warn", "unknown", "fail", "pass")]
    shown = lines(verification(eu_west_1=region("drifted", *given)))[3:]
    assert [line.split()[0] for line in shown] == ["FAIL", "UNKNOWN", "WARN", "SKIP"]


def test_the_same_finding_in_several_regions_is_one_line_that_names_them() -> None:
    shown = lines(verification(eu_west_1=DRIFTED, ap_south_1=DRIFTED, us_east_1=region()))[5:]
    assert shown == ["FAIL rule_state (ap-south-1, eu-west-1) The rule is DISABLED. Repair."]


def test_the_same_finding_in_all_regions_does_not_name_them() -> None:
    shown = lines(verification(eu_west_1=DRIFTED, us_east_1=DRIFTED, il_central_1=UNSUPPORTED))
    assert shown[-1] == "FAIL rule_state (all 2 regions) The rule is DISABLED. Repair."


MANY = [f"xx_test_{number}" for number in range(1, 6)]


@pytest.mark.parametrize(("outcome", "place"), [("skip", "4 of 5 regions"), ("fail", "xx-test-1, xx-test-2, xx-test-3, xx-test-4")])
def test_many_regions_are_counted_where_nobody_has_to_go_there(outcome: str, place: str) -> None:
    regions = {name: region("active", finding(outcome)) for name in MANY[:4]}
    assert f"({place})" in lines(verification(**regions, **{MANY[4]: region()}))[-1]


def test_checks_of_the_whole_account_are_told_as_such() -> None:
    shown = lines(verification([finding("fail", "spot_token", "Spot refuses the token.", "Take another.")], eu_west_1=region()))
    assert shown[-1] == "FAIL spot_token (account) Spot refuses the token. Take another."


def test_unsupported_regions_are_in_the_table_but_not_among_the_findings() -> None:
    shown = lines(verification(eu_west_1=region(), il_central_1=UNSUPPORTED))
    assert shown[2:] == ["il-central-1  unsupported  This region has no API destinations.", "eu-west-1     active"]


def test_an_account_that_could_not_be_verified_is_one_line() -> None:
    given = {**verification(error="No credentials."), "aws_account": None}
    assert lines(given) == ["act-d7320fba in AWS account (unknown): No credentials."]


# Why a verification fails


@pytest.mark.parametrize("given", [verification(eu_west_1=region()), verification(eu_west_1=WARNED, il_central_1=UNSUPPORTED)])
def test_active_and_unsupported_regions_are_no_problem(given: dict[str, t.Any]) -> None:
    assert problems(given) == []


@pytest.mark.parametrize("status", ["unknown", "inactive", "incomplete", "absent", "drifted"])
def test_a_region_of_any_other_status_is_one_problem(status: str) -> None:
    given = verification(eu_west_1=region(status, finding("fail"), finding("fail", "rule_pattern")), us_east_1=region())
    assert problems(given) == [f"eu-west-1 {status}: The rule is DISABLED. (and 1 more)"]


def test_problems_come_worst_first_after_those_of_the_account() -> None:
    refused = finding("fail", "spot_token", "Spot refuses the token.")
    assert problems(verification([refused], ap_south_1=DRIFTED, eu_west_1=INACTIVE)) == [
        "Spot refuses the token.",
        "eu-west-1 inactive: The connection is DEAUTHORIZED.",
        "ap-south-1 drifted: The rule is DISABLED.",
    ]


def test_warnings_are_problems_only_if_asked() -> None:
    given = verification([finding("warn", "spot_token", "Not checked.")], eu_west_1=WARNED)
    assert problems(given) == []
    assert problems(given, warnings=True) == ["Not checked.", "eu-west-1: Twice."]


@pytest.mark.parametrize("warnings", [False, True])
def test_a_failed_check_of_the_account_is_a_problem_whether_warnings_are_or_not(warnings: bool) -> None:
    assert problems(verification([finding("fail", "spot_token", "Refused.")], eu_west_1=region()), warnings) == ["Refused."]


@pytest.mark.parametrize("outcome", ["skip", "unknown"])
def test_what_of_the_account_was_not_checked_is_no_problem(outcome: str) -> None:
    assert problems(verification([finding(outcome, "spot_token")], eu_west_1=region()), warnings=True) == []


def test_an_account_that_could_not_be_verified_has_that_one_problem() -> None:
    assert problems(verification(error="No credentials.")) == ["No credentials."]


# What came of a repair


def done(what: str = "connection reauthorized", **more: t.Any) -> Row:
    return row("eu-west-1", **{"status": "active", "changed": True, "done": what, **more})


def repaired(before: dict[str, t.Any], after: dict[str, t.Any], *acts: Row, **more: t.Any) -> dict[str, Row]:
    return {one["region"]: one for one in repair_rows(before, after, acts, **more)}


def test_a_mended_region_says_what_it_is_what_was_done_and_what_was_wrong() -> None:
    only = repaired(verification(eu_west_1=INACTIVE), verification(eu_west_1=region()), done())["eu-west-1"]
    assert (only["status"], only["changed"], only["done"]) == ("active", True, "connection reauthorized")
    assert only["reason"] == "was inactive: The connection is DEAUTHORIZED."


def test_a_healthy_region_has_nothing_to_tell() -> None:
    before = verification(eu_west_1=INACTIVE, us_east_1=region())
    other = repaired(before, verification(eu_west_1=region()), done())["us-east-1"]
    assert (other["status"], other["changed"], other["done"], other["reason"]) == ("active", False, "", "")


def test_a_region_that_was_left_alone_says_why_it_is_not_active() -> None:
    absent = region("absent", finding("fail", "integration", "Nothing is there."))
    before = verification(eu_west_1=INACTIVE, us_east_1=absent)
    other = repaired(before, verification(eu_west_1=region()), done())["us-east-1"]
    assert (other["status"], other["changed"], other["reason"]) == ("absent", False, "Nothing is there.")


def test_a_region_that_could_not_be_mended_says_why() -> None:
    act = done("-", status="incomplete", changed=False, reason="AccessDenied: rule: no")
    only = repaired(verification(eu_west_1=DRIFTED), verification(eu_west_1=DRIFTED), act)["eu-west-1"]
    assert (only["status"], only["done"]) == ("drifted", "-")
    assert only["reason"] == "was drifted: The rule is DISABLED. Not mended: AccessDenied: rule: no"


def test_a_mended_execution_role_is_told_in_each_broken_region_and_in_no_other() -> None:
    before = verification(eu_west_1=DRIFTED, us_east_1=region())
    rows = repaired(before, verification(eu_west_1=region()), done("unchanged", changed=False), role_changed=True)
    assert (rows["eu-west-1"]["done"], rows["us-east-1"]["done"]) == ("execution role mended", "")


def test_the_execution_role_is_told_beside_what_else_was_done() -> None:
    only = repaired(verification(eu_west_1=DRIFTED), verification(eu_west_1=region()), done(), role_changed=True)["eu-west-1"]
    assert only["done"] == "connection reauthorized, execution role mended"


def test_a_prediction_says_what_is_and_what_would_be_done() -> None:
    before = verification(eu_west_1=DRIFTED)
    only = repaired(before, before, done("would be rule updated"), role_changed=True, predicted=True)["eu-west-1"]
    assert (only["status"], only["done"]) == ("drifted", "would be rule updated, execution role would be mended")
    assert only["reason"] == "was drifted: The rule is DISABLED."


def test_where_nobody_could_look_again_what_was_found_first_stands() -> None:
    only = repaired(verification(eu_west_1=INACTIVE), verification(error="AWS did not answer"), done())["eu-west-1"]
    assert only["status"] == "inactive"


def test_rows_come_worst_first() -> None:
    before = verification(eu_west_1=DRIFTED, us_east_1=region(), ap_south_1=INACTIVE)
    assert [one["region"] for one in repair_rows(before, before, [])] == ["ap-south-1", "eu-west-1", "us-east-1"]
