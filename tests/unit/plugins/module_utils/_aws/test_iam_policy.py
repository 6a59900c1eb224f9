# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, UNSURE, YES, allows

EVENTBRIDGE = "events.amazonaws.com"
RULE = "arn:aws:events:eu-west-1:123456789012:rule/spot-interruption"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:letters"
CONTEXT = {"aws:SourceArn": RULE, "aws:SourceAccount": "123456789012"}


def statement(**changes: t.Any) -> dict[str, t.Any]:
    """A statement that allows the call that `asked` asks about, but for `changes`; None leaves an element out."""
    whole = {"Effect": "Allow", "Principal": {"Service": EVENTBRIDGE}, "Action": "sqs:SendMessage", "Resource": QUEUE, **changes}
    return {element: value for element, value in whole.items() if value is not None}


def asked(*statements: t.Any) -> str:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return allows(policy, action="sqs:SendMessage", resource=QUEUE, context=CONTEXT, service=EVENTBRIDGE)


def on_condition(operator: str, key: str, value: t.Any) -> dict[str, t.Any]:
    return statement(Condition={operator: {key: value}})


def test_statement_with_allow_allows() -> None:
    assert asked(statement()) == YES


def test_action_without_a_statement_is_not_allowed() -> None:
    assert asked() == NO


@pytest.mark.parametrize("order", [1, -1], ids=["allow first", "deny first"])
def test_deny_overrides_allow_in_any_order(order: int) -> None:
    assert asked(*[statement(), statement(Effect="Deny")][::order]) == NO


def test_deny_of_another_action_has_no_effect() -> None:
    assert asked(statement(), statement(Effect="Deny", Action="sqs:DeleteQueue")) == YES


def test_one_statement_with_allow_suffices() -> None:
    assert asked(statement(Action="sqs:DeleteQueue"), statement()) == YES


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("sqs:SendMessage", YES),
        ("SQS:sendmessage", YES),
        ("sqs:*", YES),
        ("sqs:Send*", YES),
        ("*", YES),
        ("sqs:SendMessag?", YES),
        (["sqs:DeleteQueue", "sqs:SendMessage"], YES),
        ("sqs:ReceiveMessage", NO),
        ("sqs:SendMessageBatch", NO),
        ("sqs:SendMessag[e]", NO),
        ([], NO),
        (None, NO),
    ],
)
def test_actions_match_with_wildcards_without_case(action: t.Any, answer: str) -> None:
    given = statement(Action=action) if action is not None else statement(Action=None, NotAction="sqs:*")
    assert asked(given) == answer


@pytest.mark.parametrize(
    ("resource", "answer"),
    [
        (QUEUE, YES),
        ("*", YES),
        ("arn:aws:sqs:*:123456789012:letters", YES),
        ("arn:aws:sqs:eu-west-?:*", YES),
        (["arn:aws:sqs:us-east-1:1:x", QUEUE], YES),
        (QUEUE.upper(), NO),
        ("arn:aws:sqs:eu-west-1:123456789012:letters-of-others", NO),
        ("arn:aws:sqs:eu-west-[1]:123456789012:letters", NO),
    ],
)
def test_resources_match_with_wildcards_and_case(resource: t.Any, answer: str) -> None:
    assert asked(statement(Resource=resource)) == answer


@pytest.mark.parametrize(
    ("element", "value", "answer"),
    [
        ("NotAction", "sqs:DeleteQueue", YES),
        ("NotAction", ["sqs:DeleteQueue", "sqs:Send*"], NO),
        ("NotResource", "arn:aws:sqs:us-east-1:*", YES),
        ("NotResource", "*", NO),
    ],
)
def test_not_action_and_not_resource_cover_everything_else(element: str, value: t.Any, answer: str) -> None:
    assert asked(statement(**{element.replace("Not", ""): None, element: value})) == answer


@pytest.mark.parametrize(
    ("principal", "answer"),
    [
        ({"Service": EVENTBRIDGE}, YES),
        ({"Service": ["lambda.amazonaws.com", EVENTBRIDGE]}, YES),
        ("*", YES),
        ({"AWS": "*"}, YES),
        ({"AWS": ["arn:aws:iam::1:root", "*"]}, YES),
        ({"Service": "lambda.amazonaws.com"}, NO),
        ({"AWS": "arn:aws:iam::123456789012:root"}, NO),
        ({}, NO),
        (EVENTBRIDGE, NO),
        (None, NO),
    ],
)
def test_policy_with_principals_allows_only_its_principals(principal: t.Any, answer: str) -> None:
    assert asked(statement(Principal=principal)) == answer


@pytest.mark.parametrize(("effect", "answer"), [("Allow", UNSURE), ("Deny", UNSURE)])
def test_not_principal_is_unsure(effect: str, answer: str) -> None:
    excepted = statement(Effect=effect, Principal=None, NotPrincipal={"AWS": "arn:aws:iam::1:root"})
    assert asked(*([statement()] if effect == "Deny" else []), excepted) == answer


