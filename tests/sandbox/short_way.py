# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shortens the way of a call from boto3 to moto and back, inside of one process.

The serialised request, what moto reads from it, and the parsed response depend only on the arguments of the call, on the request and on
the body of the response. Equal ones are computed once. All else is as ever: each call is answered by the sandbox, and botocore itself
handles failures and retries.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from botocore.awsrequest import HeadersDict
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, create_parser
from moto.core import responses

from .moto_app import copied
from .server import Answer, Request

# More than a history has; what is kept is forgotten at once when it is full.
_MOST = 20_000
# Of other responses, botocore has to decide whether the call is made again.
_LASTING = (200, 400, 404)
_FINAL = ("ResourceNotFoundException", "NoSuchEntity", "AWS.SimpleQueueService.NonExistentQueue", "ValidationError", "ValidationException")
_PROTOCOLS = ("json", "query", "ec2")
Send = Callable[[str, str, Request], "Answer | None"]
"""Sends a request of a service and an operation; None stands for a connection closed without a response."""
Requests = dict[tuple[str, str], tuple[Request, Send]]


class _Call(threading.local):
    """The call that a thread makes by botocore's own code.

    Attributes:
        key: what its request is kept under; None if it is not kept.
        requests: where its request is kept.
        response_key: what its response is kept under.
        given: the response that is there already, in a list of one.
    """

    key: tuple[str, str] | None = None
    requests: Requests
    response_key: tuple[str, str, bytes] | None = None
    given: list[Answer | None] | None = None


@dataclass
class _Http:
    """As much of a response as handlers of `after-call` read."""

    status_code: int
    headers: Any


_call = _Call()
_responses: dict[tuple[str, str, bytes], tuple[Any, Any]] = {}
_make_api_call = BaseClient._make_api_call
_make_request = Endpoint.make_request


def given() -> list[Answer | None] | None:
    """Return the response that the call of this thread has already, in a list of one; None if it is to be made."""
    found, _call.given = _call.given, None
    return found


def keep(request: Request, send: Send) -> None:
    """Keep a request that botocore has made for the call of this thread, and how it is sent."""
    if _call.key is not None:
        if len(_call.requests) > _MOST:
            _call.requests.clear()
        request.read = {}
        _call.requests[_call.key] = (request, send)
        _call.key = None


def patches() -> Iterator[Any]:
    """Yield what takes the place of botocore's code, and of moto's random numbers of requests: they would make each response another."""

    def make_api_call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        requests: Requests = vars(client).setdefault("_requests", {})
        key = (operation, repr(arguments))
        service, model = client._service_model.service_name, client._service_model.operation_model(operation)
        if key not in requests:
            lasting = not model.idempotent_members and model.service_model.resolved_protocol in _PROTOCOLS
            with _as_ever(requests, key if lasting else None):
                return _make_api_call(client, operation, arguments)
        request, send = requests[key]
        answer = send(service, operation, request)
        response_key = (service, operation, answer.body) if answer is not None and answer.status in _LASTING else None
        kept = (_responses.get(response_key) or _parsed(model, response_key, answer)) if response_key and answer else None
        if kept is None:
            with _as_ever(requests, None, response_key, [answer]):
                return _make_api_call(client, operation, arguments)
        parsed = copied(kept[0])
        client.meta.events.emit(
            f"after-call.{client._service_model.service_id.hyphenize()}.{operation}",
            http_response=kept[1],
            parsed=parsed,
            model=model,
            context={},
        )
        if kept[1].status_code >= 300:
            raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
        return parsed

    def make_request(endpoint: Endpoint, model: Any, request: Any) -> Any:
        key, _call.response_key = _call.response_key, None
        http, parsed = _make_request(endpoint, model, request)
        if key and not parsed["ResponseMetadata"].get("RetryAttempts") and _is_final(parsed):
            _keep_response(key, copied(parsed), _Http(http.status_code, http.headers))
        return http, parsed

    yield mock.patch.object(BaseClient, "_make_api_call", make_api_call)
    yield mock.patch.object(Endpoint, "make_request", make_request)
    yield mock.patch.object(responses, "gen_amzn_requestid_long", _number)


def _parsed(model: OperationModel, key: tuple[str, str, bytes], answer: Answer) -> tuple[Any, Any] | None:
    """Parse a response by botocore's parser, without its way to there; None if it is a failure, or cannot be parsed."""
    if answer.status != 200:
        return None
    response = {"status_code": 200, "headers": HeadersDict(answer.headers), "body": answer.body, "context": {"operation_name": model.name}}
    try:
        parsed = _parser(model.service_model.resolved_protocol).parse(response, model.output_shape)
    except ResponseParserError:
        return None
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    return _keep_response(key, parsed, _Http(200, response["headers"]))


def _keep_response(key: tuple[str, str, bytes], parsed: Any, http: _Http) -> tuple[Any, Any]:
    if len(_responses) > _MOST:
        _responses.clear()
    _responses[key] = (parsed, http)
    return _responses[key]


_parser = functools.cache(create_parser)


@contextmanager
def _as_ever(
    requests: Requests,
    key: tuple[str, str] | None,
    response_key: tuple[str, str, bytes] | None = None,
    given: list[Answer | None] | None = None,
) -> Iterator[None]:
    """Let this thread make a call by botocore's own code; calls may be made while another one is answered."""
    before = dict(vars(_call))
    vars(_call).update(key=key, requests=requests, response_key=response_key, given=given)
    try:
        yield
    finally:
        vars(_call).clear()
        vars(_call).update(before)


def _is_final(parsed: dict[str, Any]) -> bool:
    """Tell whether a response is a failure after which botocore never makes the call again."""
    return parsed.get("Error", {}).get("Code") in _FINAL


def _number(headers: dict[str, Any] | None = None) -> str:
    if isinstance(headers, dict):
        headers["x-amzn-requestid"] = "sandbox"
    return "sandbox"
