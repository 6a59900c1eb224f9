# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""report.html in a real browser."""

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.page import SYMBOLS
from tests.integration.report.browser import TELEPHONE, Browser
from tests.tools.report_accounts import REGIONS

ENTER, ESCAPE, UP, DOWN, LEFT, RIGHT, HOME, END, PAGE_DOWN = (
    *("\ue007", "\ue00c", "\ue013", "\ue015", "\ue012", "\ue014", "\ue011", "\ue010", "\ue00f"),
)

# Of act-d7320fba, in the order of the statuses.
ONE_OF_EACH = (
    "me-south-1",
    "us-east-1",
    "us-west-1",
    "eu-central-1",
    "sa-east-1",
    "ap-south-1",
    "ap-northeast-3",
    "ca-west-1",
    "eu-west-2",
)

# The lowest contrast of any visible text with what is behind it, by WCAG 2's formula, and where it is.
LOWEST_CONTRAST = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function rgba(color) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}
const luminance = (color) => rgba(color).slice(0, 3)
  .map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (rgba(color)[3] === 255) return color;
  }
  return "white";
}
const seen = [...document.body.querySelectorAll("*")].filter((element) => element.checkVisibility({ visibilityProperty: true })
  && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) && !element.closest("script"));
const found = seen.map((element) => {
  const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
  return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), element.className, element.textContent.slice(0, 40)];
});
return [found.length, found.reduce((lowest, entry) => (entry[0] < lowest[0] ? entry : lowest))];
"""


def test_it_makes_no_request_and_breaks_no_rule_of_its_own(browser: Browser) -> None:
    browser.open("three", "#act-0badcafe/us-west-2")
    assert browser.js("return performance.getEntriesByType('resource').length") == 0
    assert [url for url in browser.requests() if not url.startswith(("file:", "about:", "data:"))] == []
    assert browser.log() == []


def test_messages_are_text(browser: Browser) -> None:
    browser.open("three", "#act-0badcafe/us-west-2")
    browser.find("button[data-view=list]").click()
    assert "fails a check" in browser.driver.title
    assert browser.all("img") == []
    assert len(browser.all("script")) == 2
    assert "<img src=x onerror=" in browser.find("#panel .findings").text
    assert "<img src=x onerror=" in browser.find("#panel .letters").text
    assert "<img src=x onerror=" in browser.find(".list").text


def test_a_script_that_got_in_all_the_same_would_not_run(browser: Browser) -> None:
    browser.open("three")
    browser.js("const script = document.createElement('script'); script.textContent = 'document.title = 1'; document.body.append(script)")
    assert browser.driver.title != "1"
    assert "Content Security Policy" in "".join(browser.log())


def test_a_cell_shows_its_status_by_a_sign_and_says_it_in_words(browser: Browser) -> None:
    browser.open("three")
    cells = [browser.cell(f"act-d7320fba {region}") for region in ONE_OF_EACH]
    assert [cell.get_attribute("aria-label").split(": ")[1] for cell in cells] == list(SYMBOLS)
    assert [cell.text for cell in cells] == list(SYMBOLS.values())
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)


def test_a_screen_reader_finds_a_grid_with_headings(browser: Browser) -> None:
    browser.open("three")
    root = browser.cdp("DOM.getDocument")["root"]["nodeId"]

    def names(role: str) -> list[str]:
        nodes = browser.cdp("Accessibility.queryAXTree", nodeId=root, role=role)["nodes"]
        return [node["name"]["value"] for node in nodes if not node["ignored"]]

    assert names("grid") == ["Status of each account in each region"]
    assert set(REGIONS) <= set(names("columnheader"))
    assert "act-d7320fba us-east-1: inactive" in names("gridcell")
    assert "act-0badcafe us-west-2: active, 1 warning" in names("gridcell")
    assert [name.split()[0] for name in names("rowheader")] == ["act-5eed0bad", "act-d7320fba", "act-0badcafe"]


def test_a_click_opens_what_is_behind_a_cell(browser: Browser) -> None:
    browser.open("three")
    browser.cell("act-d7320fba us-east-1").click()
    text = browser.panel("us-east-1").text
    assert "inactive" in text
    assert "The connection is DEAUTHORIZED: HTTP 401 from the endpoint." in text
    assert "Remedy: Run the playbook spot.eventbridge.repair." in text
    assert "18 checks passed" in text
    assert "12 dead letters, the latest 2:" in text
    assert "401 Unauthorized from api.spotinst.io" in text
    assert "spot-interruption-act-d7320fba · DEAUTHORIZED" in text
    assert browser.focus() == "us-east-1"


def test_findings_that_are_no_pass_come_first_and_worst_first(browser: Browser) -> None:
    browser.open("three", "#act-d7320fba/us-east-1")
    outcomes = browser.js("return [...document.querySelectorAll('#panel .outcome')].map((sign) => sign.getAttribute('aria-label'))")
    assert outcomes == ["fail", "fail", "warn", "skip", *["pass"] * 18]


def test_no_data_is_told_as_no_data(browser: Browser) -> None:
    browser.open("three", "#act-d7320fba/eu-central-1")
    assert browser.find("#panel dl").text.count("no data") == 6
    assert "No data proves nothing" in browser.find("#panel").text


def test_what_was_not_read_is_told(browser: Browser) -> None:
    browser.open("three", "#act-d7320fba/me-south-1")
    text = browser.find("#panel").text
    assert "The figures were not read: AccessDenied: GetMetricData" in text
    assert "Dead letters were not read: AccessDenied: ReceiveMessage" in text


def test_findings_of_the_account_stand_with_each_of_its_regions(browser: Browser) -> None:
    browser.open("three", "#act-0badcafe/us-east-1")
    assert "Spot refuses the token: 401 Unauthorized." in browser.find("#panel").text


def test_an_account_opens_with_its_regions_worst_first(browser: Browser) -> None:
    browser.open("three")
    browser.find('#matrix tr[data-host="act-d7320fba"] th').click()
    browser.panel("act-d7320fba")
    labels = [link.get_attribute("aria-label") for link in browser.all("#panel .regions a")]
    statuses = [label.split(": ")[1] for label in labels]
    assert len(labels) == len(REGIONS)
    assert statuses == sorted(statuses, key=list(SYMBOLS).index)
    browser.find('#panel .regions a[href$="/us-east-1"]').click()
    browser.panel("us-east-1")


def test_an_account_that_could_not_be_verified_says_why(browser: Browser) -> None:
    browser.open("three")
    cell = browser.find("#matrix td.unverified")
    assert "ExpiredToken" in cell.text
    cell.click()
    assert "ExpiredToken" in browser.panel("act-5eed0bad").text


def test_escape_closes_and_gives_the_focus_back(browser: Browser) -> None:
    browser.open("three")
    browser.cell("act-d7320fba us-east-1").click()
    browser.panel("us-east-1")
    browser.keys(ESCAPE)
    browser.wait("return !document.querySelector('#panel[open]') && document.activeElement.closest('#matrix')")
    assert browser.focus() == "act-d7320fba us-east-1: inactive"
    assert "#" not in browser.driver.current_url


def test_it_is_usable_by_keyboard_alone(browser: Browser) -> None:
    browser.open("three")
    browser.js("document.querySelector('#matrix [tabindex=\"0\"]').focus()")
    assert browser.focus().startswith("act-5eed0bad: not verified")
    browser.keys(DOWN, RIGHT)
    assert browser.focus() == "act-d7320fba ap-east-1: active"
    browser.keys(END)
    assert browser.focus() == "act-d7320fba us-west-2: active"
    browser.keys(DOWN)
    assert browser.focus() == "act-0badcafe us-west-2: active, 1 warning"
    browser.keys(ENTER)
    browser.panel("us-west-2")
    browser.keys(ESCAPE)
    browser.wait("return !document.querySelector('#panel[open]') && document.activeElement.closest('#matrix')")
    browser.keys(LEFT)
    assert browser.focus() == "act-0badcafe us-west-1: not verified"
    browser.keys(HOME, UP)
    assert browser.focus().startswith("act-d7320fba")
    browser.keys(ENTER)
    browser.panel("act-d7320fba")


def test_the_tab_key_stops_once_in_the_matrix(browser: Browser) -> None:
    browser.open("many")
    assert len(browser.all('#matrix [tabindex="0"]')) == 1
    assert browser.js("return [...document.querySelectorAll('#matrix a')].every((link) => link.tabIndex === -1)")


def test_an_address_leads_to_a_cell_and_back_closes_it(browser: Browser) -> None:
    browser.open("many")
    cell = browser.all("#matrix td.inactive")[-1]
    cell.click()
    address = browser.wait("return location.hash && document.querySelector('#panel[open]') ? location.hash : ''")
    host, region = address[1:].split("/")
    assert cell.get_attribute("aria-label") == f"{host} {region}: inactive"
    browser.driver.back()
    browser.wait("return !document.querySelector('#panel[open]')")
    browser.open("many", address)
    shown = browser.find("#matrix [aria-selected]")
    assert shown.get_attribute("aria-label") == f"{host} {region}: inactive"
    assert browser.js("const box = arguments[0].getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight", shown)
    assert browser.find("#panel h2").text == region


@pytest.mark.parametrize("fragment", ["#act-00000000/us-east-1", "#act-d7320fba/xx-west-9", "#%", "#"])
def test_an_address_that_leads_nowhere_opens_nothing(browser: Browser, fragment: str) -> None:
    browser.open("three")
    browser.js("location.hash = arguments[0]", fragment)
    assert browser.js("return new Promise((done) => setTimeout(() => done(document.querySelector('#panel').open), 100))") is False
    assert browser.log() == []


def test_a_status_filters_and_is_told_to_those_who_do_not_see(browser: Browser) -> None:
    browser.open("many")
    total = len(browser.all("#matrix tbody tr"))
    chip = browser.find(".chip.inactive")
    number = int(chip.find_element("css selector", "b").text)
    chip.click()
    shown = browser.js("return [...document.querySelectorAll('#matrix tbody tr')].filter((row) => !row.hidden).length")
    assert 0 < shown < total
    assert chip.get_attribute("aria-pressed") == "true"
    assert browser.js("return document.querySelectorAll('#matrix tr:not([hidden]) td:not(.out)').length") == number
    output = browser.find("output")
    assert output.text == f"{shown} accounts of {total}, {number} regions"
    assert output.get_attribute("aria-live") == "polite"
    browser.find(".chip.absent").click()
    assert len(browser.all("#matrix tr:not([hidden]) td:not(.out)")) == number + int(browser.find(".chip.absent b").text)
    chip.click()
    browser.find(".chip.absent").click()
    assert browser.find("output").text == "200 accounts, 6,000 regions"


@pytest.mark.parametrize(
    ("kind", "host"),
    [("unverified", "act-5eed0bad"), ("noted", "act-0badcafe"), ("drifted", "act-d7320fba"), ("unsupported", "act-d7320fba")],
)
def test_each_filter_finds_its_account(browser: Browser, kind: str, host: str) -> None:
    browser.open("three")
    browser.find(f".chip[data-show={kind}]").click()
    assert [row.get_attribute("data-host") for row in browser.all("#matrix tbody tr:not([hidden])")] == [host]


@pytest.mark.parametrize("text", ["ACT-D7320", " 123456789012 "])
def test_accounts_are_found_by_name_and_aws_account(browser: Browser, text: str) -> None:
    browser.open("three")
    browser.find("#search").send_keys(text)
    browser.wait("return document.querySelector('output').textContent.startsWith('1 account of 3')")
    assert [row.get_attribute("data-host") for row in browser.all("#matrix tbody tr:not([hidden])")] == ["act-d7320fba"]


def test_arrows_pass_over_what_is_filtered_out(browser: Browser) -> None:
    browser.open("three")
    browser.find("#search").send_keys("act-")
    browser.find(".chip.active").click()
    browser.js("document.querySelector('#matrix [tabindex=\"0\"]').focus()")
    assert browser.focus() == "act-d7320fba af-south-1: active"
    browser.keys(UP)
    assert browser.focus() == "act-d7320fba af-south-1: active"
    browser.keys(PAGE_DOWN)
    assert browser.focus() == "act-0badcafe af-south-1: not verified"


def test_the_list_tells_what_is_not_active_and_is_filtered_too(browser: Browser) -> None:
    browser.open("three")
    browser.find("button[data-view=list]").click()
    assert not browser.find("#matrix").is_displayed()
    assert len([article for article in browser.all(".list article") if article.is_displayed()]) == 9
    browser.find(".chip.absent").click()
    (left,) = [article for article in browser.all(".list article") if article.is_displayed()]
    assert left.text.split()[0] == "sa-east-1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(browser: Browser, scheme: str) -> None:
    browser.emulate(scheme)
    for fragment in ("#act-d7320fba/us-east-1", "#act-0badcafe/us-west-2", "#act-5eed0bad"):
        browser.open("three", fragment)
        browser.js("for (const part of document.querySelectorAll('#panel details')) part.open = true")
        for view in ("matrix", "list"):
            browser.find(f"button[data-view={view}]").click()
            number, (ratio, *where) = browser.js(LOWEST_CONTRAST)
            assert number > 60
            assert ratio >= 4.5, where


def test_dark_is_dark(browser: Browser) -> None:
    browser.emulate("dark")
    browser.open("three")
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 24)"


def test_headings_stay_while_the_matrix_scrolls(browser: Browser) -> None:
    browser.size((900, 700))
    browser.open("many")
    places = (
        "return ['.corner', 'thead th[data-region]', 'tbody th']"
        ".map((one) => document.querySelector(`#matrix ${one}`).getBoundingClientRect())"
    )
    corner, column, row = browser.js(places)
    browser.js("document.querySelector('main').scrollTo(200, 1000)")
    corner_then, column_then, row_then = browser.js(places)
    assert (corner_then["x"], corner_then["y"]) == (corner["x"], corner["y"])
    assert column_then["y"] == column["y"]
    assert row_then["x"] == row["x"]
    assert row_then["y"] == row["y"] - 1000


@pytest.mark.parametrize("page", ["three", "many", "none"])
def test_a_telephone_needs_no_scrolling_sideways(browser: Browser, page: str) -> None:
    browser.size(TELEPHONE)
    browser.open(page)
    assert browser.find(".list").get_attribute("hidden") is None
    for view in ("list", "matrix"):
        browser.find(f"button[data-view={view}]").click()
        assert browser.js("return document.documentElement.scrollWidth") <= TELEPHONE[0]


def test_a_telephone_begins_with_the_list_and_a_panel_fills_it(browser: Browser) -> None:
    browser.size(TELEPHONE)
    browser.open("three")
    assert not browser.find("#matrix").is_displayed()
    browser.find('.list a[href="#act-d7320fba/us-east-1"]').click()
    panel = browser.panel("us-east-1")
    assert (panel.rect["width"], panel.rect["height"]) == TELEPHONE
    assert browser.js("return document.querySelector('#panel').scrollWidth") <= TELEPHONE[0]
    browser.find('#panel button[aria-label="Close"]').click()
    assert browser.all("#panel[open]") == []
    assert browser.focus() == "us-east-1"


def test_paper_has_the_matrix_and_all_findings_and_no_buttons_to_press(browser: Browser) -> None:
    browser.open("three", "#act-d7320fba/us-east-1")
    browser.emulate("dark", "print")
    assert browser.find("#matrix").is_displayed()
    text = browser.find(".list").text
    assert "The connection is DEAUTHORIZED" in text
    assert "Run the playbook spot.eventbridge.onboard." in text
    assert "ExpiredToken" in text
    assert not browser.find(".controls").is_displayed()
    assert not browser.find("#panel").is_displayed()
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.js("return document.querySelector('#matrix').offsetWidth") < 1030, "an A4 page on its side has no more"


def test_without_javascript_the_matrix_and_the_findings_are_there(browser: Browser) -> None:
    browser.scripts(False)
    browser.driver.get((browser.folder / "three.html").as_uri())
    assert browser.cell("act-d7320fba us-east-1").is_displayed()
    assert "The connection is DEAUTHORIZED" in browser.find(".list").text
    assert not browser.find(".controls").is_displayed()
    assert browser.find(".chip").get_attribute("disabled") is not None


def test_what_is_behind_a_cell_can_be_copied_as_text(browser: Browser) -> None:
    browser.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.open("three", "#act-d7320fba/us-east-1")
    browser.find("#panel header button").click()
    browser.wait("return document.querySelector('#panel header button').textContent === 'Copied'")
    first, second, third, *_rest = browser.js("return navigator.clipboard.readText()").splitlines()
    assert first == "act-d7320fba · AWS 123456789012 · us-east-1 · inactive"
    assert second.startswith("fail: connection_state: The connection is DEAUTHORIZED")
    assert third == "  -> Run the playbook spot.eventbridge.repair."


def test_two_hundred_accounts_in_thirty_regions_are_comfortable(browser: Browser) -> None:
    assert (browser.folder / "many.html").stat().st_size < 3_000_000
    browser.open("many")
    assert len(browser.all("#matrix td")) == 6000
    assert int(browser.js("return document.documentElement.dataset.ready")) < 5000, "milliseconds until it can be used"
    start = browser.js("return performance.now()")
    browser.cell("act-10000000 eu-west-1").click()
    browser.panel("eu-west-1")
    browser.find(".chip.inactive").click()
    assert browser.js("return performance.now()") - start < 5000, "milliseconds for a panel and a filter"


def test_a_report_of_nothing_says_so(browser: Browser) -> None:
    browser.open("none")
    assert browser.find("h1").text == "Nothing was verified"
    assert browser.log() == []
