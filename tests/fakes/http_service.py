# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of all fake HTTP services: a log of the requests, credentials that are checked, and faults."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import time
from typing import Any, Self

from tests.sandbox.server import Answer, Request, Server, json_answer

Json = dict[str, Any]


class FakeService:
    """An HTTP service on loopback. Who does not authenticate gets 401.

    Attributes:
        received: the requests so far: method, path, query, headers, body, status.
        status: answer everything with this status, if set.
        silent: seconds to say nothing before the connection is closed, if set.
    """

    def __init__(self) -> None:
        self.received: list[Json] = []
        self.status: int | None = None
        self.silent: float | None = None
        self.secret = secrets.token_hex(16)
        self._scheme = "http"
        self._server = Server(self._handle)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https"

    @property
    def url(self) -> str:
        return self._server.url.replace("http", self._scheme, 1)

    @property
    def bodies(self) -> list[Any]:
        """The bodies of the requests that were answered with a yes."""
        return [entry["body"] for entry in self.received if entry["status"] < 300]

    def answer(self, request: Request, body: Any) -> Answer:
        """Answer an authenticated request; `body` is parsed."""
        raise NotImplementedError

    def authenticated(self, request: Request) -> bool:
        """Whether the request may be answered."""
        return request.headers.get("Authorization") == f"Bearer {self.secret}"

    def _handle(self, request: Request) -> Answer | None:
        if self.silent is not None:
            time.sleep(self.silent)
            return None
        body = json.loads(request.body) if request.body else None
        if self.status is not None:
            # As many services do, it repeats what it was sent.
            answer = Answer(self.status, f"error for {request.headers.get('Authorization')} at {request.target}".encode())
        elif not self.authenticated(request):
            answer = json_answer({"message": "not authenticated"}, 401)
        else:
            answer = self.answer(request, body)
        self.received.append(
            {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": dict(request.headers.items()),
                "body": body,
                "status": answer.status,
            }
        )
        return answer


def is_basic(request: Request, user: str, password: str) -> bool:
    """Whether a request authenticates as this user."""
    expected = base64.b64encode(f"{user}:{password}".encode()).decode()
    return request.headers.get("Authorization") == f"Basic {expected}"
