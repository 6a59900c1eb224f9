# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Incoming webhooks of chats, each with its own idea of a message: the address is the secret."""

from __future__ import annotations

from typing import Any

from tests.fakes.http_service import FakeService
from tests.sandbox.server import Answer, Request, json_answer


class Webhook(FakeService):
    """See the documentation of each service.

    Attributes:
        kind: `slack` ("Sending messages using incoming webhooks"), `teams` ("Create incoming webhooks with Workflows"), `connector` (its
            predecessor), `google_chat` or `discord`.
        shown: what a person sees.
        throttled: whether the connector cannot pass messages on.
    """

    def __init__(self, kind: str = "slack") -> None:
        super().__init__()
        self.kind = kind
        self.shown: list[str] = []
        self.throttled = False

    @property
    def address(self) -> str:
        return f"{self.url}/services/T0/B0/{self.secret}"

    def authenticated(self, request: Request) -> bool:
        return request.path == f"/services/T0/B0/{self.secret}"

    def answer(self, request: Request, body: Any) -> Answer:
        if request.method != "POST" or not isinstance(body, dict):
            return Answer(400, b"invalid_payload")
        answer, text = getattr(self, f"_{self.kind}")(body)
        if text:
            self.shown.append(text)
        return answer

    def _slack(self, body: dict[str, Any]) -> tuple[Answer, str]:
        text = body.get("text", "")
        return (Answer(200, b"ok"), text) if text else (Answer(400, b"no_text"), "")

    def _teams(self, body: dict[str, Any]) -> tuple[Answer, str]:
        """It answers before it looks: what is no card is dropped, as "the result of 'foreach' is of type 'Null'" in the workflow's runs."""
        return Answer(202), _cards(body)

    def _connector(self, body: dict[str, Any]) -> tuple[Answer, str]:
        if self.throttled:
            return Answer(200, b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"), ""
        return Answer(200, b"1"), _cards(body)

    def _google_chat(self, body: dict[str, Any]) -> tuple[Answer, str]:
        unknown = sorted(set(body) - {"text", "cardsV2", "thread"})
        if unknown or len(body.get("text", "")) > 4096:
            told = (
                f"Invalid JSON payload received. Unknown name \"{unknown[0]}\" at 'message': Cannot find field." if unknown else "too long"
            )
            return json_answer({"error": {"code": 400, "message": told, "status": "INVALID_ARGUMENT"}}, 400), ""
        return json_answer({"name": "spaces/A/messages/B"}), body["text"]

    def _discord(self, body: dict[str, Any]) -> tuple[Answer, str]:
        content, embeds = body.get("content", ""), [embed["description"] for embed in body.get("embeds", [])]
        if not content and not embeds:
            return json_answer({"message": "Cannot send an empty message", "code": 50006}, 400), ""
        if len(content) > 2000 or any(len(text) > 4096 for text in embeds):
            return json_answer({"message": "Invalid Form Body", "code": 50035}, 400), ""
        return Answer(204), "\n".join([content, *embeds])


def _cards(body: dict[str, Any]) -> str:
    cards = [entry["content"] for entry in body.get("attachments", []) if entry["contentType"] == "application/vnd.microsoft.card.adaptive"]
    return "\n".join(block["text"] for card in cards if card["type"] == "AdaptiveCard" for block in card["body"])
