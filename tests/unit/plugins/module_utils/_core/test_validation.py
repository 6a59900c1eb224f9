# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    ArgumentError,
    check_aws_account,
    check_name,
    check_regions,
    check_spot_account,
    check_token,
    check_url,
    desired_regions,
)

SECRET = "0123456789abcdefSECRET"


def refused(check: t.Callable[..., t.Any], *arguments: t.Any) -> str:
    """The message with which a check refuses; fails if it does not."""
    with pytest.raises(ArgumentError) as caught:
        check(*arguments)
    message = str(caught.value)
    assert message.count("\n") == 0
    return message


# Token


@pytest.mark.parametrize("token", ["a", SECRET, "a" * 505, "with-._~+/=!signs"])
def test_a_token_of_1_to_505_visible_characters_is_taken(token: str) -> None:
    assert check_token(token) == token


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "There is no Spot token: set SPOTINST_TOKEN"),
        ("", "There is no Spot token: set SPOTINST_TOKEN"),
        (SECRET + "a" * (506 - len(SECRET)), "has 506 characters; AWS can send at most 505"),
        (SECRET + "\n", "contains a line break"),
        (SECRET + "\r\n" + SECRET, "contains a line break"),
        (SECRET + " ", "contains white space"),
        ("Bearer " + SECRET, "contains white space"),
        (SECRET + "\t", "contains white space"),
        (SECRET + "\u00a0", "contains white space"),
        (SECRET + ":", "contains a colon"),
        (SECRET + "é", "contains a character outside of ASCII"),
        (SECRET + "\x00", "contains a character outside of ASCII"),
        (SECRET + "\x7f", "contains a character outside of ASCII"),
    ],
)
def test_another_token_is_refused_with_what_is_wrong_with_it(token: str | None, words: str) -> None:
    assert words in refused(check_token, token)


@pytest.mark.parametrize("wrong", ["\n", " ", ":", "é", "a" * 500])
def test_a_refused_token_is_not_shown(wrong: str) -> None:
    assert SECRET not in refused(check_token, SECRET + wrong)


# Names


@pytest.mark.parametrize("name", ["a", "spot-interruption-act-d7320fba", "A.b_c-9", "a" * 64])
def test_a_name_of_1_to_64_characters_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "a/b", "ü", "a\n"])
def test_another_name_is_refused_with_what_aws_takes(name: str) -> None:
    assert f"({len(name)} characters) cannot be used: AWS takes 1 to 64 of letters, digits, '-', '_' and '.'." in refused_name(name)


def refused_name(name: str) -> str:
    with pytest.raises(ArgumentError) as caught:
        check_name(name)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a", "a" * 80, "A-b_9"])
def test_a_queues_name_of_1_to_80_characters_is_taken(name: str) -> None:
    assert check_name(name, QUEUE_NAME) == name


@pytest.mark.parametrize("name", ["", "a" * 81, "a.b", "a.fifo"])
def test_another_queues_name_is_refused(name: str) -> None:
    assert "AWS takes 1 to 80 of letters, digits, '-' and '_'." in refused(check_name, name, QUEUE_NAME)


def test_an_endless_name_is_cut_in_the_message() -> None:
    assert len(refused(check_name, "a" * 100_000)) < 300


# Accounts


def test_a_spot_account_is_taken() -> None:
    assert check_spot_account("act-d7320fba") == "act-d7320fba"


@pytest.mark.parametrize("account", ["", "d7320fba", "act-D7320FBA", "act-d7320fb", "act-d7320fbaa", "act-d7320fbg", " act-d7320fba"])
def test_another_form_of_spot_account_is_refused_with_where_to_look(account: str) -> None:
    message = refused(check_spot_account, account)
    assert message == (f"'{account}' is not a Spot account id. Ids look like act-d7320fba; the Spot console shows them under Settings.")


def test_a_line_break_behind_a_spot_account_is_refused() -> None:
    with pytest.raises(ArgumentError):
        check_spot_account("act-d7320fba\n")


def test_an_aws_account_is_taken_leading_zeros_included() -> None:
    assert check_aws_account("012345678901") == "012345678901"


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "1234-5678-9012", "act-d7320fba", "12345678901\n"])
def test_another_form_of_aws_account_is_refused(account: str) -> None:
    with pytest.raises(ArgumentError, match=r"not an AWS account id. Ids are twelve digits; quote them in YAML\."):
        check_aws_account(account)


# Regions


def test_a_region_given_twice_is_done_once_in_the_order_given() -> None:
    assert check_regions(["us-west-2", "eu-west-1", " us-west-2 "]) == ["us-west-2", "eu-west-1"]


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-north-1", "mx-central-1", "us-iso-east-1"])
def test_the_names_of_regions_are_taken(region: str) -> None:
    assert check_regions([region]) == [region]


@pytest.mark.parametrize("region", ["", "us-east", "us-east-1a", "US-EAST-1", "useast1", "us_east_1", "all"])
def test_what_is_no_regions_name_is_refused(region: str) -> None:
    assert refused(check_regions, [region]) == f"'{region}' is not the name of an AWS region. Names look like us-east-1."


def test_no_region_is_refused_with_what_to_set() -> None:
    assert refused(check_regions, []) == "No region is given: set 'regions', 'region' or AWS_REGION."


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("all", ["all"]),
        ("us-east-1", ["us-east-1"]),
        ("us-east-1, eu-west-1,us-east-1,", ["us-east-1", "eu-west-1"]),
        (["us-east-1", " us-east-1"], ["us-east-1"]),
    ],
)
def test_regions_may_be_a_list_or_a_text_with_commas(given: t.Any, names: list[str]) -> None:
    assert desired_regions(given) == names


@pytest.mark.parametrize("given", ["", " , ", []])
def test_regions_that_are_none_are_refused(given: t.Any) -> None:
    assert refused(desired_regions, given).startswith("No region is given: say 'all'")


@pytest.mark.parametrize("given", [None, 1, {"us-east-1": 1}, [1], [["us-east-1"]]])
def test_regions_of_another_kind_are_refused(given: t.Any) -> None:
    assert refused(desired_regions, given).startswith("The regions must be 'all', a list of names")


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://api.spotinst.io",
        "https://api.spotinst.io:8443/aws/ec2",
        "http://127.0.0.1:8080/x",
        "http://127.9.9.9",
        "http://localhost:1",
        "http://[::1]:1/",
    ],
)
def test_https_is_taken_and_http_on_this_machine(url: str) -> None:
    assert check_url(url, "The endpoint") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.spotinst.io",
        "http://api.spotinst.io",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://example.com/127.0.0.1",
        "http://127.0.0.1@example.com/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "https://host:port/",
        "https://[::1/",
    ],
)
def test_another_address_is_refused(url: str) -> None:
    assert refused(check_url, url, "The endpoint") == f"The endpoint '{url}' is not an https:// address. Plain http is for loopback only."
