# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, UNSURE, allows, managed_policy
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import new_destination_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ACTION
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole


def within_boundary(role: ExecutionRole, outcome: Outcome, regions: Regions) -> Outcome | Failure:
    """Return the outcome of the execution role, or why its permissions boundary keeps it from sending. GetPolicy, GetPolicyVersion.

    :param outcome: the action on the role, and the role after it
    """
    arn = (outcome.document or {}).get("permissions_boundary")
    if not arn:
        return outcome
    home = regions.home((role.service,))
    try:
        policy = managed_policy(home.clients["iam"], arn)
    except Exception as error:
        if is_code(error, "NoSuchEntity"):
            return outcome  # AWS refuses it
        failure = failure_of(error)
        return _noted(outcome, f"unknown whether the permissions boundary {arn} allows {ACTION}: {failure.code}: {failure.message}")
    name, account = role.api_destination, role.aws_account
    resources = [new_destination_arn(home.partition, region, account, name) for region in regions.names]
    decisions = {region: allows(policy, action=ACTION, resource=resource, context={}) for region, resource in zip(regions.names, resources)}
    refused = [region for region, decision in decisions.items() if decision == NO]
    if refused:
        return Failure(
            "PermissionsBoundary",
            f"the permissions boundary {arn} does not let the execution role {role.name} send to the API destination {name} in "
            f"{', '.join(refused)}, so nothing would be delivered; nothing was changed. Allow {ACTION} in it, or set another boundary.",
        )
    if UNSURE in decisions.values():
        return _noted(outcome, f"unknown whether the permissions boundary {arn} allows {ACTION}: only AWS can evaluate it")
    return outcome


def _noted(outcome: Outcome, note: str) -> Outcome:
    notes = [text for text in (outcome.plan.note, note) if text]
    return dataclasses.replace(outcome, plan=dataclasses.replace(outcome.plan, note="; ".join(notes)))
