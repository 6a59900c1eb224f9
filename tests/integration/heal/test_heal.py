# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Healing one account: an event is a hint, nothing is written without a proof, and nothing is lost."""

from __future__ import annotations

import dataclasses
import datetime
import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import tags_of, text_in, text_of, troubles_in
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import as_text, parse_time
from tests.integration.heal.conftest import REGIONS, Watched
from tests.integration.heal.hub import event, interruption
from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import last_message
from tests.sandbox.client import NOTIFICATION, Sandbox

HOME, LOST, THIRD = REGIONS


def test_a_lost_region_is_repaired_and_the_next_notice_arrives(watched: Watched, sandbox: Sandbox) -> None:
    watched.lose(LOST)
    assert watched.states()[LOST] == "DEAUTHORIZED"
    assert watched.hub.waiting() > 0
    sandbox.clear_received()
    run = watched.heal()
    assert run.rc == 0, run.output
    assert len(sandbox.proofs()) == 1
    assert set(watched.states().values()) == {"AUTHORIZED"}
    # What the repair announces comes to the queue, too.
    assert {call.split()[0] for call in watched.written()} == {LOST}
    assert watched.told() == [("repaired", "", LOST)]
    sandbox.interrupt(LOST)
    assert sandbox.settled()
    assert [note["status"] for note in sandbox.notifications()] == [200]
    assert watched.heal().rc == 0
    assert (watched.hub.waiting(), watched.hub.dead_letters()) == (0, 0)
    assert watched.told() == [("repaired", "", LOST)]


@pytest.mark.slow
def test_all_regions_at_once_are_one_proof_and_one_message(watched: Watched, sandbox: Sandbox) -> None:
    watched.lose(*REGIONS)
    sandbox.clear_received()
    run = watched.heal()
    assert run.rc == 0, run.output
    assert len(sandbox.proofs()) == 1
    assert watched.repairs() == dict.fromkeys(REGIONS, 1)
    assert len(list(watched.notifications.glob("*.json"))) == 1
    assert sorted(watched.told()) == sorted(("repaired", "", region) for region in REGIONS)


@pytest.mark.slow
def test_where_nothing_waits_neither_spot_nor_the_account_is_queried(watched: Watched, sandbox: Sandbox) -> None:
    run = watched.heal()
    assert (run.rc, run.changed) == (0, 0)
    assert sandbox.received() == []
    assert {call["operation"] for call in sandbox.calls()} == {"GetQueueUrl", "ReceiveMessage", "GetQueueAttributes"}


@pytest.mark.slow
def test_an_event_of_a_region_that_is_well_is_deleted_and_nothing_is_written(watched: Watched) -> None:
    watched.hub.send(event(watched.account.name, LOST))
    watched.hub.send(event(watched.account.name, LOST, change="API Destination Deactivated"))
    run = watched.heal()
    assert (run.rc, watched.hub.waiting(), watched.written(), watched.told()) == (0, 0, set(), []), run.output


@pytest.mark.slow
def test_what_others_send_waits_is_named_and_stops_nothing(watched: Watched) -> None:
    watched.hub.send("not JSON")
    watched.hub.send(event("spot-interruption-act-00000009", LOST, "999999999999"))
    watched.lose(LOST)
    run = watched.heal()
    assert watched.states()[LOST] == "AUTHORIZED"
    message = last_message(run)
    assert "1 event(s) are of no account of this run: spot-interruption-act-00000009 in AWS account 999999999999." in message
    assert "1 message(s) are not events of EventBridge: the body is not JSON." in message
    assert watched.hub.waiting() >= 2


@pytest.mark.slow
def test_a_message_that_nobody_can_process_becomes_a_dead_letter(watched: Watched) -> None:
    watched.hub.send("not JSON")
    assert until_it_ends(watched)[-1].rc == 0
    assert (watched.hub.waiting(), watched.hub.dead_letters()) == (0, 1)


def until_it_ends(watched: Watched, most: int = 15, **options: Any) -> list[Run]:
    """Run it as a schedule does, until no message is left."""
    runs = []
    while len(runs) < most and (not runs or watched.hub.waiting()):
        runs.append(watched.heal(**options))
        time.sleep(0.5)
    runs.append(watched.heal(**options))
    return runs


