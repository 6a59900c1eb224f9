# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import socket
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import REGION

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
        SSLError,
    )
except ImportError:  # AnsibleAWSModule reports it
    pass

# The responses of a region without API destinations; which of them AWS uses is not documented.
_UNSUPPORTED = frozenset({"UnknownOperationException", "UnsupportedOperationException", "InvalidAction", "TypeNotFoundException"})
# The same from CloudFormation, where a region lacks a resource type.
_UNSUPPORTED_TEXT = re.compile(r"Unrecognized resource types|Resource type \S+ (is not supported|not found|does not exist)")
# IAM user guide, access denied messages: denied explicitly, or allowed by no policy of the organisation.
_BY_ORGANIZATION = re.compile(r"explicit deny in a (service|resource) control policy|no (service|resource) control policy allows")
_READS = re.compile(r"Describe|Get|List")
# The same of other policies: a permission that is granted elsewhere does not suffice.
_BY_POLICY = re.compile(
    r"(explicit deny) in an? ([a-zA-Z -]+(?:policy|boundary))|no (permissions boundary|session policy|VPC endpoint policy) allows"
)
# Other kinds of endpoints, which not every service has in every region; by a part of the host, the variable that selects them.
_KINDS_OF_ENDPOINTS = (("fips", "AWS_USE_FIPS_ENDPOINT"), (".api.a", "AWS_USE_DUALSTACK_ENDPOINT"))
# A name that is known to exist: where it cannot be resolved either, the machine's DNS is at fault, not the region.
_KNOWN_HOST = "sts.amazonaws.com"
# OpenSSL's name of it, which botocore and urllib repeat.
_NOT_TRUSTED = "CERTIFICATE_VERIFY_FAILED"
_NO_SUCH_HOST = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationErrorException"})

# Conflicts, also with an earlier attempt whose response was lost: read and plan again.
_CONFLICTS = frozenset(
    {
        "AlreadyExistsException",
        "ConcurrentModification",
        "ConcurrentModificationException",
        "EntityAlreadyExists",
        "NoSuchEntity",
        "QueueAlreadyExists",
        "QueueNameExists",
        "ResourceAlreadyExistsException",
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    }
)
# The same in words: CloudFormation gives most of its refusals one code.
_CONFLICT_TEXT = re.compile(r"Stack.* (does not exist|is in \w+ state and can ?not|cannot be deleted while in status)", re.DOTALL)
_NO_CHANGE = "No updates are to be performed"
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# Temporary: only a later attempt succeeds.
_NOT_YET = (
    ("ValidationException", "cannot be assumed by principal"),  # a new IAM role has not spread
    ("ValidationException", "since it has targets"),  # removed targets have not gone
    ("AWS.SimpleQueueService.QueueDeletedRecently", ""),  # SQS keeps a name for 60 seconds
    ("QueueDeletedRecently", ""),
)

# The accounts that may administer stack sets of an organisation.
ADMINISTRATOR = (
    "Use the management account; or register this account for member.org.stacksets.cloudformation.amazonaws.com"
    " (organizations:RegisterDelegatedAdministrator), grant the caller organizations:ListDelegatedAdministrators, and set"
    " call_as=delegated_admin."
)

# The remedy by the response of AWS or botocore, "code: message", if the response does not contain it.
_REMEDIES = (
    # Security token service: a token of the global endpoint is valid only in regions that are enabled by default (IAM user guide).
    (
        re.compile(r"(InvalidClientTokenId|UnrecognizedClientException|AuthFailure|InvalidToken):"),
        "Check the credentials. Temporary credentials of the global STS endpoint are not valid in regions that the account has opted into:"
        " get them from a regional endpoint (AWS_STS_REGIONAL_ENDPOINTS=regional).",
    ),
    # CloudFormation looks the administrator up with the caller's permissions, and responds the same without them.
    (
        re.compile(r".*\bdelegated admin"),
        ADMINISTRATOR,
    ),
    (re.compile(r"(SSOTokenLoadError|UnauthorizedSSOTokenError|TokenRetrievalError|SSOError):"), "Run aws sso login, and run again."),
    (re.compile(r"Login(RefreshRequired|TokenLoadError|AuthorizationCodeError|Error):"), "Run aws login, and run again."),
    # AWS takes requests that were signed within five minutes of its own time (IAM user guide, Signature Version 4).
    (re.compile(r"RequestTimeTooSkewed:|.*Signature (expired|not yet current)"), "Set the clock of this machine, and run again."),
)


