# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop of stack sets, with a CloudFormation that takes its time, and shows what was done later."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.apply import StackSetRun
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
from ansible_collections.spot.eventbridge.plugins.module_utils._core import polling
from tests.unit.plugins.module_utils._cloudformation.stack_set.stack_sets import REGIONS, SPOT, A, B, desired

PARAMETERS = [{"ParameterKey": "SpotAccountId"}, {"ParameterKey": "SpotToken", "NoEcho": True}]
SMALL = {"spot_accounts": {A: SPOT[A], B: SPOT[B]}, "regions": REGIONS[:1]}


def refusal(code: str) -> ClientError:
    return ClientError(t.cast("t.Any", {"Error": {"Code": code, "Message": "No."}}), "Call")


@dataclass
class CloudFormation:
    """One stack set, whose operations end some looks after they began.

    `errors` are raised by the next calls that change something, one each; None lets a call pass.
    """

    takes: int = 1
    shown_after: int = 0
    """How many lists of instances after an operation do not show it yet."""
    errors: list[Exception | None] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    most_at_once: int = 0
    stays: bool = False
    """Whether the stack set is still there after it was deleted."""
    _made: dict[str, t.Any] | None = None
    _shown: list[dict[str, t.Any]] = field(default_factory=list)
    _hidden: list[dict[str, t.Any]] = field(default_factory=list)
    _running: dict[str, int] = field(default_factory=dict)

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error

    def can_paginate(self, operation: str) -> bool:
        return False

    def get_template_summary(self, **dummy: t.Any) -> dict[str, t.Any]:
        return {"Parameters": PARAMETERS}

    def describe_stack_set(self, **dummy: t.Any) -> dict[str, t.Any]:
        if self._made is None:
            raise refusal("StackSetNotFoundException")
        return {"StackSet": dict(self._made)}

    def create_stack_set(self, **given: t.Any) -> dict[str, t.Any]:
        self._called("create_stack_set")
        self._made = {"StackSetName": given["StackSetName"], **{key: given[key] for key in given if key != "TemplateBody"}}
        self._made["TemplateBody"] = given["TemplateBody"]
        return {}

    def delete_stack_set(self, **dummy: t.Any) -> dict[str, t.Any]:
        self._called("delete_stack_set")
        self._made = self._made if self.stays else None
        return {}

    def create_stack_instances(self, **given: t.Any) -> dict[str, t.Any]:
        self._called("create_stack_instances")
        self._running[given["OperationId"]] = self.takes
        self.most_at_once = max(self.most_at_once, len(self._running))
        self._hidden += [
            {"Account": account, "Region": region, "Status": "CURRENT", "LastOperationId": given["OperationId"]}
            for account in given["Accounts"]
            for region in given["Regions"]
        ]
        return {}

    def delete_stack_instances(self, **given: t.Any) -> dict[str, t.Any]:
        self._called("delete_stack_instances")
        self._running[given["OperationId"]] = self.takes
        self._shown = []
        return {}

    def describe_stack_set_operation(self, OperationId: str, **dummy: t.Any) -> dict[str, t.Any]:  # noqa: N803 (boto3's name)
        left = self._running.get(OperationId, 0)
        if left:
            self._running[OperationId] = left - 1
            return {"StackSetOperation": {"Status": "RUNNING"}}
        self._running.pop(OperationId, None)
        return {"StackSetOperation": {"Status": "SUCCEEDED", "StatusDetails": {"FailedStackInstancesCount": 0}}}

    def list_stack_instances(self, **dummy: t.Any) -> dict[str, t.Any]:
        if not self._running and self.shown_after == 0:
            self._shown, self._hidden = [*self._shown, *self._hidden], []
        elif not self._running and self._hidden:
            self.shown_after -= 1
        return {"Summaries": self._shown}

    def list_stack_set_operations(self, **dummy: t.Any) -> dict[str, t.Any]:
        return {"Summaries": []}

    def list_stack_set_operation_results(self, **dummy: t.Any) -> dict[str, t.Any]:
        return {"Summaries": []}


