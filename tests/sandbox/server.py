# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small HTTP/1.1 server on loopback: a thread and a kept-alive connection per client.

Werkzeug's own server closes every connection after one answer, which would make the clients under test pay for a new
one with every call.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Request:
    """A request as received; `target` is the path with its query string, undecoded.

    Attributes:
        read: what moto has read from it, if it is kept to be sent again.
        parsed: what it is about, if it is kept.
    """

    method: str
    target: str
    headers: Message
    body: bytes
    read: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    parsed: Any = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query_string(self) -> str:
        return self.target.partition("?")[2]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))


@dataclass
class Answer:
    """What goes back; Content-Length is added by the server."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return `value` as a JSON answer."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


Handler = Callable[[Request], "Answer | None"]
"""Answers a request. None closes the connection without an answer."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a kept-alive client waits 40 ms for every answer
    server: Server

    def _serve(self) -> None:
        # parse_request has already set close_connection where the client asked for it.
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.handler(Request(self.command, self.path, self.headers, body))
        if answer is None:
            self.close_connection = True
            return
        head = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "content-length"]
        head += [f"Content-Length: {len(answer.body)}", "", ""]
        content = b"" if self.command == "HEAD" else answer.body
        try:
            self.wfile.write("\r\n".join(head).encode("latin-1") + content)
        except OSError:  # the client has given up, after a hang for instance
            self.close_connection = True

    # http.server looks the methods up by these names.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Stay silent: every side has a log of its own."""


class Server(ThreadingHTTPServer):
    """Serves `handler` on a free loopback port, each connection in a thread of its own."""

    daemon_threads = True
    block_on_close = False  # a hanging call must not delay the end of the process
    request_queue_size = 512

    def __init__(self, handler: Handler) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.handler = handler

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serve in the background."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that disconnects is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
