# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError, basic
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_url
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import ChannelError, Notification

_PATH = "/rest/api/2/issue"


def argument_spec() -> ArgumentSpec:
    """Return the options of this channel."""
    return {
        "url": {"type": "str", "required": True},
        "user": {"type": "str"},
        "token": {"type": "str", "required": True, "no_log": True},
        "project": {"type": "str", "required": True},
        "issue_type": {"type": "str", "default": "Task"},
        "labels": {"type": "list", "elements": "str", "default": []},
        "fields": {"type": "dict", "default": {}},
        **service_argument_spec(),
    }


@dataclass(frozen=True)
class JiraChannel:
    """A ticket in Jira, by version 2 of its REST API, which Cloud and Data Center share.

    :ivar fields: further fields that the project asks for
    """

    peer: Peer
    project: str
    issue_type: str
    labels: tuple[str, ...] = ()
    fields: t.Mapping[str, t.Any] | None = None

    name: t.ClassVar[str] = "jira"

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> JiraChannel:
        """
        :raises ArgumentError: the address is none to which a token may be sent, or a label has a space.
        """
        spaced = [label for label in params["labels"] if not label or label.split() != [label]]
        if spaced:
            raise ArgumentError(f"jira.labels: {spaced[0]!r} has white space, which Jira refuses in a label.")
        user, token = params["user"], params["token"]
        # Cloud knows a user's API token, Data Center a personal access token.
        authorization = basic(user, token) if user else f"Bearer {token}"
        return cls(
            peer=Peer(
                what="Jira",
                url=check_url(params["url"], "jira.url"),
                headers={"Authorization": authorization},
                secrets=(token, authorization.split()[1]),
                validate_certs=params["validate_certs"],
                ca_path=params["ca_path"],
            ),
            project=params["project"],
            issue_type=params["issue_type"],
            labels=tuple(params["labels"]),
            fields=params["fields"],
        )

    def send(self, notification: Notification) -> str:
        """See `message.Channel`."""
        try:
            issue = self.peer.demand("POST", _PATH, {"fields": self.issue(notification)}).json()
        except PeerError as error:
            raise ChannelError(f"{error}. {error.remedy}") from None
        key = issue.get("key") if isinstance(issue, dict) else None
        if not key:
            raise ChannelError(f"what answered at {self.peer.host} is not Jira: it names no ticket. Check jira.url.")
        return str(key)

    def issue(self, notification: Notification) -> dict[str, t.Any]:
        """The ticket's fields. Pure."""
        return {
            **(self.fields or {}),
            "project": {"key": self.project},
            "issuetype": {"name": self.issue_type},
            "summary": notification.subject,
            "description": notification.text(),
            "labels": [*self.labels, "spot-eventbridge", notification.spot_account],
        }
