# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import BY_STACK_SET
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import GOOD_STATES, StackNames
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import REPAIR, unread
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.connection import hides_account

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings

STACK = "stack"
_AGAIN = "Run the playbook spot.eventbridge.offboard for this region, then spot.eventbridge.onboard."
_BY_SET = "Run the playbook spot.eventbridge.stack_set without this account or region, then with it."
# Settings that another template may make differently from this collection, and still send every notice.
BY_CHOICE = (
    *("api_destination_rate_limit", "target_retry_policy", "target_dead_letter"),
    *("queue", "queue_policy", "queue_encryption", "queue_key"),
)


def stack_findings(readings: Readings, desired: Desired) -> list[Finding]:
    """Return the findings about the stack that the integration belongs to."""
    stack = readings.stack
    if isinstance(stack, Failure):
        if not stack.denied:
            return [unread(STACK, stack)]
        message = "Unknown whether it belongs to a CloudFormation stack: the caller lacks cloudformation:DescribeStackResources."
        return [Finding(STACK, SKIP, message, "Grant the permission, if CloudFormation is used here.")]
    if isinstance(stack, StackNames) and stack.status:
        return [_stack_state(stack)]
    if stack is None:
        return (
            [Finding(STACK, PASS, "It belongs to no CloudFormation stack.")] if isinstance(readings.connection, ExistingConnection) else []
        )
    stack = stack.stack if isinstance(stack, StackNames) else stack
    message = f"It belongs to {stack}, which does not detect changes of others, and removes it when it is deleted."
    if stack.of_a_set:
        return [Finding(STACK, WARN, message, "Manage it with the playbook spot.eventbridge.stack_set.")]
    return [Finding(STACK, WARN, message, "Change it with the module spot_stack, or set on_existing of spot_integration to adopt.")]


def _stack_state(stack: StackNames) -> Finding:
    message = f"The stack {stack.stack.name} is {stack.status}"
    if stack.status in GOOD_STATES:
        return Finding(STACK, PASS, f"{message}.")
    if stack.in_progress:
        return Finding(STACK, UNKNOWN, f"{message}: CloudFormation is working on it.", "Run it again in a minute.")
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return Finding(
            STACK, WARN, f"{message}: its latest update failed, and was rolled back.", "Run the playbook spot.eventbridge.onboard."
        )
    return Finding(STACK, FAIL, f"{message}, so it cannot be updated.", REPAIR)


def in_stack(finding: Finding, stack: StackNames, readings: Readings) -> Finding:
    """Return a finding about a part of a stack as it is there.

    No update of a stack makes a part again that was deleted. What another template makes differently on purpose is a warning.
    """
    parts = {"rule": readings.rule, "api_destination": readings.api_destination, "queue": readings.queue}
    hidden = ("connection_account",) if hides_account(readings) else ()
    if finding.outcome != FAIL:
        return finding
    if not stack.ours and finding.check in (*BY_CHOICE, *hidden):
        return dataclasses.replace(finding, outcome=WARN, remedy="The stack's template sets it. This collection's own template differs.")
    if parts.get(finding.check, finding) is None:
        message = f"{finding.message.rstrip('.')}. It was deleted outside {stack.stack}, which does not make it again: "
        if stack.stack.of_a_set:
            return dataclasses.replace(finding, message=f"{message}remove the region from the stack set, and add it again.", remedy=_BY_SET)
        return dataclasses.replace(finding, message=f"{message}offboard the region, and onboard it again.", remedy=_AGAIN)
    if stack.stack.of_a_set and finding.remedy == REPAIR:
        return dataclasses.replace(finding, remedy=BY_STACK_SET)
    return finding
