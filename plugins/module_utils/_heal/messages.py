# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import asdict, dataclass

SOURCE = "aws.events"
# EventBridge user guide, "Amazon EventBridge events": the changes of connections and API destinations.
_DETAIL_TYPE = re.compile(r"(Connection|API Destination) \w[\w ]*")
# arn:aws:events:eu-west-1:123456789012:connection/spot-interruption-act-d7320fba/<UUID of AWS>
_ARN = re.compile(r"arn:[\w-]+:events:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(connection|api-destination)/(?P<name>[\w.-]+)/[\w-]+")
# Without it, a message that cannot be parsed would be shown whole.
_MOST_SHOWN = 100


@dataclass(frozen=True)
class Message:
    """A message of the hub's queue: an event of AWS about a connection or an API destination.

    :ivar handle: SQS's receipt handle, with which this receive is acknowledged
    :ivar receives: how often the message was received, this time included
    :ivar name: the name of the integration's connection or API destination
    :ivar change: the detail type, such as `Connection Deauthorized`
    :ivar time: when it happened, ISO 8601 in UTC
    """

    id: str
    handle: str
    receives: int
    aws_account: str
    region: str
    name: str
    change: str
    time: str

    def as_dict(self) -> dict[str, t.Any]:
        """Return the form in results."""
        return asdict(self)


@dataclass(frozen=True)
class Unreadable:
    """A message of the hub's queue that is not such an event.

    :ivar why: one line, without the body
    """

    id: str
    handle: str
    receives: int
    why: str

    def as_dict(self) -> dict[str, t.Any]:
        """Return the form in results."""
        return asdict(self)


def parse(message: t.Mapping[str, t.Any]) -> Message | Unreadable:
    """Return an SQS message as an event, or why it is not one.

    The event's `detail` is not read: the account, the region and the name stand in the ARN.
    """
    receives = message.get("Attributes", {}).get("ApproximateReceiveCount", "1")
    envelope = {"id": message["MessageId"], "handle": message["ReceiptHandle"], "receives": int(receives)}
    try:
        event = json.loads(message.get("Body", ""))
    except ValueError:
        return Unreadable(**envelope, why="the body is not JSON")
    if not isinstance(event, dict) or event.get("source") != SOURCE:
        return Unreadable(**envelope, why=f"the source is not {SOURCE}")
    change, resources = str(event.get("detail-type")), event.get("resources")
    if not _DETAIL_TYPE.fullmatch(change):
        return Unreadable(**envelope, why=f"{change[:_MOST_SHOWN]} is not a change of a connection or an API destination")
    arn = _ARN.fullmatch(str(resources[0])) if isinstance(resources, list) and resources else None
    if not arn:
        return Unreadable(**envelope, why="the event names no connection or API destination")
    return Message(
        **envelope,
        aws_account=arn["account"],
        region=arn["region"],
        name=arn["name"],
        change=change,
        time=str(event.get("time", ""))[:_MOST_SHOWN],
    )


def by_name(messages: t.Iterable[Message]) -> dict[str, list[dict[str, t.Any]]]:
    """Return messages by the name of their integration, which is that of one Spot account in one AWS account."""
    found: dict[str, list[dict[str, t.Any]]] = {}
    for message in messages:
        found.setdefault(message.name, []).append(message.as_dict())
    return found
