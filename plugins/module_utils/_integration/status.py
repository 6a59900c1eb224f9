# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core import results
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.region import INTEGRATION, ORGANIZATION, REGION
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.stack import STACK
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.watch import WATCH
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import CHECK as NOTIFICATION

PARTS = ("connection", "api_destination", "rule", "target", "execution_role", "queue")
AUTHORIZATION = ("connection_state", "api_destination_state")
# These are about more than the integration; that one of them could not be read does not make its status unknown.
DELIVERIES = "deliveries"
# The status that a failed check gives, the first that fits; any other makes it drifted.
BY_CHECKS = (
    ((INTEGRATION,), results.ABSENT),
    (AUTHORIZATION, results.INACTIVE),
    (PARTS, results.INCOMPLETE),
    ((DELIVERIES,), results.FAILING),
)
APART = ("connection_token", "double_delivery", DELIVERIES, "dead_letters", STACK, NOTIFICATION, WATCH)


def status(findings: t.Iterable[Finding]) -> str:
    """Return the status of an integration in a region, derived from its findings.

    A known fault counts more than a part that could not be read: `unsupported`, `denied`, `absent`, `inactive`, `incomplete`,
    `failing`, `drifted`, `unknown`, `active`, the first that fits.
    """
    findings = list(findings)
    if any(finding.check == REGION for finding in findings):
        return results.UNSUPPORTED
    if any(finding.check == ORGANIZATION for finding in findings):
        return results.DENIED
    failed = {finding.check for finding in findings if finding.outcome == FAIL}
    unread = {finding.check for finding in findings if finding.outcome == UNKNOWN}
    for checks, found in BY_CHECKS:
        if failed & set(checks):
            return found
    if failed:
        return results.DRIFTED
    return results.UNKNOWN if unread - set(APART) else results.ACTIVE
