# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import REPAIR, compare, missing, unread

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings


def rule_findings(readings: Readings, desired: Desired) -> list[Finding]:
    """Return the findings about the rule and its target."""
    existing, name = readings.rule, desired.rule.name
    if isinstance(existing, Failure):
        return [unread("rule", existing)]
    if existing is None:
        return missing("rule", f"rule {name} on the default event bus")
    return [
        Finding("rule", PASS, f"The rule {name} is on the default event bus."),
        compare("rule_state", "The rule", existing.managed_fields()["state"], "ENABLED"),
        compare("rule_pattern", "The event pattern", existing.event_pattern(), EVENT_PATTERN),
        _rule_matches(readings.matches_sample),
        *_target(existing, readings, desired),
    ]


def _rule_matches(matches: bool | Failure | None) -> Finding:
    if isinstance(matches, Failure):
        return unread("rule_matches", matches)
    if matches is None:
        return Finding("rule_matches", SKIP, "AWS did not return whether the rule matches a sample notice.", "Try again.")
    if matches:
        return Finding("rule_matches", PASS, "The rule matches a sample notice.")
    return Finding("rule_matches", FAIL, "The rule does not match a sample notice, so it sends none.", REPAIR)


def _target(rule: ExistingRule, readings: Readings, desired: Desired) -> list[Finding]:
    target = rule.target(desired.rule.target_id)
    destination = readings.api_destination
    arn = destination.document.get("api_destination_arn") if isinstance(destination, ExistingApiDestination) else None
    if target is None and arn:
        target = next((other for other in rule.targets if other["Arn"] == arn), None)
    if target is None:
        return missing("target", f"target {desired.rule.target_id} in the rule {rule.document.get('name')}")
    retry = target.get("RetryPolicy", {})
    seen = (retry.get("MaximumEventAgeInSeconds"), retry.get("MaximumRetryAttempts"))
    queue = readings.queue.document["queue_arn"] if isinstance(readings.queue, ExistingQueue) else None
    found = [
        Finding("target", PASS, "The rule has its target."),
        compare("target_role", "The target's execution role", target.get("RoleArn"), expected_role_arn(target, readings, desired)),
        compare("target_retry_policy", "The retry policy", _retries(*seen), _retries(desired.rule.event_age, desired.rule.retry_attempts)),
        _target_input(target),
    ]
    if arn:
        found.append(compare("target_destination", "The target", target["Arn"], arn))
    if queue:
        seen_queue = target.get("DeadLetterConfig", {}).get("Arn")
        found.append(compare("target_dead_letter", "The target's dead-letter queue", seen_queue, queue))
    return found


def expected_role_arn(target: t.Mapping[str, t.Any], readings: Readings, desired: Desired) -> str:
    """Return the ARN that the target should have. If the role cannot be read, its path is not known and the name is compared."""
    arn, seen = desired.rule.role_arn, str(target.get("RoleArn"))
    same_name = [seen.partition("/")[0], seen.rpartition("/")[2]] == [arn.partition("/")[0], arn.rpartition("/")[2]]
    return seen if desired.execution_role and isinstance(readings.execution_role, Failure) and same_name else arn


def _target_input(target: t.Mapping[str, t.Any]) -> Finding:
    altered = [element for element in ("Input", "InputPath", "InputTransformer") if target.get(element)]
    if altered:
        message = f"The target has {', '.join(altered)}, so Spot does not get the whole notice."
        return Finding("target_input", FAIL, message, REPAIR)
    return Finding("target_input", PASS, "The target sends the whole notice.")


def _retries(age: int | None, attempts: int | None) -> str:
    # AWS's defaults for a target without these settings (EventBridge user guide, "Retry policy").
    return f"{86400 if age is None else age} s, {185 if attempts is None else attempts} attempts"
