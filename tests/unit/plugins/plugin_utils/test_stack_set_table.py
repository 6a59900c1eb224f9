# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.plugin_utils._stack_set_table import lines

A, B, C = "111111111111", "222222222222", "333333333333"


def instance(account: str, region: str, spot_account: str | None, status: str = "CURRENT") -> dict[str, t.Any]:
    return {"account": account, "region": region, "status": status, "spot_account": spot_account}


def failure(account: str, region: str, status: str = "FAILED", reason: str = "no role") -> dict[str, str]:
    return {"account": account, "region": region, "status": status, "reason": reason}


def result(*instances: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {"stack_set": {}, "instances": list(instances), "failed_instances": [], "operations": [], "notes": [], **more}


def test_each_account_is_a_line_those_that_failed_first() -> None:
    found = result(
        instance(A, "eu-west-1", "act-aaaaaaaa"),
        instance(A, "us-east-1", "act-aaaaaaaa"),
        instance(B, "eu-west-1", "act-bbbbbbbb", "OUTDATED"),
        instance(B, "us-east-1", "act-bbbbbbbb", "OUTDATED"),
        failed_instances=[
            failure(B, "us-east-1"),
            failure(B, "eu-west-1", "CANCELLED"),
            failure(C, "eu-west-1", "MISSING", "was not made"),
        ],
        operations=[
            {"action": "create_stack_instances", "accounts": [B, C]},
            {"action": "update_stack_set", "accounts": [A, B]},
            {"action": "update_stack_instances", "accounts": [A]},
        ],
        notes=["Something to know."],
    )
    assert lines(found, "spot") == [
        "stack set spot: 3 accounts, 5 instances, 3 failed",
        "AWS ACCOUNT   SPOT ACCOUNT  CURRENT  DONE            WHY",
        f"{B}  act-bbbbbbbb  0 of 2   create, update  us-east-1: FAILED: no role (and 1 more region)",
        f"{C}  -             0 of 1   create          eu-west-1: MISSING: was not made",
        f"{A}  act-aaaaaaaa  2 of 2   update",
        "Something to know.",
    ]


def test_an_instance_that_is_current_and_not_as_it_shall_be_does_not_count() -> None:
    found = result(
        instance(A, "eu-west-1", "act-bbbbbbbb"), failed_instances=[failure(A, "eu-west-1", "SUCCEEDED", "has another Spot account")]
    )
    assert lines(found, "spot")[2].split()[2:5] == ["0", "of", "1"]


def test_what_is_gone_is_told_as_gone() -> None:
    assert lines(result(stack_set=None), "spot") == ["stack set spot: there is none"]


def test_a_stack_set_without_instances_is_told_with_its_notes() -> None:
    assert lines(result(notes=["No account."]), "spot") == ["stack set spot: 0 accounts, 0 instances, 0 failed", "No account."]


def test_what_did_not_come_to_its_end_is_told_in_its_words() -> None:
    assert lines({"failed": True, "msg": "stack set spot: AccessDenied: no"}, "spot") == ["stack set spot: AccessDenied: no"]
