# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import hashlib
import re
import typing as t
from collections import Counter
from dataclasses import dataclass, replace

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.brakes import NO_PROOF
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.plan import MOST_TOLD, NOT_REPAIRED, REMINDER
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import TAG, as_text, parse_time

Item = t.Mapping[str, t.Any]

_MONTH = datetime.timedelta(days=30)
# The value of a tag can have it, and it is in no part of a trouble.
_NEXT = "+"
# Instead of no trouble, as an empty text stands for nothing to be recorded.
_OVER = "over"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_TROUBLE = re.compile(
    rf"(?P<reason>[0-9a-fr][0-9a-f]{{7}})/(?P<lost>{_TIME})/(?P<told>{_TIME})/(?P<joined>{_TIME})/(?P<count>\d)/(?P<accounts>(?:[0-9a-f]{{8}})+)"
)
_PREFIX, _DIGITS, _OF_A_REGION = "act-", 8, "r"
# The reason of an outage, whatever Spot responds.
_DOWN = "Spot does not work."
# A queue has at most 50 tags with values of 256 characters (SQS developer guide, "Amazon SQS cost allocation tags"), also those of others.
_MOST_TAGS, _LONGEST_TAG = 40, 256


@dataclass(frozen=True)
class Trouble:
    """A trouble of accounts with Spot, by which their token cannot be proved, or of a region, as people know it.

    :ivar reason: stands for the reason
    :ivar lost: when the first region was lost
    :ivar told: when people were notified first
    :ivar joined: when an account was added last
    :ivar count: how often people were notified
    :ivar accounts: the Spot accounts
    """

    reason: str
    lost: str
    told: str
    joined: str
    count: int
    accounts: frozenset[str]

    def __str__(self) -> str:
        accounts = "".join(account[len(_PREFIX) :] for account in sorted(self.accounts))
        return "/".join([self.reason, self.lost, self.told, self.joined, str(self.count), accounts])

    @property
    def is_of_spot(self) -> bool:
        """Return whether the token could not be proved; if not, it is a trouble of one region."""
        return not self.reason.startswith(_OF_A_REGION)

    def after(self, proved: t.Collection[str], now: datetime.datetime) -> Trouble:
        """Return what is left of it. A trouble of a region is forgotten after a month, and told again if there still is one."""
        over = proved if self.is_of_spot else self.accounts if now - parse_time(self.joined) > _MONTH else ()
        return replace(self, accounts=self.accounts.difference(over))

    def covers(self, item: Item) -> bool:
        """Return whether people know of the loss in the news. A region that was authorised after that was lost again."""
        same = self.reason == _reason(item) and item["spot_account"] in self.accounts
        return same and parse_time(item["authorized"]) <= parse_time(self.joined)

    def is_due(self, now: datetime.datetime) -> bool:
        """Return whether people have to be reminded."""
        return self.count < MOST_TOLD and now - parse_time(self.told) >= REMINDER

    def takes(self, item: Item, now: datetime.datetime) -> bool:
        """Return whether the account of the news has the same trouble at the same time, so that both are one notification."""
        return self.is_of_spot and self.reason == _reason(item) and now - parse_time(self.joined) < REMINDER


def troubles_in(text: str) -> list[Trouble]:
    """Return what people know, as `text_of` made it; nothing for any other text."""
    found = [_TROUBLE.fullmatch(word) for word in text.split(_NEXT)]
    return [
        Trouble(each["reason"], each["lost"], each["told"], each["joined"], int(each["count"]), _accounts(each["accounts"]))
        for each in found
        if each
    ]


def text_of(troubles: t.Iterable[Trouble]) -> str:
    """Return what people know as it stands in the tags of the hub's queue."""
    return _NEXT.join(map(str, troubles)) or _OVER


def known_loss(text: str, spot_account: str) -> tuple[str, str]:
    """Return since when an account has lost regions, and since when people know that; both empty if they do not."""
    return min(((trouble.lost, trouble.told) for trouble in _of_spot(text) if spot_account in trouble.accounts), default=("", ""))


def waiting_accounts(text: str) -> set[str]:
    """Return the Spot accounts whose token could not be proved when it was tried last."""
    return {account for trouble in _of_spot(text) for account in trouble.accounts}


def waits_as_known(text: str, spot_account: str, why: str, now: datetime.datetime) -> bool:
    """Return whether people know already that an account waits, and why, and need no reminder.

    :param why: why its token was not proved in this run
    """
    reason = _reason_of_spot(why)
    return any(spot_account in trouble.accounts and trouble.reason == reason and not trouble.is_due(now) for trouble in _of_spot(text))


def is_outage(whys: t.Iterable[str]) -> bool:
    """Return whether Spot is to blame, and not the tokens: it does not work, or it refuses several accounts for one reason.

    :param whys: why the token of an account was not proved, one for each
    """
    counts = Counter(map(_reason_of_spot, whys))
    return any(count > 1 or reason == _digest(_DOWN) for reason, count in counts.items())


