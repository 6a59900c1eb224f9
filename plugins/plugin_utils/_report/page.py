# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import re
import string
import typing as t
import urllib.parse
import zlib
from pathlib import Path

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import (
    ABSENT,
    ACTIVE,
    DENIED,
    DRIFTED,
    FAILING,
    GOOD,
    INACTIVE,
    INCOMPLETE,
    LEFT_OUT,
    STATUSES,
    UNSUPPORTED,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import UNKNOWN as UNKNOWN_STATUS
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import Report, concerns, has_failed, printable, statuses

# A sign with each colour, for readers who do not see colours; the fonts of all systems have these signs.
SYMBOLS = {
    UNKNOWN_STATUS: "?",
    INACTIVE: "\u00d7",
    FAILING: "!",
    INCOMPLETE: "\u00bd",
    ABSENT: "\u25cb",
    DRIFTED: "\u2260",
    DENIED: "\u00ac",
    UNSUPPORTED: "\u2013",
    ACTIVE: "\u2713",
}
MEANINGS = {
    UNKNOWN_STATUS: "It could not be read, so nothing is known.",
    INACTIVE: "The authorisation is lost: AWS drops every notice.",
    FAILING: "No delivery succeeds: every notice since the last change of the connection was lost.",
    INCOMPLETE: "Parts are missing: notices do not arrive, or are lost without a record.",
    ABSENT: "Nothing is set up here.",
    DRIFTED: "Something differs from what is desired.",
    DENIED: "The organisation denies this region; Spot polls there.",
    UNSUPPORTED: "AWS offers no API destinations here.",
    ACTIVE: "Warnings are pushed to Spot.",
}
OUTCOME_SYMBOLS = {FAIL: "\u00d7", UNKNOWN: "?", WARN: "!", SKIP: "\u2013", PASS: "\u2713"}

# Further filters, in addition to the statuses.
UNVERIFIED = "unverified"
NOTED = "noted"

_COLUMN = re.compile(r"(?P<area>.+?)-(?P<place>[a-z]+-\d+)")
_UTC = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?(Z|\+00:00)")


def page(report: Report) -> str:
    """Return the report as one HTML file that makes no request.

    What is seen at once is HTML. All that a region's panel shows is kept compressed, account by account, and unpacked in the
    browser when it is opened: 6,000 regions are 30 MB otherwise.
    """
    skeleton, style, script = (Path(__file__).with_name(f"report.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    regions = sorted({name for account in report["accounts"] for name in account["regions"]}, key=_column)
    firsts = _firsts(regions)
    return string.Template(skeleton).substitute(
        title=_escape(_verdict(report)),
        verdict="good" if report["summary"]["wanted_active"] else "bad",
        facts=_facts(report),
        style_hash=_hash(style),
        script_hash=_hash(script),
        style=style,
        script=script,
        filters=_filters(report),
        columns=_columns(regions),
        rows="\n".join(_row(account, regions, firsts) for account in report["accounts"]),
        list="\n".join(_section(account) for account in report["accounts"]),
        details=_details(report["accounts"]),
    )


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _hash(source: str) -> str:
    """Return the hash with which the Content-Security-Policy allows a text."""
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _verdict(report: Report) -> str:
    """Return the summary in one line."""
    summary = report["summary"]
    if not report["accounts"]:
        return "Nothing was verified"
    desired = summary["regions"] - sum(summary["by_status"][status] for status in LEFT_OUT)
    inactive = desired - summary["by_status"][ACTIVE]
    unverified = sum(bool(account["error"]) for account in report["accounts"])
    refused = sum(has_failed(account["checks"]) for account in report["accounts"] if not account["error"])
    parts = []
    if inactive:
        parts.append(f"{inactive:,} of {_plural(desired, 'region')} {'is' if inactive == 1 else 'are'} not active")
    if unverified:
        parts.append(f"{_plural(unverified, 'account')} could not be verified")
    if refused:
        parts.append(f"{_plural(refused, 'account')} {'fails' if refused == 1 else 'fail'} a check")
    if parts:
        return ", ".join(parts)
    if not desired:
        return "No region was verified"
    return f"{'All ' if desired > 1 else ''}{_plural(desired, 'region')} {'is' if desired == 1 else 'are'} active"


def _facts(report: Report) -> str:
    generated, collection = report["generated"], report["collection"]
    shown = _UTC.sub(r"\1 \2 UTC", generated)
    made_by = f"{collection['name']} {collection['version'] or ''}".strip()
    return " \u00b7 ".join(
        [
            _plural(len(report["accounts"]), "account"),
            f'verified <time datetime="{_escape(generated)}">{_escape(shown)}</time>',
            _escape(made_by),
        ]
    )


def _filters(report: Report) -> str:
    numbers = [(status, SYMBOLS[status], status, number) for status, number in report["summary"]["by_status"].items()]
    numbers.insert(0, (UNVERIFIED, "?", "accounts not verified", sum(bool(account["error"]) for account in report["accounts"])))
    regions = [region for account in report["accounts"] for region in account["regions"].values()]
    noted = sum(region["status"] == ACTIVE and bool(concerns(region["findings"])) for region in regions)
    numbers.append((NOTED, "!", "active, with a warning", noted))
    return "\n".join(
        f'<button type="button" class="chip {key}" data-show="{key}" aria-pressed="false" disabled'
        f' title="{MEANINGS.get(key, "")}"><span class="sign" aria-hidden="true">{sign}</span>{word} <b>{number:,}</b></button>'
        for key, sign, word, number in numbers
        if number
    )


def _column(region: str) -> tuple[str, str]:
    """Return the area and the place of a region: `us-gov` and `east-1`."""
    match = _COLUMN.fullmatch(region)
    return (match["area"], match["place"]) if match else ("", region)


def _areas(regions: t.Sequence[str]) -> list[tuple[str, list[str]]]:
    return [(area, list(names)) for area, names in itertools.groupby(regions, key=lambda name: _column(name)[0])]


def _firsts(regions: t.Sequence[str]) -> set[str]:
    """Return the first region of each area, which keeps away from the area before it."""
    return {names[0] for dummy, names in _areas(regions)}


def _columns(regions: t.Sequence[str]) -> str:
    """Return two rows of headings, areas and the places in them, so that the names of regions are short."""
    areas = _areas(regions)
    firsts = _firsts(regions)
    first = "".join(f'<th scope="colgroup" colspan="{len(names)}">{_escape(area)}</th>' for area, names in areas)
    second = "".join(
        f'<th scope="col" class="{"first" if name in firsts else "next"}" data-region="{_escape(name)}" aria-label="{_escape(name)}">'
        f"<span>{_escape(_column(name)[1])}</span></th>"
        for name in regions
    )
    groups = "".join(f'<colgroup span="{len(names)}"></colgroup>' for dummy, names in areas)
    return (
        f'<colgroup class="names"></colgroup>{groups}\n'
        f'<thead>\n<tr><th class="corner" scope="col" rowspan="2">Account</th>{first}</tr>\n<tr>{second}</tr>\n</thead>'
    )


def _row(account: Report, regions: t.Sequence[str], firsts: t.Collection[str]) -> str:
    host = _escape(account["host"])
    names = [account["host"], account["spot_account"], account["aws_account"] or ""]
    mark = f' <b class="mark" title="A check of the account failed">{OUTCOME_SYMBOLS[FAIL]}</b>' if has_failed(account["checks"]) else ""
    head = (
        f'<tr data-host="{host}" data-search="{_escape(" ".join(names).lower())}"><th scope="row">'
        f'<a href="#{_escape(_fragment(account["host"]))}">{host}</a>{mark} <small>{_escape(account["aws_account"] or "")}</small></th>'
    )
    if account["error"]:
        label = f"{host}: not verified: {_escape(account['error'])}"
        cells = (
            f'<td class="unverified" colspan="{max(len(regions), 1)}" aria-label="{label}"><span>? {_escape(account["error"])}</span></td>'
        )
    else:
        cells = "".join(_cell(host, name, account["regions"].get(name), name in firsts) for name in regions)
    return f"{head}{cells}</tr>"


def _cell(host: str, name: str, region: Report | None, first: bool) -> str:
    status = region["status"] if region else "none"
    noted = len(concerns(region["findings"])) if region and status == ACTIVE else 0
    classes = " ".join([status, *(["noted"] if noted else []), *(["first"] if first else [])])
    told = (status if region else "not verified") + (f", {_plural(noted, 'warning')}" if noted else "")
    return f'<td class="{classes}" aria-label="{host} {_escape(name)}: {told}">{SYMBOLS.get(status, "")}</td>'


def _fragment(host: str, region: str = "") -> str:
    # Browsers decode it before they search the id, and the script before it searches the cell.
    return "/".join(urllib.parse.quote(part, safe="") for part in (host, region) if part)


def _section(account: Report) -> str:
    """Return an account in words, for paper, telephones and browsers without JavaScript: what is not active, or has a remark."""
    host = account["host"]
    told = ", ".join(f"{number} {status}" for status, number in statuses(account).items() if number) or "no region verified"
    aws = f" <small>AWS {_escape(account['aws_account'])}</small>" if account["aws_account"] else ""
    parts = [f'<section id="{_escape(host)}"><h2><a href="#{_escape(_fragment(host))}">{_escape(host)}</a>{aws} <span>{told}</span></h2>']
    if account["error"]:
        parts.append(f'<p class="unverified">{_escape(account["error"])}</p>')
    if concerns(account["checks"]):
        parts.append(f'<article class="account"><h3>whole account</h3>{_findings(account["checks"])}</article>')
    listed = [
        (name, region)
        for name, region in account["regions"].items()
        if region["status"] not in GOOD or (region["status"] == ACTIVE and concerns(region["findings"]))
    ]
    for name, region in sorted(listed, key=lambda item: STATUSES.index(item[1]["status"])):
        status = region["status"]
        parts.append(
            f'<article id="{_escape(f"{host}/{name}")}" class="{status}{" noted" if status == ACTIVE else ""}">'
            f'<h3><a href="#{_escape(_fragment(host, name))}">{_escape(name)}</a>'
            f' <span class="badge {status}"><span aria-hidden="true">{SYMBOLS[status]}</span> {status}</span></h3>'
            f"{_findings(region['findings'])}</article>"
        )
    return "\n".join([*parts, "</section>"])


def _findings(findings: t.Iterable[t.Mapping[str, str]]) -> str:
    items = "".join(
        f'<li class="{finding["outcome"]}"><b>{finding["outcome"]}</b> <code>{_escape(finding["check"])}</code>'
        f" <span>{_escape(finding['message'])}</span>" + (f" <em>{_escape(finding['remedy'])}</em>" if finding["remedy"] else "") + "</li>"
        for finding in concerns(findings)
    )
    return f"<ul>{items}</ul>" if items else ""


def _details(accounts: t.Iterable[Report]) -> str:
    """Return the data of the script: words and signs, and each account's details as base64 of zlib of JSON."""
    packed = {account["host"]: _pack(account) for account in accounts}
    book = {"symbols": SYMBOLS, "meanings": MEANINGS, "outcomes": OUTCOME_SYMBOLS, "accounts": packed}
    # In an HTML script element only `<` can do harm.
    return json.dumps(book, separators=(",", ":")).replace("<", "\\u003c")


def _pack(account: Report) -> str:
    return base64.b64encode(zlib.compress(json.dumps(account, separators=(",", ":")).encode())).decode()
