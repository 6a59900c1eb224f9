# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a stack, with a CloudFormation that takes what it is given, refuses it, fails, or has nothing to do."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.apply import deploy
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core import polling
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome

SPOT, OTHER_SPOT = "act-d7320fba", "act-5a9d1c02"
TOKEN = "0123456789secretTOKEN"
DESIRED = Stack("spot", template_body="Resources: {}", spot_account=SPOT, token=TOKEN)


@dataclass
class CloudFormation:
    """One stack with a connection. `errors` are raised by the next changing calls, one each; None lets a call pass."""

    refusal: t.Callable[..., Exception]
    status: str = ""
    account: str = SPOT
    becomes: dict[str, str] = field(default_factory=dict)
    """The status after a call, where it is not the good one."""
    connection: str = "AUTHORIZED"
    lost_by_update: bool = False
    token_differs: bool = False
    update_writes_token: bool = True
    no_change: bool = False
    body: str = "Resources: {}"
    hidden_for: int = 0
    """How many reads after an update still show the parameters before it."""
    busy_for: int = 0
    """How many reads after a change show it in progress."""
    errors: list[Exception | None] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    _before: str = ""

    def _called(self, operation: str, status: str) -> None:
        self.calls.append(operation)
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        self.status = self.becomes.get(operation, status)

    def create_stack(self, Parameters: list[dict[str, str]], **dummy: t.Any) -> None:  # noqa: N803 (boto3's name)
        self._called("create_stack", "CREATE_COMPLETE")
        self.account = Parameters[0]["ParameterValue"]

    def update_stack(self, Parameters: list[dict[str, str]], **dummy: t.Any) -> None:  # noqa: N803
        if self.no_change:
            self.calls.append("update_stack")
            raise self.refusal("ValidationError", "No updates are to be performed.")
        self._called("update_stack", "UPDATE_COMPLETE")
        self._before, self.account = self.account, Parameters[0]["ParameterValue"]
        self.token_differs = self.token_differs and not self.update_writes_token
        self.connection = "DEAUTHORIZED" if self.lost_by_update else self.connection

    def delete_stack(self, **dummy: t.Any) -> None:
        self._called("delete_stack", "")

    def continue_update_rollback(self, **dummy: t.Any) -> None:
        self._called("continue_update_rollback", "UPDATE_ROLLBACK_COMPLETE")

    def update_connection(self, **dummy: t.Any) -> None:
        self._called("update_connection", self.status)
        self.connection, self.token_differs = self.becomes.get("connection", "AUTHORIZED"), False

    def describe_stacks(self, **dummy: t.Any) -> dict[str, t.Any]:
        if not self.status:
            raise self.refusal("ValidationError", "Stack with id spot does not exist")
        account, status = self.account, self.status
        if self.calls and self.busy_for:
            self.busy_for -= 1
            status = "UPDATE_IN_PROGRESS"
        elif self._before and self.hidden_for:
            self.hidden_for -= 1
            account = self._before
        parameters = [{"ParameterKey": "SpotAccountId", "ParameterValue": account}, {"ParameterKey": "SpotToken", "ParameterValue": "****"}]
        return {"Stacks": [{"StackName": "spot", "StackId": "arn:stack", "StackStatus": status, "Parameters": parameters}]}

    def describe_stack_resources(self, **dummy: t.Any) -> dict[str, t.Any]:
        item = {"LogicalResourceId": "Connection", "ResourceType": "AWS::Events::Connection", "PhysicalResourceId": "warnings"}
        return {"StackResources": [{**item, "ResourceStatus": "CREATE_COMPLETE"}]}

    def get_template(self, **dummy: t.Any) -> dict[str, t.Any]:
        return {"TemplateBody": self.body}

    def get_template_summary(self, **dummy: t.Any) -> dict[str, t.Any]:
        return {"Parameters": [{"ParameterKey": "SpotAccountId"}, {"ParameterKey": "SpotToken", "NoEcho": True}]}

    def get_paginator(self, operation: str) -> t.Any:
        class Pages:
            def paginate(self, **dummy: t.Any) -> list[dict[str, t.Any]]:
                return [{"StackEvents": []}]

        return Pages()

    def describe_connection(self, **dummy: t.Any) -> dict[str, t.Any]:
        parameters = [{"Key": "accountId", "Value": SPOT, "IsValueSecret": False}]
        return {
            "Name": "warnings",
            "ConnectionState": self.connection,
            "AuthorizationType": "API_KEY",
            "SecretArn": "arn:secret",
            "AuthParameters": {
                "ApiKeyAuthParameters": {"ApiKeyName": "Authorization"},
                "InvocationHttpParameters": {"QueryStringParameters": parameters},
            },
        }

    def get_secret_value(self, **dummy: t.Any) -> dict[str, t.Any]:
        token = "another" if self.token_differs else TOKEN
        return {"SecretString": f'{{"api_key_value": "Bearer {token}"}}'}


