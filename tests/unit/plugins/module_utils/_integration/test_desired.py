# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import DEFAULT_ENDPOINT
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired

NAME = "spot.interruption-act-d7320fba"
PLAIN_NAME = "spot-interruption-act-d7320fba"
AWS, SPOT = "210987654321", "act-d7320fba"
TOKEN = "0123456789secretTOKEN"
ORDER = ["queue", "connection", "api_destination", "rule"]
TO_COMPARE = {
    "name": PLAIN_NAME,
    "spot_account": SPOT,
    "invocation_endpoint": DEFAULT_ENDPOINT,
    "role_arn": None,
    "role_name": None,
    "role_path": None,
    "queue_name": None,
    "stack_name": None,
    "aws_account": AWS,
    "maximum_event_age_in_seconds": 120,
    "maximum_retry_attempts": 185,
    "invocation_rate_limit_per_second": 300,
    "target_id": "spot",
    "spot_token": None,
}


class Regions:
    """Regions of one partition, of a caller's AWS account; counts how often that is asked for."""

    def __init__(self, partition: str = "aws") -> None:
        self.names = ("eu-west-1",)
        self.partition = partition
        self.asked = 0

    def __getitem__(self, name: str) -> Region:
        return Region(name, self.partition, {})

    def aws_account(self) -> str:
        self.asked += 1
        return "123456789012"


def desired(regions: Regions | None = None, **changes: t.Any) -> Desired:
    given = {
        "name": NAME,
        "queue_name": None,
        "on_existing": "stop",
        "state": "present",
        "aws_account": None,
        "spot_account": "act-d7320fba",
        "spot_token": TOKEN,
        "description": "warnings",
        "kms_key_identifier": "alias/connection",
        "update_token": "changed",
        "invocation_endpoint": "https://api.spotinst.io/x",
        "invocation_rate_limit_per_second": 7,
        "role_arn": "arn:role",
        "role_name": None,
        "role_permissions_boundary": None,
        "maximum_event_age_in_seconds": 120,
        "maximum_retry_attempts": 185,
        "target_id": "spot",
        "message_retention_period": 60,
        "queue_kms_master_key_id": "alias/queue",
        "delete_messages": False,
        "tags": {"team": "a"},
        "purge_tags": False,
        **changes,
    }
    return Desired.from_parameters(given, t.cast("t.Any", regions or Regions()))


# What is desired


def test_all_resources_have_the_one_name() -> None:
    found = desired()
    assert [found.connection.name, found.api_destination.name, found.rule.name] == [NAME] * 3
    assert [found.api_destination.connection, found.rule.api_destination, found.queue.rule] == [NAME] * 3


def test_a_queues_name_has_hyphens_for_dots_as_sqs_takes_none() -> None:
    assert (desired().queue.name, desired().rule.dead_letter_queue) == ("spot-interruption-act-d7320fba",) * 2


def test_the_queue_may_be_named() -> None:
    found = desired(queue_name="letters")
    assert (found.queue.name, found.rule.dead_letter_queue) == ("letters", "letters")


def test_queue_and_connection_have_keys_of_their_own() -> None:
    assert (desired().queue.kms_key, desired().connection.kms_key) == ("alias/queue", "alias/connection")


@pytest.mark.parametrize(("changes", "asked"), [({}, 1), ({"aws_account": "123456789012"}, 0), ({"state": "absent"}, 0)])
def test_the_aws_account_is_asked_for_once_and_only_if_need_be(changes: dict[str, t.Any], asked: int) -> None:
    regions = Regions()
    desired(regions, **changes)
    assert regions.asked == asked


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": "a" * 65},
        {"queue_name": "a.b"},
        {"spot_account": None},
        {"spot_token": ""},
        {"role_arn": None},
        {"aws_account": "1"},
        {"invocation_endpoint": "http://example.com"},
        {"message_retention_period": 1},
        {"maximum_event_age_in_seconds": 1},
        {"kms_key_identifier": "alias/aws/secretsmanager"},
        {"queue_kms_master_key_id": "alias/aws/sqs"},
        {"queue_kms_master_key_id": "arn:aws:kms:us-east-1:123456789012:key/1f"},
    ],
    ids=str,
)
def test_options_that_are_not_valid_are_refused(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError):
        desired(**wrong)


def test_nothing_is_made_before_what_it_needs() -> None:
    assert [step.kind for step in desired().steps()] == ORDER


def test_nothing_is_removed_while_something_else_needs_it() -> None:
    assert [step.kind for step in desired(state="absent").steps()] == ["alarm_rule", *ORDER[::-1]]


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(desired())


# To compare


def expected(regions: Regions | None = None, **changes: t.Any) -> Desired:
    return Desired.to_compare({**TO_COMPARE, **changes}, t.cast("t.Any", regions or Regions()))


