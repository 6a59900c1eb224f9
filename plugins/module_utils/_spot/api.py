# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import itertools
import json
import math
import time
import typing as t
import urllib.error
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

from ansible.module_utils.urls import open_url

from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import pauses

DEFAULT_URL = "https://api.spotinst.io"
NOTIFICATION_PATH = "/aws/ec2/instance/interruptionNotification"
ACCOUNTS_PATH = "/setup/account"

_ATTEMPTS = 3
_FIRST_PAUSE = 1.0
# Seconds. An answer takes Spot well under one; what takes longer is an outage.
_TIMEOUT = 10
# Spot's guide "Spot API Administration": the limit counts the requests of the last 60 seconds, and who asks again too soon postpones
# its end. So where Spot does not say when that is, all of the minute is waited for.
_RATE_LIMIT_WINDOW = 60.0
# The header has whole seconds, maybe rounded down.
_RATE_LIMIT_MARGIN = 1.0
# No limit lasts so many seconds: from here on, a number is a time of day, from there on, in milliseconds.
_TIME_OF_DAY, _IN_MILLISECONDS = 1e9, 1e12
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ERROR_BYTES = 64 * 1024
_LONGEST_TEXT = 500


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
    :ivar cloud_provider: `AWS`, `AZURE`, `GCP`; None where Spot does not tell it
    :ivar provider_account: the account at whatever provider that is; None where nothing is connected
    """

    spot_account: str
    name: str
    organization: str
    aws_account: str | None
    cloud_provider: str | None = None
    provider_account: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """The shape in results."""
        return asdict(self)


class SpotApi:
    """The Spot HTTP API, as far as this collection asks it. It is only ever read.

    Sources: Spot's OpenAPI description and SDKs. Nothing is retried without end: three attempts, and a rate limit is waited for
    as long as Spot says, up to a minute.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        validate_certs: bool = True,
        sleep: t.Callable[[float], None] = time.sleep,
        warn: t.Callable[[str], None] | None = None,
    ) -> None:
        """
        :param url: the base address, without a path
        :param token: sent in a header, to this address only: redirects are not followed
        :param warn: is told, in one line, what makes a list doubtful; by default, nobody is
        """
        self._url = url.rstrip("/")
        self._token = token
        self._validate_certs = validate_certs
        self._sleep = sleep
        self._warn = warn

    def accounts(self, aws_account: str | None = None) -> list[SpotAccount]:
        """The accounts of the token's organisation, each once, in Spot's order. Needs an administrator's token.

        :param aws_account: only those that are bound to this AWS account
        :raises SpotError: Spot refused, or did not answer.
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
        """Asks for something cheap that needs a token valid for this account; a viewer's is enough.

        :raises SpotError: Spot refused, or did not answer.
        """
        self._get("/aws/ec2/group", {"accountId": spot_account})

    def groups(self, spot_account: str) -> list[str]:
        """The ids of an account's Elastigroups.

        :raises SpotError: Spot refused, or did not answer.
        """
        items = items_of(self._get("/aws/ec2/group", {"accountId": spot_account}))
        return [str(item["id"]) for item in items if isinstance(item, dict) and item.get("id")]

    def log(self, group: str, spot_account: str, instance_id: str, since: datetime) -> list[tuple[str, str]]:
        """What the log of an Elastigroup (Elastilog) says of an instance: time and text of each entry.

        :param since: in UTC
        :raises SpotError: Spot refused, or did not answer.
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
        try:
            return self._get_patiently(f"{self._url}{path}" + (f"?{urlencode(query)}" if query else ""), path)
        except SpotError as error:
            raise SpotError(error.status, self._without_token(str(error))) from None

    def _without_token(self, text: str) -> str:
        # Spot, or a proxy, may repeat what it was sent. Ansible hides that in results, but not in warnings (core 2.19).
        return text.replace(self._token, "********")

    def _get_patiently(self, address: str, path: str) -> dict[str, t.Any]:
        between = itertools.islice(pauses(_FIRST_PAUSE), _ATTEMPTS - 1)
        while True:
            try:
                return self._get_once(address, path)
            except _Retry as retry:
                pause = next(between, None)
                if pause is None or retry.pause > _RATE_LIMIT_WINDOW + _RATE_LIMIT_MARGIN:
                    raise retry.error from None
                self._sleep(max(retry.pause, pause))

    def _get_once(self, address: str, path: str) -> dict[str, t.Any]:
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
            status, body = answer.status, self._body(answer, _MOST_BYTES)
        except urllib.error.HTTPError as error:
            raise self._refusal(error, path) from None
        except Exception as error:  # sockets, TLS, broken HTTP: whatever it was, there was no answer
            reason = getattr(error, "reason", None) or error
            what = f"{type(error).__name__}: {' '.join(str(reason).split())}"
            message = f"Spot did not answer at {self._url}: {what}. Check the address and the network, or run again later."
            raise _Retry(SpotError(0, message)) from None
        if status != 200:
            raise SpotError(status, f"Spot answered {status} to GET {path}, which is no answer of its API. Is {self._url} right?")
        return response_of(body, f"{self._url}{path}")

    def _body(self, answer: t.Any, most: int) -> bytes:
        # Before anything is cut off: the rest of a token that was cut through would not be found any more.
        return bytes(answer.read(most)).replace(self._token.encode(), b"********")

    def _refusal(self, error: urllib.error.HTTPError, path: str) -> Exception:
        try:
            body = self._body(error, _MOST_ERROR_BYTES)
        except Exception:
            body = b""
        what = f"Spot answered {error.code} to GET {path}: {error_text(body)}"
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