@pytest.fixture(autouse=True)
def no_real_waiting(monkeypatch: pytest.MonkeyPatch, clock: t.Any) -> None:
    monkeypatch.setattr(polling, "time", clock)


@pytest.fixture
def aws(refusal: t.Callable[..., Exception]) -> CloudFormation:
    return CloudFormation(refusal)


def run(aws: CloudFormation, stack: Stack = DESIRED, check_mode: bool = False, timeout: float = 120) -> Outcome:
    region = Region("eu-west-1", "aws", {"cloudformation": aws, "events": aws, "secretsmanager": aws})
    return deploy(stack, region, check_mode=check_mode, timeout=timeout)


@pytest.mark.parametrize(
    ("state", "action", "made"),
    [
        ({}, "created", ["create_stack"]),
        ({"status": "CREATE_COMPLETE"}, "unchanged", []),
        ({"status": "CREATE_COMPLETE", "account": OTHER_SPOT}, "updated", ["update_stack"]),
        ({"status": "ROLLBACK_COMPLETE"}, "created", ["delete_stack", "create_stack"]),
        ({"status": "UPDATE_ROLLBACK_FAILED"}, "updated", ["continue_update_rollback"]),
        ({"status": "UPDATE_ROLLBACK_FAILED", "account": OTHER_SPOT}, "updated", ["continue_update_rollback", "update_stack"]),
        ({"status": "CREATE_COMPLETE", "connection": "DEAUTHORIZED"}, "reauthorized", ["update_connection"]),
        (
            {"status": "CREATE_COMPLETE", "connection": "DEAUTHORIZED", "account": OTHER_SPOT},
            "reauthorized",
            ["update_connection", "update_stack"],
        ),
        ({"status": "CREATE_COMPLETE", "token_differs": True}, "updated", ["update_stack"]),
        ({"status": "CREATE_COMPLETE", "token_differs": True, "no_change": True}, "updated", ["update_stack", "update_connection"]),
        (
            {"status": "CREATE_COMPLETE", "token_differs": True, "update_writes_token": False},
            "updated",
            ["update_stack", "update_connection"],
        ),
        (
            {"status": "CREATE_COMPLETE", "token_differs": True, "lost_by_update": True},
            "updated",
            ["update_stack", "update_connection"],
        ),
    ],
)
def test_each_state_has_its_steps_and_is_told_as_one_change(
    aws: CloudFormation, state: dict[str, t.Any], action: str, made: list[str]
) -> None:
    for name, value in state.items():
        setattr(aws, name, value)
    predicted = run(aws, check_mode=True)
    assert (predicted.plan.action, aws.calls) == (action, [])
    outcome = run(aws)
    assert (outcome.plan.action, aws.calls) == (action, made)
    assert (outcome.plan.before, (outcome.document or {})["connection"]["connection_state"]) == (predicted.plan.before, "AUTHORIZED")
    aws.no_change = False
    assert run(aws).plan.action == "unchanged"


def test_a_removal_ends_with_nothing(aws: CloudFormation) -> None:
    aws.status = "CREATE_COMPLETE"
    outcome = run(aws, Stack("spot", present=False))
    assert (outcome.plan.action, outcome.document, aws.calls) == ("deleted", None, ["delete_stack"])


def test_where_cloudformation_has_nothing_to_update_nothing_changed(aws: CloudFormation) -> None:
    aws.status, aws.no_change = "CREATE_COMPLETE", True
    outcome = run(aws, Stack("spot", template_body="Resources: {}", spot_account=SPOT, token=TOKEN, update="always"))
    assert (outcome.plan.action, aws.calls) == ("unchanged", ["update_stack"])


def test_where_cloudformation_has_nothing_more_to_update_what_was_done_is_told(aws: CloudFormation) -> None:
    aws.status, aws.connection, aws.account, aws.no_change = "CREATE_COMPLETE", "DEAUTHORIZED", OTHER_SPOT, True
    outcome = run(aws)
    assert (outcome.plan.action, aws.calls) == ("reauthorized", ["update_connection", "update_stack"])


def test_nothing_to_update_is_an_error_where_nothing_else_can_be_done(aws: CloudFormation) -> None:
    aws.status, aws.no_change, aws.body = "CREATE_COMPLETE", True, '{"Resources": {"Rule": {"Type": "AWS::Events::Rule"}}}'
    with pytest.raises(Exception, match="No updates are to be performed"):
        run(aws, Stack("spot", present=False, retain=True))


