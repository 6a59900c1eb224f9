# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mail server: aiosmtpd on loopback, with STARTTLS or TLS, and a user who has to log in."""

from __future__ import annotations

import email
import email.policy
import secrets
import socket
import ssl
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

USER = "operator"


class Mail:
    """Keeps the messages it gets.

    Args:
        encryption: starttls, tls or none.
        context: the server's side of TLS; none only without encryption.
        refused: an address that it does not take.
    """

    def __init__(self, encryption: str = "none", context: ssl.SSLContext | None = None, refused: str | None = None) -> None:
        self.password = secrets.token_hex(16)
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self._refused = refused
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        options: dict[str, Any] = {"authenticator": self._authenticate, "auth_required": True}
        if encryption == "tls":
            options |= {"ssl_context": context, "auth_require_tls": False}
        elif encryption == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        else:
            options |= {"auth_require_tls": False}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        known = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), self.password.encode())
        return AuthResult(success=known, handled=False)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        if address == self._refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.messages.append(email.message_from_bytes(content, policy=email.policy.default))  # type: ignore[arg-type]
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"
