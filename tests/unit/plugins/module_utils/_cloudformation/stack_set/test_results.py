# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.operations import Operations
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.plan import StackSetPlan
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.progress import progress_line, whole
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import RunningOperation
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.results import stack_set_result, unfinished
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from tests.unit.plugins.module_utils._cloudformation.stack_set.stack_sets import (
    REGIONS,
    TOKEN,
    A,
    B,
    C,
    current,
    desired,
    instance,
    instances,
    reading,
)


def entry(action: str, status: str, instances: int, **more: t.Any) -> dict[str, t.Any]:
    return {"action": action, "status": status, "accounts": [A], "regions": [], "instances": instances, "failures": [], **more}


def failure(account: str, region: str = "eu-west-1", status: str = "FAILED", reason: str = "no") -> dict[str, str]:
    return {"account": account, "region": region, "status": status, "reason": reason}


def operations(*entries: dict[str, t.Any]) -> Operations:
    return Operations(desired(), {}, entries)


class TestProgress:
    @pytest.mark.parametrize(
        ("entries", "line"),
        [
            ([], "stack set spot: being read"),
            ([entry("create_stack_set", "SUCCEEDED", 0)], "stack set spot: being read"),
            ([entry("create_stack_instances", "RUNNING", 9, done=5)], "stack set spot: CREATE 5 of 9 instances"),
            (
                [entry("create_stack_instances", "RUNNING", 9, done=5, failures=[failure(A)])],
                "stack set spot: CREATE 5 of 9 instances, 1 failed",
            ),
            (
                [
                    entry("create_stack_instances", "SUCCEEDED", 3),
                    entry("create_stack_instances", "FAILED", 3, failures=[failure(A), failure(A, "us-east-1")]),
                    entry("create_stack_instances", "QUEUED", 3),
                ],
                "stack set spot: CREATE 4 of 9 instances, 2 failed",
            ),
            (
                [entry("delete_stack_instances", "SUCCEEDED", 3), entry("update_stack_set", "RUNNING", 6, done=2)],
                "stack set spot: UPDATE 2 of 6 instances",
            ),
            (
                [entry("update_stack_instances", "RUNNING", 6, done=2), entry("create_stack_instances", "SUCCEEDED", 3)],
                "stack set spot: UPDATE 2 of 6 instances",
            ),
        ],
    )
    def test_a_line_counts_what_is_done_now(self, entries: list[dict[str, t.Any]], line: str) -> None:
        assert progress_line("spot", entries) == line

    def test_a_line_says_whom_it_waits_for(self) -> None:
        line = progress_line("spot", [], ["UPDATE", "CREATE", "CREATE"])
        assert line == "stack set spot: waits for an operation that is in progress already (CREATE, UPDATE)"


class TestSteps:
    def test_the_whole_is_the_last_with_what_only_those_before_knew(self) -> None:
        first = {"changed": True, "finished": False, "progress": "…", "operations": [1], "diff": [{"before_header": "a", "before": 1}]}
        last = {
            "changed": False,
            "finished": True,
            "operations": [1, 2],
            "diff": [{"before_header": "a", "before": 2}, {"before_header": "b"}],
            "notes": ["n"],
        }
        assert whole([first, last]) == {
            "changed": True,
            "finished": True,
            "operations": [1, 2],
            "diff": [{"before_header": "a", "before": 1}, {"before_header": "b"}],
            "notes": ["n"],
        }

    def test_a_step_that_fails_without_words_is_the_whole(self) -> None:
        assert whole([{"failed": True, "msg": "no"}]) == {"failed": True, "msg": "no", "changed": False, "diff": []}

    def test_a_step_tells_how_far_it_is(self) -> None:
        told = unfinished(desired(), operations(entry("create_stack_instances", "RUNNING", 9, done=5)), StackSetPlan(diff=({"x": 1},)))
        assert {key: told[key] for key in ("changed", "finished", "progress", "diff")} == {
            "changed": True,
            "finished": False,
            "progress": "stack set spot: CREATE 5 of 9 instances",
            "diff": [{"x": 1}],
        }


