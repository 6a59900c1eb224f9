# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API destination: its connection, its drift, its removal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import NAME, REGION, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox


@pytest.fixture
def connection_arn(aws: Aws, sandbox: Sandbox) -> str:
    return aws.connection(sandbox.tokens["editor"])


class Destination:
    """Runs the module under test for one destination in one region."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def __call__(self, **arguments: Any) -> Run:
        return self._run("spot_api_destination", **{"name": NAME, "regions": [REGION], **arguments})


@pytest.fixture
def destination(run: Runner) -> Destination:
    return Destination(run)


def described(aws: Aws) -> dict[str, Any]:
    return dict(aws.events().describe_api_destination(Name=NAME))


def test_it_posts_to_spot_through_the_connection_of_its_name(destination: Destination, aws: Aws, connection_arn: str) -> None:
    assert destination().action == "created"
    found = described(aws)
    assert found["ConnectionArn"] == connection_arn
    assert found["InvocationEndpoint"] == "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"
    assert (found["HttpMethod"], found["InvocationRateLimitPerSecond"]) == ("POST", 300)


def test_another_connection_may_be_named(destination: Destination, aws: Aws, sandbox: Sandbox, connection_arn: str) -> None:
    other = aws.connection(sandbox.tokens["editor"], name="other")
    destination()
    assert destination(connection="other").action == "updated"
    assert described(aws)["ConnectionArn"] == other


def test_a_connection_whose_arn_is_known_is_not_asked_for(destination: Destination, sandbox: Sandbox, connection_arn: str) -> None:
    sandbox.clear_calls()
    assert destination(connection_arns={REGION: connection_arn}).action == "created"
    assert sandbox.calls(operation="DescribeConnection") == []


def test_a_connection_that_is_not_there_is_named_and_nothing_is_made(destination: Destination, aws: Aws) -> None:
    run = destination()
    assert run.error["code"] == "Blocked"
    assert f"there is no connection {NAME} in {REGION}: create it first" in run.message
    assert aws.destination_names() == []


def test_check_mode_takes_it_that_the_connection_will_be_there(destination: Destination) -> None:
    run = destination(check=True)
    assert (run.failed, run.action) == (False, "created")


@pytest.mark.parametrize(
    "drift",
    [
        {"Description": "by hand"},
        {"InvocationEndpoint": "https://example.com/"},
        {"HttpMethod": "PUT"},
        {"InvocationRateLimitPerSecond": 1},
    ],
    ids=lambda drift: next(iter(drift)),
)
def test_a_change_by_hand_is_mended_in_place(destination: Destination, aws: Aws, connection_arn: str, drift: dict[str, Any]) -> None:
    made = destination().entry["api_destination"]
    aws.events().update_api_destination(Name=NAME, **drift)
    run = destination()
    assert run.action == "updated"
    times = {"last_modified_time": None}
    assert {**run.entry["api_destination"], **times} == {**made, **times}
    assert destination().action == "unchanged"


def test_an_inactive_destination_is_a_warning_as_only_its_connection_can_be_mended(
    destination: Destination, aws: Aws, connection_arn: str
) -> None:
    destination()
    aws.events().deauthorize_connection(Name=NAME)
    run = destination()
    assert run.action == "unchanged"
    (warning,) = run.warnings
    assert f"{REGION}: the API destination {NAME} is INACTIVE" in warning
    assert "DEAUTHORIZED" in warning


def test_a_destination_whose_connection_was_deleted_and_made_anew_is_pointed_to_the_new_one(
    destination: Destination, aws: Aws, sandbox: Sandbox, connection_arn: str
) -> None:
    arn = destination().entry["api_destination"]["api_destination_arn"]
    aws.events().delete_connection(Name=NAME)
    anew = aws.connection(sandbox.tokens["editor"])
    run = destination()
    assert (run.action, run.entry["api_destination"]["api_destination_arn"]) == ("updated", arn)
    assert run.entry["api_destination"]["api_destination_state"] == "ACTIVE"
    assert described(aws)["ConnectionArn"] == anew


def test_a_destination_on_a_connection_that_is_just_authorizing_is_waited_for(destination: Destination, aws: Aws, sandbox: Sandbox) -> None:
    sandbox.settings(state_seconds=1)
    aws.connection(sandbox.tokens["editor"])
    run = destination()
    assert run.entry["api_destination"]["api_destination_state"] == "ACTIVE"


def test_a_removal_needs_no_connection(destination: Destination, aws: Aws, connection_arn: str) -> None:
    destination()
    aws.events().delete_connection(Name=NAME)
    assert destination(state="absent").action == "deleted"
    assert aws.destination_names() == []


@pytest.mark.parametrize(
    ("operation", "arguments", "action"),
    [
        ("CreateApiDestination", {}, "created"),
        ("UpdateApiDestination", {"description": "new"}, "updated"),
        ("DeleteApiDestination", {"state": "absent"}, "deleted"),
    ],
)
def test_a_lost_answer_ends_as_if_it_had_come(
    *, destination: Destination, aws: Aws, sandbox: Sandbox, connection_arn: str, operation: str, arguments: dict[str, Any], action: str
) -> None:
    if action != "created":
        destination()
    sandbox.add_fault({"lost_answer": True}, {"operation": operation}, times=1)
    assert destination(**arguments).action == action
    assert aws.destination_names() == ([] if action == "deleted" else [NAME])
    assert destination(**arguments).action == "unchanged"
