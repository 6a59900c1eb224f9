# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox inside of the process that uses it: the same code without HTTP and real time, and with threads that take turns.

A request of botocore ends in its event `before-send`, one of urllib in `urlopen`, a delivery in an object that has urllib3's `request`;
each is handed to what answers it behind the server otherwise. Time passes where somebody sleeps, and what is to happen later happens
then, in the thread of the caller: the same steps have the same result.
"""

from __future__ import annotations

import concurrent.futures
import functools
import heapq
import io
import itertools
import json
import os
import time
import urllib.error
import urllib.request
import urllib.response
from collections.abc import Callable
from email.message import Message
from typing import Any, ClassVar, Self
from unittest import mock
from urllib.parse import urlencode, urlsplit

import botocore.auth
import botocore.handlers
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.iam.models import AccessKey, iam_backends

from . import short_way, turns
from .client import Json, Sandbox
from .cloudformation import deployment, services
from .scheduler import Scheduler
from .server import Answer, Request
from .world import World

# Nobody listens on these; whoever called them by HTTP would get no connection.
URLS = {"aws": "http://127.0.0.1:11", "spot": "http://127.0.0.1:12", "control": "http://127.0.0.1:13"}
SECONDS_PER_CALL = 0.002

Watcher = Callable[[str, str, Callable[[], "Answer | None"]], "Answer | None"]
"""Is given each call of a caller: its service, its operation, and the function that makes it; returns its answer."""


class Clock(Scheduler):
    """A clock that stands still until somebody sleeps, and the scheduler by it."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self.reset()

    def reset(self) -> None:
        """Begin again, now."""
        self.passed, self._begin = 0.0, _REAL_TIME()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def time(self) -> float:
        """As time.time."""
        return self._begin + self.passed

    def monotonic(self) -> float:
        """As time.monotonic. Not from 0 on, as 0 stands for long ago in places."""
        return 1_000_000.0 + self.passed

    def sleep(self, seconds: float) -> None:
        """As time.sleep; what is due meanwhile is done."""
        end = self.passed + max(seconds, 0.0)
        while self._due and self._due[0][0] <= end:
            due, _, function = heapq.heappop(self._due)
            self.passed = max(self.passed, due)
            function()
        self.passed = max(self.passed, end)

    def call(self, delay: float, function: Callable[[], None]) -> None:
        """Run `function` in `delay` seconds."""
        heapq.heappush(self._due, (self.passed + delay, next(self._order), function))

    def clear(self) -> None:
        """Forget what is waiting."""
        self._due.clear()

    @property
    def next(self) -> float | None:
        """In how many seconds something is to be done, None if nothing is."""
        return max(self._due[0][0] - self.passed, 0.0) if self._due else None


_REAL_TIME = time.time


