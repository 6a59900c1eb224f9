# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, in_words
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import account_result

KINDS = ("queue", "connection", "api_destination", "rule")
GOOD = {
    "queue": {"name": "x"},
    "connection": {"connection_state": "AUTHORIZED"},
    "api_destination": {"api_destination_state": "ACTIVE"},
    "rule": {"state": "ENABLED"},
}
WHO = {"spot_account": "act-d7320fba", "aws_account": "123456789012"}
Entry = dict[str, t.Any]


def entry(action: str = "unchanged", actions: dict[str, str] | None = None, **more: t.Any) -> Entry:
    """A region of the answer of spot_integration; by default all steps did the same."""
    did = dict.fromkeys(KINDS, action) if actions is None else actions
    return {
        "action": action,
        "changed": any(each != "unchanged" for each in did.values()),
        "actions": did,
        "notes": [],
        **{kind: GOOD[kind] for kind in did},
        **more,
    }


def failed(**actions: str) -> Entry:
    return entry("failed", actions, error={"code": "AccessDeniedException", "message": "not allowed"})


def result(whole: Entry, *, present: bool = True, predicted: bool = False, **more: t.Any) -> dict[str, t.Any]:
    return account_result(whole, present=present, predicted=predicted, **{**WHO, **more})


def only_row(region: Entry, **more: t.Any) -> Row:
    (row,) = result({"regions": {"eu-west-1": region}}, **more)["summary"]
    return row


def only_removal(region: Entry, **more: t.Any) -> Row:
    return only_row(region, present=False, **more)


def test_a_region_where_all_is_there_and_good_is_active() -> None:
    assert only_row(entry("created")) == {
        "region": "eu-west-1",
        "status": "active",
        "changed": True,
        "action": "created",
        "reason": "",
    }


def test_a_region_where_nothing_was_to_be_done_says_so() -> None:
    row = only_row(entry())
    assert (row["status"], row["changed"], row["action"]) == ("active", False, "unchanged")


def test_what_was_done_is_named_where_it_was_not_the_same_for_all() -> None:
    actions = {**dict.fromkeys(KINDS, "unchanged"), "connection": "reauthorized", "api_destination": "updated"}
    row = only_row(entry("reauthorized", actions))
    assert (row["changed"], row["action"]) == (True, "connection reauthorized, api destination updated")


@pytest.mark.parametrize(
    ("kind", "resource", "reason"),
    [
        ("connection", {"connection_state": "DEAUTHORIZED"}, "the connection is DEAUTHORIZED"),
        ("api_destination", {"api_destination_state": "INACTIVE"}, "the api destination is INACTIVE"),
        ("rule", {"state": "DISABLED"}, "the rule is DISABLED"),
    ],
)
def test_a_resource_in_a_bad_state_makes_a_region_inactive(kind: str, resource: Entry, reason: str) -> None:
    row = only_row(entry(**{kind: resource}))
    assert (row["status"], row["reason"], in_words(row)) == ("inactive", reason, f"eu-west-1 inactive: {reason}")


def test_a_note_comes_before_the_state() -> None:
    told = entry(connection={"connection_state": "DEAUTHORIZED"}, notes=["Spot said 401"])
    assert only_row(told)["reason"] == "Spot said 401"


def test_a_note_on_what_is_good_is_no_reason() -> None:
    row = only_row(entry(notes=["the token was not compared"]))
    assert (row["status"], row["reason"]) == ("active", "")


def test_a_region_that_fails_at_once_is_unknown() -> None:
    row = only_row(failed())
    assert (row["status"], row["changed"], row["action"]) == ("unknown", False, "-")
    assert row["reason"] == "AccessDeniedException: not allowed"


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_region_that_fails_later_is_incomplete_and_keeps_what_was_done(at: int) -> None:
    row = only_row(failed(**dict.fromkeys(KINDS[:at], "created")))
    assert (row["status"], row["changed"], row["reason"]) == ("incomplete", True, "AccessDeniedException: not allowed")
    assert row["action"] == ", ".join(f"{kind.replace('_', ' ')} created" for kind in KINDS[:at])


