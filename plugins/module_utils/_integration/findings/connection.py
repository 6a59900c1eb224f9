# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import (
    ACCOUNT_PARAMETER,
    API_KEY_NAME,
    GOOD_STATE,
    TRANSIENT_STATES,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import (
    DIFFERS,
    MATCHES,
    ExistingConnection,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import (
    REPAIR,
    compare,
    key_findings,
    missing,
    unread,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings


def connection_findings(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    """Return the findings about the connection."""
    existing = readings.connection
    if isinstance(existing, Failure):
        return [unread("connection", existing)]
    if existing is None:
        return missing("connection", f"connection {desired.connection.name}")
    fields = existing.managed_fields()
    return [
        Finding("connection", PASS, f"The connection {desired.connection.name} exists."),
        state_finding(existing),
        compare("connection_authorization", "The authorisation type", fields["authorization_type"], "API_KEY"),
        _connection_api_key(existing, fields["api_key_name"]),
        _connection_account(existing, fields["query_string_parameters"], desired.spot_account),
        _connection_token(existing, desired),
        *key_findings("connection_key", desired.connection.key_use(region), existing.key),
    ]


def state_finding(existing: ExistingConnection) -> Finding:
    """Return whether the connection is authorised."""
    if existing.state == GOOD_STATE:
        return Finding("connection_state", PASS, f"The connection is {GOOD_STATE}.")
    if existing.state in TRANSIENT_STATES:
        return Finding("connection_state", UNKNOWN, f"The connection is {existing.state}: AWS is changing it.", "Run it again in a minute.")
    reason = existing.document.get("state_reason")
    message = f"The connection is {existing.state or 'without a state'}" + (f": {reason}" if reason else "")
    return Finding("connection_state", FAIL, f"{message.rstrip('.')}. AWS drops every notice until it is authorised again.", REPAIR)


def _emptied(existing: ExistingConnection) -> bool:
    # DeauthorizeConnection removes all parameters (recorded in September 2026): connection_state reports that, and a repair writes them.
    return existing.state in ("DEAUTHORIZED", "DEAUTHORIZING")


def _connection_api_key(existing: ExistingConnection, name: str | None) -> Finding:
    check = "connection_api_key"
    if not name and _emptied(existing):
        return Finding(check, SKIP, "The API key's name was not checked: the connection is not authorised.", REPAIR)
    return compare(check, "The API key's name", name, API_KEY_NAME)


def _connection_account(existing: ExistingConnection, parameters: t.Sequence[t.Mapping[str, str]], spot_account: str) -> Finding:
    check, values = "connection_account", [item["value"] for item in parameters if item["key"] == ACCOUNT_PARAMETER]
    if not values and _emptied(existing):
        return Finding(check, SKIP, "The Spot account was not checked: the connection is not authorised.", REPAIR)
    if not values:
        message = f"The query parameter {ACCOUNT_PARAMETER} is missing: Spot assigns the notices to the organisation's oldest account."
        return Finding(check, FAIL, message, REPAIR)
    if values == ["(hidden)"]:
        message = f"The query parameter {ACCOUNT_PARAMETER} is hidden, so it cannot be compared with {spot_account}."
        return Finding(check, FAIL, message, REPAIR)
    return compare(check, f"The query parameter {ACCOUNT_PARAMETER}", ", ".join(values), spot_account)


def hides_account(readings: Readings) -> bool:
    """Return whether the connection hides for which Spot account it sends."""
    parameters = (
        readings.connection.managed_fields()["query_string_parameters"] if isinstance(readings.connection, ExistingConnection) else []
    )
    return [item["value"] for item in parameters if item["key"] == ACCOUNT_PARAMETER] == ["(hidden)"]


def _connection_token(existing: ExistingConnection, desired: Desired) -> Finding:
    check = "connection_token"
    if existing.token == MATCHES:
        return Finding(check, PASS, "The connection holds the token that was given.")
    if existing.token == DIFFERS:
        return Finding(check, FAIL, "The connection's secret holds a token that differs, or was deleted.", REPAIR)
    if not desired.connection.token:
        return Finding(check, SKIP, "Not checked whether the token is current: no token was given.", "Set SPOTINST_TOKEN.")
    if existing.token_unread:
        remedy = "Grant secretsmanager:GetSecretValue on secret:events!connection/*."
        return Finding(check, SKIP, f"Not checked whether the token is current: {existing.token_unread}.", remedy)
    return Finding(check, SKIP, "Not checked whether the token is current: the connection is not authorised.", REPAIR)
