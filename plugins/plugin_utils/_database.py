# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import importlib.util
import re
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.announcement import after
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import DATABASE

# The guide's table, and the word that it searches in the column `value`.
DEFAULTS = {
    "table": "aws_ec2_events",
    "value_column": "value",
    "account_column": "account_id",
    "time_column": "created_at",
    "word": "spot-interruption-notification",
}
COLLECTIONS = {"postgresql": "community.postgresql", "mysql": "community.mysql", "mariadb": "community.mysql"}
_DRIVERS = {"postgresql": "psycopg", "mysql": "PyMySQL", "mariadb": "PyMySQL"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}(\.[A-Za-z_][A-Za-z0-9_$]{0,62})?\Z")
_DENIED = re.compile(r"authentication failed|access denied|permission denied|command denied|no pg_hba", re.IGNORECASE)
_SECONDS = 10


def query(config: t.Mapping[str, t.Any], spot_account: str, hours: int, instance_id: str = "") -> dict[str, t.Any]:
    """Return the query, as `postgresql_query` and `mysql_query` take it.

    All search values are arguments of the statement; names of tables and columns are checked and quoted.

    :param config: `engine`, and by choice what is in DEFAULTS; without `account_column`, the account is looked for in the value
    :param instance_id: only rows that name this instance
    :returns: `statements`, `named_args`
    :raises ArgumentError: the engine or a name cannot be right.
    """
    engine = config.get("engine")
    if engine not in COLLECTIONS:
        raise ArgumentError(f"database.engine is {engine!r}; it has to be one of {', '.join(COLLECTIONS)}.")
    names = {**DEFAULTS, **{key: value for key, value in config.items() if key in DEFAULTS and value is not None}}
    quote = '"' if engine == "postgresql" else "`"
    table, value, time = (_identifier(names[key], key, quote) for key in ("table", "value_column", "time_column"))
    text = f"CAST({value} AS {'TEXT' if engine == 'postgresql' else 'CHAR'})"
    conditions = [f"{text} LIKE %(word)s"]
    arguments = {"word": _like(str(names["word"])), "hours": int(hours)}
    if names["account_column"]:
        conditions.append(f"{_identifier(names['account_column'], 'account_column', quote)} = %(account)s")
        arguments["account"] = spot_account
    else:
        conditions.append(f"{text} LIKE %(account)s")
        arguments["account"] = _like(spot_account)
    if instance_id:
        conditions.append(f"{text} LIKE %(instance)s")
        arguments["instance"] = _like(instance_id)
    if engine == "postgresql":
        conditions.append(f"{time} >= now() - make_interval(hours => %(hours)s)")
        last = f"CAST(EXTRACT(EPOCH FROM MAX({time})) AS BIGINT)"
    else:
        conditions.append(f"{time} >= UTC_TIMESTAMP() - INTERVAL %(hours)s HOUR")
        last = f"CAST(UNIX_TIMESTAMP(MAX({time})) AS SIGNED)"
    select = f"SELECT COUNT(*) AS hits, {last} AS last_one FROM {table} WHERE {' AND '.join(conditions)}"
    return {"statements": [*_guards(engine), select], "named_args": arguments}


def _guards(engine: str) -> list[str]:
    """Return statements that keep a session from writing, and from taking long. PostgreSQL takes them with the connection."""
    if engine == "postgresql":
        return []
    limit = f"max_execution_time = {_SECONDS * 1000}" if engine == "mysql" else f"max_statement_time = {_SECONDS}"
    return [f"SET SESSION {limit}", "SET SESSION time_zone = '+00:00'", "START TRANSACTION READ ONLY"]


def question(config: t.Mapping[str, t.Any], asked: t.Mapping[str, t.Any]) -> tuple[str, dict[str, t.Any]]:
    """Return the module of the engine's collection that runs a query, and its arguments.

    :param config: `engine`, `host`, `user`, `password` and `database`, and by choice `port`, `ssl_mode` and `ca_path`
    :param asked: the result of `query`
    """
    arguments = {
        "login_host": config["host"],
        "login_user": config["user"],
        "login_password": config["password"],
        "login_db": config["database"],
        "ca_cert": config["ca_path"],
        "named_args": asked["named_args"],
    }
    if config["engine"] == "postgresql":
        options = f"-c default_transaction_read_only=on -c statement_timeout={_SECONDS * 1000} -c timezone=UTC"
        arguments.update(
            login_port=config["port"] or 5432,
            ssl_mode=config["ssl_mode"],
            connect_params={"connect_timeout": _SECONDS, "options": options},
            query=asked["statements"][-1],
        )
        return "community.postgresql.postgresql_query", arguments
    # Without the user's own file, which may hold other credentials.
    arguments.update(login_port=config["port"] or 3306, connect_timeout=_SECONDS, config_file="", query=asked["statements"])
    return "community.mysql.mysql_query", arguments


