# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import (
    UNSURE,
    allows,
    attached_policies,
    both,
    boundary_policy,
    inline_policies,
    managed_policy,
    statements_of,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.trust_policy import assumes
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

ACTION = "events:InvokeApiDestination"
POLICY_NAME = "invoke-api-destination"
# The policy beside it with which the role may report the loss of an authorisation to a hub.
WATCH_POLICY = "report-to-hub"
NO_ENTITY = ("NoSuchEntity", "NoSuchEntityException")


@dataclass(frozen=True)
class ExistingRole:
    """A role with which EventBridge calls the API destination, as it is.

    :ivar trust: the trust policy, parsed
    :ivar policies: its permissions, as parsed policies: ours first, None if it is not there, and then the others, as far as they were read
    :ivar others: the names of policies that are not ours, as far as they are needed
    :ivar watched: whether a policy of ours lets it report the loss of an authorisation to a hub, as far as that was read
    :ivar boundary_policy: the permissions boundary as a parsed policy; None if there is none, or it was not read
    """

    arn: str
    trust: t.Any
    policies: tuple[t.Any, ...]
    description: str = ""
    boundary: str | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    watched: bool = False
    boundary_policy: t.Any = None

    @property
    def path(self) -> str:
        """Return the IAM path: `/`, or `/service-role/`."""
        resource = self.arn.split(":", 5)[-1].split("/", 1)[-1]
        return f"/{resource[: resource.rfind('/') + 1]}"

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {"arn": self.arn, **self.managed_fields(), "tags": dict(self.tags)}

    def managed_fields(self) -> Document:
        """Return the fields of a role that this collection manages."""
        return {
            "description": self.description,
            "assume_role_policy_document": self.trust,
            "policy": self.policies[0] if self.policies else None,
            "permissions_boundary": self.boundary,
        }

    def trusts_eventbridge(self, aws_account: str) -> str:
        """Return whether EventBridge may assume it for this account: YES, NO or UNSURE."""
        return assumes(self.trust, aws_account)

    def may_invoke(self, destination_arn: str) -> str:
        """Return whether it may send to an API destination: YES, NO or UNSURE."""
        return self.may_call(ACTION, destination_arn)

    def may_call(self, action: str, resource: str) -> str:
        """Return whether it may call an action on a resource: YES, NO or UNSURE."""
        # All policies of a role count together: an action that one denies, no other can allow.
        statements = [statement for policy in self.policies for statement in statements_of(policy)]
        own, limit = (
            allows(policy, action=action, resource=resource, context={}) for policy in ({"Statement": statements}, self.boundary_policy)
        )
        return both(own, limit if self.boundary_policy else UNSURE) if self.boundary else own


def read_with_policies(region: Region, arn: str) -> ExistingRole | None:
    """Return the role with all its policies, of this collection or not. GetRole, and the reads of policies.

    :param region: any, with a client for `iam`, which is one for the whole account
    :returns: None if there is no such role
    """
    iam, name = region.clients["iam"], arn.rsplit("/", 1)[-1]
    try:
        role, names, attached = at_once(
            lambda: iam.get_role(RoleName=name)["Role"],
            lambda: list(inline_policies(iam, name)),
            lambda: list(attached_policies(iam, name)),
        )
        inline = {policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in names}
    except Exception as error:
        if is_code(error, *NO_ENTITY):
            return None
        raise
    ours = inline.pop(POLICY_NAME, None)
    existing = role_of(role, (ours, *inline.values(), *(managed_policy(iam, policy) for policy in attached)))
    return dataclasses.replace(existing, boundary_policy=boundary_policy(iam, existing.boundary))


def role_of(role: t.Mapping[str, t.Any], policies: tuple[t.Any, ...], others: tuple[str, ...] = ()) -> ExistingRole:
    return ExistingRole(
        arn=role["Arn"],
        trust=role.get("AssumeRolePolicyDocument"),
        policies=policies,
        description=role.get("Description", ""),
        boundary=(role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        tags=boto3_tag_list_to_ansible_dict(role.get("Tags", [])),
        others=others,
    )
