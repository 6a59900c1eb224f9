# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames, stack_names
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

OURS = {
    "Connection": ("AWS::Events::Connection", "c"),
    "ApiDestination": ("AWS::Events::ApiDestination", "d"),
    "Rule": ("AWS::Events::Rule", "r"),
    "DeadLetterQueue": ("AWS::SQS::Queue", "https://sqs.eu-west-1.amazonaws.com/123456789012/q"),
    "DeadLetterQueuePolicy": ("AWS::SQS::QueuePolicy", "p"),
    "ExecutionRole": ("AWS::IAM::Role", "x"),
}


class Stacks:
    """CloudFormation with one stack, or what it refuses with."""

    def __init__(self, resources: dict[str, tuple[str, str]], refused: ClientError | None = None) -> None:
        self.resources = resources
        self.refused = refused

    def describe_stacks(self, StackName: str) -> dict[str, t.Any]:  # noqa: N803
        if self.refused:
            raise self.refused
        return {"Stacks": [{"StackName": StackName, "StackId": "arn:stack", "StackStatus": "CREATE_COMPLETE"}]}

    def describe_stack_resources(self, **_arguments: t.Any) -> dict[str, t.Any]:
        items = [
            {"LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": physical, "ResourceStatus": "CREATE_COMPLETE"}
            for logical, (kind, physical) in self.resources.items()
        ]
        gone = {
            "LogicalResourceId": "Gone",
            "ResourceType": "AWS::Events::Rule",
            "PhysicalResourceId": "g",
            "ResourceStatus": "DELETE_COMPLETE",
        }
        return {"StackResources": [*items, gone, {"LogicalResourceId": "NotYet", "ResourceType": "AWS::IAM::Role"}]}

    def read(self) -> StackNames | None:
        return stack_names(Region("eu-west-1", "aws", {"cloudformation": self}), "a-stack")


def test_each_part_has_the_name_that_cloudformation_gave_it() -> None:
    found = Stacks(OURS).read()
    assert found
    assert (found.connection, found.api_destination, found.rule, found.queue, found.execution_role) == ("c", "d", "r", "q", "x")


def test_a_part_that_the_stack_does_not_hold_has_no_name() -> None:
    found = Stacks({"Rule": ("AWS::Events::Rule", "bus|r")}).read()
    assert found
    assert (found.connection, found.api_destination, found.rule, found.queue, found.execution_role) == ("", "", "r", "", "")


# This collection's template names these parts alike.
ALIKE = {**OURS, **{key: (OURS[key][0], "spot") for key in ("Connection", "ApiDestination", "Rule")}}


@pytest.mark.parametrize(
    ("resources", "ours"),
    [(ALIKE, True), ({key: ALIKE[key] for key in list(ALIKE)[:3]}, False), (OURS, False)],
    ids=["ours", "another", "names of CloudFormation"],
)
def test_a_stack_of_another_template_is_known(resources: dict[str, tuple[str, str]], ours: bool) -> None:
    found = Stacks(resources).read()
    assert found
    assert found.ours is ours


def test_no_stack_is_none_and_all_else_is_raised(refusal: t.Callable[..., ClientError]) -> None:
    assert Stacks({}, refusal("ValidationError", "Stack with id a-stack does not exist")).read() is None
    with pytest.raises(ClientError):
        Stacks({}, refusal("AccessDenied")).read()


@pytest.mark.parametrize(
    ("status", "in_progress"), [("CREATE_IN_PROGRESS", True), ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False), ("CREATE_COMPLETE", False)]
)
def test_a_stack_that_is_worked_on_is_told_from_one_that_is_done(status: str, in_progress: bool) -> None:
    assert StackNames(t.cast("t.Any", None), status, {}, True).in_progress is in_progress
