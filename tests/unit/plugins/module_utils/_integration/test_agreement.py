# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification and onboarding agree about policies: a finding fails exactly if onboarding would change that policy.

Every policy here is one that somebody may leave behind; what only AWS can evaluate is among them.
"""

from __future__ import annotations

import itertools
import json
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.region import findings
from tests.unit.plugins.module_utils._integration.test_findings import (
    AWS,
    DESIRED,
    HEALTHY,
    HERE,
    NAME,
    OUR_ROLE,
    OWN_POLICY,
    QUEUE_ARN,
    queue,
    role,
)

CONDITIONS: list[t.Any] = [
    None,
    {"StringEquals": {"aws:SourceAccount": AWS}},
    {"StringEquals": {"aws:SourceAccount": "210987654321"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
    {"StringEquals": {"aws:SourceAccount": AWS}, "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{AWS}:rule/{NAME}"}},
    {"StringEqualsIfExists": {"aws:SourceAccount": AWS}},
    {"Bool": {"aws:SecureTransport": "false"}},
]
PRINCIPALS: list[t.Any] = [
    "*",
    {"AWS": f"arn:aws:iam::{AWS}:role/audit"},
    {"Service": "events.amazonaws.com"},
    {"Service": ["events.amazonaws.com", "ec2.amazonaws.com"]},
]
OTHERS = list(itertools.product(["Allow", "Deny"], PRINCIPALS, CONDITIONS))


def statement(effect: str, principal: t.Any, condition: t.Any, **more: t.Any) -> dict[str, t.Any]:
    return {"Effect": effect, "Principal": principal, **({"Condition": condition} if condition else {}), **more}


def kept(policy: t.Any = None, **attributes: str) -> t.Any:
    """The queue, with every attribute as desired."""
    return queue(policy, MessageRetentionPeriod="1209600", **attributes)


def outcome(check: str, **changed: t.Any) -> str:
    (found,) = [finding for finding in findings(HERE, replace(HEALTHY, **changed), DESIRED) if finding.check == check]
    return found.outcome


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(("effect", "principal", "condition"), OTHERS, ids=str)
def test_about_the_trust_policy(effect: str, principal: t.Any, condition: t.Any, alone: bool) -> None:
    other = statement(effect, principal, condition, Action="sts:AssumeRole")
    ours = OUR_ROLE.trust_policy()
    trust = {**ours, "Statement": [*([] if alone else ours["Statement"]), other]}
    existing = replace(role(), trust=trust)
    changes = "update_assume_role_policy" in {call.operation for call in OUR_ROLE.plan(HERE, existing).calls}
    assert (outcome("execution_role_trust", execution_role=existing) == FAIL) == changes
    if changes:  # once, and then no more
        (after,) = [json.loads(call.arguments["PolicyDocument"]) for call in OUR_ROLE.plan(HERE, existing).calls[:1]]
        repaired = replace(existing, trust=after)
        assert "update_assume_role_policy" not in {call.operation for call in OUR_ROLE.plan(HERE, repaired).calls}
        assert outcome("execution_role_trust", execution_role=repaired) != FAIL


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("sid", [None, "SpotInterruptionDeadLetters", "SpotInterruptionTlsOnly"])
@pytest.mark.parametrize(("effect", "principal", "condition"), OTHERS, ids=str)
def test_about_the_policy_of_the_queue(*, effect: str, principal: t.Any, condition: t.Any, sid: str | None, alone: bool) -> None:
    other = statement(effect, principal, condition, Action="sqs:*", Resource=QUEUE_ARN, **({"Sid": sid} if sid else {}))
    ours = [own for own in OWN_POLICY["Statement"] if own["Sid"] != sid]
    existing = kept(json.dumps({**OWN_POLICY, "Statement": [*([] if alone else ours), other]}))
    calls = DESIRED.queue.plan(HERE, existing).calls
    assert (outcome("queue_policy", queue=existing) == FAIL) == bool(calls)
    if calls:
        repaired = kept(calls[0].arguments["Attributes"]["Policy"])
        assert DESIRED.queue.plan(HERE, repaired).calls == ()
        assert outcome("queue_policy", queue=repaired) != FAIL


@pytest.mark.parametrize(
    "key",
    [
        Key("alias/aws/sqs"),
        Key("1f", missing=True),
        Key("1f", {"Arn": f"arn:aws:kms:us-east-1:{AWS}:key/1f", "KeyState": "Disabled"}),
        Key("1f", {"Arn": f"arn:aws:kms:us-east-1:{AWS}:key/1f"}, {"Statement": []}),
        Key("1f", {"Arn": f"arn:aws:kms:us-east-1:{AWS}:key/1f"}, {"Statement": [statement("Allow", PRINCIPALS[2], None, Action="kms:*")]}),
        Key("1f", unread=("kms:DescribeKey (AccessDeniedException)",)),
    ],
    ids=str,
)
def test_about_a_key_of_others(key: Key) -> None:
    existing = replace(kept(SqsManagedSseEnabled="false", KmsMasterKeyId=key.identifier), key=key)
    assert (outcome("queue_key", queue=existing) == FAIL) == bool(DESIRED.queue.plan(HERE, existing).calls)
