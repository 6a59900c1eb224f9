# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tags of a request. Those that begin with `aws:` are AWS's own: nobody else may set or remove them. moto lets everybody."""

from __future__ import annotations

import json
import re
from typing import Any

from .server import Request

PREFIX = "aws:"
MESSAGE = "Tag keys that begin with aws: are reserved for AWS."

_TAG_KEY = re.compile(r"Tags\.member\.\d+\.Key")
_UNTAGGED_KEY = re.compile(r"TagKeys\.member\.\d+")


def of_request(request: Request, form: dict[str, str]) -> dict[str, str]:
    """Return the tags that a request sets; `form` holds the parameters of the query protocols."""
    if form:
        keys = {key: value for key, value in form.items() if _TAG_KEY.fullmatch(key)}
        return {value: form.get(f"{key[: -len('Key')]}Value", "") for key, value in keys.items()}
    body = _body(request)
    tags = body.get("Tags") or body.get("tags") or {}
    if isinstance(tags, dict):
        return dict(tags)
    # KMS has names of its own.
    return {tag.get("Key", tag.get("TagKey", "")): tag.get("Value", tag.get("TagValue", "")) for tag in tags}


def touched(request: Request, form: dict[str, str]) -> bool:
    """Tell whether a request sets or removes a tag of AWS's own; `form` holds the parameters of the query protocols."""
    if form:
        removed = [value for key, value in form.items() if _UNTAGGED_KEY.fullmatch(key)]
    else:
        removed = _body(request).get("TagKeys", []) if b'"aws:' in request.body else []
    return any(key.startswith(PREFIX) for key in [*of_request(request, form), *removed])


def _body(request: Request) -> dict[str, Any]:
    """Parse the body of a request that may have tags: most have none, and are long."""
    if not re.search(rb'"[Tt]ag', request.body):
        return {}
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
