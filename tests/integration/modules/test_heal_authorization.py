# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module that proves the token and authorises connections again: in which regions, what it leaves alone, and what it never writes."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import untold
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import as_text
from tests.integration.modules.aws import ACCOUNT, NAME, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

WELL, LOST, ALSO_LOST = REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
OTHER_ACCOUNT = "111111111111"


class Healing:
    """An integration in three regions, two of which have lost their authorisation, and the module under test."""

    def __init__(self, run: Runner, sandbox: Sandbox, aws: Aws) -> None:
        self._run, self._sandbox = run, sandbox
        self._usual = {"name": NAME, "spot_account": SPOT_ACCOUNT, "regions": REGIONS}
        self.endpoint = f"{sandbox.spot_url}/aws/ec2/instance/interruptionNotification"
        made = run("spot_integration", **self._usual, spot_token=sandbox.tokens["admin"], role_name=NAME, invocation_endpoint=self.endpoint)
        assert not made.failed, made.message
        for region in (LOST, ALSO_LOST):
            aws.events(region).deauthorize_connection(Name=NAME)
        sandbox.clear_calls()

    def __call__(self, scope: str, token: str | None = "admin", **more: Any) -> Run:
        given = {
            **self._usual,
            "scope": scope,
            "spot_api_url": self._sandbox.spot_url,
            "spot_token": self._sandbox.tokens.get(token, token) if token else None,
            "require_spot": False,
            # They were authorised just now.
            "minimum_distance": 0,
            **more,
        }
        return self._run("spot_heal_authorization", **given)

    def read(self) -> set[str]:
        """The regions whose connections were read."""
        return {call["region"] for call in self._sandbox.calls(operation="DescribeConnection")}

    def written(self) -> list[tuple[str, str]]:
        return sorted((call["operation"], call["region"]) for call in self._sandbox.calls(writes=True))


@pytest.fixture
def healing(run: Runner, sandbox: Sandbox, aws: Aws) -> Healing:
    return Healing(run, sandbox, aws)


def message(region: str, account: str = ACCOUNT) -> dict[str, Any]:
    return {"handle": region, "receives": 1, "aws_account": account, "region": region, "name": NAME, "time": "", "change": ""}


MESSAGES = [message(LOST), message(WELL, OTHER_ACCOUNT), message("eu-north-1")]


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["all", "waited"])
def test_lost_authorisations_are_renewed_and_nothing_else_is_touched(healing: Healing, sandbox: Sandbox, aws: Aws, scope: str) -> None:
    predicted = healing(scope, check=True)
    assert healing.written() == []
    done = healing(scope)
    assert (predicted.changed, done.changed) == (True, True)
    assert predicted.answer["diff"] == done.answer["diff"]
    assert done.answer["plan"]["repair"] == [LOST, ALSO_LOST]
    assert {name: entry["action"] for name, entry in done.answer["connections"]["regions"].items()} == {
        LOST: "reauthorized",
        ALSO_LOST: "reauthorized",
    }
    assert healing.written() == [("UpdateConnection", ALSO_LOST), ("UpdateConnection", LOST)]
    assert [aws.written_key(region) for region in REGIONS] == [f"Bearer {sandbox.tokens['admin']}"] * 3
    again = healing(scope)
    assert (again.changed, again.answer["plan"]["repair"], again.answer["connections"]) == (False, [], {})


def test_no_call_is_made_twice(healing: Healing, sandbox: Sandbox) -> None:
    healing("all")
    found = Counter(call["operation"] for call in sandbox.calls() if call["region"] == LOST)
    # The second description is that of the result.
    assert found == {"DescribeConnection": 2, "ListTagsForResource": 1, "DescribeStackResources": 1, "UpdateConnection": 1}
    assert sandbox.calls(service="secretsmanager") == []


@pytest.mark.parametrize(
    ("scope", "token", "regions"),
    [
        ("none", "admin", set()),
        ("none", None, set()),
        # A run for events reads everything, elsewhere.
        ("events", "admin", set()),
        # Those of the account's own events, among the regions of this run.
        ("events", "revoked", {LOST}),
        ("events", None, {LOST}),
        ("waited", "revoked", {LOST}),
        ("waited", "viewer", {LOST}),
        ("all", "revoked", set(REGIONS)),
    ],
)
def test_only_the_regions_of_the_scope_are_read_and_none_is_written(
    healing: Healing, sandbox: Sandbox, scope: str, token: str | None, regions: set[str]
) -> None:
    if token == "revoked":
        sandbox.revoke_token("admin")
    done = healing(scope, "admin" if token == "revoked" else token, messages=MESSAGES)
    assert not done.failed, done.message
    assert (healing.read(), healing.written(), set(done.answer["info"].get("regions", {}))) == (regions, [], regions)
    if regions:
        waits = {name for name, decision in done.answer["plan"]["decisions"].items() if decision["cause"] == "no_proof"}
        assert waits == regions - {WELL}
        assert done.answer["preflight"]["obstacles"]


@pytest.mark.parametrize("scope", ["none", "events", "waited", "all"])
def test_an_account_that_people_know_to_wait_is_not_read_again(healing: Healing, sandbox: Sandbox, scope: str) -> None:
    sandbox.revoke_token("admin")
    why = " ".join(healing("none").answer["preflight"]["obstacles"])
    sandbox.clear_calls()
    item = {"kind": "not_repaired", "spot_account": SPOT_ACCOUNT, "region": LOST, "cause": "no_proof", "why": why, "count": 0}
    now = datetime.datetime.now(datetime.timezone.utc)
    known = untold([{**item, "lost": as_text(now), "authorized": ""}], "", now, [])[1]
    done = healing(scope, messages=MESSAGES, known=known)
    assert (healing.read(), healing.written(), done.answer["info"]["regions"]) == (set(), [], {})
    assert {name: decision["cause"] for name, decision in done.answer["plan"]["decisions"].items()} == dict.fromkeys(REGIONS, "no_proof")
    # Of another account, people know nothing.
    other = untold([{**item, "spot_account": "act-00000000", "lost": as_text(now), "authorized": ""}], "", now, [])[1]
    assert not healing(scope, messages=MESSAGES, known=other).failed
    assert bool(healing.read()) == (scope != "none")


def test_a_region_that_refuses_stops_no_other(healing: Healing, sandbox: Sandbox) -> None:
    denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized"}}
    sandbox.add_fault(denied, {"operation": "UpdateConnection", "region": LOST})
    done = healing("all")
    assert not done.failed
    connections = done.answer["connections"]
    assert connections["failed_regions"] == [LOST]
    assert connections["regions"][LOST]["error"]["code"] == "AccessDeniedException"
    assert connections["regions"][ALSO_LOST]["action"] == "reauthorized"


def test_a_region_that_was_authorised_just_now_waits(healing: Healing) -> None:
    done = healing("all", minimum_distance=3600)
    assert healing.written() == []
    assert {decision["cause"] for decision in done.answer["plan"]["decisions"].values()} == {"", "too_soon"}


def test_a_region_that_is_not_to_be_healed_is_left_alone(healing: Healing) -> None:
    done = healing("all", enabled=False)
    assert healing.written() == []
    assert [decision["action"] for decision in done.answer["plan"]["decisions"].values()] == ["well", "leave", "leave"]


def test_preflight_that_fails_says_why(healing: Healing) -> None:
    done = healing("all", aws_account=OTHER_ACCOUNT)
    assert done.failed
    assert done.answer["problem"] == done.message
    assert OTHER_ACCOUNT in done.message
    assert (healing.read(), healing.written()) == (set(), [])
