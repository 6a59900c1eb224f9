# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import typing as t

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict


def document(answer: t.Mapping[str, t.Any], **additions: t.Any) -> dict[str, t.Any]:
    """An answer of AWS as modules return it: boto3's names in snake case, times as ISO 8601, no response metadata."""
    plain = {key: _plain(value) for key, value in answer.items() if key != "ResponseMetadata"}
    return {**camel_dict_to_snake_dict(plain), **additions}


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value
