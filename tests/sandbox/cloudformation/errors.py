# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudFormation refuses, and why a resource failed."""

from __future__ import annotations

import re
from uuid import uuid4

from botocore.exceptions import ClientError

_SERVICES = {"events": "EventBridge", "sqs": "Sqs", "iam": "Iam"}

# HandlerErrorCode by the code that the service answers; whatever is not here is GeneralServiceException.
_HANDLER_CODES = (
    (r"AlreadyExists|QueueNameExists", "AlreadyExists"),
    (r"NotFound|NoSuchEntity|NonExistent|DoesNotExist", "NotFound"),
    (r"Throttl", "Throttling"),
    (r"AccessDenied|Unauthorized|NotAuthorized", "AccessDenied"),
    (r"LimitExceeded", "ServiceLimitExceeded"),
    (r"ConcurrentModification|DeleteConflict", "ResourceConflict"),
    (r"Internal", "ServiceInternalError"),
    (r"Validation|Invalid|Malformed", "InvalidRequest"),
)


class Refusal(Exception):
    """An error that CloudFormation answers.

    Args:
        message: AWS's words.
        code: the error's code; ValidationError stands for most of what is wrong with a request.
    """

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.message, self.code = message, code


class Failure(Exception):
    """A resource's action failed. Its text is the reason in the stack's events."""


class NotFound(Failure):
    """What the resource's action is about is not there (any more)."""


class Abandoned(Exception):
    """The sandbox was reset while the operation was under way: it ends without a trace."""


def handler_failure(message: str, code: str) -> Failure:
    """Return what a failed handler of a resource type says."""
    kind = NotFound if code == "NotFound" else Failure
    return kind(f'Resource handler returned message: "{message}" (RequestToken: {uuid4()}, HandlerErrorCode: {code})')


def service_failure(service: str, error: ClientError) -> Failure:
    """Return the failure that a service's refusal is the reason of."""
    response = error.response
    code = response["Error"]["Code"]
    said = (
        f"{response['Error']['Message']} (Service: {_SERVICES.get(service, service)}, "
        f"Status Code: {response['ResponseMetadata']['HTTPStatusCode']}, Request ID: {uuid4()}) (SDK Attempt Count: 1)"
    )
    return handler_failure(said, next((known for pattern, known in _HANDLER_CODES if re.search(pattern, code)), "GeneralServiceException"))


def already_exists(resource_type: str, name: str) -> Failure:
    """Return the failure of creating what is there already, where the service itself would not mind."""
    return handler_failure(f"Resource of type '{resource_type}' with identifier '{name}' already exists.", "AlreadyExists")
