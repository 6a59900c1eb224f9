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
    UnauthorizedSSOTokenError,
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
def test_resource_changed_by_another_writer_is_a_conflict(refusal: Refusal, code: str) -> None:
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
def test_stack_changed_by_another_writer_is_a_conflict(refusal: Refusal, message: str) -> None:
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
def test_other_cloudformation_errors_are_no_conflict(refusal: Refusal, message: str) -> None:
    assert not is_conflict(refusal("ValidationError", message, "UpdateStack"))


def test_no_updates_to_be_performed_is_no_change(refusal: Refusal) -> None:
    assert is_no_change(refusal("ValidationError", "No updates are to be performed.", "UpdateStack"))
    assert not is_no_change(refusal("ValidationError", "Template format error", "UpdateStack"))
    assert not is_no_change(refusal("AccessDenied", "No updates are to be performed.", "UpdateStack"))


def test_no_updates_after_a_retry_is_a_conflict(refusal: Refusal) -> None:
    second = refusal("ValidationError", "No updates are to be performed.", "UpdateStack", attempts=1)
    assert (is_no_change(second), is_conflict(second)) == (False, True)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_message_of_expired_credentials_has_a_remedy(refusal: Refusal, code: str) -> None:
    failure = failure_of(refusal(code, "The security token is expired", "DescribeStacks"))
    assert failure.message == (
        "DescribeStacks: The security token is expired. Get new credentials and run again: what AWS is doing goes on meanwhile."
    )


@pytest.mark.parametrize("code", ["LimitExceededException", "AccessDeniedException", "ValidationException", "ThrottlingException"])
def test_other_errors_are_no_conflict(refusal: Refusal, code: str) -> None:
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
def test_error_of_eventual_consistency_is_not_yet(refusal: Refusal, code: str, message: str) -> None:
    assert is_not_yet(refusal(code, message))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "1 validation error detected"),
        ("AccessDeniedException", "cannot be assumed by principal"),
        ("ResourceNotFoundException", "Rule does not exist"),
    ],
)
def test_permanent_error_is_not_waited_for(refusal: Refusal, code: str, message: str) -> None:
    assert not is_not_yet(refusal(code, message))


@pytest.mark.parametrize("error", [KeyError("x"), RegionError("ResourceNotFoundException", "cannot be assumed by principal")])
def test_error_without_an_aws_response_has_no_code(error: Exception) -> None:
    assert (error_code(error), is_conflict(error), is_not_yet(error)) == ("", False, False)


def test_is_code_accepts_several_codes(refusal: Refusal) -> None:
    assert is_code(refusal("B"), "A", "B")
    assert not is_code(refusal("C"), "A", "B")


def test_failure_has_operation_and_code_of_the_client_error(refusal: Refusal) -> None:
    failure = failure_of(refusal("LimitExceededException", "Too many\nconnections.", "CreateConnection"))
    assert failure == Failure("LimitExceededException", "CreateConnection: Too many connections.")


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationErrorException"])
def test_message_of_a_missing_permission_names_the_operation_to_grant(refusal: Refusal, code: str) -> None:
    failure = failure_of(refusal(code, "no.", "PutTargets"))
    assert failure.denied
    assert failure.message == "PutTargets: no. Grant the caller the permission for PutTargets."


def test_validation_error_is_no_missing_permission(refusal: Refusal) -> None:
    assert not failure_of(refusal("ValidationException")).denied


@pytest.mark.parametrize("code", ["UnknownOperationException", "UnsupportedOperationException", "InvalidAction"])
def test_unknown_operation_is_unsupported(refusal: Refusal, code: str) -> None:
    assert failure_of(refusal(code)).unsupported


def test_message_has_the_number_of_attempts(refusal: Refusal) -> None:
    assert failure_of(refusal("ThrottlingException", "Rate exceeded", attempts=5)).message == "PutRule: Rate exceeded (tried 6 times)"


def test_client_error_without_a_code_is_an_unknown_error(refusal: Refusal) -> None:
    assert failure_of(refusal("")).code == "UnknownError"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
        ConnectTimeoutError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
        ReadTimeoutError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
    ],
)
def test_message_of_a_timeout_names_the_endpoint(error: Exception) -> None:
    failure = failure_of(error)
    assert failure.code == type(error).__name__
    assert failure.message.startswith("AWS did not answer: ")
    assert "https://events.eu-west-1.amazonaws.com" in failure.message


def test_message_of_missing_credentials_has_a_remedy() -> None:
    assert failure_of(NoCredentialsError()).message == (
        "no AWS credentials were found: set AWS_PROFILE, or credentials as for amazon.aws modules"
    )


def test_message_of_an_invalid_parameter_is_one_line() -> None:
    failure = failure_of(ParamValidationError(report="first\nsecond"))
    assert failure == Failure("ParamValidationError", "Parameter validation failed: first second")


def test_failure_of_a_region_error_is_unchanged() -> None:
    assert failure_of(RegionError("InUse", "used by audit")) == Failure("InUse", "used by audit")


def test_message_of_an_unexpected_error_is_one_line() -> None:
    assert failure_of(RuntimeError("a\n  b")) == Failure("RuntimeError", "unexpected: a b")


def test_failure_in_a_result_has_code_and_message() -> None:
    assert Failure("X", "y").as_dict() == {"code": "X", "message": "y"}


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        ("InvalidClientTokenId", "The security token included in the request is invalid", "AWS_STS_REGIONAL_ENDPOINTS=regional"),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", "AWS_STS_REGIONAL_ENDPOINTS=regional"),
        ("ValidationError", "Account used is not a delegated administrator", "organizations:ListDelegatedAdministrators"),
        (
            "ValidationError",
            "You must be the management account or delegated admin account",
            "organizations:RegisterDelegatedAdministrator",
        ),
    ],
)
def test_a_response_that_does_not_say_what_to_do_gets_it(refusal: Refusal, code: str, message: str, remedy: str) -> None:
    told = failure_of(refusal(code, message)).message
    assert message.rstrip(".") + ". " in told
    assert remedy in told


def test_an_expired_sso_session_says_to_log_in() -> None:
    error = UnauthorizedSSOTokenError()
    assert failure_of(error).message.endswith(". Run aws sso login, and run again.")
