# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Onboarding ends with the hand-over to Spot's operators, where a channel is configured."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fakes.webhook import Webhook
from tests.integration.modules.secrets_in import secrets_in
from tests.integration.playbooks.runner import SPOT_ACCOUNT, Ansible
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as service:
        yield service


def channel(webhook: Webhook) -> tuple[str, str]:
    return "-e", json.dumps({"spot_eventbridge_notify_webhook": {"url": webhook.address}})


def test_onboarding_hands_over_what_stands_and_fails_at_its_end_where_that_fails(
    ansible: Ansible, webhook: Webhook, sandbox: Sandbox
) -> None:
    predicted = ansible.onboard(*channel(webhook), "--check")
    assert (predicted.rc, webhook.received) == (0, [])
    assert "Would be sent by webhook:\nAWS now sends EC2 Spot interruption notices" in predicted.stdout

    sandbox.add_fault({"error": {"status": 400, "code": "LimitExceededException"}}, {"region": "eu-west-1", "operation": "PutRule"})
    in_part = ansible.onboard(*channel(webhook))
    assert "eu-west-1" in in_part.message()
    (body,) = webhook.bodies
    told = body["notification"]
    assert (told["spot_account"], told["regions"]) == (SPOT_ACCOUNT, ["us-east-1"])
    assert told["statuses"] == {"us-east-1": "active", "eu-west-1": "incomplete"}

    sandbox.clear_faults()
    webhook.status = 500
    refused = ansible.onboard(*channel(webhook), "-vvv")
    assert "notification: 1 of 1 channel(s) failed. webhook: the webhook at" in refused.message()
    assert webhook.received[-1]["body"]["notification"]["regions"] == ["eu-west-1"]
    assert secrets_in(predicted.output + in_part.output + refused.output, [webhook.secret, sandbox.tokens["admin"]]) == []
