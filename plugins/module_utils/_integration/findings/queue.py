# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, YES
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import REPAIR, key_findings, may, unread

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.queue_policy import QueuePolicy
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings


def queue_findings(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    """Return the findings about the dead-letter queue."""
    existing, name = readings.queue, desired.queue.name
    if isinstance(existing, Failure):
        return [unread("queue", existing)]
    if existing is None:
        return [Finding("queue", FAIL, f"There is no dead-letter queue {name}: refused notices are lost without a record.", REPAIR)]
    found = [Finding("queue", PASS, f"The dead-letter queue {name} exists.")]
    fields = existing.managed_fields()
    found.append(_queue_policy(fields["policy"], desired.queue.policy(region)))
    encrypted = fields["sqs_managed_sse_enabled"] or fields["kms_master_key_id"]
    found.append(
        Finding("queue_encryption", PASS, "The queue is encrypted.")
        if encrypted
        else Finding("queue_encryption", FAIL, "The queue is not encrypted.", REPAIR)
    )
    return found + key_findings("queue_key", desired.queue.key_use(region), existing.key)


def _queue_policy(existing: t.Any, desired: QueuePolicy) -> Finding:
    check, decision = "queue_policy", desired.may_send(existing)
    if decision != NO and compare_policies(existing, desired.beside(existing)):
        lets = "lets the rule send" if decision == YES else "may let the rule send, which only AWS can evaluate"
        message = f"The queue's policy {lets}, but differs from the one that allows no other sender and denies plain HTTP."
        return Finding(check, FAIL, message, REPAIR)
    return may(check, "The rule", "send to its dead-letter queue", decision)
