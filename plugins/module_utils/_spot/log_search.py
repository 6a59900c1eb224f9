# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import json
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError, Reply, basic
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_url
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.announcement import after, seconds_after
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import LOG

PROVIDERS = ("elasticsearch", "opensearch", "kibana")
# The guide's query: "606079873399" AND "/interruptionNotification" AND "act-d7320fba".
DEFAULT_QUERY = "{organization} AND {path} AND {account}"
PATH = "/interruptionNotification"
_RESPONSE_TIMEOUT = "10s"
_FIRST_PAUSE = 2.0
_THROUGH_KIBANA = {
    # Kibana refuses requests without the first header, OpenSearch Dashboards (a fork of Kibana) those without the second.
    "kbn-xsrf": "true",
    "osd-xsrf": "true",
    # The console's API is internal: Kibana 9 and serverless projects answer 400 to a request without this header (elastic/kibana#163654).
    "x-elastic-internal-origin": "Kibana",
}


def argument_spec() -> ArgumentSpec:
    """Return the options of this check."""
    return {
        "provider": {"type": "str", "choices": list(PROVIDERS), "default": "elasticsearch"},
        "url": {"type": "str", "required": True},
        "index": {"type": "str", "default": "optimizer*"},
        "query": {"type": "str", "default": DEFAULT_QUERY},
        "time_field": {"type": "str", "default": "@timestamp"},
        "api_key": {"type": "str", "no_log": True},
        "user": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        **service_argument_spec(),
    }


@dataclass(frozen=True)
class Hits:
    """The result of a search.

    :ivar last: the time of the last hit, ISO 8601; None if there is none
    :ivar at_least: whether the service stopped counting
    """

    count: int
    last: str | None = None
    at_least: bool = False


@dataclass(frozen=True)
class Window:
    """The time in which notices are searched.

    :ivar hours: hours before now
    :ivar announced: when an interruption was announced that has to be among them; None if none was
    :ivar timeout: seconds to wait for it
    """

    hours: int
    announced: datetime.datetime | None = None
    timeout: float = 0.0

    def is_over(self, last: str | None) -> bool:
        """Return whether, with the last notice at this time, there is nothing left to wait for."""
        if self.announced is None:
            return True
        seconds = seconds_after(last or "", self.announced)
        return seconds is not None and seconds > -1  # times may have been cut to seconds


@dataclass(frozen=True)
class LogSearch:
    """A log, and the search in it.

    :ivar provider: whether Elasticsearch or OpenSearch is queried directly, or through Kibana
    :ivar query: in the syntax of `query_string`, with `{organization}`, `{path}`, `{account}` and `{instance}` for the search values
    """

    peer: Peer
    provider: str
    index: str
    query: str = DEFAULT_QUERY
    time_field: str = "@timestamp"

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> LogSearch:
        """
        :raises ArgumentError: an option is not valid.
        """
        api_key, user, password = params["api_key"] or "", params["user"] or "", params["password"] or ""
        if bool(user) != bool(password):
            raise ArgumentError("log.user and log.password go together: give both, or neither.")
        headers = {"Authorization": f"ApiKey {api_key}" if api_key else basic(user, password)} if api_key or user else {}
        if params["provider"] == "kibana":
            headers.update(_THROUGH_KIBANA)
        return cls(
            peer=Peer(
                what="the log",
                url=check_url(params["url"], "log.url"),
                headers=headers,
                secrets=(api_key, password, basic(user, password).split()[1] if password else ""),
                validate_certs=params["validate_certs"],
                ca_path=params["ca_path"],
            ),
            provider=params["provider"],
            index=params["index"],
            query=params["query"],
            time_field=params["time_field"],
        )

    def check(self, words: t.Mapping[str, str], window: Window, delivered: int | None = None) -> Finding:
        """Search the log. Never raises for a response of the service.

        :param words: the values of `{organization}` and so on; empty if not known
        :param delivered: the number of notices that AWS counted as delivered in the time; None if not known
        """
        unknown = [name for name, word in words.items() if not word and f"{{{name}}}" in self.query]
        if unknown:
            message = f"Spot's log was not searched: the {unknown[0]} is not known."
            return Finding(LOG, UNKNOWN, message, f"Set it, or a query without {{{unknown[0]}}}.")

        def search() -> Hits:
            until = datetime.datetime.now(datetime.timezone.utc)
            return self.search(words, until - datetime.timedelta(hours=window.hours), until)

        try:
            hits = poll(search, lambda found: window.is_over(found.last), Deadline(window.timeout), at_least=_FIRST_PAUSE)
        except PeerError as error:
            return Finding(LOG, UNKNOWN, f"Spot's log could not be searched: {str(error).rstrip('.')}.", error.remedy)
        return finding(hits, window, delivered)

    def search(self, words: t.Mapping[str, str], since: datetime.datetime, until: datetime.datetime) -> Hits:
        """
        :raises PeerError: the service did not respond, refused, or searched only a part.
        """
        body = search_body(fill(self.query, words), self.time_field, since, until)
        path = f"/{quote(self.index, safe=',*')}/_search"
        if self.provider == "kibana":
            reply = self.peer.demand("POST", "/api/console/proxy", body, {"path": path, "method": "POST"})
        else:
            reply = self.peer.demand("POST", path, body)
        return self._hits(reply.json())

    def _hits(self, document: t.Any) -> Hits:
        self._raise_hidden(document)
        try:
            shards, total, hits = document["_shards"], document["hits"]["total"], document["hits"]["hits"]
            # Before version 7, the total was a number.
            count, relation = (total["value"], total["relation"]) if isinstance(total, dict) else (total, "eq")
            last = _time(hits[0]["sort"][0]) if hits else None
            if document.get("timed_out") or shards["failed"]:
                raise PeerError(
                    200, f"the log at {self.peer.host} searched only a part: {shards['failed']} shard(s) failed, or it took too long"
                )
            if not shards["total"]:
                raise PeerError(404, f"the log at {self.peer.host} has no index {self.index}")
            return Hits(int(count), last, relation != "eq")
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            raise PeerError(200, f"the service at {self.peer.host} is neither Elasticsearch nor OpenSearch nor Kibana") from None

    def _raise_hidden(self, document: t.Any) -> None:
        """Raise an error that stands in a response with status 200: since 8.5, Kibana's console responds so to each error of the log.

        The status is also in the header `x-console-proxy-status-code`; the body has it from all versions (elastic/kibana#140536).
        """
        error, status = (document.get("error"), document.get("status")) if isinstance(document, dict) else (None, None)
        if error and isinstance(status, int) and status >= 400:
            raise self.peer.refusal(Reply(status, json.dumps(error).encode()))


