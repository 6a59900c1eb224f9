# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of an account that was healed, and what is left to do for all accounts of a hub."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.plan import News, plan_result, waiting_result
from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import NOTHING, fleet, healed, rest_of_outage

NOW = datetime.datetime(2026, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)
HERE, THERE = "eu-west-1", "us-east-1"
PREFLIGHT = {"aws_account": "123456789012", "regions": [HERE, THERE], "obstacles": [], "checks": []}


def region(status: str, **more: Any) -> dict[str, Any]:
    reason = "" if status == "active" else "The connection is DEAUTHORIZED."
    return {"status": status, "reason": reason, "resources": {}, "evidence": None, "stack_set": "", "healing": {}, **more}


def info(**statuses: str) -> dict[str, Any]:
    """The result of spot_integration_info, `_` for `-` in names of regions."""
    return {"regions": {name.replace("_", "-"): region(status) for name, status in statuses.items()}}


def message(name: str, handle: str, account: str = "123456789012") -> dict[str, Any]:
    event = {"handle": handle, "receives": 2, "aws_account": account, "region": name, "name": "spot-interruption-act-d7320fba"}
    return {**event, "change": "Connection Deauthorized", "time": "2026-01-01T00:00:00Z"}


def result(
    before: dict[str, Any], after: dict[str, Any], messages: list[dict[str, Any]], predicted: bool = False, **more: Any
) -> dict[str, Any]:
    options = {"preflight": PREFLIGHT, "info": before, "enabled": True, "minimum_distance": 60.0, "repairs_per_hour": 5}
    changed = {"regions": {}, "summary": [{"region": HERE, "status": "active", "action": "reauthorized", "reason": "", "changed": True}]}
    given = {
        "spot_account": "act-d7320fba",
        "preflight": PREFLIGHT,
        "info": [before, after],
        "integration": changed,
        "plan": _plan({**options, **more}),
        "messages": messages,
        "failure": None,
        "known": "",
    }
    return healed({**given, **more}, host="production", predicted=predicted, now=NOW)


def _plan(options: dict[str, Any]) -> dict[str, Any]:
    return plan_result(options["info"].get("regions", {}), options["preflight"], options, NOW)


def waiting(handle: str, cause: str = "") -> dict[str, Any]:
    """A message to postpone."""
    return {"handle": handle, "receives": 2, "cause": cause}


def test_the_events_of_a_repaired_region_are_deleted_and_those_of_other_accounts_left() -> None:
    messages = [message(HERE, "a"), message(HERE, "b"), message(HERE, "c", "999999999999")]
    found = result(info(eu_west_1="inactive"), info(eu_west_1="active"), messages)
    assert (found["problem"], found["healing"]["delete"], found["healing"]["postpone"]) == ("", ["a", "b"], [])
    assert [news["kind"] for news in found["healing"]["news"]] == ["repaired"]
    assert found["healing"]["records"] == {HERE: "account=act-d7320fba repairs=2026-01-01T00:01:00Z"}


def test_what_is_still_broken_is_a_problem_and_postponed() -> None:
    found = result(info(eu_west_1="inactive"), info(eu_west_1="inactive"), [message(HERE, "a"), message(THERE, "b")])
    assert found["failed_regions"] == [HERE]
    assert found["problem"].startswith("1 of 1 region(s) not healed: eu-west-1 inactive: ")
    assert found["healing"]["postpone"] == [waiting("a", "failed"), waiting("b")]
    assert found["notes"] == [f"Events of {THERE} wait: these are not among the regions of this run."]


def test_an_account_that_could_not_be_read_postpones_everything() -> None:
    found = result({"msg": "no"}, {}, [message(HERE, "a")])
    assert (found["problem"], found["healing"]["postpone"]) == ("no", [waiting("a")])
    failed = result({}, {}, [message(HERE, "a")], failure={"msg": "a task\nfailed"})
    assert (failed["problem"], failed["healing"]["postpone"]) == ("a task failed", [waiting("a")])


