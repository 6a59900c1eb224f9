# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError, Reply
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_secret_url
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import ChannelError, Delivery, Message

# In the record of a region: the service took the message, and does not report whether anybody sees it.
NOT_CONFIRMED = "accepted-not-confirmed"
_ACCEPTED = (
    "the webhook accepted the message (202) and does not report whether it is shown: check once that it has arrived. "
    "If it has not, check the workflow's runs and webhook.format."
)


def argument_spec() -> ArgumentSpec:
    """Return the options of this channel."""
    return {
        # The address of a Slack webhook is a secret: it is all that is needed to post.
        "url": {"type": "str", "required": True, "no_log": True},
        "token": {"type": "str", "no_log": True},
        "format": {"type": "str", "choices": ["auto", *_BODIES], "default": "auto"},
        **service_argument_spec(),
    }


@dataclass(frozen=True)
class WebhookChannel:
    """An HTTP POST of JSON.

    :ivar form: a key of `_BODIES`
    """

    peer: Peer
    form: str = "json"

    name: t.ClassVar[str] = "webhook"

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> WebhookChannel:
        """
        :raises ArgumentError: the address is none to which a secret may be sent.
        """
        url, token = check_secret_url(params["url"], "webhook.url"), params["token"]
        parts = urlsplit(url)
        return cls(
            Peer(
                what="the webhook",
                url=url,
                headers={"Authorization": f"Bearer {token}"} if token else {},
                # The signature or key of the address is one of the query's values; a service may repeat it alone.
                secrets=(
                    url,
                    parts.path,
                    parts.query,
                    *(value for dummy, value in parse_qsl(parts.query)),
                    parts.password or "",
                    token or "",
                ),
                validate_certs=params["validate_certs"],
                ca_path=params["ca_path"],
            ),
            form_of(url) if params["format"] == "auto" else params["format"],
        )

    def send(self, notification: Message) -> Delivery:
        """See `message.Channel`."""
        try:
            reply = self.peer.demand("POST", body=_BODIES[self.form](notification))
        except PeerError as error:
            raise ChannelError(f"{error}. {error.remedy}") from None
        if _is_refusal(reply):
            refusal = self.peer.refusal(reply)
            raise ChannelError(f"{refusal}. {refusal.remedy}")
        return Delivery(NOT_CONFIRMED, _ACCEPTED) if reply.status == 202 else Delivery()


def form_of(url: str) -> str:
    """Return the format that the service at an address takes; `json` for an unknown one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if _DISCORD.fullmatch(host) and parts.path.rstrip("/").endswith("/slack"):
        return "slack"  # Discord takes Slack's format there
    return next((form for pattern, form in _SERVICES if pattern.fullmatch(host)), "json")


def _is_refusal(reply: Reply) -> bool:
    """Return whether a response with a status of success reports a failure.

    Slack's newer triggers respond `{"ok": false}`; the connectors of Teams `Webhook message delivery failed with error: …`, both with 200.
    """
    document = reply.json()
    return (isinstance(document, dict) and document.get("ok") is False) or b"message delivery failed" in reply.body


def _text(notification: Message) -> str:
    return f"{notification.subject}\n\n{notification.text()}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _json(notification: Message) -> dict[str, t.Any]:
    return {"text": _text(notification), "notification": notification.document()}


def _slack(notification: Message) -> dict[str, t.Any]:
    """Return `text` alone: Google Chat refuses unknown keys. Slack takes 40000 characters, Mattermost 16383."""
    return {"text": _cut(_text(notification), 16000)}


def _google_chat(notification: Message) -> dict[str, t.Any]:
    return {"text": _cut(_text(notification), 4096)}


def _discord(notification: Message) -> dict[str, t.Any]:
    """Return `content`, which may have 2000 characters, and an embed, whose description may have 4096."""
    return {
        "content": notification.subject,
        "embeds": [{"description": _cut(notification.text(), 4096)}],
        "allowed_mentions": {"parse": []},
    }


def _teams(notification: Message) -> dict[str, t.Any]:
    """Return an adaptive card in a message: the only one that the template of Teams' workflows shows. It may have 28 KB."""
    lines = [line for line in _cut(notification.text(), 16000).splitlines() if line]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": notification.subject, "weight": "Bolder", "size": "Medium", "wrap": True},
            # A block for each line, as a block takes a single line break for a space.
            *({"type": "TextBlock", "text": line, "wrap": True, "spacing": "Small"} for line in lines),
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


_BODIES: dict[str, t.Callable[[Message], dict[str, t.Any]]] = {
    "json": _json,
    "slack": _slack,
    "teams": _teams,
    "google_chat": _google_chat,
    "discord": _discord,
}
_DISCORD = re.compile(r"(.+\.)?discord(app)?\.com")
_SERVICES = (
    (re.compile(r"hooks\.slack(-gov)?\.com"), "slack"),
    (re.compile(r".+\.(logic\.azure|powerplatform)\.(com|us|cn)|.+\.webhook\.office\.com|outlook\.office(365)?\.com"), "teams"),
    (re.compile(r"chat\.googleapis\.com"), "google_chat"),
    (_DISCORD, "discord"),
)
