# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a resource type is, and what its handlers share."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import Failure, NotFound
from .services import Services

Json = dict[str, Any]
Tags = dict[str, str]
Started = Callable[[str], None]
"""Told the id of a resource as soon as there is one, finished or not: a rollback has to delete it."""


@dataclass(frozen=True)
class State:
    """What a resource is like, or shall be: its properties with every value resolved, and its tags."""

    properties: Json
    tags: Tags


@dataclass(frozen=True)
class Seconds:
    """How long AWS took (recorded, or in its handler); 0 where nothing is known."""

    create: float = 0
    update: float = 0
    delete: float = 0


class ResourceType:
    """A type of resource. `create`, `update` and `delete` raise a Failure; the first two return the attributes of Fn::GetAtt.

    Attributes:
        name: as templates write it.
        name_property: what names it; without that property it gets a name that nobody else has.
        named_after_stack: whether such a name begins with the stack's.
        longest_name: AWS's limit.
        required, optional: its properties.
        replaced_by: the properties whose change needs a new resource.
        tagged: whether the stack's tags are its own too.
        shows_system_tags: whether those of `aws:cloudformation:*` can be seen on it.
        seconds: how long it takes in AWS, see the setting `stack_time_scale`.
    """

    name: str
    name_property: str | None = None
    named_after_stack: bool = True
    longest_name: int = 64
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    replaced_by: frozenset[str] = frozenset()
    tagged: bool = False
    shows_system_tags: bool = True
    seconds: Seconds = Seconds()

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        """Make the resource `name`; it calls `started` with the physical id."""
        raise NotImplementedError

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        """Change the resource in place."""
        raise NotImplementedError

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        """Delete the resource; NotFound if it is gone already."""
        raise NotImplementedError

    def check(self, logical_id: str, properties: Json) -> None:
        """Raise a Failure for properties that the type does not have, or that are missing."""
        problems = [f"#: required key [{key}] not found" for key in sorted(self.required - set(properties))]
        problems += [f"#: extraneous key [{key}] is not permitted" for key in sorted(set(properties) - self.required - self.optional)]
        if problems:
            raise Failure(f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(problems))

    def generated_name(self, stack: str, logical_id: str) -> str:
        """Return a name for a resource that the template does not name; the stack's part is cut if need be."""
        letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
        if not self.named_after_stack:
            return f"{logical_id[: self.longest_name - len(letters) - 1]}-{letters}"
        ending = f"-{logical_id}-{letters}"[1 - self.longest_name :]
        return stack[: self.longest_name - len(ending)] + ending


def exists(read: Callable[[], Any]) -> bool:
    """Tell whether what a call is about is there."""
    try:
        read()
    except NotFound:
        return False
    return True


def change_tags(old: Tags, new: Tags, tag: Callable[[Tags], Any], untag: Callable[[list[str]], Any]) -> None:
    """Bring tags from one state to another; what others have added stays."""
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    gone = [key for key in old if key not in new]
    if changed:
        tag(changed)
    if gone:
        untag(gone)


def tag_list(tags: Tags) -> list[Json]:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def json_text(value: Any) -> str:
    """Return a document as the text that a service takes."""
    return value if isinstance(value, str) else json.dumps(value)
