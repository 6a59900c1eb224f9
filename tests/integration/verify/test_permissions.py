# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read-only credentials suffice for verify, and each permission that is missing costs what it belongs to, and nothing else."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.playbooks.runner import NAME, SPOT_ACCOUNT, Run
from tests.integration.verify.account import Account, last_message, verification, writes
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import Hand
from tests.sandbox.client import NOTIFICATION, Sandbox
from tests.tools.policies import actions, policy, without

REGIONS = ["us-east-1", "eu-west-1"]
REGION = "eu-west-1"
READ_ONLY = "READONLY"
# Asked by the playbook alone, before it looks.
REGIONS_PERMISSION = "ec2:DescribeRegions"


VERIFY = policy("verify")


@dataclass(frozen=True)
class Cost:
    """What a missing permission costs: the findings that have another outcome, and the checks that are not made then."""

    outcomes: dict[str, str]
    unchecked: tuple[str, ...] = ()


RULE = Cost(
    {"rule": "unknown"},
    (
        *("rule_state", "rule_pattern", "rule_matches"),
        *("target", "target_role", "target_retry_policy", "target_input", "target_destination", "target_dead_letter"),
        "notification",
    ),
)
ROLE = Cost({"execution_role": "unknown"}, ("execution_role_trust", "execution_role_permission"))
QUEUE = Cost({"queue": "unknown", "dead_letters": "skip"}, ("queue_policy", "queue_encryption", "target_dead_letter"))
COSTS = {
    "cloudwatch:GetMetricData": Cost({"deliveries": "skip"}),
    "events:DescribeApiDestination": Cost(
        {"api_destination": "unknown"},
        (
            *("api_destination_state", "api_destination_endpoint", "api_destination_method", "api_destination_rate_limit"),
            *("api_destination_connection", "target_destination", "execution_role_permission"),
        ),
    ),
    "events:DescribeConnection": Cost(
        {"connection": "unknown"},
        (
            *("connection_state", "connection_authorization", "connection_api_key", "connection_account", "connection_token"),
            *("api_destination_connection", "stack"),
        ),
    ),
    "cloudformation:DescribeStackResources": Cost({"stack": "skip"}),
    "events:DescribeRule": RULE,
    "events:ListTagsForResource": Cost({"notification": "unknown", "settings": "warn"}),
    "events:ListTargetsByRule": RULE,
    "events:TestEventPattern": Cost({"rule_matches": "unknown"}),
    "events:ListApiDestinations": Cost({"double_delivery": "unknown"}),
    "events:ListRuleNamesByTarget": Cost({"double_delivery": "unknown"}),
    "events:ListEventBuses": Cost({"double_delivery": "unknown"}),
    "iam:GetPolicy": ROLE,
    "iam:GetPolicyVersion": ROLE,
    "iam:GetRole": ROLE,
    "iam:GetRolePolicy": ROLE,
    "iam:ListAttachedRolePolicies": ROLE,
    "iam:ListRolePolicies": ROLE,
    "secretsmanager:GetSecretValue": Cost({"connection_token": "skip"}),
    "sqs:GetQueueAttributes": QUEUE,
    "sqs:GetQueueUrl": QUEUE,
    "sqs:ListQueueTags": Cost({"settings": "warn"}),
    "sqs:ReceiveMessage": Cost({"dead_letters": "skip"}),
}


@pytest.fixture(scope="module")
def onboarded(running: Sandbox, make_account: MakeAccount) -> Account:
    """An account in which there is something behind every permission.

    Its role has a managed policy as well, a warning was delivered, another was not, and two other destinations lead to Spot, of which no
    rule uses one.
    """
    running.reset()
    account = make_account(regions=REGIONS)
    account.have_onboarded()
    iam, hand = running.boto3("iam"), Hand(running, REGION)
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/y"}]}
    besides = iam.create_policy(PolicyName="besides", PolicyDocument=json.dumps(nothing))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=NAME, PolicyArn=besides)
    running.interrupt(REGION)
    assert running.settled()
    time.sleep(1)  # CloudWatch tells of whole seconds that are over
    hand.put_dead_letter()
    hand.other_destination("unused", running.spot_url + NOTIFICATION, SPOT_ACCOUNT)
    other = hand.other_destination("by-hand", running.spot_url + NOTIFICATION, SPOT_ACCOUNT)
    hand.events.put_rule(Name="by-hand", EventPattern='{"source": ["aws.ec2"]}')
    hand.events.put_targets(Rule="by-hand", Targets=[{"Id": "1", "Arn": other, "RoleArn": f"arn:aws:iam::123456789012:role/{NAME}"}])
    return account


