# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, SKIP, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._notify import healing_record

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# On the rule, so that every machine that can read the integration finds the record of notifications.
TAG = "SpotNotification"
CHECK = "notification"
NOT_NOTIFIED = "This collection has not notified Spot's operators of this region, so Spot may not be monitoring it."

_ENTRY = re.compile(r"(?P<channel>[a-z]+)=(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(/(?P<reference>[\w.:+@-]{1,30}))?")
# Removed from a service's reference: all but letters, digits and signs that both AWS's tags and the entry's form allow.
_NO_REFERENCE = re.compile(r"[^\w.:+@-]", re.ASCII)


@dataclass(frozen=True)
class Sent:
    """The record that a notification of a region was sent through a channel.

    :ivar time: ISO 8601 in UTC
    :ivar reference: the channel's own reference, such as a ticket's key; empty if it has none
    """

    time: str
    reference: str = ""


Records = t.Mapping[str, Sent]
"""The notifications of a region that were sent, by channel."""


def records_in(tags: t.Mapping[str, str], spot_account: str) -> dict[str, Sent]:
    """Return the record in a rule's tags. Text that is not of this collection, or of another Spot account, is ignored."""
    words = tags.get(TAG, "").split()
    if words[:1] != [f"account={spot_account}"]:
        return {}
    entries = [match for match in map(_ENTRY.fullmatch, words[1:]) if match]
    return {entry["channel"]: Sent(entry["time"], entry["reference"] or "") for entry in entries}


def tag_value(spot_account: str, records: Records) -> str:
    """Return the tag that `records_in` reads: at most 256 of the characters that AWS allows (Tagging AWS resources, user guide)."""
    entries = [
        f"{channel}={sent.time}" + (f"/{reference}" if (reference := _NO_REFERENCE.sub("", sent.reference)[:30]) else "")
        for channel, sent in sorted(records.items())
    ]
    return " ".join([f"account={spot_account}", *entries])


def read(region: Region, rule_arn: str, spot_account: str) -> dict[str, Sent]:
    """Return the record of a region's rule. One call, ListTagsForResource."""
    return records_in(read_tags(region, rule_arn), spot_account)


def read_tags(region: Region, rule_arn: str) -> dict[str, str]:
    """Return the tags of a rule. One call, ListTagsForResource."""
    return boto3_tag_list_to_ansible_dict(region.clients["events"].list_tags_for_resource(ResourceARN=rule_arn)["Tags"])


def carried_tags(region: Region, rule_arn: str) -> dict[str, str]:
    """Return a rule's own tags, which every further write about it carries: a company's policy can refuse a request that lacks them.

    One call, ListTagsForResource. Without the permission, there are none.
    """
    try:
        return carried(read_tags(region, rule_arn))
    except Exception:
        return {}


def carried(tags: t.Mapping[str, str]) -> dict[str, str]:
    """Return those of a rule's tags that `carried_tags` returns."""
    return {key: value for key, value in tags.items() if key not in (TAG, healing_record.TAG) and not key.startswith("aws:")}


def finding(records: Records | Failure) -> Finding:
    """Return the finding of a rule's records."""
    if isinstance(records, Failure):
        message = f"Unknown whether Spot's operators were notified of this region: {records.code}: {records.message}"
        return Finding(CHECK, UNKNOWN, message, "Grant events:ListTagsForResource, or try again.")
    if not records:
        return Finding(CHECK, SKIP, NOT_NOTIFIED, "Run the module spot_notification with a channel, or contact Spot's support.")
    sent = [
        f"{channel} on {sent.time}" + (f" ({sent.reference})" if sent.reference else "")
        for channel, sent in sorted(records.items(), key=lambda item: item[1].time)
    ]
    return Finding(CHECK, PASS, f"Spot's operators were notified of this region: {', '.join(sent)}.")
