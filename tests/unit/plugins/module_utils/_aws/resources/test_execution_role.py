# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, UNSURE, YES
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import (
    POLICY_NAME,
    ExistingRole,
    read_with_policies,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

ACCOUNT, NAME = "123456789012", "spot-interruption-act-d7320fba"
ARN = f"arn:aws:iam::{ACCOUNT}:role/path/{NAME}"
DESTINATION = f"arn:aws:events:eu-west-1:{ACCOUNT}:api-destination/{NAME}/11112222-3333-4444-5555-666677778888"


def trust(**changes: t.Any) -> dict[str, t.Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        **changes,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def permission(resource: str = f"arn:aws:events:*:{ACCOUNT}:api-destination/{NAME}/*", **changes: t.Any) -> dict[str, t.Any]:
    statement = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": resource, **changes}
    return {"Version": "2012-10-17", "Statement": statement}


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (trust(), YES),
        (trust(Condition={}), YES),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "210987654321"}}), NO),
        (trust(Principal={"Service": "lambda.amazonaws.com"}), NO),
        (trust(Action="sts:TagSession"), NO),
        (trust(Effect="Deny"), NO),
        # EventBridge may tell a rule's ARN or not: AWS does not say
        (trust(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/*"}}), UNSURE),
        (None, NO),
    ],
)
def test_trust_of_eventbridge(document: t.Any, answer: str) -> None:
    assert ExistingRole(ARN, document, ()).trusts_eventbridge(ACCOUNT) == answer


@pytest.mark.parametrize(
    ("policies", "answer"),
    [
        ([permission()], YES),
        ([permission(resource="*")], YES),
        ([permission(resource=DESTINATION)], YES),
        ([permission(resource="arn:aws:s3:::*"), permission()], YES),
        ([], NO),
        ([permission(resource=f"arn:aws:events:us-east-1:{ACCOUNT}:api-destination/{NAME}/*")], NO),
        ([permission(resource=f"arn:aws:events:*:{ACCOUNT}:api-destination/{NAME}")], NO),
        ([permission(Action="events:PutEvents")], NO),
        ([permission(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], UNSURE),
        ([None], NO),
    ],
)
def test_permission_to_invoke_the_destination(policies: list[t.Any], answer: str) -> None:
    assert ExistingRole(ARN, trust(), tuple(policies)).may_invoke(DESTINATION) == answer


@pytest.mark.parametrize(
    ("boundary", "decision"),
    [
        ({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, "yes"),
        ({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}, "no"),
        (None, "unsure"),
    ],
)
def test_permissions_boundary_limits_what_the_policies_allow(boundary: t.Any, decision: str) -> None:
    bounded = dataclasses.replace(
        ExistingRole(ARN, trust(), (permission(),)), boundary="arn:aws:iam::123456789012:policy/ours", boundary_policy=boundary
    )
    assert bounded.may_invoke(DESTINATION) == decision


@pytest.mark.parametrize("order", [1, -1])
def test_deny_of_one_policy_overrides_allow_of_another(order: int) -> None:
    policies = [permission(), permission(Effect="Deny", Action="*", resource="*")][::order]
    assert ExistingRole(ARN, trust(), tuple(policies)).may_invoke(DESTINATION) == NO


class Iam:
    """One role with an inline and an attached policy, on pages of their own; or none."""

    def __init__(self, missing: Exception | None = None) -> None:
        self.missing = missing
        self.inline = ["one", "two"]
        self.asked: list[str] = []

    def get_role(self, RoleName: str) -> dict[str, t.Any]:  # noqa: N803
        self.asked.append(RoleName)
        if self.missing:
            raise self.missing
        return {"Role": {"Arn": ARN, "AssumeRolePolicyDocument": trust()}}

    def can_paginate(self, operation: str) -> bool:
        return True

    def get_paginator(self, operation: str) -> t.Any:
        pages = {
            "list_role_policies": [{"PolicyNames": [name]} for name in self.inline],
            "list_attached_role_policies": [{"AttachedPolicies": []}, {"AttachedPolicies": [{"PolicyArn": "arn:managed"}]}],
        }
        iam = self

        class Paginator:
            def paginate(self, RoleName: str) -> t.Any:  # noqa: N803
                iam.asked.append(RoleName)
                return pages[operation]

        return Paginator()

    def get_role_policy(self, RoleName: str, PolicyName: str) -> dict[str, t.Any]:  # noqa: N803
        return {"PolicyDocument": permission(resource=PolicyName)}

    def get_policy(self, PolicyArn: str) -> dict[str, t.Any]:  # noqa: N803
        return {"Policy": {"DefaultVersionId": f"v2 of {PolicyArn}"}}

    def get_policy_version(self, PolicyArn: str, VersionId: str) -> dict[str, t.Any]:  # noqa: N803
        return {"PolicyVersion": {"Document": permission(resource=VersionId)}}


def region_with(iam: Iam) -> Region:
    return Region("us-east-1", "aws", {"iam": iam})


def test_inline_and_attached_policies_of_all_pages_are_read() -> None:
    role = read_with_policies(region_with(Iam()), ARN)
    others = tuple(permission(resource=name) for name in ("one", "two", "v2 of arn:managed"))
    assert role == ExistingRole(ARN, trust(), (None, *others))


def test_the_policy_of_this_collection_is_read_as_the_first() -> None:
    iam = Iam()
    iam.inline = ["a", POLICY_NAME]
    role = read_with_policies(region_with(iam), ARN)
    assert role is not None
    assert role.policies[:2] == (permission(resource=POLICY_NAME), permission(resource="a"))


def test_a_role_is_read_by_its_name_without_its_path() -> None:
    iam = Iam()
    read_with_policies(region_with(iam), ARN)
    assert set(iam.asked) == {NAME}


def test_missing_role_is_none(refusal: t.Callable[..., ClientError]) -> None:
    assert read_with_policies(region_with(Iam(refusal("NoSuchEntity"))), ARN) is None


def test_denied_read_is_not_a_missing_role(refusal: t.Callable[..., ClientError]) -> None:
    with pytest.raises(ClientError):
        read_with_policies(region_with(Iam(refusal("AccessDenied"))), ARN)


# What is wanted


DESIRED = ExecutionRole(NAME, aws_account=ACCOUNT, api_destination=NAME, description="warnings", tags={"team": "a"}, purge_tags=False)
REGION = Region("us-east-1", "aws", {})
AS_DESIRED = ExistingRole(ARN, trust(), (permission(),), description="warnings", tags={"team": "a", "theirs": "x"})


def calls(desired: ExecutionRole, current: ExistingRole | None) -> list[str]:
    return [call.operation for call in desired.plan(REGION, current).calls]


def test_missing_role_is_created_with_its_only_permission() -> None:
    plan = DESIRED.plan(REGION, None)
    assert (plan.action, [call.operation for call in plan.calls]) == ("created", ["create_role", "put_role_policy"])
    create, put = (call.arguments for call in plan.calls)
    assert json.loads(create["AssumeRolePolicyDocument"]) == trust()
    assert create["Tags"] == [{"Key": "team", "Value": "a"}]
    assert "PermissionsBoundary" not in create
    may = json.loads(put["PolicyDocument"])
    assert allows_only(may, f"arn:aws:events:eu-west-1:{ACCOUNT}:api-destination/{NAME}/1")
    assert plan.document is not None
    assert plan.document["arn"] == f"arn:aws:iam::{ACCOUNT}:role/{NAME}"


def allows_only(policy: dict[str, t.Any], destination: str) -> bool:
    role = ExistingRole(ARN, trust(), (policy,))
    others = [destination.replace(ACCOUNT, "210987654321"), destination.replace(NAME, "other")]
    return role.may_invoke(destination) == YES and all(role.may_invoke(other) == NO for other in others)


def test_other_partitions_have_arns_of_their_own() -> None:
    plan = DESIRED.plan(Region("us-gov-west-1", "aws-us-gov", {}), None)
    assert plan.document is not None
    assert plan.document["arn"].startswith("arn:aws-us-gov:iam::")
    assert plan.document["policy"]["Statement"][0]["Resource"].startswith("arn:aws-us-gov:events:")


def test_role_as_desired_is_unchanged_with_foreign_tags() -> None:
    plan = DESIRED.plan(REGION, AS_DESIRED)
    assert (plan.action, plan.calls) == ("unchanged", ())


@pytest.mark.parametrize(
    ("is_", "operations"),
    [
        ({"trust": trust(Condition={})}, ["update_assume_role_policy"]),
        ({"policies": ()}, ["put_role_policy"]),
        ({"policies": (permission(resource="*"),)}, ["put_role_policy"]),
        ({"description": "other"}, ["update_role"]),
        ({"tags": {"team": "b"}}, ["tag_role"]),
        ({"trust": None, "policies": (), "tags": {}}, ["update_assume_role_policy", "put_role_policy", "tag_role"]),
    ],
)
def test_only_what_differs_is_written(is_: dict[str, t.Any], operations: list[str]) -> None:
    current = dataclasses.replace(AS_DESIRED, **is_)
    plan = DESIRED.plan(REGION, current)
    assert (plan.action, [call.operation for call in plan.calls]) == ("updated", operations)
    assert plan.before != plan.after


def test_boundary_is_put_before_anything_else_of_an_existing_role_is_changed() -> None:
    bare = dataclasses.replace(AS_DESIRED, trust=None, policies=(), description="other", boundary=None)
    bound = dataclasses.replace(DESIRED, boundary="arn:aws:iam::aws:policy/ours")
    assert calls(bound, bare)[0] == "put_role_permissions_boundary"


def test_policy_in_another_order_is_unchanged() -> None:
    other = {"Statement": [dict(reversed(trust()["Statement"][0].items()))], "Version": "2012-10-17"}
    assert calls(DESIRED, dataclasses.replace(AS_DESIRED, trust=other)) == []


def with_statements(*statements: t.Any) -> dict[str, t.Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


OURS = trust()["Statement"][0]
SAME_ACCOUNT = {"aws:SourceAccount": ACCOUNT}
ADMINISTRATORS = {
    "Sid": "theirs",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/admin"},
    "Action": "sts:AssumeRole",
}
NOT_THE_ADMINISTRATORS = {**ADMINISTRATORS, "Effect": "Deny"}
OUTSIDERS = {**ADMINISTRATORS, "Effect": "Deny", "Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}


@pytest.mark.parametrize(
    "existing",
    [
        trust(Sid="EventBridge", Principal={"Service": ["events.amazonaws.com"]}, Action=["sts:AssumeRole"]),
        trust(Condition={"StringEquals": {"aws:SourceAccount": [ACCOUNT]}}),
        trust(Condition={"StringLike": SAME_ACCOUNT}),
        trust(Condition={"StringEquals": SAME_ACCOUNT, "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/{NAME}"}}),
        with_statements(OURS, ADMINISTRATORS),
        with_statements(NOT_THE_ADMINISTRATORS, OURS),
        with_statements(OURS, OUTSIDERS),
        {**with_statements(ADMINISTRATORS, OURS), "Id": "theirs"},
    ],
    ids=str,
)
def test_what_others_add_to_the_trust_policy_and_takes_nothing_away_stays(existing: dict[str, t.Any]) -> None:
    assert calls(DESIRED, dataclasses.replace(AS_DESIRED, trust=existing)) == []


@pytest.mark.parametrize(
    ("existing", "kept"),
    [
        (trust(Condition={}), []),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": [ACCOUNT, "210987654321"]}}), []),
        (trust(Condition={"StringEquals": SAME_ACCOUNT, "ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/another"}}), []),
        (trust(Condition={"StringEquals": {**SAME_ACCOUNT, "aws:PrincipalOrgID": "o-1"}}), []),
        (trust(Principal={"Service": ["events.amazonaws.com", "ec2.amazonaws.com"]}), []),
        (with_statements(ADMINISTRATORS), [ADMINISTRATORS]),
        (with_statements(OURS, {**ADMINISTRATORS, "Principal": {"Service": "ec2.amazonaws.com"}}), []),
        (with_statements(OURS, {**ADMINISTRATORS, "Principal": {"AWS": "*"}}), []),
        (with_statements(OURS, {**NOT_THE_ADMINISTRATORS, "Principal": "*"}, ADMINISTRATORS), [ADMINISTRATORS]),
        (with_statements(OURS, {**OURS, "Effect": "Deny"}), []),
    ],
    ids=str,
)
def test_what_opens_the_role_or_stops_eventbridge_is_removed(existing: dict[str, t.Any], kept: list[t.Any]) -> None:
    (call,) = DESIRED.plan(REGION, dataclasses.replace(AS_DESIRED, trust=existing)).calls
    assert call.operation == "update_assume_role_policy"
    assert json.loads(call.arguments["PolicyDocument"]) == with_statements(OURS, *kept)


def test_a_description_is_written_before_all_else() -> None:
    current = dataclasses.replace(AS_DESIRED, description="theirs", trust=None, policies=())
    assert calls(DESIRED, current) == ["update_role", "update_assume_role_policy", "put_role_policy"]


def test_boundary_is_unchanged_if_none_is_given() -> None:
    bound = dataclasses.replace(AS_DESIRED, boundary="arn:aws:iam::aws:policy/theirs")
    assert calls(DESIRED, bound) == []
    assert calls(dataclasses.replace(DESIRED, boundary="arn:aws:iam::aws:policy/ours"), bound) == ["put_role_permissions_boundary"]


def test_missing_role_is_created_with_its_boundary() -> None:
    (create, _policy) = dataclasses.replace(DESIRED, boundary="arn:b").plan(REGION, None).calls
    assert create.arguments["PermissionsBoundary"] == "arn:b"


def test_foreign_tags_are_removed_only_with_purge_tags() -> None:
    assert calls(dataclasses.replace(DESIRED, purge_tags=True), AS_DESIRED) == ["untag_role"]


# Removing it

UNDESIRED = ExecutionRole(NAME, present=False)


def test_role_is_removed_after_its_policy() -> None:
    assert calls(UNDESIRED, AS_DESIRED) == ["delete_role_policy", "delete_role"]
    assert calls(UNDESIRED, dataclasses.replace(AS_DESIRED, policies=())) == ["delete_role"]
    assert calls(UNDESIRED, None) == []


def test_role_with_foreign_policies_is_kept_with_a_note() -> None:
    plan = UNDESIRED.plan(REGION, dataclasses.replace(AS_DESIRED, others=("ReadOnlyAccess",)))
    assert (plan.action, plan.calls) == ("unchanged", ())
    assert "ReadOnlyAccess" in (plan.note or "")


def test_foreign_policies_are_read_only_for_a_removal() -> None:
    wanting, unwanting = Iam(), Iam()
    DESIRED.read(region_with(wanting))
    found = UNDESIRED.read(region_with(unwanting))
    assert (wanting.asked, unwanting.asked) == ([NAME], [NAME] * 3)
    assert found is not None
    assert found.others == ("one", "two", "arn:managed")


# What is given


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a" * 65, "ä"])
def test_invalid_role_name_is_an_error(name: str) -> None:
    with pytest.raises(ArgumentError, match="cannot be used"):
        ExecutionRole.from_parameters({"role_name": name, "state": "absent"}, t.cast("t.Any", None))


# The path


def test_missing_role_is_created_under_its_path() -> None:
    plan = dataclasses.replace(DESIRED, path="/spot/eu/").plan(REGION, None)
    assert (plan.calls[0].arguments["Path"], "Path" in DESIRED.plan(REGION, None).calls[0].arguments) == ("/spot/eu/", False)
    assert plan.document is not None
    assert plan.document["arn"] == f"arn:aws:iam::{ACCOUNT}:role/spot/eu/{NAME}"


@pytest.mark.parametrize(("path", "noted"), [(None, False), ("/path/", False), ("/spot/", True), ("/", True)])
def test_existing_role_keeps_its_path(path: str | None, noted: bool) -> None:
    plan = dataclasses.replace(DESIRED, path=path).plan(REGION, AS_DESIRED)
    assert (plan.action, plan.note is not None, (plan.document or {})["arn"]) == ("unchanged", noted, ARN)


@pytest.mark.parametrize(("resource", "path"), [("role/a", "/"), ("role/service-role/a", "/service-role/"), ("role/a/b/c", "/a/b/")])
def test_the_path_is_in_the_arn(resource: str, path: str) -> None:
    assert ExistingRole(f"arn:aws:iam::{ACCOUNT}:{resource}", None, ()).path == path


@pytest.mark.parametrize("path", ["spot", "/spot", "spot/", "/a b/", f"/{'a' * 511}/"])
def test_invalid_path_is_an_error(path: str) -> None:
    with pytest.raises(ArgumentError, match="must begin and end with a slash"):
        ExecutionRole(NAME, path=path)
