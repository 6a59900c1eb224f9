# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, SKIP, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

FEATURE_FLAG = "feature_flag"
LOG = "spot_log"
DATABASE = "spot_database"
TEST_EVENT = "test_event"
INTERRUPTION = "interruption"
SIDE = "spot_side"

# What only Spot can tell, or costs something to find out: off until it is configured. Who can, and how.
_UNCHECKED = {
    FEATURE_FLAG: (
        "Whether Spot's feature flag is on was not checked: no flag service is configured.",
        "Operators at Spot set spot_eventbridge_verify_flag; customers ask Spot's support.",
    ),
    LOG: (
        "Whether warnings are in Spot's log was not checked: no log is configured.",
        "Operators at Spot set spot_eventbridge_verify_log; customers ask Spot's support.",
    ),
    DATABASE: (
        "Whether warnings are in Spot's database was not checked: no database is configured.",
        "Operators at Spot set spot_eventbridge_verify_database; customers ask Spot's support.",
    ),
    TEST_EVENT: (
        "Whether a test event arrives was not checked.",
        "Whoever may write rules in the AWS account sets spot_eventbridge_verify_test_event=true.",
    ),
    INTERRUPTION: (
        "Whether a real interruption arrives was not checked.",
        "Whoever may use AWS FIS sets spot_eventbridge_verify_instance; the instance is lost then.",
    ),
}


def gather(results: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """What was found on Spot's side, and for each check that was not made, that it was not made and who can. Pure.

    :param results: of the modules that looked: with `checks`, left out, or failed
    """
    found: list[dict[str, t.Any]] = []
    for result in results:
        found += [dict(finding) for finding in result.get("checks") or []]
        if "checks" not in result and "msg" in result and not result.get("skipped"):
            told = " ".join(str(result["msg"]).split())
            found.append(Finding(SIDE, FAIL, f"Spot's side could not be asked: {told}", "Correct the variables of the role.").as_dict())
    made = {finding["check"] for finding in found}
    skipped = (Finding(check, SKIP, message, remedy) for check, (message, remedy) in _UNCHECKED.items() if check not in made)
    return [*found, *(finding.as_dict() for finding in skipped)]


def seconds_after(when: str, announced: datetime.datetime) -> float | None:
    """How long after an announcement something was, None where its time is in no form that is known. Pure."""
    try:
        return (datetime.datetime.fromisoformat(when.replace("Z", "+00:00")) - announced).total_seconds()
    except (TypeError, ValueError):  # no time, or one without a time zone
        return None


def after(when: str, announced: datetime.datetime | None) -> str:
    """The same as a part of a sentence, empty where nothing was announced. Pure."""
    seconds = seconds_after(when, announced) if announced else None
    return "" if seconds is None else f", {max(0.0, seconds):.0f} s after the announcement"


def parse_announced(text: str) -> datetime.datetime | None:
    """When an interruption was announced, out of an option; None where none was.

    :raises ArgumentError: it is no time.
    """
    if not text:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise ArgumentError(f"announced is {text[:50]!r}, which is no time. Times look like 2026-01-02T03:04:05Z.") from None
