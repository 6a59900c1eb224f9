# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which dead letters are sent again."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.resend import notice_in
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import sample_warning

NOW = datetime.datetime(2026, 1, 1, 0, 1, 59, tzinfo=datetime.timezone.utc)


def letter(**changes: Any) -> dict[str, Any]:
    return {**sample_warning("eu-west-1", "123456789012"), "detail": {"instance-id": "i-0123456789abcdef0"}, **changes}


def test_a_notice_that_is_younger_than_two_minutes_is_sent_again_as_it_is() -> None:
    assert notice_in(json.dumps(letter()), NOW) == letter()
    assert notice_in(json.dumps(letter()), NOW + datetime.timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        json.dumps(letter(time="yesterday")),
        json.dumps(letter(source="spot.eventbridge.test")),
        json.dumps(letter(detail="i-0123456789abcdef0")),
        json.dumps(letter(detail=sample_warning("eu-west-1", "123456789012")["detail"])),
        json.dumps(letter(**{"detail-type": "EC2 Instance Rebalance Recommendation"})),
    ],
)
def test_test_events_and_anything_else_are_not(body: str) -> None:
    assert notice_in(body, NOW) is None