class InProcess(Sandbox):
    """A sandbox in this process; one at a time, as moto's state is global.

    Attributes:
        watcher: is given each call of a caller, those of urllib included; for kills and interleaved runs.
    """

    _world: World | None = None
    _clients: ClassVar[dict[str, Any]] = {}
    _keys: ClassVar[set[str]] = set()

    def start(self, timeout: float = 120) -> Self:
        """Take the place of time, threads, botocore's and urllib's network until stop()."""
        self.clock, self.watcher = CLOCK, PLAIN
        world = type(self)._world = type(self)._world or World(self._token, CLOCK, _Deliveries(self), dict(URLS))
        world.delivery._http.sandbox = self  # type: ignore[union-attr]
        self._know({"pid": os.getpid(), **world.described()})
        # Before botocore gets the handler of callers: each handler of `before-send` makes the call, and tests would make theirs twice.
        self._session = botocore.session.get_session()
        self._patches = [
            mock.patch.object(time, "sleep", CLOCK.sleep),
            mock.patch.object(time, "time", CLOCK.time),
            mock.patch.object(time, "monotonic", CLOCK.monotonic),
            mock.patch.object(concurrent.futures, "ThreadPoolExecutor", turns.Executor),
            mock.patch.object(concurrent.futures, "Future", turns.Future),
            mock.patch.object(concurrent.futures, "wait", turns.wait),
            mock.patch.object(services, "in_background", lambda function: CLOCK.call(0, function)),
            mock.patch.object(deployment, "_at_once", lambda _workers, work, items: [work(item) for item in items]),
            mock.patch.object(urllib.request, "urlopen", self._open),
            # All sessions have the same models.
            mock.patch.object(botocore.session, "create_loader", functools.cache(botocore.session.create_loader)),
            # Is not looked at here, and takes longer than all else.
            mock.patch.object(botocore.auth.SigV4Auth, "add_auth", _name_credential),
            mock.patch.object(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, ("before-send", self._send)]),
            mock.patch.dict(os.environ, self.env(None), clear=True),
            *short_way.patches(),
        ]
        for patch in self._patches:
            patch.start()
        world.start()
        self.reset()
        return self

    def stop(self) -> None:
        """Give back what start() took."""
        for patch in reversed(self._patches):
            patch.stop()

    @property
    def world(self) -> World:
        """The sandbox itself: what tests see and do not change by it is the truth."""
        assert self._world
        return self._world

    def reset(self) -> None:
        """See Sandbox; time begins again, too."""
        self.clock.reset()
        self.watcher = PLAIN
        super().reset()

    def call(self, method: str, path: str, body: Json | None = None, /, timeout: float = 60, **query: Any) -> Any:
        """See Sandbox."""
        wanted = urlencode({name: value for name, value in query.items() if value is not None})
        target = f"{path}{'&' if '?' in path else '?'}{wanted}" if wanted else path
        answer = self.world.control.handle(Request(method, target, Message(), b"" if body is None else json.dumps(body).encode()))
        if answer.status != 200:
            raise ValueError(json.loads(answer.body)["error"])
        return json.loads(answer.body)

    def settled(self, timeout: float = 10) -> bool:
        """See Sandbox: time passes until no delivery is under way."""
        end = self.clock.passed + timeout
        while self.world.delivery.in_flight and self.clock.next is not None and self.clock.passed + self.clock.next <= end:
            self.clock.sleep(self.clock.next)
        return not self.world.delivery.in_flight

    def boto3(self, service: str, region: str = "us-east-1", access_key: str = "testing", **options: Any) -> Any:
        """See Sandbox. Its calls are not given to the watcher."""
        given = {"aws_access_key_id": access_key, "aws_secret_access_key": "testing", **options}
        kept = repr((service, region, given))
        if kept not in self._clients:
            client = self._clients[kept] = self._session.create_client(service, region, endpoint_url=self.aws_url, **given)
            client.meta.events.register_first(
                "before-send", lambda request, event_name, **_: self._sent(request, event_name, self._of_test)
            )
        return self._clients[kept]

    def key_of(self, account: str) -> str:
        """Return an access key of an AWS account."""
        if account == "123456789012":
            return "testing"
        keys = iam_backends[account]["aws"].access_keys
        keys.setdefault(f"AKIA{account}", AccessKey("somebody", "AKIA", account))
        self._keys.add(f"AKIA{account}")
        return f"AKIA{account}"

    # The transports

    def _send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        return self._sent(request, event_name, self._of_caller) if request.url.startswith(self.aws_url) else None

    def _of_caller(self, service: str, operation: str, request: Request) -> Answer | None:
        return self.watcher(service, operation, lambda: self._answered(request, "aws"))

    def _of_test(self, _service: str, _operation: str, request: Request) -> Answer | None:
        return self._answered(request, "aws")

    def _sent(self, request: Any, event_name: str, send: short_way.Send) -> AWSResponse:
        there = short_way.given()
        if there:
            return _response(request.url, there[0])
        url = urlsplit(request.url)
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        headers["Host"] = url.netloc
        # moto finds the account of some of its own keys only.
        account = next((key[4:] for key in self._keys if key in headers.get("Authorization", "")), "")
        if account:
            headers["x-moto-account-id"] = account
        content = request.body or b""
        body = content.encode() if isinstance(content, str) else content if isinstance(content, bytes) else content.read()
        target = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
        sent = Request(request.method, target, headers, body)
        short_way.keep(sent, send)
        service, operation = event_name.split(".")[1:3]
        return _response(request.url, send(service, operation, sent))

    def _answered(self, request: Request, side: str) -> Answer | None:
        answer = self.world.aws.handle(request) if side == "aws" else self.world.spot.handle(request)
        self.clock.sleep(SECONDS_PER_CALL)
        return answer

    def _open(self, request: Any, data: Any = None, timeout: Any = None, **_: Any) -> Any:
        if not request.full_url.startswith(self.spot_url):
            raise urllib.error.URLError("nobody is there")
        headers = Message()
        for name, value in request.header_items():
            headers[name] = value
        given = Request(request.get_method(), request.full_url[len(self.spot_url) :], headers, request.data or b"")
        answer = self.watcher("spot", given.method, lambda: self._answered(given, "spot"))
        if answer is None:
            raise urllib.error.URLError(ConnectionResetError("the connection was closed"))
        if answer.status >= 300:
            raise urllib.error.HTTPError(request.full_url, answer.status, "", _headers(answer), io.BytesIO(answer.body))  # type: ignore[arg-type]
        return urllib.response.addinfourl(io.BytesIO(answer.body), _headers(answer), request.full_url, answer.status)


def _name_credential(signer: Any, request: Any) -> None:
    """Say whose call it is, without a signature."""
    scope = f"{signer.credentials.access_key}/20260101/{signer._region_name}/{signer._service_name}/aws4_request"
    request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def _make(_service: str, _operation: str, call: Callable[[], Answer | None]) -> Answer | None:
    return call()


PLAIN: Watcher = _make


def _response(url: str, answer: Answer | None) -> AWSResponse:
    if answer is None:
        raise ConnectionClosedError(endpoint_url=url)
    return AWSResponse(url, answer.status, _headers(answer), _Raw(answer.body))


def _headers(answer: Answer) -> Message:
    headers = Message()
    for name, value in answer.headers.items():
        headers[name] = value
    return headers


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Any:
        """See urllib3.HTTPResponse."""
        yield self.read()


class _Deliveries:
    """Sends what EventBridge delivers; has what it asks of urllib3."""

    def __init__(self, sandbox: InProcess) -> None:
        self.sandbox = sandbox

    def request(self, method: str, url: str, headers: dict[str, str], body: bytes, **_: Any) -> Any:
        """See urllib3.PoolManager."""
        if not url.startswith(self.sandbox.spot_url):
            raise ValueError("nobody is there")
        message = Message()
        for name, value in headers.items():
            message[name] = value
        answer = self.sandbox.world.spot.handle(Request(method, url[len(self.sandbox.spot_url) :], message, body))
        if answer is None:
            raise ValueError("the connection was closed")
        return mock.Mock(status=answer.status, headers=_headers(answer))


CLOCK = Clock()
