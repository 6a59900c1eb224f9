# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack set, its instances, its operations: their state, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from moto.utilities.utils import get_partition

from .evaluation import HIDDEN
from .resource_type import Json
from .stack import Version, now, shown_parameters
from .template import parameter_values

ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
SELF_MANAGED, SERVICE_MANAGED = "SELF_MANAGED", "SERVICE_MANAGED"

# An instance is CURRENT if the last thing that was to be done to it was done.
CURRENT, OUTDATED, INOPERABLE = "CURRENT", "OUTDATED", "INOPERABLE"

Place = tuple[str, str]
"""An account and a region."""


@dataclass
class Instance:
    """A stack instance: the stack of one account in one region, if it could be made.

    Attributes:
        unit: the root or organizational unit that was named when it was made.
        detailed: what became of the last operation on it.
    """

    account: str
    region: str
    unit: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    stack_id: str | None = None
    status: str = OUTDATED
    detailed: str = "PENDING"
    reason: str | None = None
    last_operation: str | None = None

    def summary(self, stack_set: StackSet) -> Json:
        """The instance as ListStackInstances shows it."""
        return {
            "StackSetId": stack_set.id,
            "Region": self.region,
            "Account": self.account,
            "StackId": self.stack_id,
            "Status": self.status,
            "StatusReason": self.reason,
            "StackInstanceStatus": {"DetailedStatus": self.detailed},
            "OrganizationalUnitId": self.unit or "",
            "DriftStatus": "NOT_CHECKED",
            "LastOperationId": self.last_operation,
        }

    def described(self, stack_set: StackSet) -> Json:
        """The instance as DescribeStackInstance shows it."""
        template = stack_set.version.template
        overrides = [
            {"ParameterKey": key, "ParameterValue": HIDDEN if template.is_hidden(key) else value} for key, value in self.overrides.items()
        ]
        return {**self.summary(stack_set), "ParameterOverrides": overrides}


@dataclass
class Result:
    """What became of an operation in one account and region."""

    account: str
    region: str
    unit: str | None = None
    status: str = "PENDING"
    reason: str | None = None

    def described(self) -> Json:
        """The result as ListStackSetOperationResults shows it."""
        return {
            "Account": self.account,
            "Region": self.region,
            "Status": self.status,
            "StatusReason": self.reason,
            "AccountGateResult": {
                "Status": "SKIPPED",
                "StatusReason": f"Function not found: arn:{get_partition(self.region)}:lambda:{self.region}:{self.account}:function:"
                "AWSCloudFormationStackSetAccountGate",
            },
            "OrganizationalUnitId": self.unit or "",
        }


@dataclass
class SetOperation:
    """An operation on a stack set.

    Attributes:
        action: CREATE, UPDATE or DELETE.
        prepare: called when it begins; returns the accounts and regions that it is about.
        request: of which preferences and deployment targets are shown.
        overrides: for the instances that it is about; None leaves theirs.
    """

    id: str
    action: str
    prepare: Callable[[], list[Instance]]
    request: Json
    overrides: dict[str, str | None] | None = None
    status: str = "QUEUED"
    reason: str | None = None
    created: datetime = field(default_factory=now)
    ended: datetime | None = None
    results: list[Result] = field(default_factory=list)

    @property
    def preferences(self) -> Json:
        preferences: Json = self.request.get("OperationPreferences", {})
        return preferences

    @property
    def is_over(self) -> bool:
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")

    def summary(self) -> Json:
        """The operation as ListStackSetOperations shows it."""
        failed = sum(result.status == "FAILED" for result in self.results)
        return {
            "OperationId": self.id,
            "Action": self.action,
            "Status": self.status,
            "StatusReason": self.reason,
            "CreationTimestamp": self.created,
            "EndTimestamp": self.ended,
            "StatusDetails": {"FailedStackInstancesCount": failed},
            "OperationPreferences": {"RegionOrder": [], **self.preferences},
        }

    def described(self, stack_set: StackSet) -> Json:
        """The operation as DescribeStackSetOperation shows it."""
        return {
            **self.summary(),
            "StackSetId": stack_set.id,
            "RetainStacks": self.request.get("RetainStacks") if self.action == "DELETE" else None,
            "AdministrationRoleARN": stack_set.administration_role_arn,
            "ExecutionRoleName": stack_set.execution_role,
            "DeploymentTargets": self.request.get("DeploymentTargets"),
        }