def _of_spot(text: str) -> list[Trouble]:
    return [trouble for trouble in troubles_in(text) if trouble.is_of_spot]


def untold(items: t.Sequence[Item], text: str, now: datetime.datetime, proved: t.Collection[str]) -> tuple[list[Item], str]:
    """Return the news that people do not know yet, and what they know afterwards.

    News about regions whose token was not proved, or that have no rule for a record, are notified once, and once more after an hour. All
    else is news already.

    :param text: what people knew before, of `text_of`
    :param proved: the Spot accounts whose token was proved in this run
    """
    before, mine = troubles_in(text), [item for item in items if _is_open(item)]
    known = _joined([trouble.after(proved, now) for trouble in before], mine, now)
    began: list[Trouble] = []
    for reason in sorted({_reason(item) for item in mine}):
        fresh = [item for item in mine if _reason(item) == reason and not any(trouble.covers(item) for trouble in known)]
        if fresh:
            known = _began(known, reason, fresh, now)
            began.append(known[-1])
    due = [trouble for trouble in known if trouble.is_due(now) and any(trouble.covers(item) for item in mine)]

    def count(item: Item) -> int:
        found = (number for number, troubles in ((1, began), (MOST_TOLD, due)) for trouble in troubles if trouble.covers(item))
        return next(found, 0)

    news = [{**item, "count": count(item)} if _is_open(item) else item for item in items]
    after = [replace(trouble, count=MOST_TOLD) if trouble in due else trouble for trouble in known if trouble.accounts]
    return [item for item in news if not _is_open(item)], text if after == before else text_of(after)


def _is_open(item: Item) -> bool:
    """Return whether it is not decided yet whether people know it."""
    return item["kind"] == NOT_REPAIRED and not item["count"]


def _joined(known: t.Sequence[Trouble], items: t.Sequence[Item], now: datetime.datetime) -> list[Trouble]:
    """Return the troubles with the accounts that have one of them as well now."""
    found = list(known)
    for item in items:
        if any(trouble.covers(item) for trouble in found):
            continue
        number = next((number for number, trouble in enumerate(found) if trouble.accounts and trouble.takes(item, now)), None)
        if number is not None:
            found[number] = replace(found[number], joined=as_text(now), accounts=found[number].accounts | {item["spot_account"]})
    return found


def _began(known: t.Sequence[Trouble], reason: str, items: t.Sequence[Item], now: datetime.datetime) -> list[Trouble]:
    """Return the troubles with a new one, which takes its accounts from an older one of the same reason."""
    accounts = frozenset(item["spot_account"] for item in items)
    kept = [replace(each, accounts=each.accounts - accounts) if each.reason == reason else each for each in known]
    lost = min(item["lost"] or as_text(now) for item in items)
    return [*kept, Trouble(reason, lost, as_text(now), as_text(now), 1, accounts)]


def tags_of(text: str) -> dict[str, str]:
    """Return a text as tags of a queue: the first one begins with their number, as those of a longer text stay."""
    room = _LONGEST_TAG - len(f"{_MOST_TAGS}+")
    parts = [text[begin : begin + room] for begin in range(0, len(text), room)][:_MOST_TAGS]
    return {_tag(number): f"{len(parts)}+{part}" if number == 1 else part for number, part in enumerate(parts, 1)}


def text_in(tags: t.Mapping[str, str]) -> str:
    """Return the text of which `tags_of` made tags; empty if there is none."""
    number, _plus, first = tags.get(_tag(1), "").partition("+")
    if not number.isdigit():
        return ""
    return first + "".join(tags.get(_tag(each), "") for each in range(2, int(number) + 1))


def _tag(number: int) -> str:
    return TAG if number == 1 else f"{TAG}{number}"


def normalized(why: str) -> str:
    """Return a reason without the account that it names, so that accounts with the same trouble stand together."""
    return re.sub(r" for act-[0-9a-f]{8}\b", "", why)


def _reason(item: Item) -> str:
    """Return what stands for a reason."""
    if item["cause"] == NO_PROOF:
        return _reason_of_spot(item["why"])
    return _OF_A_REGION + _digest(f"{item['region']} {item['why']}")[: _DIGITS - 1]


def _reason_of_spot(why: str) -> str:
    """Return what stands for the reason why a token was not proved. During an outage, Spot may respond in several ways."""
    return _digest(_DOWN if re.match(r"Spot (did not respond|responded with 5\d\d)\b", why) else normalized(why))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _accounts(digits: str) -> frozenset[str]:
    return frozenset(_PREFIX + digits[number : number + _DIGITS] for number in range(0, len(digits), _DIGITS))
