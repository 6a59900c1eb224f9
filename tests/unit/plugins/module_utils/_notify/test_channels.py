# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Reply
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.channels import jira, webhook
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import Notification

REGIONS = tuple(f"region-{number:02}-of-{'x' * 20}" for number in range(100))
LONG = Notification("act-d7320fba", "123456789012", "606079873399", REGIONS, dict.fromkeys(REGIONS, "active"), "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://hooks.slack-gov.com/services/T/B/x", "slack"),
        ("https://prod-01.westeurope.logic.azure.com:443/workflows/x?sig=y", "teams"),
        ("https://0a.1b.environment.api.powerplatform.com/powerautomate/x?sig=y", "teams"),
        ("https://prod-01.usgovtexas.logic.azure.us/workflows/x", "teams"),
        ("https://Example.Webhook.Office.com/webhookb2/x", "teams"),
        ("https://chat.googleapis.com/v1/spaces/A/messages?key=x&token=y", "google_chat"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://discord.com/api/webhooks/1/x/slack", "slack"),
        ("https://canary.discordapp.com/api/webhooks/1/x", "discord"),
        ("https://mattermost.example.com/hooks/x", "json"),
        ("https://logic.azure.com.example.com/x", "json"),
        ("https://notdiscord.com/x", "json"),
        ("https://example.com/logic.azure.com", "json"),
    ],
)
def test_the_service_is_recognised_by_its_host(url: str, form: str) -> None:
    assert webhook.form_of(url) == form


@pytest.mark.parametrize("form", ["slack", "google_chat", "discord", "teams"])
def test_a_message_keeps_the_limits_of_its_service(form: str) -> None:
    body = webhook._BODIES[form](LONG)
    longest = {"slack": 16000, "google_chat": 4096, "discord": 4096}
    if form == "teams":
        assert len(json.dumps(body).encode()) < 28 * 1024
    else:
        text = body["text"] if "text" in body else body["embeds"][0]["description"]
        assert 1000 < len(text) <= longest[form]


def test_google_chat_gets_no_key_that_it_does_not_know() -> None:
    assert set(webhook._BODIES["google_chat"](LONG)) == {"text"}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"ok", False),
        (b"1", False),
        (b"", False),
        (b'{"ok": true}', False),
        (b'{"ok": false, "error": "invalid_auth"}', True),
        (b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429", True),
    ],
)
def test_a_body_may_refuse_whatever_the_status(body: bytes, refused: bool) -> None:
    assert webhook._is_refusal(Reply(200, body)) == refused


@pytest.mark.parametrize(
    ("errors", "remedy"),
    [
        ({"issuetype": "x"}, "Correct jira.issue_type."),
        ({"project": "x", "labels": "y"}, "Correct jira.project and jira.labels."),
        (
            {"components": "Component/s is required."},
            "Set components in jira.fields as the project requires; null there leaves a field out.",
        ),
        ({}, ""),
    ],
)
def test_the_remedy_names_the_option_of_each_field(errors: dict[str, str], remedy: str) -> None:
    assert jira._remedy(errors) == remedy


@pytest.mark.parametrize("document", [None, [], {"errors": None}, {"errorMessages": ["x"]}, {"errors": []}])
def test_a_refusal_without_fields_has_none(document: t.Any) -> None:
    assert jira._errors(Reply(400, json.dumps(document).encode())) == {}
