# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import REPAIR
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.rule import expected_role_arn

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Resource
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings

SETTINGS = "settings"
# The checks of a part, by the beginning of their names: where one of them fails, onboarding changes that part in any case.
_CHECKS = {"rule": ("rule", "target")}


def settings_findings(region: Region, readings: Readings, desired: Desired, found: t.Iterable[Finding]) -> list[Finding]:
    """Return whether onboarding would change something that no other check has found: it is decided by the same plans.

    :param found: the other findings of the region
    :returns: nothing where no part could be compared
    """
    failed = [finding.check for finding in found if finding.outcome == FAIL]
    parts = [(resource, existing) for resource, existing in _parts(region, readings, desired) if resource.settled(existing)]
    differences = [
        difference
        for resource, existing in parts
        if not any(check.startswith(_CHECKS.get(resource.kind, (resource.kind,))) for check in failed)
        for difference in _differences(resource, region, existing)
    ]
    if differences:
        return [Finding(SETTINGS, FAIL, f"Onboarding would change {'; '.join(differences)}.", REPAIR)]
    unread = [f"{kind}: {tags.code}: {tags.message}" for kind, tags in readings.tags.items() if isinstance(tags, Failure)]
    if unread and desired.tags is not None:
        message = f"Unknown whether onboarding would change tags: {'; '.join(unread)}"
        return [Finding(SETTINGS, WARN, message, "Grant the permission to read them.")]
    return [Finding(SETTINGS, PASS, "Onboarding would change nothing else.")] if parts else []


def _parts(region: Region, readings: Readings, desired: Desired) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Yield the existing parts, each with its desired state; a setting that is not given is desired as it is."""
    connection, destination, rule = readings.connection, readings.api_destination, readings.rule
    if connection and not isinstance(connection, Failure):
        yield _with_settings(desired.connection, connection, desired)
    if destination and connection and not isinstance(destination, Failure) and not isinstance(connection, Failure):
        existing = ExistingApiDestination(destination.found, connection.document["connection_arn"])
        yield _with_settings(desired.api_destination, existing, desired)
    if rule and destination and not isinstance(rule, Failure) and not isinstance(destination, Failure):
        there = dataclasses.replace(rule, destination_arn=destination.document["api_destination_arn"])
        target = rule.target(desired.rule.target_id) or {}
        expected = dataclasses.replace(desired.rule, role_arn=expected_role_arn(target, readings, desired))
        yield _with_settings(*_with_tags(expected, there, readings, desired), desired)
    if readings.queue and not isinstance(readings.queue, Failure):
        yield _with_settings(*_with_tags(desired.queue, readings.queue, readings, desired), desired)
    role, its = desired.execution_role, readings.execution_role
    if role and its and not isinstance(its, Failure):
        # All of its policies were read, and have checks of their own.
        same = dataclasses.replace(its, trust=role.trust_policy(), policies=(role.policy(region.partition),))
        yield _with_settings(dataclasses.replace(role, tags=desired.tags, purge_tags=False), same, desired)


def _with_tags(resource: t.Any, existing: t.Any, readings: Readings, desired: Desired) -> tuple[t.Any, t.Any]:
    tags = readings.tags.get(resource.kind)
    if desired.tags is None or tags is None or isinstance(tags, Failure):
        return resource, existing
    # Tags of others stay.
    return dataclasses.replace(resource, tags=desired.tags, purge_tags=False), dataclasses.replace(existing, tags=tags)


def _with_settings(resource: t.Any, existing: t.Any, desired: Desired) -> tuple[t.Any, t.Any]:
    if "description" not in desired.settings:
        resource = resource.as_described(existing)
    if resource.kind == "queue":
        if "queue_kms_master_key_id" not in desired.settings:
            resource = dataclasses.replace(resource, kms_key=existing.kms_key)
        if "message_retention_period" not in desired.settings:
            attributes = {**existing.attributes, "MessageRetentionPeriod": str(resource.retention)}
            existing = dataclasses.replace(existing, attributes=attributes)
    return resource, existing


def _differences(resource: Resource, region: Region, existing: t.Any) -> t.Iterator[str]:
    plan = resource.plan(region, existing)
    if not plan.calls:
        return
    what = f"the {resource.kind.replace('_', ' ')}"
    told = list(_between(plan.before or {}, plan.after or {}))
    yield f"{what}: {', '.join(told)}" if told else f"{what} differs"


def _between(existing: Document, expected: Document, path: str = "") -> t.Iterator[str]:
    for name in sorted({*existing, *expected}):
        one, other = existing.get(name), expected.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _between(one, other, f"{path}{name}.")
        elif other is None:
            # Whatever it is: somebody's parameter may be a secret.
            yield f"{path}{name} is set, expected missing"
        else:
            yield f"{path}{name} is {_shown(one)}, expected {_shown(other)}"


def _shown(value: t.Any) -> str:
    if value is None:
        return "missing"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)
