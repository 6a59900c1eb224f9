# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a request's template comes from: its own text, or an object in S3."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from .errors import Refusal
from .resource_types import TYPES
from .template import LONGEST_BODY, Template, parsed

_IN_HOST = re.compile(r"(?P<bucket>.+)\.s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
_IN_PATH = re.compile(r"s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")


def template_of(request: dict[str, Any]) -> Template | None:
    """Return the template of TemplateBody or TemplateURL, None if the request has neither. Hold moto's lock."""
    if "TemplateBody" in request and "TemplateURL" in request:
        raise Refusal("Either Template URL or Template Body must be specified, but not both.")
    if "TemplateURL" in request:
        return parsed(text_of(request["TemplateURL"]), frozenset(TYPES))
    if "TemplateBody" not in request:
        return None
    text: str = request["TemplateBody"]
    if not 1 <= len(text.encode()) <= LONGEST_BODY:
        raise Refusal(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length {'less' if text else 'greater'} than or equal to {LONGEST_BODY if text else 1}"
        )
    return parsed(text, frozenset(TYPES))


def required_template_of(request: dict[str, Any]) -> Template:
    """Return the template of TemplateBody or TemplateURL, or a Refusal."""
    template = template_of(request)
    if template is None:
        raise Refusal("Either Template URL or Template Body must be specified.")
    return template


def text_of(url: str) -> str:
    """Return the text of an object in S3, addressed by host or by path. Who may read it is not looked at."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", unquote(parts.path).lstrip("/")
    in_host = _IN_HOST.fullmatch(host)
    if parts.scheme != "https" or not (in_host or _IN_PATH.fullmatch(host)):
        raise Refusal("TemplateURL must be a supported URL.")
    bucket, key = (in_host["bucket"], path) if in_host else (path.partition("/")[0], path.partition("/")[2])
    if bucket not in s3_backends.bucket_accounts:
        raise Refusal("S3 error: The specified bucket does not exist")
    partition, account = s3_backends.bucket_accounts[bucket]
    try:
        found = s3_backends[account][partition].get_object(bucket, key)
    except MissingBucket:
        found = None
    if found is None:
        raise Refusal("S3 error: The specified key does not exist.")
    return found.value.decode()