def test_unsupported_regions_are_rows_too() -> None:
    row, _ = result({"regions": {"eu-west-1": entry()}}, unsupported=["ca-west-1"])["summary"]
    assert (row["status"], row["changed"], row["reason"]) == ("unsupported", False, "This region has no API destinations.")


def test_without_a_region_that_was_worked_on_there_is_no_row() -> None:
    assert result({"regions": {}}, unsupported=["ca-west-1"])["summary"] == []


def test_the_worst_comes_first_and_then_the_alphabet() -> None:
    found = result({"regions": {"us-east-1": entry(), "eu-west-1": failed(), "eu-north-1": entry()}}, unsupported=["ca-west-1"])["summary"]
    assert [row["region"] for row in found] == ["eu-west-1", "ca-west-1", "eu-north-1", "us-east-1"]


def test_what_was_only_predicted_says_so() -> None:
    assert only_row(entry("created"), predicted=True)["action"] == "would be created"


def test_what_was_predicted_to_stay_says_nothing_else() -> None:
    assert only_row(entry(), predicted=True)["action"] == "unchanged"


def test_a_region_from_which_all_is_gone_is_absent() -> None:
    row = only_removal(entry("deleted"))
    assert (row["status"], row["changed"], row["action"], row["reason"]) == ("absent", True, "deleted", "")


def test_what_was_kept_on_purpose_is_told_and_no_failure() -> None:
    row = only_removal(entry("deleted", notes=["the queue was kept"]))
    assert (row["status"], row["reason"]) == ("absent", "the queue was kept")


def test_a_removal_that_fails_is_told_like_any_other_failure() -> None:
    row = only_removal(failed(rule="deleted"))
    assert (row["status"], row["action"], row["reason"]) == ("incomplete", "rule deleted", "AccessDeniedException: not allowed")


def test_a_removal_that_was_only_predicted_says_so() -> None:
    assert only_removal(entry("deleted"), predicted=True)["action"] == "would be deleted"


# In check mode, a region is what it is


@pytest.mark.parametrize(
    ("action", "status"), [("created", "absent"), ("updated", "drifted"), ("reauthorized", "inactive"), ("unchanged", "active")]
)
def test_a_prediction_says_what_the_region_is_and_not_what_it_would_be(action: str, status: str) -> None:
    assert only_row(entry(action), predicted=True)["status"] == status


# The account as a whole


def answer(**regions: Entry) -> Entry:
    found = {name.replace("_", "-"): region for name, region in regions.items()}
    return {"regions": found, "failed_regions": [name for name, region in found.items() if region["action"] == "failed"]}


def test_what_was_left_out_is_told_of_an_account() -> None:
    found = result(answer(eu_west_1=entry("created")), unsupported=["ca-west-1"])
    assert {row["region"]: row["status"] for row in found["summary"]} == {"ca-west-1": "unsupported", "eu-west-1": "active"}
    assert (found["problem"], found["aws_account"]) == ("", "123456789012")


def test_a_role_that_could_not_be_made_is_the_problem_and_no_region_is_told_of() -> None:
    refused = {"regions": {}, "failed_regions": [], "msg": "execution role: AccessDenied: no", "execution_role": {"action": "failed"}}
    found = result(refused)
    assert (found["problem"], found["summary"]) == ("execution role: AccessDenied: no", [])


def test_no_region_is_active_without_its_role() -> None:
    refused = {**answer(eu_west_1=entry("unchanged")), "msg": "execution role: AccessDenied: no", "execution_role": {"action": "failed"}}
    found = result(refused)
    assert found["regions"]["eu-west-1"]["status"] == "unknown"
    assert found["summary"][0]["reason"] == "the execution role could not be made or changed"
    assert found["problem"] == "execution role: AccessDenied: no"


def test_a_role_that_could_not_be_removed_is_a_problem_although_all_regions_are_cleared() -> None:
    left = {**answer(eu_west_1=entry("deleted")), "msg": "execution role: Throttling: no", "execution_role": {"action": "failed"}}
    found = result(left, present=False)
    assert (found["problem"], found["failed_regions"]) == ("execution role: Throttling: no", [])


