# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source of Event-Driven Ansible: reports that events wait in the queue of a hub of spot.eventbridge."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import boto3
from botocore.config import Config

DOCUMENTATION = r"""
---
module: hub
short_description: Report that events wait in the queue of a hub
description:
  - Counts the visible messages of the hub's queue (C(GetQueueAttributes)), and reports their number as soon as there are any.
  - It neither receives nor deletes messages. The playbook C(spot.eventbridge.heal), which a rule starts, does both. So an action that
    fails, or is killed, loses nothing, messages that the playbook has postponed are reported again when they are visible again, and no
    message is in a variable of a rulebook.
  - If SQS cannot be reached, it tries again until it can.
  - It needs the permissions C(sqs:GetQueueUrl) and C(sqs:GetQueueAttributes), and no others.
options:
  hub_name:
    description: The name of the hub's queue.
    type: str
    default: spot-interruption-hub
  region:
    description: The region of the hub.
    type: str
    default: us-east-1
  hub_account:
    description: The AWS account of the hub. By default, that of the credentials.
    type: str
  profile:
    description: The AWS profile. By default, boto3 finds the credentials.
    type: str
  endpoint_url:
    description: Another address of SQS.
    type: str
  interval:
    description: The seconds between two counts. A count every two seconds is 1.3 million requests a month.
    type: float
    default: 2
  gather:
    description: The seconds to wait for more messages before they are reported. The playbook receives all that wait by then, too.
    type: float
    default: 0
  repeat:
    description: After how many seconds messages that still wait are reported again.
    type: float
    default: 30
  sweep:
    description:
      - The seconds between two reports that a sweep over all accounts is due, as EventBridge does not guarantee that an event is sent. V(0)
        reports none.
    type: float
    default: 3600
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- spot.eventbridge.hub:
    region: us-east-1
"""

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 60.0


class Hub:
    """The hub's queue, which is counted in a thread, as boto3 knows no asyncio."""

    def __init__(self, args: dict[str, Any]) -> None:
        self._args = args
        self._client: Any = None
        self._url = ""

    async def count(self) -> int:
        """Return the number of visible messages. Never raises: it tries until SQS responds."""
        pause = float(self._args.get("interval", 2))
        while True:
            try:
                return await asyncio.to_thread(self._count)
            except Exception as error:
                # Also a session that has expired is made again.
                self._client = None
                logger.warning("The hub's queue cannot be counted, which is tried again in %.0f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _count(self) -> int:
        if self._client is None:
            session = boto3.Session(profile_name=self._args.get("profile"), region_name=self._args.get("region", "us-east-1"))
            config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
            client = session.client("sqs", endpoint_url=self._args.get("endpoint_url"), config=config)
            owner = {"QueueOwnerAWSAccountId": str(self._args["hub_account"])} if self._args.get("hub_account") else {}
            self._url = client.get_queue_url(QueueName=self._args.get("hub_name", "spot-interruption-hub"), **owner)["QueueUrl"]
            self._client = client
        name = "ApproximateNumberOfMessages"
        return int(self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])["Attributes"][name])


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Report for ever what waits, and when a sweep is due.

    :param queue: takes `{"hub": {"waiting": 3}}` and `{"hub": {"sweep": True}}`
    :param args: the options, see DOCUMENTATION
    """
    hub = Hub(args)
    interval, gather, sweep = float(args.get("interval", 2)), float(args.get("gather", 0)), float(args.get("sweep", 3600))
    quiet_until, next_sweep = 0.0, time.monotonic() + sweep
    while True:
        waiting = await hub.count()
        if waiting == 0:
            quiet_until = 0.0
        elif time.monotonic() >= quiet_until:
            if gather:
                await asyncio.sleep(gather)
                # Those of a run that has begun meanwhile are not visible any more.
                waiting = await hub.count()
            if waiting:
                await queue.put({"hub": {"waiting": waiting}})
                quiet_until = time.monotonic() + float(args.get("repeat", 30))
        if sweep and time.monotonic() >= next_sweep:
            await queue.put({"hub": {"sweep": True}})
            next_sweep = time.monotonic() + sweep
        await asyncio.sleep(interval)
