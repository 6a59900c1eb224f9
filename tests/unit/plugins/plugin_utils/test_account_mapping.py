# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account_mapping import mapping


def host(aws_account: t.Any, spot_account: str | None, name: str = "production") -> dict[str, t.Any]:
    given = {"aws_account": aws_account, "spot_account": spot_account, "inventory_hostname": name}
    return {key: value for key, value in given.items() if value is not None}


def test_each_aws_account_has_the_spot_account_of_its_host() -> None:
    hosts = [host("111111111111", "act-aaaaaaaa"), host(222222222222, "act-bbbbbbbb")]
    assert mapping(hosts) == {"111111111111": "act-aaaaaaaa", "222222222222": "act-bbbbbbbb"}


def test_a_host_may_be_called_like_its_spot_account() -> None:
    assert mapping([host("111111111111", None, "act-aaaaaaaa")]) == {"111111111111": "act-aaaaaaaa"}


def test_the_same_account_twice_is_one() -> None:
    assert mapping([host("111111111111", "act-aaaaaaaa")] * 2) == {"111111111111": "act-aaaaaaaa"}


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ([host(None, "act-aaaaaaaa")], "production has no variable aws_account"),
        ([host("12345", "act-aaaaaaaa")], "production: '12345' is not an AWS account id"),
        ([host("111111111111", None)], "production: 'production' is not a Spot account id"),
        (
            [host("111111111111", "act-aaaaaaaa"), host("111111111111", "act-bbbbbbbb")],
            "The AWS account 111111111111 has two Spot accounts, act-aaaaaaaa and act-bbbbbbbb",
        ),
    ],
)
def test_what_cannot_be_right_is_named(hosts: list[dict[str, t.Any]], words: str) -> None:
    with pytest.raises(ArgumentError) as told:
        mapping(hosts)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
