# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import itertools
import json
import time
import typing as t
import urllib.error
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import remedy_of_connection
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import ca_bundle, reason_of, send, trusting
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import pauses
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import (
    SpotAccount,
    SpotError,
    doubt_about,
    error_text,
    items_of,
    parse_account,
    response_of,
    seconds_left,
)

DEFAULT_URL = "https://api.spotinst.io"
NOTIFICATION_PATH = "/aws/ec2/instance/interruptionNotification"
ACCOUNTS_PATH = "/setup/account"

_ATTEMPTS = 3
_FIRST_PAUSE = 1.0
# Seconds. Spot responds in well under one; a longer time is an outage.
_TIMEOUT = 10
# Spot's guide "Spot API Administration": the limit counts the requests of the last 60 seconds, so an early retry postpones its end.
# If Spot does not report the end, the wait is a full minute.
_RATE_LIMIT_WINDOW = 60.0
# The header has whole seconds, maybe rounded down.
_RATE_LIMIT_MARGIN = 1.0
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ERROR_BYTES = 64 * 1024


class SpotApi:
    """The Spot HTTP API, as far as this collection uses it. Only reads, except for notices.

    Sources: Spot's OpenAPI description and SDKs. A call has at most three attempts; at a rate limit, it waits for the time that Spot
    reports, up to a minute.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        validate_certs: bool = True,
        sleep: t.Callable[[float], None] | None = None,
        warn: t.Callable[[str], None] | None = None,
    ) -> None:
        """
        :param url: the base address, without a path
        :param token: sent in a header, to this address only: redirects are not followed
        :param warn: gets, in one line, why a list is doubtful
        """
        self._url = url.rstrip("/")
        self._token = token
        self._validate_certs = validate_certs
        self._sleep = sleep or time.sleep
        self._warn = warn

    def accounts(self, aws_account: str | None = None) -> list[SpotAccount]:
        """Return the accounts of the token's organisation, each once, in Spot's order. Needs an administrator's token.

        :param aws_account: only those that are bound to this AWS account
        :raises SpotError: Spot refused, or did not respond.
        """
        response = self._get(ACCOUNTS_PATH, {"cloudAccountId": aws_account} if aws_account else {})
        items = items_of(response)
        found = [account for account in map(parse_account, items) if account is not None]
        doubt = doubt_about(response, found)
        if doubt and self._warn:
            self._warn(self._without_token(doubt))
        unique: dict[str, SpotAccount] = {}
        for account in found:
            unique.setdefault(account.spot_account, account)
        return list(unique.values())

    def prove_token(self, spot_account: str) -> None:
        """Query something cheap that needs a token valid for this account; a viewer's is enough.

        :raises SpotError: Spot refused, or did not respond.
        """
        self._get("/aws/ec2/group", {"accountId": spot_account})

    def notify(self, endpoint: str, spot_account: str, notice: t.Mapping[str, t.Any]) -> None:
        """Post a notice as EventBridge does: the proof of the one permission that is used, or a dead letter that is still of use.

        Any response 2xx is a success, as it is to AWS.

        :param endpoint: the address to which AWS sends notices, and the token with them
        :param notice: as a proof, of an instance that cannot exist: Spot may act on any other
        :raises SpotError: Spot refused, or did not respond.
        """
        separator = "&" if urlsplit(endpoint).query else "?"
        address = f"{endpoint}{separator}{urlencode({'accountId': spot_account})}"
        self._request("POST", address, json.dumps(notice).encode())

    def groups(self, spot_account: str) -> list[str]:
        """Return the ids of an account's Elastigroups.

        :raises SpotError: Spot refused, or did not respond.
        """
        items = items_of(self._get("/aws/ec2/group", {"accountId": spot_account}))
        return [str(item["id"]) for item in items if isinstance(item, dict) and item.get("id")]

    def log(self, group: str, spot_account: str, instance_id: str, since: datetime) -> list[tuple[str, str]]:
        """Return the entries about an instance in the log of an Elastigroup (Elastilog): time and text of each.

        :param since: in UTC
        :raises SpotError: Spot refused, or did not respond.
        """
        query = {
            "accountId": spot_account,
            "resourceId": instance_id,
            "fromDate": f"{since:%Y-%m-%dT%H:%M:%S.000Z}",
            # The clocks of both sides need not agree.
            "toDate": f"{since + timedelta(days=1):%Y-%m-%dT%H:%M:%S.000Z}",
        }
        items = items_of(self._get(f"/aws/ec2/group/{quote(group, safe='')}/logs", query))
        return [(str(item.get("createdAt") or ""), str(item.get("message") or "")) for item in items if isinstance(item, dict)]

    def _get(self, path: str, query: t.Mapping[str, str]) -> dict[str, t.Any]:
        address = f"{self._url}{path}"
        body = self._request("GET", address + (f"?{urlencode(query)}" if query else ""))
        return response_of(body, address)

    def _request(self, method: str, address: str, data: bytes | None = None) -> bytes:
        try:
            return self._request_patiently(method, address, data)
        except SpotError as error:
            raise SpotError(error.status, self._without_token(str(error))) from None

    def _without_token(self, text: str) -> str:
        # Spot, or a proxy, may repeat the token. Ansible hides it in results, but not in warnings (core 2.19).
        return text.replace(self._token, "********")

    def _request_patiently(self, method: str, address: str, data: bytes | None) -> bytes:
        between = itertools.islice(pauses(_FIRST_PAUSE), _ATTEMPTS - 1)
        while True:
            try:
                return self._request_once(method, address, data)
            except _Retry as retry:
                pause = next(between, None)
                if pause is None or retry.pause > _RATE_LIMIT_WINDOW + _RATE_LIMIT_MARGIN:
                    raise retry.error from None
                self._sleep(max(retry.pause, pause))

    def _request_once(self, method: str, address: str, data: bytes | None) -> bytes:
        parts = urlsplit(address)
        what, host = f"{method} {parts.path}", f"{parts.scheme}://{parts.netloc}"
        try:
            content = {"Content-Type": "application/json; charset=utf-8"} if data else {}
            headers = {"Authorization": f"Bearer {self._token}", **content}
            response = send(method, address, headers, data, seconds=_TIMEOUT, context=trusting(ca_bundle(), self._validate_certs))
            status, body = response.status, self._body(response, _MOST_BYTES)
        except urllib.error.HTTPError as error:
            raise self._refusal(error, what) from None
        except Exception as error:  # sockets, TLS, broken HTTP: in all cases, there was no response
            why = reason_of(error, address, ca_bundle())
            remedy = remedy_of_connection(why, "Check the address and the network, or run again later.")
            message = f"Spot did not respond at {host}: {why}. {remedy}"
            raise _Retry(SpotError(0, message)) from None
        if status != 200 and method == "GET":
            raise SpotError(status, f"Spot responded with {status} to {what}, which is not a response of its API. Check {host}.")
        return body

    def _body(self, response: t.Any, most: int) -> bytes:
        # Before the text is cut: a part of a token would not be found.
        return bytes(response.read(most)).replace(self._token.encode(), b"********")

    def _refusal(self, error: urllib.error.HTTPError, request: str) -> Exception:
        try:
            body = self._body(error, _MOST_ERROR_BYTES)
        except Exception:
            body = b""
        what = f"Spot responded with {error.code} to {request}: {error_text(body)}"
        if error.code == 429:
            left = seconds_left(error.headers.get("X-RateLimit-Reset") or error.headers.get("Retry-After"), time.time())
            until = "" if left is None else f" (the rate limit ends in {left:.0f} s)"
            pause = _RATE_LIMIT_WINDOW if left is None else left + _RATE_LIMIT_MARGIN
            return _Retry(SpotError(error.code, what + until), pause)
        refusal = SpotError(error.code, what)
        return _Retry(refusal) if error.code >= 500 else refusal


class _Retry(Exception):
    def __init__(self, error: SpotError, pause: float = 0.0) -> None:
        super().__init__()
        self.error = error
        self.pause = pause
