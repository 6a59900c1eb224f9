# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A flag service that speaks OFREP, LaunchDarkly's evaluation, and plain JSON, each as its public description says."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from tests.fakes.http_service import FakeService
from tests.sandbox.server import Answer, Request, json_answer

FLAG = "aws-detach-instances-that-got-interruption-notification"


class Flags(FakeService):
    """Keeps flags: name to value, for the account act-d7320fba; all others get "not for you"."""

    def __init__(self) -> None:
        super().__init__()
        self.flags: dict[str, Any] = {FLAG: True}
        self.project, self.environment = "spot", "production"

    def authenticated(self, request: Request) -> bool:
        if request.path.startswith("/api/v2/"):  # LaunchDarkly's tokens come bare
            return request.headers.get("Authorization") == self.secret
        return request.headers.get("X-API-Key") == self.secret or super().authenticated(request)

    def answer(self, request: Request, body: Any) -> Answer:
        if found := re.fullmatch(r"/ofrep/v1/evaluate/flags/(.+)", request.path):
            return self._ofrep(unquote(found[1]), body["context"])
        if found := re.fullmatch(r"/api/v2/projects/([^/]+)/environments/([^/]+)/flags/evaluate", request.path):
            return self._launchdarkly(found.groups(), request.query, body)
        if request.path == "/flags.json":
            value = self.flags.get(request.query.get("flag", ""))
            return json_answer({"features": [{"account": request.query.get("account"), "enabled": value}]})
        return json_answer({"message": "not found"}, 404)

    def _ofrep(self, key: str, context: dict[str, Any]) -> Answer:
        if not context.get("targetingKey"):
            return json_answer({"key": key, "errorCode": "TARGETING_KEY_MISSING"}, 400)
        if key not in self.flags:
            return json_answer({"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "no such flag"}, 404)
        return json_answer({"key": key, "reason": "STATIC", "variant": "x", "value": self.flags[key], "metadata": {}})

    def _launchdarkly(self, place: tuple[str, ...], query: dict[str, str], context: dict[str, Any]) -> Answer:
        if place != (self.project, self.environment):
            return json_answer({"code": "not_found", "message": "Unknown project or environment"}, 404)
        if not (context.get("kind") and context.get("key")):
            return json_answer({"code": "invalid_request", "message": "context"}, 400)
        wanted = query.get("filter", "").removeprefix("query equals ").lower()
        # It also finds names, here the key in capitals.
        names = [*self.flags, *(f"{name}-legacy" for name in self.flags)]
        items = [
            {"key": name, "name": wanted.upper(), "_value": self.flags.get(name, False), "reason": {"kind": "OFF"}}
            for name in sorted(names, reverse=True)
            if name.lower().startswith(wanted)
        ]
        return json_answer({"items": items, "_links": {}, "totalCount": len(items)})
