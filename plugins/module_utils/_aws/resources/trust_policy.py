# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import EVENTBRIDGE, YES, allows, beside, statements_of

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

_ACTION = "sts:AssumeRole"


def trust_policy(aws_account: str) -> Document:
    """Return the trust policy by which EventBridge may assume a role for one account alone (IAM user guide, "the confused deputy
    problem")."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": EVENTBRIDGE},
        "Action": _ACTION,
        "Condition": {"StringEquals": {"aws:SourceAccount": aws_account}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust_beside(existing: t.Any, partition: str, aws_account: str, rule: str) -> Document:
    """Return the trust policy together with the statements of others in an existing one that stay.

    A statement that trusts EventBridge stays, with the conditions of others, if it trusts EventBridge for this account and for no other.
    If there is none, that of this collection is added.

    :param existing: the existing policy, parsed
    :param rule: the name of the rule whose target has the role
    """
    statements = statements_of(existing)
    # The rules of all regions, as one role serves all of them.
    arn = f"arn:{partition}:events:any-region-1:{aws_account}:rule/{rule}"
    ours = [statement for statement in statements if _trusts_this_account_alone(statement, aws_account, arn)]
    own = {**trust_policy(aws_account), **({"Statement": ours} if ours else {})}
    others = [statement for statement in statements if statement not in ours]
    return beside(own, existing, others, lambda other: assumes({"Statement": [*own["Statement"], other]}, aws_account, arn))


def assumes(policy: t.Any, aws_account: str, rule_arn: str | None = None) -> str:
    """Return whether EventBridge may assume a role for an account: YES, NO or UNSURE.

    :param rule_arn: the rule's ARN, as the condition aws:SourceArn is recommended; that EventBridge sends it is not documented
    """
    context = {"aws:SourceAccount": aws_account, **({"aws:SourceArn": rule_arn} if rule_arn else {})}
    return allows(policy, action=_ACTION, resource=None, context=context, service=EVENTBRIDGE)


def _trusts_this_account_alone(statement: t.Mapping[str, t.Any], aws_account: str, rule_arn: str) -> bool:
    if statement.get("Principal") not in ({"Service": EVENTBRIDGE}, {"Service": [EVENTBRIDGE]}):
        return False
    tests = [tests for tests in (statement.get("Condition") or {}).values() if isinstance(tests, dict)]
    accounts = [value for found in tests for key, value in found.items() if str(key).lower() == "aws:sourceaccount"]
    alone = bool(accounts) and all(value in (aws_account, [aws_account]) for value in accounts)
    return alone and assumes({"Statement": [statement]}, aws_account, rule_arn) == YES
