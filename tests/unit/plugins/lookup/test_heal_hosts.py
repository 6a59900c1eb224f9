# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of the play at the end of an outage: those that wait, of the hubs in which a token was proved; otherwise nobody."""

from __future__ import annotations

from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.spot.eventbridge.plugins.lookup.heal_hosts import LookupModule
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import Trouble, text_of

HEALING = {"news": [], "records": {}, "delete": [], "postpone": [], "proved": False, "unproved": ""}


class HostVars:
    """The variables of hosts as Ansible has them."""

    def __init__(self, of_hosts: dict[str, dict[str, Any]]) -> None:
        self._of_hosts = of_hosts

    def raw_get(self, host: str) -> dict[str, Any]:
        return self._of_hosts[host]


def host(account: str, received: dict[str, Any] | None = None, **healing: Any) -> dict[str, Any]:
    """The variables of a host after it was worked on."""
    found = {"spot_eventbridge_result": {"spot_account": account, "summary": [], "healing": {**HEALING, **healing}}}
    return {**found, **({"__spot_eventbridge_queue": received} if received else {})}


def hosts(groups: dict[str, list[str]], of_hosts: dict[str, dict[str, Any]], which: str = "rest") -> list[str]:
    return LookupModule().run([which], {"groups": groups, "hostvars": HostVars(of_hosts)})


def test_each_hub_is_one_of_its_own() -> None:
    accounts = [f"act-0000000{number}" for number in range(6)]
    time = "2026-01-01T00:00:00Z"
    known = {"known": text_of([Trouble("0a1b2c3d", time, time, time, 1, frozenset(accounts))])}
    of_hosts = {
        "first": host(accounts[0], known, unproved="no"),
        "second": host(accounts[1], proved=True),
        "third": host(accounts[2]),
        "of another hub": host(accounts[3], known, unproved="no"),
        "of a hub without an outage": host(accounts[4], {"known": ""}, unproved="no"),
        "its neighbour": host(accounts[5], proved=True),
    }
    groups = {
        "all": list(of_hosts),
        "spot_hub_one": ["first", "second", "third"],
        "spot_hub_two": ["of another hub"],
        "spot_hub_three": ["of a hub without an outage", "its neighbour"],
    }
    assert hosts(groups, of_hosts) == ["first", "third"]


def test_without_an_outage_it_is_nobody_and_ansible_does_not_warn() -> None:
    (pattern,) = hosts({"all": ["first"], "spot_hub_one": ["first"]}, {"first": host("act-00000000", proved=True)})
    inventory = InventoryManager(DataLoader(), sources=["first,"])
    assert inventory.get_hosts(pattern) == []


def test_work_is_for_the_accounts_without_a_result_and_settling_for_the_first_one_and_those_with_a_record() -> None:
    of_hosts = {
        "first": host("act-00000000"),
        "idle": host("act-00000001"),
        "with events": {},
        "repaired": host("act-00000002", records={"eu-west-1": "repairs=…"}),
        "first of another hub": host("act-00000003"),
    }
    groups = {"all": list(of_hosts), "spot_hub_one": list(of_hosts)[:4], "spot_hub_two": ["first of another hub"]}
    assert hosts(groups, of_hosts, "work") == ["with events"]
    assert hosts(groups, of_hosts, "settle") == ["first", "repaired", "first of another hub"]
