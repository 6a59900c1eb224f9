# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import fnmatch
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items

# The decision of a policy about a call. A condition that cannot be evaluated here is not guessed.
YES = "yes"
NO = "no"
UNSURE = "unsure"

# The service principal with which EventBridge fills a queue, assumes a role and uses a key.
EVENTBRIDGE = "events.amazonaws.com"

_EQUAL = frozenset({"StringEquals", "ArnEquals"})
_LIKE = frozenset({"StringLike", "ArnLike"})


def allows(policy: t.Any, *, action: str, resource: str | None, context: t.Mapping[str, str], service: str | None = None) -> str:
    """Return whether one policy allows one call, by IAM's logic: an explicit deny wins, then an allow, else no.

    Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements". Knows the condition operators that fit a
    call of EventBridge; a statement with any other is UNSURE.

    :param policy: the parsed document
    :param action: `sqs:SendMessage`
    :param resource: the ARN that is called, None for a trust policy, which has no resources
    :param context: condition keys of the call, `aws:SourceArn` and so on
    :param service: for a policy with principals, the service that calls; or the ARN of the role that does
    :returns: YES, NO or UNSURE
    """
    decisions = {"Allow": NO, "Deny": NO}
    for statement in statements_of(policy):
        if not _matches(statement, action, resource, service):
            continue
        effect = statement.get("Effect")
        if effect in ("Allow", "Deny"):
            # Only AWS can decide whom NotPrincipal leaves over.
            holds = UNSURE if "NotPrincipal" in statement else _conditions_hold(statement.get("Condition") or {}, context)
            decisions[effect] = _either(decisions[effect], holds)
    if decisions["Deny"] == YES or decisions["Allow"] == NO:
        return NO
    return UNSURE if UNSURE in decisions.values() else YES


def both(one: str, other: str) -> str:
    """Return the decision of two policies that both have to allow: YES, NO or UNSURE."""
    return NO if NO in (one, other) else UNSURE if UNSURE in (one, other) else YES


def statements_of(policy: t.Any) -> list[dict[str, t.Any]]:
    """Return the statements of a parsed policy; an empty list if it is not a policy."""
    found = _as_list(policy.get("Statement")) if isinstance(policy, dict) else []
    return [statement for statement in found if isinstance(statement, dict)]


def beside(
    own: dict[str, t.Any], existing: t.Any, others: t.Sequence[t.Mapping[str, t.Any]], decide: t.Callable[[t.Mapping[str, t.Any]], str]
) -> dict[str, t.Any]:
    """Return a policy of this collection together with the statements of others that stay.

    A statement stays if it allows something to AWS accounts, users or roles that it names, or denies something that this
    collection needs. One that lets everybody or a service do something is removed.

    :param own: the policy without others
    :param existing: the policy that the statements of others are in
    :param others: the statements of others
    :param decide: returns whether a statement leaves allowed all that this collection needs: YES, NO or UNSURE
    """
    kept = [other for other in others if _names_accounts(other) or (other.get("Effect") == "Deny" and decide(other) != NO)]
    return {**existing, **own, "Statement": [*own["Statement"], *kept]} if kept else own


def _names_accounts(statement: t.Mapping[str, t.Any]) -> bool:
    """Return whether a statement allows something, and only to principals of AWS accounts that it names."""
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not isinstance(principal, dict) or set(principal) != {"AWS"}:
        return False
    named = _as_list(principal["AWS"])
    return bool(named) and not any("*" in str(name) for name in named)


def _either(one: str, other: str) -> str:
    return YES if YES in (one, other) else UNSURE if UNSURE in (one, other) else NO


def _matches(statement: t.Mapping[str, t.Any], action: str, resource: str | None, service: str | None) -> bool:
    return (
        _covers(statement, "Action", action, ignore_case=True)
        and (resource is None or _covers(statement, "Resource", resource))
        and (service is None or _names_service(statement, service))
    )


def _covers(statement: t.Mapping[str, t.Any], element: str, value: str, ignore_case: bool = False) -> bool:
    """Return whether `Action` or `Resource` of a statement, or their opposites, include a value."""
    opposite = element not in statement
    patterns = [str(pattern) for pattern in _as_list(statement.get(f"Not{element}" if opposite else element))]
    if ignore_case:
        value, patterns = value.lower(), [pattern.lower() for pattern in patterns]
    return any(_like(value, pattern) for pattern in patterns) != opposite


def _names_service(statement: t.Mapping[str, t.Any], service: str) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        return principal == "*"
    if service in _as_list(principal.get("Service")):
        return True
    # A role is also named by its account: as the account's number, or as the ARN of its root (IAM user guide, "Principal").
    parts = service.split(":", 5)
    account = (parts[4], ":".join((*parts[:5], "root"))) if len(parts) == 6 else ()
    return any(name in ("*", service, *account) for name in _as_list(principal.get("AWS")))


def _conditions_hold(conditions: t.Any, context: t.Mapping[str, str]) -> str:
    if not isinstance(conditions, dict) or not all(isinstance(tests, dict) for tests in conditions.values()):
        return UNSURE
    known = {key.lower(): value for key, value in context.items()}
    decision = YES
    for operator, tests in conditions.items():
        for key, desired in tests.items():
            value = known.get(str(key).lower())
            patterns = [str(pattern) for pattern in _as_list(desired)]
            if operator not in _EQUAL | _LIKE | {"Bool"} or value is None:
                decision = UNSURE
            elif operator == "Bool":
                if value.lower() not in [pattern.lower() for pattern in patterns]:
                    return NO
            # ArnEquals and ArnLike are the same (IAM user guide), and both take wildcards.
            elif (operator == "StringEquals" and value not in patterns) or (
                operator != "StringEquals" and not any(_like(value, pattern) for pattern in patterns)
            ):
                return NO
    return decision


def _like(value: str, pattern: str) -> bool:
    # IAM knows * and ?, and no character classes.
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _as_list(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


# Reading


def inline_policies(iam: t.Any, name: str) -> list[str]:
    """Return the names of the inline policies of a role. ListRolePolicies."""
    return list(items(iam, "list_role_policies", "PolicyNames", RoleName=name))


def attached_policies(iam: t.Any, name: str) -> list[str]:
    """Return the ARNs of the policies that are attached to a role. ListAttachedRolePolicies."""
    return [policy["PolicyArn"] for policy in items(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)]


def managed_policy(iam: t.Any, arn: str) -> t.Any:
    """Return the document of a managed policy. GetPolicy, GetPolicyVersion."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def boundary_policy(iam: t.Any, arn: str | None) -> t.Any:
    """Return the document of a permissions boundary; None if there is none, or it cannot be read."""
    try:
        return managed_policy(iam, arn) if arn else None
    except Exception:  # its permissions are then not known
        return None
