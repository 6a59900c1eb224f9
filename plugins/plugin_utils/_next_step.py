# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, OUTCOMES, UNKNOWN, WARN
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import LEFT_OUT
from ansible_collections.spot.eventbridge.plugins.plugin_utils._results import ONBOARD, REPAIR, VERIFY
from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import Line

# The guide "When it breaks", which has an anchor for each status, finding and error code.
GUIDE = "https://github.com/ansible-collections/spot.eventbridge/blob/main/docs/docsite/rst/guide_trouble.rst"
_PLAYBOOK = "run the playbook spot.eventbridge."
_MOST_NAMED = 5
# Most codes of AWS and of botocore end like this; those of the collection do not.
_OF_AWS = re.compile(r"(Exception|Error|Failure|Fault|Unavailable)$")


def next_step(given: t.Mapping[str, t.Any], account: t.Mapping[str, t.Any], predicted: bool) -> list[str]:
    """Return the last line of an account's run: what to do next; nothing if there is nothing to do.

    :param given: the options of `spot_account_report`
    :param account: the result of the account
    :param predicted: whether it was check mode
    """
    purpose = given["purpose"]
    again = f"{_PLAYBOOK}{purpose} again"
    if account["error"] or (account["problem"] and not account["failed_regions"] and purpose != VERIFY):
        return _line(f"correct the error above, and {again}.")
    if purpose == VERIFY:
        return _of_finding(account)
    if account["problem"]:
        region = account["failed_regions"][0]
        entry = given["integration"].get("regions", {}).get(region, {})
        code = (entry.get("error") or {}).get("code", "")
        status = next(row["status"] for row in account["summary"] if row["region"] == region)
        return _line(f"correct the error of {region}, and {again}.", _word(code) or status)
    done = any(row["changed"] for row in account["summary"])
    if predicted:
        return _line(f"run the playbook spot.eventbridge.{purpose} without --check.") if done else []
    return _line(f"{_PLAYBOOK}verify.") if done and purpose in (ONBOARD, REPAIR) else []


def next_step_of_fleet(results: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> list[str]:
    """Return the last line of a run over accounts; nothing if no account failed.

    :param results: by host; None for a host that left none
    """
    failed = [host for host, found in results.items() if found is None or found["problem"]]
    if not failed:
        return []
    limit = f" with --limit {','.join(failed)}" if len(failed) <= _MOST_NAMED else " for the failed accounts"
    return _line(f"correct the errors above, and run the playbook again{limit}.")


def anchor(word: str) -> str:
    """Return the anchor of a status, a finding or an error code in the guide."""
    return word.lower().replace("_", "-")


def _line(text: str, word: str = "") -> list[str]:
    return [Line(f"Next: {text}" + (f" See {GUIDE}#{anchor(word)}" if word else ""))]


def _word(code: str) -> str:
    """Return the word of the guide for an error code; empty for none. AWS's own codes are explained together."""
    if code and Failure(code, "").denied:
        return "AccessDenied"
    return "error-codes" if _OF_AWS.search(code) else code


def _of_finding(account: t.Mapping[str, t.Any]) -> list[str]:
    """Return the line of the worst finding: a failure before a check that could not be made, the connection's state before others."""
    found = [(finding, "") for finding in account["checks"]]
    for row in account["summary"]:
        if row["status"] not in LEFT_OUT:
            found += [(finding, f", {row['region']}") for finding in account["regions"][row["region"]]["findings"]]
    found = [(finding, place) for finding, place in found if finding["outcome"] in (FAIL, UNKNOWN, WARN) and finding["remedy"]]
    if not found:
        return []
    worst, place = min(found, key=lambda pair: (OUTCOMES.index(pair[0]["outcome"]), pair[0]["check"] != "connection_state"))
    return _line(f"{worst['remedy']} ({worst['check']}{place})", worst["check"])
