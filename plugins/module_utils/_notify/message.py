# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._spot.feature_flag import DEFAULT_FLAG

_SPACE = uuid.UUID("6c7c1e0c-36a2-5c3e-9d0e-5f6f1a2b7c11")


@dataclass(frozen=True)
class Notification:
    """A notification of Spot's operators, with the requested actions.

    :ivar organization: Spot's id of the organisation; empty if it is not known
    :ivar regions: the regions that they are notified of: those that are active and of which they were not notified before
    :ivar statuses: the status of every region of the account
    :ivar time: ISO 8601 in UTC
    :ivar flag: the feature flag that has to be on
    """

    spot_account: str
    aws_account: str
    organization: str
    regions: tuple[str, ...]
    statuses: t.Mapping[str, str]
    time: str
    flag: str = DEFAULT_FLAG

    @property
    def id(self) -> str:
        """Return the same for the same account and regions, so that a notification that arrives twice can be recognised."""
        return str(uuid.uuid5(_SPACE, " ".join([self.spot_account, self.aws_account, *sorted(self.regions)])))

    @property
    def subject(self) -> str:
        """Return one line."""
        where = self.regions[0] if len(self.regions) == 1 else f"{len(self.regions)} regions"
        return f"EventBridge for {self.spot_account}: enable monitoring in {where}"

    def document(self) -> dict[str, t.Any]:
        """Return the notification for programs."""
        return {
            "id": self.id,
            "time": self.time,
            "spot_account": self.spot_account,
            "organization": self.organization or None,
            "aws_account": self.aws_account,
            "regions": list(self.regions),
            "statuses": dict(self.statuses),
            "feature_flag": self.flag,
            "requests": list(self._requests()),
        }

    def text(self) -> str:
        """Return the notification for people, without markup, so that every channel shows the same."""
        others = {name: status for name, status in self.statuses.items() if name not in self.regions}
        lines = [
            f"AWS now sends EC2 Spot interruption notices to Spot for account {self.spot_account}.",
            "",
            f"Spot account: {self.spot_account}",
            f"Organisation: {self.organization or '(not known)'}",
            f"AWS account: {self.aws_account}",
            f"Regions: {', '.join(self.regions)}",
            *([f"Other regions: {', '.join(f'{name} {status}' for name, status in sorted(others.items()))}"] if others else []),
            f"Time: {self.time}",
            "",
            "Please:",
            *(f"{number}. {request}" for number, request in enumerate(self._requests(), 1)),
            "",
            f"Notification {self.id}. A second copy has the same id.",
        ]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return the notification for people, as a document."""
        facts = {
            "Spot account": f"`{self.spot_account}`",
            "Organisation": f"`{self.organization}`" if self.organization else "not known",
            "AWS account": f"`{self.aws_account}`",
            "Time": self.time,
            "Hand-over": f"`{self.id}`",
        }
        statuses = {**dict.fromkeys(self.regions, "active"), **self.statuses}
        return "\n".join(
            [
                f"# {self.subject}",
                "",
                f"AWS now sends EC2 Spot interruption notices to Spot for account `{self.spot_account}`.",
                "",
                "| | |",
                "|---|---|",
                *(f"| {name} | {value} |" for name, value in facts.items()),
                "",
                "| Region | Status | |",
                "|---|---|---|",
                *(
                    f"| {name} | {status} | {'**new**' if name in self.regions else ''} |"
                    for name, status in sorted(statuses.items(), key=lambda item: (item[0] not in self.regions, item[0]))
                ),
                "",
                "Please:",
                "",
                *(f"{number}. {request}" for number, request in enumerate(self._requests(), 1)),
                "",
            ]
        )

    def _requests(self) -> tuple[str, str]:
        return (
            f"Enable monitoring of account {self.spot_account} in {', '.join(self.regions)}.",
            f"Confirm that the feature flag {self.flag} is on for this account.",
        )


class ChannelError(Exception):
    """A notification that did not go through. The message is one line and holds no secret."""


@dataclass(frozen=True)
class Delivery:
    """A notification that a channel took.

    :ivar reference: the channel's own reference, such as a ticket's key; empty if it has none
    :ivar note: a note for the user; empty if there is none
    """

    reference: str = ""
    note: str = ""


class Message(t.Protocol):
    """A message of a channel to Spot's operators, or to the operators of the integration."""

    @property
    def id(self) -> str:
        """Return the same for the same message, so that one that arrives twice can be recognised."""

    @property
    def spot_account(self) -> str:
        """Return the account that it is about, or a word for several."""

    @property
    def time(self) -> str:
        """ISO 8601 in UTC."""

    @property
    def subject(self) -> str:
        """Return one line."""

    def document(self) -> dict[str, t.Any]:
        """For programs."""

    def text(self) -> str:
        """For people, without markup."""

    def markdown(self) -> str:
        """For people, as a document."""


class Channel(t.Protocol):
    """A way to people."""

    name: t.ClassVar[str]
    """As it stands in the tag and in results: lower-case letters."""

    def send(self, notification: Message) -> Delivery:
        """Send it.

        :raises ChannelError: it did not go through.
        """
