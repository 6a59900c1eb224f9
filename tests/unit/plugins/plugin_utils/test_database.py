# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import importlib.util
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.plugin_utils import _database
from ansible_collections.spot.eventbridge.plugins.plugin_utils._database import finding, missing, missing_finding, query

ACCOUNT = "act-d7320fba"
ENGINES = ["postgresql", "mysql", "mariadb"]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_looked_for_is_an_argument_and_never_text(engine: str) -> None:
    hostile = "x' OR '1'='1"
    asked = query({"engine": engine, "word": hostile}, hostile, 24, hostile)
    assert hostile not in " ".join(asked["statements"])
    assert asked["named_args"] == {"word": f"%{hostile}%", "hours": 24, "account": hostile, "instance": f"%{hostile}%"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wildcard_is_a_character_as_any_other(engine: str) -> None:
    assert query({"engine": engine, "word": "a%b_c\\d"}, ACCOUNT, 24)["named_args"]["word"] == "%a\\%b\\_c\\\\d%"


@pytest.mark.parametrize(("engine", "quoted"), [("postgresql", '"audit"."events"'), ("mysql", "`audit`.`events`")])
def test_names_are_quoted(engine: str, quoted: str) -> None:
    assert f"FROM {quoted} WHERE" in query({"engine": engine, "table": "audit.events"}, ACCOUNT, 24)["statements"][-1]


@pytest.mark.parametrize("name", ["", "a b", "a;", 'a"', "a`", "a.b.c", "1a", None, 7, "a\n"])
@pytest.mark.parametrize("what", ["table", "value_column", "time_column"])
def test_a_name_that_is_none_is_refused(what: str, name: t.Any) -> None:
    if name is None:  # that is: the default
        query({"engine": "mysql", what: name}, ACCOUNT, 24)
        return
    with pytest.raises(ArgumentError, match=rf"database\.{what} is"):
        query({"engine": "mysql", what: name}, ACCOUNT, 24)


@pytest.mark.parametrize(("engine", "limit"), [("mysql", "max_execution_time = 10000"), ("mariadb", "max_statement_time = 10")])
def test_mysql_may_only_read_and_not_for_long(engine: str, limit: str) -> None:
    assert query({"engine": engine}, ACCOUNT, 24)["statements"][:-1] == [
        f"SET SESSION {limit}",
        "SET SESSION time_zone = '+00:00'",
        "START TRANSACTION READ ONLY",
    ]


@pytest.mark.parametrize("config", [{}, {"engine": "oracle"}, {"engine": None}])
def test_an_engine_that_is_not_known_is_refused(config: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError, match="it has to be one of postgresql, mysql, mariadb"):
        query(config, ACCOUNT, 24)


@pytest.mark.parametrize(
    ("result", "outcome", "told"),
    [
        (
            {"query_result": [{"hits": 2, "last_one": 1767323045}]},
            "pass",
            "2 notice(s) of the last 24 h, the last one of 2026-01-02T03:04:05Z",
        ),
        ({"query_result": [[], [], [], [{"hits": "2", "last_one": "1767323045"}]]}, "pass", "2026-01-02T03:04:05Z"),
        ({"query_result": [{"hits": 0, "last_one": None}]}, "skip", "no notice"),
        ({"query_result": []}, "unknown", "a result that cannot be read"),
        ({"query_result": [[], [{"x": 1}]]}, "unknown", "a result that cannot be read"),
        ({}, "unknown", "no reason was given"),
        ({"msg": "a\nb"}, "unknown", "a b"),
    ],
)
def test_an_answer_is_put_into_words(result: dict[str, t.Any], outcome: str, told: str) -> None:
    found = finding(result, "postgresql", 24, None)
    assert (found.check, found.outcome) == ("spot_database", outcome)
    assert told in found.message


def test_none_is_wrong_where_some_were_delivered() -> None:
    found = finding({"query_result": [{"hits": 0}]}, "mysql", 24, 3)
    assert (found.outcome, "AWS delivered 3" in found.message) == ("warn", True)


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        ('FATAL:  password authentication failed for user "reader"', "Check user, password"),
        ("(1045, \"Access denied for user 'reader'@'127.0.0.1'\")", "Check user, password"),
        ("permission denied for table aws_ec2_events", "right to SELECT"),
        ('relation "x" does not exist', "table and columns"),
        ("Table 'optimizer.x' doesn't exist", "table and columns"),
        ("Failed to import the required Python library (psycopg2)", "Install the Python library psycopg "),
        ("Connection refused", "Check host, port"),
    ],
)
def test_a_failure_says_what_to_do(told: str, remedy: str) -> None:
    found = finding({"msg": told}, "postgresql", 24, None)
    assert found.outcome == "unknown"
    assert remedy in f"{found.remedy} "


def test_a_collection_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert missing({"engine": "mariadb"}) == "community.mysql"
    found = missing_finding("community.mysql")
    assert (found.outcome, found.remedy) == ("unknown", "ansible-galaxy collection install community.mysql")


def test_a_namespace_that_is_not_there_at_all_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(_database.importlib.util, "find_spec", find_spec)
    assert missing({"engine": "postgresql"}) == "community.postgresql"


@pytest.mark.parametrize("config", [{}, {"engine": "oracle"}])
def test_an_engine_that_is_not_known_misses_nothing(config: dict[str, str]) -> None:
    assert missing(config) == ""


@pytest.mark.parametrize(
    ("last", "outcome", "told"),
    [
        (1767323054, "pass", "9 s after the announcement"),
        (1767323044, "pass", "0 s after"),
        (1767323000, "warn", "no notice since the one"),
    ],
)
def test_what_was_announced_has_to_be_there(last: int, outcome: str, told: str) -> None:
    announced = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    found = finding({"query_result": [{"hits": 1, "last_one": last}]}, "postgresql", 24, 1, announced)
    assert found.outcome == outcome
    assert told in found.message
