# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import functools
import re
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, OUTCOMES, UNKNOWN, WARN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import GOOD, STATUSES

Report = dict[str, t.Any]

# Of the document that report.schema.json describes: counted up when a reader of the last one could no longer read it.
SCHEMA_VERSION = 1
COLLECTION = "spot.eventbridge"

# Outcomes that need attention. A check that was left out does not.
CONCERNS = (FAIL, UNKNOWN, WARN)

# A report is sent by mail and kept for years: a value with a secret's name is removed, although none is expected here.
_SECRET_KEY = re.compile(
    r"(apikeyvalue|password|passwd|secret|secretstring|secretvalue|secretkey|secretaccesskey|token|credentials?|privatekey)$"
)
_BEARER = re.compile(r"\b(bearer\s+)[\w.~+/=-]{12,}", re.IGNORECASE)
# A text may hold bytes that were no UTF-8; they cannot be written to a file.
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Characters that XML 1.0 forbids and HTML renders as nothing.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def verification_report(accounts: t.Any, generated: str, version: str | None) -> Report:
    """Return the document behind all forms of the report, as report.schema.json describes it.

    :param accounts: what the role verify found, one mapping for each account
    :param generated: when, ISO 8601 with time zone
    :param version: the version of the collection, None if not known
    :raises ValueError: it is no list of mappings, or one has no `host`, or a word that is no status or outcome
    """
    if isinstance(accounts, (str, t.Mapping)) or not isinstance(accounts, t.Iterable):
        raise ValueError("what was found has to be a list, one dictionary for each account")
    found = sorted((_account(account) for account in accounts), key=_worst_first)
    return {
        "schema_version": SCHEMA_VERSION,
        "generated": generated,
        "collection": {"name": COLLECTION, "version": version or None},
        "summary": {
            "accounts": len(found),
            "regions": sum(len(account["regions"]) for account in found),
            "by_status": {status: sum(statuses(account)[status] for account in found) for status in STATUSES},
            "wanted_active": bool(found) and all(map(_is_active, found)),
        },
        "accounts": found,
    }


def statuses(account: t.Mapping[str, t.Any]) -> dict[str, int]:
    """Return the number of regions of an account with each status, worst status first, statuses without a region too."""
    words = [region["status"] for region in account["regions"].values()]
    return {status: words.count(status) for status in STATUSES}


def concerns(findings: t.Iterable[t.Mapping[str, str]]) -> list[t.Mapping[str, str]]:
    """Return the findings that need attention, worst first."""
    return [finding for finding in findings if finding["outcome"] in CONCERNS]


def has_failed(findings: t.Iterable[t.Mapping[str, str]]) -> bool:
    """Return whether one of the findings is a fail."""
    return any(finding["outcome"] == FAIL for finding in findings)


def printable(text: str) -> str:
    """Return the text with a visible sign instead of each character that XML or HTML cannot show."""
    return _CONTROL.sub("\ufffd", text)


def _account(account: t.Any) -> Report:
    if not isinstance(account, t.Mapping) or not account.get("host"):
        raise ValueError("an account has to be a dictionary with its 'host'")
    host = _text(account["host"])
    regions = account.get("regions") or {}
    return {
        "host": host,
        "spot_account": _text(account.get("spot_account") or host),
        "aws_account": _text(account["aws_account"]) if account.get("aws_account") else None,
        "error": _text(account["error"]) if account.get("error") else None,
        "checks": _findings(account.get("checks") or []),
        "regions": {_text(name): _region(regions[name]) for name in sorted(regions)},
    }


def _region(region: t.Mapping[str, t.Any]) -> Report:
    status = _text(region.get("status"))
    if status not in STATUSES:
        raise ValueError(f"{status!r} is no status; there are {', '.join(STATUSES)}")
    return {
        "status": status,
        "findings": _findings(region.get("findings") or []),
        "resources": _without_secrets(region.get("resources") or {}),
        "evidence": _without_secrets(region["evidence"]) if region.get("evidence") else None,
    }


def _findings(findings: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, str]]:
    """Return the findings worst first; those of an outcome stay in the order in which they were checked."""
    keys = ("check", "outcome", "message", "remedy")
    found = [{key: _text(finding.get(key) or "") for key in keys} for finding in findings]
    for finding in found:
        if finding["outcome"] not in OUTCOMES:
            raise ValueError(f"{finding['outcome']!r} is no outcome; there are {', '.join(OUTCOMES)}")
    return sorted(found, key=lambda finding: OUTCOMES.index(finding["outcome"]))


def _worst_first(account: Report) -> tuple[t.Any, ...]:
    """Sort first accounts that could not be verified at all, then by the worst status and its number of regions, then by name."""
    by_status = statuses(account)
    bad = [-by_status[status] for status in STATUSES if status not in GOOD]
    findings = account["checks"] + [finding for region in account["regions"].values() for finding in region["findings"]]
    failed = sum(finding["outcome"] == FAIL for finding in account["checks"])
    return (not account["error"], bad, -failed, -len(concerns(findings)), account["host"])


def _is_active(account: Report) -> bool:
    """Return whether all that is desired works. An account of which nothing is known is none that works."""
    if account["error"] or has_failed(account["checks"]) or not account["regions"]:
        return False
    return all(region["status"] in GOOD for region in account["regions"].values())


def _text(value: t.Any) -> str:
    text = str(value)
    # There are a million of them in a report of 6,000 regions, and nearly all are plain.
    if not text.isascii():
        text = _SURROGATES.sub("\ufffd", text)
    return _BEARER.sub(r"\1***", text) if "earer" in text or "EARER" in text else text


def _without_secrets(value: t.Any) -> t.Any:
    """Return a copy in plain types without what is, by its name, a secret."""
    if isinstance(value, t.Mapping):
        hidden = bool(value.get("is_value_secret") or value.get("IsValueSecret"))
        return {
            _text(key): _without_secrets(inner)
            for key, inner in value.items()
            # `is_value_secret` is none.
            if isinstance(inner, bool) or not (_is_secret(str(key)) or (hidden and str(key).lower() == "value"))
        }
    if isinstance(value, (list, tuple)):
        return [_without_secrets(inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _text(value)


@functools.lru_cache(maxsize=1000)
def _is_secret(key: str) -> bool:
    return bool(_SECRET_KEY.search(re.sub(r"[\W_]", "", key).lower()))
