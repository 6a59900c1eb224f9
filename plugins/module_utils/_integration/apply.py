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
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Gate
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions, settle
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import ended_at_once, in_order
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.given_role import GivenRole, with_given_role
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress, combined_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_settling import RoleSettling
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_users import RoleUsers, role_users
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.shared_role import SharedRole
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Resource
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_IN_USE = "RoleInUse"
SERVICES = ("sqs", "events", "secretsmanager")


@dataclass
class _Foreseen:
    """The changes that are foreseen in a region.

    :ivar region: with the ARNs that are known
    :ivar outcomes: as predicted, by kind, up to the first step that fails
    :ivar looks: the result of `look` of each resource
    :ivar stopped: whether the gate stopped all of it
    """

    region: Region
    gate: Gate
    steps: list[Resource] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    looks: dict[str, concurrent.futures.Future[t.Any]] = field(default_factory=dict)
    failed: str = ""
    failure: Failure | None = None
    stopped: bool = False

    def progress(self, outcomes: t.Mapping[str, Outcome]) -> Progress:
        """Return these outcomes, and why there are no others."""
        return Progress(outcomes, self.failed, self.failure, self.gate.found, self.gate.notes)

    def judge(self, plan: Plan) -> None:
        """Have the gate check a plan."""
        try:
            self.gate(plan)
        except Exception:
            self.stopped = True
            raise


def integrate(
    region: Region,
    desired: Desired,
    role: RoleSettling | None = None,
    *,
    refused: t.Mapping[str, Failure] | None = None,
    check_mode: bool,
    timeout: float,
) -> Progress:
    """Bring all resources of a region to the desired state: each one after those that it needs, the others at the same time.

    All are read at the same time, and planned, before the first is changed. A resource is not tried if one that it needs failed.

    :param timeout: seconds to wait for AWS in each step
    :param role: the execution role; the rule is made or changed when EventBridge can assume it
    :param refused: see `integrate_everywhere`
    """
    foreseen = None
    try:
        foreseen = _foresee(region, desired, role, timeout, (refused or {}).get(region.name))
    finally:
        admitted = role is None or role.admits(bool(foreseen and not foreseen.failure))
    if not admitted:
        return foreseen.progress({})
    if check_mode:
        return foreseen.progress(foreseen.outcomes)
    if foreseen.stopped:
        return foreseen.progress({kind: outcome for kind, outcome in foreseen.outcomes.items() if not outcome.plan.calls})
    return _carry_out(foreseen, desired, role, timeout)


def _foresee(region: Region, desired: Desired, role: RoleSettling | None, timeout: float, refused: Failure | None) -> _Foreseen:
    """Plan all resources of a region. Only reads."""
    gate = Gate(region, desired.api_destination.name, desired.endpoint, desired.spot_account, desired.on_existing, present=desired.present)
    foreseen = _Foreseen(region, gate, failure=refused, stopped=bool(refused))
    if refused:
        return foreseen
    for step in desired.steps():
        try:
            foreseen.steps.append(step.prepared(region))
        except Exception as error:  # of any kind: nothing is made where one of them cannot work
            foreseen.failed, foreseen.failure = step.kind, _left_out(region, desired) or failure_of(error)
            return foreseen
    looks = _looks(foreseen.steps, region)
    arn = role.arn() if role else None
    foreseen.steps = [dataclasses.replace(step, role_arn=arn) if arn and isinstance(step, Rule) else step for step in foreseen.steps]
    for step, look in zip(foreseen.steps, looks):
        foreseen.looks[step.kind] = look
        try:
            outcome = reconcile(step, foreseen.region, check_mode=True, timeout=timeout, gate=foreseen.judge, look=look.result)
        except Exception as error:  # of any kind: it is that of this resource
            foreseen.failed, foreseen.failure = step.kind, failure_of(error)
            break
        if step.kind == AlarmRule.kind and outcome.plan.action == "unchanged" and outcome.document is None:
            continue  # the integration was not watched
        foreseen.outcomes[step.kind] = outcome
        if look.result() is None and desired.present:
            foreseen.region = foreseen.region.lacking(step.kind)
        else:
            foreseen.region = _knowing(foreseen.region, outcome, step.kind)
    return foreseen


