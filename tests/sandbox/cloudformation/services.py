# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that CloudFormation makes to other services, on behalf of whoever asked for the stack.

They take the way of every other call, less the network: they are logged (as made by CloudFormation), struck by faults, and
refused what the caller may not do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from ..aws import Aws, Origin
from ..server import Request
from ..settings import Settings
from .errors import Abandoned, Failure, handler_failure, service_failure

_ONCE = Config(retries={"total_max_attempts": 1})
_HOMES = {"iam": "us-east-1"}
_POLL_SECONDS = 0.02

_session = botocore.session.get_session()
_session_lock = threading.Lock()
_clients: dict[tuple[str, str, str], Any] = {}


def in_background(function: Callable[[], None]) -> None:
    """Begin what goes on after the answer of a call."""
    threading.Thread(target=function, daemon=True).start()


@dataclass(frozen=True)
class Surroundings:
    """Where CloudFormation is.

    Attributes:
        url: the sandbox's address of AWS: a queue's URL has it in it.
        alive: tells whether the sandbox is still the one that an operation began in.
    """

    settings: Settings
    aws: Aws
    url: str
    alive: Callable[[], bool]


class Services:
    """AWS as one operation of CloudFormation sees it.

    Args:
        account: the account that the calls are made in.
        region: the region, except for IAM.
        access_key: whose permissions count, None for a role's that may do all that is needed.
    """

    def __init__(self, around: Surroundings, account: str, region: str, access_key: str | None) -> None:
        self.settings = around.settings
        self._aws, self._url, self._region = around.aws, around.url, region
        self._origin = Origin("cloudformation", account, access_key, around.alive)

    def call(self, service: str, operation: str, /, **arguments: Any) -> dict[str, Any]:
        """Make a call and return its answer; a Failure says what a resource's action failed of.

        Args:
            arguments: as boto3 takes them; numbers and booleans may be text, as they often are in a template.
        """
        client = self._client(service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        try:
            with self._as_caller():
                answer: dict[str, Any] = getattr(client, xform_name(operation))(**_typed(arguments, shape))
        except ClientError as error:
            raise service_failure(service, error) from None
        except BotoCoreError as error:
            raise handler_failure(f"{error}", "NetworkFailure" if isinstance(error, ConnectionClosedError) else "InvalidRequest") from None
        except ResponseParserError as error:
            raise handler_failure(f"{error}", "InternalFailure") from None
        except (TypeError, ValueError) as error:
            raise Failure(f"Properties validation failed for resource with message: {error}") from None
        return answer

    def wait(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something is so; a Failure after `seconds`."""
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                raise handler_failure("The resource did not stabilize in time.", "NotStabilized")
            self.sleep(_POLL_SECONDS)

    def sleep(self, seconds: float) -> None:
        """Let time pass, and end the operation if the sandbox was reset meanwhile."""
        time.sleep(seconds)
        if not self._origin.alive():
            raise Abandoned

    @contextmanager
    def _as_caller(self) -> Iterator[None]:
        before, _caller.services = _caller.services, self
        try:
            yield
        finally:
            _caller.services = before

    def _client(self, service: str) -> Any:
        """Return a client. To make one takes longer than its calls, so that all operations have the same ones."""
        key = (service, _HOMES.get(service, self._region), self._url)
        with _session_lock:
            if key not in _clients:
                _clients[key] = _session.create_client(
                    service,
                    region_name=key[1],
                    endpoint_url=self._url,
                    aws_access_key_id="cloudformation",
                    aws_secret_access_key="cloudformation",
                    config=_ONCE,
                )
                _clients[key].meta.events.register("before-send", _send)
        return _clients[key]

    def send(self, request: Any) -> AWSResponse:
        """Send a request of botocore."""
        parts, headers = urlsplit(request.url), Message()
        for name, value in {"Host": parts.netloc, **request.headers}.items():
            headers[name] = value.decode() if isinstance(value, bytes) else str(value)
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        target = f"{parts.path or '/'}?{parts.query}".rstrip("?")
        answer = self._aws.handle_from_inside(Request(request.method, target, headers, body), self._origin)
        if not self._origin.alive():
            raise Abandoned
        if answer is None:
            raise ConnectionClosedError(endpoint_url=request.url)
        return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))


class _Caller(threading.local):
    """Who makes the call of a thread."""

    services: Services | None = None


_caller = _Caller()


def _send(request: Any, **_: Any) -> AWSResponse:
    assert _caller.services
    return _caller.services.send(request)


class _Raw(BytesIO):
    def stream(self) -> Any:
        yield self.read()


def _typed(value: Any, shape: Any) -> Any:
    """Return a value with the types that an API wants."""
    kind = shape.type_name if shape else None
    if kind == "structure" and isinstance(value, dict):
        return {key: _typed(item, shape.members.get(key)) for key, item in value.items()}
    if kind == "map" and isinstance(value, dict):
        return {key: _typed(item, shape.value) for key, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_typed(item, shape.member) for item in value]
    if kind in ("integer", "long"):
        return int(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    is_number = isinstance(value, (bool, int, float))
    return str(value).lower() if kind == "string" and is_number else value
