# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where only the authorisation is read, a region is lost, well, or not known; never repaired for another reason."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ExistingApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.authorization import authorization_findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.status import status

NAME = "spot-interruption-act-d7320fba"
AUTHORIZED, LOST = (ExistingConnection({"connection_state": state}) for state in ("AUTHORIZED", "DEAUTHORIZED"))
ACTIVE, INACTIVE = (ExistingApiDestination({"api_destination_state": state}) for state in ("ACTIVE", "INACTIVE"))
STACK, OF_A_SET = Stack("network", "arn"), Stack("StackSet-spot-1", "arn")
DENIED, SLOW = Failure("AccessDenied", "not authorized"), Failure("Throttling", "slow down")


def readings(connection: Any, destination: Any = None, stack: Any = None) -> Readings:
    return Readings(connection, destination, None, None, None, stack=stack)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (readings(LOST), "inactive"),
        (readings(AUTHORIZED, ACTIVE), "active"),
        (readings(AUTHORIZED, INACTIVE), "unknown"),
        (readings(AUTHORIZED, SLOW), "unknown"),
        (readings(AUTHORIZED), "unknown"),
        (readings(ExistingConnection({"connection_state": "AUTHORIZING"})), "unknown"),
        (readings(None), "unknown"),
        (readings(SLOW), "unknown"),
        # What a stack owns is changed by the stack; of a stack set, the decision names it.
        (readings(LOST, stack=STACK), "unknown"),
        (readings(LOST, stack=OF_A_SET), "inactive"),
        (readings(LOST, stack=SLOW), "unknown"),
        (readings(LOST, stack=DENIED), "inactive"),
    ],
)
def test_only_a_lost_authorisation_is_broken(found: Readings, expected: str) -> None:
    findings = authorization_findings(found, NAME)
    assert status(findings) == expected
    assert all(finding.message for finding in findings)
