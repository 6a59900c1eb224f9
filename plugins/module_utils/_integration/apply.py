# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import STOP, Existing, Gate
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import Outcome, diff_entry, failure_message, reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_name

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region, Regions

SERVICES = ("sqs", "events", "secretsmanager")


@dataclass(frozen=True)
class Integration:
    """The four resources of an integration, as they are desired in every region, and the role they share.

    :ivar execution_role: None if it is not managed here
    :ivar on_existing: what to do about an integration that is there already; see `_existing.Gate`
    """

    execution_role: ExecutionRole | None
    queue: Queue
    connection: Connection
    api_destination: ApiDestination
    rule: Rule
    present: bool
    on_existing: str = STOP

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Integration:
        """What is desired, out of the parameters of `spot_integration`.

        :raises ArgumentError: a parameter cannot be right.
        """
        name, present = check_name(params["name"]), params["state"] == "present"
        queue = params["queue_name"] or name.replace(".", "-")
        shared = {**params, "aws_account": params["aws_account"] or (regions.aws_account() if present else None)}
        role = ExecutionRole.from_parameters(shared, regions) if params["role_name"] else None
        if role and present:
            shared["role_arn"] = role.arn(regions[regions.names[0]].partition)
        same_name = dict.fromkeys(("connection", "connection_arns", "api_destination", "api_destination_arns"))
        return cls(
            execution_role=role,
            queue=Queue.from_parameters(
                {**shared, "name": queue, "rule": name, "kms_master_key_id": params["queue_kms_master_key_id"]}, regions
            ),
            connection=Connection.from_parameters({**shared, **same_name}, regions),
            api_destination=ApiDestination.from_parameters({**shared, **same_name}, regions),
            rule=Rule.from_parameters({**shared, **same_name, "dead_letter_queue": queue}, regions),
            present=present,
            on_existing=params["on_existing"],
        )

    def steps(self) -> tuple[Resource, ...]:
        """The resources in the order in which they are made, or the reverse: nothing goes while something else needs it."""
        if self.present:
            return (self.queue, self.connection, self.api_destination, self.rule)
        return (self.rule, self.api_destination, self.connection, self.queue)


@dataclass(frozen=True)
class Progress:
    """How far an integration came in a region.

    :ivar outcomes: of the steps that were done, by kind
    :ivar failed: the kind of the step that failed, and ended it
    :ivar existing: what was there already, of others, as far as it was looked for
    """

    outcomes: t.Mapping[str, Outcome]
    failed: str = ""
    failure: Failure | None = None
    existing: tuple[Existing, ...] = ()


def integrate(integration: Integration, region: Region, *, check_mode: bool, timeout: float) -> Progress:
    """Brings all four resources of a region to what is desired, one after the other, up to the first that fails.

    :param timeout: seconds to wait for AWS in each step
    """
    outcomes: dict[str, Outcome] = {}
    destination = integration.api_destination
    gate = Gate(region, destination.name, destination.endpoint, integration.connection.spot_account, integration.on_existing)

    def look(plan: Plan) -> None:
        if integration.present:
            gate(plan)

    for step in integration.steps():
        try:
            known = _with_arns(step, region, outcomes)
            outcomes[step.kind] = reconcile(known, region, check_mode=check_mode, timeout=timeout, gate=look)
        except Exception as error:  # whatever it was, what was done so far is told
            return Progress(outcomes, step.kind, failure_of(error), gate.found)
    return Progress(outcomes, existing=gate.found)


def _with_arns(step: Resource, region: Region, outcomes: t.Mapping[str, Outcome]) -> Resource:
    """Hands on the ARN of what the step before made or found, so that it need not be looked up again."""
    if isinstance(step, ApiDestination):
        return dataclasses.replace(step, connection_arns={region.name: _arn(outcomes, "connection", "connection_arn")})
    if isinstance(step, Rule):
        return dataclasses.replace(step, api_destination_arns={region.name: _arn(outcomes, "api_destination", "api_destination_arn")})
    return step


def _arn(outcomes: t.Mapping[str, Outcome], kind: str, key: str) -> str:
    outcome = outcomes.get(kind)
    return str((outcome.document or {}).get(key) or "") if outcome else ""


