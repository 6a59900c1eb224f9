# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.accounts import (
    BY_ID,
    BY_NAME,
    as_cached,
    fleet,
    from_cache,
    host_names,
    host_variables,
    parse_filters,
    problem,
    select,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount, SpotError

ORGANIZATION = "606079873399"
PRODUCTION = SpotAccount("act-d7320fba", "production", ORGANIZATION, "123456789012", "AWS", "123456789012")
TWIN = SpotAccount("act-5a9d1c02", "production", ORGANIZATION, "123456789012", None, "123456789012")
STAGING = SpotAccount("act-b1e4f7a3", "Staging EU", ORGANIZATION, "012345678901", "AWS", "012345678901")
AZURE = SpotAccount("act-0a0a0a0a", "azure", ORGANIZATION, None, "AZURE", "5f3b")
EMPTY = SpotAccount("act-00000001", "", "", None)
ALL = [PRODUCTION, TWIN, STAGING, AZURE, EMPTY]


def named(spot_account: str, name: str) -> SpotAccount:
    return SpotAccount(spot_account, name, ORGANIZATION, "123456789012")


# Filters


@pytest.mark.parametrize(
    ("include", "found"),
    [
        (None, ALL),
        ([], ALL),
        ([{"name": "production"}], [PRODUCTION, TWIN]),
        ([{"name": "PROD*"}], [PRODUCTION, TWIN]),
        ([{"name": "staging eu"}], [STAGING]),
        ([{"name": "*"}], [PRODUCTION, TWIN, STAGING, AZURE]),
        ([{"name": "prod"}], []),
        ([{"name": "[ps]*"}], [PRODUCTION, TWIN, STAGING]),
        ([{"name": ["staging*", "az?re"]}], [STAGING, AZURE]),
        ([{"spot_account": "act-d7320fba"}], [PRODUCTION]),
        ([{"spot_account": "act-d7320fba"}, {"name": "azure"}], [PRODUCTION, AZURE]),
        ([{"aws_account": "*"}], [PRODUCTION, TWIN, STAGING]),
        ([{"aws_account": "123456789012"}], [PRODUCTION, TWIN]),
        ([{"aws_account": 123456789012}], [PRODUCTION, TWIN]),
        ([{"aws_account": "012345678901"}], [STAGING]),
        ([{"aws_account": ["0*", "12*"]}], [PRODUCTION, TWIN, STAGING]),
        ([{"cloud_provider": "aws"}], [PRODUCTION, STAGING]),
        ([{"cloud_provider": "azure"}], [AZURE]),
        ([{"provider_account": "5f*"}], [AZURE]),
        ([{"organization": 606079873399}], [PRODUCTION, TWIN, STAGING, AZURE]),
        ([{"name": "production", "spot_account": "act-5*"}], [TWIN]),
        ([{"name": "production", "aws_account": "0*"}], []),
    ],
    ids=str,
)
def test_what_a_filter_includes(include: t.Any, found: list[SpotAccount]) -> None:
    assert select(ALL, parse_filters(include, "include"), []) == found


