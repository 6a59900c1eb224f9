# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import as_shown

ID = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:kms:eu-west-1:123456789012:key/{ID}"


@pytest.mark.parametrize("parameter", ["ConnectionKmsKey", "QueueKmsKey"])
@pytest.mark.parametrize(
    ("given", "current", "arns", "expected"),
    [
        (ID, ARN, {}, ARN),
        (ARN, ID, {}, ID),
        ("alias/spot", ID, {"alias/spot": ARN, ID: ARN}, ID),
        ("alias/spot", ID, {}, "alias/spot"),
        ("alias/spot", ID, {"alias/spot": ARN, ID: f"{ARN}0"}, "alias/spot"),
        ("", ID, {}, ""),
        (ID, "", {}, ID),
    ],
)
def test_a_kms_key_keeps_the_form_that_the_stack_has(parameter: str, given: str, current: str, arns: dict[str, str], expected: str) -> None:
    assert as_shown({parameter: given, "Name": "a"}, {parameter: current, "Name": "b"}, arns) == {parameter: expected, "Name": "a"}


def test_a_key_that_is_not_given_is_not_added() -> None:
    assert as_shown({"Name": "a"}, {"QueueKmsKey": ID}) == {"Name": "a"}
    assert as_shown({"QueueKmsKey": ID}, {}) == {"QueueKmsKey": ID}
