# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ExistingRole
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import unread
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import PUT_EVENTS
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import HubRule
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.seen import Reports, SeenHub

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings
    from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub
    from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

WATCH = "watch"
_REMEDY = "Run the playbook spot.eventbridge.watch."
_LET_IN = " It must let this account in: see spot_eventbridge_watch_hub_organization."
_CHECK = "The playbook spot.eventbridge.watch with --check shows what the hub lacks. See also the policy verify-watch."


def watch_findings(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    """Return whether the loss of the authorisation would be reported to the hub; nothing where that is not desired.

    It is a warning at most: without it, notices arrive all the same. A hub in another account cannot be read, so only events that were sent
    to it, or were refused by it, show what it is like.
    """
    rule, existing = desired.alarm_rule, readings.alarm_rule
    if rule is None or not rule.present:
        return []
    if isinstance(existing, Failure):
        return [unread(WATCH, existing)]
    faults = [f"there is no rule {rule.name}"] if existing is None else _differences(region, rule, existing)
    role = readings.execution_role
    if isinstance(role, ExistingRole) and role.may_call(PUT_EVENTS, rule.hub.bus_arn) == NO:
        faults.append(f"the execution role may not call {PUT_EVENTS} on {rule.hub.bus_arn}")
    missing, unsure = _hub(region, readings, rule)
    faults += missing
    lost = readings.evidence.unreported if readings.evidence else ()
    if lost:
        why = f"{lost[0].error_code}: {lost[0].error_message}"
        faults.append(f"{len(lost)} event(s) did not reach {rule.hub.bus_arn}, the latest of {lost[0].time}: {why}")
    if not faults and unsure:
        return [Finding(WATCH, WARN, f"Unknown whether the loss of the authorisation is reported: {unsure}.", _CHECK)]
    if not faults:
        return [Finding(WATCH, PASS, f"The loss of the authorisation is reported to the hub {rule.hub.bus_arn}.")]
    remedy = _REMEDY
    if lost:
        remedy += f"{_LET_IN} Then purge the dead-letter queue."
    elif isinstance(readings.reports, Reports) and readings.reports.failed:
        remedy += _LET_IN
    return [Finding(WATCH, WARN, f"The loss of the authorisation may not be reported: {'; '.join(faults)}.", remedy)]


def _hub(region: Region, readings: Readings, rule: AlarmRule) -> tuple[list[str], str]:
    """Return what is wrong with the hub, and why that is not known; both empty if it is known to work."""
    return _hub_elsewhere(readings.reports, rule.hub.bus_arn) if rule.is_elsewhere else _own_hub(region, readings.hub, rule.hub)


def _own_hub(region: Region, existing: SeenHub | Failure | None, hub: Hub) -> tuple[list[str], str]:
    if not isinstance(existing, SeenHub):
        why = f": {existing.code}: {existing.message}" if existing else ""
        return [], f"the hub {hub.bus_arn} cannot be read{why}"
    if not existing.exists:
        return [f"there is no event bus {hub.bus_arn}"], ""
    rule = HubRule(hub.name, hub=hub)
    if existing.rule is None:
        return [f"there is no rule {rule.name} on the event bus {hub.bus_arn}"], ""
    return _differences(region, rule, existing.rule), ""


def _hub_elsewhere(reports: Reports | Failure | None, name: str) -> tuple[list[str], str]:
    if isinstance(reports, Failure):
        return [], f"the hub {name} is in another account, and the deliveries to it cannot be read: {reports.code}: {reports.message}"
    if reports and reports.failed and (not reports.arrived or reports.arrived <= reports.failed):
        return [f"an event did not reach {name}, in the five minutes from {as_text(reports.failed)} on"], ""
    if reports and reports.arrived:
        return [], ""
    return [], f"the hub {name} is in another account, and no event that was sent to it shows that it exists and lets this account in"


def _differences(region: Region, rule: AlarmRule | HubRule, existing: ExistingRule) -> list[str]:
    target, expected = existing.target(rule.target_id), rule.desired_target(region, existing)
    found = []
    if existing.managed_fields()["state"] != "ENABLED":
        found.append(f"the rule {rule.name} is {existing.managed_fields()['state']}")
    if existing.event_pattern() != rule.event_pattern(region):
        found.append(f"the event pattern of the rule {rule.name} is another one")
    if target is None:
        found.append(f"the rule {rule.name} has no target {rule.target_id}")
    else:
        found += [f"the target of the rule {rule.name} has another {name}" for name, value in expected.items() if target.get(name) != value]
    return found
