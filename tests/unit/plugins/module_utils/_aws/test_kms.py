# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import check_kms_key, is_same_key
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
