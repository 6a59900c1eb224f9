# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of the inventory when Spot refuses or is out of order. The runner looks for tokens and tracebacks everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.inventory.runner import Inventory
from tests.sandbox.client import Sandbox

LIMITED = "Too many requests in this organisation: run again in a minute or later."


@pytest.mark.parametrize(
    ("fault", "requests", "words"),
    [
        ({"status": 401}, 1, "Spot responded with 401 to GET /setup/account: A fault of the sandbox. Spot does not know the token"),
        ({"status": 429, "reset": 3600}, 1, f"A fault of the sandbox (the rate limit ends in 3600 s). {LIMITED}"),
        ({"error": {"status": 500, "message": "Boom"}}, 3, "Spot responded with 500 to GET /setup/account: Boom. Run again later."),
        ({"text": "no such\nroute", "status": 404}, 1, "Spot responded with 404 to GET /setup/account: no such route. Check the address"),
        ({"drop": True}, 3, "Spot did not respond at http://127.0.0.1"),
        ({"garbage": True}, 1, "/setup/account is not the Spot API"),
    ],
    ids=["401", "429", "500", "text", "drop", "garbage"],
)
def test_an_answer_that_is_no_list_leaves_no_host_and_says_why(
    inventory: Inventory, sandbox: Sandbox, fault: dict[str, Any], requests: int, words: str
) -> None:
    sandbox.add_fault(fault, {"target": "spot"})
    listing = inventory("-vvvv")
    assert words in listing.warnings
    assert "Unable to parse" in listing.warnings
    assert (listing.hosts, listing.requests) == ({}, requests)


def test_a_token_that_is_no_administrators_is_told_so(inventory: Inventory) -> None:
    listing = inventory("-vvvv", token="editor")
    assert "Spot responded with 403 to GET /setup/account: " in listing.warnings
    assert "Listing accounts needs the token of an organisation administrator." in listing.warnings
    assert (listing.hosts, listing.requests) == ({}, 1)


def test_a_token_that_spot_repeats_is_not_shown(inventory: Inventory, sandbox: Sandbox) -> None:
    # Partly beyond what is shown of a text.
    sandbox.add_fault({"text": "x" * 170 + f" Bearer {sandbox.tokens['admin']}", "status": 403}, {"target": "spot"})
    listing = inventory("-vvvv")
    assert "x Bearer ********" in listing.warnings
    assert sandbox.tokens["admin"][:8] not in listing.output


@pytest.mark.slow
def test_a_rate_limit_is_waited_for(inventory: Inventory, sandbox: Sandbox) -> None:
    sandbox.add_fault({"status": 429, "reset": 1}, {"target": "spot"}, times=1)
    listing = inventory()
    assert (len(listing.hosts), listing.requests) == (3, 2)
    first, second = (request["time"] for request in sandbox.received())
    assert 1.5 < second - first < 10


def test_a_list_that_may_not_be_all_of_it_is_a_warning(inventory: Inventory, sandbox: Sandbox) -> None:
    sandbox.add_spot_accounts([{"accountId": "", "name": "nobody"}])
    listing = inventory()
    assert len(listing.hosts) == 3
    assert "1 of the 5 accounts that Spot listed have no id, and are left out." in listing.warnings
