# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as text. How it looks and behaves is tested in a browser, in tests/integration/report."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
import zlib
from html.parser import HTMLParser

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, OUTCOMES
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import STATUSES
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import verification_report
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.page import MEANINGS, OUTCOME_SYMBOLS, SYMBOLS, page
from tests.tools import report_accounts as accounts


class Elements(HTMLParser):
    """All elements of a page with their attributes and, for the last of each tag, the text in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.text[tag] = ""

    def handle_data(self, data: str) -> None:
        if self.found:
            self.text[self.found[-1][0]] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def title(*found: t.Any) -> str:
    return Elements(accounts.html(list(found))).text["title"].strip()


@pytest.fixture(scope="module")
def html() -> str:
    return accounts.html(accounts.three())


@pytest.fixture(scope="module")
def elements(html: str) -> Elements:
    return Elements(html)


def test_every_status_and_outcome_has_a_sign_and_a_meaning() -> None:
    assert tuple(SYMBOLS) == tuple(MEANINGS) == STATUSES
    assert tuple(OUTCOME_SYMBOLS) == OUTCOMES
    assert len(set(SYMBOLS.values())) == len(STATUSES)


def test_it_is_one_file_that_names_no_other(elements: Elements) -> None:
    addresses = [
        value for dummy, attributes in elements.found for name, value in attributes.items() if name in ("src", "href", "action", "data")
    ]
    assert [address for address in addresses if not str(address).startswith(("#", "data:"))] == []


def test_its_policy_allows_its_own_style_and_script_and_nothing_else(html: str, elements: Elements) -> None:
    (policy,) = [str(meta["content"]) for meta in elements.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (source,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def test_nothing_needs_a_style_or_a_handler_that_the_policy_forbids(elements: Elements) -> None:
    names = {name for dummy, attributes in elements.found for name in attributes}
    assert {name for name in names if name == "style" or name.startswith("on")} == set()


def test_the_script_never_takes_text_for_markup() -> None:
    script = (accounts.FILES / "report.js").read_text(encoding="utf-8")
    code = re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|DOMParser", code) == []


def test_the_matrix_has_a_row_for_each_account_and_a_column_for_each_region(elements: Elements) -> None:
    assert [row.get("data-host") for row in elements.of("tr") if "data-host" in row] == ["act-5eed0bad", "act-d7320fba", "act-0badcafe"]
    assert [column["data-region"] for column in elements.of("th") if "data-region" in column] == accounts.REGIONS
    assert len(elements.of("td")) == 1 + 30 + 30


def test_headings_have_a_scope(elements: Elements) -> None:
    assert {heading.get("scope") for heading in elements.of("th")} == {"row", "col", "colgroup"}


def test_what_a_panel_shows_is_packed_in(html: str) -> None:
    (text,) = re.findall('<script type="application/json" id="details">(.*?)</script>', html)
    book = json.loads(text)
    unpacked = {host: json.loads(zlib.decompress(base64.b64decode(packed))) for host, packed in book["accounts"].items()}
    assert list(unpacked.values()) == accounts.report(accounts.three())["accounts"]


@pytest.mark.parametrize(
    "place", ["host", "spot_account", "aws_account", "error", "region", "check", "message", "remedy", "generated", "version"]
)
def test_markup_stays_text_wherever_it_is(place: str) -> None:
    hostile = {place: accounts.HOSTILE}
    finding = accounts.finding(hostile.get("check", "c"), FAIL, hostile.get("message", "m"), hostile.get("remedy", "r"))
    one = {
        "host": hostile.get("host", "one"),
        "spot_account": hostile.get("spot_account"),
        "aws_account": hostile.get("aws_account"),
        "error": hostile.get("error"),
        "checks": [finding],
        "regions": {hostile.get("region", "us-east-1"): {"status": "inactive", "findings": [finding]}},
    }
    report = verification_report([one], hostile.get("generated", accounts.GENERATED), hostile.get("version"))
    text = page(report)
    found = Elements(text)
    assert found.of("img") == []
    assert len(found.of("script")) == 2
    assert [attributes for dummy, attributes in found.found if any(name.startswith("on") for name in attributes)] == []
    assert "\x00" not in text
    assert "\x1b" not in text


def test_dollars_in_messages_are_dollars() -> None:
    assert "costs $title $$ ${x}" in accounts.html([{"host": "one", "error": "costs $title $$ ${x}"}])


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ([], "Nothing was verified"),
        ([{"host": "one", "regions": {"a": {"status": "active"}}}], "1 region is active"),
        (
            [{"host": "one", "regions": {"a": {"status": "active"}, "b": {"status": "active"}, "c": {"status": "unsupported"}}}],
            "All 2 regions are active",
        ),
        ([{"host": "one", "regions": {"a": {"status": "active"}, "b": {"status": "absent"}}}], "1 of 2 regions is not active"),
        ([{"host": "one", "regions": {"a": {"status": "drifted"}, "b": {"status": "absent"}}}], "2 of 2 regions are not active"),
        ([{"host": "one", "error": "x"}, {"host": "two", "error": "x"}], "2 accounts could not be verified"),
        ([{"host": "one"}], "No region was verified"),
        (
            [{"host": "one", "checks": [accounts.finding("c", FAIL, "m")], "regions": {"a": {"status": "active"}}}],
            "1 account fails a check",
        ),
    ],
)
def test_its_title_is_the_verdict(found: list[t.Any], text: str) -> None:
    assert title(*found) == text


def test_the_list_leaves_out_what_works_and_what_cannot(elements: Elements) -> None:
    listed = [str(article["id"]) for article in elements.of("article") if "id" in article]
    assert [name.split("/")[1] for name in listed] == [
        *("me-south-1", "eu-west-1", "us-east-1", "us-west-1", "eu-central-1", "sa-east-1", "ap-south-1"),
        # It works, but has a warning.
        "us-west-2",
    ]
