# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t


def tag_changes(current: t.Mapping[str, str], desired: t.Mapping[str, str] | None, purge: bool) -> tuple[dict[str, str], list[str]]:
    """What has to be done to tags.

    :param desired: None leaves all tags alone
    :param purge: whether tags that are not desired go
    :returns: the tags to set, and the keys to remove
    """
    if desired is None:
        return {}, []
    to_set = {key: value for key, value in desired.items() if current.get(key) != value}
    # Tags of AWS itself, such as CloudFormation's, cannot be removed (AWS Tag Editor user guide).
    to_remove = [key for key in current if key not in desired and not key.startswith("aws:")] if purge else []
    return to_set, to_remove


def tags_after(current: t.Mapping[str, str], desired: t.Mapping[str, str] | None, purge: bool) -> dict[str, str]:
    """The tags as they are once `tag_changes` is done."""
    to_set, to_remove = tag_changes(current, desired, purge)
    return {**{key: value for key, value in current.items() if key not in to_remove}, **to_set}


def as_text(tags: t.Mapping[str, t.Any] | None) -> dict[str, str] | None:
    """Tags out of a playbook, where a value may be a number or a truth value, as AWS keeps them."""
    return None if tags is None else {str(key): str(value) for key, value in tags.items()}


def as_list(tags: t.Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as EventBridge and IAM take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def as_mapping(tags: t.Iterable[t.Mapping[str, str]]) -> dict[str, str]:
    """The reverse of `as_list`."""
    return {tag["Key"]: tag["Value"] for tag in tags}
