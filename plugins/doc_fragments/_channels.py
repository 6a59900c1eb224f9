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
      - The files C(notification-<account>-<id>.md) and C(.json), for users who forward them themselves.
    type: dict
    suboptions:
      folder:
        description: The folder of the files. It is created if it does not exist.
        type: path
        required: true
  webhook:
    description:
      - The webhook of a chat or a program, to which JSON is posted.
    type: dict
    suboptions:
      url:
        description: The address. It is a secret, as its knowledge is enough to post to it.
        type: str
        required: true
      token:
        description: A token that is sent as C(Authorization) with the scheme C(Bearer), if the address alone is not enough.
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
        description: If V(true), the certificate of the service is verified.
        type: bool
        default: true
      ca_path:
        description: A file of further certificates to trust, in addition to the system's.
        type: path
  mail:
    description:
      - The e-mail over SMTP, with the JSON document attached.
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
        description: The user's name, if the server requires one.
        type: str
      password:
        description: The user's password.
        type: str
      sender:
        description: The sender's address.
        type: str
        required: true
      recipients:
        description: The recipients' addresses.
        type: list
        elements: str
        required: true
      validate_certs:
        description: If V(true), the certificate of the service is verified.
        type: bool
        default: true
      ca_path:
        description: A file of certificates to trust instead of the system's.
        type: path
  jira:
    description:
      - The ticket in Jira, by version 2 of its REST API, which Cloud and Data Center share.
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
          - Further labels, in addition to V(spot-eventbridge) and the Spot account's id.
          - If Jira refuses labels, as they are not on the project's create screen, the ticket is made without them, with a warning.
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
        description: If V(true), the certificate of the service is verified.
        type: bool
        default: true
      ca_path:
        description: A file of further certificates to trust, in addition to the system's.
        type: path
"""
