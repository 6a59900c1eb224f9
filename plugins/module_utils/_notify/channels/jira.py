# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError, Reply, basic
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_url
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import ChannelError, Delivery, Message

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

    :ivar fields: further fields that the project requires. They replace this channel's own; None leaves a field out
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

    def send(self, notification: Message) -> Delivery:
        """See `message.Channel`. If Jira refuses only the labels, the ticket is made without them."""
        fields, note = self.issue(notification), ""
        try:
            reply = self.peer.ask("POST", _PATH, {"fields": fields})
            if list(_errors(reply)) == ["labels"] and "labels" in fields:
                # A field that is not on the project's create screen cannot be set. A ticket that was refused was not made.
                note = f"Jira refused the labels, so the ticket has none: {self.peer.scrub(_errors(reply)['labels'])}"
                reply = self.peer.ask("POST", _PATH, {"fields": {name: value for name, value in fields.items() if name != "labels"}})
        except PeerError as error:
            raise ChannelError(f"{error}. {error.remedy}") from None
        if not reply.ok:
            refusal = self.peer.refusal(reply)
            raise ChannelError(f"{refusal}. {_remedy(_errors(reply)) or refusal.remedy}")
        issue = reply.json()
        key = issue.get("key") if isinstance(issue, dict) else None
        if not key:
            raise ChannelError(f"the service at {self.peer.host} is not Jira: its response names no ticket. Check jira.url.")
        return Delivery(str(key), note)

    def issue(self, notification: Message) -> dict[str, t.Any]:
        """Return the ticket's fields."""
        own = {
            "project": {"key": self.project},
            "issuetype": {"name": self.issue_type},
            "summary": notification.subject,
            "description": notification.text(),
            "labels": [*self.labels, "spot-eventbridge", notification.spot_account],
        }
        return {name: value for name, value in {**own, **(self.fields or {})}.items() if value is not None}


def _errors(reply: Reply) -> dict[str, str]:
    """Return why Jira refused a ticket, by field; empty if it does not name a field."""
    document = None if reply.ok else reply.json()
    errors = document.get("errors") if isinstance(document, dict) else None
    return {str(name): " ".join(str(why).split()) for name, why in errors.items()} if isinstance(errors, dict) else {}


def _remedy(errors: t.Mapping[str, str]) -> str:
    """Return the remedy for the fields that Jira refused; empty if it named none."""
    options = {"project": "jira.project", "issuetype": "jira.issue_type", "labels": "jira.labels"}
    known = [options[name] for name in errors if name in options]
    others = [name for name in errors if name not in options]
    told = [f"Correct {' and '.join(known)}."] if known else []
    if others:
        told.append(f"Set {', '.join(others)} in jira.fields as the project requires; null there leaves a field out.")
    return " ".join(told)
