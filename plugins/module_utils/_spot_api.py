# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import time
import typing as t
import urllib.error
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from ansible.module_utils.urls import open_url

DEFAULT_URL = "https://api.spotinst.io"
NOTIFICATION_PATH = "/aws/ec2/instance/interruptionNotification"

_ATTEMPTS = 3
# Seconds. An answer takes Spot well under one; what takes longer is an outage.
_TIMEOUT = 10
_LONGEST_RATE_LIMIT = 60.0
_MOST_BYTES = 64 * 1024 * 1024


class SpotError(Exception):
    """Spot said no, or nothing.

    :ivar status: the HTTP status, 0 where there was no answer
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def unauthenticated(self) -> bool:
        """Whether Spot does not know the token."""
        return self.status == 401

    @property
    def refused(self) -> bool:
        """Whether Spot answered, and the answer is about this request: no right to it, or no such thing."""
        return 400 <= self.status < 500 and self.status != 429


@dataclass(frozen=True)
class SpotAccount:
    """An account of Spot's organisation.

    :ivar spot_account: `act-d7320fba`
    :ivar name: as people call it; not unique
    :ivar organization: Spot's id of the organisation, twelve digits that are no AWS account; empty if unknown
    :ivar aws_account: twelve digits; None where no AWS account is connected
    """

    spot_account: str
    name: str
    organization: str
    aws_account: str | None
    cloud_provider: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """The shape in results."""
        return asdict(self)


class SpotApi:
    """The Spot HTTP API, as far as this collection asks it. It is only ever read.

    Sources: Spot's OpenAPI description and SDKs. Nothing is retried without end: three attempts, and a rate limit is waited for
    as long as Spot says, up to a minute.
    """

    def __init__(self, url: str, token: str, *, validate_certs: bool = True, sleep: t.Callable[[float], None] = time.sleep) -> None:
        """
        :param url: the base address, without a path
        :param token: sent in a header, to this address only: redirects are not followed
        """
        self._url = url.rstrip("/")
        self._token = token
        self._validate_certs = validate_certs
        self._sleep = sleep

    def accounts(self, aws_account: str | None = None) -> list[SpotAccount]:
        """The accounts of the token's organisation. Needs an administrator's token.

        :param aws_account: only those that are bound to this AWS account
        :raises SpotError: Spot refused, or did not answer.
        """
        query = {"cloudAccountId": aws_account} if aws_account else {}
        found = [parse_account(item) for item in self._get("/setup/account", query)]
        return [account for account in found if account is not None]

    def prove_token(self, spot_account: str) -> None:
        """Asks for something cheap that needs a token valid for this account; a viewer's is enough.

        :raises SpotError: Spot refused, or did not answer.
        """
        self._get("/aws/ec2/group", {"accountId": spot_account})

    def _get(self, path: str, query: t.Mapping[str, str]) -> list[t.Any]:
        try:
            return self._get_patiently(f"{self._url}{path}" + (f"?{urlencode(query)}" if query else ""), path)
        except SpotError as error:
            # Spot, or a proxy, may repeat what it was sent. Ansible hides that in results, but not in warnings (core 2.19).
            raise SpotError(error.status, str(error).replace(self._token, "********")) from None

    def _get_patiently(self, address: str, path: str) -> list[t.Any]:
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._get_once(address, path)
            except _Retry as retry:
                if attempt >= _ATTEMPTS or retry.pause > _LONGEST_RATE_LIMIT:
                    raise retry.error from None
                self._sleep(retry.pause or float(attempt))

    def _get_once(self, address: str, path: str) -> list[t.Any]:
        try:
            answer = open_url(
                address,
                headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
                timeout=_TIMEOUT,
                validate_certs=self._validate_certs,
                follow_redirects="none",
                use_netrc=False,  # a netrc file must not put another authorization in place of the token
                http_agent="ansible-collection/spot.eventbridge",
            )
            status, body = answer.status, answer.read(_MOST_BYTES)
        except urllib.error.HTTPError as error:
            raise self._refusal(error, path) from None
        except Exception as error:  # sockets, TLS, broken HTTP: whatever it was, there was no answer
            reason = getattr(error, "reason", None) or error
            what = f"{type(error).__name__}: {' '.join(str(reason).split())}"
            message = f"Spot did not answer at {self._url}: {what}. Check the address and the network, or run again later."
            raise _Retry(SpotError(0, message)) from None
        if status != 200:
            raise SpotError(status, f"Spot answered {status} to GET {path}, which is no answer of its API. Is {self._url} right?")
        return items_of(body, f"{self._url}{path}")

    def _refusal(self, error: urllib.error.HTTPError, path: str) -> Exception:
        try:
            body = error.read(65536)
        except Exception:
            body = b""
        refusal = SpotError(error.code, f"Spot answered {error.code} to GET {path}: {error_text(body)}")
        if error.code == 429:
            return _Retry(refusal, pause=_seconds(error.headers.get("X-RateLimit-Reset")))
        return _Retry(refusal) if error.code >= 500 else refusal


class _Retry(Exception):
    def __init__(self, error: SpotError, pause: float = 0.0) -> None:
        super().__init__()
        self.error = error
        self.pause = pause


def items_of(body: bytes, address: str) -> list[t.Any]:
    """The items of Spot's envelope.

    :raises SpotError: the body is no such envelope.
    """
    try:
        items = json.loads(body)["response"].get("items")
    except Exception:
        raise SpotError(0, f"What answered at {address} is not the Spot API: {error_text(body)}") from None
    return items if isinstance(items, list) else []


def error_text(body: bytes) -> str:
    """What an error's body says to people: Spot's own messages, or the beginning of a plain text."""
    try:
        response = json.loads(body)["response"]
        messages = [error.get("message") or error.get("code") for error in response.get("errors") or []]
        text = "; ".join(str(message) for message in messages if message) or response["status"]["message"]
    except Exception:
        text = body[:200].decode("utf-8", "replace")
    return " ".join(str(text).split()) or "(nothing)"


def parse_account(item: t.Any) -> SpotAccount | None:
    """An account out of `GET /setup/account`, where ids come as numbers or text and some keys may be missing.

    :returns: None for what is no account
    """
    if not isinstance(item, dict) or not item.get("accountId"):
        return None
    return SpotAccount(
        spot_account=str(item["accountId"]),
        name=str(item.get("name") or ""),
        organization=str(item.get("organizationId") or ""),
        aws_account=_aws_account(item),
        cloud_provider=item.get("cloudProvider"),
    )


def _aws_account(item: t.Mapping[str, t.Any]) -> str | None:
    provider, external = str(item.get("cloudProvider") or "AWS"), item.get("providerExternalId")
    if external is None or provider.upper() != "AWS":
        return None
    text = str(external)
    # As a number, an id loses its leading zeros.
    text = text.zfill(12) if text.isdigit() else text
    return text if len(text) == 12 and text.isdigit() else None


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0
