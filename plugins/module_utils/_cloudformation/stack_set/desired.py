# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import check_kms_parameters
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import ROLE_PARAMETER
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.arguments import (
    DEFAULT_PREFERENCES,
    NOBODYS_SPOT_ACCOUNT,
    auto_deployment,
    preferences,
    spot_accounts,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    REVISION_PARAMETER,
    check_template_body,
    check_template_url,
    parameter_text,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    DEFAULT_DESCRIPTION,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_aws_account,
    check_regions,
    check_spot_account,
    check_stack_name,
    check_token,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

SERVICE_MANAGED, SELF_MANAGED = "SERVICE_MANAGED", "SELF_MANAGED"


@dataclass(frozen=True)
class StackSet:
    """The desired stack set.

    :ivar parameters: the values of the other parameters
    :ivar token_revision: text that, where it changes, has the token written again; None leaves it as it is
    :ivar update_token: `on_create` or `always`
    :ivar update: `changed`; or `always`, which leaves it to CloudFormation whether something changed
    :ivar spot_accounts: Spot accounts by AWS account
    :ivar default_spot_account: that of the AWS accounts that are not among them; None if they get no instance
    :ivar accounts: only these AWS accounts; None for all that have a Spot account
    :ivar auto_deployment: as boto3 takes it; only with permissions that the service manages
    :ivar operation_preferences: as boto3 takes them
    :ivar purge_limit: how many per cent of the accounts may lose all of their instances
    """

    name: str
    present: bool = True
    template_body: str | None = None
    template_url: str | None = None
    description: str = DEFAULT_DESCRIPTION
    parameters: t.Mapping[str, str] = field(default_factory=dict)
    spot_accounts: t.Mapping[str, str] = field(default_factory=dict)
    default_spot_account: str | None = None
    account_parameter: str | None = None
    token: str = field(default="", repr=False)
    token_parameter: str | None = None
    token_revision: str | None = None
    update_token: str = "on_create"
    update: str = "changed"
    permission_model: str = SELF_MANAGED
    administration_role_arn: str | None = None
    execution_role_name: str | None = None
    accounts: frozenset[str] | None = None
    organizational_units: tuple[str, ...] = ()
    excluded_accounts: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    auto_deployment: Document = field(default_factory=dict)
    delegated_admin: bool = False
    managed_execution: bool = True
    operation_preferences: Document = field(default_factory=lambda: dict(DEFAULT_PREFERENCES))
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True
    retain_stacks: bool = False
    purge_instances: bool = True
    purge_limit: int = 50

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> StackSet:
        """Return what a module's parameters desire.

        :raises ArgumentError: a parameter cannot be right.
        """
        name, delegated_admin = check_stack_name(params["name"]), params["call_as"] == "delegated_admin"
        shared: dict[str, t.Any] = {
            "delegated_admin": delegated_admin,
            "operation_preferences": preferences(params["operation_preferences"]),
            "retain_stacks": params["retain_stacks"],
        }
        if params["state"] == "absent":
            return cls(name, present=False, **shared)
        given = {str(key): parameter_text(value) for key, value in params["parameters"].items() if value is not None}
        check_kms_parameters(given, params.get("regions"))
        stack_set = cls(
            name,
            template_body=check_template_body(params["template_body"]) if params["template_body"] else None,
            template_url=check_template_url(params["template_url"]) if params["template_url"] else None,
            description=params["description"],
            parameters={key: value for key, value in given.items() if key != REVISION_PARAMETER},
            spot_accounts=spot_accounts(params["spot_accounts"]),
            default_spot_account=check_spot_account(params["default_spot_account"]) if params["default_spot_account"] else None,
            account_parameter=params["account_parameter"],
            token=check_token(params["spot_token"]) if params["spot_token"] else "",
            token_parameter=params["token_parameter"],
            token_revision=given.get(REVISION_PARAMETER) if params["token_revision"] is None else params["token_revision"],
            update_token=params["update_token"],
            update=params["update"],
            permission_model=params["permission_model"].upper(),
            administration_role_arn=params["administration_role_arn"],
            execution_role_name=params["execution_role_name"],
            accounts=None if params["accounts"] is None else frozenset(map(check_aws_account, params["accounts"])),
            organizational_units=tuple(dict.fromkeys(params["organizational_unit_ids"])),
            excluded_accounts=frozenset(map(check_aws_account, params["excluded_accounts"])),
            regions=tuple(check_regions(params["regions"])),
            auto_deployment=auto_deployment(params["auto_deployment"]),
            managed_execution=params["managed_execution"],
            tags=as_text(params["tags"]),
            purge_tags=params["purge_tags"],
            purge_instances=params["purge_instances"],
            purge_limit=params["purge_limit"],
            **shared,
        )
        stack_set.check_permission_model()
        stack_set.check_accounts()
        return stack_set

    @property
    def service_managed(self) -> bool:
        """Return whether AWS Organizations gives the permissions."""
        return self.permission_model == SERVICE_MANAGED

    @property
    def call_as(self) -> dict[str, str]:
        """Return the arguments about the caller, for every call of CloudFormation."""
        return {"CallAs": "DELEGATED_ADMIN"} if self.delegated_admin else {}

    @property
    def source(self) -> dict[str, str]:
        """Return the template as CloudFormation takes it."""
        return {"TemplateURL": self.template_url or ""} if self.template_body is None else {"TemplateBody": self.template_body}

    @property
    def base_spot_account(self) -> str:
        """Return the Spot account of the stack set itself, which instances have that override nothing."""
        return self.default_spot_account or NOBODYS_SPOT_ACCOUNT

    def spot_account(self, account: str) -> str | None:
        """Return the desired Spot account of an AWS account, None if it is to have none."""
        return self.spot_accounts.get(account, self.default_spot_account)

    def _named_accounts(self) -> frozenset[str]:
        """Return the AWS accounts that are named; there may be others, with a default Spot account."""
        return (frozenset(self.spot_accounts) if self.accounts is None else self.accounts) - self.excluded_accounts

    def check_permission_model(self) -> None:
        """Check the options against the permission model.

        :raises ArgumentError: something is not.
        """
        if self.service_managed:
            if not self.organizational_units:
                raise ArgumentError("organizational_unit_ids is missing: with permission_model=service_managed, AWS deploys to such units.")
            if self.administration_role_arn or self.execution_role_name:
                raise ArgumentError("administration_role_arn and execution_role_name go with permission_model=self_managed only.")
            return
        others = {
            "organizational_unit_ids": self.organizational_units,
            "auto_deployment": self.auto_deployment.get("Enabled"),
            "call_as=delegated_admin": self.delegated_admin,
        }
        for option, given in others.items():
            if given:
                raise ArgumentError(f"{option} goes with permission_model=service_managed only.")

    def check_accounts(self) -> None:
        """Check accounts and token.

        :raises ArgumentError: something is not.
        """
        if not self.spot_accounts and not self.default_spot_account:
            raise ArgumentError(
                "No Spot account is given: set spot_accounts, with the Spot account of each AWS account. To remove all, set state=absent."
            )
        unknown = sorted(account for account in (self.accounts or frozenset()) - self.excluded_accounts if not self.spot_account(account))
        if unknown:
            raise ArgumentError(f"spot_accounts has no Spot account for {', '.join(unknown)}, which the option accounts names.")
        if not self.service_managed and self.accounts is None and not self.spot_accounts:
            raise ArgumentError("No AWS account is given: name them in spot_accounts, or in accounts.")
        role = self.parameters.get(ROLE_PARAMETER, "")
        elsewhere = sorted(account for account in self._named_accounts() if role and f":{account}:" not in role)
        if elsewhere:
            raise ArgumentError(
                f"{ROLE_PARAMETER} is one role, {role}, which EventBridge cannot use in other AWS accounts: {', '.join(elsewhere)}."
                " Leave it out, and each stack makes its role."
            )
        if not 0 <= self.purge_limit <= 100:
            raise ArgumentError("purge_limit must be 0 to 100 per cent.")
        shown = (self.template_body, self.template_url, *self.parameters.values(), *(self.tags or {}).values())
        if self.token and any(self.token in text for text in shown if text):
            raise ArgumentError("The Spot token must only be given with spot_token: CloudFormation shows templates, parameters and tags.")
