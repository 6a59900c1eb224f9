# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, YES
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, UNKNOWN, WARN, Finding

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key, KeyUse
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure

REPAIR = "Run the playbook spot.eventbridge.repair."


def unread(check: str, failure: Failure) -> Finding:
    """Return that something could not be read, and why."""
    remedy = (
        "See the guide 'Permissions in AWS' for the policy verify."
        if failure.denied
        else "Try again; if the error stays, check AWS's status of the region."
    )
    return Finding(check, UNKNOWN, f"Could not be read: {failure.code}: {failure.message}", remedy)


def missing(check: str, what: str) -> list[Finding]:
    """Return that something does not exist."""
    return [Finding(check, FAIL, f"There is no {what}.", REPAIR)]


def compare(check: str, what: str, existing: t.Any, expected: t.Any, remedy: str = REPAIR) -> Finding:
    """Return whether an existing value is the expected one."""
    if existing == expected:
        return Finding(check, PASS, f"{what} is {_shown(expected)}.")
    return Finding(check, FAIL, f"{what} is {_shown(existing)}, expected {_shown(expected)}.", remedy)


def _shown(value: t.Any) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else json.dumps(value)


def may(check: str, who: str, what: str, decision: str) -> Finding:
    """Return whether somebody has a permission.

    :param decision: YES, NO or UNSURE
    """
    if decision == YES:
        return Finding(check, PASS, f"{who} may {what}.")
    if decision == NO:
        return Finding(check, FAIL, f"{who} may not {what}, so nothing is delivered.", REPAIR)
    return Finding(check, WARN, f"Unknown whether {who} may {what}: a policy has conditions that only AWS can evaluate.", "Check it.")


def key_findings(check: str, use: KeyUse, key: Key | None) -> list[Finding]:
    """Return whether EventBridge can use a customer's KMS key; nothing where there is none."""
    if key is None:
        return []
    faults, doubts = use.faults(key), use.note(key)
    if faults:
        message = f"EventBridge cannot use the KMS key {key.identifier} of {use.what}: {'; '.join(faults)}."
        return [Finding(check, FAIL, message, "Correct the key. If no option names it, repair removes it from the resource.")]
    if doubts:
        return [Finding(check, WARN, f"{doubts[0].upper()}{doubts[1:]}.", "Check it, or grant the actions of the policy kms-keys.")]
    return [Finding(check, PASS, f"EventBridge can use the KMS key {key.identifier} of {use.what}.")]
