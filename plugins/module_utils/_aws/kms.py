# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

# The parameters of this collection's template that are KMS keys.
_KEY_PARAMETERS = ("ConnectionKmsKey", "QueueKmsKey")
# AWS KMS developer guide, "Key identifiers": AWS's own keys have aliases of this form, and the ids of multi-Region keys begin with mrk-.
_OF_AWS = "alias/aws/"
_ARN = re.compile(r"arn:[^:]+:kms:(?P<region>[^:]+):[^:]*:(?P<resource>.+)\Z")
_ONE_REGION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


def check_kms_key(option: str, key: str | None, regions: t.Sequence[str]) -> None:
    """Refuse a KMS key that EventBridge cannot use in every region.

    :param option: the option that the key was given with
    :param regions: where the key is to be used
    :raises ArgumentError: EventBridge cannot use it.
    """
    if not key:
        return
    arn = _ARN.match(key)
    if (arn["resource"] if arn else key).startswith(_OF_AWS):
        raise ArgumentError(
            f"{option} cannot be {key}: EventBridge cannot use a key that AWS manages, as nobody can change its policy or its tags. "
            "Set a customer managed key."
        )
    others = [name for name in regions if name != arn["region"]] if arn else []
    if others or (_ONE_REGION.match(key) and len(set(regions)) > 1):
        where = f"for {', '.join(others)}" if others else f"for {len(set(regions))} regions"
        raise ArgumentError(
            f"{option} cannot be {key} {where}: AWS uses a key only in the key's own region. "
            "Set an alias that each region has (alias/…), the id of a multi-Region key that is replicated to each region (mrk-…), "
            "or run each region with a key of its own."
        )


def check_kms_parameters(parameters: t.Mapping[str, str], regions: t.Sequence[str] | None) -> None:
    """Refuse parameters of this collection's template that are KMS keys which EventBridge cannot use in every region.

    :param regions: where the stacks are to be; None is not known yet
    :raises ArgumentError: EventBridge cannot use one of them.
    """
    for name in _KEY_PARAMETERS:
        check_kms_key(f"parameters.{name}", parameters.get(name), regions or ())


def is_same_key(one: str | None, other: str | None) -> bool:
    """Return whether two identifiers of KMS keys mean the same, where one is an ARN and the other is not.

    DescribeConnection and GetQueueAttributes show the form that was given (Terraform's acceptance tests on AWS), by whoever gave it.
    """
    if not one or not other or one.startswith("arn:") == other.startswith("arn:"):
        return False
    return one.rpartition(":")[2].removeprefix("key/") == other.rpartition(":")[2].removeprefix("key/")
