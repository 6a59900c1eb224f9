# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source, without a rule engine: it reports what waits, never receives, and survives that SQS is away."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.integration.interpreters import CHECKOUT
from tests.sandbox.client import Sandbox
from tests.tools.policies import policy

KEY = "EVENTSOURCE"
SOURCE = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source" / "hub.py"
QUICK: dict[str, Any] = {"interval": 0.05, "gather": 0.1, "repeat": 60, "sweep": 0}


@pytest.fixture(scope="module")
def source() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hub", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sqs(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """SQS, as the environment of ansible-rulebook names it."""
    for name, value in {**sandbox.env(), "AWS_ACCESS_KEY_ID": KEY}.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    sandbox.permit(KEY, [policy("heal-event-source")])
    client = sandbox.boto3("sqs")
    client.create_queue(QueueName="spot-interruption-hub")
    return client


def send(sqs: Any, number: int = 1) -> None:
    for _number in range(number):
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="spot-interruption-hub")["QueueUrl"], MessageBody="{}")


async def reported(source: ModuleType, seconds: float, **args: Any) -> list[dict[str, Any]]:
    """What the source reports within some seconds."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(source.main(queue, {**QUICK, **args}), seconds)
    return [queue.get_nowait() for _number in range(queue.qsize())]


def test_what_waits_is_reported_once_and_together(source: ModuleType, sqs: Any, sandbox: Sandbox) -> None:
    send(sqs, 3)
    assert asyncio.run(reported(source, 3)) == [{"hub": {"waiting": 3}}]
    assert sandbox.permissions_used(KEY) == {"sqs:GetQueueUrl", "sqs:GetQueueAttributes"}


def test_what_still_waits_is_reported_again(source: ModuleType, sqs: Any) -> None:
    send(sqs)
    assert asyncio.run(reported(source, 4, repeat=0.2))[:2] == [{"hub": {"waiting": 1}}] * 2


def test_where_nothing_waits_nothing_is_reported_but_that_a_sweep_is_due(source: ModuleType, sqs: Any) -> None:
    found = asyncio.run(reported(source, 4, sweep=1))
    assert found[:2] == [{"hub": {"sweep": True}}] * 2


def test_it_goes_on_after_sqs_was_away(source: ModuleType, sqs: Any, sandbox: Sandbox) -> None:
    send(sqs)
    sandbox.add_fault({"error": {"status": 503, "code": "ServiceUnavailable", "message": "Away"}}, {"service": "sqs"}, times=4)
    assert asyncio.run(reported(source, 15)) == [{"hub": {"waiting": 1}}]