def test_what_was_refused_changed_nothing() -> None:
    told = stack_set_result(
        desired(), operations(entry("create_stack_instances", "REFUSED", 3)), None, reading=reading(), plan=StackSetPlan()
    )
    assert told["changed"] is False


def test_failed_instances_are_told_worst_first_with_the_reasons_of_the_operation() -> None:
    found = {
        **instances(),
        (A, "eu-west-1"): instance(A, "eu-west-1", status="OUTDATED", detailed_status="CANCELLED"),
        (B, "eu-west-1"): instance(B, "eu-west-1", status="OUTDATED", detailed_status="FAILED", reason="theirs"),
        (C, "eu-west-1"): instance(C, "eu-west-1", status="INOPERABLE", detailed_status="INOPERABLE"),
    }
    left = {
        (A, "eu-west-1"): "is not current",
        (B, "eu-west-1"): "theirs",
        (C, "eu-west-1"): "is INOPERABLE: …",
        (C, "us-east-1"): "was not made",
    }
    del found[(C, "us-east-1")]
    done = operations(
        entry(
            "update_stack_instances",
            "FAILED",
            3,
            failures=[
                failure(A, status="CANCELLED", reason="Cancelled since failure tolerance has exceeded"),
                failure(B, reason="no role"),
            ],
        )
    )
    made = StackSetPlan(left=left, spot_accounts=dict.fromkeys(instances(), "act-aaaaaaaa"))
    told = stack_set_result(desired(), done, made, reading=reading(found=found), plan=made)
    assert [(entry["account"], entry["region"], entry["status"], entry["reason"]) for entry in told["failed_instances"]] == [
        (C, "eu-west-1", "INOPERABLE", "is INOPERABLE: …"),
        (B, "eu-west-1", "FAILED", "no role"),
        (C, "us-east-1", "MISSING", "was not made"),
        (A, "eu-west-1", "CANCELLED", "Cancelled since failure tolerance has exceeded"),
    ]
    assert told["msg"].split(" | ")[:3] == [
        "stack set spot: 4 of 9 instance(s) failed",
        f"{C} eu-west-1: INOPERABLE: is INOPERABLE: …",
        f"{B} eu-west-1: FAILED: no role",
    ]


def test_hundreds_of_failures_are_not_all_in_the_message() -> None:
    left = {(f"5{number:011}", region): "no" for number in range(100) for region in REGIONS}
    told = stack_set_result(desired(), operations(), None, reading=reading(found={}), plan=StackSetPlan(left=left))
    assert len(told["failed_instances"]) == 300
    assert told["msg"].endswith(" | and 280 more, see failed_instances")


def test_a_change_that_does_not_hold_is_a_failure() -> None:
    told = stack_set_result(desired(), operations(), None, reading=reading(), plan=StackSetPlan(set_left=("description", "tags")))
    assert told["msg"] == "stack set spot: AWS accepted the change, but it is not visible yet: description, tags"


def test_what_ended_before_its_end_tells_what_it_did() -> None:
    done = operations(entry("create_stack_instances", "FAILED", 3, failures=[failure(A)]))
    told = stack_set_result(desired(), done, StackSetPlan(diff=({"x": 1},)), failure=Failure("AccessDenied", "no"))
    assert told == {
        "changed": True,
        "finished": True,
        "operations": done.entries,
        "diff": [{"x": 1}],
        "failed_instances": [failure(A)],
        "msg": f"stack set spot: AccessDenied: no | {A} eu-west-1: FAILED: no",
    }


def test_check_mode_says_that_aws_is_at_work() -> None:
    amidst = reading(running=(RunningOperation("o-1", "CREATE", "RUNNING"),))
    told = stack_set_result(desired(), operations(), None, reading=amidst, plan=StackSetPlan(), check_mode=True)
    assert told["notes"] == ["AWS is working at the operation o-1 (CREATE) now; its result is not predicted."]


def test_a_token_that_a_template_shows_is_not_shown() -> None:
    """One that forgot NoEcho, as AWS and emulators tell its value."""
    shown = current(Parameters=[{"ParameterKey": "SpotToken", "ParameterValue": TOKEN}])
    told = stack_set_result(desired(), operations(), None, reading=reading(shown), plan=StackSetPlan())
    assert TOKEN not in str(told)
