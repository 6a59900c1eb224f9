# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import json
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import IMPOSSIBLE_INSTANCE
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import parse_time
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# An instance is gone two minutes after its notice (EC2 user guide, Spot Instance interruption notices).
LIFETIME = 120.0
_LOOKS = 10


def resend(
    region: Region, queue_url: str, notify: t.Callable[[t.Mapping[str, t.Any]], None], now: t.Callable[[], datetime.datetime]
) -> tuple[int, list[str]]:
    """Send the dead letters of a queue that are still of use to Spot, each once, and delete those that Spot accepts.

    A letter is not visible until it is of no use any more. So one whose sender is killed before it is deleted is not sent again.

    :param notify: posts a notice to Spot
    :returns: how many were sent, and why others could not be
    """
    sqs, sent, failed = region.clients["sqs"], 0, []
    for _look in range(_LOOKS):
        found = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=int(LIFETIME), WaitTimeSeconds=0)
        messages = found.get("Messages", [])
        for message in messages:
            notice = notice_in(message.get("Body", ""), now())
            if notice is None:
                continue
            try:
                notify(notice)
            except SpotError as error:
                failed.append(str(error))
                continue
            sent += 1
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        if not messages:
            break
    return sent, failed


def notice_in(body: str, now: datetime.datetime) -> dict[str, t.Any] | None:
    """Return the interruption notice of a dead letter; None if it is of no use any more, a test event, or something else."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    if not isinstance(event, dict) or any(event.get(key) not in values for key, values in EVENT_PATTERN.items()):
        return None
    detail = event.get("detail")
    if not isinstance(detail, dict) or detail.get("instance-id") == IMPOSSIBLE_INSTANCE:
        return None
    age = (now - parse_time(str(event.get("time", "")))).total_seconds()
    return event if age < LIFETIME else None
