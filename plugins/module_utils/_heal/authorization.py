# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack, owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import GOOD_STATE, Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import resource_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import unread
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.connection import state_finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.info_result import info_result, region_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Reader, Readings
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import read_tags

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome

_STATE = "connection_state"

# What was read of the connections, by region.
Read = t.Mapping[str, "ExistingConnection"]


def read_authorizations(
    regions: Regions, connection: Connection, aws_account: str, *, denied: str, unsupported: t.Iterable[str]
) -> tuple[Document, Read]:
    """Read no more of the integrations than shows whether they have lost their authorisation, and whether that may be healed.

    :param connection: the desired one; rule and API destination have its name
    :param denied: `skip` or `fail`: the effect of a region that the organisation denies
    :param unsupported: the regions that the user had left out, as they have no API destinations
    :returns: the same as `spot_integration_info`, where a region counts as active whose connection is authorised; and the connections
    """
    results: Document = {}
    looked: dict[str, ExistingConnection] = {}
    for name, found in regions.run(lambda region: read_authorization(region, connection, aws_account)).items():
        readings = Readings.unread(found) if isinstance(found, Failure) else found
        findings = authorization_findings(readings, connection.name)
        if readings.connection and not isinstance(readings.connection, Failure):
            looked[name] = readings.connection
        results[name] = region_result(readings, findings, connection.spot_account)
    whose = {"spot_account": connection.spot_account, "aws_account": aws_account}
    return info_result(results, **whose, unsupported=unsupported, denied=denied), looked


def authorize(
    regions: Regions, names: t.Iterable[str], connection: Connection, looked: Read, *, check_mode: bool, timeout: float
) -> Document:
    """Authorise connections again, as they were read, and return the result of `spot_eventbridge_connection`.

    :param names: the regions
    :param timeout: seconds to wait for AWS; 0 waits for nothing
    """

    def one(region: Region) -> Outcome:
        return reconcile(connection, region, check_mode=check_mode, timeout=timeout, look=lambda: looked[region.name])

    return resource_result(connection.kind, regions.run(one, [regions[name] for name in names]))


def read_authorization(region: Region, connection: Connection, aws_account: str) -> Readings:
    """Read the authorisation in one region.

    DescribeConnection, ListTagsForResource, DescribeStackResources; DescribeApiDestination where the connection is authorised.
    """
    attempt, name = Reader(region), connection.name
    found, tags, stack = at_once(
        lambda: attempt(lambda: connection.look(region)),
        lambda: attempt(lambda: _tags(region, rule_arn(region, aws_account, name))),
        lambda: attempt(lambda: owner(region, name)),
    )
    authorized = found and not isinstance(found, Failure) and found.state == GOOD_STATE
    destination = attempt(lambda: ApiDestination(name).look(region)) if authorized else None
    return Readings(found, destination, None, None, None, stack=stack, tags={"rule": tags})


def authorization_findings(readings: Readings, name: str) -> list[Finding]:
    """Return the finding about the connection's state. All else that is not as it should be is for a run that reads everything.

    :param name: that of the connection
    """
    connection, destination, stack = readings.connection, readings.api_destination, readings.stack
    if isinstance(connection, Failure):
        return [unread(_STATE, connection)]
    if connection is None:
        return [_unknown(f"there is no connection {name}")]
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
