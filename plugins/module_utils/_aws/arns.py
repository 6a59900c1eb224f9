# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region

# These ARNs follow from the names alone (AWS service authorization reference); those of connections and
# API destinations do not, as they may end in an id of AWS's choice.


def queue_arn(region: Region, aws_account: str, name: str) -> str:
    """The ARN of an SQS queue."""
    return f"arn:{region.partition}:sqs:{region.name}:{aws_account}:{name}"


def rule_arn(region: Region, aws_account: str, name: str) -> str:
    """The ARN of a rule on the default event bus."""
    return f"arn:{region.partition}:events:{region.name}:{aws_account}:rule/{name}"


def temporary_rule_prefix(rule: str) -> str:
    """How the names of the temporary rules begin that test event a rule's target; six more characters fit into the 64 that AWS takes."""
    return f"{rule[:50]}-test-"
