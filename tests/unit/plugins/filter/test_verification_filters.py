# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter import repair_rows, verification_lines, verification_problems

FAILED = {"check": "rule_state", "outcome": "fail", "message": "The rule is DISABLED.", "remedy": "Repair."}
WARNED = {"check": "deliveries", "outcome": "warn", "message": "Not all.", "remedy": "Look."}
VERIFICATION = {
    "host": "production",
    "spot_account": "act-d7320fba",
    "aws_account": "123456789012",
    "error": None,
    "checks": [],
    "regions": {"eu-west-1": {"status": "drifted", "findings": [FAILED]}, "us-east-1": {"status": "active", "findings": [WARNED]}},
}
WRONG = [None, "verification", 1, [VERIFICATION]]


@pytest.mark.parametrize("module", [repair_rows, verification_lines, verification_problems])
def test_a_file_has_the_one_filter_of_its_name(module: t.Any) -> None:
    name = module.__name__.rpartition(".")[2]
    assert module.FilterModule().filters() == {name: getattr(module, name)}


def test_lines_are_made_of_a_verification() -> None:
    assert verification_lines.verification_lines(VERIFICATION)[2] == "eu-west-1  drifted  The rule is DISABLED."


@pytest.mark.parametrize("wrong", WRONG)
def test_lines_of_what_is_no_verification_are_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes spot_eventbridge_verify_result"):
        verification_lines.verification_lines(wrong)


@pytest.mark.parametrize(("warnings", "count"), [(False, 1), (True, 2)])
def test_problems_are_made_of_a_verification(warnings: bool, count: int) -> None:
    assert len(verification_problems.verification_problems(VERIFICATION, warnings)) == count


@pytest.mark.parametrize("wrong", WRONG)
def test_problems_of_what_is_no_verification_are_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes spot_eventbridge_verify_result"):
        verification_problems.verification_problems(wrong)


def test_rows_of_a_repair_are_made_of_two_verifications() -> None:
    found = repair_rows.repair_rows(VERIFICATION, VERIFICATION, [])
    assert [row["summary"] for row in found] == ["eu-west-1 drifted: The rule is DISABLED.", "us-east-1 active"]


@pytest.mark.parametrize("wrong", WRONG)
def test_rows_of_what_is_no_verification_are_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes spot_eventbridge_verify_result"):
        repair_rows.repair_rows(wrong, VERIFICATION, [])
