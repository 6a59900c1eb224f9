# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack set of three accounts and three regions, as it is wanted and as it is, for the tests of all its parts."""

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import Member, Organization
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.arguments import NOBODYS_SPOT_ACCOUNT
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import Operation
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import SERVICE_MANAGED, StackSet
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import CurrentStackSet, Instance, Reading
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Parameter, Template

A, B, C, NEW, MANAGEMENT = "111111111111", "222222222222", "333333333333", "444444444444", "999999999999"
SPOT = {A: "act-aaaaaaaa", B: "act-bbbbbbbb", C: "act-cccccccc"}
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
OU, OTHER_OU = "ou-ab12-11111111", "ou-ab12-22222222"
BODY = "Resources: {}\n"
TOKEN = "0123456789abcdefTOKEN"
PARAMETERS = {
    "SpotAccountId": Parameter(),
    "SpotToken": Parameter(hidden=True),
    "TokenRevision": Parameter("1"),
    "Endpoint": Parameter("https://api.spotinst.io/"),
}
SUMMARY = Template(PARAMETERS, capabilities=("CAPABILITY_IAM",))


def desired(**changes: t.Any) -> StackSet:
    """A stack set with permissions of its own, in all three accounts."""
    given: dict[str, t.Any] = {
        "name": "spot",
        "template_body": BODY,
        "spot_accounts": SPOT,
        "token": TOKEN,
        "regions": REGIONS,
        **changes,
    }
    return StackSet(**given)


def of_units(*units: str, **changes: t.Any) -> StackSet:
    """The same, with permissions that the service manages."""
    given = {
        "permission_model": SERVICE_MANAGED,
        "organizational_units": units or (OU,),
        "auto_deployment": {"Enabled": False},
        **changes,
    }
    return desired(**given)


def current(*differences: str, **changes: t.Any) -> CurrentStackSet:
    """The stack set as it is where nothing has to be done; None takes something away."""
    found = {
        "StackSetName": "spot",
        "StackSetId": "spot:0f1e2d3c",
        "Description": StackSet("spot").description,
        "Status": "ACTIVE",
        "PermissionModel": "SELF_MANAGED",
        "ManagedExecution": {"Active": True},
        "Parameters": [
            {"ParameterKey": "SpotAccountId", "ParameterValue": NOBODYS_SPOT_ACCOUNT},
            {"ParameterKey": "SpotToken", "ParameterValue": "****"},
            {"ParameterKey": "TokenRevision", "ParameterValue": "1"},
            {"ParameterKey": "Endpoint", "ParameterValue": "https://api.spotinst.io/"},
        ],
        "Tags": [],
        **changes,
    }
    return CurrentStackSet({key: value for key, value in found.items() if value is not None}, BODY, differences)


def of_organization(**changes: t.Any) -> CurrentStackSet:
    """The same, with permissions that the service manages."""
    return current(**{"PermissionModel": SERVICE_MANAGED, "AutoDeployment": {"Enabled": False}, **changes})


def instance(account: str, region: str, **changes: t.Any) -> Instance:
    """An instance that is as it shall be."""
    given = {
        "status": "CURRENT",
        "detailed_status": "SUCCEEDED",
        "stack_id": f"arn:aws:cloudformation:{region}:{account}:stack/StackSet-spot-1/1",
        "overrides": {"SpotAccountId": SPOT[account]} if account in SPOT else {},
        **changes,
    }
    return Instance(account, region, **given)


def instances(*accounts: str, **changes: t.Any) -> dict[tuple[str, str], Instance]:
    """Instances in all regions of some accounts, by default of all three."""
    return {(account, region): instance(account, region, **changes) for account in accounts or tuple(SPOT) for region in REGIONS}


def organization(*members: Member | str) -> Organization:
    """An organisation; an account alone is active and in `OU`."""
    found = [member if isinstance(member, Member) else Member(member, OU) for member in members or (*SPOT, MANAGEMENT)]
    return Organization(MANAGEMENT, {member.account: member for member in found})


def reading(there: CurrentStackSet | None = None, found: t.Mapping[t.Any, Instance] | None = None, **changes: t.Any) -> Reading:
    """What was read, by default a stack set with nine instances that are as they shall be."""
    return Reading(there or current(), instances() if found is None else found, **{"template": SUMMARY, **changes})


def nothing(**changes: t.Any) -> Reading:
    """What was read where there is no stack set."""
    return Reading(**{"template": SUMMARY, **changes})


def told(operations: t.Iterable[Operation]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What operations are about."""
    return [(operation.action, operation.accounts, operation.regions) for operation in operations]