@pytest.mark.parametrize(
    ("state", "made", "reason"),
    [
        ({"becomes": {"create_stack": "ROLLBACK_COMPLETE"}}, ["create_stack"], "the stack is ROLLBACK_COMPLETE"),
        (
            {"status": "CREATE_COMPLETE", "account": OTHER_SPOT, "becomes": {"update_stack": "UPDATE_ROLLBACK_COMPLETE"}},
            ["update_stack"],
            "the stack is UPDATE_ROLLBACK_COMPLETE",
        ),
        (
            {"status": "CREATE_COMPLETE", "token_differs": True, "becomes": {"update_stack": "UPDATE_ROLLBACK_COMPLETE"}},
            ["update_stack"],
            "the stack is UPDATE_ROLLBACK_COMPLETE",
        ),
        ({"status": "ROLLBACK_COMPLETE", "becomes": {"delete_stack": "DELETE_FAILED"}}, ["delete_stack"], "the stack is DELETE_FAILED"),
        (
            {"status": "UPDATE_ROLLBACK_FAILED", "becomes": {"continue_update_rollback": "UPDATE_ROLLBACK_FAILED"}},
            ["continue_update_rollback"],
            "skip it with ContinueUpdateRollback's ResourcesToSkip",
        ),
        (
            {"status": "CREATE_COMPLETE", "connection": "DEAUTHORIZED", "becomes": {"connection": "DEAUTHORIZED"}},
            ["update_connection"],
            "the connection warnings is DEAUTHORIZED",
        ),
        ({"status": "CREATE_COMPLETE", "account": OTHER_SPOT, "lost_by_update": True}, ["update_stack"], "connection warnings is DEAUTHOR"),
    ],
)
def test_a_step_that_fails_is_the_last_and_the_error_has_the_reason(
    aws: CloudFormation, state: dict[str, t.Any], made: list[str], reason: str
) -> None:
    for name, value in state.items():
        setattr(aws, name, value)
    with pytest.raises(RegionError, match=reason) as caught:
        run(aws)
    assert (caught.value.failure.code, aws.calls) == ("Broken", made)


def test_a_change_that_is_visible_late_is_waited_for_and_not_made_twice(aws: CloudFormation) -> None:
    aws.status, aws.account, aws.hidden_for = "CREATE_COMPLETE", OTHER_SPOT, 4
    assert (run(aws).document or {})["parameters"]["SpotAccountId"] == SPOT
    assert aws.calls == ["update_stack"]


def test_a_change_that_is_never_visible_is_an_error_that_says_so(aws: CloudFormation, clock: t.Any) -> None:
    aws.status, aws.account, aws.hidden_for = "CREATE_COMPLETE", OTHER_SPOT, 1000
    with pytest.raises(RegionError, match="AWS took update_stack, but its result is not visible yet") as caught:
        run(aws, timeout=60)
    assert (caught.value.failure.code, aws.calls) == ("NotShown", ["update_stack"])
    assert 50 < sum(clock.pauses) <= 60


def test_step_in_transition_after_the_timeout_is_an_error(aws: CloudFormation) -> None:
    aws.status, aws.account, aws.busy_for = "CREATE_COMPLETE", OTHER_SPOT, 1000
    with pytest.raises(RegionError, match="AWS was still changing the stack after 60 seconds") as caught:
        run(aws, timeout=60)
    assert caught.value.failure.code == "Timeout"


def test_without_wait_the_last_step_is_returned_as_it_is(aws: CloudFormation, clock: t.Any) -> None:
    aws.status, aws.account, aws.busy_for = "CREATE_COMPLETE", OTHER_SPOT, 1000
    assert (run(aws, timeout=0).document or {})["stack_status"] == "UPDATE_IN_PROGRESS"
    assert clock.pauses == []


def test_without_wait_a_step_that_is_not_the_last_is_an_error_while_aws_works_on_it(aws: CloudFormation) -> None:
    aws.status, aws.token_differs, aws.busy_for = "CREATE_COMPLETE", True, 1000
    with pytest.raises(RegionError, match="more changes have to follow: wait for it, or run again later"):
        run(aws, timeout=0)


def test_a_conflict_is_planned_again_a_few_times(aws: CloudFormation, refusal: t.Callable[..., Exception], clock: t.Any) -> None:
    conflict = refusal("AlreadyExistsException")
    aws.errors = [conflict]
    assert run(aws).plan.action == "created"
    aws.status, aws.account, aws.calls, aws.errors = "CREATE_COMPLETE", OTHER_SPOT, [], [conflict] * 100
    with pytest.raises(Exception, match="AlreadyExistsException"):
        run(aws)
    assert (len(aws.calls), sum(clock.pauses) < 10) == (5, True)


def test_other_errors_are_raised_at_once(aws: CloudFormation, refusal: t.Callable[..., Exception], clock: t.Any) -> None:
    aws.errors = [refusal("LimitExceededException")]
    with pytest.raises(Exception, match="LimitExceededException"):
        run(aws)
    assert (len(aws.calls), clock.pauses) == (1, [])


def test_the_gate_is_asked_before_anything_is_done(aws: CloudFormation) -> None:
    def refuse(plan: t.Any) -> None:
        raise RegionError("AlreadyServed", plan.action)

    region = Region("eu-west-1", "aws", {"cloudformation": aws, "events": aws, "secretsmanager": aws})
    for check_mode in (True, False):
        with pytest.raises(RegionError, match="created"):
            deploy(DESIRED, region, check_mode=check_mode, timeout=60, gate=refuse)
    assert aws.calls == []
