# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import ACTIVE, LEFT_OUT
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import (
    COLLECTION,
    Report,
    concerns,
    has_failed,
    printable,
)

# The test case of what concerns the whole account. No region has that name.
WHOLE_ACCOUNT = "account"
# An ISO time without its zone: the readers' schema of `timestamp` knows none.
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

Findings = t.Sequence[t.Mapping[str, str]]


def junit(report: Report) -> str:
    """Return the report as a JUnit file: a test suite for each account, a test case for each region and one for the whole account.

    A region that is not active is a failure, one without API destinations is skipped, an account that could not be verified is
    an error. Notes are in `system-out`.
    """
    root = ElementTree.Element("testsuites", {"name": COLLECTION})
    for account in report["accounts"]:
        suite = ElementTree.SubElement(root, "testsuite", {"name": printable(account["host"])})
        timestamp = _TIMESTAMP.match(report["generated"])
        if timestamp:
            suite.set("timestamp", timestamp.group())
        _account_case(suite, account)
        for name, region in account["regions"].items():
            _region_case(suite, account["host"], name, region)
        _count(suite, [suite])
    _count(root, list(root))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def lines(findings: Findings) -> str:
    """Return findings as text, each with its remedy below it."""
    return "\n".join(
        f"{finding['outcome']}: {finding['check']}: {finding['message']}" + (f"\n  -> {finding['remedy']}" if finding["remedy"] else "")
        for finding in findings
    )


def _account_case(suite: ElementTree.Element, account: Report) -> None:
    case = _case(suite, account["host"], WHOLE_ACCOUNT)
    found = concerns(account["checks"])
    if account["error"]:
        _verdict(case, "error", account["error"], "unverified", found)
    elif has_failed(found):
        failed = ", ".join(finding["check"] for finding in found if finding["outcome"] == FAIL)
        _verdict(case, "failure", failed, "account", found)
    elif not account["regions"]:
        _verdict(case, "failure", "no region was verified", "unverified", found)
    else:
        _remarks(case, found)


def _region_case(suite: ElementTree.Element, host: str, name: str, region: Report) -> None:
    case = _case(suite, host, name)
    found = concerns(region["findings"])
    if region["status"] == ACTIVE:
        _remarks(case, found)
    elif region["status"] in LEFT_OUT:
        ElementTree.SubElement(case, "skipped", {"message": region["findings"][0]["message"]})
    else:
        message = f"{region['status']}: {found[0]['message']}" if found else region["status"]
        _verdict(case, "failure", message, region["status"], found)


def _case(suite: ElementTree.Element, host: str, name: str) -> ElementTree.Element:
    # Not measured, but some readers refuse a test case without a time.
    return ElementTree.SubElement(suite, "testcase", {"classname": printable(host), "name": printable(name), "time": "0"})


def _verdict(case: ElementTree.Element, tag: str, message: str, kind: str, findings: Findings) -> None:
    verdict = ElementTree.SubElement(case, tag, {"message": printable(message), "type": kind})
    verdict.text = printable(lines(findings) or message)


def _remarks(case: ElementTree.Element, findings: Findings) -> None:
    if findings:
        ElementTree.SubElement(case, "system-out").text = printable(lines(findings))


def _count(element: ElementTree.Element, suites: t.Iterable[ElementTree.Element]) -> None:
    suites = list(suites)
    for name, tag in (("tests", ""), ("failures", "/failure"), ("errors", "/error"), ("skipped", "/skipped")):
        element.set(name, str(sum(len(suite.findall(f"testcase{tag}")) for suite in suites)))