@pytest.fixture
def account(onboarded: Account) -> Any:
    yield onboarded
    onboarded.sandbox.clear_permissions()


def permit_all_but(sandbox: Sandbox, *missing: str) -> None:
    sandbox.permit(READ_ONLY, [reduce(without, missing, VERIFY)])


def look(account: Account, **options: Any) -> Any:
    """Look at the integration with the tags that the playbook gives."""
    return account.look(tags={"ManagedBy": "spot.eventbridge"}, **options)


def by_check(entry: dict[str, Any]) -> dict[str, str]:
    return {finding["check"]: finding["outcome"] for finding in entry["findings"]}


def verify(account: Account) -> Run:
    return account.verify(env={"AWS_ACCESS_KEY_ID": READ_ONLY})


def test_with_all_rights_everything_is_found(account: Account) -> None:
    outcomes = by_check(look(account)[REGION])
    expected = {"double_delivery": "warn", "dead_letters": "warn", "notification": "skip"}
    assert {check: outcome for check, outcome in outcomes.items() if outcome != "pass"} == expected


def test_the_documented_policy_finds_the_same(account: Account) -> None:
    permit_all_but(account.sandbox)
    assert look(account, key=READ_ONLY) == look(account)


@pytest.mark.slow
def test_the_playbook_needs_no_more_than_the_documented_policy(account: Account) -> None:
    permit_all_but(account.sandbox)
    run = verify(account)
    assert run.rc == 0, run.output
    found = verification(run)
    everything = look(account)
    assert {region: by_check(entry) for region, entry in found["regions"].items()} == {
        region: by_check(entry) for region, entry in everything.items()
    }


def test_the_key_may_really_do_nothing_else(account: Account) -> None:
    permit_all_but(account.sandbox)
    with pytest.raises(ClientError, match="AccessDenied"):
        account.sandbox.boto3("events", REGION, access_key=READ_ONLY).disable_rule(Name=NAME)


def test_every_documented_permission_is_needed_for_something() -> None:
    assert set(actions(VERIFY)) == {*COSTS, REGIONS_PERMISSION}


@pytest.mark.slow
@pytest.mark.parametrize("action", COSTS)
def test_a_missing_permission_costs_what_it_belongs_to(account: Account, action: str) -> None:
    everything = by_check(look(account)[REGION])
    permit_all_but(account.sandbox, action)
    entry = look(account, key=READ_ONLY)[REGION]
    found, cost = by_check(entry), COSTS[action]
    assert {check: outcome for check, outcome in found.items() if outcome != everything[check]} == cost.outcomes
    assert set(everything) - set(found) == set(cost.unchecked)
    besides = {"double_delivery", "deliveries", "dead_letters", "notification"}
    assert entry["status"] == ("unknown" if {check for check in found if found[check] == "unknown"} - besides else "active")


@pytest.mark.parametrize("action", COSTS)
def test_a_missing_permission_is_named(account: Account, action: str) -> None:
    permit_all_but(account.sandbox, action)
    findings = look(account, key=READ_ONLY)[REGION]["findings"]
    told = [f"{finding['message']} {finding['remedy']}" for finding in findings if finding["check"] in COSTS[action].outcomes]
    assert action.partition(":")[2] in told[0]
    assert "rant" in told[0]  # Grant, grant


@pytest.mark.slow
def test_without_the_regions_the_playbook_says_what_to_grant(account: Account) -> None:
    permit_all_but(account.sandbox, REGIONS_PERMISSION)
    message = last_message(verify(account))
    assert "Grant the caller the permission for DescribeRegions" in message


def test_looking_writes_nothing(account: Account) -> None:
    account.sandbox.clear_calls()
    look(account)
    assert writes(account.sandbox) == []
