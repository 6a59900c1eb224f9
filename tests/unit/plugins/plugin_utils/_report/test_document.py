# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from jsonschema import Draft202012Validator

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import OUTCOMES
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import STATUSES
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import concerns, printable, verification_report
from tests.tools import report_accounts as accounts

WHEN = accounts.GENERATED


def report(*found: t.Any) -> dict[str, t.Any]:
    return verification_report(found, WHEN, "1.2.3")


def account(host: str = "act-d7320fba", **regions: str) -> dict[str, t.Any]:
    """An account with regions of these statuses."""
    return {"host": host, "regions": {name: {"status": status} for name, status in regions.items()}}


def hosts(*found: t.Any) -> list[str]:
    return [entry["host"] for entry in report(*found)["accounts"]]


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    document = json.loads((accounts.FILES / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@pytest.mark.parametrize("found", [[], accounts.three(), accounts.many(3), [account()], [account(a="absent")]])
def test_a_report_fits_its_schema(schema: Draft202012Validator, found: list[t.Any]) -> None:
    document = json.loads(json.dumps(report(*found)))
    assert [error.message for error in schema.iter_errors(document)] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("summary"),
        lambda document: document.update(schema_version=2),
        lambda document: document.update(more=1),
        lambda document: document["accounts"][1]["regions"]["us-east-1"].update(status="fine"),
        lambda document: document["accounts"][1]["checks"][0].update(outcome="error"),
        lambda document: document["accounts"][1]["regions"]["us-east-1"]["evidence"]["metrics"].update(matched="3"),
        lambda document: document["summary"]["by_status"].pop("active"),
    ],
)
def test_the_schema_is_strict(schema: Draft202012Validator, change: t.Callable[[t.Any], object]) -> None:
    document = json.loads(json.dumps(report(*accounts.three())))
    change(document)
    assert not schema.is_valid(document)


def test_the_schema_knows_all_words(schema: Draft202012Validator) -> None:
    definitions = t.cast("t.Any", schema.schema)["$defs"]
    assert definitions["status"]["enum"] == list(STATUSES)
    assert definitions["finding"]["properties"]["outcome"]["enum"] == list(OUTCOMES)


def test_it_says_when_and_by_what_it_was_made() -> None:
    document = verification_report([], WHEN, "1.2.3")
    assert document["generated"] == WHEN
    assert document["collection"] == {"name": "spot.eventbridge", "version": "1.2.3"}
    assert verification_report([], WHEN, None)["collection"]["version"] is None


def test_the_summary_counts_regions_by_status() -> None:
    summary = report(account("one", a="active", b="inactive"), account("two", a="active", c="unsupported"))["summary"]
    assert (summary["accounts"], summary["regions"]) == (2, 4)
    assert summary["by_status"] == {**dict.fromkeys(STATUSES, 0), "active": 2, "inactive": 1, "unsupported": 1}


REFUSED = [{"check": "spot_token", "outcome": "fail", "message": "Spot refuses it."}]
DOUBTFUL = [{"check": "spot_token", "outcome": "warn", "message": "Who knows."}]


@pytest.mark.parametrize(
    ("found", "active"),
    [
        ([account(a="active")], True),
        ([account(a="active", b="unsupported")], True),
        ([{**account(a="active"), "checks": DOUBTFUL}], True),
        ([account(a="active"), account("two", a="drifted")], False),
        ([account(a="active"), {"host": "two", "error": "no credentials"}], False),
        ([{**account(a="active"), "checks": REFUSED}], False),
        # What nothing is known of does not work.
        ([], False),
        ([account()], False),
    ],
)
def test_all_is_well_where_all_that_is_wanted_is_active(found: list[t.Any], active: bool) -> None:
    assert report(*found)["summary"]["wanted_active"] is active


def test_accounts_are_in_the_order_in_which_they_should_be_read() -> None:
    found = [
        account("fine-b", a="active"),
        account("fine-a", a="active", b="unsupported"),
        account("drifted", a="drifted"),
        {**account("refused", a="active"), "checks": REFUSED},
        {**account("doubtful", a="active"), "checks": DOUBTFUL},
        account("inactive", a="inactive"),
        account("very-inactive", a="inactive", b="inactive"),
        {"host": "broken", "error": "no credentials"},
    ]
    assert hosts(*found) == ["broken", "very-inactive", "inactive", "drifted", "refused", "doubtful", "fine-a", "fine-b"]


