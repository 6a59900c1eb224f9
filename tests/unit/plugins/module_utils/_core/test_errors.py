# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import (
    Failure,
    RegionError,
    error_code,
    failure_of,
    is_code,
    is_conflict,
    is_no_change,
    is_not_yet,
)

Refusal = t.Callable[..., Exception]


@pytest.mark.parametrize(
    "code",
    [
        "AlreadyExistsException",
        "ConcurrentModificationException",
        "ResourceAlreadyExistsException",
        "ResourceNotFoundException",
        "QueueAlreadyExists",
        "QueueNameExists",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
    ],
)
def test_a_resource_that_changed_meanwhile_is_worth_a_new_plan(refusal: Refusal, code: str) -> None:
    assert is_conflict(refusal(code))


STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/spot/0f1e"


@pytest.mark.parametrize(
    "message",
    [
        "Stack [spot] does not exist",
        "Stack with id spot does not exist",
        f"Stack:{STACK} is in UPDATE_IN_PROGRESS state and can not be updated.",
        f"Stack:{STACK} is in ROLLBACK_COMPLETE state and can not be updated.",
        f"Stack [{STACK}] cannot be deleted while in status UPDATE_IN_PROGRESS",
    ],
)
def test_a_stack_that_changed_meanwhile_is_worth_a_new_plan(refusal: Refusal, message: str) -> None:
    assert is_conflict(refusal("ValidationError", message, "UpdateStack"))


@pytest.mark.parametrize(
    "message",
    [
        "S3 error: The specified key does not exist.",
        "Parameters: [Token] do not exist in the template",
        "Template format error: Unrecognized resource types: [AWS::Events::Connection]",
        "Stack [spot] cannot be deleted while TerminationProtection is enabled",
        "No updates are to be performed.",
    ],
)
def test_nothing_else_that_cloudformation_refuses_is(refusal: Refusal, message: str) -> None:
    assert not is_conflict(refusal("ValidationError", message, "UpdateStack"))


def test_that_there_is_nothing_to_do_is_known(refusal: Refusal) -> None:
    assert is_no_change(refusal("ValidationError", "No updates are to be performed.", "UpdateStack"))
    assert not is_no_change(refusal("ValidationError", "Template format error", "UpdateStack"))
    assert not is_no_change(refusal("AccessDenied", "No updates are to be performed.", "UpdateStack"))


def test_that_there_is_nothing_to_do_any_more_may_be_the_doing_of_an_attempt_before(refusal: Refusal) -> None:
    second = refusal("ValidationError", "No updates are to be performed.", "UpdateStack", attempts=1)
    assert (is_no_change(second), is_conflict(second)) == (False, True)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_credentials_that_expired_are_told_with_what_to_do(refusal: Refusal, code: str) -> None:
    failure = failure_of(refusal(code, "The security token is expired", "DescribeStacks"))
    assert failure.message == (
        "DescribeStacks: The security token is expired. Get new credentials and run again: what AWS is doing goes on meanwhile."
    )


@pytest.mark.parametrize("code", ["LimitExceededException", "AccessDeniedException", "ValidationException", "ThrottlingException"])
def test_nothing_else_is(refusal: Refusal, code: str) -> None:
    assert not is_conflict(refusal(code))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Provided role 'arn' cannot be assumed by principal 'events.amazonaws.com'."),
        ("ValidationException", "Rule can't be deleted since it has targets."),
        ("AWS.SimpleQueueService.QueueDeletedRecently", "You must wait 60 seconds after deleting a queue"),
        ("QueueDeletedRecently", ""),
    ],
)
def test_what_only_needs_time_is_known(refusal: Refusal, code: str, message: str) -> None:
    assert is_not_yet(refusal(code, message))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "1 validation error detected"),
        ("AccessDeniedException", "cannot be assumed by principal"),
        ("ResourceNotFoundException", "Rule does not exist"),
    ],
)
def test_what_time_does_not_help_is_not_waited_for(refusal: Refusal, code: str, message: str) -> None:
    assert not is_not_yet(refusal(code, message))


@pytest.mark.parametrize("error", [KeyError("x"), RegionError("ResourceNotFoundException", "cannot be assumed by principal")])
def test_what_aws_did_not_say_has_no_code(error: Exception) -> None:
    assert (error_code(error), is_conflict(error), is_not_yet(error)) == ("", False, False)


def test_a_code_is_one_of_several(refusal: Refusal) -> None:
    assert is_code(refusal("B"), "A", "B")
    assert not is_code(refusal("C"), "A", "B")


def test_a_refusal_is_told_with_operation_and_code(refusal: Refusal) -> None:
    failure = failure_of(refusal("LimitExceededException", "Too many\nconnections.", "CreateConnection"))
    assert failure == Failure("LimitExceededException", "CreateConnection: Too many connections.")


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationErrorException"])
def test_a_missing_permission_is_told_with_what_to_grant(refusal: Refusal, code: str) -> None:
    failure = failure_of(refusal(code, "no.", "PutTargets"))
    assert failure.denied
    assert failure.message == "PutTargets: no. Grant the caller the permission for PutTargets."


def test_another_refusal_is_no_missing_permission(refusal: Refusal) -> None:
    assert not failure_of(refusal("ValidationException")).denied


@pytest.mark.parametrize("code", ["UnknownOperationException", "UnsupportedOperationException", "InvalidAction"])
def test_a_region_that_does_not_know_the_operation_is_recognised(refusal: Refusal, code: str) -> None:
    assert failure_of(refusal(code)).unsupported


def test_how_often_it_was_tried_is_told(refusal: Refusal) -> None:
    assert failure_of(refusal("ThrottlingException", "Rate exceeded", attempts=5)).message == "PutRule: Rate exceeded (tried 6 times)"


def test_a_refusal_without_a_code_has_one_all_the_same(refusal: Refusal) -> None:
    assert failure_of(refusal("")).code == "UnknownError"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
        ConnectTimeoutError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
        ReadTimeoutError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
    ],
)
def test_silence_is_told_as_such(error: Exception) -> None:
    failure = failure_of(error)
    assert failure.code == type(error).__name__
    assert failure.message.startswith("AWS did not answer: ")
    assert "https://events.eu-west-1.amazonaws.com" in failure.message


def test_missing_credentials_are_told_with_what_to_set() -> None:
    assert failure_of(NoCredentialsError()).message == (
        "no AWS credentials were found: set AWS_PROFILE, or credentials as for amazon.aws modules"
    )


def test_what_boto3_refuses_by_itself_is_one_line() -> None:
    failure = failure_of(ParamValidationError(report="first\nsecond"))
    assert failure == Failure("ParamValidationError", "Parameter validation failed: first second")


def test_what_a_resource_raised_is_taken_as_it_is() -> None:
    assert failure_of(RegionError("InUse", "used by audit")) == Failure("InUse", "used by audit")


def test_anything_else_is_called_unexpected_in_one_line() -> None:
    assert failure_of(RuntimeError("a\n  b")) == Failure("RuntimeError", "unexpected: a b")


def test_a_failure_in_an_answer_has_code_and_message() -> None:
    assert Failure("X", "y").as_dict() == {"code": "X", "message": "y"}
