# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KMS keys of a customer, as EventBridge needs them or not."""

from __future__ import annotations

import json
from typing import Any

ROOT = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
DEAD_LETTERS = {
    "Sid": "DeadLettersOfEventBridge",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
}
TAG = {"EventBridgeApiDestinations": "true"}


def make_key(kms: Any, alias: str = "", statements: Any = (ROOT, DEAD_LETTERS), tags: Any = None) -> str:
    """Make a key that serves a queue and a connection, unless told otherwise, and return its ARN.

    Args:
        kms: a client for the region.
        alias: such as alias/spot; none without it.
        statements: the key policy.
        tags: the tags; EventBridge's own without them.
    """
    given = TAG if tags is None else tags
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    made = kms.create_key(Policy=policy, Tags=[{"TagKey": key, "TagValue": value} for key, value in given.items()])["KeyMetadata"]
    if alias:
        kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return str(made["Arn"])
