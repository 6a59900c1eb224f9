# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import STOP, Gate
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.outcomes import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Plan, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_name
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import Progress, combined_result

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

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
        return combined_result(_integrate_regions(integration, regions, check_mode, timeout))
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
        return combined_result(results, settle_role() if cleared else None)
    made = settle_role()
    if isinstance(made, Failure):
        return combined_result({}, made)
    arn = str((made.document or {}).get("arn") or integration.rule.role_arn)
    integration = dataclasses.replace(integration, rule=dataclasses.replace(integration.rule, role_arn=arn))
    return combined_result(_integrate_regions(integration, regions, check_mode, timeout), made)


def _integrate_regions(integration: Integration, regions: Regions, check_mode: bool, timeout: float) -> dict[str, Progress | Failure]:
    return regions.run(lambda region: integrate(integration, region, check_mode=check_mode, timeout=timeout))
