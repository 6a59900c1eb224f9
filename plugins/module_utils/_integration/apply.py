# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Gate
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import ended_at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.boundary import within_boundary
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.given_role import GivenRole, with_given_role
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress, combined_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_settling import RoleSettling
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_users import RoleUsers, role_users
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Resource
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_IN_USE = "RoleInUse"
SERVICES = ("sqs", "events", "secretsmanager")


def integrate(region: Region, desired: Desired, *, check_mode: bool, timeout: float, ready: t.Callable[[], None] | None = None) -> Progress:
    """Bring all resources of a region to what is desired, up to the first that fails.

    All are looked at, at once; then each is planned and changed, one after the other. A change may show in the resources after it, so they
    are looked at again, unless there was nothing to see.

    :param timeout: seconds to wait for AWS in each step
    :param ready: returns when EventBridge can assume the execution role; the rule is made or changed after it
    """
    outcomes: dict[str, Outcome] = {}
    gate = Gate(region, desired.api_destination.name, desired.endpoint, desired.spot_account, desired.on_existing, present=desired.present)
    steps: list[Resource] = []
    for step in desired.steps():
        try:
            steps.append(step.prepared(region))
        except Exception as error:  # of any kind: nothing is made where one of them cannot work
            return Progress({}, step.kind, _left_out(region, desired) or failure_of(error))
    changed = False
    for step, look in zip(steps, _looks(steps, region)):
        try:
            saw_nothing = not look.exception() and look.result() is None
            seen = None if changed and not saw_nothing else look.result
            how = {"ready": ready} if step.kind == desired.rule.kind and desired.present else {}
            outcome = reconcile(step, region, check_mode=check_mode, timeout=timeout, gate=gate, look=seen, **how)
        except Exception as error:  # of any kind: the result has what was done before it
            return Progress(outcomes, step.kind, failure_of(error), gate.found, gate.notes)
        if step.kind == AlarmRule.kind and outcome.plan.action == "unchanged" and outcome.document is None:
            continue  # the integration was not watched
        outcomes[step.kind] = outcome
        changed = changed or bool(outcome.plan.calls and not check_mode)
        region = region.knowing(step.kind, (outcome.document or {}).get(f"{step.kind}_arn"))
    return Progress(outcomes, existing=gate.found, notes=gate.notes)


def _left_out(region: Region, desired: Desired) -> Failure | None:
    """Return why a region takes no integration at all, whatever else is wrong there; None if it takes one."""
    error = next(filter(None, (look.exception() for look in _looks(desired.steps(), region))), None)
    failure = failure_of(error) if error else None
    return failure if failure and failure.leaves_out else None


def _looks(steps: t.Sequence[Resource], region: Region) -> list[concurrent.futures.Future[t.Any]]:
    """Look at resources, at once."""
    return ended_at_once(*(functools.partial(step.look, region) for step in steps))


def integrate_everywhere(desired: Desired, regions: Regions, settle: float = 0.0, **how: t.Any) -> Document:
    """Bring the execution role and all regions to what is desired: the role before the first region, or after the last.

    A role that is made elsewhere is read before the first region.

    :param settle: how many seconds after its creation the execution role may be unknown to EventBridge
    :param how: `check_mode` and `timeout` of `integrate`
    :returns: the result of `spot_integration`: `changed`, `regions`, `failed_regions`, `diff`; `execution_role` if it is managed here,
        or if there is something to know about it; `msg` only if something failed.
    """
    settling = RoleSettling(settle, regions, desired.rule.role_arn.rsplit("/", 1)[-1])
    work = functools.partial(_integrate_everywhere, desired, regions, settling, **how)
    if desired.execution_role or not desired.present:
        return work()
    given = GivenRole.read(regions, desired.rule.role_arn, desired.aws_account)
    return with_given_role(given, work, desired.api_destination.name, _destination_arn, check_mode=how["check_mode"])


def _integrate_everywhere(desired: Desired, regions: Regions, settling: RoleSettling, **how: t.Any) -> Document:
    role: Outcome | Failure | None = None
    results: t.Mapping[str, Progress | Failure] = {}
    if desired.execution_role and desired.present:
        role = _settle_role(desired.execution_role, regions, **{**how, "check_mode": True})
        if isinstance(role, Outcome):
            role = within_boundary(desired.execution_role, role, regions)
        if isinstance(role, Outcome) and role.plan.calls:
            # Nothing is written, the role included, before the gate has let at least one region through.
            foreseen = regions.run(functools.partial(integrate, desired=desired.with_role_of(role), **{**how, "check_mode": True}))
            if all(map(_failed, foreseen.values())):
                return combined_result({name: _nothing_done(result) for name, result in foreseen.items()})
            if how["check_mode"]:
                results = foreseen
            else:
                role = _settle_role(desired.execution_role, regions, **how)
                if isinstance(role, Outcome):
                    settling.begin(role.plan)
        if isinstance(role, Failure):
            return combined_result({}, role)
        desired = desired.with_role_of(role)
    results = results or regions.run(functools.partial(integrate, desired=desired, ready=settling.wait, **how))
    if desired.execution_role and not desired.present:
        return _without_role(desired, desired.execution_role, regions, results, **how)
    return combined_result(results, role)


def _destination_arn(entry: Document) -> str | None:
    return (entry.get("api_destination") or {}).get("api_destination_arn")


def _without_role(
    desired: Desired, execution_role: ExecutionRole, regions: Regions, results: t.Mapping[str, Progress | Failure], **how: t.Any
) -> Document:
    """Remove the execution role if no region needs it any more; else say which regions do."""
    users = RoleUsers()

    def gate(plan: Plan) -> None:
        nonlocal users
        if plan.action == "deleted":
            users = role_users(desired, regions, results)
            if users.left:
                raise RegionError(_IN_USE, "; ".join(users.left))

    role = _settle_role(execution_role, regions, gate=gate, **how)
    if isinstance(role, Failure) and role.code == _IN_USE:
        note = f"the execution role {execution_role.name} was kept, as it is or may be used in: {role.message}"
        role = Outcome(Plan("unchanged", None, note=note), None)
    whole = combined_result(results, role)
    if users.disabled and not users.left:
        where = ", ".join(users.disabled)
        whole["notes"] = [f"what was made in a region before it was disabled is still there; not enabled, so not looked into: {where}"]
    return whole


def _settle_role(role: ExecutionRole, regions: Regions, **how: t.Any) -> Outcome | Failure:
    try:
        return reconcile(role, regions.home((role.service,)), **how)
    except Exception as error:  # of any kind: the result has what was done besides it
        return failure_of(error)


def _nothing_done(result: Progress | Failure) -> Progress | Failure:
    return result if isinstance(result, Failure) else dataclasses.replace(result, outcomes={})


def _failed(result: Progress | Failure) -> bool:
    return isinstance(result, Failure) or result.failure is not None