@dataclass
class StackSet:
    """A stack set of one administrator's account in one region.

    Attributes:
        options: what is kept of the request: Description, Capabilities, PermissionModel, AutoDeployment, ManagedExecution, roles.
        targets: the regions in which accounts that come to a root or organizational unit get an instance.
    """

    name: str
    account: str
    region: str
    version: Version
    options: Json
    uuid: str = field(default_factory=lambda: str(uuid4()))
    status: str = "ACTIVE"
    instances: dict[Place, Instance] = field(default_factory=dict)
    operations: list[SetOperation] = field(default_factory=list)
    targets: dict[str, set[str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}:{self.uuid}"

    @property
    def arn(self) -> str:
        return f"arn:{get_partition(self.region)}:cloudformation:{self.region}:{self.account}:stackset/{self.id}"

    @property
    def is_service_managed(self) -> bool:
        return self.permission_model == SERVICE_MANAGED

    @property
    def permission_model(self) -> str:
        return str(self.options.get("PermissionModel", SELF_MANAGED))

    @property
    def administration_role_arn(self) -> str | None:
        if self.is_service_managed:
            return None
        default = f"arn:{get_partition(self.region)}:iam::{self.account}:role/{ADMINISTRATION_ROLE}"
        return str(self.options.get("AdministrationRoleARN", default))

    @property
    def execution_role(self) -> str | None:
        return None if self.is_service_managed else str(self.options.get("ExecutionRoleName", EXECUTION_ROLE))

    @property
    def deploys_automatically(self) -> bool:
        return bool(self.status == "ACTIVE" and self.options.get("AutoDeployment", {}).get("Enabled"))

    @property
    def is_busy(self) -> bool:
        return any(not operation.is_over for operation in self.operations)

    def version_for(self, instance: Instance) -> Version:
        """Return what the stack of an instance shall be, or a Refusal if a parameter of its own breaks a constraint."""
        template = self.version.template
        values = {**self.version.parameters, **{key: value for key, value in instance.overrides.items() if key in template.parameters}}
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
        return Version(template, parameter_values(template, given), self.version.tags)

    def summary(self) -> Json:
        """The stack set as ListStackSets shows it."""
        return {
            "StackSetName": self.name,
            "StackSetId": self.id,
            "Description": self.options.get("Description"),
            "Status": self.status,
            "AutoDeployment": self.options.get("AutoDeployment"),
            "PermissionModel": self.permission_model,
            "DriftStatus": "NOT_CHECKED",
            "ManagedExecution": {"Active": False, **self.options.get("ManagedExecution", {})},
        }

    def described(self) -> Json:
        """The stack set as DescribeStackSet shows it."""
        drift: dict[str, Any] = {"DriftStatus": "NOT_CHECKED", "TotalStackInstancesCount": len(self.instances)}
        drift |= {f"{kind}StackInstancesCount": 0 for kind in ("Drifted", "InSync", "InProgress", "Failed")}
        return {
            **{key: value for key, value in self.summary().items() if key != "DriftStatus"},
            "TemplateBody": self.version.template.text,
            "Parameters": shown_parameters(self.version),
            "Capabilities": self.options.get("Capabilities", []),
            "Tags": [{"Key": key, "Value": value} for key, value in self.version.tags.items()],
            "StackSetARN": self.arn,
            "AdministrationRoleARN": self.administration_role_arn,
            "ExecutionRoleName": self.execution_role,
            "StackSetDriftDetectionDetails": drift,
            "OrganizationalUnitIds": sorted(self.targets) if self.is_service_managed else None,
            "Regions": sorted({region for _, region in self.instances}),
        }
