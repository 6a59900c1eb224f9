# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import typing as t

import pytest
from botocore.exceptions import (
    BotoCoreError,
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
        "DescribeStacks: The security token is expired. Get new credentials and run again; operations that AWS has begun continue."
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
    assert failure.message.startswith("AWS did not respond: ")
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
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", "Set the clock"),
        ("SignatureDoesNotMatch", "Signature expired: 20261129T000000Z is now earlier than 20261129T100000Z", "Set the clock"),
        ("InvalidSignatureException", "Signature not yet current: 20261130T000000Z is still later than 20261129T000500Z", "Set the clock"),
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


def test_an_expired_login_says_to_log_in() -> None:
    # botocore has it since 1.41.0.
    error = type("LoginRefreshRequired", (BotoCoreError,), {"fmt": "Your session has expired."})
    assert failure_of(error()).message.endswith(". Run aws login, and run again.")


# Policies that count more than a permission


@pytest.mark.parametrize(
    ("ending", "remedy"),
    [
        ("because no identity-based policy allows the events:DescribeConnection action", "."),
        (
            "with an explicit deny in a permissions boundary: arn:aws:iam::123456789012:policy/one",
            "; the explicit deny counts more than any permission, so remove it from the permissions boundary.",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "; the explicit deny counts more than any permission, so remove it from the identity-based policy.",
        ),
        (
            "with an explicit deny in a VPC endpoint policy",
            "; the explicit deny counts more than any permission, so remove it from the VPC endpoint policy.",
        ),
        ("because no permissions boundary allows the it action", "; the permissions boundary has to allow it, too."),
        ("because no VPC endpoint policy allows the it action", "; the VPC endpoint policy has to allow it, too."),
    ],
)
def test_the_advice_names_the_policy_that_has_to_change(refusal: Refusal, ending: str, remedy: str) -> None:
    told = failure_of(refusal("AccessDenied", f"User: somebody is not authorized to perform: it {ending}", "DescribeConnection")).message
    assert told.endswith(f"Grant the caller the permission for DescribeConnection{remedy}")


# Regions in which there can be no integration


BY_ORGANIZATION = (
    "with an explicit deny in a service control policy",
    "with an explicit deny in a service control policy: arn:aws:organizations::123456789012:policy/o-1/service_control_policy/p-1",
    "with an explicit deny in a resource control policy",
    "because no service control policy allows the events:DescribeConnection action",
    "because no resource control policy allows the events:DescribeConnection action",
)
BY_OTHERS = (
    "with an explicit deny in a permissions boundary: arn:aws:iam::123456789012:policy/one",
    "because no permissions boundary allows the events:DescribeConnection action",
    "with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/one",
    "because no identity-based policy allows the events:DescribeConnection action",
    "with an explicit deny in a resource-based policy",
    "because no session policy allows the events:DescribeConnection action",
)


@pytest.mark.parametrize("ending", BY_ORGANIZATION)
def test_a_read_that_the_organization_denies_leaves_the_region_out_without_advice(refusal: Refusal, ending: str) -> None:
    failure = failure_of(
        refusal("AccessDeniedException", f"User: somebody is not authorized to perform: it {ending}", "DescribeConnection")
    )
    assert (failure.of_organization, failure.unsupported, failure.leaves_out) == (True, False, True)
    assert "Grant" not in failure.message


@pytest.mark.parametrize("ending", BY_OTHERS)
def test_a_read_that_another_policy_denies_can_be_granted(refusal: Refusal, ending: str) -> None:
    failure = failure_of(
        refusal("AccessDeniedException", f"User: somebody is not authorized to perform: it {ending}", "DescribeConnection")
    )
    assert not failure.leaves_out
    assert "Grant the caller the permission for DescribeConnection" in failure.message


@pytest.mark.parametrize("operation", ["CreateQueue", "PutRule", "DeleteConnection", "TagResource"])
def test_a_write_that_the_organization_denies_does_not_leave_the_region_out(refusal: Refusal, operation: str) -> None:
    failure = failure_of(refusal("AccessDenied", BY_ORGANIZATION[0], operation))
    assert not failure.leaves_out
    assert "Grant" not in failure.message


@pytest.mark.parametrize(
    ("code", "message", "unsupported"),
    [
        ("ValidationError", "Template format error: Unrecognized resource types: [AWS::Events::ApiDestination]", True),
        ("ValidationError", "Template format error: Unresolved resource dependencies [X]", False),
        ("TypeNotFoundException", "The type 'AWS::Events::ApiDestination' cannot be found.", True),
    ],
)
def test_cloudformation_without_the_resource_type_is_unsupported(refusal: Refusal, code: str, message: str, unsupported: bool) -> None:
    assert failure_of(refusal(code, message, "CreateStack")).unsupported == unsupported


@pytest.mark.parametrize(
    ("host", "missing", "unsupported"),
    [
        ("events.xx-nowhere-1.amazonaws.com", ["events.xx-nowhere-1.amazonaws.com"], True),
        ("events.cn-nowhere-1.amazonaws.com.cn", ["events.cn-nowhere-1.amazonaws.com.cn"], True),
        # It is there, and does not respond.
        ("events.xx-nowhere-1.amazonaws.com", [], False),
        # No name can be resolved: the machine has no DNS.
        ("events.xx-nowhere-1.amazonaws.com", ["events.xx-nowhere-1.amazonaws.com", "sts.amazonaws.com"], False),
        # Somebody's own endpoint.
        ("sandbox.example", ["sandbox.example"], False),
    ],
)
def test_an_endpoint_that_does_not_exist_is_unsupported(
    monkeypatch: pytest.MonkeyPatch, host: str, missing: list[str], unsupported: bool
) -> None:
    def resolve(name: str, port: int) -> list[t.Any]:
        if name in missing:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    failure = failure_of(EndpointConnectionError(endpoint_url=f"https://{host}/"))
    assert (failure.unsupported, failure.unreachable) == (unsupported, True)
    assert (host in failure.message, "does not exist" in failure.message) == (True, unsupported)


@pytest.mark.parametrize(
    ("host", "variable"),
    [
        ("events-fips.eu-west-1.amazonaws.com", "AWS_USE_FIPS_ENDPOINT"),
        ("sqs.eu-west-1.api.aws", "AWS_USE_DUALSTACK_ENDPOINT"),
        ("sqs.cn-north-1.api.amazonwebservices.com.cn", "AWS_USE_DUALSTACK_ENDPOINT"),
    ],
)
def test_a_region_without_this_kind_of_endpoint_is_supported_and_fails(monkeypatch: pytest.MonkeyPatch, host: str, variable: str) -> None:
    def resolve(name: str, port: int) -> list[t.Any]:
        if name == host:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    failure = failure_of(EndpointConnectionError(endpoint_url=f"https://{host}/"))
    assert (failure.leaves_out, failure.unreachable) == (False, True)
    assert failure.message.endswith(f"Exclude the region, or unset {variable}.")


def test_a_name_that_cannot_be_resolved_for_now_says_nothing_about_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, port: int) -> list[t.Any]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert not failure_of(EndpointConnectionError(endpoint_url="https://events.eu-west-1.amazonaws.com/")).unsupported