@pytest.mark.slow
def test_a_revoked_token_is_never_written_told_twice_and_ends_as_dead_letters(watched: Watched, sandbox: Sandbox) -> None:
    """A day of runs: the pauses are a hundredth, and the hour until the reminder is over when the tags of the hub's queue say so."""
    sandbox.revoke_token("admin")
    sandbox.interrupt(LOST)
    assert sandbox.settled()
    assert watched.states()[LOST] == "DEAUTHORIZED"
    first = watched.heal()
    assert "Spot refuses the token for act-d7320fba" in last_message(first)
    assert watched.told() == [("not_repaired", "no_proof", LOST)]
    assert watched.heal(sweep=True).rc == 2
    assert len(watched.told()) == 1
    an_hour_passes(watched)
    runs = until_it_ends(watched)
    an_hour_passes(watched)
    assert watched.heal(sweep=True).rc == 2
    # While all events are postponed, there is nothing to do.
    assert {run.rc for run in runs} <= {0, 2}
    assert watched.told() == [("not_repaired", "no_proof", LOST)] * 2
    assert (watched.hub.waiting(), watched.hub.dead_letters() > 0) == (0, True)
    assert watched.written() == set()
    assert watched.repairs() == {}


def an_hour_passes(watched: Watched) -> None:
    """Let people have been told an hour earlier."""
    queue = {"QueueUrl": watched.hub.url}
    (trouble,) = troubles_in(text_in(watched.hub.sqs.list_queue_tags(**queue)["Tags"]))
    earlier = as_text(parse_time(trouble.told) - datetime.timedelta(hours=1, seconds=1))
    watched.hub.sqs.tag_queue(**queue, Tags=tags_of(text_of([dataclasses.replace(trouble, told=earlier)])))


@pytest.mark.slow
def test_after_the_rotation_the_sweep_repairs_and_tells_the_whole_time_line(watched: Watched, sandbox: Sandbox) -> None:
    sandbox.revoke_token("admin")
    sandbox.interrupt(LOST)
    assert sandbox.settled()
    assert watched.heal().rc == 2
    sandbox.add_token("rotated", role="admin")
    run = watched.heal(sweep=True, token="rotated")
    assert run.rc == 0, run.output
    # The other regions hold the token that was revoked: the sweep writes the new one there as well.
    assert set(watched.states().values()) == {"AUTHORIZED"}
    assert sorted(watched.told()[1:]) == sorted(("repaired", "", region) for region in REGIONS)
    sandbox.interrupt(LOST)
    assert sandbox.settled()
    assert sandbox.notifications()[-1]["status"] == 200


@pytest.mark.slow
def test_the_sweep_repairs_a_region_whose_event_never_came(watched: Watched) -> None:
    watched.lose(LOST)
    run = watched.heal(sweep=True)
    assert (run.rc, watched.states()[LOST]) == (0, "AUTHORIZED"), run.output
    # The hub's queue is left alone.
    queued = {call["operation"] for call in watched.sandbox.calls(service="sqs", region=HOME)}
    assert queued.isdisjoint({"ReceiveMessage", "DeleteMessageBatch"})
    assert watched.told() == [("repaired", "", LOST)]


@pytest.mark.slow
def test_a_region_that_was_just_authorised_waits(watched: Watched) -> None:
    watched.lose(LOST)
    run = watched.heal(spot_eventbridge_heal_minimum_distance=600)
    assert "it was authorised less than 600 s ago" in last_message(run)
    assert (watched.written(), watched.told(), watched.hub.waiting() > 0) == (set(), [], True)


@pytest.mark.slow
def test_a_region_that_flaps_is_stopped_and_told_once(watched: Watched) -> None:
    for _number in range(2):
        watched.lose(LOST)
        assert watched.heal(spot_eventbridge_heal_repairs_per_hour=2).rc == 0
    watched.lose(LOST)
    for _number in range(2):
        run = watched.heal(sweep=True, spot_eventbridge_heal_repairs_per_hour=2)
        assert "it was repaired 2 times within an hour" in last_message(run)
    assert watched.repairs() == {LOST: 2}
    assert watched.told() == [("repaired", "", LOST)] * 2 + [("not_repaired", "flapping", LOST)]


@pytest.mark.slow
def test_an_account_that_is_not_to_be_healed_is_left_alone(watched: Watched) -> None:
    watched.sandbox.boto3("events", LOST).deauthorize_connection(Name=watched.account.name)
    assert watched.sandbox.settled()
    watched.sandbox.clear_calls()
    run = watched.heal(spot_eventbridge_heal=False)
    assert (run.rc, watched.written(), watched.hub.waiting(), watched.told()) == (0, set(), 0, []), run.output


