# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items


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
    except Exception:  # what it allows is then not known
        return None
