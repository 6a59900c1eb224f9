# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.brakes import FLAPPING, NO_PROOF
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import normalized
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.plan import NOT_REPAIRED, REPAIRED, WELL_AGAIN
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import parse_time

Item = t.Mapping[str, t.Any]

_SPACE = uuid.UUID("a9f1f0d6-1f3f-5d0e-8a54-5d5f4f3b7a90")
_TITLES = {
    NOT_REPAIRED: "Not repaired. Notices do not reach Spot, which polls every 30 seconds instead:",
    FLAPPING: "Lost again after each repair, so that repairs are stopped:",
    REPAIRED: "Repaired:",
    WELL_AGAIN: "Works again:",
}
_SHORT = {NOT_REPAIRED: "not repaired", FLAPPING: "flapping", REPAIRED: "repaired", WELL_AGAIN: "works again"}
ACCOUNTS = "accounts"
_FURTHER = "Further regions of these accounts, and accounts with the same trouble within an hour, are not reported before they work again."


@dataclass(frozen=True)
class HealingReport:
    """The message about the healing of one or more accounts, for the channels of `_notify`.

    :ivar items: the news, see `plan.News`, each with `spot_account` and `aws_account`
    :ivar time: ISO 8601 in UTC
    """

    items: t.Sequence[Item]
    time: str

    @property
    def spot_account(self) -> str:
        """Return the account, or a word for several."""
        accounts = {item["spot_account"] for item in self.items}
        return str(accounts.pop()) if len(accounts) == 1 else ACCOUNTS

    @property
    def id(self) -> str:
        """Return the same for the same losses, so that a notification that arrives twice can be recognised."""
        keys = ("spot_account", "aws_account", "region", "lost", "count")
        return str(
            uuid.uuid5(_SPACE, " ".join(sorted(f"{_kind(item)}/" + "/".join(str(item[key]) for key in keys) for item in self.items)))
        )

    @property
    def subject(self) -> str:
        """Return one line."""
        counts = [(kind, sum(_kind(item) == kind for item in self.items)) for kind in _TITLES]
        told = ", ".join(f"{number} region{'' if number == 1 else 's'} {_SHORT[kind]}" for kind, number in counts if number)
        whose = self.spot_account if self.spot_account != ACCOUNTS else f"{len({item['spot_account'] for item in self.items})} accounts"
        return f"EventBridge for {whose}: {told}"

    def document(self) -> dict[str, t.Any]:
        """For programs."""
        return {"id": self.id, "time": self.time, "healing": [dict(item) for item in self.items]}

    def text(self) -> str:
        """Return the notification for people, without markup, so that every channel shows the same."""
        lines = []
        for kind, title in _TITLES.items():
            items = [item for item in self.items if _kind(item) == kind]
            lines += [title, *(f"- {line}" for line in _lines(items)), ""] if items else []
        if any(item["cause"] == NO_PROOF for item in self.items):
            lines.append(_FURTHER)
        return "\n".join([*lines, f"Time: {self.time}", f"Notification {self.id}. A second copy has the same id."])

    def markdown(self) -> str:
        """For people, as a document."""
        return f"# {self.subject}\n\n{self.text()}\n"


def _kind(item: Item) -> str:
    return FLAPPING if item["cause"] == FLAPPING else str(item["kind"])


def _lines(items: t.Sequence[Item]) -> list[str]:
    """Return a line for the regions of an account with the same time line, accounts with the same trouble below each other."""
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        key = (item["spot_account"], item["aws_account"] or "", _time_line(item), normalized(item["why"]))
        groups.setdefault(key, []).append(item)
    last, lines = "", []
    for (spot_account, aws_account, time_line, why), members in sorted(groups.items(), key=lambda group: (group[0][3], group[0][:3])):
        regions = ", ".join(item["region"] for item in members)
        reason = f" {why if why != last else 'The same reason.'}" if why else ""
        lines.append(f"{spot_account} in AWS account {aws_account}, {regions}: {time_line}{reason}")
        last = why
    return lines


def _time_line(item: Item) -> str:
    """Return when a region was lost, seen and repaired, and what that cost: one sentence."""
    lost, well = item["lost"], item["well"]
    parts = [f"lost at {lost}"] if lost else []
    parts.append(f"seen at {item['seen']}{_after(lost, item['seen'])}")
    if well:
        parts.append(f"{'repaired at' if item['kind'] == REPAIRED else 'works since'} {well}{_after(lost, well)}")
    sentence = ", ".join(parts) + "."
    if item["notices"] is not None:
        sentence += f" Dead letters of that time: {item['notices']}."
    return sentence


def _after(begin: str, end: str) -> str:
    return f" ({(parse_time(end) - parse_time(begin)).total_seconds():.0f} s later)" if begin and end else ""
