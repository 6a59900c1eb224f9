# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, YES
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import (
    NO_ENTITY,
    WATCH_POLICY,
    read_with_policies,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import PUT_EVENTS, Hub

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region


@dataclass(frozen=True)
class ExistingPermission:
    """The permission of an execution role to send to hubs, as it is; or a role without it.

    :ivar role_arn: the ARN of the role
    :ivar policy: the policy, parsed; None if the role has none of this name
    :ivar decision: whether the role may send to the hub by all its policies, where it is made elsewhere
    """

    role_arn: str
    policy: t.Any = None
    decision: str = NO

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {"role_arn": self.role_arn, "policy": self.policy}


@dataclass(frozen=True)
class Permission(Resource):
    """The permission that an execution role needs to send to the bus of a hub: an inline policy beside that of onboarding.

    :ivar role_arn: the ARN of a role that is made elsewhere, which is only read; empty for one of this collection
    """

    role_name: str
    hub: Hub = field(default_factory=Hub)
    role_arn: str = ""
    present: bool = True

    kind: t.ClassVar[str] = "permission"
    service: t.ClassVar[str] = "iam"
    reads: t.ClassVar[tuple[str, ...]] = ()

    def look(self, region: Region) -> ExistingPermission | None:
        """Call GetRole, and GetRolePolicy of the one policy that is ours; of a role that is made elsewhere, all its policies."""
        if self.role_arn:
            return self._look_elsewhere(region)
        iam = region.clients["iam"]
        try:
            arn = iam.get_role(RoleName=self.role_name)["Role"]["Arn"]
        except Exception as error:
            if is_code(error, *NO_ENTITY):
                return None
            raise
        try:
            policy = iam.get_role_policy(RoleName=self.role_name, PolicyName=WATCH_POLICY)["PolicyDocument"]
        except Exception as error:
            if not is_code(error, *NO_ENTITY):
                raise
            policy = None
        return ExistingPermission(arn, policy)

    def _look_elsewhere(self, region: Region) -> ExistingPermission | None:
        role = read_with_policies(region, self.role_arn) if self.present else None
        if role is None:
            return None
        return ExistingPermission(role.arn, decision=role.may_call(PUT_EVENTS, self.hub.bus_arn))

    def plan(self, region: Region, existing: ExistingPermission | None) -> Plan:
        """See `plan.Resource`.

        :raises RegionError: there is no such role, or one that is made elsewhere lacks the permission.
        """
        if not self.present:
            if existing is None or existing.policy is None or self.role_arn:
                return unchanged(existing)
            call = Call("delete_role_policy", {"RoleName": self.role_name, "PolicyName": WATCH_POLICY})
            return Plan("deleted", {"role_arn": existing.role_arn, "policy": None}, existing.document, None, (call,))
        if existing is None:
            missing = f"there is no execution role {self.role_arn or self.role_name}"
            raise RegionError("RoleMissing", f"{missing}: onboard the account first, by the playbook onboard or spot_integration")
        if self.role_arn:
            return self._plan_elsewhere(existing)
        policy = self.policy()
        if existing.policy is not None and not compare_policies(existing.policy, policy):
            return unchanged(existing)
        arguments = {"RoleName": self.role_name, "PolicyName": WATCH_POLICY, "PolicyDocument": json.dumps(policy)}
        before = existing.document if existing.policy is not None else None
        after: Document = {"role_arn": existing.role_arn, "policy": policy}
        return Plan("updated" if before else "created", after, before, after, (Call("put_role_policy", arguments),))

    def _plan_elsewhere(self, existing: ExistingPermission) -> Plan:
        lacks = f"the execution role {existing.role_arn}, which is made elsewhere, may not call {PUT_EVENTS} on {self.hub.bus_arn}"
        if existing.decision == NO:
            raise RegionError("RoleNotAllowed", f"{lacks}: allow it in a policy of the role")
        unsure = f"Whether {lacks.replace(' may not call', ' may call')}, is not known: a condition of its policies cannot be evaluated."
        return unchanged(existing, note=None if existing.decision == YES else unsure)

    def policy(self) -> Document:
        """It may put events on the bus of the hub."""
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": PUT_EVENTS, "Resource": self.hub.bus_arn}]}