def test_check_mode_is_no_problem() -> None:
    before = info(eu_west_1="inactive")
    given = {
        "spot_account": "act-d7320fba",
        "preflight": PREFLIGHT,
        "info": [before, {}],
        "integration": {},
        "messages": [],
        "failure": None,
        "known": "",
    }
    options = {"preflight": PREFLIGHT, "info": before, "enabled": True, "minimum_distance": 60.0, "repairs_per_hour": 5}
    assert healed({**given, "plan": _plan(options)}, host="production", predicted=True, now=NOW)["problem"] == ""


def test_events_that_no_account_took_are_postponed_and_named() -> None:
    done = {"healing": {**NOTHING, "delete": ["a"], "postpone": [waiting("b")]}}
    received = {
        "messages": {"spot-interruption-act-d7320fba": [message(HERE, "a"), message(HERE, "b")], "another": [message(HERE, "c")]},
        "unreadable": [{"id": "m", "handle": "d", "receives": 1, "why": "the body is not JSON"}],
    }
    whole = fleet([done, None, {"problem": "it failed before"}], received, NOW)
    assert (whole["delete"], [entry["handle"] for entry in whole["postpone"]]) == (["a"], ["b", "c", "d"])
    assert whole["problem"] == (
        "1 event(s) are of no account of this run: spot-interruption-act-d7320fba in AWS account 123456789012. "
        "1 message(s) are not events of EventBridge: the body is not JSON."
    )


def test_a_queue_that_could_not_be_read_is_a_problem_and_a_sweep_reads_none() -> None:
    assert fleet([], {"failed": True, "msg": "The hub's queue does not exist."}, NOW)["problem"] == "The hub's queue does not exist."
    assert fleet([], {}, NOW)["problem"] == ""


def test_events_of_an_outage_come_back_one_after_the_other_in_turn_one_of_each_account() -> None:
    def lost(*handles: str) -> dict[str, Any]:
        return {"healing": {**NOTHING, "unproved": "no", "postpone": [waiting(handle, "no_proof") for handle in handles]}}

    whole = fleet([lost("a1", "a2", "a3"), lost("b1"), lost("c1", "c2")], {}, NOW)
    seconds = {entry["handle"]: entry["seconds"] for entry in whole["postpone"]}
    assert list(seconds) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    # Received twice, a message waits for 48 to 72 seconds; the turns are later from the third on.
    assert [seconds[handle] for handle in ("c1", "a2", "c2", "a3")] == [90, 120, 150, 180]
    assert max(entry["seconds"] for entry in fleet([lost(*map(str, range(99)))], {}, NOW)["postpone"]) == 300


def worked_on(account: str, **healing: Any) -> dict[str, Any]:
    """The result of an account."""
    return {"spot_account": account, "healing": {**NOTHING, **healing}}


def test_the_rest_of_an_outage_is_worked_on_as_soon_as_one_token_was_proved() -> None:
    first, second, third, other = (f"act-0000000{number}" for number in range(4))
    why = "Spot did not respond."
    lost = [
        {**dataclasses.asdict(News(HERE, kind="not_repaired", cause="no_proof", why=why)), "spot_account": account, "aws_account": None}
        for account in (first, second, third)
    ]
    known = {"known": fleet([worked_on(first, news=lost, unproved=why)], {}, NOW)["known"]}
    accounts: dict[str, Any] = {
        "proved": worked_on(first, proved=True),
        "refused": worked_on(second, unproved=why),
        "without events": worked_on(third),
        "failed": None,
        "never lost": worked_on(other),
    }
    assert rest_of_outage(accounts, known) == ["refused", "without events", "failed"]
    assert rest_of_outage({**accounts, "proved": worked_on(first, unproved=why)}, known) == []
    # The token of an account that did not wait shows nothing about the others.
    assert rest_of_outage({**accounts, "proved": worked_on(other, proved=True)}, known) == []
    del accounts["refused"]
    assert rest_of_outage(accounts, {"known": "over"}) == []
    assert rest_of_outage(accounts, {}) == []


