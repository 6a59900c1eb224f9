# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import itertools
import typing as t
from dataclasses import asdict

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import ACTIVE, INACTIVE, problem, row
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.brakes import (
    NO_PROOF,
    WAIT,
    WELL,
    Decision,
    pauses,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import is_outage, known_loss, untold, waiting_accounts
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.plan import Outcome, outcome, own_messages
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import healing_tag, parse_time
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import Result, failed, module_error, result
from ansible_collections.spot.eventbridge.plugins.plugin_utils._results import latest, not_begun, repair_rows, who_of

Info = t.Mapping[str, t.Any]
# The remaining work of a run without work.
NOTHING: dict[str, t.Any] = {"news": [], "records": {}, "delete": [], "postpone": [], "proved": False, "unproved": ""}


def healed(given: Info, *, host: str, predicted: bool, now: datetime.datetime) -> Result:
    """Return the result of an account that was healed, with `healing`: what is still to be told, recorded, deleted and postponed.

    :param given: the options of `spot_account_report`
    """
    who = who_of(given, host)
    if not given["preflight"] and given["failure"] is None:
        return {**result([], **who, good=(), problem="", notes=["No event waits."]), "healing": NOTHING}
    error = not_begun(given)
    if error:
        # Whose they are is not known without the AWS account; those of another account with the same name wait a little longer.
        return {**failed(error, **who), "healing": {**NOTHING, "postpone": handles(given["messages"])}}
    before, after = (given["info"][0] if given["info"] else {}), latest(given["info"][1:])
    planned, done = given["plan"], latest([given["integration"]])
    mine = own_messages(given["messages"], str(who["aws_account"]))
    error = module_error(before, "regions")
    if error:
        return {**failed(error, **who), "healing": {**NOTHING, "postpone": handles(mine)}}
    decisions = {name: Decision(**decision) for name, decision in planned["decisions"].items()}
    if decisions and not before["regions"]:
        return _still_waits(given, mine, who, predicted)
    if not planned["repair"]:
        after, done = {}, {}  # what is given is of another run
    elif "regions" in done and "summary" not in done:
        after, done = _authorized_again(before, done, predicted)
    role = done.get("execution_role") or {}
    error = "" if predicted or not planned["repair"] else role_error(done)
    acts = {row["region"]: row for row in done.get("summary", ())}
    ends = {
        name: outcome(
            name,
            entry,
            (after.get("regions") or {}).get(name, entry),
            decisions[name],
            [message for message in mine if message["region"] == name],
            changed=bool(role.get("changed") or acts.get(name, {}).get("changed")),
            failure=error or acts.get(name, {}).get("reason", ""),
            began=parse_time(planned["began"]),
            now=now,
            known=known_loss(given["known"], given["spot_account"]),
        )
        for name, entry in before["regions"].items()
    }
    rows = [
        {**row, "reason": _reason(row["reason"], ends[row["region"]].decision)}
        for row in repair_rows(before, after, done.get("summary", ()), bool(role.get("changed")), predicted)
    ]
    left = [row for row in rows if ends[row["region"]].decision.action == WAIT]
    told = "" if predicted else problem(left, (), "not healed", "")
    elsewhere = sorted({message["region"] for message in mine} - ends.keys())
    notes = [f"Events of {', '.join(elsewhere)} wait: these are not among the regions of this run."] if elsewhere else []
    found = result(rows, **who, good=(), problem=told, notes=notes)
    return {**found, "failed_regions": [row["region"] for row in left], "healing": _to_do(given, ends, mine, who)}


def _still_waits(given: Info, mine: t.Sequence[Info], who: Info, predicted: bool) -> Result:
    """Return the result of an account of which nothing was read, as people know that it waits for Spot to accept its token.

    In check mode, it is no problem, as regions that wait are none.
    """
    told = known_loss(given["known"], given["spot_account"])[1]
    why = " ".join(given["preflight"]["obstacles"])
    causes = dict.fromkeys((message["region"] for message in mine), NO_PROOF)
    left = {**NOTHING, "postpone": handles(mine, causes), "unproved": why}
    waits = f"not read again, and nothing was repaired, as people know since {told}: {why}"
    found = result([], **who, good=(), problem="", notes=[waits]) if predicted else failed(waits, **who)
    return {**found, "healing": left}


def _authorized_again(before: Info, done: Info, predicted: bool) -> tuple[Info, Info]:
    """Return the result of the module of connections as that of `spot_integration_info` afterwards, and as that of `spot_integration`."""
    failed = {name: f"{entry['error']['code']}: {entry['error']['message']}" for name, entry in done["regions"].items() if "error" in entry}
    well = (
        {}
        if predicted
        else {name: {**before["regions"][name], "status": ACTIVE, "reason": ""} for name in done["regions"] if name not in failed}
    )
    rows = [
        row(
            name,
            INACTIVE if name in failed else ACTIVE,
            action="-" if name in failed else entry["action"],
            reason=failed.get(name, ""),
            changed=entry["changed"],
        )
        for name, entry in done["regions"].items()
    ]
    return {"regions": well}, {**done, "summary": rows}


def role_error(done: Info) -> str:
    """Return why a module repaired no region; empty if it worked on the regions."""
    role = done.get("execution_role") or {}
    return str(done["msg"]) if role.get("action") == "failed" else module_error(done, "regions")


def handles(messages: t.Iterable[Info], causes: t.Mapping[str, str] | None = None) -> list[dict[str, t.Any]]:
    """Return messages to postpone as `pauses` takes them.

    :param causes: why they wait, by region
    """
    found = causes or {}
    return [
        {"handle": message["handle"], "receives": message["receives"], "cause": found.get(message.get("region", ""), "")}
        for message in messages
    ]


def _to_do(given: Info, ends: t.Mapping[str, Outcome], mine: t.Sequence[Info], who: Info) -> dict[str, t.Any]:
    spot_account, obstacles = given["spot_account"], given["preflight"].get("obstacles") or ()
    done = {name for name, end in ends.items() if end.decision.is_done}
    causes = {name: end.decision.cause for name, end in ends.items()}
    return {
        "news": [
            {"spot_account": spot_account, "aws_account": who["aws_account"], **asdict(end.news)} for end in ends.values() if end.news
        ],
        "records": {name: healing_tag(spot_account, end.record) for name, end in ends.items() if end.record is not None},
        "delete": [message["handle"] for message in mine if message["region"] in done],
        "postpone": handles((message for message in mine if message["region"] not in done), causes),
        "proved": not obstacles,
        "unproved": " ".join(obstacles) if NO_PROOF in causes.values() else "",
    }


def _reason(reason: str, decision: Decision) -> str:
    if decision.action == WELL or not decision.why or decision.why in reason:
        return reason
    return f"{reason} Not repaired: {decision.why}" if reason else decision.why


def fleet(results: t.Iterable[Info | None], received: Info, now: datetime.datetime) -> dict[str, t.Any]:
    """Return what is still to be done for all accounts of a hub, the result of `spot_heal_summary`.

    :param results: those of the accounts; None for an account that left none
    :param received: the result of `spot_heal_queue`
    """
    accounts = [found for found in results if found and found.get("healing")]
    work = [found["healing"] for found in accounts]
    news, delete = ([entry for each in work for entry in each[key]] for key in ("news", "delete"))
    # In turn one of each account, as the first ones come back first.
    postpone = [entry for turn in itertools.zip_longest(*(each["postpone"] for each in work)) for entry in turn if entry]
    settled = {*delete, *(message["handle"] for message in postpone)}
    messages = [message for found in (received.get("messages") or {}).values() for message in found]
    rest = [message for message in messages if message["handle"] not in settled]
    unreadable = received.get("unreadable") or []
    problems = [module_error(received, "messages")] if received and not received.get("skipped") else []
    if rest:
        whose = sorted({f"{message['name']} in AWS account {message['aws_account']}" for message in rest})
        problems.append(f"{len(rest)} event(s) are of no account of this run: {', '.join(whose)}.")
    if unreadable:
        problems.append(f"{len(unreadable)} message(s) are not events of EventBridge: {unreadable[0]['why']}.")
    kept, known = untold(news, received.get("known", ""), now, {found["spot_account"] for found in accounts if found["healing"]["proved"]})
    return {
        "news": kept,
        "known": known,
        "delete": delete,
        "postpone": [
            {"handle": handle, "seconds": seconds} for handle, seconds in pauses([*postpone, *handles([*rest, *unreadable])]).items()
        ],
        "problem": " ".join(filter(None, problems)),
    }


def to_settle(results: t.Mapping[str, Info | None]) -> list[str]:
    """Return the hosts that settle: the first one of a hub, for all of them, and those with a repair to be recorded."""
    return [
        host for number, (host, found) in enumerate(results.items()) if number == 0 or ((found or {}).get("healing") or NOTHING)["records"]
    ]


def rest_of_outage(results: t.Mapping[str, Info | None], received: Info) -> list[str]:
    """Return the hosts that are worked on although none of their events was received: those that an outage of Spot has kept waiting.

    An outage is over if the token of an account that people know to wait was proved in this run, or that of any account if this run was
    the first one to notice the outage.

    :param results: those of the accounts of a hub, by host; None for an account that left none
    """
    waiting = waiting_accounts(received.get("known", ""))
    found = {host: result or {} for host, result in results.items()}
    work = {host: result.get("healing") or NOTHING for host, result in found.items()}
    proved = {found[host].get("spot_account") for host, each in work.items() if each["proved"]}
    refused = [each["unproved"] for host, each in work.items() if each["unproved"] and found[host].get("spot_account") not in waiting]
    if not proved & waiting and not (proved and is_outage(refused)):
        return []
    return [
        host
        for host, each in work.items()
        if results[host] is None or each["unproved"] or (not each["proved"] and found[host].get("spot_account") in waiting)
    ]