@pytest.fixture
def bring(clock: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    """Runs the loop without ever waiting in earnest."""
    monkeypatch.setattr(polling, "time", clock)

    def run(aws: CloudFormation, given: StackSet | None = None, **options: t.Any) -> dict[str, t.Any]:
        clients = {"cloudformation": aws}
        return StackSetRun(given or desired(**SMALL), clients, **{"check_mode": False, "timeout": 600, **options}).run()

    return run


def test_what_is_shown_late_is_looked_for_again(bring: t.Any) -> None:
    aws = CloudFormation(shown_after=3)
    done = bring(aws)
    assert "msg" not in done
    assert len(done["instances"]) == 2
    assert aws.calls == ["create_stack_set", *["create_stack_instances"] * 2]


def test_what_is_never_shown_is_a_failure_and_not_done_twice(bring: t.Any) -> None:
    aws = CloudFormation(shown_after=1000)
    done = bring(aws)
    assert f"{A} us-east-1: MISSING: was not made" in done["msg"]
    assert aws.calls == ["create_stack_set", *["create_stack_instances"] * 2]


def test_an_operation_that_aws_refuses_for_another_is_begun_later_and_not_in_a_rush(bring: t.Any, clock: t.Any) -> None:
    aws = CloudFormation(errors=[None, *[refusal("OperationInProgressException")] * 8])
    assert "msg" not in bring(aws)
    assert clock.pauses[:6] == [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]


def test_it_is_not_tried_without_end(bring: t.Any, clock: t.Any) -> None:
    aws = CloudFormation(errors=[None, *[refusal("OperationInProgressException")] * 10_000])
    done = bring(aws, timeout=60)
    assert "Timeout: wait_timeout ended before everything was done; run again to continue" in done["msg"]
    assert sum(clock.pauses) <= 60


def test_whoever_overtakes_again_and_again_is_a_failure(bring: t.Any) -> None:
    aws = CloudFormation(errors=[None, *[refusal("StaleRequestException")] * 100])
    done = bring(aws)
    assert [entry["status"] for entry in done["failed_instances"]] == ["StaleRequestException"] * 2
    assert aws.calls.count("create_stack_instances") < 10


def test_at_most_fifty_operations_are_in_progress(bring: t.Any) -> None:
    accounts = {f"5{number:011}": f"act-{number + 1:08x}" for number in range(120)}
    aws = CloudFormation(takes=3)
    done = bring(aws, desired(spot_accounts=accounts, regions=REGIONS[:1]))
    assert "msg" not in done
    assert len(done["instances"]) == 120
    assert aws.most_at_once == 50


def test_without_managed_execution_there_is_one(bring: t.Any) -> None:
    aws = CloudFormation(takes=3)
    assert "msg" not in bring(aws, desired(**SMALL, managed_execution=False))
    assert aws.most_at_once == 1


class EndsWhileItIsRead(CloudFormation):
    """CloudFormation with an operation of another caller on all instances, which ends between two calls of the next reading."""

    in_progress: bool = False

    def list_stack_instances(self, **given: t.Any) -> dict[str, t.Any]:
        status = "OUTDATED" if self.in_progress else "CURRENT"
        found = [{**item, "Status": status} for item in super().list_stack_instances(**given)["Summaries"]]
        self.in_progress = False
        return {"Summaries": found}

    def list_stack_set_operations(self, **dummy: t.Any) -> dict[str, t.Any]:
        found = [{"OperationId": "theirs", "Action": "UPDATE", "Status": "RUNNING"}] if self.in_progress else []
        self.in_progress = False
        return {"Summaries": found}


def test_an_operation_that_ends_while_it_is_read_is_not_followed_by_an_update(bring: t.Any) -> None:
    aws = EndsWhileItIsRead()
    made = bring(aws)
    aws.in_progress = True
    again = bring(aws)
    assert ("msg" in again, again["changed"], again["operations"]) == (False, False, [])
    assert again["instances"] == made["instances"]


def test_a_stack_set_that_does_not_go_is_not_deleted_again_and_again(bring: t.Any) -> None:
    aws = CloudFormation(stays=True)
    bring(aws)
    done = bring(aws, StackSet("spot", present=False))
    assert done["msg"] == "stack set spot: AWS accepted the change, but it is not visible yet: state"
    assert aws.calls[-2:] == ["delete_stack_instances", "delete_stack_set"]


def test_instances_that_come_meanwhile_go_too(bring: t.Any) -> None:
    aws = CloudFormation()
    bring(aws)
    aws.errors = [None, refusal("StackSetNotEmptyException")]
    done = bring(aws, StackSet("spot", present=False))
    assert ("msg" in done, done["stack_set"]) == (False, None)
    assert aws.calls[-3:] == ["delete_stack_instances", "delete_stack_set", "delete_stack_set"]


def test_a_step_returns_before_its_time_is_over_and_the_next_goes_on(bring: t.Any, clock: t.Any) -> None:
    aws = CloudFormation(takes=8)
    begin = clock.now
    first = bring(aws, step=3, before=())
    assert (first["finished"], clock.now - begin <= 3) == (False, True)
    last = bring(aws, step=1000, before=first["operations"])
    assert (last["finished"], "msg" in last) == (True, False)
    assert aws.calls.count("create_stack_instances") == 2
