# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on the stack sets of one account in one region, and automatic deployment.

A method named after an operation takes its request and returns its answer, or raises a Refusal. All run with moto's lock.
A stack set with service-managed permissions is the management account's, whoever made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from .. import organizations
from .changes import template_summary
from .deployment import Deployment
from .errors import Refusal
from .requests import page_of, require_capabilities, tags_of
from .resource_type import Json
from .sources import required_template_of, text_of
from .stack import Version, now
from .stack_set import INOPERABLE, OUTDATED, SELF_MANAGED, SERVICE_MANAGED, Instance, SetOperation, StackSet
from .template import parameter_values

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_KEPT = (
    "AdministrationRoleARN",
    "AutoDeployment",
    "Capabilities",
    "Description",
    "ExecutionRoleName",
    "ManagedExecution",
    "PermissionModel",
)


class StackSets:
    """The stack sets of one account in one region, deleted ones included.

    Args:
        of: returns the stack sets of another account in the same region.
        with_access: the management accounts whose organizations stack sets may see, and where each account was at last.
    """

    def __init__(
        self, account: str, region: str, deployment: Deployment, of: Callable[[str], StackSets], with_access: dict[str, dict[str, str]]
    ) -> None:
        self.account, self.region = account, region
        self._deployment, self._of, self._with_access = deployment, of, with_access
        self._sets: list[StackSet] = []

    # Stack sets

    def create_stack_set(self, request: Json, access_key: str | None) -> Json:
        name = request["StackSetName"]
        if not _NAME.fullmatch(name):
            raise Refusal(
                f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        template = required_template_of(request)
        require_capabilities(template, request)
        service_managed = request.get("PermissionModel", SELF_MANAGED) == SERVICE_MANAGED
        owner = self._managers(request) if service_managed else self
        _check_model(request, service_managed)
        if any(known.name == name and known.status == "ACTIVE" for known in owner._sets):
            raise Refusal(f"The name {name} is already used by another StackSet", "NameAlreadyExistsException")
        version = Version(template, parameter_values(template, request.get("Parameters", [])), tags_of(request))
        made = StackSet(name, owner.account, self.region, version, {key: request[key] for key in _KEPT if key in request})
        owner._sets.append(made)
        return {"StackSetId": made.id}

    def describe_stack_set(self, request: Json, access_key: str | None) -> Json:
        return {"StackSet": self.find(request).described()}

    def list_stack_sets(self, request: Json, access_key: str | None) -> Json:
        delegated = request.get("CallAs") == "DELEGATED_ADMIN"
        sets = [known for known in self._managers(request)._sets if known.is_service_managed] if delegated else self._sets
        shown, token = page_of([known.summary() for known in sets if known.status == request.get("Status", known.status)], request)
        return {"Summaries": shown, **token}

    def update_stack_set(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        self._require_idle(stack_set, request)
        if "ManagedExecution" in request and stack_set.is_busy:
            raise Refusal("The execution configuration cannot be modified while there are operations", "InvalidOperationException")
        if request.get("PermissionModel", stack_set.permission_model) != stack_set.permission_model and stack_set.instances:
            raise Refusal("PermissionModel cannot be modified while the StackSet has stack instances")
        template = stack_set.version.template if request.get("UsePreviousTemplate") else required_template_of(request)
        require_capabilities(template, request)
        _check_model(request, stack_set.is_service_managed, update=True)
        parameters = parameter_values(template, request.get("Parameters", []), stack_set.version.parameters)
        version = Version(template, parameters, tags_of(request) if "Tags" in request else stack_set.version.tags)
        limited = [key for key in ("Accounts", "DeploymentTargets", "Regions") if key in request]
        if "AutoDeployment" in request and limited:
            raise Refusal("AutoDeployment cannot be specified together with DeploymentTargets or Regions")
        if len(limited) == 1:
            raise Refusal("Accounts (or DeploymentTargets) and Regions must be specified together")
        places = self._existing(stack_set, request) if limited else None
        operation = self._new_operation(stack_set, "UPDATE", request, lambda: self._to_update(stack_set, places))
        if not request.get("UsePreviousTemplate") or "Parameters" in request:
            for instance in stack_set.instances.values():
                instance.status = INOPERABLE if instance.status == INOPERABLE else OUTDATED
                instance.detailed = "PENDING"  # reported: also those that a selective update leaves out
        stack_set.version = version
        stack_set.options |= {key: request[key] for key in _KEPT if key in request}
        self._deployment.start(stack_set, operation)
        return {"OperationId": operation.id}

    def delete_stack_set(self, request: Json, access_key: str | None) -> Json:
        try:
            stack_set = self.find(request)
        except Refusal as refusal:
            if refusal.code == "StackSetNotFoundException":
                return {}  # its error is not among those of this operation
            raise
        if stack_set.is_busy:
            raise _in_progress(stack_set)
        if stack_set.instances:
            raise Refusal("StackSet is not empty", "StackSetNotEmptyException")
        stack_set.status = "DELETED"
        return {}

    # Instances

    def create_stack_instances(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        wanted = self._wanted(stack_set, request)
        overrides = _overrides(stack_set, request)
        operation = self._new_operation(stack_set, "CREATE", request, lambda: wanted, overrides)
        for unit in request.get("DeploymentTargets", {}).get("OrganizationalUnitIds", []):
            stack_set.targets.setdefault(unit, set()).update(request["Regions"])
        self._deployment.start(stack_set, operation)
        return {"OperationId": operation.id}

    def update_stack_instances(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        existing = self._existing(stack_set, request)
        if not stack_set.is_service_managed:
            for account in request.get("Accounts", []):
                for region in request["Regions"]:
                    _require_instance(stack_set, account, region)
        overrides = _overrides(stack_set, request)
        operation = self._new_operation(stack_set, "UPDATE", request, lambda: self._to_update(stack_set, existing), overrides)
        self._deployment.start(stack_set, operation)
        return {"OperationId": operation.id}

    def delete_stack_instances(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        existing = self._existing(stack_set, request)
        if self._deployment.settings.missing_instances_are_refused:
            for account in request.get("Accounts", []):
                for region in request["Regions"]:
                    _require_instance(stack_set, account, region)
        operation = self._new_operation(stack_set, "DELETE", request, lambda: _still_there(stack_set, existing))
        targets = request.get("DeploymentTargets", {})
        if not targets.get("Accounts"):
            for unit in targets.get("OrganizationalUnitIds", []):
                left = stack_set.targets.get(unit, set()) - set(request["Regions"])
                stack_set.targets.pop(unit, None)
                stack_set.targets |= {unit: left} if left else {}
        self._deployment.start(stack_set, operation)
        return {"OperationId": operation.id}

    def describe_stack_instance(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        instance = _require_instance(stack_set, request["StackInstanceAccount"], request["StackInstanceRegion"])
        return {"StackInstance": instance.described(stack_set)}

    def list_stack_instances(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        filters = {item["Name"]: item["Values"] for item in request.get("Filters", [])}
        shown, token = page_of(
            [
                instance.summary(stack_set)
                for instance in stack_set.instances.values()
                if instance.account == request.get("StackInstanceAccount", instance.account)
                and instance.region == request.get("StackInstanceRegion", instance.region)
                and instance.detailed == filters.get("DETAILED_STATUS", instance.detailed)
                and instance.last_operation == filters.get("LAST_OPERATION_ID", instance.last_operation)
                and filters.get("DRIFT_STATUS", "NOT_CHECKED") == "NOT_CHECKED"
            ],
            request,
        )
        return {"Summaries": shown, **token}

    def list_stack_set_auto_deployment_targets(self, request: Json, access_key: str | None) -> Json:
        targets = self.find(request).targets
        shown, token = page_of([{"OrganizationalUnitId": unit, "Regions": sorted(targets[unit])} for unit in sorted(targets)], request)
        return {"Summaries": shown, **token}

    # Operations

    def describe_stack_set_operation(self, request: Json, access_key: str | None) -> Json:
        stack_set = self.find(request)
        return {"StackSetOperation": _operation(stack_set, request).described(stack_set)}

    def list_stack_set_operations(self, request: Json, access_key: str | None) -> Json:
        shown, token = page_of([operation.summary() for operation in reversed(self.find(request).operations)], request)
        return {"Summaries": shown, **token}

    def list_stack_set_operation_results(self, request: Json, access_key: str | None) -> Json:
        filters = {item["Name"]: item["Values"] for item in request.get("Filters", [])}
        results = [
            result.described()
            for result in _operation(self.find(request), request).results
            if result.status == filters.get("OPERATION_RESULT_STATUS", result.status)
        ]
        shown, token = page_of(results, request)
        return {"Summaries": shown, **token}

    def stop_stack_set_operation(self, request: Json, access_key: str | None) -> Json:
        operation = _operation(self.find(request), request)
        if operation.is_over:
            raise Refusal(f"Operation {operation.id} is not RUNNING: it is {operation.status}", "InvalidOperationException")
        if operation.status == "QUEUED":
            operation.status, operation.ended = "STOPPED", now()
        else:
            operation.status = "STOPPING"
        return {}

    # The organization

    def activate_organizations_access(self, request: Json, access_key: str | None) -> Json:
        if organizations.management_account(self.account) != self.account:
            raise Refusal("Your account is not a management account of an organization", "InvalidOperationException")
        self._with_access[self.account] = organizations.parents(self.account)
        return {}

    def deactivate_organizations_access(self, request: Json, access_key: str | None) -> Json:
        self._with_access.pop(self.account, None)
        return {}

    def describe_organizations_access(self, request: Json, access_key: str | None) -> Json:
        owner = self._managers(request, needs_access=False).account if request.get("CallAs") == "DELEGATED_ADMIN" else self.account
        return {"Status": "ENABLED" if owner in self._with_access else "DISABLED"}

    def account_moved(self, account: str, before: str | None, after: str | None) -> None:
        """Give an account the instances that it ought to have by automatic deployment, and take those it ought not to have.

        Only the organizational units that it came into count, so one that was left out stays so when it moves below the same.

        Args:
            before, after: the root or organizational unit that it was in, and is in; None for an account that was no member, or is none.
        """
        left, above = (organizations.chain(self.account, unit) for unit in (before, after))
        for stack_set in self._sets:
            if not stack_set.deploys_automatically:
                continue
            wanted = {region: unit for unit in reversed(above) for region in stack_set.targets.get(unit, ())}
            mine = [instance for instance in stack_set.instances.values() if instance.account == account]
            there = {instance.region for instance in mine}
            new = [Instance(account, region, unit) for region, unit in wanted.items() if region not in there and unit not in left]
            gone = [instance for instance in mine if instance.unit not in above and instance.region not in wanted]
            for instance in mine:
                instance.unit = instance.unit if instance.unit in above else wanted.get(instance.region, instance.unit)
            retained = stack_set.options["AutoDeployment"].get("RetainStacksOnAccountRemoval", False)
            if gone:
                self._deploy_automatically(stack_set, "DELETE", gone, {"RetainStacks": retained})
            if new and account != self.account:
                self._deploy_automatically(stack_set, "CREATE", new, {})

    def _deploy_automatically(self, stack_set: StackSet, action: str, instances: list[Instance], request: Json) -> None:
        def prepare() -> list[Instance]:
            return _still_there(stack_set, instances) if action == "DELETE" else instances

        # Preferences do not apply to automatic deployment (API reference, StackSetOperationPreferences): all regions at once here.
        request["OperationPreferences"] = {"RegionConcurrencyType": "PARALLEL"}
        self._deployment.start(stack_set, SetOperation(str(uuid4()), action, prepare, request))

    # Finding

    def find(self, request: Json) -> StackSet:
        """Return the stack set that a request names, by name or id, as whoever it calls as."""
        name = request["StackSetName"]
        owner = self._managers(request, needs_access=False) if request.get("CallAs") == "DELEGATED_ADMIN" else self
        for known in owner._sets:
            is_meant = known.id == name or (known.name == name and known.status == "ACTIVE")
            if is_meant and (known.is_service_managed or owner is self):
                return known
        raise Refusal(f"StackSet {name} not found", "StackSetNotFoundException")

    def get_template_summary(self, request: Json, access_key: str | None) -> Json:
        return template_summary(self.find(request).version.template)

    def _managers(self, request: Json, needs_access: bool = True) -> StackSets:
        """Return the stack sets of the management account, if the caller may act on them."""
        management = organizations.management_account(self.account)
        delegated = request.get("CallAs") == "DELEGATED_ADMIN"
        allowed = management and (organizations.is_delegated(self.account, management) if delegated else management == self.account)
        if not management or not allowed:
            raise Refusal(
                "You must be the management account or delegated admin account of an organization before operating a "
                "SERVICE_MANAGED stack set"
            )
        if needs_access and management not in self._with_access:
            raise Refusal("You must enable organizations access to operate a service managed stack set")
        return self._of(management)

    def _wanted(self, stack_set: StackSet, request: Json) -> list[Instance]:
        """Return the instances that CreateStackInstances asks for."""
        _check_targets(stack_set, request)
        if not stack_set.is_service_managed:
            return [Instance(account, region) for region in request["Regions"] for account in request["Accounts"]]
        targets = request["DeploymentTargets"]
        if targets.get("AccountFilterType") == "UNION":
            raise Refusal("AccountFilterType UNION is not supported for CreateStackInstances")
        if not targets.get("OrganizationalUnitIds"):
            raise Refusal("OrganizationalUnitIds are required")
        if targets.get("Accounts") and "AccountFilterType" not in targets:
            raise Refusal("AccountFilterType must be specified when both OrganizationalUnitIds and Accounts are specified")
        accounts = self._targeted(stack_set, targets)
        return [Instance(account, region, unit) for region in request["Regions"] for account, unit in accounts.items()]

    def _existing(self, stack_set: StackSet, request: Json) -> list[Instance]:
        """Return the instances that there are among those that a request is about."""
        _check_targets(stack_set, request)
        if stack_set.is_service_managed:
            accounts: Iterable[str] = self._targeted(stack_set, request["DeploymentTargets"], stack_set.instances)
        else:
            accounts = request["Accounts"]
        places = [(account, region) for region in request["Regions"] for account in accounts]
        return [stack_set.instances[place] for place in places if place in stack_set.instances]

    def _targeted(self, stack_set: StackSet, targets: Json, present: Iterable[tuple[str, str]] = ()) -> dict[str, str | None]:
        """Return the accounts of deployment targets, each with the unit it was found by.

        An account that left the organization, or the unit, can still be addressed by its instance (`present`).
        """
        units = targets.get("OrganizationalUnitIds", [])
        unknown = organizations.unknown_units(stack_set.account, units)
        if unknown:
            raise Refusal(f"Organizational unit {', '.join(unknown)} not found in your organization")
        below: dict[str, str | None] = dict(organizations.accounts_below(stack_set.account, units))
        below |= {place[0]: stack_set.instances[place].unit for place in present if stack_set.instances[place].unit in units}
        named = _named_accounts(targets)
        kind = targets.get("AccountFilterType", "UNION" if named else "NONE")
        if kind == "INTERSECTION":
            return {account: unit for account, unit in below.items() if account in named}
        if kind == "DIFFERENCE":
            return {account: unit for account, unit in below.items() if account not in named}
        return below | ({account: below.get(account) for account in named} if kind == "UNION" else {})

    def _to_update(self, stack_set: StackSet, instances: list[Instance] | None) -> list[Instance]:
        chosen = list(stack_set.instances.values()) if instances is None else _still_there(stack_set, instances)
        return [instance for instance in chosen if instance.status != INOPERABLE]

    def _new_operation(
        self,
        stack_set: StackSet,
        action: str,
        request: Json,
        prepare: Callable[[], list[Instance]],
        overrides: dict[str, Any] | None = None,
    ) -> SetOperation:
        self._require_idle(stack_set, request)
        _check_preferences(request.get("OperationPreferences", {}))
        return SetOperation(request.get("OperationId") or str(uuid4()), action, prepare, request, overrides)

    def _require_idle(self, stack_set: StackSet, request: Json) -> None:
        """Raise a Refusal if an operation is under way that this one is not queued behind, or if its id was used before."""
        operation_id = request.get("OperationId")
        if any(operation.id == operation_id for operation in stack_set.operations):
            raise Refusal(f"Operation {operation_id} already exists", "OperationIdAlreadyExistsException")
        if stack_set.is_busy and not stack_set.options.get("ManagedExecution", {}).get("Active"):
            raise _in_progress(stack_set)


def _in_progress(stack_set: StackSet) -> Refusal:
    under_way = next(operation for operation in stack_set.operations if not operation.is_over)
    return Refusal(f"Another Operation on StackSet {stack_set.arn} is in progress: {under_way.id}", "OperationInProgressException")


def _operation(stack_set: StackSet, request: Json) -> SetOperation:
    for operation in stack_set.operations:
        if operation.id == request["OperationId"]:
            return operation
    raise Refusal(f"Operation {request['OperationId']} not found", "OperationNotFoundException")


def _require_instance(stack_set: StackSet, account: str, region: str) -> Instance:
    if (account, region) not in stack_set.instances:
        raise Refusal(
            f"Stack instance not found for StackSet {stack_set.name}, account {account}, region {region}", "StackInstanceNotFoundException"
        )
    return stack_set.instances[account, region]


def _still_there(stack_set: StackSet, instances: list[Instance]) -> list[Instance]:
    return [instance for instance in instances if stack_set.instances.get((instance.account, instance.region)) is instance]


def _named_accounts(targets: Json) -> list[str]:
    listed = text_of(targets["AccountsUrl"]) if "AccountsUrl" in targets else ""
    return list(targets.get("Accounts", [])) + re.findall(r"\d{12}", listed)


def _overrides(stack_set: StackSet, request: Json) -> dict[str, str | None] | None:
    """Return ParameterOverrides, None for each UsePreviousValue; None if there are none at all, which leaves those there are."""
    if "ParameterOverrides" not in request:
        return None
    overrides = {item["ParameterKey"]: item.get("ParameterValue") for item in request["ParameterOverrides"]}
    unknown = [key for key in overrides if key not in stack_set.version.template.parameters]
    if unknown:
        raise Refusal(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return overrides


def _check_model(request: Json, service_managed: bool, update: bool = False) -> None:
    """Raise a Refusal for options that do not belong to the permission model."""
    if service_managed:
        wrong = [key for key in ("AdministrationRoleARN", "ExecutionRoleName") if key in request]
        if not update and "AutoDeployment" not in request:
            raise Refusal("AutoDeployment must be specified for StackSets with SERVICE_MANAGED permission model")
        if "RetainStacksOnAccountRemoval" in request.get("AutoDeployment", {}) and not request["AutoDeployment"].get("Enabled"):
            raise Refusal("RetainStacksOnAccountRemoval can only be specified if AutoDeployment is enabled")
    else:
        wrong = [key for key in ("AutoDeployment",) if key in request]
        if request.get("CallAs") == "DELEGATED_ADMIN":
            wrong.append("CallAs DELEGATED_ADMIN")
    if wrong:
        model = SERVICE_MANAGED if service_managed else SELF_MANAGED
        raise Refusal(f"{', '.join(wrong)} cannot be specified for StackSets with {model} permission model")


def _check_targets(stack_set: StackSet, request: Json) -> None:
    if not request.get("Regions"):
        raise Refusal("Regions must be specified")
    if stack_set.is_service_managed and ("Accounts" in request or "DeploymentTargets" not in request):
        raise Refusal("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
    if not stack_set.is_service_managed and ("DeploymentTargets" in request or not request.get("Accounts")):
        raise Refusal("StackSets with SELF_MANAGED permission model can only have Accounts as target")
    wrong = [account for account in request.get("Accounts", []) if not re.fullmatch(r"\d{12}", account)]
    if wrong:
        raise Refusal(
            f"1 validation error detected: Value '[{', '.join(wrong)}]' at 'accounts' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must satisfy regular expression pattern: ^[0-9]{12}$]"
        )


def _check_preferences(preferences: Json) -> None:
    for name in ("FailureTolerance", "MaxConcurrent"):
        if f"{name}Count" in preferences and f"{name}Percentage" in preferences:
            raise Refusal(f"{name}Count and {name}Percentage cannot be specified together")