def integrate_everywhere(integration: Integration, regions: Regions, *, check_mode: bool, timeout: float) -> Document:
    """Brings the execution role and all regions to what is desired: the role before the first region, or after the last.

    :returns: the answer of `spot_integration`: `changed`, `regions`, `failed_regions`, `diff`; `execution_role` if it is managed here;
        `msg` only if something failed.
    """
    role = integration.execution_role
    if role is None:
        return answer(_integrate_regions(integration, regions, check_mode, timeout))
    home = regions.home((role.service,))

    def settle_role() -> Outcome | Failure:
        try:
            return reconcile(role, home, check_mode=check_mode, timeout=timeout)
        except Exception as error:  # what was done so far is told
            return failure_of(error)

    if not integration.present:
        results = _integrate_regions(integration, regions, check_mode, timeout)
        # A region that is left may still need it.
        cleared = not any(isinstance(result, Failure) or result.failure for result in results.values())
        return answer(results, settle_role() if cleared else None)
    made = settle_role()
    if isinstance(made, Failure):
        return answer({}, made)
    arn = str((made.document or {}).get("arn") or integration.rule.role_arn)
    integration = dataclasses.replace(integration, rule=dataclasses.replace(integration.rule, role_arn=arn))
    return answer(_integrate_regions(integration, regions, check_mode, timeout), made)


def _integrate_regions(integration: Integration, regions: Regions, check_mode: bool, timeout: float) -> dict[str, Progress | Failure]:
    return regions.run(lambda region: integrate(integration, region, check_mode=check_mode, timeout=timeout))


def answer(results: t.Mapping[str, Progress | Failure], role: Outcome | Failure | None = None) -> Document:
    """The answer of `spot_integration`; see `integrate_everywhere`."""
    regions: Document = {}
    diff: list[Document] = []
    failures: dict[str, Failure] = {}
    for name, result in results.items():
        progress = Progress({}, failure=result) if isinstance(result, Failure) else result
        actions = {kind: outcome.plan.action for kind, outcome in progress.outcomes.items()}
        regions[name] = {
            "action": "failed" if progress.failure else _action(actions.values()),
            "changed": any(action != "unchanged" for action in actions.values()),
            "actions": actions,
            **{kind: outcome.document for kind, outcome in progress.outcomes.items()},
            "notes": [outcome.plan.note for outcome in progress.outcomes.values() if outcome.plan.note],
        }
        if progress.existing:
            regions[name]["other_integrations"] = [existing.as_dict(name) for existing in progress.existing]
        if progress.failure:
            what = f"{progress.failed.replace('_', ' ')}: " if progress.failed else ""
            failures[name] = dataclasses.replace(progress.failure, message=what + progress.failure.message)
            regions[name]["error"] = failures[name].as_dict()
        diff += [diff_entry(name, kind, outcome.plan) for kind, outcome in progress.outcomes.items() if actions[kind] != "unchanged"]
    whole: Document = {
        "changed": any(entry["changed"] for entry in regions.values()),
        "regions": regions,
        "failed_regions": list(failures),
        "diff": diff,
    }
    if failures:
        whole["msg"] = failure_message("integration", failures, len(results))
    return whole if role is None else _with_role(whole, role)


def _with_role(whole: Document, role: Outcome | Failure) -> Document:
    kind = ExecutionRole.kind
    if isinstance(role, Failure):
        failed = {"action": "failed", "changed": False, "error": role.as_dict()}
        return {**whole, kind: failed, "msg": f"execution role: {role.code}: {role.message}"}
    plan = role.plan
    changed = plan.action != "unchanged"
    entry: Document = {"action": plan.action, "changed": changed, "role": role.document}
    if plan.note:
        entry["note"] = plan.note
    diff = [diff_entry("", "execution role", plan)] if changed else []
    return {**whole, "changed": whole["changed"] or changed, kind: entry, "diff": [*diff, *whole["diff"]]}


def _action(actions: t.Iterable[str]) -> str:
    """One word for all steps: theirs if they are at one, else what stands out."""
    different = set(actions)
    if len(different) == 1:
        return different.pop()
    return "reauthorized" if "reauthorized" in different else "updated"
