# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import base64
import functools
import json
import os
import typing as t
import urllib.error
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from ansible.module_utils.urls import Request, make_context

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import remedy_of_connection
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import RESPONSE_TIMEOUT, within

_MOST_BYTES = 8 * 1024 * 1024
# A shorter secret is not hidden: it would hide half of a text.
_SHORTEST_SECRET = 4


def ca_bundle() -> str | None:
    """Return the file of certificates to trust that the environment names, as curl and Python's requests use it; None without one."""
    return next((value for value in map(os.environ.get, ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")) if value), None)


@functools.cache
def trusting(ca_path: str | None, validate_certs: bool) -> t.Any:
    """Return the TLS context of all requests of this process and of its forks.

    ansible-core makes one for each request, which takes tens of milliseconds of CPU to read the certificates.

    :param ca_path: the file of certificates to trust; None for those of the system
    :raises OSError: the file cannot be read.
    """
    return make_context(cafile=ca_path, validate_certs=validate_certs)


def send(method: str, address: str, headers: t.Mapping[str, str], data: bytes | None, *, seconds: float, context: t.Any) -> t.Any:
    """Send a request, follow no redirect, and return the response of `ansible.module_utils.urls.Request`.

    :param headers: beside that of JSON as the form of the response
    :param seconds: for each of connecting, sending and receiving
    :param context: that of `trusting`
    :raises urllib.error.HTTPError: the status of the response is not one of success.
    """
    return Request().open(
        method,
        address,
        data=data,
        headers={"Accept": "application/json", **headers},
        timeout=seconds,
        context=context,
        follow_redirects="none",
        use_netrc=False,  # a netrc file must not replace the authorization that was given
        http_agent="ansible-collection/spot.eventbridge",
    )


def reason_of(error: BaseException, address: str, ca_path: str | None) -> str:
    """Return in one line why a service did not respond, with the missing file and the proxy, which Python does not name.

    :param ca_path: the file of certificates to trust
    """
    if ca_path and not os.path.isfile(ca_path):
        return f"the file of certificates {ca_path} does not exist, or is no file"
    reason, proxy = getattr(error, "reason", None) or error, _proxy(address)
    return f"{type(error).__name__}: {' '.join(str(reason).split())}{f' (through the proxy {proxy})' if proxy else ''}"


def _proxy(address: str) -> str:
    """Return host and port of the proxy that the environment names for an address, without its credentials; empty without a proxy."""
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme, "")
    return "" if not proxy or proxy_bypass(parts.netloc) else proxy.rpartition("@")[2].rpartition("//")[2].rstrip("/")


class PeerError(Exception):
    """A service refused, or did not respond. The message is one line and holds no secret.

    :ivar status: the HTTP status, 0 without a response
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def remedy(self) -> str:
        """Return the recommended action."""
        if self.status == 401:
            return "Check the credentials: the service does not know them."
        if self.status == 403:
            return "Give the user of these credentials the right to do it."
        if self.status == 0 or self.status >= 500:
            return remedy_of_connection(self, "Check the address and the network, or run again later.")
        return "Check the address and the request's options."


@dataclass(frozen=True)
class Reply:
    """The response of a service, with any status."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Return whether the service accepted the request."""
        return 200 <= self.status < 300

    def json(self) -> t.Any:
        """Return the body; None if it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Peer:
    """The HTTP API of a service that is neither AWS nor Spot's. One request, one response: nothing is sent twice, as the request
    may change something, and a lost response does not mean that it did not.

    :ivar what: its name in messages, such as `the webhook`
    :ivar url: the base address; its path may be a secret, so that only its host is ever shown
    :ivar headers: sent with each request, to this address only: redirects are not followed
    :ivar secrets: texts that must never be shown, also if the service repeats them
    :ivar ca_path: a file of certificates to trust instead of those that the environment names, or the system's
    """

    what: str
    url: str
    headers: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    seconds: float = RESPONSE_TIMEOUT

    @property
    def host(self) -> str:
        """Return the part of the address that is no secret."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def demand(self, method: str, path: str = "", body: t.Any = None, query: t.Mapping[str, str] | None = None) -> Reply:
        """Send a request that the service has to accept.

        :raises PeerError: it refused, or did not respond.
        """
        reply = self.ask(method, path, body, query)
        if not reply.ok:
            raise self.refusal(reply)
        return reply

    def ask(self, method: str, path: str = "", body: t.Any = None, query: t.Mapping[str, str] | None = None) -> Reply:
        """Send a request and return the response.

        :param path: appended to the address
        :param body: sent as JSON
        :raises PeerError: there was no response.
        """
        address = f"{self.url.rstrip('/') if path else self.url}{path}"
        if query:
            address += ("&" if urlsplit(address).query else "?") + urlencode(query)
        try:
            return within(self.seconds, lambda: self._ask(method, address, body))
        except Exception as error:  # sockets, TLS, broken HTTP: in all cases, there was no response
            said = reason_of(error, address, self.ca_path or ca_bundle())
            raise PeerError(0, self.scrub(f"{self.what} at {self.host} did not respond: {said}")) from None

    def _ask(self, method: str, address: str, body: t.Any) -> Reply:
        given = None if body is None else json.dumps(body).encode()
        content = {} if given is None else {"Content-Type": "application/json"}
        try:
            response = send(
                method,
                address,
                {**content, **self.headers},
                given,
                seconds=self.seconds / 2,
                context=trusting(self.ca_path or ca_bundle(), self.validate_certs),
            )
            return Reply(int(response.status), response.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            return Reply(int(error.code), error.read(65536))

    def refusal(self, reply: Reply) -> PeerError:
        """Return the response as an error: which service, what, and why."""
        meaning = {401: " (it refuses the credentials)", 403: " (it does not allow this)"}.get(reply.status, "")
        # Before the text is cut: a part of a secret would not be found.
        told = self.scrub(reply.body.decode("utf-8", "replace"))
        # A terminal would execute control characters.
        printable = " ".join("".join(sign if sign.isprintable() else " " for sign in told).split())[:300] or "(nothing)"
        return PeerError(reply.status, f"{self.what} at {self.host} responded with {reply.status}{meaning}: {printable}")

    def scrub(self, text: str) -> str:
        """Return the text without secrets and their encoded forms."""
        return scrub(text, self.secrets)


def scrub(text: str, secrets: t.Iterable[str]) -> str:
    """Return the text with asterisks instead of each secret, also where it is part of an address or in base64."""
    forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in (secret, quote(secret, safe=""), _base64(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "********")
    return text


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header for a user and a password."""
    return f"Basic {_base64(f'{user}:{password}')}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
