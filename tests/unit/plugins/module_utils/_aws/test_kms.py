# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import (
    Key,
    KeyUse,
    check_kms_key,
    connection_use,
    is_same_key,
    queue_use,
    read_key,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

ID = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:kms:eu-west-1:123456789012:key/{ID}"
ALIAS = "arn:aws:kms:eu-west-1:123456789012:alias/spot"
HERE, BOTH = ["eu-west-1"], ["eu-west-1", "us-east-1"]


@pytest.mark.parametrize(
    ("key", "regions"),
    [
        (None, BOTH),
        ("", BOTH),
        ("alias/spot", BOTH),
        ("alias/awsome", BOTH),
        ("mrk-0123456789abcdef0123456789abcdef", BOTH),
        (ID, HERE),
        (ARN, HERE),
        (ALIAS, HERE),
    ],
)
def test_key_that_can_work_is_valid(key: str | None, regions: list[str]) -> None:
    check_kms_key("kms_key", key, regions)


@pytest.mark.parametrize(
    ("key", "regions", "why"),
    [
        ("alias/aws/sqs", HERE, "a key that AWS manages"),
        ("alias/aws/secretsmanager", HERE, "a key that AWS manages"),
        ("arn:aws:kms:eu-west-1:123456789012:alias/aws/sqs", HERE, "a key that AWS manages"),
        ("alias/aws/sqs", [], "a key that AWS manages"),
        (ARN, ["us-east-1"], "for us-east-1: AWS uses a key only in the key's own region"),
        (ARN, [*BOTH, "us-east-2"], "for us-east-1, us-east-2: AWS uses a key only"),
        (ALIAS, BOTH, "for us-east-1: AWS uses a key only"),
        ("arn:aws:kms:eu-west-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef", BOTH, "for us-east-1: AWS uses a key only"),
        (ID, BOTH, "for 2 regions: AWS uses a key only"),
    ],
)
def test_key_that_cannot_work_is_refused_with_the_option_and_the_reason(key: str, regions: list[str], why: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        check_kms_key("kms_key", key, regions)
    assert str(refused.value).startswith(f"kms_key cannot be {key}")
    assert why in str(refused.value)


@pytest.mark.parametrize(("one", "other"), [(ID, ARN), (ARN, ID), ("alias/spot", ALIAS)])
def test_id_or_alias_and_its_arn_are_one_key(one: str, other: str) -> None:
    assert is_same_key(one, other)


@pytest.mark.parametrize(("one", "other"), [(None, ARN), (ID, ALIAS), ("alias/other", ALIAS), ("spot", ALIAS), (ARN, ALIAS)])
def test_other_keys_are_not_one_key(one: str | None, other: str) -> None:
    assert not is_same_key(one, other)


@pytest.mark.parametrize("same", [True, False])
def test_what_an_alias_stands_for_is_known_from_the_arns_that_were_read(same: bool) -> None:
    arns = {"alias/spot": ARN, "1f": ARN if same else "arn:aws:kms:eu-west-1:123456789012:key/2a"}
    assert is_same_key("alias/spot", "1f", arns) == same
    assert is_same_key("alias/spot", arns["1f"], arns) == same
    assert not is_same_key("alias/spot", "1f")


def test_no_key_is_the_same_as_no_other() -> None:
    assert not is_same_key(None, None)
    assert not is_same_key("", "")


# Whether EventBridge can use a key

EU = Region("eu-west-1", "aws", {})
QUEUE, CONNECTION = queue_use(EU, "letters", "warnings"), connection_use(EU, "spot")
FOR_QUEUE = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}
ROOT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
# As the EventBridge user guide recommends for connections.
ONLY_SECRETS = {
    "StringLike": {
        "kms:ViaService": "secretsmanager.*.amazonaws.com",
        "kms:EncryptionContext:SecretARN": ["arn:aws:secretsmanager:*:*:secret:events!connection/*"],
    },
    "StringEquals": {"aws:ResourceTag/EventBridgeApiDestinations": "true"},
}
TAGGED = {"EventBridgeApiDestinations": "true"}


def key(*statements: t.Any, tags: t.Any = None, **metadata: t.Any) -> Key:
    """A key with these statements in its policy, beside that of the account."""
    found = {"Arn": ARN, "KeyState": "Enabled", "KeyManager": "CUSTOMER", "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"}
    return Key(ID, {**found, **metadata}, {"Statement": [ROOT, *statements]}, TAGGED if tags is None else tags)


def conditioned(statement: t.Any, **condition: t.Any) -> t.Any:
    return {**statement, "Condition": condition}


@pytest.mark.parametrize(
    ("use", "found"),
    [
        (QUEUE, key(FOR_QUEUE)),
        (QUEUE, key(conditioned(FOR_QUEUE, StringEquals={"aws:SourceAccount": "123456789012"}))),
        (QUEUE, key(conditioned(FOR_QUEUE, ArnLike={"aws:SourceArn": "arn:aws:events:*:123456789012:rule/warnings"}))),
        (QUEUE, key(FOR_QUEUE, KeyState="Updating")),
        (QUEUE, key(FOR_QUEUE, tags={})),
        (CONNECTION, key()),
        (CONNECTION, key(conditioned({**ROOT, "Effect": "Deny"}, StringEquals={"kms:CallerAccount": "210987654321"}))),
        (CONNECTION, replace(key(), policy={"Statement": [conditioned(ROOT, **ONLY_SECRETS)]})),
        (CONNECTION, replace(key(), policy={"Statement": {**ROOT, "Principal": {"AWS": "123456789012"}}})),
        (CONNECTION, replace(key(), policy={"Statement": conditioned({**ROOT, "Principal": "*"}, **ONLY_SECRETS)})),
    ],
)
def test_a_key_that_eventbridge_can_use_has_neither_faults_nor_doubts(use: KeyUse, found: Key) -> None:
    assert (use.faults(found), use.doubts(found), use.note(found)) == ([], [], None)
    use.refuse(found)


