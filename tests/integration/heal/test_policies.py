# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published policies suffice for healing, and every action in them is used."""

from __future__ import annotations

import json

import pytest

from tests.integration.heal.conftest import REGIONS, Watched
from tests.integration.heal.hub import interruption
from tests.sandbox.client import Sandbox
from tests.tools.policies import actions, policy

pytestmark = pytest.mark.slow

KEY = "LEASTPRIVILEGE"
LOST = REGIONS[1]


def test_the_policies_for_healing_suffice_and_each_action_is_used(watched: Watched, sandbox: Sandbox) -> None:
    watched.lose(LOST)
    watched.hub.send("not JSON")
    sqs = sandbox.boto3("sqs", LOST)
    letter = json.dumps(interruption(LOST, "i-0123456789abcdef0"))
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=watched.account.name)["QueueUrl"], MessageBody=letter)
    sandbox.permit(KEY, [policy("verify"), policy("heal"), policy("heal-hub")])
    run = watched.heal(env={"AWS_ACCESS_KEY_ID": KEY}, spot_eventbridge_heal_resend=True)
    assert watched.states()[LOST] == "AUTHORIZED", run.output
    assert watched.told() == [("repaired", "", LOST)]
    # Of the message that is no event, it says so.
    assert "the body is not JSON" in run.output
    sandbox.revoke_token("admin")
    sandbox.interrupt(LOST)
    assert sandbox.settled()
    assert watched.heal(env={"AWS_ACCESS_KEY_ID": KEY}).rc == 2
    assert watched.told()[1:] == [("not_repaired", "no_proof", LOST)]
    assert set(actions(policy("heal"), policy("heal-hub"))) <= sandbox.permissions_used(KEY)
