# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import OUTCOMES, SKIP, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import (
    ACTIVE,
    NO_API_DESTINATIONS,
    SKIP_DENIED,
    UNSUPPORTED,
    in_words,
    row,
    worst_first,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import good_statuses
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.status import status
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import HealingRecord

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings


def info_result(
    regions: Document, *, spot_account: str, aws_account: str, unsupported: t.Iterable[str] = (), denied: str = SKIP_DENIED
) -> Document:
    """Return the result of `spot_integration_info`.

    :param regions: by region, `status`, `findings`, `resources` and `evidence`
    :param unsupported: the regions that the user had left out, as they have no API destinations
    :param denied: `skip` or `fail`: the effect of a region that the organisation denies
    """
    by_user = {
        "status": UNSUPPORTED,
        "findings": [Finding("region", SKIP, NO_API_DESTINATIONS).as_dict()],
        "resources": {"connection": None, "api_destination": None, "rule": None, "queue": None},
        "evidence": None,
        "stack_set": "",
        "healing": asdict(HealingRecord()),
    }
    regions = {**regions, **dict.fromkeys(unsupported, by_user)}
    good = good_statuses(present=True, predicted=False, denied=denied)
    rows = worst_first(row(region, entry["status"], reason=reason(entry)) for region, entry in regions.items())
    return {
        "spot_account": spot_account,
        "aws_account": aws_account,
        "regions": {
            line["region"]: {"reason": line["reason"], "action": "", "changed": False, **regions[line["region"]]}
            for line in sorted(rows, key=lambda line: list(regions).index(line["region"]))
        },
        "summary": rows,
        "problem": " | ".join(in_words(line) for line in rows if line["status"] not in good),
        "notes": [],
    }


def region_result(readings: Readings, findings: t.Sequence[Finding], spot_account: str) -> Document:
    """Return the entry of a region that was read, as `info_result` takes it.

    :param findings: at least one
    """
    return {
        "status": status(findings),
        "findings": [finding.as_dict() for finding in findings],
        "resources": readings.documents(),
        "evidence": readings.evidence.as_dict() if readings.evidence else None,
        "stack_set": readings.stack_set,
        "healing": asdict(readings.healing(spot_account)),
    }


def reason(entry: t.Mapping[str, t.Any]) -> str:
    """Return in one line why a region is not active; empty if it is.

    :param entry: `status` and `findings` of the region
    """
    if entry["status"] == ACTIVE:
        return ""
    found = sorted(entry["findings"], key=lambda finding: OUTCOMES.index(finding["outcome"]))
    worst = [finding for finding in found if finding["outcome"] == found[0]["outcome"]]
    # Of several failed checks, the state of the connection explains the others.
    chosen = next((finding for finding in worst if finding["check"] == "connection_state"), worst[0])
    return chosen["message"] + (f" (and {len(worst) - 1} more)" if len(worst) > 1 else "")
