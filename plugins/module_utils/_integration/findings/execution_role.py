# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import EVENTBRIDGE, NO, UNSURE
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ACTION, POLICY_NAME, ExistingRole
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import REPAIR, may, missing, unread

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings

_PERMISSION = "execution_role_permission"


def execution_role_findings(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    """Return the findings about the execution role."""
    role, arn = readings.execution_role, desired.rule.role_arn
    if isinstance(role, Failure):
        return [unread("execution_role", role)]
    if role is None or role.arn != arn:
        return missing("execution_role", f"execution role {arn}")
    planned = _planned(region, role, readings, desired)
    return [
        Finding("execution_role", PASS, f"The execution role {arn} exists."),
        _trust(role, desired, "update_assume_role_policy" in planned),
        *_permission(role, readings, "put_role_policy" in planned),
    ]


def _planned(region: Region, role: ExistingRole, readings: Readings, desired: Desired) -> set[str]:
    """Return the operations with which onboarding would change the role; none for a role that is made by a stack or elsewhere."""
    if desired.execution_role is None or isinstance(readings.stack, StackNames):
        return set()
    return {call.operation for call in desired.execution_role.plan(region, role).calls}


def _trust(role: ExistingRole, desired: Desired, changes: bool) -> Finding:
    decision = role.trusts_eventbridge(desired.aws_account)
    if decision != NO and changes:
        message = "The trust policy of the execution role differs from the one that trusts EventBridge for this account alone."
        return Finding("execution_role_trust", FAIL, message, REPAIR)
    return may("execution_role_trust", EVENTBRIDGE, "assume the execution role", decision)


def _permission(role: ExistingRole, readings: Readings, changes: bool) -> list[Finding]:
    destination = readings.api_destination
    if not isinstance(destination, ExistingApiDestination):
        return []
    arn = str(destination.document.get("api_destination_arn"))
    decision = role.may_invoke(arn)
    if decision != NO and changes:
        message = f"The policy {POLICY_NAME} of the execution role differs from the one that allows this API destination alone."
        return [Finding(_PERMISSION, FAIL, message, REPAIR)]
    if role.boundary and decision == UNSURE and role.boundary_policy is None:
        message = f"Unknown whether the execution role may send to the API destination: its permissions boundary {role.boundary}"
        return [Finding(_PERMISSION, WARN, f"{message} could not be read.", "Grant iam:GetPolicy and iam:GetPolicyVersion for it.")]
    if role.boundary and decision == NO and dataclasses.replace(role, boundary=None).may_invoke(arn) != NO:
        message = f"The permissions boundary {role.boundary} does not let the execution role send to the API destination"
        return [Finding(_PERMISSION, FAIL, f"{message}, so nothing is delivered.", f"Allow {ACTION} in it, or set another boundary.")]
    return [may(_PERMISSION, "The execution role", "send to the API destination", decision)]
