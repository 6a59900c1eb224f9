# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

CASES = [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]


@pytest.mark.parametrize(("name", "partition"), CASES)
def test_arns_are_of_the_regions_partition(name: str, partition: str) -> None:
    region = Region(name, partition, {})
    assert region.arn("sqs", "123456789012", "letters") == f"arn:{partition}:sqs:{name}:123456789012:letters"
    assert rule_arn(region, "123456789012", "warnings") == f"arn:{partition}:events:{name}:123456789012:rule/warnings"
