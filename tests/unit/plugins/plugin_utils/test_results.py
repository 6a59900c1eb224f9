# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, row
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.info_result import info_result
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import finding as records_finding
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import lines
from ansible_collections.spot.eventbridge.plugins.plugin_utils._results import account_result, repair_rows

TITLE = "act-d7320fba in AWS account 123456789012"


def finding(outcome: str, check: str = "rule_state", message: str = "The rule is DISABLED.", remedy: str = "Repair.") -> dict[str, str]:
    return {"check": check, "outcome": outcome, "message": message, "remedy": "" if outcome == "pass" else remedy}


def region(status: str = "active", *findings: dict[str, str]) -> dict[str, t.Any]:
    return {"status": status, "findings": list(findings) or [finding("pass", "rule", "The rule is there.")]}


DRIFTED = region("drifted", finding("fail"))
INACTIVE = region("inactive", finding("fail", "connection_state", "The connection is DEAUTHORIZED."))
UNSUPPORTED = region("unsupported", finding("skip", "region", "This region has no API destinations."))
WARNED = region("active", finding("warn", "double_delivery", "Twice."))


PREFLIGHT = {"aws_account": "123456789012", "regions": [], "checks": []}
# Nothing else was checked; a finding of each check, so that none is missing.
MADE = [{"checks": [finding("pass", check) for check in ("feature_flag", "spot_log", "spot_database", "test_event", "interruption")]}]


def info(error: str | None = None, **regions: dict[str, t.Any]) -> dict[str, t.Any]:
    """The result of spot_integration_info; regions are given with underscores for hyphens."""
    if error:
        return {"msg": error, "failed": True}
    found = {name.replace("_", "-"): entry for name, entry in regions.items()}
    return info_result(found, spot_account="act-d7320fba", aws_account="123456789012")


def account(purpose: str, predicted: bool = False, **given: t.Any) -> dict[str, t.Any]:
    """The result of an account, whose preflight found nothing unless it is given."""
    base = {"spot_account": "act-d7320fba", "preflight": PREFLIGHT, "integration": {}, "info": [], "proofs": MADE, "denied_regions": "skip"}
    whole = {"purpose": purpose, **base, "fail_on_warnings": False, "failure": None, **given}
    return account_result(whole, host="production", predicted=predicted)


def verification(checks: t.Sequence[dict[str, str]] = (), *, warnings: bool = False, **more: t.Any) -> dict[str, t.Any]:
    return account("verify", preflight={**PREFLIGHT, "checks": list(checks)}, info=[info(**more)], fail_on_warnings=warnings)


def problems(checks: t.Sequence[dict[str, str]] = (), **more: t.Any) -> list[str]:
    return [text for text in verification(checks, **more)["problem"].split(" | ") if text]


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


def customer() -> dict[str, t.Any]:
    """A verification by a customer of Spot, who configures none of the checks of Spot's internal systems."""
    regions = {name: region("active", records_finding({}).as_dict()) for name in ("eu_west_1", "us_east_1")}
    return account("verify", info=[info(**regions)], proofs=[{"skipped": True}, {}])


def test_checks_that_nothing_is_configured_for_are_one_line_that_counts_them() -> None:
    (told,) = lines(customer())[4:]
    names = "feature_flag, spot_log, spot_database, test_event, interruption, notification"
    assert told.startswith(f"SKIP 6 checks are not configured: {names}. ")


def test_a_verbose_run_has_a_line_for_each_check_and_who_can_make_it() -> None:
    told = lines(customer(), verbose=True)[4:]
    assert [line.split()[:2] for line in told[:2]] == [["SKIP", "feature_flag"], ["SKIP", "spot_log"]]
    assert len(told) == 6
    assert "Spot's operators can check it" in told[0]


def test_a_result_keeps_each_check_that_was_not_made() -> None:
    found = customer()
    assert [check["outcome"] for check in found["checks"]] == ["skip"] * 5
    assert found["regions"]["eu-west-1"]["findings"][0]["check"] == "notification"


def test_a_check_that_is_configured_and_came_to_nothing_keeps_its_line() -> None:
    empty = {
        "check": "spot_log",
        "outcome": "skip",
        "message": "Spot's log has no notice of the last 24 h.",
        "remedy": "Widen the window.",
    }
    told = lines(account("verify", info=[info(eu_west_1=region())], proofs=[{"checks": [empty]}]))[3:]
    assert told[0] == "SKIP spot_log (account) Spot's log has no notice of the last 24 h. Widen the window."
    assert told[1].startswith("SKIP 4 checks are not configured: feature_flag, spot_database, test_event, interruption.")


def test_checks_of_the_whole_account_are_told_as_such() -> None:
    shown = lines(verification([finding("fail", "spot_token", "Spot refuses the token.", "Take another.")], eu_west_1=region()))
    assert shown[-1] == "FAIL spot_token (account) Spot refuses the token. Take another."


def test_unsupported_regions_are_in_the_table_but_not_among_the_findings() -> None:
    shown = lines(verification(eu_west_1=region(), il_central_1=UNSUPPORTED))
    assert shown[2:] == ["il-central-1  unsupported  This region has no API destinations.", "eu-west-1     active"]


