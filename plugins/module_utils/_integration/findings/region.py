# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import findings as evidence_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import DENIED, left_out
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.api_destination import api_destination_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import unread
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.connection import connection_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.execution_role import execution_role_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.queue import queue_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.rule import rule_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.settings import settings_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.stack import (
    in_stack,
    stack_findings,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.watch import watch_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import finding as notification_finding

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings

# The one check of a region that has no API destinations.
REGION = "region"
# The one check of a region that the organisation denies.
ORGANIZATION = "organization"
# The one check of a region that has nothing of an integration.
INTEGRATION = "integration"


def findings(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    """Return all findings about an integration in a region.

    Of a resource that does not exist, nothing else is checked.
    """
    # The resources that onboarding reads, in its order.
    others = readings.others if _is_absent(readings, desired) else ()
    # If the integration was read without its stack, a stack that may own it is reported last.
    stack = readings.stack if desired.stack_name or not readings.connection else None
    for part in (stack, readings.queue, readings.connection, readings.api_destination, readings.rule, others):
        if isinstance(part, Failure) and part.leaves_out:
            return [_left_out(part)]
    if desired.stack_name and not isinstance(readings.stack, StackNames):
        return [_no_stack(readings.stack, desired)]
    if isinstance(readings.connection, Failure) and readings.connection.unreachable:
        # The connection is read first; after it, nothing else was read.
        return [unread(INTEGRATION, readings.connection)]
    if _is_absent(readings, desired):
        return [_absent(readings, desired)]
    found = [
        *connection_findings(region, readings, desired),
        *api_destination_findings(readings, desired),
        *rule_findings(readings, desired),
        *execution_role_findings(region, readings, desired),
        *queue_findings(region, readings, desired),
        *stack_findings(readings, desired),
        _double_delivery(readings, desired),
    ]
    if isinstance(readings.stack, StackNames):
        found = [in_stack(finding, readings.stack, readings) for finding in found]
    if readings.stack is None or isinstance(readings.stack, Failure):  # else, the stack decides the settings
        found += settings_findings(region, readings, desired, found)
    if readings.evidence:
        found += evidence_findings(readings.evidence)
    found += watch_findings(region, readings, desired)
    if readings.notification is not None:
        found.append(notification_finding(readings.notification))
    return found


def _left_out(failure: Failure) -> Finding:
    status, why = left_out(failure)
    if status == DENIED:
        return Finding(ORGANIZATION, SKIP, why, "Exclude it with spot_eventbridge_exclude_regions to skip it.")
    return Finding(REGION, SKIP, why, "Leave it out.")


def _is_absent(readings: Readings, desired: Desired) -> bool:
    # Offboarding keeps a queue with dead letters and a rule with others' targets. Neither of them is an integration.
    rule = readings.rule
    ours = isinstance(rule, Failure) or (rule is not None and rule.target(desired.rule.target_id) is not None)
    return not (readings.connection or readings.api_destination or ours or isinstance(readings.queue, Failure))


def _absent(readings: Readings, desired: Desired) -> Finding:
    message = "No part of the integration exists: the region was never onboarded, or was offboarded."
    kept = [f"the rule {desired.rule.name}, without our target"] if readings.rule else []
    if isinstance(readings.queue, ExistingQueue):
        kept.append(f"the queue {desired.queue.name} with {readings.queue.messages} dead letter(s)")
    if isinstance(readings.stack, StackNames):
        message = f"The stack {readings.stack.stack.name} is {readings.stack.status}, and nothing here sends notices."
        kept = []
    if kept:
        message = f"Nothing here sends notices: the region was never onboarded, or was offboarded. This remains: {' and '.join(kept)}."
    serving = _serving(readings, desired)
    if serving:
        certain = any(other.account_for(desired.spot_account) for other in serving)
        names = ", ".join(other.name for other in serving)
        sends = "sends" if certain else "may send"
        message += f" Something else {sends} this region's notices to {desired.spot_account}: the API destination {names}."
        return Finding(INTEGRATION, FAIL, message, "To read that one instead, set name to its name, or stack_name to its stack.")
    return Finding(INTEGRATION, FAIL, message, "Run the playbook spot.eventbridge.onboard.")


def _serving(readings: Readings, desired: Desired) -> list[OtherDestination]:
    others = () if isinstance(readings.others, Failure) else readings.others
    return [other for other in others if other.may_serve(desired.spot_account)]


def _no_stack(stack: t.Any, desired: Desired) -> Finding:
    if isinstance(stack, Failure):
        return unread(INTEGRATION, stack)
    message = f"There is no stack {desired.stack_name}: the region was never onboarded with CloudFormation, or was offboarded."
    return Finding(INTEGRATION, FAIL, message, "Run the playbook spot.eventbridge.onboard.")


def _double_delivery(readings: Readings, desired: Desired) -> Finding:
    others = readings.others
    if isinstance(others, Failure):
        return unread("double_delivery", others)
    suspects = _serving(readings, desired)
    if not suspects and _has_second_target(readings, desired):
        return Finding(
            "double_delivery",
            WARN,
            f"The rule {desired.rule.name} has a second target to the same API destination, so notices arrive twice.",
            "Remove it.",
        )
    if not suspects:
        return Finding("double_delivery", PASS, "Nothing else in this region sends notices to this Spot account.")
    named = "; ".join(f"{other.name} ({_sent_by(other)}; account {_account_of(other, desired)})" for other in suspects)
    return Finding(
        "double_delivery",
        WARN,
        f"Other API destinations send to the same endpoint, so notices may arrive twice: {named}.",
        "Remove them, or the stack that made them, if they are for this Spot account.",
    )


def _has_second_target(readings: Readings, desired: Desired) -> bool:
    """Return whether two targets of our rule send to our API destination. One, of any id, is taken over by onboarding."""
    rule, destination = readings.rule, readings.api_destination
    if rule is None or destination is None or isinstance(rule, Failure) or isinstance(destination, Failure):
        return False
    arn = destination.document.get("api_destination_arn")
    return len([target for target in rule.targets if target["Arn"] == arn]) > 1


def _sent_by(other: OtherDestination) -> str:
    return f"rule {', '.join(other.rules or other.elsewhere)}"


def _account_of(other: OtherDestination, desired: Desired) -> str:
    return other.account_for(desired.spot_account) or "hidden or missing"
