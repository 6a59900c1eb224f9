# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM's resource type: role."""

from __future__ import annotations

from functools import partial

from .resource_type import Json, ResourceType, Seconds, Started, State, change_tags, exists, json_text, tag_list
from .services import Services


class RoleType(ResourceType):
    name = "AWS::IAM::Role"
    name_property = "RoleName"
    seconds = Seconds(create=18, delete=11)
    passed_on = frozenset({"Description", "MaxSessionDuration", "Path", "PermissionsBoundary"})
    required = frozenset({"AssumeRolePolicyDocument"})
    optional = passed_on | {"ManagedPolicyArns", "Policies", "RoleName", "Tags"}
    replaced_by = frozenset({"RoleName", "Path"})
    tagged = True

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        given = {key: value for key, value in wanted.properties.items() if key in self.passed_on}
        trust, tags = json_text(wanted.properties["AssumeRolePolicyDocument"]), tag_list(wanted.tags)
        answer = services.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags, **given)
        started(name)
        self._put_policies(services, name, {}, wanted.properties)
        return {"Arn": answer["Role"]["Arn"], "RoleId": answer["Role"]["RoleId"]}

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        role = services.call("iam", "GetRole", RoleName=physical_id)["Role"]
        before, after = old.properties, new.properties
        if before["AssumeRolePolicyDocument"] != after["AssumeRolePolicyDocument"]:
            trust = json_text(after["AssumeRolePolicyDocument"])
            services.call("iam", "UpdateAssumeRolePolicy", RoleName=physical_id, PolicyDocument=trust)
        if any(before.get(key) != after.get(key) for key in ("Description", "MaxSessionDuration")):
            changed = {"Description": after.get("Description", ""), "MaxSessionDuration": after.get("MaxSessionDuration", 3600)}
            services.call("iam", "UpdateRole", RoleName=physical_id, **changed)
        self._put_policies(services, physical_id, before, after)
        change_tags(
            old.tags,
            new.tags,
            lambda changed: services.call("iam", "TagRole", RoleName=physical_id, Tags=tag_list(changed)),
            lambda gone: services.call("iam", "UntagRole", RoleName=physical_id, TagKeys=gone),
        )
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        services.call("iam", "GetRole", RoleName=physical_id)
        self._put_policies(services, physical_id, properties, {})
        services.call("iam", "DeleteRole", RoleName=physical_id)

    def _put_policies(self, services: Services, name: str, old: Json, new: Json) -> None:
        """Bring inline and attached policies from one state to another; what others have added stays."""
        call = partial(services.call, "iam")
        before, after = _inline(old), _inline(new)
        for policy in after:
            if before.get(policy) != after[policy]:
                call("PutRolePolicy", RoleName=name, PolicyName=policy, PolicyDocument=after[policy])
        for policy in set(before) - set(after):
            exists(partial(call, "DeleteRolePolicy", RoleName=name, PolicyName=policy))  # gone already is gone
        attached, wanted = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
        for arn in sorted(wanted - attached):
            call("AttachRolePolicy", RoleName=name, PolicyArn=arn)
        for arn in sorted(attached - wanted):
            exists(partial(call, "DetachRolePolicy", RoleName=name, PolicyArn=arn))


def _inline(properties: Json) -> dict[str, str]:
    return {policy["PolicyName"]: json_text(policy["PolicyDocument"]) for policy in properties.get("Policies", [])}
