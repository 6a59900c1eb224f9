# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import smtplib
import ssl
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import basic, ca_bundle, scrub
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import RESPONSE_TIMEOUT, within
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, is_loopback
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import ChannelError, Delivery, Message

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def argument_spec() -> ArgumentSpec:
    """Return the options of this channel."""
    return {
        "host": {"type": "str", "required": True},
        "port": {"type": "int"},
        "encryption": {"type": "str", "choices": ["starttls", "tls", "none"], "default": "starttls"},
        "user": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "sender": {"type": "str", "required": True},
        "recipients": {"type": "list", "elements": "str", "required": True},
        **service_argument_spec(),
    }


@dataclass(frozen=True)
class MailChannel:
    """An e-mail over SMTP: the text, and the JSON document attached.

    :ivar encryption: `starttls`, `tls` from the first byte, or `none`
    """

    host: str
    port: int
    encryption: str
    user: str
    sender: str
    recipients: tuple[str, ...]
    password: str = field(repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    seconds: float = RESPONSE_TIMEOUT

    name: t.ClassVar[str] = "mail"

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> MailChannel:
        """
        :raises ArgumentError: an address is none, or the password would go over the network in clear.
        """
        if params["encryption"] == "none" and not is_loopback(params["host"]):
            raise ArgumentError(
                "mail.encryption 'none' is for loopback only: the notification and the password would be readable on the way."
            )
        if bool(params["user"]) != bool(params["password"]):
            raise ArgumentError("mail.user and mail.password go together: give both, or neither.")
        recipients = tuple(_address(recipient, "mail.recipients") for recipient in params["recipients"])
        if not recipients:
            raise ArgumentError("mail.recipients is empty: give at least one address.")
        return cls(
            host=params["host"],
            port=params["port"] or _PORTS[params["encryption"]],
            encryption=params["encryption"],
            user=params["user"] or "",
            password=params["password"] or "",
            sender=_address(params["sender"], "mail.sender"),
            recipients=recipients,
            validate_certs=params["validate_certs"],
            ca_path=params["ca_path"],
        )

    def send(self, notification: Message) -> Delivery:
        """See `message.Channel`."""
        try:
            refused = within(self.seconds, lambda: self._send(self.message(notification)))
        except Exception as error:
            raise ChannelError(self._scrub(f"the mail server {self.host}:{self.port}: {_reason(error)}")) from None
        if refused:
            # A retry may send it twice to the other recipients, so that each recipient gets it.
            reasons = ", ".join(f"{address}: {code} {_text(why)}" for address, (code, why) in refused.items())
            raise ChannelError(self._scrub(f"the mail server {self.host}:{self.port} refuses recipients: {reasons}"))
        return Delivery()

    def message(self, notification: Message) -> EmailMessage:
        """Return the mail. Its id follows from the notification, so that one that is sent twice is recognised."""
        message = EmailMessage()
        message["Subject"] = notification.subject
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = format_datetime(datetime.strptime(notification.time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc))
        message["Message-ID"] = f"<{notification.id}@spot.eventbridge>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notification.text())
        attached = json.dumps(notification.document(), indent=2).encode()
        message.add_attachment(attached, maintype="application", subtype="json", filename=f"notification-{notification.spot_account}.json")
        return message

    def _send(self, message: EmailMessage) -> dict[str, tuple[int, bytes]]:
        timeout = self.seconds / 2
        if self.encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=timeout, context=self._context())
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=timeout)
        with server:
            if self.encryption == "starttls":
                server.starttls(context=self._context())
            if self.user:
                server.login(self.user, self.password)
            return server.send_message(message, self.sender, list(self.recipients))

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_path or ca_bundle())
        if not self.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _scrub(self, text: str) -> str:
        return scrub(text, (self.password, basic(self.user, self.password).split()[1] if self.password else ""))


def _address(text: str, what: str) -> str:
    """Return an address without a name, so that nothing but an address can come into a header.

    :raises ArgumentError: it is none.
    """
    address = parseaddr(text)[1]
    try:
        Address(addr_spec=address)
    except Exception:
        address = ""
    if not address or address != text.strip() or "@" not in address:
        raise ArgumentError(f"{what}: {text[:100]!r} is not an e-mail address. An address has the form somebody@example.com.")
    return address


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"it refuses the credentials: {error.smtp_code} {_text(error.smtp_error)}. Check mail.user and mail.password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        reasons = ", ".join(f"{address}: {code} {_text(why)}" for address, (code, why) in error.recipients.items())
        return f"it refuses all recipients: {reasons}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it responded with {error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}. Check host, port and encryption, or run again later"


def _text(said: bytes | str) -> str:
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split())
