# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    ArgumentSpec,
    description_argument_spec,
    named_argument_spec,
    template_argument_spec,
    update_token_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_aws_account,
    check_regions,
    check_spot_account,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# Has the form of an id and belongs to no account: an AWS account that auto-deployment adds has it until it gets its own. Spot refuses
# notices with this id; without any id, it would count them for the organisation's oldest account.
NOBODYS_SPOT_ACCOUNT = "act-00000000"

# An account that fails must not stop the others, and no account waits for another.
DEFAULT_PREFERENCES: Document = {
    "RegionConcurrencyType": "PARALLEL",
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
}


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of a stack set."""
    return {
        **named_argument_spec(),
        **description_argument_spec(),
        **template_argument_spec(),
        **update_token_argument_spec(("on_create", "always")),
        "spot_accounts": {"type": "dict", "default": {}},
        "default_spot_account": {"type": "str"},
        "token_revision": {"type": "str", "no_log": False},
        "permission_model": {"type": "str", "choices": ["self_managed", "service_managed"], "default": "self_managed"},
        "administration_role_arn": {"type": "str"},
        "execution_role_name": {"type": "str"},
        "accounts": {"type": "list", "elements": "str"},
        "organizational_unit_ids": {"type": "list", "elements": "str", "default": []},
        "excluded_accounts": {"type": "list", "elements": "str", "default": []},
        "regions": {"type": "list", "elements": "str"},
        "exclude_regions": {"type": "list", "elements": "str", "default": []},
        "auto_deployment": {
            "type": "dict",
            "options": {
                "enabled": {"type": "bool", "default": False},
                "retain_stacks_on_account_removal": {"type": "bool", "default": False},
            },
        },
        "call_as": {"type": "str", "choices": ["self", "delegated_admin"], "default": "self"},
        "managed_execution": {"type": "bool", "default": True},
        "operation_preferences": {"type": "dict", "options": _preferences_spec()},
        "retain_stacks": {"type": "bool", "default": False},
        "purge_instances": {"type": "bool", "default": True},
        "purge_limit": {"type": "int", "default": 50},
    }


def _preferences_spec() -> dict[str, t.Any]:
    return {
        "region_concurrency_type": {"type": "str", "choices": ["parallel", "sequential"], "default": "parallel"},
        "region_order": {"type": "list", "elements": "str"},
        "max_concurrent_count": {"type": "int"},
        "max_concurrent_percentage": {"type": "int"},
        "failure_tolerance_count": {"type": "int"},
        "failure_tolerance_percentage": {"type": "int"},
        "concurrency_mode": {"type": "str", "choices": ["strict_failure_tolerance", "soft_failure_tolerance"]},
    }


def spot_accounts(given: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the Spot accounts by AWS account.

    :raises ArgumentError: an account is not the id of one.
    """
    found = {check_aws_account(str(account)): check_spot_account(str(spot_account)) for account, spot_account in given.items()}
    nobodys = [account for account, spot_account in found.items() if spot_account == NOBODYS_SPOT_ACCOUNT]
    if nobodys:
        raise ArgumentError(f"{NOBODYS_SPOT_ACCOUNT} is no Spot account: remove {', '.join(nobodys)} from spot_accounts.")
    return found


def auto_deployment(given: t.Mapping[str, bool] | None) -> Document:
    """Return the automatic deployment as boto3 takes it."""
    given = given or {}
    enabled = bool(given.get("enabled"))
    # AWS takes the second only together with the first.
    return {
        "Enabled": enabled,
        **({"RetainStacksOnAccountRemoval": bool(given.get("retain_stacks_on_account_removal"))} if enabled else {}),
    }


def preferences(given: t.Mapping[str, t.Any] | None) -> Document:
    """Return the operation preferences as boto3 takes them.

    :raises ArgumentError: two are given where AWS takes one, or one is out of bounds.
    """
    desired = {key: value for key, value in (given or {}).items() if value is not None}
    preferences = dict(DEFAULT_PREFERENCES)
    for option, name, least in (("max_concurrent", "MaxConcurrent", 1), ("failure_tolerance", "FailureTolerance", 0)):
        count, percentage = desired.get(f"{option}_count"), desired.get(f"{option}_percentage")
        if count is not None and percentage is not None:
            raise ArgumentError(f"operation_preferences: AWS takes {option}_count or {option}_percentage, not both.")
        if count is not None:
            del preferences[f"{name}Percentage"]
            preferences[f"{name}Count"] = _at_least(count, least, f"{option}_count")
        elif percentage is not None:
            if percentage > 100:
                raise ArgumentError(f"operation_preferences: {option}_percentage must be at most 100.")
            preferences[f"{name}Percentage"] = _at_least(percentage, least, f"{option}_percentage")
    if "region_concurrency_type" in desired:
        preferences["RegionConcurrencyType"] = desired["region_concurrency_type"].upper()
    if desired.get("region_order"):
        preferences["RegionOrder"] = check_regions(desired["region_order"])
    if "concurrency_mode" in desired:
        preferences["ConcurrencyMode"] = desired["concurrency_mode"].upper()
    return preferences


def _at_least(value: int, least: int, option: str) -> int:
    if value < least:
        raise ArgumentError(f"operation_preferences: {option} must be at least {least}.")
    return value
