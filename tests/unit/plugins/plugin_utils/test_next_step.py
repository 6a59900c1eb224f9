# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.plugin_utils._next_step import GUIDE, anchor, next_step, next_step_of_fleet


def account(*statuses: str, problem: str = "", changed: bool = False, error: str = "", **more: Any) -> dict[str, Any]:
    rows = [{"region": f"r-{number}", "status": status, "changed": changed} for number, status in enumerate(statuses)]
    failed = [row["region"] for row in rows if row["status"] != "active"] if problem else []
    return {"summary": rows, "failed_regions": failed, "problem": problem, "error": error, **more}


def given(purpose: str, **regions: Any) -> dict[str, Any]:
    return {"purpose": purpose, "integration": {"regions": regions}}


def finding(check: str, outcome: str, remedy: str = "Do it.") -> dict[str, str]:
    return {"check": check, "outcome": outcome, "message": "It is so.", "remedy": remedy}


def verified(*findings: dict[str, str], checks: tuple[dict[str, str], ...] = (), **more: Any) -> dict[str, Any]:
    return account("active", checks=list(checks), regions={"r-0": {"findings": list(findings)}}, **more)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("connection_state", "connection-state"), ("AlreadyServed", "alreadyserved"), ("inactive", "inactive")],
)
def test_an_anchor_is_the_word_in_lower_case_with_hyphens(word: str, expected: str) -> None:
    assert anchor(word) == expected


def test_after_a_verification_the_worst_finding_says_what_to_do() -> None:
    found = verified(finding("queue", "warn"), finding("rule", "fail", "Enable it."), checks=(finding("spot_token", "unknown"),))
    assert next_step(given("verify"), found, False) == [f"Next: Enable it. (rule, r-0) See {GUIDE}#rule"]


def test_the_state_of_the_connection_comes_before_other_failures() -> None:
    found = verified(finding("api_destination_state", "fail"), finding("connection_state", "fail", "Run the playbook."))
    assert next_step(given("verify"), found, False) == [f"Next: Run the playbook. (connection_state, r-0) See {GUIDE}#connection-state"]


def test_after_a_verification_that_passes_nothing_is_to_be_done() -> None:
    assert next_step(given("verify"), verified(finding("rule", "pass", ""), finding("test_event", "skip")), False) == []


def test_a_failed_region_is_named_with_the_anchor_of_its_error() -> None:
    failing = given("onboard", **{"r-0": {"error": {"code": "AlreadyServed", "message": "x"}}})
    assert next_step(failing, account("incomplete", problem="x"), False) == [
        f"Next: correct the error of r-0, and run the playbook spot.eventbridge.onboard again. See {GUIDE}#alreadyserved"
    ]


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_all_denials_have_one_anchor(code: str) -> None:
    failing = given("offboard", **{"r-0": {"error": {"code": code, "message": "x"}}})
    assert next_step(failing, account("incomplete", problem="x"), False)[0].endswith(f"{GUIDE}#accessdenied")


@pytest.mark.parametrize("code", ["InternalException", "ValidationError", "ServiceUnavailable"])
def test_codes_of_aws_have_the_anchor_of_their_section(code: str) -> None:
    failing = given("onboard", **{"r-0": {"error": {"code": code, "message": "x"}}})
    assert next_step(failing, account("incomplete", problem="x"), False)[0].endswith(f"{GUIDE}#error-codes")


def test_without_an_error_the_status_has_the_anchor() -> None:
    assert next_step(given("repair"), account("failing", problem="x"), False)[0].endswith(f"{GUIDE}#failing")


@pytest.mark.parametrize("purpose", ["onboard", "verify", "repair", "offboard"])
def test_an_account_that_failed_as_a_whole_is_run_again(purpose: str) -> None:
    found = account(problem="No credentials.", error="No credentials.", checks=[], regions={})
    assert next_step(given(purpose), found, False) == [
        f"Next: correct the error above, and run the playbook spot.eventbridge.{purpose} again."
    ]


@pytest.mark.parametrize(
    ("purpose", "changed", "predicted", "expected"),
    [
        ("onboard", True, False, ["Next: run the playbook spot.eventbridge.verify."]),
        ("repair", True, False, ["Next: run the playbook spot.eventbridge.verify."]),
        ("onboard", False, False, []),
        ("offboard", True, False, []),
        ("onboard", True, True, ["Next: run the playbook spot.eventbridge.onboard without --check."]),
        ("offboard", True, True, ["Next: run the playbook spot.eventbridge.offboard without --check."]),
        ("onboard", False, True, []),
    ],
)
def test_what_comes_after_a_run_that_succeeded(purpose: str, changed: bool, predicted: bool, expected: list[str]) -> None:
    assert next_step(given(purpose), account("active", changed=changed), predicted) == expected


def test_the_failed_accounts_of_a_fleet_are_run_again() -> None:
    results = {"a": account("active"), "b": None, "c": account("failing", problem="x")}
    assert next_step_of_fleet(results) == ["Next: correct the errors above, and run the playbook again with --limit b,c."]


def test_many_failed_accounts_are_not_named() -> None:
    assert next_step_of_fleet(dict.fromkeys("abcdef")) == [
        "Next: correct the errors above, and run the playbook again for the failed accounts."
    ]


def test_a_fleet_that_succeeded_needs_nothing() -> None:
    assert next_step_of_fleet({"a": account("active")}) == []