@pytest.mark.parametrize(
    ("role", "predicted", "notes"),
    [
        ({"action": "created", "changed": True}, False, ["execution role created"]),
        ({"action": "updated", "changed": True}, True, ["execution role would be updated"]),
        ({"action": "unchanged", "changed": False}, False, []),
        ({"action": "unchanged", "changed": False, "note": "the role was kept"}, False, ["the role was kept"]),
        (None, False, []),
    ],
)
def test_what_was_done_to_the_role_is_told_if_anything_was(role: Entry | None, predicted: bool, notes: list[str]) -> None:
    given = {**answer(eu_west_1=entry()), **({"execution_role": role} if role else {})}
    assert result(given, predicted=predicted)["notes"] == notes


def test_a_prediction_is_no_problem_unless_something_failed() -> None:
    assert result(answer(eu_west_1=entry("created")), predicted=True)["problem"] == ""
    assert "eu-west-1 unknown" in result(answer(eu_west_1=failed()), predicted=True)["problem"]


# Stacks


def stack(action: str = "created", **more: t.Any) -> Entry:
    """A region of the answer of spot_stack."""
    return {"action": action, "changed": action not in ("unchanged", "failed"), "connection": GOOD["connection"], **more}


def test_a_stack_is_one_thing_that_was_made() -> None:
    assert only_row(stack())["action"] == "created"
    assert only_row(stack("unchanged"))["status"] == "active"
    lost = only_row(stack("updated", connection={"connection_state": "DEAUTHORIZED"}, note="the stack does not notice"))
    assert (lost["status"], lost["reason"]) == ("inactive", "the stack does not notice")


def test_a_stack_that_failed_is_nothing_that_is_known() -> None:
    row = only_row(stack("failed", error={"code": "StackFailed", "message": "Connection: refused"}))
    assert (row["status"], row["reason"]) == ("unknown", "StackFailed: Connection: refused")


def test_a_stack_that_is_gone_is_absent_and_what_was_kept_is_said() -> None:
    row = only_removal(stack("deleted", note="kept"))
    assert (row["status"], row["action"], row["reason"]) == ("absent", "deleted", "kept")


def test_each_region_says_what_its_row_says() -> None:
    found = result(answer(eu_west_1=entry("created"), us_east_1=failed()))["regions"]
    assert {region: (line["status"], line["reason"]) for region, line in found.items()} == {
        "eu-west-1": ("active", ""),
        "us-east-1": ("unknown", "AccessDeniedException: not allowed"),
    }


# Taking over

OLD = {"region": "eu-west-1", "name": "theirs", "stack_name": "old", "rules": ["theirs"], "stack_set": False}


def taken_over(action: str = "created", other: Entry | None = None, **more: t.Any) -> Row:
    return only_row(entry(action, taken_over=True, other_integrations=[other or OLD]), **more)


def test_a_region_that_took_over_names_the_stack() -> None:
    row = taken_over()
    assert (row["status"], row["changed"], row["action"]) == ("active", True, "created, took over from the stack old")


def test_an_unchanged_one_that_takes_over_has_changed() -> None:
    row = taken_over("unchanged")
    assert (row["changed"], row["action"]) == (True, "took over from the stack old")


def test_without_a_stack_its_name_is_said() -> None:
    assert taken_over(other={**OLD, "stack_name": None})["action"] == "created, took over from theirs"


def test_check_mode_predicts_it() -> None:
    assert taken_over(predicted=True)["action"] == "would be created, would take over from the stack old"


def test_a_prediction_that_changes_nothing_but_the_other_is_of_an_active_region() -> None:
    assert taken_over("unchanged", predicted=True)["status"] == "active"


def test_a_region_that_could_not_take_over_is_incomplete_and_has_failed() -> None:
    both = entry("created", other_integrations=[OLD], error={"code": "NotTakenOver", "message": "it was kept"})
    found = result({"regions": {"eu-west-1": both}})
    (row,) = found["summary"]
    assert (row["status"], row["changed"], row["action"], row["reason"]) == ("incomplete", True, "created", "it was kept")
    assert found["problem"] == "1 of 1 region(s) not active: eu-west-1 incomplete: it was kept"