def test_an_outage_that_ends_in_the_run_that_notices_it_leaves_no_account_waiting() -> None:
    def refused(number: int, why: str) -> dict[str, Any]:
        return worked_on(f"act-0000000{number}", unproved=why.format(f"act-0000000{number}"))

    proved = {"proved": worked_on("act-00000009", proved=True)}
    down, token = "Spot responded with 503 for {}.", "Spot refuses the token for {}: 401."
    assert rest_of_outage({**proved, "first": refused(1, down)}, {"known": ""}) == ["first"]
    several = {"first": refused(1, token), "second": refused(2, token)}
    assert rest_of_outage({**proved, **several}, {"known": ""}) == ["first", "second"]
    # The token of a single account is its own, and nothing is over as long as none is accepted.
    assert rest_of_outage({**proved, "first": refused(1, token)}, {"known": ""}) == []
    assert rest_of_outage(several, {"known": ""}) == []


def test_an_account_without_a_proof_says_why() -> None:
    refused = {**PREFLIGHT, "obstacles": ["Spot refuses the token."]}
    found = result(info(eu_west_1="inactive"), {}, [message(HERE, "a")], preflight=refused)["healing"]
    assert (found["proved"], found["unproved"], found["postpone"]) == (False, "Spot refuses the token.", [waiting("a", "no_proof")])
    # Where nothing is to be repaired, the token is not needed.
    found = result(info(eu_west_1="active"), {}, [message(HERE, "a")], preflight=refused)["healing"]
    assert (found["proved"], found["unproved"], found["delete"]) == (False, "", ["a"])


def test_an_account_that_waits_as_people_know_says_so_and_keeps_its_events() -> None:
    refused = {**PREFLIGHT, "obstacles": ["Spot refuses the token."]}
    first = result(info(eu_west_1="inactive"), {}, [], preflight=refused)["healing"]["news"]
    known = fleet([worked_on("act-d7320fba", news=[{**item, "spot_account": "act-d7320fba"} for item in first])], {}, NOW)["known"]
    # Also without an event, as at the end of an outage.
    for messages in ([message(HERE, "a"), message(THERE, "b")], []):
        given = {"preflight": refused, "plan": waiting_result(refused, NOW), "known": known}
        found = result({"regions": {}}, {}, messages, **given)
        assert (
            found["problem"]
            == "not read again, and nothing was repaired, as people know since 2026-01-01T00:01:00Z: Spot refuses the token."
        )
        assert (found["summary"], found["aws_account"]) == ([], "123456789012")
        postponed = [waiting(entry["handle"], "no_proof") for entry in messages]
        assert found["healing"] == {**NOTHING, "unproved": "Spot refuses the token.", "postpone": postponed}
        checked = result({"regions": {}}, {}, messages, predicted=True, **given)
        assert (checked["problem"], checked["notes"], checked["healing"]) == ("", [found["problem"]], found["healing"])


def test_connections_that_were_authorised_again_are_repaired_and_the_others_say_why() -> None:
    messages = [message(HERE, "a"), message(THERE, "b")]
    before = info(eu_west_1="inactive", us_east_1="inactive")
    done = {
        "changed": True,
        "msg": "connection: 1 of 2 region(s) failed.",
        "regions": {
            HERE: {"action": "reauthorized", "changed": True, "connection": {}},
            THERE: {"action": "failed", "changed": False, "error": {"code": "Throttling", "message": "slow down"}},
        },
    }
    found = result(before, {}, messages, integration=done)
    assert (found["healing"]["delete"], found["healing"]["postpone"]) == (["a"], [waiting("b", "failed")])
    assert {line["region"]: (line["status"], line["action"]) for line in found["summary"]} == {
        HERE: ("active", "reauthorized"),
        THERE: ("inactive", "-"),
    }
    assert "Throttling: slow down" in found["problem"]
    assert [(news["region"], news["kind"]) for news in found["healing"]["news"]] == [(HERE, "repaired"), (THERE, "not_repaired")]
    assert list(found["healing"]["records"]) == [HERE, THERE]
