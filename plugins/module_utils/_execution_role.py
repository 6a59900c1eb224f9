# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._policy import allows, statements_of

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._regions import Region

SERVICE = "events.amazonaws.com"
ACTION = "events:InvokeApiDestination"


@dataclass(frozen=True)
class ExecutionRole:
    """The role with which EventBridge calls the API destination, as it is.

    :ivar trust: who may assume it, as a parsed policy
    :ivar policies: what it may do, inline and attached, as parsed policies
    """

    arn: str
    trust: t.Any
    policies: tuple[t.Any, ...]

    def trusts_eventbridge(self, aws_account: str) -> str:
        """Whether EventBridge may assume it for this account: YES, NO or UNSURE."""
        context = {"aws:SourceAccount": aws_account}
        return allows(self.trust, action="sts:AssumeRole", resource=None, context=context, service=SERVICE)

    def may_invoke(self, destination_arn: str) -> str:
        """Whether it may send to an API destination: YES, NO or UNSURE."""
        # All policies of a role are one: what one of them denies, no other can allow.
        statements = [statement for policy in self.policies for statement in statements_of(policy)]
        return allows({"Statement": statements}, action=ACTION, resource=destination_arn, context={})


def read(region: Region, arn: str) -> ExecutionRole | None:
    """GetRole, and all its policies.

    :param region: any, with a client for `iam`, which is one for the whole account
    :returns: None if there is no such role
    """
    iam, name = region.clients["iam"], arn.rsplit("/", 1)[-1]
    try:
        role = iam.get_role(RoleName=name)["Role"]
        inline = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
            for policy in page["PolicyNames"]
        ]
        attached = [
            policy["PolicyArn"]
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for policy in page["AttachedPolicies"]
        ]
    except Exception as error:
        if is_code(error, "NoSuchEntity", "NoSuchEntityException"):
            return None
        raise
    managed = [_managed_policy(iam, policy) for policy in attached]
    return ExecutionRole(role["Arn"], role.get("AssumeRolePolicyDocument"), tuple(inline + managed))


def _managed_policy(iam: t.Any, arn: str) -> t.Any:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
