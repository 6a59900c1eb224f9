# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._onboarding import rows

KINDS = ("queue", "connection", "api_destination", "rule")
GOOD = {
    "queue": {"name": "x"},
    "connection": {"connection_state": "AUTHORIZED"},
    "api_destination": {"api_destination_state": "ACTIVE"},
    "rule": {"state": "ENABLED"},
}
Entry = t.Dict[str, t.Any]


def entry(kind: str, action: str = "unchanged", **more: t.Any) -> Entry:
    return {"action": action, "changed": action != "unchanged", kind: GOOD[kind], **more}


def failed(code: str = "AccessDeniedException") -> Entry:
    return {"action": "failed", "changed": False, "error": {"code": code, "message": "not allowed"}}


def answers(region: str = "eu-west-1", **entries: Entry) -> list[dict[str, Entry]]:
    """The answers of the four modules for one region; a kind that is not given was not reached."""
    return [{region: entries[kind]} if kind in entries else {} for kind in KINDS]


def every(action: str = "unchanged", **others: Entry) -> dict[str, Entry]:
    return {**{kind: entry(kind, action) for kind in KINDS}, **others}


def only_row(found: t.Sequence[dict[str, Entry]], **more: t.Any) -> dict[str, t.Any]:
    (row,) = rows(found, **more)
    return row


def test_a_region_where_all_is_there_and_good_is_active() -> None:
    assert only_row(answers(**every("created"))) == {
        "region": "eu-west-1",
        "status": "active",
        "changed": True,
        "done": "created",
        "reason": "",
        "summary": "eu-west-1 active",
    }


def test_a_region_where_nothing_was_to_be_done_says_so() -> None:
    row = only_row(answers(**every()))
    assert (row["status"], row["changed"], row["done"]) == ("active", False, "unchanged")


def test_what_was_done_is_named_where_it_was_not_the_same_for_all() -> None:
    row = only_row(answers(**every(connection=entry("connection", "reauthorized"), api_destination=entry("api_destination", "updated"))))
    assert (row["changed"], row["done"]) == (True, "connection reauthorized, api destination updated")


@pytest.mark.parametrize(
    ("kind", "resource", "reason"),
    [
        ("connection", {"connection_state": "DEAUTHORIZED"}, "the connection is DEAUTHORIZED"),
        ("api_destination", {"api_destination_state": "INACTIVE"}, "the api destination is INACTIVE"),
        ("rule", {"state": "DISABLED"}, "the rule is DISABLED"),
    ],
)
def test_a_resource_in_a_bad_state_makes_a_region_inactive(kind: str, resource: Entry, reason: str) -> None:
    row = only_row(answers(**every(**{kind: {**entry(kind), kind: resource}})))
    assert (row["status"], row["reason"], row["summary"]) == ("inactive", reason, f"eu-west-1 inactive: {reason}")


def test_a_note_comes_before_the_state() -> None:
    told = {**entry("connection", note="Spot said 401"), "connection": {"connection_state": "DEAUTHORIZED"}}
    assert only_row(answers(**every(connection=told)))["reason"] == "Spot said 401"


def test_a_note_on_what_is_good_is_no_reason() -> None:
    row = only_row(answers(**every(connection=entry("connection", note="the token was not compared"))))
    assert (row["status"], row["reason"]) == ("active", "")


def test_a_region_that_fails_at_once_is_unknown() -> None:
    row = only_row(answers(queue=failed()))
    assert (row["status"], row["changed"], row["done"]) == ("unknown", False, "-")
    assert row["reason"] == "AccessDeniedException: not allowed"


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_region_that_fails_later_is_incomplete_and_keeps_what_was_done(at: int) -> None:
    made = {kind: entry(kind, "created") for kind in KINDS[:at]}
    row = only_row(answers(**made, **{KINDS[at]: failed()}))
    assert (row["status"], row["changed"], row["reason"]) == ("incomplete", True, "AccessDeniedException: not allowed")
    assert row["done"] == ", ".join(f"{kind.replace('_', ' ')} created" for kind in KINDS[:at])


def test_a_region_in_which_a_step_is_missing_is_incomplete() -> None:
    row = only_row(answers(queue=entry("queue"), connection=entry("connection")))
    assert (row["status"], row["reason"]) == ("incomplete", "a step was not reached")


def test_unsupported_regions_are_rows_too() -> None:
    row = only_row([], unsupported=["ca-west-1"])
    assert (row["status"], row["changed"], row["reason"]) == ("unsupported", False, "this region has no API destinations")


def test_no_answer_is_no_row() -> None:
    assert rows([]) == []


def test_the_worst_comes_first_and_then_the_alphabet() -> None:
    good, bad = every(), {"queue": failed()}
    found = [
        {region: entries[kind] for region, entries in (("us-east-1", good), ("eu-west-1", bad), ("eu-north-1", good)) if kind in entries}
        for kind in KINDS
    ]
    order = [row["region"] for row in rows(found, unsupported=["ca-west-1"])]
    assert order == ["eu-west-1", "ca-west-1", "eu-north-1", "us-east-1"]


def test_what_was_only_predicted_says_so() -> None:
    assert only_row(answers(**every("created")), predicted=True)["done"] == "would be created"


def test_what_was_predicted_to_stay_says_nothing_else() -> None:
    assert only_row(answers(**every()), predicted=True)["done"] == "unchanged"
