# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, SKIP, Finding

FEATURE_FLAG = "feature_flag"
LOG = "spot_log"
DATABASE = "spot_database"
TEST_EVENT = "test_event"
INTERRUPTION = "interruption"
BACKEND = "spot_side"

_OPERATORS = "Spot's operators can check it with {}; customers contact Spot's support."
_UNCHECKED = {
    FEATURE_FLAG: (
        "Not checked whether Spot's feature flag is on: no flag service is configured.",
        _OPERATORS.format("the module spot_backend_info, option feature_flag"),
    ),
    LOG: (
        "Not checked whether notices are in Spot's log: no log is configured.",
        _OPERATORS.format("the module spot_backend_info, option log"),
    ),
    DATABASE: (
        "Not checked whether notices are in Spot's database: no database is configured.",
        _OPERATORS.format("a connection to Spot's database"),
    ),
    TEST_EVENT: (
        "Not checked whether a test event arrives.",
        "Send one with the module spot_test_event; it needs permission to write rules in the AWS account.",
    ),
    INTERRUPTION: (
        "Not checked whether a real interruption arrives.",
        "Interrupt an instance with the module spot_test_interruption; it needs AWS FIS, and the instance is lost.",
    ),
}

# The message and the remedy of a check for which nothing is configured, by check.
UNCHECKED = {check: message for check, (message, dummy) in _UNCHECKED.items()}


def gather(results: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the findings about Spot's internal systems; a check that was not made is a finding, too, which names those who can make it.

    :param results: of the modules that made checks: with `checks`, skipped, or failed
    """
    found: list[dict[str, t.Any]] = []
    for result in results:
        found += [dict(finding) for finding in result.get("checks") or []]
        if "checks" not in result and "msg" in result and not result.get("skipped"):
            reason = " ".join(str(result["msg"]).split())
            message = f"Spot's internal systems could not be queried: {reason}"
            found.append(Finding(BACKEND, FAIL, message, "Correct the options that the message names.").as_dict())
    made = {finding["check"] for finding in found}
    skipped = (Finding(check, SKIP, message, remedy) for check, (message, remedy) in _UNCHECKED.items() if check not in made)
    return [*found, *(finding.as_dict() for finding in skipped)]