def _carry_out(foreseen: _Foreseen, desired: Desired, role: RoleSettling | None, timeout: float) -> Progress:
    """Make the changes that are foreseen."""
    outcomes = dict(foreseen.outcomes)
    needs = {kind: tuple(filter(outcomes.__contains__, others)) for kind, others in desired.needs().items()}
    changed: set[str] = set()

    def work(step: Resource) -> None:
        before, region, look = foreseen.looks[step.kind], foreseen.region, None
        dependencies = _all_needs(step.kind, needs)
        if not (outcomes[step.kind].plan.calls or changed.intersection(dependencies)):
            return
        for kind in dependencies:
            region = _knowing(region, outcomes[kind], kind)
        # A change may show in what needs the changed resource, unless there was nothing to see.
        if before.result() is None or not changed.intersection(dependencies):
            look = before.result
        how = {"ready": role.wait} if role and step.kind == Rule.kind and desired.present else {}
        outcomes[step.kind] = reconcile(step, region, check_mode=False, timeout=timeout, gate=foreseen.gate, look=look, **how)
        if outcomes[step.kind].plan.calls:
            changed.add(step.kind)

    functions = {step.kind: functools.partial(work, step) for step in foreseen.steps if step.kind in outcomes}
    ended = in_order(functions, needs)
    done = {kind: outcomes[kind] for kind, future in ended.items() if not future.exception()}
    failed = next((kind for kind, future in ended.items() if future.exception()), "")
    if failed:
        foreseen.failed, foreseen.failure = failed, failure_of(t.cast("Exception", ended[failed].exception()))
    return foreseen.progress(done)


def _all_needs(kind: str, needs: t.Mapping[str, t.Iterable[str]]) -> tuple[str, ...]:
    """Return the kinds that a resource needs, directly or not."""
    return tuple(dict.fromkeys(other for need in needs[kind] for other in (*_all_needs(need, needs), need)))


def _knowing(region: Region, outcome: Outcome, kind: str) -> Region:
    return region.knowing(kind, (outcome.document or {}).get(f"{kind}_arn"))


def _left_out(region: Region, desired: Desired) -> Failure | None:
    """Return why there can be no integration in a region; None if there can be one."""
    error = next(filter(None, (look.exception() for look in _looks(desired.steps(), region))), None)
    failure = failure_of(error) if error else None
    return failure if failure and failure.leaves_out else None


def _looks(steps: t.Sequence[Resource], region: Region) -> list[concurrent.futures.Future[t.Any]]:
    """Read resources at the same time, each by its `look`."""
    return ended_at_once(*(functools.partial(step.look, region) for step in steps))


def integrate_everywhere(
    desired: Desired, regions: Regions, settle: float = 0.0, refused: t.Mapping[str, Failure] | None = None, **how: t.Any
) -> Document:
    """Bring the execution role and all regions to the desired state, at the same time; or remove the role after the last region.

    A role that is made elsewhere is read before the first region.

    :param settle: how many seconds after its creation the execution role may be unknown to EventBridge
    :param refused: the regions that must not be changed, and why
    :param how: `check_mode` and `timeout` of `integrate`
    :returns: the result of `spot_integration`: `changed`, `regions`, `failed_regions`, `diff`; `execution_role` if it is managed here,
        or if there is something to know about it; `msg` only if something failed.
    """
    if not desired.present:
        results = regions.run(functools.partial(integrate, desired=desired, **how))
        return (
            _without_role(desired, desired.execution_role, regions, results, **how) if desired.execution_role else combined_result(results)
        )
    if desired.execution_role:
        return _with_role(desired, SharedRole(settle, regions, desired.execution_role, **how), regions, refused=refused, **how)
    settling = RoleSettling(settle, regions, desired.rule.role_arn.rsplit("/", 1)[-1])
    given = GivenRole.read(regions, desired.rule.role_arn, desired.aws_account)

    def work() -> Document:
        return combined_result(regions.run(functools.partial(integrate, desired=desired, role=settling, refused=refused, **how)))

    return with_given_role(given, work, desired.api_destination.name, _destination_arn, check_mode=how["check_mode"])


def _with_role(desired: Desired, role: SharedRole, regions: Regions, **how: t.Any) -> Document:
    with role.made_meanwhile():
        results = regions.run(functools.partial(integrate, desired=desired, role=role, **how))
    return combined_result({}, role.refusal) if role.refusal else combined_result(results, role.outcome)


def _destination_arn(entry: Document) -> str | None:
    return (entry.get("api_destination") or {}).get("api_destination_arn")


def _without_role(
    desired: Desired, execution_role: ExecutionRole, regions: Regions, results: t.Mapping[str, Progress | Failure], **how: t.Any
) -> Document:
    """Remove the execution role if no region needs it any more; else name the regions that do."""
    users = RoleUsers()

    def gate(plan: Plan) -> None:
        nonlocal users
        if plan.action == "deleted":
            users = role_users(desired, regions, results)
            if users.left:
                raise RegionError(_IN_USE, "; ".join(users.left))

    role = settle(execution_role, regions, gate=gate, **how)
    if isinstance(role, Failure) and role.code == _IN_USE:
        note = f"the execution role {execution_role.name} was kept, as it is or may be used in: {role.message}"
        role = Outcome(Plan("unchanged", None, note=note), None)
    whole = combined_result(results, role)
    if users.disabled and not users.left:
        where = ", ".join(users.disabled)
        whole["notes"] = [f"resources that were made in a region before it was disabled still exist; not enabled, so not read: {where}"]
    return whole