@dataclass(frozen=True)
class Failure:
    """Why something could not be done in a region.

    :ivar code: AWS's error code, or the name of the problem
    :ivar message: one line: the attempted call, AWS's response, the remedy
    :ivar unreachable: whether no other call to that region will succeed either
    :ivar unsupported: whether the region does not know the operation, or does not exist
    :ivar of_organization: whether the organisation refuses even to read in the region
    """

    code: str
    message: str
    unreachable: bool = False
    unsupported: bool = field(default=False, compare=False)
    of_organization: bool = field(default=False, compare=False)

    @property
    def denied(self) -> bool:
        """Return whether the caller lacks a permission."""
        return self.code in _DENIED

    @property
    def leaves_out(self) -> bool:
        """Return whether there can be no integration in the region, with any permissions."""
        return self.unsupported or self.of_organization

    def as_dict(self) -> dict[str, str]:
        """Return the shape of ``error`` in every result."""
        return {"code": self.code, "message": self.message}


class RegionError(Exception):
    """A resource cannot go on in a region although AWS responded."""

    def __init__(self, code: str, message: str, conflict: bool = False) -> None:
        """
        :param conflict: whether reading and planning again can help
        """
        super().__init__(message)
        self.failure = Failure(code, message)
        self.conflict = conflict


def error_code(error: BaseException) -> str:
    """Return AWS's code of an error; an empty string without a response of AWS."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def is_code(error: BaseException, *codes: str) -> bool:
    """Return whether AWS gave one of these codes: a condition, where amazon.aws's `is_boto3_error_code` is a class for `except` alone."""
    return error_code(error) in codes


def is_conflict(error: BaseException) -> bool:
    """Return whether reading and planning again can help: the resource changed between reading and writing."""
    if isinstance(error, RegionError):
        return error.conflict
    if error_code(error) == "ValidationError":
        # An earlier attempt whose response was lost may have left nothing to change.
        return bool(_CONFLICT_TEXT.match(_words(error))) or (_NO_CHANGE in _words(error) and _attempts(error) > 1)
    return error_code(error) in _CONFLICTS


def is_conflict_code(code: str) -> bool:
    """Return whether a code, of a call or of an entry of a call, reports that the resource changed between reading and writing."""
    return code in _CONFLICTS


def is_no_change(error: BaseException) -> bool:
    """Return whether CloudFormation reports that there is nothing to do (CloudFormation API reference, UpdateStack)."""
    return error_code(error) == "ValidationError" and _NO_CHANGE in _words(error) and _attempts(error) == 1


def is_not_yet(error: BaseException) -> bool:
    """Return whether the same call will succeed later, without anybody doing anything."""
    return any(error_code(error) == code and part in _words(error) for code, part in _NOT_YET)


def failure_of(error: BaseException) -> Failure:
    """Turn an exception of a region into one line for people and a code for programs."""
    if isinstance(error, RegionError):
        return error.failure
    if isinstance(error, ClientError):
        return _failure_of_response(error)
    name = type(error).__name__
    if isinstance(error, NoCredentialsError):
        return Failure(name, "no AWS credentials were found: set AWS_PROFILE, or credentials as for amazon.aws modules")
    if isinstance(error, (ConnectionError, HTTPClientError)):
        return _failure_to_connect(error)
    if isinstance(error, BotoCoreError):
        return Failure(name, _with_remedy(name, _one_line(error)))
    return Failure(name, f"unexpected: {_one_line(error)}")


