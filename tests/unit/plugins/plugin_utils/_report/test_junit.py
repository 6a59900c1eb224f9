# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

import pytest

from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import verification_report
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.junit import junit
from tests.tools import report_accounts as accounts

Cases = dict[tuple[str, str], ElementTree.Element]


def parse(found: list[t.Any]) -> ElementTree.Element:
    return ElementTree.fromstring(junit(verification_report(found, accounts.GENERATED, "1.2.3")))


@pytest.fixture(scope="module")
def root() -> ElementTree.Element:
    return parse(accounts.three())


@pytest.fixture(scope="module")
def cases(root: ElementTree.Element) -> Cases:
    return {(case.get("classname", ""), case.get("name", "")): case for case in root.iter("testcase")}


def test_an_account_is_a_suite_and_its_regions_are_cases(root: ElementTree.Element) -> None:
    suites = {suite.get("name"): len(suite.findall("testcase")) for suite in root}
    # One more case is for the account as a whole.
    assert suites == {"act-5eed0bad": 1, "act-d7320fba": 31, "act-0badcafe": 4}


def test_suites_and_the_whole_are_counted(root: ElementTree.Element) -> None:
    counted = ("tests", "failures", "errors", "skipped")
    assert [[suite.get(name) for name in counted] for suite in root] == [["1", "0", "1", "0"], ["31", "7", "0", "5"], ["4", "1", "0", "0"]]
    assert [root.get(name) for name in counted] == ["36", "8", "1", "5"]


def test_a_suite_says_when_without_a_zone(root: ElementTree.Element) -> None:
    assert {suite.get("timestamp") for suite in root} == {"2026-01-02T03:04:05"}


def test_an_active_region_passes(cases: Cases) -> None:
    assert list(cases["act-d7320fba", "eu-west-2"]) == []


@pytest.mark.parametrize(
    ("region", "status"),
    [
        ("us-east-1", "inactive"),
        ("us-west-1", "failing"),
        ("eu-central-1", "incomplete"),
        ("ap-south-1", "drifted"),
        ("sa-east-1", "absent"),
        ("me-south-1", "unknown"),
    ],
)
def test_a_region_that_is_not_active_fails(cases: Cases, region: str, status: str) -> None:
    (failure,) = cases["act-d7320fba", region]
    assert (failure.tag, failure.get("type")) == ("failure", status)
    assert str(failure.get("message")).startswith(f"{status}: ")


def test_a_failure_has_the_findings_that_are_no_pass_and_their_remedies(cases: Cases) -> None:
    (failure,) = cases["act-d7320fba", "us-east-1"]
    assert str(failure.text).splitlines()[:3] == [
        "fail: connection_state: The connection is DEAUTHORIZED: HTTP 401 from the endpoint. "
        "AWS drops every notice until it is authorised again.",
        "  -> Run the playbook spot.eventbridge.repair.",
        "fail: api_destination_state: The API destination is INACTIVE, expected ACTIVE.",
    ]
    assert "pass: " not in str(failure.text)


def test_a_region_without_api_destinations_is_skipped(cases: Cases) -> None:
    assert [child.tag for child in cases["act-d7320fba", "ca-west-1"]] == ["skipped"]


def test_a_region_that_the_organisation_denies_is_skipped_and_says_so(cases: Cases) -> None:
    (skipped,) = cases["act-d7320fba", "ap-northeast-3"]
    assert (skipped.tag, skipped.get("message")) == ("skipped", "The organisation denies this region by a service control policy.")


def test_an_account_that_could_not_be_verified_is_an_error(cases: Cases) -> None:
    (error,) = cases["act-5eed0bad", "account"]
    assert error.tag == "error"
    assert "ExpiredToken" in str(error.get("message"))
    assert "ExpiredToken" in str(error.text)


def test_a_check_of_the_account_that_fails_is_a_failure(cases: Cases) -> None:
    (failure,) = cases["act-0badcafe", "account"]
    assert (failure.tag, failure.get("message")) == ("failure", "spot_token")
    assert "Spot refuses the token" in str(failure.text)


def test_warnings_do_not_fail_but_are_told(cases: Cases) -> None:
    (output,) = cases["act-0badcafe", "us-west-2"]
    assert output.tag == "system-out"
    assert str(output.text).startswith("warn: double_delivery: ")


@pytest.mark.parametrize("sign", [chr(code) for code in (*range(32), 0x7F, 0x85, 0xD800, 0xFFFE, 0xFFFF)])
def test_it_is_well_formed_whatever_is_said(sign: str) -> None:
    text = f"]]>{sign}<![CDATA[&{accounts.HOSTILE}"
    region = {"status": "inactive", "findings": [accounts.finding("check", "fail", text, text)]}
    noted = {"status": "active", "findings": [accounts.finding("check", "warn", text, text)]}
    root = parse([{"host": f"one{text}", "regions": {f"a{text}": region, "b": noted}}, {"host": "two", "error": text}])
    assert root.get("tests") == "4"


def test_an_account_of_which_nothing_is_known_fails() -> None:
    (suite,) = parse([{"host": "one"}])
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_no_accounts_are_no_suites() -> None:
    assert len(parse([])) == 0
