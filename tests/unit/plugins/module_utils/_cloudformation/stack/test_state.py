# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import CurrentStack, describe, resources_of

TOKEN = "0123456789secretTOKEN"
ANSWER: dict[str, t.Any] = {
    "StackId": "arn:stack",
    "StackName": "spot",
    "StackStatus": "UPDATE_ROLLBACK_COMPLETE",
    "StackStatusReason": f"Bearer {TOKEN} was refused",
    "Parameters": [
        {"ParameterKey": "SpotToken", "ParameterValue": "an old one, of a template without NoEcho"},
        {"ParameterKey": "Secret", "ParameterValue": "another old one"},
        {"ParameterKey": "TokenRevision", "ParameterValue": "3"},
        {"ParameterKey": "Name", "ParameterValue": f"x{TOKEN}x"},
        {"ParameterKey": "Bucket"},
    ],
    "Outputs": [{"OutputKey": "Arn", "OutputValue": f"arn:{TOKEN}"}],
    "Tags": [{"Key": "team", "Value": "a"}, {"Key": "aws:servicecatalog:portfolio", "Value": "b"}],
    "EnableTerminationProtection": True,
    "ParentId": "arn:parent",
}


class CloudFormation:
    """CloudFormation with one stack, or one refusal."""

    def __init__(self, error: Exception | None = None, answer: dict[str, t.Any] = ANSWER) -> None:
        self.error, self.answer = error, answer

    def describe_stacks(self, StackName: str) -> dict[str, t.Any]:  # noqa: N803
        assert StackName == "spot"
        if self.error:
            raise self.error
        return {"Stacks": [self.answer]}

    def describe_stack_resources(self, StackName: str) -> dict[str, t.Any]:  # noqa: N803
        made = {"LogicalResourceId": "Rule", "PhysicalResourceId": "spot", "ResourceType": "AWS::Events::Rule"}
        gone = {"LogicalResourceId": "Old", "PhysicalResourceId": "old", "ResourceType": "AWS::Events::Rule"}
        failed = {"LogicalResourceId": "Queue", "ResourceType": "AWS::SQS::Queue"}
        statuses = ("CREATE_COMPLETE", "DELETE_COMPLETE", "CREATE_FAILED")
        return {"StackResources": [{**item, "ResourceStatus": status} for item, status in zip((made, gone, failed), statuses, strict=True)]}


def found(**changes: t.Any) -> CurrentStack:
    stack = describe(CloudFormation(answer={**ANSWER, **changes}), "spot", TOKEN, "Secret")
    assert stack is not None
    return stack


def test_a_stack_is_told_without_tokens_and_without_tags_of_aws() -> None:
    assert found().document == {
        "stack_id": "arn:stack",
        "stack_name": "spot",
        "stack_status": "UPDATE_ROLLBACK_COMPLETE",
        "stack_status_reason": "Bearer **** was refused",
        "parameters": {"SpotToken": "****", "Secret": "****", "TokenRevision": "3", "Name": "x****x", "Bucket": ""},
        "outputs": {"Arn": "arn:****"},
        "tags": {"team": "a"},
        "resources": {},
        "connection": None,
    }


def test_protection_and_parent_are_read() -> None:
    assert (found().is_protected, found().parent) == (True, "arn:parent")
    free = found(EnableTerminationProtection=False, ParentId=None)
    assert (free.is_protected, free.parent) == (False, "")


def test_there_is_no_reason_where_cloudformation_gives_none() -> None:
    assert "stack_status_reason" not in found(StackStatusReason=None).document


def test_a_stack_that_is_not_there_is_none(refusal: t.Callable[..., Exception]) -> None:
    assert describe(CloudFormation(refusal("ValidationError", "Stack with id spot does not exist")), "spot", "", None) is None


@pytest.mark.parametrize(("code", "message"), [("AccessDenied", "It does not exist for you"), ("ValidationError", "Wrong")])
def test_other_refusals_are_errors(refusal: t.Callable[..., Exception], code: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        describe(CloudFormation(refusal(code, message)), "spot", "", None)


def test_resources_are_those_that_there_are() -> None:
    assert resources_of(CloudFormation(), "spot") == {
        "Rule": {"type": "AWS::Events::Rule", "physical_id": "spot", "status": "CREATE_COMPLETE"},
        "Queue": {"type": "AWS::SQS::Queue", "physical_id": None, "status": "CREATE_FAILED"},
    }


@pytest.mark.parametrize(
    ("status", "in_progress", "failed"),
    [
        ("CREATE_COMPLETE", False, False),
        ("CREATE_IN_PROGRESS", True, False),
        ("REVIEW_IN_PROGRESS", False, False),
        ("UPDATE_ROLLBACK_COMPLETE", False, True),
        ("DELETE_FAILED", False, True),
    ],
)
def test_what_a_status_means(status: str, in_progress: bool, failed: bool) -> None:
    stack = CurrentStack({"stack_status": status})
    assert (stack.in_progress, stack.is_failed) == (in_progress, failed)


def test_what_is_wrong_is_told_with_its_causes() -> None:
    assert CurrentStack({"stack_status": "DELETE_FAILED"}, causes=("a", "b")).why() == "the stack is DELETE_FAILED: a | b"
    assert CurrentStack({"stack_status": "DELETE_FAILED"}).why() == "the stack is DELETE_FAILED"
