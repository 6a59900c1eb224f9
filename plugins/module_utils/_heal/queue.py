# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import functools
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import NO_QUEUE
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import tags_of, text_in
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.messages import Message, Unreadable, parse

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# SQS API reference: ReceiveMessage returns ten at most, and a batch has ten entries at most.
_BATCH = 10
# A long poll asks all servers of SQS, and a short one only some (SQS developer guide). A second ends one that finds nothing.
_NEXT_POLL = 1
# Polls at a time. A queue of a fleet that lost an hour has thousands of messages.
_POLLS = 8


def queue_url(region: Region, name: str, aws_account: str | None) -> str:
    """Return the address of the hub's queue. GetQueueUrl.

    :raises ArgumentError: it does not exist.
    """
    owner = {"QueueOwnerAWSAccountId": aws_account} if aws_account else {}
    try:
        return str(region.clients["sqs"].get_queue_url(QueueName=name, **owner)["QueueUrl"])
    except Exception as error:
        if is_code(error, *NO_QUEUE):
            where = f"{region.name} of AWS account {aws_account}" if aws_account else region.name
            raise ArgumentError(
                f"The hub's queue {name} does not exist in {where}. Run the playbook spot.eventbridge.watch, or correct "
                "spot_eventbridge_watch_hub_name and spot_eventbridge_watch_hub_region."
            ) from None
        raise


def receive(region: Region, url: str, *, wait: int, visibility: int, most: int, seconds: float) -> tuple[list[Message | Unreadable], int]:
    """Receive what waits in the queue. Nothing is deleted: what is not settled comes back after `visibility` seconds.

    :param wait: how long to wait for the first message
    :param most: how many messages to receive at most, about
    :param seconds: how long to go on receiving, as the visibility of the first runs out meanwhile
    :returns: also about how many messages were received and not settled, by anybody
    """
    sqs, deadline = region.clients["sqs"], Deadline(seconds)

    def once(pause: int) -> list[t.Mapping[str, t.Any]]:
        found = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=pause,
            VisibilityTimeout=visibility,
            AttributeNames=["ApproximateReceiveCount"],
        )
        return list(found.get("Messages", []))

    found = once(wait)
    messages = {message["MessageId"]: message for message in found}
    waiting, in_flight = _counts(region, url)
    # A poll that finds nothing takes a second. The counts lag behind, so a full batch counts as well.
    while found and (waiting or len(found) >= _BATCH) and len(messages) < most and not deadline.expired:
        found = once(_NEXT_POLL)
        if len(found) == _BATCH:
            found += [message for batch in at_once(*[functools.partial(once, _NEXT_POLL)] * _POLLS) for message in batch]
        messages.update((message["MessageId"], message) for message in found)
        waiting, in_flight = _counts(region, url)
    return [parse(message) for message in messages.values()], in_flight


def _counts(region: Region, url: str) -> tuple[int, int]:
    """Return about how many messages are visible, and are in flight. GetQueueAttributes."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    found = region.clients["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    visible, hidden = (int(found[name]) for name in names)
    return visible, hidden


def read_known(region: Region, url: str) -> str:
    """Return what people know, the tags of the queue that `write_known` wrote; empty without the permission. ListQueueTags."""
    try:
        tags = region.clients["sqs"].list_queue_tags(QueueUrl=url).get("Tags", {})
    except Exception as error:
        if failure_of(error).denied:
            return ""
        raise
    return text_in(tags)


def read_known_of(region: Region, name: str, aws_account: str | None) -> str:
    """Return the same of a queue by its name; empty where it does not exist, or without the permission. GetQueueUrl, ListQueueTags."""
    try:
        return read_known(region, queue_url(region, name, aws_account))
    except ArgumentError:
        return ""
    except Exception as error:
        if failure_of(error).denied:
            return ""
        raise


def write_known(region: Region, url: str, text: str) -> None:
    """Record what people know, in as many tags as it takes. TagQueue."""
    region.clients["sqs"].tag_queue(QueueUrl=url, Tags=tags_of(text))


def delete(region: Region, url: str, handles: t.Sequence[str]) -> list[str]:
    """Delete messages. Returns why some could not be deleted; one that has come back meanwhile is read again, which does no harm."""
    return _in_batches(
        handles, lambda entries: region.clients["sqs"].delete_message_batch(QueueUrl=url, Entries=[{**entry} for entry in entries])
    )


def postpone(region: Region, url: str, pauses: t.Mapping[str, int]) -> list[str]:
    """Let messages come back after the given seconds, by receipt handle. Returns why some could not be postponed."""
    return _in_batches(
        list(pauses),
        lambda entries: region.clients["sqs"].change_message_visibility_batch(
            QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": pauses[entry["ReceiptHandle"]]} for entry in entries]
        ),
    )


def _in_batches(handles: t.Sequence[str], call: t.Callable[[list[dict[str, str]]], t.Mapping[str, t.Any]]) -> list[str]:
    batches = [handles[number : number + _BATCH] for number in range(0, len(handles), _BATCH)]

    def send(batch: t.Sequence[str]) -> list[str]:
        answer = call([{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(batch)])
        return [f"{failed.get('Code')}: {failed.get('Message', '')}".rstrip(": ") for failed in answer.get("Failed", [])]

    return [why for found in at_once(*(functools.partial(send, batch) for batch in batches)) for why in found]
