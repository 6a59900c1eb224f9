# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.policy import allows

QUEUE, RULE = "arn:aws:sqs:eu-west-1:123456789012:spot", "arn:aws:events:eu-west-1:123456789012:rule/spot"
STATEMENT = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE}
DENY_PLAIN_HTTP = STATEMENT | {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


def allowed(*statements: dict[str, Any], secure: str = "true") -> bool:
    context = {"aws:SourceArn": RULE, "aws:SecureTransport": secure}
    return allows([{"Statement": list(statements)}], "sqs:SendMessage", QUEUE, "events.amazonaws.com", context)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}},
        {"Action": ["sqs:Get*", "SQS:Send*"]},
        {"Resource": "arn:aws:sqs:*:123456789012:sp?t"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE}}},
        {"Condition": {"ArnLike": {"AWS:sourcearn": "arn:aws:events:*:123456789012:rule/*"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
    ],
)
def test_a_statement_that_applies_allows(change: dict[str, Any]) -> None:
    assert allowed(STATEMENT | change)


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": f"{QUEUE}-of-another"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": f"{RULE}-of-another"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"NumericEquals": {"aws:SourceArn": RULE}}},
    ],
)
def test_a_statement_that_does_not_apply_allows_nothing(change: dict[str, Any]) -> None:
    assert not allowed(STATEMENT | change)


def test_without_a_statement_nothing_is_allowed() -> None:
    assert not allowed()
    assert not allows([None], "sqs:SendMessage", QUEUE)


def test_a_denial_wins() -> None:
    assert allowed(STATEMENT, DENY_PLAIN_HTTP)
    assert not allowed(STATEMENT, DENY_PLAIN_HTTP, secure="false")
