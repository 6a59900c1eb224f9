# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import gather
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.log_search import Hits, LogSearch, Window, fill, finding, search_body

LOG = LogSearch(Peer("the log", "https://log.example.com"), "elasticsearch", "optimizer*")
SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def answer(total: t.Any = 0, *sort: t.Any, **more: t.Any) -> dict[str, t.Any]:
    hits = [{"sort": list(sort)}] if sort else []
    return {"timed_out": False, "_shards": {"total": 1, "failed": 0}, "hits": {"total": total, "hits": hits}, **more}


@pytest.mark.parametrize(
    ("word", "phrase"), [("a", '"a"'), ('a" OR "b', '"a\\" OR \\"b"'), ("a\\", '"a\\\\"'), ("{account}", '"{account}"'), ("*", '"*"')]
)
def test_a_word_is_a_phrase_in_which_nothing_is_syntax(word: str, phrase: str) -> None:
    assert fill("{organization} AND {account}", {"organization": word, "account": "x"}) == f'{phrase} AND "x"'


def test_a_placeholder_that_is_none_stays() -> None:
    assert fill("{other}", {"account": "x"}) == "{other}"


def test_nothing_of_what_is_logged_is_asked_for() -> None:
    body = search_body("x", "@timestamp", SINCE, SINCE)
    assert (body["_source"], body["size"], body["track_total_hits"]) == (False, 1, True)


@pytest.mark.parametrize(
    ("document", "hits"),
    [
        (answer(), Hits(0)),
        (answer(3, 1767323045000), Hits(3, "2026-01-02T03:04:05Z")),
        (answer({"value": 3, "relation": "eq"}, "1767323045000"), Hits(3, "2026-01-02T03:04:05Z")),
        (answer({"value": 3, "relation": "gte"}, 1767323045000000000), Hits(3, "2026-01-02T03:04:05Z", True)),
        (answer(1, "2026-01-02T03:04:05.000Z"), Hits(1, "2026-01-02T03:04:05.000Z")),
    ],
)
def test_answers_of_all_versions_are_understood(document: dict[str, t.Any], hits: Hits) -> None:
    assert LOG._hits(document) == hits


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (answer(_shards={"total": 0, "failed": 0}), "has no index"),
        (answer(_shards={"total": 2, "failed": 1}), "only a part"),
        (answer(timed_out=True), "only a part"),
        ({"error": {"reason": "no such index [x]"}, "status": 404}, "responded with 404: .*no such index"),
        ({"error": {"reason": "unauthorized for API key"}, "status": 403}, "responded with 403 .it does not allow this"),
        ({"error": "x", "status": 200}, "neither Elasticsearch"),
        (None, "neither Elasticsearch"),
        ([], "neither Elasticsearch"),
        ({"hits": {}}, "neither Elasticsearch"),
        (answer("many"), "neither Elasticsearch"),
        (answer(1, None), "neither Elasticsearch"),
        (answer(1, 1e40), "neither Elasticsearch"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(document: t.Any, told: str) -> None:
    with pytest.raises(PeerError, match=told):
        LOG._hits(document)


@pytest.mark.parametrize(
    ("hits", "delivered", "outcome", "told"),
    [
        (Hits(2, "t"), None, "pass", "has 2 notice(s) of the last 24 h, the last one of t"),
        (Hits(2, "t", True), 0, "pass", "at least 2"),
        (Hits(0), None, "skip", "proves nothing"),
        (Hits(0), 3, "warn", "AWS delivered 3"),
    ],
)
def test_a_search_is_put_into_words(hits: Hits, delivered: int | None, outcome: str, told: str) -> None:
    found = finding(hits, Window(24), delivered)
    assert (found.check, found.outcome) == ("spot_log", outcome)
    assert told in found.message


def test_what_was_not_checked_is_said_with_who_can() -> None:
    whole = gather([{}, {"skipped": True, "msg": "x"}])
    assert [(entry["check"], entry["outcome"]) for entry in whole] == [
        (check, "skip") for check in ("feature_flag", "spot_log", "spot_database", "test_event", "interruption")
    ]
    assert all(entry["message"].startswith("Not checked whether ") and entry["remedy"] for entry in whole)


def test_what_was_checked_stays_as_it_is() -> None:
    made = {"check": "spot_log", "outcome": "pass", "message": "There.", "remedy": ""}
    whole = gather([{"checks": [made]}])
    assert whole[0] == made
    assert [entry["check"] for entry in whole].count("spot_log") == 1


def test_a_module_that_failed_is_a_finding_in_one_line() -> None:
    failed = gather([{"msg": "log.url is\n wrong", "failed": False}])[0]
    assert (failed["check"], failed["outcome"]) == ("spot_side", "fail")
    assert "log.url is wrong" in failed["message"]


@pytest.mark.parametrize(
    ("last", "outcome", "told"),
    [
        ("2026-01-01T00:00:09Z", "pass", "9 s after the announcement"),
        ("2025-12-31T23:59:59.500Z", "pass", "0 s after the announcement"),
        ("2025-12-31T23:59:00Z", "warn", "no notice since the one announced at 2026-01-01T00:00:00Z"),
        (None, "warn", "no notice since"),
    ],
)
def test_what_was_announced_has_to_be_there(last: str | None, outcome: str, told: str) -> None:
    found = finding(Hits(1 if last else 0, last), Window(24, SINCE))
    assert found.outcome == outcome
    assert told in found.message