def fill(query: str, words: t.Mapping[str, str]) -> str:
    """Return a query with each placeholder replaced by a phrase in which nothing is syntax.

    Within quotation marks, Lucene knows only these two characters (Lucene, "classic query parser", escaping).
    """

    def phrase(match: re.Match[str]) -> str:
        word = words[match["name"]].replace("\\", "\\\\").replace('"', '\\"')
        return f'"{word}"'

    # All in one pass: a value may itself have the form of a placeholder.
    return re.sub(rf"\{{(?P<name>{'|'.join(map(re.escape, words))})\}}", phrase, query)


def search_body(query: str, time_field: str, since: datetime.datetime, until: datetime.datetime) -> dict[str, t.Any]:
    """Return a search for the number of entries and the time of the last one, without their text."""
    window = {"gte": since.isoformat(), "lte": until.isoformat(), "format": "strict_date_optional_time"}
    return {
        "size": 1,
        "_source": False,
        "track_total_hits": True,
        "timeout": _RESPONSE_TIMEOUT,
        "sort": [{time_field: {"order": "desc"}}],
        "query": {"bool": {"filter": [{"query_string": {"query": query}}, {"range": {time_field: window}}]}},
    }


def finding(hits: Hits, window: Window, delivered: int | None = None) -> Finding:
    """Return the finding of a search."""
    if hits.count and window.is_over(hits.last):
        number = f"{'at least ' if hits.at_least else ''}{hits.count} notice(s)"
        when = f"the last one of {hits.last}{after(hits.last or '', window.announced)}"
        return Finding(LOG, PASS, f"Spot's log has {number} of the last {window.hours} h, {when}.")
    if window.announced:
        message = f"Spot's log has no notice since the one announced at {window.announced:%Y-%m-%dT%H:%M:%SZ}."
        return Finding(LOG, WARN, message, "Run again later; check index and query; contact Spot's operators.")
    if delivered:
        message = f"Spot's log has no notice of the last {window.hours} h, but AWS delivered {delivered}."
        return Finding(LOG, WARN, message, "Check index and query; if they are right, contact Spot's operators.")
    message = f"Spot's log has no notice of the last {window.hours} h. Without an interruption, this proves nothing."
    return Finding(LOG, SKIP, message, "Widen the window.")


def _time(value: t.Any) -> str:
    """Return the time of a sort value: milliseconds, or nanoseconds for the type date_nanos; a text where the mapping formats it."""
    if isinstance(value, str) and not value.isdecimal():
        return value
    number = float(value)
    seconds = number / 1e9 if number > 1e15 else number / 1e3
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
