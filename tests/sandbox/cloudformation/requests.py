# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of requests that several operations have in common."""

from __future__ import annotations

from .errors import Refusal
from .resource_type import Json, Tags
from .template import Template

LARGEST_PAGE = 100


def require_capabilities(template: Template, request: Json) -> None:
    """Raise a Refusal if the template makes roles and `Capabilities` does not say so."""
    given = set(request.get("Capabilities", []))
    if "CAPABILITY_NAMED_IAM" in given:
        given.add("CAPABILITY_IAM")
    missing = [capability for capability in template.capabilities if capability not in given]
    if missing:
        raise Refusal(f"Requires capabilities : [{', '.join(missing)}]", "InsufficientCapabilitiesException")


def tags_of(request: Json) -> Tags:
    """Return `Tags` as a dict."""
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}


def page_of(items: list[Json], request: Json) -> tuple[list[Json], Json]:
    """Return the page of `NextToken` and `MaxResults`, and the token for the next."""
    start, size = int(request.get("NextToken", 0)), int(request.get("MaxResults", LARGEST_PAGE))
    if not 1 <= size <= LARGEST_PAGE:
        bound = "greater than or equal to 1" if size < 1 else f"less than or equal to {LARGEST_PAGE}"
        raise Refusal(
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: Member must have value {bound}"
        )
    more = {"NextToken": str(start + size)} if len(items) > start + size else {}
    return items[start : start + size], more
