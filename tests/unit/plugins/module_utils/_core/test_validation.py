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
def test_token_of_1_to_505_visible_characters_is_valid(token: str) -> None:
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
def test_message_of_an_invalid_token_has_the_reason(token: str | None, words: str) -> None:
    assert words in refused(check_token, token)


@pytest.mark.parametrize("wrong", ["\n", " ", ":", "é", "a" * 500])
def test_message_of_an_invalid_token_has_no_token(wrong: str) -> None:
    assert SECRET not in refused(check_token, SECRET + wrong)


# Names


@pytest.mark.parametrize("name", ["a", "spot-interruption-act-d7320fba", "A.b_c-9", "a" * 64])
def test_name_of_1_to_64_characters_is_valid(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "a/b", "ü", "a\n"])
def test_message_of_an_invalid_name_has_the_allowed_form(name: str) -> None:
    assert f"({len(name)} characters) cannot be used: AWS accepts 1 to 64 of letters, digits, '-', '_' and '.'." in refused_name(name)


def refused_name(name: str) -> str:
    with pytest.raises(ArgumentError) as caught:
        check_name(name)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a", "a" * 80, "A-b_9"])
def test_queue_name_of_1_to_80_characters_is_valid(name: str) -> None:
    assert check_name(name, QUEUE_NAME) == name


@pytest.mark.parametrize("name", ["", "a" * 81, "a.b", "a.fifo"])
def test_other_queue_names_are_invalid(name: str) -> None:
    assert "AWS accepts 1 to 80 of letters, digits, '-' and '_'." in refused(check_name, name, QUEUE_NAME)


def test_message_of_an_invalid_name_is_shortened() -> None:
    assert len(refused(check_name, "a" * 100_000)) < 300


# Accounts


def test_spot_account_is_valid() -> None:
    assert check_spot_account("act-d7320fba") == "act-d7320fba"


@pytest.mark.parametrize("account", ["", "d7320fba", "act-D7320FBA", "act-d7320fb", "act-d7320fbaa", "act-d7320fbg", " act-d7320fba"])
def test_message_of_an_invalid_spot_account_has_the_place_to_find_it(account: str) -> None:
    message = refused(check_spot_account, account)
    assert message == (f"'{account}' is not a Spot account id. An id has the form act-d7320fba; the Spot console shows it under Settings.")


def test_spot_account_with_a_line_break_is_invalid() -> None:
    with pytest.raises(ArgumentError):
        check_spot_account("act-d7320fba\n")


def test_aws_account_with_leading_zeros_is_valid() -> None:
    assert check_aws_account("012345678901") == "012345678901"


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "1234-5678-9012", "act-d7320fba", "12345678901\n"])
def test_other_aws_accounts_are_invalid(account: str) -> None:
    with pytest.raises(ArgumentError, match=r"not an AWS account id. Ids are twelve digits; quote them in YAML\."):
        check_aws_account(account)


# Regions


def test_repeated_regions_are_removed_in_order() -> None:
    assert check_regions(["us-west-2", "eu-west-1", " us-west-2 "]) == ["us-west-2", "eu-west-1"]


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-north-1", "mx-central-1", "us-iso-east-1"])
def test_region_name_is_valid(region: str) -> None:
    assert check_regions([region]) == [region]


@pytest.mark.parametrize("region", ["", "us-east", "us-east-1a", "US-EAST-1", "useast1", "us_east_1", "all"])
def test_other_region_names_are_invalid(region: str) -> None:
    assert refused(check_regions, [region]) == f"'{region}' is not the name of an AWS region. A name has the form us-east-1."


def test_message_of_missing_regions_names_the_option() -> None:
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
def test_regions_are_a_list_or_a_text_with_commas(given: t.Any, names: list[str]) -> None:
    assert desired_regions(given) == names


@pytest.mark.parametrize("given", ["", " , ", []])
def test_empty_regions_are_invalid(given: t.Any) -> None:
    assert refused(desired_regions, given).startswith("No region is given: set 'all'")


@pytest.mark.parametrize("given", [None, 1, {"us-east-1": 1}, [1], [["us-east-1"]]])
def test_regions_of_another_type_are_invalid(given: t.Any) -> None:
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
def test_url_with_https_or_on_loopback_is_valid(url: str) -> None:
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
def test_other_urls_are_invalid(url: str) -> None:
    assert refused(check_url, url, "The endpoint") == f"The endpoint '{url}' is not an https:// address. Plain http is for loopback only."