def test_all_parts_to_compare_have_the_one_name() -> None:
    given = expected()
    names = {given.connection.name, given.api_destination.name, given.rule.name, given.queue.name, given.rule.dead_letter_queue}
    assert names == {PLAIN_NAME}


def test_the_execution_role_to_compare_has_it_too_in_the_partition_of_the_region() -> None:
    assert expected(Regions("aws-cn")).rule.role_arn == f"arn:aws-cn:iam::{AWS}:role/{PLAIN_NAME}"


def test_a_queue_to_compare_has_hyphens_for_dots() -> None:
    assert expected(name="spot.one").queue.name == "spot-one"


def test_names_to_compare_may_be_given() -> None:
    given = expected(role_arn="arn:r", queue_name="letters")
    assert (given.rule.role_arn, given.queue.name, given.rule.dead_letter_queue, given.queue.rule) == (
        "arn:r",
        "letters",
        "letters",
        PLAIN_NAME,
    )


def test_the_aws_account_to_compare_is_read_only_where_it_is_not_given() -> None:
    known, asked = Regions(), Regions()
    assert (expected(known).aws_account, known.asked) == (AWS, 0)
    assert (expected(asked, aws_account=None).aws_account, asked.asked) == ("123456789012", 1)


@pytest.mark.parametrize(("token", "update_token"), [("good", "changed"), (None, "on_create"), ("", "on_create")])
def test_the_token_is_compared_only_where_there_is_one(token: str | None, update_token: str) -> None:
    given = expected(spot_token=token)
    assert (bool(given.connection.token), given.connection.update_token) == (bool(token), update_token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"spot_account": "production"},
        {"aws_account": "12"},
        {"invocation_endpoint": "http://example.com"},
        {"queue_name": "a.b"},
        {"spot_token": "two words:"},
    ],
)
def test_options_to_compare_that_are_not_valid_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ArgumentError):
        expected(**wrong)


def test_a_token_to_compare_is_not_shown() -> None:
    assert "t0ken" not in repr(expected(spot_token="t0ken"))


@pytest.mark.parametrize("options", [{"role_name": None, "role_arn": None}, {"role_name": "a b"}], ids=str)
def test_an_execution_role_is_named_properly(options: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError):
        desired(**options)


def test_an_execution_role_that_is_managed_here_is_that_of_the_target() -> None:
    found = desired(role_arn=None, role_name="a-role", aws_account=AWS)
    assert found.execution_role
    assert (found.execution_role.name, found.rule.role_arn) == ("a-role", f"arn:aws:iam::{AWS}:role/a-role")


def test_what_is_to_be_removed_is_known_by_its_names_alone() -> None:
    found = desired(state="absent", role_arn=None, role_name="a-role", spot_account=None, spot_token=None, queue_name="letters")
    assert found.execution_role
    resources = (*found.steps(), found.execution_role)
    assert [resource.present for resource in resources] == [False] * 6
    assert (found.queue.name, found.connection.api_destination, found.execution_role.name) == ("letters", NAME, "a-role")


# In a stack

IN_STACK = {
    "AWS::Events::Connection": "c",
    "AWS::Events::ApiDestination": "d",
    "AWS::IAM::Role": "x",
    "AWS::Events::Rule": "bus|r",
    "AWS::SQS::Queue": "https://sqs/1/q",
}


def in_stack(names: dict[str, str]) -> Desired:
    stack = StackNames(Stack("a-stack", "arn:a-stack"), "CREATE_COMPLETE", names, True)
    return expected(name="default").named_as_in(stack, Region("eu-west-1", "aws", {}))


def test_all_parts_get_the_names_of_the_stack() -> None:
    there = in_stack(IN_STACK)
    assert (there.connection.name, there.api_destination.name, there.rule.name, there.queue.name) == ("c", "d", "r", "q")
    assert (there.queue.rule, there.rule.dead_letter_queue) == ("r", "q")
    assert there.rule.role_arn == f"arn:aws:iam::{AWS}:role/x"


def test_what_the_stack_does_not_hold_keeps_its_own() -> None:
    there = in_stack({"AWS::Events::Rule": "bus|r"})
    assert (there.rule.name, there.connection.name, there.queue.name) == ("r", "default", "default")
    assert there.rule.role_arn.endswith("role/default")


@pytest.mark.parametrize(
    ("options", "arn", "by_name"),
    [
        ({"role_name": "a-role", "role_path": "/spot/"}, f"arn:aws:iam::{AWS}:role/spot/a-role", True),
        ({"role_path": "/spot/"}, f"arn:aws:iam::{AWS}:role/spot/{PLAIN_NAME}", True),
        ({"role_arn": "arn:r", "role_name": "a-role"}, "arn:r", False),
    ],
    ids=str,
)
def test_a_role_is_compared_by_its_name_or_by_a_given_arn(options: dict[str, t.Any], arn: str, by_name: bool) -> None:
    found = expected(**options)
    assert (found.rule.role_arn, found.execution_role is not None) == (arn, by_name)
