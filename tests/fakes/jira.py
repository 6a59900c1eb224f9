# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jira, as far as opening a ticket goes (Jira Cloud platform REST API v2, "Create issue")."""

from __future__ import annotations

from typing import Any

from tests.fakes.http_service import FakeService, is_basic
from tests.sandbox.server import Answer, Request, json_answer

USER = "operator@example.com"


class Jira(FakeService):
    """Takes an API token of USER, or the same token as a personal access token; has the one project SRE.

    Attributes:
        screen: the fields of the project's create screen; others cannot be set.
        required: the fields that a ticket must have, with the names that people know.
    """

    def __init__(self) -> None:
        super().__init__()
        self.screen = {"project", "issuetype", "summary", "description", "labels", "priority", "customfield_10011"}
        self.required = {"project": "Project", "issuetype": "Issue Type"}

    def authenticated(self, request: Request) -> bool:
        return is_basic(request, USER, self.secret) or super().authenticated(request)

    def answer(self, request: Request, body: Any) -> Answer:
        if (request.method, request.path) != ("POST", "/rest/api/2/issue"):
            return json_answer({"errorMessages": ["no such resource"]}, 404)
        fields = body["fields"]
        errors = {
            name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            for name in sorted(set(fields) - self.screen)
        }
        errors |= {name: f"{title} is required." for name, title in self.required.items() if not fields.get(name)}
        if fields["project"] != {"key": "SRE"}:
            errors["project"] = "valid project is required"
        if not fields.get("summary") or "\n" in fields["summary"]:
            errors["summary"] = "You must specify a summary of the issue."
        if any(" " in label for label in fields.get("labels", [])):
            errors["labels"] = "The label can't contain spaces."
        if errors:
            return json_answer({"errorMessages": [], "errors": errors}, 400)
        number = len(self.bodies) + 1
        return json_answer({"id": str(10000 + number), "key": f"SRE-{number}", "self": f"{self.url}/rest/api/2/issue/{number}"}, 201)