@pytest.mark.slow
def test_a_region_whose_rule_is_tagged_off_is_left_alone(watched: Watched, sandbox: Sandbox) -> None:
    tag(watched, LOST, "off")
    for region in (LOST, THIRD):
        sandbox.boto3("events", region).deauthorize_connection(Name=watched.account.name)
    assert sandbox.settled()
    sandbox.clear_calls()
    run = watched.heal()
    assert run.rc == 0, run.output
    assert [line for line in run.output.splitlines() if "Not repaired: the tag SpotHealing of its rule is off" in line and LOST in line]
    assert watched.states() == {HOME: "AUTHORIZED", LOST: "DEAUTHORIZED", THIRD: "AUTHORIZED"}
    assert {call.split()[0] for call in watched.written()} == {THIRD}
    assert watched.told() == [("repaired", "", THIRD)]
    assert watched.heal().rc == 0
    assert (watched.hub.waiting(), watched.hub.dead_letters()) == (0, 0)
    # The sweep leaves it alone as well, and after somebody has repaired it, the tag stays.
    assert watched.heal(sweep=True).rc == 0
    assert watched.states()[LOST] == "DEAUTHORIZED"
    assert watched.account.repair().rc == 0
    assert watched.heal(sweep=True).rc == 0
    assert tag(watched, LOST) == "off"
    assert len(watched.told()) == 1


@pytest.mark.slow
def test_a_region_whose_tags_cannot_be_read_waits(watched: Watched, sandbox: Sandbox) -> None:
    tag(watched, LOST, "off")
    watched.lose(LOST)
    sandbox.clear_calls()
    denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized"}}
    sandbox.add_fault(denied, {"operation": "ListTagsForResource", "region": LOST})
    run = watched.heal()
    assert "whether the tag SpotHealing is off is not known" in last_message(run)
    assert (run.rc, watched.written(), watched.told(), watched.hub.waiting() > 0) == (2, set(), [], True)


def tag(watched: Watched, region: str, value: str | None = None) -> str:
    """Set the tag SpotHealing of a region's rule, or return it."""
    events = watched.sandbox.boto3("events", region)
    arn = events.describe_rule(Name=watched.account.name)["Arn"]
    if value is not None:
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "SpotHealing", "Value": value}])
    tags = {entry["Key"]: entry["Value"] for entry in events.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    return str(tags.get("SpotHealing", ""))


@pytest.mark.slow
def test_check_mode_writes_nothing_and_the_events_stay(watched: Watched) -> None:
    watched.lose(LOST)
    before = watched.hub.waiting()
    run = watched.heal("--check")
    assert run.rc == 0, run.output
    assert "eu-west-1" in run.output
    assert (watched.written(), watched.hub.waiting(), watched.told()) == (set(), before, [])
    assert watched.states()[LOST] == "DEAUTHORIZED"


def test_without_a_hub_the_run_fails_in_one_line(watched: Watched) -> None:
    message = last_message(watched.heal(spot_eventbridge_watch_hub_name="another"))
    assert "The hub's queue another does not exist in us-east-1. Run the playbook spot.eventbridge.watch" in message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"folder": "{}"}, "act-d7320fba: notification: 1 of 1 channel(s) failed. file: "),
        ({"folders": "{}"}, "act-d7320fba: Nobody could be notified, correct the settings of the channels: missing required"),
    ],
    ids=["a folder that is a file", "no folder"],
)
def test_what_nobody_could_be_told_of_is_told_by_the_next_run(watched: Watched, tmp_path: Path, options: dict[str, str], why: str) -> None:
    watched.lose(LOST)
    (tmp_path / "file").write_text("")
    run = watched.heal(spot_eventbridge_notify_file={name: text.format(tmp_path / "file") for name, text in options.items()})
    assert why in last_message(run)
    assert watched.states()[LOST] == "AUTHORIZED"
    time.sleep(3.2)
    assert watched.heal().rc == 0
    assert watched.told() == [("well_again", "", LOST)]
    assert watched.repairs() == {LOST: 1}


@pytest.mark.slow
def test_dead_letters_are_sent_again_once_while_they_are_of_use(watched: Watched, sandbox: Sandbox) -> None:
    watched.lose(LOST)
    fresh, old = interruption(LOST, "i-0123456789abcdef0"), interruption(LOST, "i-00000000000000001")
    sqs = sandbox.boto3("sqs", LOST)
    url = sqs.get_queue_url(QueueName=watched.account.name)["QueueUrl"]
    for body in (json.dumps({**old, "time": "2026-01-01T00:00:00Z"}), json.dumps(fresh), "not JSON"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sandbox.clear_received()
    assert watched.heal(spot_eventbridge_heal_resend=True).rc == 0
    posted = [note["body"]["detail"]["instance-id"] for note in sandbox.received(NOTIFICATION)]
    assert (posted.count("i-0123456789abcdef0"), posted.count("i-00000000000000001")) == (1, 0)
    watched.lose(LOST)
    sandbox.clear_received()
    assert watched.heal(spot_eventbridge_heal_resend=True).rc == 0
    assert "i-0123456789abcdef0" not in json.dumps(sandbox.received(NOTIFICATION))