def test_a_policy_of_a_role_needs_no_principal() -> None:
    policy = {"Statement": statement(Principal=None)}
    assert allows(policy, action="sqs:SendMessage", resource=QUEUE, context={}) == YES


def test_a_trust_policy_needs_no_resource() -> None:
    policy = {"Statement": [statement(Resource=None, Action="sts:AssumeRole")]}
    assert allows(policy, action="sts:AssumeRole", resource=None, context={}, service=EVENTBRIDGE) == YES


@pytest.mark.parametrize(
    ("operator", "key", "value", "answer"),
    [
        ("StringEquals", "aws:SourceAccount", "123456789012", YES),
        ("StringEquals", "AWS:sourceaccount", "123456789012", YES),
        ("StringEquals", "aws:SourceAccount", ["1", "123456789012"], YES),
        ("StringEquals", "aws:SourceAccount", 123456789012, YES),
        ("StringEquals", "aws:SourceAccount", "210987654321", NO),
        ("StringEquals", "aws:SourceAccount", "1234*", NO),
        ("StringEquals", "aws:SourceAccount", [], NO),
        ("StringLike", "aws:SourceAccount", "1234*", YES),
        ("StringLike", "aws:SourceAccount", "2109*", NO),
        ("ArnEquals", "aws:SourceArn", RULE, YES),
        ("ArnEquals", "aws:SourceArn", "arn:aws:events:*:123456789012:rule/*", YES),
        ("ArnEquals", "aws:SourceArn", RULE + "-2", NO),
        ("ArnLike", "aws:SourceArn", "arn:aws:events:*:123456789012:rule/spot-*", YES),
        ("ArnLike", "aws:SourceArn", "arn:aws:events:*:210987654321:*", NO),
        # what only AWS can evaluate
        ("StringNotEquals", "aws:SourceAccount", "123456789012", UNSURE),
        ("StringEqualsIfExists", "aws:SourceAccount", "123456789012", UNSURE),
        ("ForAnyValue:StringEquals", "aws:SourceAccount", "123456789012", UNSURE),
        ("Null", "aws:SourceArn", "false", UNSURE),
        ("Bool", "aws:SecureTransport", "true", UNSURE),
        ("Bool", "aws:SourceAccount", "false", NO),
        ("StringEquals", "aws:PrincipalOrgID", "o-1", UNSURE),
    ],
)
def test_conditions(operator: str, key: str, value: t.Any, answer: str) -> None:
    assert asked(on_condition(operator, key, value)) == answer


def test_statement_applies_only_if_all_conditions_hold() -> None:
    held, failed = {"ArnEquals": {"aws:SourceArn": RULE}}, {"StringEquals": {"aws:SourceAccount": "1"}}
    assert asked(statement(Condition={**held, **failed})) == NO


@pytest.mark.parametrize("order", [1, -1])
def test_failed_condition_decides_beside_an_unknown_one(order: int) -> None:
    conditions = [("Null", {"aws:SourceArn": "false"}), ("StringEquals", {"aws:SourceAccount": "1"})][::order]
    assert asked(statement(Condition=dict(conditions))) == NO


def test_deny_with_an_unknown_condition_is_unsure() -> None:
    assert asked(statement(), {**on_condition("Bool", "aws:SecureTransport", "false"), "Effect": "Deny"}) == UNSURE


def test_deny_with_a_failed_condition_has_no_effect() -> None:
    assert asked(statement(), {**on_condition("StringEquals", "aws:SourceAccount", "1"), "Effect": "Deny"}) == YES


def test_sure_allow_beside_an_unsure_allow_allows() -> None:
    assert asked(on_condition("Null", "aws:SourceArn", "false"), statement()) == YES


def test_unsure_deny_without_an_allow_is_not_allowed() -> None:
    assert asked({**on_condition("Bool", "aws:SecureTransport", "false"), "Effect": "Deny"}) == NO


@pytest.mark.parametrize(
    "policy",
    [None, "", "not JSON", [], {}, {"Statement": None}, {"Statement": "Allow"}, {"Statement": [None, "x", 1]}, {"Statement": [{}]}],
)
def test_malformed_policy_allows_nothing(policy: t.Any) -> None:
    assert allows(policy, action="sqs:SendMessage", resource=QUEUE, context={}, service=EVENTBRIDGE) == NO


@pytest.mark.parametrize("effect", ["allow", "Perhaps", None])
def test_unknown_effect_allows_nothing(effect: str | None) -> None:
    assert asked(statement(Effect=effect)) == NO


@pytest.mark.parametrize("conditions", ["x", ["StringEquals"], {"StringEquals": "x"}])
def test_malformed_conditions_are_unsure(conditions: t.Any) -> None:
    assert asked(statement(Condition=conditions)) == UNSURE
