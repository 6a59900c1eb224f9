# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._finding import SKIP, Finding

FEATURE_FLAG = "feature_flag"
LOG = "spot_log"
DATABASE = "spot_database"
PROBE = "probe"
INTERRUPTION = "interruption"

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
    PROBE: (
        "Whether a test event arrives was not checked.",
        "Whoever may write rules in the AWS account sets spot_eventbridge_verify_probe=true.",
    ),
    INTERRUPTION: (
        "Whether a real interruption arrives was not checked.",
        "Whoever may use AWS FIS sets spot_eventbridge_verify_instance; the instance is lost then.",
    ),
}


def complete(found: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """What was found on Spot's side, and for each check that was not made, that it was not made and who can. Pure.

    :param found: findings as dictionaries
    """
    findings = [dict(finding) for finding in found]
    made = {finding["check"] for finding in findings}
    skipped = (Finding(check, SKIP, message, remedy) for check, (message, remedy) in _UNCHECKED.items() if check not in made)
    return [*findings, *(finding.as_dict() for finding in skipped)]
