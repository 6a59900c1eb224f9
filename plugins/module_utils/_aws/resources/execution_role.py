# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import (
    attached_policies,
    inline_policies,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import (
    ACTION,
    NO_ENTITY,
    POLICY_NAME,
    WATCH_POLICY,
    ExistingRole,
    role_of,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.trust_policy import trust_beside, trust_policy
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text, tag_changes, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_aws_account

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# IAM API reference, CreateRole.
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}\Z", re.ASCII)
_ROLE_PATH = re.compile(r"/([!-~]{1,510}/)?\Z")


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of an execution role."""
    return {"role_name": {"type": "str"}, "role_path": {"type": "str"}, "role_permissions_boundary": {"type": "str"}}


@dataclass(frozen=True)
class ExecutionRole(Resource):
    """The desired execution role: EventBridge may assume it for this account alone, and it may send to one API destination.

    It is one for the whole AWS account, and serves all its regions.

    :ivar api_destination: the name of the one it may send to
    :ivar path: the IAM path of a role that is made; an existing role keeps its own
    :ivar boundary: the ARN of a permissions boundary; None leaves it as it is
    """

    name: str
    present: bool = True
    path: str | None = None
    aws_account: str = ""
    api_destination: str = ""
    description: str = ""
    boundary: str | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True

    kind: t.ClassVar[str] = "execution_role"
    service: t.ClassVar[str] = "iam"
    reads: t.ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the values.

        :raises ArgumentError: IAM would refuse one.
        """
        if not _ROLE_NAME.match(self.name):
            raise ArgumentError(f"The role's name '{self.name[:100]}' cannot be used: IAM accepts 1 to 64 letters, digits and '+=,.@_-'.")
        if self.path is not None and not _ROLE_PATH.match(self.path):
            raise ArgumentError(f"The role's path '{self.path[:100]}' cannot be used: it must begin and end with a slash, such as /spot/.")

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> ExecutionRole:
        """See `plan.Resource`."""
        name = params["role_name"]
        if params["state"] == "absent":
            return cls(name, present=False)
        desired = cls(
            name,
            path=params.get("role_path") or None,
            api_destination=params["name"],
            description=params["description"],
            boundary=params["role_permissions_boundary"],
            tags=as_text(params["tags"]),
            purge_tags=params["purge_tags"],
        )
        # AWS is called only once all other options are known to be valid.
        return dataclasses.replace(desired, aws_account=check_aws_account(params["aws_account"] or regions.aws_account()))

    def look(self, region: Region) -> ExistingRole | None:
        """Call GetRole, and GetRolePolicy of the policy of onboarding; to remove the role, also read the names of the others."""
        iam = region.clients["iam"]
        try:
            role = iam.get_role(RoleName=self.name)["Role"]
        except Exception as error:
            if is_code(error, *NO_ENTITY):
                return None
            raise
        try:
            policies: tuple[t.Any, ...] = (iam.get_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)["PolicyDocument"],)
        except Exception as error:
            if not is_code(error, *NO_ENTITY):
                raise
            policies = ()
        others = (
            ()
            if self.present
            else (*inline_policies(iam, self.name), *(arn.rsplit("/", 1)[-1] for arn in attached_policies(iam, self.name)))
        )
        found = role_of(role, policies, tuple(name for name in others if name not in (POLICY_NAME, WATCH_POLICY)))
        return dataclasses.replace(found, watched=WATCH_POLICY in others)

    def plan(self, region: Region, existing: ExistingRole | None) -> Plan:
        """See `plan.Resource`."""
        if not self.present:
            return self._plan_removal(existing)
        trust = trust_beside(existing.trust, region.partition, self.aws_account, self.api_destination) if existing else self.trust_policy()
        policy = self.policy(region.partition)
        boundary = self.boundary or (existing.boundary if existing else None)
        after: Document = {
            "description": self.description,
            "assume_role_policy_document": trust,
            "policy": policy,
            "permissions_boundary": boundary,
            "tags": tags_after(existing.tags if existing else {}, self.tags, self.purge_tags),
        }
        put_policy = Call("put_role_policy", {"RoleName": self.name, "PolicyName": POLICY_NAME, "PolicyDocument": json.dumps(policy)})
        if existing is None:
            predicted = {"arn": self.arn(region.partition), **after}
            return Plan("created", predicted, None, after, (self._create(trust), put_policy))

        calls = []
        # First, as a company can allow changes only of roles that have its boundary (IAM's condition key PermissionsBoundary).
        if existing.boundary != boundary:
            calls.append(Call("put_role_permissions_boundary", {"RoleName": self.name, "PermissionsBoundary": boundary}))
        if existing.description != self.description:
            # Before the rest, as a company may refuse it, which must not prevent anything else.
            calls.append(Call("update_role", {"RoleName": self.name, "Description": self.description}))
        if compare_policies(existing.trust, trust):
            calls.append(Call("update_assume_role_policy", {"RoleName": self.name, "PolicyDocument": json.dumps(trust)}))
        if not existing.policies or compare_policies(existing.policies[0], policy):
            calls.append(put_policy)
        to_set, to_remove = tag_changes(existing.tags, self.tags, self.purge_tags)
        if to_set:
            calls.append(Call("tag_role", {"RoleName": self.name, "Tags": ansible_dict_to_boto3_tag_list(to_set)}))
        if to_remove:
            calls.append(Call("untag_role", {"RoleName": self.name, "TagKeys": to_remove}))
        note = self._note(existing)
        if not calls:
            return unchanged(existing, note=note)
        before = {**existing.managed_fields(), "tags": dict(existing.tags)}
        return Plan("updated", {**existing.document, **after}, before, after, tuple(calls), note=note)

    def _note(self, existing: ExistingRole) -> str | None:
        # IAM has no operation that moves a role (API reference, UpdateRole).
        if self.path is None or self.path == existing.path:
            return None
        return f"the role {self.name} was kept under the path {existing.path}: IAM cannot move it to {self.path}."

    def _create(self, trust: Document) -> Call:
        arguments: Document = {"RoleName": self.name, "Description": self.description, "AssumeRolePolicyDocument": json.dumps(trust)}
        if self.path:
            arguments["Path"] = self.path
        if self.boundary:
            arguments["PermissionsBoundary"] = self.boundary
        if self.tags:
            arguments["Tags"] = ansible_dict_to_boto3_tag_list(self.tags)
        return Call("create_role", arguments)

    def _plan_removal(self, existing: ExistingRole | None) -> Plan:
        if existing is None:
            return unchanged(None)
        if existing.others:
            note = f"the role {self.name} was kept: it has policies of others ({', '.join(existing.others)}). Remove them, and run again."
            return unchanged(existing, note=note)
        ours = [*([POLICY_NAME] if existing.policies else []), *([WATCH_POLICY] if existing.watched else [])]
        remove_policies = [Call("delete_role_policy", {"RoleName": self.name, "PolicyName": policy}) for policy in ours]
        calls = (*remove_policies, Call("delete_role", {"RoleName": self.name}))
        return Plan("deleted", None, {**existing.managed_fields(), "tags": dict(existing.tags)}, None, calls)

    def arn(self, partition: str) -> str:
        """Return the ARN it gets if it is made here; one that is there already may have a path."""
        return role_arn(partition, self.aws_account, self.name, self.path)

    def trust_policy(self) -> Document:
        """Return the trust policy: EventBridge may assume it, for this account alone."""
        return trust_policy(self.aws_account)

    def policy(self, partition: str) -> Document:
        """Return the policy to send to this API destination, whose ARN ends with an id of AWS's; one role serves all regions."""
        resource = f"arn:{partition}:events:*:{self.aws_account}:api-destination/{self.api_destination}/*"
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ACTION, "Resource": resource}]}


def role_arn(partition: str, aws_account: str, name: str, path: str | None = None) -> str:
    """Return the ARN of a role that does not exist yet; that of an existing role is read."""
    return f"arn:{partition}:iam::{aws_account}:role{path or '/'}{name}"
