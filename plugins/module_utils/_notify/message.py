# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, SKIP, UNKNOWN, Finding

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region

# On the rule, so that every machine that may look at the integration knows what Spot was told.
TAG = "SpotNotification"
DEFAULT_FLAG = "aws-detach-instances-that-got-interruption-notification"
CHECK = "notification"

_ENTRY = re.compile(r"(?P<channel>[a-z]+)=(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(/(?P<reference>[\w.:+@-]{1,30}))?")
# Of what a service calls a notification: letters, digits and what both AWS's tags and the entry's form allow.
_NO_REFERENCE = re.compile(r"[^\w.:+@-]", re.ASCII)
_SPACE = uuid.UUID("6c7c1e0c-36a2-5c3e-9d0e-5f6f1a2b7c11")


@dataclass(frozen=True)
class Sent:
    """That a region was handed over.

    :ivar time: ISO 8601 in UTC
    :ivar reference: what the channel calls it, such as a ticket's key; empty if it calls it nothing
    """

    time: str
    reference: str = ""


Memory = t.Mapping[str, Sent]
"""Through which channels a region was handed over."""


def remembered(tags: t.Mapping[str, str], spot_account: str) -> dict[str, Sent]:
    """What a rule's tags say was handed over. Text that is not ours, or of another Spot account, says nothing."""
    words = tags.get(TAG, "").split()
    if words[:1] != [f"account={spot_account}"]:
        return {}
    entries = [match for match in map(_ENTRY.fullmatch, words[1:]) if match]
    return {entry["channel"]: Sent(entry["time"], entry["reference"] or "") for entry in entries}


def tag_value(spot_account: str, memory: Memory) -> str:
    """The reverse of `remembered`: at most 256 of the characters that AWS allows in a tag (Tagging AWS resources, user guide)."""
    entries = [
        f"{channel}={sent.time}" + (f"/{reference}" if (reference := _NO_REFERENCE.sub("", sent.reference)[:30]) else "")
        for channel, sent in sorted(memory.items())
    ]
    return " ".join([f"account={spot_account}", *entries])


def read(region: Region, rule_arn: str, spot_account: str) -> dict[str, Sent]:
    """What was handed over of a region, as its rule remembers it. One call, ListTagsForResource."""
    tags = region.clients["events"].list_tags_for_resource(ResourceARN=rule_arn)["Tags"]
    return remembered(boto3_tag_list_to_ansible_dict(tags), spot_account)


def finding(memory: Memory | Failure) -> Finding:
    """What a rule's memory means."""
    if isinstance(memory, Failure):
        message = f"Whether Spot's operators were told of this region could not be read: {memory.code}: {memory.message}"
        return Finding(CHECK, UNKNOWN, message, "Grant events:ListTagsForResource, or try again.")
    if not memory:
        message = "Nobody at Spot was told of this region by this collection, so Spot may not be monitoring it."
        return Finding(CHECK, SKIP, message, "Configure a channel of the role spot_eventbridge_notify, or ask Spot's support.")
    told = [
        f"{channel} on {sent.time}" + (f" ({sent.reference})" if sent.reference else "")
        for channel, sent in sorted(memory.items(), key=lambda item: item[1].time)
    ]
    return Finding(CHECK, PASS, f"Spot was told of this region: {', '.join(told)}.")


@dataclass(frozen=True)
class Notification:
    """What Spot's operators are told and asked.

    :ivar organization: Spot's id of the organisation; empty if it is not known
    :ivar regions: the regions that they are told of: those that are active and that they do not know of yet
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
        """The same for the same account and regions, so that a notification that arrives twice can be told for what it is."""
        return str(uuid.uuid5(_SPACE, " ".join([self.spot_account, self.aws_account, *sorted(self.regions)])))

    @property
    def subject(self) -> str:
        """One line."""
        where = self.regions[0] if len(self.regions) == 1 else f"{len(self.regions)} regions"
        return f"EventBridge for {self.spot_account}: enable monitoring in {where}"

    def document(self) -> dict[str, t.Any]:
        """For programs."""
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
        """For people, without any markup, so that it reads the same wherever it arrives."""
        others = {name: status for name, status in self.statuses.items() if name not in self.regions}
        lines = [
            f"AWS now pushes EC2 spot interruption warnings to Spot for account {self.spot_account}.",
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
            f"Notification {self.id}. If it arrives twice, it is the same one.",
        ]
        return "\n".join(lines)

    def markdown(self) -> str:
        """For people, as a document."""
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
                f"AWS now pushes EC2 spot interruption warnings to Spot for account `{self.spot_account}`.",
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


class Channel(t.Protocol):
    """A way to Spot's operators."""

    name: t.ClassVar[str]
    """As it stands in the tag and in results: lower-case letters."""

    def send(self, notification: Notification) -> str:
        """Sends it.

        :returns: what the channel calls it, such as a ticket's key; empty if nothing
        :raises ChannelError: it did not go through.
        """
