# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  file:
    description:
      - Writes C(notification-<account>-<id>.md) and C(.json), for those who pass them on themselves.
    type: dict
    suboptions:
      folder:
        description: Where. It is made if it is not there.
        type: path
        required: true
  webhook:
    description:
      - Posts JSON to a chat or a program.
    type: dict
    suboptions:
      url:
        description: The address. It is a secret, as whoever knows it may post to it.
        type: str
        required: true
      token:
        description: Sent as C(Authorization) with the scheme C(Bearer), where the address alone is not enough.
        type: str
      format:
        description:
          - The format of the message. V(auto) recognises the service by the host of O(webhook.url), and is V(json) for an unknown host.
          - V(json) is C(text), and C(notification) for programs. V(slack) is C(text) alone, which also Mattermost and Rocket.Chat take.
          - V(teams) is an adaptive card, the only format that the workflows of Microsoft Teams show. They respond 202 to every message
            and drop what they cannot show, so RV(channels.reference) is V(accepted-not-confirmed).
        type: str
        choices: [auto, json, slack, teams, google_chat, discord]
        default: auto
      validate_certs:
        description: Whether the certificate is checked.
        type: bool
        default: true
      ca_path:
        description: A file of certificates to trust besides the system's.
        type: path
  mail:
    description:
      - Sends an e-mail over SMTP, with the JSON document attached.
    type: dict
    suboptions:
      host:
        description: The mail server.
        type: str
        required: true
      port:
        description: Its port; by default V(587), V(465) or V(25), depending on O(mail.encryption).
        type: int
      encryption:
        description: V(tls) from the first byte, V(starttls), or V(none), which is for loopback only.
        type: str
        choices: [starttls, tls, none]
        default: starttls
      user:
        description: The user's name, where the server asks for one.
        type: str
      password:
        description: The user's password.
        type: str
      sender:
        description: The address it comes from.
        type: str
        required: true
      recipients:
        description: The addresses it goes to.
        type: list
        elements: str
        required: true
      validate_certs:
        description: Whether the certificate is checked.
        type: bool
        default: true
      ca_path:
        description: A file of certificates to trust in place of the system's.
        type: path
  jira:
    description:
      - Opens a ticket, by version 2 of Jira's REST API, which Cloud and Data Center share.
    type: dict
    suboptions:
      url:
        description: Jira's address, such as V(https://example.atlassian.net).
        type: str
        required: true
      user:
        description: The user of an API token (Jira Cloud). Without it, O(jira.token) is a personal access token (Data Center).
        type: str
      token:
        description: The token.
        type: str
        required: true
      project:
        description: The project's key.
        type: str
        required: true
      issue_type:
        description: The name of the issue's type.
        type: str
        default: Task
      labels:
        description:
          - Labels besides V(spot-eventbridge) and the Spot account's id.
          - Where Jira refuses labels, as they are not on the project's create screen, the ticket is made without them, with a warning.
        type: list
        elements: str
        default: []
      fields:
        description:
          - Further fields that the project requires, as in Jira's REST API. They replace the module's own.
          - "A field that is null is left out, such as V({labels: null})."
        type: dict
        default: {}
      validate_certs:
        description: Whether the certificate is checked.
        type: bool
        default: true
      ca_path:
        description: A file of certificates to trust besides the system's.
        type: path
"""
