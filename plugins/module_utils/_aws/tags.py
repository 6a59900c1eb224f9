# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, compare_aws_tags

from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call


def tag_changes(existing: t.Mapping[str, str], desired: t.Mapping[str, str] | None, purge: bool) -> tuple[dict[str, str], list[str]]:
    """Return the tags to set, all or none, and the keys to remove. Tags of AWS itself (`aws:…`) are never removed.

    :param desired: None changes no tag
    :param purge: whether tags that are not desired are removed
    """
    to_set, to_remove = compare_aws_tags(existing, desired, purge_tags=purge) if desired is not None else ({}, [])
    # All of them where one differs: a company's policy can refuse a request that lacks a tag (condition key aws:RequestTag).
    return dict(desired or {}) if to_set else {}, to_remove


def tag_calls(
    existing: t.Mapping[str, str], desired: t.Mapping[str, str] | None, purge: bool, arn: str, argument: str = "ResourceARN"
) -> list[Call]:
    """Return the calls TagResource and UntagResource that carry `tag_changes` out.

    :param argument: how the service calls the ARN
    """
    to_set, to_remove = tag_changes(existing, desired, purge)
    calls = [Call("tag_resource", {argument: arn, "Tags": ansible_dict_to_boto3_tag_list(to_set)})] if to_set else []
    return [*calls, *([Call("untag_resource", {argument: arn, "TagKeys": to_remove})] if to_remove else [])]


def tags_after(existing: t.Mapping[str, str], desired: t.Mapping[str, str] | None, purge: bool) -> dict[str, str]:
    """Return the tags that a resource has once `tag_changes` is carried out."""
    to_set, to_remove = tag_changes(existing, desired, purge)
    return {**{key: value for key, value in existing.items() if key not in to_remove}, **to_set}


def as_text(tags: t.Mapping[str, t.Any] | None) -> dict[str, str] | None:
    """Return tags of a playbook, where a value may be a number or a boolean, as AWS stores them."""
    return None if tags is None else {str(key): str(value) for key, value in tags.items()}
