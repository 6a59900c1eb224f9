# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluates the IAM policies that decide about a delivery: trust policies, role policies, queue policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any


def allows(
    documents: Iterable[str | dict[str, Any] | None],
    action: str,
    resource: str | None = None,
    service: str | None = None,
    context: dict[str, str] | None = None,
) -> bool:
    """Tell whether policies allow an action: some statement allows it and none denies it.

    Args:
        documents: the policies, as JSON or parsed; None stands for an empty one.
        action: such as "sqs:SendMessage".
        resource: the ARN acted upon; None where the policy belongs to the resource and names none (a trust policy).
        service: the calling service, or the ARN of the calling account; None for the policies of an identity, which name no principal.
        context: condition keys and their values, such as aws:SourceArn.
    """
    effects = {
        statement.get("Effect")
        for document in documents
        if document
        for statement in _statements(document)
        if _applies(statement, action, resource, service, context or {})
    }
    return effects == {"Allow"}


def denies(document: dict[str, Any], action: str, resource: str, context: dict[str, str]) -> bool:
    """Tell whether a statement of a policy denies an action."""
    return any(
        statement.get("Effect") == "Deny" and _applies(statement, action, resource, None, context) for statement in _statements(document)
    )


def _statements(document: str | dict[str, Any]) -> list[dict[str, Any]]:
    parsed = json.loads(document) if isinstance(document, str) else document
    return _as_list(parsed.get("Statement"))


def _applies(statement: dict[str, Any], action: str, resource: str | None, service: str | None, context: dict[str, str]) -> bool:
    if service is not None and not _principal_matches(statement.get("Principal"), service):
        return False
    exempt = "NotAction" in statement
    if any(_like(pattern.lower(), action.lower()) for pattern in _as_list(statement.get("NotAction" if exempt else "Action"))) == exempt:
        return False
    if resource is not None and not any(_like(pattern, resource) for pattern in _as_list(statement.get("Resource"))):
        return False
    values = {key.lower(): value for key, value in context.items()}
    return all(
        _condition_holds(operator, expected, values.get(key.lower()))
        for operator, keys in statement.get("Condition", {}).items()
        for key, expected in keys.items()
    )


def _principal_matches(principal: Any, service: str) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    return service in _as_list(principal.get("Service")) or bool({service, "*"} & set(_as_list(principal.get("AWS"))))


def _condition_holds(operator: str, expected: Any, value: str | None) -> bool:
    """Evaluate the operators that occur in such policies; one that is not known never holds."""
    name = operator.removesuffix("IfExists")
    negated = name.removeprefix("StringNot")
    if negated != name:
        return not _condition_holds(f"String{negated}", expected, value)
    if value is None:
        return name != operator
    wanted = [str(item) for item in _as_list(expected)]
    if name == "StringEquals":
        return value in wanted
    if name in ("StringLike", "ArnLike", "ArnEquals"):  # AWS user guide: ArnEquals and ArnLike behave identically
        return any(_like(pattern, value) for pattern in wanted)
    if name in ("StringEqualsIgnoreCase", "Bool"):
        return value.lower() in [item.lower() for item in wanted]
    return False


def _like(pattern: str, value: str) -> bool:
    """Match as IAM does: * and ? are wildcards, everything else stands for itself."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL) is not None


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
