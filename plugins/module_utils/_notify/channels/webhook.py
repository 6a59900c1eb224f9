# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_secret_url
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import ChannelError, Notification


def argument_spec() -> ArgumentSpec:
    """Return the options of this channel."""
    return {
        # The address of a Slack webhook is a secret: it is all that is needed to post.
        "url": {"type": "str", "required": True, "no_log": True},
        "token": {"type": "str", "no_log": True},
        **service_argument_spec(),
    }


@dataclass(frozen=True)
class WebhookChannel:
    """An HTTP POST: `text` as Slack takes it, and beside it `notification` for programs."""

    peer: Peer

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
                secrets=(url, parts.path, parts.query, parts.password or "", token or ""),
                validate_certs=params["validate_certs"],
                ca_path=params["ca_path"],
            )
        )

    def send(self, notification: Notification) -> str:
        """See `message.Channel`."""
        body = {"text": f"{notification.subject}\n\n{notification.text()}", "notification": notification.document()}
        try:
            self.peer.demand("POST", body=body)
        except PeerError as error:
            raise ChannelError(f"{error}. {error.remedy}") from None
        return ""
