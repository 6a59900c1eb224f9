# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An incoming webhook as Slack has them: its address is the secret, `text` is a must."""

from __future__ import annotations

from typing import Any

from tests.fakes.http_service import FakeService
from tests.sandbox.server import Answer, Request


class Webhook(FakeService):
    """See Slack's documentation, "Sending messages using incoming webhooks"."""

    @property
    def address(self) -> str:
        return f"{self.url}/services/T0/B0/{self.secret}"

    def authenticated(self, request: Request) -> bool:
        return request.path == f"/services/T0/B0/{self.secret}"

    def answer(self, request: Request, body: Any) -> Answer:
        if request.method != "POST" or not isinstance(body, dict) or not body.get("text"):
            return Answer(400, b"no_text")
        return Answer(200, b"ok")