def missing(config: t.Mapping[str, t.Any]) -> str:
    """Return the collection that has to be installed for this engine; empty if it is there, or the engine is not known."""
    collection = COLLECTIONS.get(str(config.get("engine")), "")
    try:
        return "" if not collection or importlib.util.find_spec(f"ansible_collections.{collection}") else collection
    except ImportError:
        return collection


def missing_finding(collection: str) -> Finding:
    """Return the finding of a collection that is not installed."""
    message = f"Spot's database was not queried: the collection {collection} is not installed."
    return Finding(DATABASE, UNKNOWN, message, f"ansible-galaxy collection install {collection}")


def finding(
    result: t.Mapping[str, t.Any], engine: str, hours: int, delivered: int | None = None, announced: datetime.datetime | None = None
) -> Finding:
    """Return the finding of a module's result.

    :param result: of `postgresql_query` or `mysql_query`, failed or not
    :param delivered: the number of notices that AWS counted as delivered in the time; None if not known
    :param announced: when an interruption was announced that has to be among them; None if none was
    """
    if "query_result" not in result:
        return _failure(result, engine)
    rows = result["query_result"]
    while rows and isinstance(rows[-1], list):  # a list for each statement, the last one is the question
        rows = rows[-1]
    if not rows or "hits" not in rows[-1]:
        return Finding(DATABASE, UNKNOWN, "Spot's database returned a result that cannot be read.", "Check engine and table.")
    count, last = int(rows[-1]["hits"]), int(rows[-1].get("last_one") or 0)
    # The database rounds to seconds.
    if count and (announced is None or last >= announced.timestamp() - 1):
        when = datetime.datetime.fromtimestamp(last, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = f"Spot's database has {count} notice(s) of the last {hours} h, the last one of {when}{after(when, announced)}."
        return Finding(DATABASE, PASS, told)
    if announced:
        message = f"Spot's database has no notice since the one announced at {announced:%Y-%m-%dT%H:%M:%SZ}."
        return Finding(DATABASE, WARN, message, "Run again later; check table and columns; contact Spot's operators.")
    if delivered:
        message = f"Spot's database has no notice of the last {hours} h, but AWS delivered {delivered}."
        return Finding(DATABASE, WARN, message, "Check table and columns; if they are right, contact Spot's operators.")
    message = f"Spot's database has no notice of the last {hours} h. Without an interruption, this proves nothing."
    return Finding(DATABASE, SKIP, message, "Widen the window.")


def _failure(result: t.Mapping[str, t.Any], engine: str) -> Finding:
    told = " ".join(str(result.get("msg") or "no reason was given").split())
    remedy = "Check host, port and TLS, or run again later."
    if _DENIED.search(told):
        told, remedy = f"it refuses the credentials, or the query: {told}", "Check user, password and the right to SELECT."
    elif "library" in told or "python module is required" in told.lower():
        remedy = f"Install the Python library {_DRIVERS.get(engine, 'of the database')} where the playbook runs."
    elif "does not exist" in told or "doesn't exist" in told or "Unknown column" in told:
        remedy = "Check database, table and columns."
    return Finding(DATABASE, UNKNOWN, f"Spot's database could not be queried: {told[:400]}", remedy)


def _identifier(name: t.Any, what: str, quote: str) -> str:
    if not isinstance(name, str) or not _IDENTIFIER.match(name):
        raise ArgumentError(f"database.{what} is {str(name)[:100]!r}, which is not the name of a table or column.")
    return ".".join(f"{quote}{part}{quote}" for part in name.split("."))


def _like(word: str) -> str:
    """Return a pattern that finds a word, in which nothing is a wildcard."""
    for character in ("\\", "%", "_"):
        word = word.replace(character, f"\\{character}")
    return f"%{word}%"
