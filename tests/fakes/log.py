# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Elasticsearch, and Kibana or OpenSearch Dashboards before it: `_search` with a query_string of phrases over documents in memory."""

from __future__ import annotations

import datetime
import re
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from tests.fakes.http_service import FakeService, is_basic
from tests.sandbox.server import Answer, Request, json_answer

USER = "reader"
_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Log(FakeService):
    """Takes an API key, or the same as the password of USER.

    Attributes:
        entries: by index, the documents: time and text.
        shards_failed: how many shards fail in every search.
        front: `kibana7`, `kibana9` (a serverless project is the same) or `dashboards`, below `/s/spot`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, list[tuple[datetime.datetime, str]]] = {"optimizer-2026": []}
        self.shards_failed = 0
        self.front = "kibana9"

    def write(self, text: str, minutes_ago: float = 0, index: str = "optimizer-2026") -> datetime.datetime:
        """Add a document and return its time."""
        when = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes_ago)
        self.entries.setdefault(index, []).append((when, text))
        return when

    def authenticated(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"ApiKey {self.secret}" or is_basic(request, USER, self.secret)

    def answer(self, request: Request, body: Any) -> Answer:
        if request.path == "/s/spot/api/console/proxy":
            return self._console(request, body)
        return self._elasticsearch(request.path, request.method, body)

    def _console(self, request: Request, body: Any) -> Answer:
        xsrf = "osd-xsrf" if self.front == "dashboards" else "kbn-xsrf"
        if not request.headers.get(xsrf):
            return json_answer({"statusCode": 400, "message": f"Request must contain a {xsrf} header."}, 400)
        if self.front == "kibana9" and not request.headers.get("x-elastic-internal-origin"):
            told = "uri [/api/console/proxy] with method [post] exists but is not available with the current configuration"
            return json_answer({"statusCode": 400, "error": "Bad Request", "message": told}, 400)
        if request.query.get("method") != "POST":
            return json_answer({"statusCode": 400, "message": "method"}, 400)
        answer = self._elasticsearch(request.query["path"], request.method, body)
        # Since 8.5, the status of the search is in the header x-console-proxy-status-code alone.
        return Answer(200, answer.body) if self.front == "kibana9" else answer

    def _elasticsearch(self, path: str, method: str, body: Any) -> Answer:
        found = re.fullmatch(r"/([^/]+)/_search", path)
        if not found or method != "POST":
            return json_answer({"error": "no handler found"}, 400)
        return self._search(unquote(found[1]), body)

    def _search(self, pattern: str, body: Any) -> Answer:
        indices = [name for name in self.entries if fnmatchcase(name, pattern)]
        if not indices and "*" not in pattern:
            error = {"type": "index_not_found_exception", "reason": f"no such index [{pattern}]"}
            return json_answer({"error": error, "status": 404}, 404)
        asked, window = body["query"]["bool"]["filter"]
        query, (field, limits) = asked["query_string"]["query"], next(iter(window["range"].items()))
        phrases = _PHRASE.findall(query)
        if _PHRASE.sub("", query).replace("AND", "").strip():
            error = {"type": "parsing_exception", "reason": "the fake service supports phrases and AND only"}
            return json_answer({"error": error, "status": 400}, 400)
        first, last = (datetime.datetime.fromisoformat(limits[key]) for key in ("gte", "lte"))
        wanted = [re.sub(r"\\(.)", r"\1", phrase) for phrase in phrases]
        within = [(when, text) for name in indices for when, text in self.entries[name] if first <= when <= last]
        hits = sorted((when for when, text in within if all(word in text for word in wanted)), reverse=True)
        assert body["sort"] == [{field: {"order": "desc"}}]
        shown = [{"_index": "x", "_id": "1", "_score": None, "sort": [int(when.timestamp() * 1000)]} for when in hits[: body["size"]]]
        return json_answer(
            {
                "took": 1,
                "timed_out": False,
                "_shards": {"total": len(indices), "successful": len(indices) - self.shards_failed, "failed": self.shards_failed},
                "hits": {"total": {"value": len(hits), "relation": "eq"}, "max_score": None, "hits": shown},
            }
        )
