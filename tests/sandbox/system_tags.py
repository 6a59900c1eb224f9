# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that begin with `aws:` are AWS's own: nobody else may set or remove them. moto lets everybody."""

from __future__ import annotations

import json
import re
from typing import Any

from .server import Request

PREFIX = "aws:"
MESSAGE = "Tag keys that begin with aws: are reserved for AWS."

_IN_FORM = re.compile(r"Tag(s\.member\.\d+\.Key|Keys\.member\.\d+)")


def touched(request: Request, form: dict[str, str]) -> bool:
    """Tell whether a request sets or removes a tag of AWS's own; `form` holds the parameters of the query protocols."""
    if form:
        return any(value.startswith(PREFIX) for key, value in form.items() if _IN_FORM.fullmatch(key))
    if b'"aws:' not in request.body:
        return False
    body: dict[str, Any] = json.loads(request.body)
    tags = body.get("Tags") or body.get("tags") or {}
    keys = list(tags) if isinstance(tags, dict) else [tag.get("Key", "") for tag in tags]
    return any(key.startswith(PREFIX) for key in keys + body.get("TagKeys", []))
