# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.arguments import argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

A, B = "111111111111", "222222222222"
TOKEN = "0123456789abcdefTOKEN"


def parameters(**given: t.Any) -> dict[str, t.Any]:
    """The parameters of the module, with their defaults."""
    defaults = {name: option.get("default") for name, option in argument_spec().items()}
    right = {"name": "spot", "template_body": "x", "spot_accounts": {A: "act-aaaaaaaa"}, "spot_token": TOKEN, "regions": ["us-east-1"]}
    return {**defaults, **right, **given}


def stack_set(**given: t.Any) -> StackSet:
    return StackSet.from_parameters(parameters(**given))


UNITS = {"permission_model": "service_managed", "organizational_unit_ids": ["ou-ab12-11111111"]}


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(stack_set())


def test_by_default_all_are_done_at_once_and_none_stops_the_others() -> None:
    assert stack_set().operation_preferences == {
        "RegionConcurrencyType": "PARALLEL",
        "MaxConcurrentPercentage": 100,
        "FailureTolerancePercentage": 100,
    }


def test_counts_take_the_place_of_percentages() -> None:
    given = {
        "region_concurrency_type": "sequential",
        "region_order": ["eu-west-1", "us-east-1"],
        "max_concurrent_count": 3,
        "failure_tolerance_count": 0,
        "concurrency_mode": "soft_failure_tolerance",
    }
    assert stack_set(operation_preferences=given).operation_preferences == {
        "RegionConcurrencyType": "SEQUENTIAL",
        "RegionOrder": ["eu-west-1", "us-east-1"],
        "MaxConcurrentCount": 3,
        "FailureToleranceCount": 0,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    }


def test_percentages_may_be_others() -> None:
    preferences = stack_set(
        operation_preferences={"max_concurrent_percentage": 25, "failure_tolerance_percentage": 10}
    ).operation_preferences
    assert (preferences["MaxConcurrentPercentage"], preferences["FailureTolerancePercentage"]) == (25, 10)


def test_values_are_text_as_cloudformation_takes_them() -> None:
    given = stack_set(parameters={"Limit": 300, "Enabled": True}, tags={"cost": 7})
    assert given.parameters == {"Limit": "300", "Enabled": "true"}
    assert given.tags == {"cost": "7"}


def test_the_revision_may_be_given_as_what_it_is() -> None:
    given = stack_set(parameters={"TokenRevision": 7})
    assert (given.token_revision, given.parameters) == ("7", {})
    assert stack_set(parameters={"TokenRevision": 7}, token_revision="8").token_revision == "8"


def test_retention_goes_with_auto_deployment_only() -> None:
    assert stack_set(**UNITS).auto_deployment == {"Enabled": False}
    retaining = {"enabled": False, "retain_stacks_on_account_removal": True}
    assert stack_set(**UNITS, auto_deployment=retaining).auto_deployment == {"Enabled": False}
    deployment = stack_set(**UNITS, auto_deployment={**retaining, "enabled": True}).auto_deployment
    assert deployment == {"Enabled": True, "RetainStacksOnAccountRemoval": True}


def test_the_account_with_no_spot_account_gets_the_default() -> None:
    given = stack_set(default_spot_account="act-dddddddd")
    assert (given.spot_account(A), given.spot_account(B)) == ("act-aaaaaaaa", "act-dddddddd")
    assert stack_set().spot_account(B) is None


def test_what_nobody_has_stands_for_the_stack_set_itself() -> None:
    assert stack_set().base_spot_account == "act-00000000"


def test_who_calls_is_said_where_it_is_a_delegated_administrator() -> None:
    assert stack_set(**UNITS, call_as="delegated_admin").call_as == {"CallAs": "DELEGATED_ADMIN"}
    assert stack_set(**UNITS).call_as == {}


def test_removal_needs_a_name_only() -> None:
    gone = stack_set(state="absent", template_body=None, spot_accounts={}, spot_token=None, regions=None)
    assert (gone.name, gone.present) == ("spot", False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "1spot"}, "The stack name '1spot' cannot be used"),
        ({"name": None}, "The stack name '' cannot be used"),
        ({"spot_accounts": {}}, "No Spot account is given"),
        ({"spot_accounts": {"12345": "act-aaaaaaaa"}}, "'12345' is not an AWS account id"),
        ({"spot_accounts": {A: "act-00000000"}}, f"act-00000000 is no Spot account: remove {A} from"),
        ({"spot_accounts": {A: "production"}}, "'production' is not a Spot account id"),
        ({"default_spot_account": "all"}, "'all' is not a Spot account id"),
        ({"spot_accounts": {}, "default_spot_account": "act-dddddddd"}, "No AWS account is given"),
        ({"accounts": [A, B]}, f"spot_accounts has no Spot account for {B}"),
        ({"accounts": ["a"]}, "'a' is not an AWS account id"),
        ({"excluded_accounts": ["a"]}, "'a' is not an AWS account id"),
        ({"spot_token": "a b"}, "The Spot token contains white space"),
        ({"parameters": {"QueueKmsKey": "alias/aws/sqs"}}, "parameters.QueueKmsKey cannot be alias/aws/sqs: EventBridge cannot use"),
        ({"parameters": {"ConnectionKmsKey": "arn:aws:kms:eu-west-1:1:key/1f"}}, "key/1f for us-east-1: AWS uses a key only in"),
        ({"regions": ["nowhere"]}, "'nowhere' is not the name of an AWS region"),
        ({"regions": []}, "No region is given"),
        ({"permission_model": "service_managed"}, "organizational_unit_ids is missing"),
        ({"organizational_unit_ids": ["ou-ab12-11111111"]}, "organizational_unit_ids goes with permission_model=service_managed only"),
        ({"auto_deployment": {"enabled": True}}, "auto_deployment goes with permission_model=service_managed only"),
        ({"call_as": "delegated_admin"}, "call_as=delegated_admin goes with permission_model=service_managed only"),
        ({**UNITS, "execution_role_name": "x"}, "go with permission_model=self_managed only"),
        ({"template_body": None, "template_url": "http://example.com/"}, "CloudFormation reads templates at https:// addresses of S3 only"),
        ({"template_body": " "}, "template_body is empty"),
        ({"template_body": f"Default: {TOKEN}"}, "The Spot token must only be given with spot_token"),
        ({"tags": {"token": TOKEN}}, "The Spot token must only be given with spot_token"),
        ({"purge_limit": 101}, "purge_limit must be 0 to 100"),
        ({"operation_preferences": {"max_concurrent_count": 1, "max_concurrent_percentage": 1}}, "max_concurrent_count or max_concurrent"),
        ({"operation_preferences": {"max_concurrent_count": 0}}, "max_concurrent_count must be at least 1"),
        ({"operation_preferences": {"failure_tolerance_count": -1}}, "failure_tolerance_count must be at least 0"),
        ({"operation_preferences": {"failure_tolerance_percentage": 101}}, "failure_tolerance_percentage must be at most 100"),
        ({"operation_preferences": {"region_order": ["nowhere"]}}, "'nowhere' is not the name of an AWS region"),
    ],
)
def test_what_cannot_be_right_is_one_line(wrong: dict[str, t.Any], words: str) -> None:
    with pytest.raises(ArgumentError) as told:
        stack_set(**wrong)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_an_account_that_is_excluded_needs_no_spot_account() -> None:
    assert stack_set(accounts=[A, B], excluded_accounts=[B]).accounts == {A, B}
