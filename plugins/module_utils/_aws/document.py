# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.transformation import boto3_resource_to_ansible_dict


def document(response: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a response of AWS as modules return it: boto3's names in snake case, times as ISO 8601, no response metadata."""
    resource = {key: value for key, value in response.items() if key != "ResponseMetadata"}
    return dict(boto3_resource_to_ansible_dict(resource, transform_tags=False, force_tags=False))