def test_findings_are_worst_first_and_else_as_they_were_checked() -> None:
    found = [{"check": f"{outcome}-{number}", "outcome": outcome, "message": ""} for number in (1, 2) for outcome in reversed(OUTCOMES)]
    document = report({"host": "one", "regions": {"a": {"status": "drifted", "findings": found}}})
    checks = [finding["check"] for finding in document["accounts"][0]["regions"]["a"]["findings"]]
    assert checks == [f"{outcome}-{number}" for outcome in OUTCOMES for number in (1, 2)]


def test_regions_are_in_alphabetical_order() -> None:
    assert list(report(account(c="active", a="active", b="inactive"))["accounts"][0]["regions"]) == ["a", "b", "c"]


def test_a_check_that_was_left_out_is_no_concern() -> None:
    findings = [{"check": outcome, "outcome": outcome, "message": "", "remedy": ""} for outcome in OUTCOMES]
    assert [finding["check"] for finding in concerns(findings)] == ["fail", "unknown", "warn"]


def test_what_is_left_out_is_filled_in() -> None:
    (only,) = report({"host": "act-d7320fba"})["accounts"]
    assert only == {"host": "act-d7320fba", "spot_account": "act-d7320fba", "aws_account": None, "error": None, "checks": [], "regions": {}}
    assert report(account(a="absent"))["accounts"][0]["regions"]["a"] == {
        "status": "absent",
        "findings": [],
        "resources": {},
        "evidence": None,
    }


def test_what_was_found_is_not_changed() -> None:
    found = accounts.three()
    report(*found)
    assert found == accounts.three()


@pytest.mark.parametrize(
    "key",
    [
        "api_key_value",
        "ApiKeyValue",
        "spot_token",
        "password",
        "client_secret",
        "SecretString",
        "secret_access_key",
        "session_token",
        "privateKey",
    ],
)
def test_what_is_called_a_secret_is_left_out(key: str) -> None:
    region = {"status": "active", "resources": {"connection": {"deep": [{key: "s3cr3t", "name": "kept"}]}}, "evidence": {key: "s3cr3t"}}
    text = json.dumps(report({"host": "one", "regions": {"a": region}}))
    assert "s3cr3t" not in text
    assert "kept" in text


def test_a_parameter_with_a_secret_value_has_none() -> None:
    parameters = [{"key": "a", "value": "s3cr3t", "is_value_secret": True}, {"key": "b", "value": "open", "is_value_secret": False}]
    document = report({"host": "one", "regions": {"a": {"status": "active", "resources": {"connection": {"parameters": parameters}}}}})
    kept = document["accounts"][0]["regions"]["a"]["resources"]["connection"]["parameters"]
    assert kept == [{"key": "a", "is_value_secret": True}, {"key": "b", "value": "open", "is_value_secret": False}]


def test_names_that_only_sound_secret_are_kept() -> None:
    kept = {
        "secret_arn": "arn:aws:secretsmanager:…",
        "api_key_name": "Authorization",
        "authorization_type": "API_KEY",
        "is_value_secret": False,
    }
    document = report({"host": "one", "regions": {"a": {"status": "active", "resources": {"connection": kept}}}})
    assert document["accounts"][0]["regions"]["a"]["resources"]["connection"] == kept


def test_a_bearer_token_in_a_message_is_blotted_out() -> None:
    (only,) = report({"host": "one", "error": "sent 'Authorization: Bearer 0123456789abcdef0123': 401"})["accounts"]
    assert only["error"] == "sent 'Authorization: Bearer ***': 401"


def test_broken_characters_do_not_keep_a_file_from_being_written() -> None:
    (only,) = report({"host": "one", "error": "caf\udce9"})["accounts"]
    assert only["error"] == "caf\ufffd"


def test_control_characters_are_made_visible() -> None:
    assert printable("a\x00b\x1b[31m\tc\nd\x85e") == "a\ufffdb\ufffd[31m\tc\nd\ufffde"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("act-d7320fba", "has to be a list"),
        ({"host": "one"}, "has to be a list"),
        (None, "has to be a list"),
        (["act-d7320fba"], "has to be a dictionary with its 'host'"),
        ([{}], "has to be a dictionary with its 'host'"),
        ([account(a="fine")], "'fine' is no status"),
        ([{"host": "one", "regions": {"a": {}}}], "'None' is no status"),
        ([{"host": "one", "checks": [{"outcome": "ok"}]}], "'ok' is no outcome"),
    ],
)
def test_what_is_no_verification_is_refused(found: t.Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verification_report(found, WHEN, None)
