# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._execution_role import ExecutionRole, read
from ansible_collections.spot.eventbridge.plugins.module_utils._policy import NO, UNSURE, YES
from ansible_collections.spot.eventbridge.plugins.module_utils._regions import Region

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
def test_whether_eventbridge_may_assume_it(document: t.Any, answer: str) -> None:
    assert ExecutionRole(ARN, document, ()).trusts_eventbridge(ACCOUNT) == answer


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
def test_whether_it_may_call_the_destination(policies: list[t.Any], answer: str) -> None:
    assert ExecutionRole(ARN, trust(), tuple(policies)).may_invoke(DESTINATION) == answer


@pytest.mark.parametrize("order", [1, -1])
def test_what_one_policy_denies_no_other_can_allow(order: int) -> None:
    policies = [permission(), permission(Effect="Deny", Action="*", resource="*")][::order]
    assert ExecutionRole(ARN, trust(), tuple(policies)).may_invoke(DESTINATION) == NO


class Iam:
    """One role with an inline and an attached policy, on pages of their own; or none."""

    def __init__(self, missing: Exception | None = None) -> None:
        self.missing = missing
        self.asked: list[str] = []

    def get_role(self, RoleName: str) -> dict[str, t.Any]:  # noqa: N803
        self.asked.append(RoleName)
        if self.missing:
            raise self.missing
        return {"Role": {"Arn": ARN, "AssumeRolePolicyDocument": trust()}}

    def get_paginator(self, operation: str) -> t.Any:
        pages = {
            "list_role_policies": [{"PolicyNames": ["one"]}, {"PolicyNames": ["two"]}],
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
    role = read(region_with(Iam()), ARN)
    assert role == ExecutionRole(ARN, trust(), tuple(permission(resource=name) for name in ("one", "two", "v2 of arn:managed")))


def test_a_role_is_read_by_its_name_without_its_path() -> None:
    iam = Iam()
    read(region_with(iam), ARN)
    assert set(iam.asked) == {NAME}


def test_a_role_that_is_not_there_is_none(refusal: t.Callable[..., ClientError]) -> None:
    assert read(region_with(Iam(refusal("NoSuchEntity"))), ARN) is None


def test_a_refusal_is_not_taken_for_a_missing_role(refusal: t.Callable[..., ClientError]) -> None:
    with pytest.raises(ClientError):
        read(region_with(Iam(refusal("AccessDenied"))), ARN)
