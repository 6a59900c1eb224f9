# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Execution roles as EventBridge sees them: may it assume one, has the role spread already, what may it do then.

Corrects moto: CreateRole takes any text as a trust policy there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from moto.iam.exceptions import EntityAlreadyExists, MalformedPolicyDocument, NotFoundException
from moto.iam.models import IAMBackend, Role, iam_backends

from .policy import allows
from .settings import Settings

PRINCIPAL = "events.amazonaws.com"


def install() -> None:
    """Note when a role's trust policy was set, and check it."""
    IAMBackend.create_role = _stamping(_checking(IAMBackend.create_role))  # type: ignore[method-assign]
    IAMBackend.update_assume_role_policy = _stamping(IAMBackend.update_assume_role_policy)  # type: ignore[method-assign]


def _checking(original: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: IAMBackend, role_name: str, assume_role_policy_document: str, *args: Any, **kwargs: Any) -> Any:
        if not _is_json(assume_role_policy_document):
            raise MalformedPolicyDocument("This policy contains invalid Json")
        return original(self, role_name, assume_role_policy_document, *args, **kwargs)

    return checked


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    def stamped(self: IAMBackend, role_name: str, *args: Any, **kwargs: Any) -> Any:
        result = original(self, role_name, *args, **kwargs)
        self.get_role(role_name).trusted_since = time.monotonic()  # type: ignore[attr-defined]
        return result

    return stamped


def create_service_linked(account: str, service: str, name: str, description: str = "") -> None:
    """Make a service-linked role, as a service does on behalf of its first caller. Hold moto's lock."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    with suppress(EntityAlreadyExists):
        iam_backends[account]["aws"].create_role(
            role_name=name,
            assume_role_policy_document=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            path=f"/aws-service-role/{service}/",
            permissions_boundary=None,
            description=description,
            tags=[],
            max_session_duration="3600",
            linked_service=service,
        )


def can_assume(role_arn: str | None, account: str, rule_arn: str, settings: Settings) -> bool:
    """Tell whether EventBridge may assume the role for this rule, by its trust policy."""
    role = _find(role_arn, account)
    context = {"aws:SourceAccount": account} | ({"aws:SourceArn": rule_arn} if settings.assume_with_source_arn else {})
    return role is not None and allows([role.assume_role_policy_document], "sts:AssumeRole", service=PRINCIPAL, context=context)


def has_spread(role_arn: str, account: str, settings: Settings) -> bool:
    """Tell whether EventBridge knows the role in its present form: IAM takes a while to tell everybody."""
    role = _find(role_arn, account)
    since = getattr(role, "trusted_since", 0.0)
    return role is not None and time.monotonic() - since >= settings.role_spread_seconds


def is_assumable(role_arn: str | None, account: str, rule_arn: str, settings: Settings) -> bool:
    """Tell whether EventBridge can assume the role for this rule now."""
    return role_arn is not None and can_assume(role_arn, account, rule_arn, settings) and has_spread(role_arn, account, settings)


def may(role_arn: str | None, account: str, action: str, resource: str) -> bool:
    """Tell whether the role's inline and attached policies allow an action, and its permissions boundary, too."""
    role = _find(role_arn, account)
    if role is None:
        return False
    attached = [version.document for policy in role.managed_policies.values() for version in policy.versions if version.is_default]
    boundary = iam_backends[account]["aws"].managed_policies.get(str(role.permissions_boundary_arn or ""))
    limits = [version.document for version in boundary.versions if version.is_default] if boundary else []
    return allows([*role.policies.values(), *attached], action, resource) and (not boundary or allows(limits, action, resource))


def _find(role_arn: str | None, account: str) -> Role | None:
    """Return the role, None if there is none or it is another account's: EventBridge wants its own account's."""
    parts = (role_arn or "").split(":")
    if role_arn is None or len(parts) < 6 or parts[4] != account:
        return None
    try:
        return iam_backends[account][parts[1]].get_role_by_arn(role_arn)
    except (KeyError, NotFoundException):  # KeyError: no such partition
        return None
