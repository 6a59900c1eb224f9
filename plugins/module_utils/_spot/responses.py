# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import math
import typing as t
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

# No limit lasts so many seconds: from here on, a number is a time of day, from there on, in milliseconds.
_TIME_OF_DAY, _IN_MILLISECONDS = 1e9, 1e12
_LONGEST_TEXT = 500


class SpotError(Exception):
    """Spot refused, or did not respond.

    :ivar status: the HTTP status, 0 without a response
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def unauthenticated(self) -> bool:
        """Return whether Spot does not know the token."""
        return self.status == 401

    @property
    def refused(self) -> bool:
        """Return whether Spot responded, and the response is about this request: no permission, or no such thing."""
        return 400 <= self.status < 500 and self.status != 429


@dataclass(frozen=True)
class SpotAccount:
    """An account of Spot's organisation.

    :ivar spot_account: `act-d7320fba`
    :ivar name: as people call it; not unique
    :ivar organization: Spot's id of the organisation, twelve digits that are no AWS account; empty if unknown
    :ivar aws_account: twelve digits; None where no AWS account is connected
    :ivar cloud_provider: `AWS`, `AZURE`, `GCP`; None if Spot does not report it
    :ivar provider_account: the account at that provider; None if none is connected
    """

    spot_account: str
    name: str
    organization: str
    aws_account: str | None
    cloud_provider: str | None = None
    provider_account: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """Return the entry in results."""
        return asdict(self)


def response_of(body: bytes, address: str) -> dict[str, t.Any]:
    """Return the content of Spot's envelope.

    :raises SpotError: the body is no such envelope.
    """
    try:
        response = json.loads(body)["response"]
    except Exception:
        response = None
    if not isinstance(response, dict):
        raise SpotError(0, f"The service at {address} is not the Spot API: {error_text(body)}")
    return response


def items_of(response: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return the items of a response; none where it has none."""
    items = response.get("items")
    return items if isinstance(items, list) else []


def doubt_about(response: t.Mapping[str, t.Any], found: t.Sequence[SpotAccount]) -> str:
    """Return whether a list of accounts is all of it, as far as Spot's `count` and its items tell; both may be missing.

    :returns: one line for people, empty where nothing is doubtful
    """
    listed, count = len(items_of(response)), response.get("count")
    if isinstance(count, int) and count > listed:
        return f"Spot counts {count} accounts, and listed {listed}: some may be missing. Compare with the Spot console."
    if listed > len(found):
        return f"{listed - len(found)} of the {listed} accounts that Spot listed have no id, and are left out. Contact Spot's support."
    return ""


def error_text(body: bytes) -> str:
    """Return the text of an error's body in one line: Spot's own messages, or the beginning of a plain text."""
    try:
        response = json.loads(body)["response"]
        messages = [error.get("message") or error.get("code") for error in response.get("errors") or []]
        text = "; ".join(str(message) for message in messages if message) or response["status"]["message"]
    except Exception:
        text = body[:200].decode("utf-8", "replace")
    # A terminal would execute control characters.
    printable = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return " ".join(printable.split())[:_LONGEST_TEXT] or "(nothing)"


def parse_account(item: t.Any) -> SpotAccount | None:
    """Return an account out of `GET /setup/account`, where ids come as numbers or text and some keys may be missing.

    :returns: None for an entry that is no account
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
    """Return an id or a name as text. Some JSON writers make a float of a long number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _aws_account(external: str) -> str | None:
    # As a number, an id loses its leading zeros.
    digits = external.zfill(12)
    return digits if len(digits) == 12 and digits.isascii() and digits.isdigit() and int(digits) else None


def seconds_left(text: str | None, now: float) -> float | None:
    """Return the seconds until a rate limit ends, out of a header: Spot sends a number of seconds, others a time of day or a date.

    :param now: the time of day, in seconds
    :returns: None for a value that cannot be right, or without a time
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
