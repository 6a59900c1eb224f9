# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory keeps between two runs, and what not. The runner looks into every file for a token."""

from __future__ import annotations

import time
from typing import Any

from tests.integration.inventory.runner import Inventory
from tests.sandbox.client import Sandbox


def cached(inventory: Inventory, **options: Any) -> dict[str, Any]:
    folder = str(inventory.folder / "cache")
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": folder, **options}


def test_what_is_cached_is_not_asked_again_whatever_the_filters_and_the_token(inventory: Inventory, sandbox: Sandbox) -> None:
    first = inventory(**cached(inventory))
    kept = list((inventory.folder / "cache").iterdir())
    assert (first.requests, len(first.hosts), len(kept)) == (1, 3, 1)
    assert "act-d7320fba" in kept[0].read_text()

    again = inventory("-v", **cached(inventory), token=None)
    assert (again.requests, again.hosts) == (0, first.hosts)
    assert "4 accounts of the Spot organisation: 3 hosts, 1 without an AWS account" in again.output

    other = inventory(**cached(inventory, hostname="name", include=[{"name": "staging"}], compose={"x": "aws_account"}))
    assert (other.requests, list(other.hosts), other.hosts["staging"]["x"]) == (0, ["staging"], "210987654321")

    sandbox.add_spot_accounts([{"accountId": "act-0a0a0a0a", "providerExternalId": "333333333333"}])
    flushed = inventory("--flush-cache", **cached(inventory))
    assert (flushed.requests, len(flushed.hosts)) == (1, 4)
    assert inventory(**cached(inventory)).hosts == flushed.hosts


def test_a_cache_is_of_one_address_and_one_file_and_does_not_last_for_ever(inventory: Inventory, sandbox: Sandbox) -> None:
    assert inventory(**cached(inventory)).requests == 1
    assert inventory(**cached(inventory, spot_api_url=sandbox.spot_url + "/")).requests == 1
    assert inventory.list(inventory.file("other.spot_accounts.yml", **cached(inventory))).requests == 1
    time.sleep(1.1)
    assert inventory(**cached(inventory, cache_timeout=1)).requests == 1


def test_what_could_not_be_listed_is_not_cached_and_what_cannot_be_read_is_asked_anew(inventory: Inventory, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 403}}, {"target": "spot"}, times=1)
    assert inventory(**cached(inventory)).hosts == {}
    assert inventory(**cached(inventory)).requests == 1
    (kept,) = (inventory.folder / "cache").iterdir()
    whole = kept.read_text()
    for left in (whole.replace("spot_account", "account"), "{}", whole[:100]):
        kept.write_text(left)
        anew = inventory(**cached(inventory))
        assert (anew.requests, len(anew.hosts)) == (1, 3)
    assert inventory(**cached(inventory)).requests == 0
