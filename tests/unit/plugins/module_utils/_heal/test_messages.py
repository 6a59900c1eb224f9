# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of the hub's queue: AWS's events, and whatever else somebody puts there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.messages import Message, Unreadable, by_name, parse

ARN = "arn:aws:events:eu-west-1:123456789012:connection/spot-interruption-act-d7320fba/0a1b2c3d-0000-0000-0000-000000000000"


def event(**changes: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1",
        "detail-type": "Connection Deauthorized",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": {"ConnectionName": "another", "StateReason": "x"},
        **changes,
    }


def received(body: Any, receives: int = 1) -> Message | Unreadable:
    text = body if isinstance(body, str) else json.dumps(body)
    return parse({"MessageId": "m", "ReceiptHandle": "h", "Body": text, "Attributes": {"ApproximateReceiveCount": str(receives)}})


def test_account_region_and_name_are_those_of_the_arn() -> None:
    found = received(event(account="999999999999", region="us-east-1"), receives=3)
    assert found == Message(
        "m",
        "h",
        3,
        "123456789012",
        "eu-west-1",
        "spot-interruption-act-d7320fba",
        "Connection Deauthorized",
        "2026-01-01T00:00:00Z",
    )


def test_an_event_of_an_api_destination_is_of_the_same_integration() -> None:
    found = received(event(**{"detail-type": "API Destination Deactivated", "resources": [ARN.replace("connection", "api-destination")]}))
    assert isinstance(found, Message)
    assert (found.name, found.change) == ("spot-interruption-act-d7320fba", "API Destination Deactivated")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("not JSON", "the body is not JSON"),
        ([], "the source is not aws.events"),
        (event(source="aws.ec2"), "the source is not aws.events"),
        (event(**{"detail-type": "AWS API Call via CloudTrail"}), "is not a change of a connection"),
        (event(resources=[]), "names no connection"),
        (event(resources="arn"), "names no connection"),
        (event(resources=["arn:aws:events:eu-west-1:123456789012:rule/x"]), "names no connection"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_such_an_event_is_named_without_its_body(body: Any, why: str) -> None:
    found = received(body)
    assert isinstance(found, Unreadable)
    assert why in found.why


def test_events_stand_under_the_name_of_their_integration() -> None:
    other = event(resources=[ARN.replace("act-d7320fba", "act-00000001")])
    messages = [found for found in (received(event()), received(other), received(event())) if isinstance(found, Message)]
    assert {name: len(found) for name, found in by_name(messages).items()} == {
        "spot-interruption-act-d7320fba": 2,
        "spot-interruption-act-00000001": 1,
    }