def remedy_of_connection(why: object, otherwise: str) -> str:
    """Return what to do about a service that did not respond.

    :param why: the error, or a text with it
    :param otherwise: the remedy if the reason is not that its certificate is not trusted
    """
    return "Name the file of your authority's certificates in REQUESTS_CA_BUNDLE." if _NOT_TRUSTED in str(why) else otherwise


def _failure_to_connect(error: BaseException) -> Failure:
    missing = isinstance(error, EndpointConnectionError) and _is_missing(error)
    variable = next((variable for part, variable in _KINDS_OF_ENDPOINTS if part in _host(error)), "") if missing else ""
    if variable:
        # The region has the service, at another address.
        missing = False
        message = (
            f"{_host(error)} does not exist: the service has no such endpoint in this region. Exclude the region, or unset {variable}."
        )
    elif missing:
        message = f"{_host(error)} does not exist: there is no such service in this region. If AWS has it, install a newer botocore."
    else:
        remedy = "Check the network and AWS_ENDPOINT_URL, or run again later."
        if isinstance(error, SSLError) and "[Errno" in str(error):  # it names no file
            remedy = "Correct the file of certificates in AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or the profile's ca_bundle."
        remedy = remedy_of_connection(error, remedy)
        message = f"AWS did not respond: {_one_line(error).rstrip('.')}. {remedy}"
    return Failure(type(error).__name__, message, unreachable=True, unsupported=missing)


def _failure_of_response(error: t.Any) -> Failure:
    code = error_code(error) or "UnknownError"
    message = f"{error.operation_name}: {_one_line(error.response.get('Error', {}).get('Message') or error)}"
    by_organization = code in _DENIED and bool(_BY_ORGANIZATION.search(message))
    if code in _DENIED and not by_organization:
        message = f"{message.rstrip('.')}. Grant the caller the permission for {error.operation_name}{_remedy_of_policy(message)}."
    if code in _EXPIRED:
        message = f"{message.rstrip('.')}. Get new credentials and run again; operations that AWS has begun continue."
    message = _with_remedy(code, message)
    if _attempts(error) > 1:
        message += f" (tried {_attempts(error)} times)"
    return Failure(
        code,
        message,
        unreachable=error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500,
        unsupported=code in _UNSUPPORTED or (code == "ValidationError" and bool(_UNSUPPORTED_TEXT.search(message))),
        # A write that is refused where reads are allowed is a condition of the organisation's, not a region that it denies.
        of_organization=by_organization and bool(_READS.match(error.operation_name)),
    )


def _remedy_of_policy(message: str) -> str:
    """Return the remedy if a policy denies, or one that limits all others does not allow; empty for a missing permission."""
    found = _BY_POLICY.search(message)
    if not found:
        return ""
    if found.group(1):
        return f"; the explicit deny counts more than any permission, so remove it from the {found.group(2)}"
    return f"; the {found.group(3)} has to allow it, too"


def _is_missing(error: t.Any) -> bool:
    """Return whether the endpoint of a region does not exist, judged by DNS."""
    host = _host(error)
    if not any(REGION.match(label) for label in host.split(".")):
        return False  # somebody's own endpoint
    return _no_such_host(host) and not _no_such_host(_KNOWN_HOST)


def _host(error: t.Any) -> str:
    return urlsplit(str(error.kwargs.get("endpoint_url"))).hostname or ""


def _no_such_host(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443)
    except socket.gaierror as error:
        return error.errno in _NO_SUCH_HOST
    except OSError:
        pass
    return False


def _with_remedy(code: str, message: str) -> str:
    remedy = next((remedy for pattern, remedy in _REMEDIES if pattern.match(f"{code}: {message}")), "")
    return f"{message.rstrip('.')}. {remedy}" if remedy else message


def _words(error: BaseException) -> str:
    return str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, ClientError) else ""


def _attempts(error: BaseException) -> int:
    """Return the number of botocore's attempts."""
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) + 1 if isinstance(error, ClientError) else 1


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