@pytest.mark.parametrize(
    ("use", "found", "why"),
    [
        (QUEUE, key(), "its policy does not let events.amazonaws.com call kms:GenerateDataKey"),
        (QUEUE, key({**FOR_QUEUE, "Action": "kms:GenerateDataKey"}), "call kms:Decrypt"),
        (QUEUE, key(conditioned(FOR_QUEUE, StringEquals={"aws:SourceAccount": "210987654321"})), "call kms:Decrypt"),
        (QUEUE, key(FOR_QUEUE, {**FOR_QUEUE, "Effect": "Deny"}), "call kms:Decrypt"),
        (QUEUE, key(FOR_QUEUE, KeyState="PendingDeletion"), "it is PendingDeletion"),
        (QUEUE, key(FOR_QUEUE, KeyManager="AWS"), "AWS manages it"),
        (QUEUE, key(FOR_QUEUE, KeySpec="RSA_2048"), "not a symmetric encryption key"),
        (QUEUE, key(FOR_QUEUE, KeyUsage="GENERATE_VERIFY_MAC"), "not a symmetric encryption key"),
        (QUEUE, Key("alias/aws/sqs"), "AWS manages it"),
        (QUEUE, Key("arn:aws:kms:eu-west-1:123456789012:alias/aws/sqs"), "AWS manages it"),
        (QUEUE, Key("alias/spot", missing=True), "there is no such key in this region"),
        (CONNECTION, key(tags={}), "it lacks the tag EventBridgeApiDestinations=true"),
        (CONNECTION, key(tags={"EventBridgeApiDestinations": "yes"}), "it lacks the tag"),
        (
            CONNECTION,
            replace(key(), policy={"Statement": [{**ROOT, "Principal": {"AWS": "arn:aws:iam::123456789012:role/x"}}]}),
            "its policy does not let the service-linked role of API destinations call kms:DescribeKey",
        ),
        (CONNECTION, key(conditioned({**ROOT, "Effect": "Deny"}, StringEquals={"kms:CallerAccount": "123456789012"})), "call kms:Decrypt"),
    ],
)
def test_a_key_that_eventbridge_cannot_use_is_refused_with_the_reason(use: KeyUse, found: Key, why: str) -> None:
    assert any(why in fault for fault in use.faults(found))
    with pytest.raises(RegionError, match=f"EventBridge cannot use the KMS key {found.identifier}") as refused:
        use.refuse(found)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("use", "found", "why"),
    [
        (QUEUE, Key(ID, unread=("kms:DescribeKey (AccessDeniedException)",)), "kms:DescribeKey (AccessDeniedException)"),
        (QUEUE, replace(key(), policy=None, unread=("kms:GetKeyPolicy (AccessDeniedException)",)), "kms:GetKeyPolicy"),
        (CONNECTION, replace(key(), tags=None, unread=("kms:ListResourceTags (AccessDeniedException)",)), "kms:ListResourceTags"),
        (QUEUE, key(conditioned(FOR_QUEUE, StringEquals={"aws:PrincipalOrgID": "o-1"})), "only AWS can evaluate"),
        (
            CONNECTION,
            replace(
                key(),
                policy={"Statement": [conditioned(ROOT, StringEquals={"kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:x"})]},
            ),
            "only AWS can evaluate",
        ),
    ],
)
def test_what_cannot_be_known_of_a_key_is_noted_and_never_refused(use: KeyUse, found: Key, why: str) -> None:
    use.refuse(found)
    assert use.faults(found) == []
    assert why in str(use.note(found))


class Kms:
    """KMS with one key; the operations that are refused."""

    def __init__(self, refused: t.Mapping[str, str]) -> None:
        self._refused = refused

    def __getattr__(self, operation: str) -> t.Any:
        def call(**arguments: t.Any) -> t.Any:
            if operation in self._refused:
                raise ClientError({"Error": {"Code": self._refused[operation], "Message": "no"}}, operation)
            assert operation == "describe_key" or arguments["KeyId"] == ARN
            return {
                "describe_key": {"KeyMetadata": {"Arn": ARN}},
                "get_key_policy": {"Policy": json.dumps({"Statement": [ROOT]})},
                "list_resource_tags": {"Tags": [{"TagKey": "EventBridgeApiDestinations", "TagValue": "true"}]},
            }[operation]

        return call


def read(identifier: str, *, tags: bool = True, **refused: str) -> Key:
    return read_key(Region("eu-west-1", "aws", {"kms": Kms(refused)}), identifier, tags=tags)


def test_a_key_is_read_with_policy_and_tags() -> None:
    assert read("alias/spot") == Key("alias/spot", {"Arn": ARN}, {"Statement": [ROOT]}, TAGGED)
    assert read("alias/spot", tags=False).tags is None


def test_a_key_of_aws_is_not_read() -> None:
    assert read_key(Region("eu-west-1", "aws", {}), "alias/aws/sqs") == Key("alias/aws/sqs")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "KMSInternalException"])
def test_a_refused_call_leaves_its_part_unread(code: str) -> None:
    assert read(ID, describe_key=code) == Key(ID, unread=(f"kms:DescribeKey ({code})",))
    assert read(ID, get_key_policy=code) == Key(ID, {"Arn": ARN}, None, TAGGED, unread=(f"kms:GetKeyPolicy ({code})",))
    assert read(ID, list_resource_tags=code).unread == (f"kms:ListResourceTags ({code})",)


def test_a_key_that_does_not_exist_is_missing() -> None:
    assert read(ID, describe_key="NotFoundException") == Key(ID, missing=True)