def test_an_account_that_could_not_be_verified_is_one_line() -> None:
    assert lines(account("verify", preflight={"msg": "No credentials."})) == ["act-d7320fba in AWS account (unknown): No credentials."]


# Why a verification fails


@pytest.mark.parametrize("regions", [{"eu_west_1": region()}, {"eu_west_1": WARNED, "il_central_1": UNSUPPORTED}])
def test_active_and_unsupported_regions_are_no_problem(regions: dict[str, t.Any]) -> None:
    assert problems(**regions) == []


@pytest.mark.parametrize("status", ["unknown", "inactive", "incomplete", "absent", "drifted"])
def test_a_region_of_any_other_status_is_one_problem(status: str) -> None:
    given = region(status, finding("fail"), finding("fail", "rule_pattern"))
    assert problems(eu_west_1=given, us_east_1=region()) == [f"eu-west-1 {status}: The rule is DISABLED. (and 1 more)"]


def test_problems_come_worst_first_after_those_of_the_account() -> None:
    refused = finding("fail", "spot_token", "Spot refuses the token.")
    assert problems([refused], ap_south_1=DRIFTED, eu_west_1=INACTIVE) == [
        "Spot refuses the token.",
        "eu-west-1 inactive: The connection is DEAUTHORIZED.",
        "ap-south-1 drifted: The rule is DISABLED.",
    ]


def test_warnings_are_problems_only_if_asked() -> None:
    warned = finding("warn", "spot_token", "Not checked.")
    assert problems([warned], eu_west_1=WARNED) == []
    assert problems([warned], eu_west_1=WARNED, warnings=True) == ["Not checked.", "eu-west-1: Twice."]


@pytest.mark.parametrize("warnings", [False, True])
def test_a_failed_check_of_the_account_is_a_problem_whether_warnings_are_or_not(warnings: bool) -> None:
    assert problems([finding("fail", "spot_token", "Refused.")], eu_west_1=region(), warnings=warnings) == ["Refused."]


@pytest.mark.parametrize("outcome", ["skip", "unknown"])
def test_what_of_the_account_was_not_checked_is_no_problem(outcome: str) -> None:
    assert problems([finding(outcome, "spot_token")], eu_west_1=region(), warnings=True) == []


def test_an_account_that_could_not_be_verified_has_that_one_problem() -> None:
    assert problems(error="No credentials.") == ["No credentials."]


def test_what_nobody_checked_is_a_finding_that_says_who_can() -> None:
    found = account("verify", info=[info(eu_west_1=region())], proofs=[{"skipped": True}, {}])
    assert [entry["outcome"] for entry in found["checks"]] == ["skip"] * 5


def test_the_last_look_counts_and_a_skipped_one_is_none() -> None:
    looks = [info(eu_west_1=region()), info(eu_west_1=INACTIVE), {"skipped": True, "changed": False}]
    assert account("verify", info=looks)["failed_regions"] == ["eu-west-1"]


# What came of a repair


def done(what: str = "connection reauthorized", **more: t.Any) -> Row:
    return row("eu-west-1", **{"status": "active", "changed": True, "action": what, **more})


def repaired(before: dict[str, t.Any], after: dict[str, t.Any], *acts: Row, **more: t.Any) -> dict[str, Row]:
    return {one["region"]: one for one in repair_rows(before, after, acts, **more)}


def test_a_mended_region_says_what_it_is_what_was_done_and_what_was_wrong() -> None:
    only = repaired(info(eu_west_1=INACTIVE), info(eu_west_1=region()), done())["eu-west-1"]
    assert (only["status"], only["changed"], only["action"]) == ("active", True, "connection reauthorized")
    assert only["reason"] == "was inactive: The connection is DEAUTHORIZED."


def test_a_healthy_region_has_nothing_to_tell() -> None:
    before = info(eu_west_1=INACTIVE, us_east_1=region())
    other = repaired(before, info(eu_west_1=region()), done())["us-east-1"]
    assert (other["status"], other["changed"], other["action"], other["reason"]) == ("active", False, "", "")


def test_a_region_that_was_left_alone_says_why_it_is_not_active() -> None:
    absent = region("absent", finding("fail", "integration", "Nothing is there."))
    before = info(eu_west_1=INACTIVE, us_east_1=absent)
    other = repaired(before, info(eu_west_1=region()), done())["us-east-1"]
    assert (other["status"], other["changed"], other["reason"]) == ("absent", False, "Nothing is there.")


def test_a_region_that_could_not_be_mended_says_why() -> None:
    act = done("-", status="incomplete", changed=False, reason="AccessDenied: rule: no")
    only = repaired(info(eu_west_1=DRIFTED), info(eu_west_1=DRIFTED), act)["eu-west-1"]
    assert (only["status"], only["action"]) == ("drifted", "-")
    assert only["reason"] == "was drifted: The rule is DISABLED. Not repaired: AccessDenied: rule: no"


