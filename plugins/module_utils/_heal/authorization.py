# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack, owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import GOOD_STATE
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import unread
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.connection import state_finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Reader, Readings
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import read_tags

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired

_STATE = "connection_state"


def read_authorization(region: Region, desired: Desired) -> Readings:
    """Read no more of an integration than shows whether it has lost its authorisation, and whether that may be healed.

    DescribeConnection, ListTagsForResource, DescribeStackResources; DescribeApiDestination where the connection is authorised.
    """
    attempt, name, arn = Reader(region), desired.connection.name, rule_arn(region, desired.aws_account, desired.rule.name)
    connection, tags, stack = at_once(
        lambda: attempt(lambda: desired.connection.look(region)),
        lambda: attempt(lambda: _tags(region, arn)),
        lambda: attempt(lambda: owner(region, name)),
    )
    authorized = connection and not isinstance(connection, Failure) and connection.state == GOOD_STATE
    destination = attempt(lambda: desired.api_destination.look(region)) if authorized else None
    return Readings(connection, destination, None, None, None, stack=stack, tags={"rule": tags})


def authorization_findings(readings: Readings, desired: Desired) -> list[Finding]:
    """Return the finding about the connection's state. All else that is not as it should be is for a run that reads everything."""
    connection, destination, stack = readings.connection, readings.api_destination, readings.stack
    if isinstance(connection, Failure):
        return [unread(_STATE, connection)]
    if connection is None:
        return [_unknown(f"there is no connection {desired.connection.name}")]
    if isinstance(stack, Failure) and not stack.denied:
        return [unread(_STATE, stack)]
    if isinstance(stack, Stack) and not stack.of_a_set:
        return [_unknown(f"it belongs to {stack}")]
    if connection.state == GOOD_STATE and (isinstance(destination, Failure) or destination is None or not _is_active(destination)):
        return [_unknown(f"the connection is {GOOD_STATE}, and the API destination is not known to be active")]
    return [state_finding(connection)]


def _unknown(why: str) -> Finding:
    return Finding(_STATE, UNKNOWN, f"Only the authorisation was read, and {why}.", "Heal it once Spot accepts the token again.")


def _is_active(destination: ExistingApiDestination) -> bool:
    return bool(destination.document.get("api_destination_state") == "ACTIVE")


def _tags(region: Region, arn: str) -> dict[str, str]:
    try:
        return read_tags(region, arn)
    except Exception as error:
        # There is no rule, and so no record.
        if is_code(error, "ResourceNotFoundException"):
            return {}
        raise
