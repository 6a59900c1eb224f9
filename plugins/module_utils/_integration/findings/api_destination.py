# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import compare, missing, unread

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings


def api_destination_findings(readings: Readings, desired: Desired) -> list[Finding]:
    """Return the findings about the API destination."""
    existing, name = readings.api_destination, desired.api_destination.name
    if isinstance(existing, Failure):
        return [unread("api_destination", existing)]
    if existing is None:
        return missing("api_destination", f"API destination {name}")
    fields = existing.managed_fields()
    rate, desired_rate = fields["invocation_rate_limit_per_second"], desired.api_destination.rate_limit
    found = [
        Finding("api_destination", PASS, f"The API destination {name} exists."),
        compare("api_destination_state", "The API destination", existing.document.get("api_destination_state"), "ACTIVE"),
        compare("api_destination_endpoint", "The endpoint", fields["invocation_endpoint"], desired.endpoint),
        compare("api_destination_method", "The HTTP method", fields["http_method"], desired.api_destination.http_method),
        compare("api_destination_rate_limit", "The rate limit", rate, desired_rate),
    ]
    connection = readings.connection
    if isinstance(connection, ExistingConnection):
        arn = connection.document.get("connection_arn")
        found.append(compare("api_destination_connection", "The API destination's connection", fields["connection_arn"], arn))
    return found
