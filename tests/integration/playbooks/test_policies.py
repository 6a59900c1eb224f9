# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README's policy for onboarding suffices for all playbooks, and every action in it is used by one of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.integration.interpreters import CHECKOUT
from tests.integration.playbooks.runner import NAME, SPOT_ACCOUNT, Ansible
from tests.sandbox.client import Sandbox

KEY = "LEASTPRIVILEGE"
REGIONS = "us-east-1,eu-west-1"


def policy(heading: str) -> dict[str, Any]:
    """The JSON block below a heading of the README."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"### {heading}\n.*?```json\n(.*?)```", text, re.DOTALL)
    assert found, heading
    return dict(json.loads(found.group(1)))


def actions(heading: str) -> list[str]:
    return [action for statement in policy(heading)["Statement"] for action in listed(statement["Action"])]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture
def restricted(sandbox: Sandbox, ansible: Ansible) -> Any:
    """Runs a playbook with a key that may do what the policy for onboarding says, and nothing else."""
    sandbox.permit(KEY, actions("Policy for onboarding"))

    def play(name: str, *more: str) -> Any:
        variables = (f"account={SPOT_ACCOUNT}", f"spot_api_url={sandbox.spot_url}", *more)
        arguments = [word for text in variables for word in ("-e", text)]
        return ansible.run(f"playbooks/{name}.yml", *arguments, env={"AWS_ACCESS_KEY_ID": KEY})

    return play


@pytest.mark.parametrize("heading", ["Policy for onboarding", "Read-only policy"])
def test_a_policy_names_each_action_once_and_in_order(heading: str) -> None:
    for statement in policy(heading)["Statement"]:
        named = listed(statement["Action"])
        assert named == sorted(set(named))


def test_nothing_that_writes_is_in_the_read_only_policy() -> None:
    verbs = {re.match(r"\w+:([A-Z][a-z]+)", action).group(1) for action in actions("Read-only policy")}  # type: ignore[union-attr]
    assert verbs <= {"Describe", "Get", "List", "Receive", "Test"}


def test_the_policy_suffices_for_all_playbooks(restricted: Any, sandbox: Sandbox) -> None:
    everywhere = f"regions={REGIONS}"
    assert restricted("onboard", everywhere).rc == 0
    damage(sandbox)
    assert restricted("repair", everywhere).rc == 0
    assert restricted("verify", everywhere).rc == 0
    retagged = json.dumps({"spot_eventbridge_tags": {"Team": "platform"}})
    assert restricted("onboard", everywhere, retagged).rc == 0
    assert restricted("offboard").rc == 0
    assert sandbox.boto3("events", "eu-west-1").list_rules()["Rules"] == []


def damage(sandbox: Sandbox) -> None:
    """Something wrong with everything that a repair updates."""
    iam, events, sqs = sandbox.boto3("iam"), sandbox.boto3("events", "eu-west-1"), sandbox.boto3("sqs", "eu-west-1")
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=trust)
    iam.update_role(RoleName=NAME, Description="changed")
    iam.untag_role(RoleName=NAME, TagKeys=["ManagedBy"])
    iam.delete_role_policy(RoleName=NAME, PolicyName="invoke-api-destination")
    events.deauthorize_connection(Name=NAME)
    events.update_api_destination(Name=NAME, HttpMethod="PUT")
    events.disable_rule(Name=NAME)
    rule = events.describe_rule(Name=NAME)["Arn"]
    events.untag_resource(ResourceARN=rule, TagKeys=["ManagedBy"])
    queue = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": "60"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["ManagedBy"])