def test_what_is_excluded_is_out_even_if_it_is_included() -> None:
    include, exclude = (
        parse_filters([{"aws_account": "*"}], "include"),
        parse_filters([{"name": "staging*"}, {"spot_account": TWIN.spot_account}], "exclude"),
    )
    assert select(ALL, include, exclude) == [PRODUCTION]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("prod-*", "'include' must be a list of filters"),
        ({"name": "prod-*"}, "'include' must be a list of filters"),
        (["prod-*"], "'include[0]' must be a dictionary"),
        ([{"name": "x"}, {}], "'include[1]' is empty"),
        ([{"name": None, "aws_account": "*"}], "'include[0].name' must be text"),
        ([{"nmae": "x", "name": "y"}], "'include[0]' has nmae, which no account has. Use spot_account, name,"),
        ([{1: "x"}], "'include[0]' has 1, which"),
        ([{"name": []}], "'include[0].name' has no pattern"),
        ([{"name": " "}], "'include[0].name' has an empty pattern"),
        ([{"name": ["x", None]}], "'include[0].name' must be text"),
        ([{"name": True}], "'include[0].name' must be text"),
        ([{"name": {"x": 1}}], "'include[0].name' must be text"),
        ([{"aws_account": 12345678901}], "'include[0].aws_account' must be text, such as 'prod-*' or '012345678901'. Quote numbers"),
        ([{"aws_account": "12345678901"}], "'include[0].aws_account': '12345678901' is not an AWS account id"),
        ([{"spot_account": "d7320fba"}], "'include[0].spot_account': 'd7320fba' is not a Spot account id"),
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_meant_is_refused(given: t.Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_filters(given, "include")
    assert str(caught.value).startswith(words)


# Hosts


def test_every_account_with_an_aws_account_is_a_host_in_the_order_of_names() -> None:
    found = fleet(ALL, [], [], BY_ID)
    assert list(found.hosts.items()) == [("act-5a9d1c02", TWIN), ("act-b1e4f7a3", STAGING), ("act-d7320fba", PRODUCTION)]


def test_those_left_out_are_counted() -> None:
    found = fleet(ALL, [], parse_filters([{"name": "staging*"}, {"name": "azure"}], "exclude"), BY_ID)
    assert (len(found.hosts), found.listed, found.without_aws, found.filtered) == (2, 5, 2, 1)
    assert found.summary == ("5 accounts of the Spot organisation: 2 hosts, 2 without an AWS account, 1 left out by include and exclude.")


def test_a_host_by_name_keeps_it_whatever_the_filters_leave() -> None:
    assert list(fleet(ALL, parse_filters([{"spot_account": "act-d*"}], "include"), [], BY_NAME).hosts) == ["production-act-d7320fba"]


@pytest.mark.parametrize(
    ("names", "hosts"),
    [
        (["alpha", "beta"], ["alpha", "beta"]),
        (["alpha", "alpha"], ["alpha-act-00000000", "alpha-act-00000001"]),
        (["alpha", "Alpha"], ["alpha-act-00000000", "Alpha-act-00000001"]),
        (["a b", "a:b"], ["a_b-act-00000000", "a_b-act-00000001"]),
        (["Team A: prod, EU!"], ["Team_A_prod_EU"]),
        (["{{ 7 * 7 }}"], ["7_7"]),
        (["Zürich"], ["Zürich"]),
        (["-rf ../x"], ["rf_.._x"]),
        (["", "  ", "***"], ["act-00000000", "act-00000001", "act-00000002"]),
        (["all"], ["all-act-00000000"]),
        (["localhost"], ["localhost-act-00000000"]),
        (["spot_accounts"], ["spot_accounts-act-00000000"]),
        # another's id, or what ends in it
        (["act-00000001", "beta"], ["act-00000001-act-00000000", "beta"]),
        (["act-00000000", "beta"], ["act-00000000", "beta"]),
        (["alpha", "alpha", "alpha-act-00000001"], ["alpha-act-00000000", "alpha-act-00000001", "alpha-act-00000001-act-00000002"]),
    ],
    ids=str,
)
def test_names_make_hosts_that_cannot_be_mistaken(names: list[str], hosts: list[str]) -> None:
    accounts = [named(f"act-{number:08x}", name) for number, name in enumerate(names)]
    assert list(host_names(accounts, BY_NAME).values()) == hosts


def test_the_variables_of_a_host() -> None:
    assert host_variables(TWIN) == {
        "spot_account": "act-5a9d1c02",
        "spot_account_name": "production",
        "spot_organization": ORGANIZATION,
        "spot_cloud_provider": "AWS",
        "aws_account": "123456789012",
    }


# Cache


def test_what_is_cached_comes_back() -> None:
    assert from_cache(as_cached(ALL)) == ALL


@pytest.mark.parametrize("kept", [None, 1, "text", [1], ["text"], [{"spot_account": "act-1"}], [{"unknown": 1}], {}, {"accounts": []}])
def test_what_another_version_cached_is_not_taken(kept: t.Any) -> None:
    assert from_cache(kept) is None


# Problems


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ArgumentError("Wrong.\nVery."), "Wrong. Very."),
        (
            SpotError(401, "Spot responded with 401"),
            "Spot responded with 401. Spot does not know the token: use a valid token of an organisation",
        ),
        (
            SpotError(403, "Spot responded with 403."),
            "Spot responded with 403. Listing accounts needs the token of an organisation administrator.",
        ),
        (SpotError(404, "Spot responded with 404"), "Spot responded with 404. Check the address of the Spot API."),
        (
            SpotError(429, "Spot responded with 429"),
            "Spot responded with 429. Too many requests in this organisation: run again in a minute or later.",
        ),
        (SpotError(503, "Spot responded with 503"), "Spot responded with 503. Run again later."),
        (SpotError(0, "Spot did not answer. Run again later."), "Spot did not answer. Run again later."),
        (ValueError("that\nwas that"), "Unexpected, ValueError: that was that"),
    ],
    ids=str,
)
def test_a_problem_is_one_line_that_says_what_to_do(error: Exception, text: str) -> None:
    assert problem(error).startswith(text)
    assert "\n" not in problem(error)