def response_of(body: bytes, address: str) -> dict[str, t.Any]:
    """What is in Spot's envelope.

    :raises SpotError: the body is no such envelope.
    """
    try:
        response = json.loads(body)["response"]
    except Exception:
        response = None
    if not isinstance(response, dict):
        raise SpotError(0, f"What answered at {address} is not the Spot API: {error_text(body)}")
    return response


def items_of(response: t.Mapping[str, t.Any]) -> list[t.Any]:
    """The items of a response; none where it has none."""
    items = response.get("items")
    return items if isinstance(items, list) else []


def doubt_about(response: t.Mapping[str, t.Any], found: t.Sequence[SpotAccount]) -> str:
    """Whether a list of accounts is all of it, as far as Spot's `count` and its items tell; both may be missing.

    :returns: one line for people, empty where nothing is doubtful
    """
    listed, count = len(items_of(response)), response.get("count")
    if isinstance(count, int) and count > listed:
        return f"Spot counts {count} accounts, and listed {listed}: some may be missing. Compare with the Spot console."
    if listed > len(found):
        return f"{listed - len(found)} of the {listed} accounts that Spot listed have no id, and are left out. Ask Spot's support."
    return ""


def error_text(body: bytes) -> str:
    """What an error's body says to people: Spot's own messages, or the beginning of a plain text. One line."""
    try:
        response = json.loads(body)["response"]
        messages = [error.get("message") or error.get("code") for error in response.get("errors") or []]
        text = "; ".join(str(message) for message in messages if message) or response["status"]["message"]
    except Exception:
        text = body[:200].decode("utf-8", "replace")
    # A terminal would obey what is not printable.
    printable = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return " ".join(printable.split())[:_LONGEST_TEXT] or "(nothing)"


def parse_account(item: t.Any) -> SpotAccount | None:
    """An account out of `GET /setup/account`, where ids come as numbers or text and some keys may be missing.

    :returns: None for what is no account
    """
    if not isinstance(item, dict) or not _text(item.get("accountId")):
        return None
    provider, external = _text(item.get("cloudProvider")), _text(item.get("providerExternalId"))
    aws_account = _aws_account(external) if (provider or "AWS").upper() == "AWS" else None
    return SpotAccount(
        spot_account=_text(item["accountId"]),
        name=_text(item.get("name")),
        organization=_text(item.get("organizationId")),
        aws_account=aws_account,
        cloud_provider=provider or None,
        provider_account=aws_account or external or None,
    )


def _text(value: t.Any) -> str:
    """An id or a name as text. Some JSON writers make a float of a long number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _aws_account(external: str) -> str | None:
    # As a number, an id loses its leading zeros.
    digits = external.zfill(12)
    return digits if len(digits) == 12 and digits.isascii() and digits.isdigit() and int(digits) else None


def seconds_left(text: str | None, now: float) -> float | None:
    """When a rate limit ends, out of a header: Spot has a number of seconds there, others a time of day or a date.

    :param now: the time of day, in seconds
    :returns: None for what cannot be, or says nothing
    """
    try:
        number = float(text or "")
    except ValueError:
        left = _time_of_day(text or "") - now
    else:
        left = number if number < _TIME_OF_DAY else number / (1000 if number >= _IN_MILLISECONDS else 1) - now
    return left if math.isfinite(left) and left >= 0 else None


def _time_of_day(date: str) -> float:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(date.strip().replace("Z", "+00:00"))
            return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
        except Exception:
            continue
    return math.nan