def test_a_mended_execution_role_is_told_in_each_broken_region_and_in_no_other() -> None:
    before = info(eu_west_1=DRIFTED, us_east_1=region())
    rows = repaired(before, info(eu_west_1=region()), done("unchanged", changed=False), role_changed=True)
    assert (rows["eu-west-1"]["action"], rows["us-east-1"]["action"]) == ("execution role repaired", "")


def test_the_execution_role_is_told_beside_what_else_was_done() -> None:
    only = repaired(info(eu_west_1=DRIFTED), info(eu_west_1=region()), done(), role_changed=True)["eu-west-1"]
    assert only["action"] == "connection reauthorized, execution role repaired"


def test_a_prediction_says_what_is_and_what_would_be_done() -> None:
    before = info(eu_west_1=DRIFTED)
    only = repaired(before, before, done("would be rule updated"), role_changed=True, predicted=True)["eu-west-1"]
    assert (only["status"], only["action"]) == ("drifted", "would be rule updated, execution role would be repaired")
    assert only["reason"] == "was drifted: The rule is DISABLED."


def test_where_nobody_could_look_again_what_was_found_first_stands() -> None:
    only = repaired(info(eu_west_1=INACTIVE), info(error="AWS did not answer"), done())["eu-west-1"]
    assert only["status"] == "inactive"


def test_rows_come_worst_first() -> None:
    before = info(eu_west_1=DRIFTED, us_east_1=region(), ap_south_1=INACTIVE)
    assert [one["region"] for one in repair_rows(before, before, [])] == ["ap-south-1", "eu-west-1", "us-east-1"]


def repair(before: dict[str, t.Any], *after: dict[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    return account("repair", info=[before, *after], **given)


def test_a_region_that_is_still_broken_is_the_problem() -> None:
    done = {"regions": {}, "summary": [row("eu-west-1", "unknown", action="-", reason="X: y")]}
    found = repair(info(eu_west_1=DRIFTED), info(eu_west_1=DRIFTED), integration=done)
    assert found["problem"].startswith(
        "1 of 1 region(s) still broken: eu-west-1 drifted: was drifted: The rule is DISABLED. Not repaired: X: y"
    )


def test_where_nothing_is_broken_nothing_had_to_be_done() -> None:
    absent = region("absent", finding("fail", "integration", "Nothing is there."))
    found = repair(info(eu_west_1=region(), us_east_1=absent), preflight={**PREFLIGHT, "obstacles": ["Spot refuses the token."]})
    assert (found["problem"], found["failed_regions"]) == ("", [])


def test_a_token_that_must_not_be_written_is_the_problem_where_something_is_broken() -> None:
    found = repair(info(eu_west_1=DRIFTED), preflight={**PREFLIGHT, "obstacles": ["Spot refuses the token."]})
    assert found["problem"].startswith("Spot refuses the token. | 1 of 1 region(s) still broken")


def test_a_role_that_could_not_be_repaired_is_the_problem() -> None:
    refused = {"regions": {}, "summary": [], "msg": "execution role: AccessDenied: no", "execution_role": {"action": "failed"}}
    assert repair(info(eu_west_1=DRIFTED), integration=refused)["problem"].startswith("execution role: AccessDenied: no | ")


# Onboarding and offboarding

DONE = {
    "regions": {"eu-west-1": {}},
    "summary": [row("eu-west-1", "inactive", action="created", reason="lost")],
    "problem": "1 of 1 region(s) not active: eu-west-1 inactive: lost",
    "notes": ["execution role created"],
}


def test_the_result_of_the_module_is_that_of_the_account() -> None:
    found = account("onboard", integration=DONE)
    assert {key: found[key] for key in ("summary", "problem", "notes")} == {key: DONE[key] for key in ("summary", "problem", "notes")}
    assert (found["host"], found["aws_account"], found["failed_regions"], "checks" in found) == (
        "production",
        "123456789012",
        ["eu-west-1"],
        False,
    )


@pytest.mark.parametrize("purpose", ["onboard", "verify", "repair", "offboard"])
def test_a_preflight_that_failed_is_the_problem_of_the_account(purpose: str) -> None:
    found = account(purpose, preflight={"msg": "Spot refuses\nthe token.", "failed": False}, integration={"skipped": True})
    assert (found["problem"], found["summary"], found["aws_account"]) == ("Spot refuses the token.", [], None)


@pytest.mark.parametrize("purpose", ["onboard", "offboard"])
def test_a_module_that_came_to_no_result_is_a_problem_whatever_it_said(purpose: str) -> None:
    assert account(purpose, integration={"msg": "MODULE FAILURE"})["problem"] == "MODULE FAILURE"
    assert account(purpose)["problem"] == "the module ended without a result"


@pytest.mark.parametrize(("failure", "problem"), [({"msg": "No\nway."}, "No way."), ({}, "a task failed without saying why")])
def test_a_task_that_failed_is_the_problem_of_the_account(failure: dict[str, str], problem: str) -> None:
    assert account("onboard", integration=DONE, failure=failure)["problem"] == problem
