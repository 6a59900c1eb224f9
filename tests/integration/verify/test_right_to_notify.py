# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token is written only if Spot takes its notices; that it may read says nothing."""

from __future__ import annotations

import pytest

from tests.integration.playbooks.runner import NAME
from tests.integration.verify.account import Account, last_message, statuses, verification, writes
from tests.integration.verify.drift import Hand
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("status", [401, 403])
def test_onboarding_with_a_viewers_token_writes_nothing(sandbox: Sandbox, account: Account, status: int) -> None:
    sandbox.settings(permission_refusal_status=status)
    run = account.onboard(token="viewer")
    message = last_message(run)
    assert f"it may not notify for {account.spot_account}: Spot responded with {status}" in message
    assert "elastigroup:createInstanceinterruptionNotification" in message
    assert writes(sandbox) == []


def test_repair_writes_no_token_that_lost_its_right(sandbox: Sandbox, account: Account) -> None:
    account.have_onboarded(token="editor")
    Hand(sandbox, "eu-west-1").events.deauthorize_connection(Name=NAME)
    sandbox.change_role("editor", "viewer")
    sandbox.clear_calls()
    assert "may not notify" in last_message(account.repair(token="editor"))
    assert writes(sandbox) == []
    sandbox.change_role("editor", "editor")
    assert account.repair(token="editor").rc == 0


def test_a_token_that_may_only_notify_is_enough(sandbox: Sandbox, account: Account) -> None:
    assert account.onboard(token="notifier").rc == 0
    sandbox.interrupt("eu-west-1")
    assert sandbox.settled()
    (notification,) = sandbox.notifications()
    assert notification["status"] == 200


def test_a_token_that_lost_its_right_is_found_by_its_deliveries(sandbox: Sandbox, account: Account) -> None:
    """Spot refuses with 403, which does not de-authorise the connection."""
    account.have_onboarded(token="editor")
    sandbox.change_role("editor", "viewer")
    for _number in range(3):
        sandbox.interrupt("eu-west-1")
    assert sandbox.settled()
    assert statuses(account.look(token=None)) == {"us-east-1": "active", "eu-west-1": "failing"}
    verified = account.verify(token=None)
    assert "eu-west-1 failing: No notice" in last_message(verified)
    assert "HTTP status code 403" in last_message(verified)
    # With the token that lost its right, repair can do nothing, and says what to do.
    refused = last_message(account.repair(token="editor"))
    assert "may not notify" in refused
    assert "elastigroup:createInstanceinterruptionNotification" in refused
    # What was not proved to notify does not end the evidence.
    unproved = account.repair("-e", "spot_eventbridge_proof=read", token="editor")
    assert "eu-west-1 failing: was failing" in last_message(unproved)
    assert "nothing differs" in last_message(unproved)
    # A token that may notify is written again, and the evidence of before does not count for it.
    sandbox.change_role("editor", "editor")
    repaired = account.repair(token="editor")
    assert repaired.rc == 0
    assert " ".join(repaired.table()["eu-west-1"].split()).startswith("active connection updated was failing: ")
    assert statuses(verification(account.verify(token="editor"))["regions"]) == dict.fromkeys(("us-east-1", "eu-west-1"), "active")
