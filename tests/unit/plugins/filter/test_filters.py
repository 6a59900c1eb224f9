# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter import (
    account_lines,
    account_table,
    failed_account,
    offboarded_account,
    onboarded_account,
    region_table,
    repaired_account,
    spot_account_mapping,
    stack_set_table,
    verification,
    verification_lines,
    verified_account,
)

FAILED = {"action": "failed", "changed": False, "actions": {}, "notes": [], "error": {"code": "X", "message": "y"}}
INTEGRATION = {"regions": {"eu-west-1": FAILED}, "failed_regions": ["eu-west-1"]}
PREFLIGHT = {"aws_account": "123456789012", "regions": ["eu-west-1"], "unsupported": ["ca-west-1"], "checks": []}
WHO = {"host": "production", "spot_account": "act-d7320fba"}
BROKEN = {"check": "rule_state", "outcome": "fail", "message": "The rule is DISABLED.", "remedy": "Repair."}
WARNED = {"check": "deliveries", "outcome": "warn", "message": "Not all.", "remedy": "Look."}
VERIFICATION = {
    **WHO,
    "aws_account": "123456789012",
    "error": None,
    "checks": [],
    "regions": {"eu-west-1": {"status": "drifted", "findings": [BROKEN]}, "us-east-1": {"status": "active", "findings": [WARNED]}},
}
RESULT = onboarded_account.onboarded_account(INTEGRATION, PREFLIGHT, **WHO)
MODULES = [
    account_lines,
    account_table,
    failed_account,
    offboarded_account,
    onboarded_account,
    region_table,
    repaired_account,
    spot_account_mapping,
    stack_set_table,
    verification,
    verification_lines,
    verified_account,
]


@pytest.mark.parametrize("module", MODULES)
def test_a_file_has_the_one_filter_of_its_name(module: t.Any) -> None:
    name = module.__name__.rpartition(".")[2]
    assert module.FilterModule().filters() == {name: getattr(module, name)}


@pytest.mark.parametrize(
    ("filter_", "problem"),
    [(onboarded_account.onboarded_account, "1 of 2 region(s) not active"), (offboarded_account.offboarded_account, "could not be cleared")],
)
def test_what_came_of_an_account_is_made_of_two_answers(filter_: t.Any, problem: str) -> None:
    result = filter_(INTEGRATION, PREFLIGHT, **WHO)
    assert problem in result["problem"]
    assert (result["host"], result["aws_account"], result["failed_regions"]) == ("production", "123456789012", ["eu-west-1"])


def test_lines_are_made_of_a_result() -> None:
    assert account_lines.account_lines(RESULT)[0] == "act-d7320fba in AWS account 123456789012, 2 regions, 1 unknown, 1 unsupported"


def test_a_table_is_made_of_results() -> None:
    assert account_table.account_table({"production": RESULT, "lost": None})[0] == "2 accounts, 2 failed, 0 done"


def test_a_result_is_made_of_the_task_that_failed() -> None:
    assert failed_account.failed_account({"msg": "No\nway."}, **WHO)["problem"] == "No way."


def test_a_table_is_made_of_rows() -> None:
    lines = region_table.region_table([{"region": "us-east-1", "status": "active", "done": "created", "reason": ""}], "Production")
    assert lines[0] == "Production, 1 region, 1 active"


def test_what_was_found_is_made_of_two_answers() -> None:
    found = verification.verification({"regions": VERIFICATION["regions"]}, PREFLIGHT, **WHO)
    assert {name: entry["status"] for name, entry in found["regions"].items()} == {
        "eu-west-1": "drifted",
        "us-east-1": "active",
        "ca-west-1": "unsupported",
    }


def test_lines_are_made_of_what_was_found() -> None:
    assert verification_lines.verification_lines(VERIFICATION)[2] == "eu-west-1  drifted  The rule is DISABLED."


@pytest.mark.parametrize(("warnings", "problems"), [(False, 1), (True, 2)])
def test_a_result_is_made_of_what_was_found(warnings: bool, problems: int) -> None:
    assert len(verified_account.verified_account(VERIFICATION, warnings)["problem"].split(" | ")) == problems


def test_what_came_of_a_repair_is_made_of_two_verifications() -> None:
    found = repaired_account.repaired_account(VERIFICATION, VERIFICATION, {})
    assert [row["summary"] for row in found["rows"]] == ["eu-west-1 drifted: The rule is DISABLED.", "us-east-1 active"]
    assert found["problem"].startswith("1 of 2 region(s) still broken: eu-west-1")


@pytest.mark.parametrize("wrong", [None, "text", 1, [RESULT]])
@pytest.mark.parametrize(
    ("filter_", "more"),
    [
        (onboarded_account.onboarded_account, {"preflight": PREFLIGHT, **WHO}),
        (offboarded_account.offboarded_account, {"preflight": PREFLIGHT, **WHO}),
        (verification.verification, {"preflight": PREFLIGHT, **WHO}),
        (verification_lines.verification_lines, {}),
        (verified_account.verified_account, {}),
        (repaired_account.repaired_account, {"after": VERIFICATION, "done": {}}),
        (failed_account.failed_account, WHO),
        (account_lines.account_lines, {}),
        (account_table.account_table, {}),
    ],
)
def test_what_is_no_answer_is_an_error(filter_: t.Any, more: dict[str, t.Any], wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=f"^{filter_.__name__} takes "):
        filter_(wrong, **more)


@pytest.mark.parametrize("wrong", [None, "rows", 1, {"region": "us-east-1"}])
def test_a_table_of_what_are_no_rows_is_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of rows"):
        region_table.region_table(wrong)


def test_spot_accounts_are_made_of_hosts() -> None:
    hosts = [{"aws_account": "123456789012", "spot_account": "act-d7320fba"}]
    assert spot_account_mapping.spot_account_mapping(iter(hosts)) == {"123456789012": "act-d7320fba"}


@pytest.mark.parametrize("wrong", ["text", {"a": 1}, 5])
def test_spot_accounts_are_made_of_nothing_else(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of the variables of hosts"):
        spot_account_mapping.spot_account_mapping(wrong)


def test_a_host_that_cannot_be_right_is_an_error_of_the_filter() -> None:
    with pytest.raises(AnsibleFilterError, match="a host has no variable aws_account"):
        spot_account_mapping.spot_account_mapping([{}])


def test_a_table_is_made_of_a_stack_set() -> None:
    assert stack_set_table.stack_set_table({"msg": "No way."}, "spot") == ["stack set spot: No way."]


def test_a_table_of_a_stack_set_is_made_of_nothing_else() -> None:
    with pytest.raises(AnsibleFilterError, match="takes the result of spot_stack_set"):
        stack_set_table.stack_set_table([], "spot")
