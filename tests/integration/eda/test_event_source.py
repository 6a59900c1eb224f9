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
import yaml
from ansible_rulebook.util import substitute_variables

from tests.integration.heal.hub import AWS_ACCOUNT
from tests.integration.interpreters import CHECKOUT
from tests.sandbox.client import Sandbox
from tests.tools.policies import policy

KEY = "EVENTSOURCE"
SOURCE = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source" / "hub.py"
RULEBOOKS = sorted((CHECKOUT / "extensions" / "eda" / "rulebooks").glob("*.yml"))
# Seconds after which what was waited for does not come. A busy machine takes its time.
PATIENCE = 60
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


async def reported(source: ModuleType, number: int, quiet: float = 0.0, **args: Any) -> list[dict[str, Any]]:
    """What the source reports: so many at least, and all within some further seconds."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    running = asyncio.create_task(source.main(queue, {**QUICK, **args}))
    try:
        found = [await asyncio.wait_for(queue.get(), PATIENCE) for _number in range(number)]
        await asyncio.sleep(quiet)
    finally:
        running.cancel()
    return found + [queue.get_nowait() for _number in range(queue.qsize())]


def test_what_waits_is_reported_once_and_together(source: ModuleType, sqs: Any, sandbox: Sandbox) -> None:
    send(sqs, 3)
    assert asyncio.run(reported(source, 1, quiet=2)) == [{"hub": {"waiting": 3}}]
    assert sandbox.permissions_used(KEY) == {"sqs:GetQueueUrl", "sqs:GetQueueAttributes"}


def test_what_still_waits_is_reported_again(source: ModuleType, sqs: Any) -> None:
    send(sqs)
    assert asyncio.run(reported(source, 2, repeat=0.2))[:2] == [{"hub": {"waiting": 1}}] * 2


def test_where_nothing_waits_nothing_is_reported_but_that_a_sweep_is_due(source: ModuleType, sqs: Any) -> None:
    found = asyncio.run(reported(source, 2, sweep=1))
    assert found[:2] == [{"hub": {"sweep": True}}] * 2


@pytest.mark.slow
def test_it_goes_on_after_sqs_was_away(source: ModuleType, sqs: Any, sandbox: Sandbox) -> None:
    send(sqs)
    sandbox.add_fault({"error": {"status": 503, "code": "ServiceUnavailable", "message": "Away"}}, {"service": "sqs"}, times=4)
    assert asyncio.run(reported(source, 1, quiet=2)) == [{"hub": {"waiting": 1}}]


def source_of(rulebook: Path, variables: dict[str, Any]) -> dict[str, Any]:
    """The options that a rulebook gives to the source, as ansible-rulebook makes them of its variables."""
    (ruleset,) = yaml.safe_load(rulebook.read_text())
    (found,) = ruleset["sources"]
    return dict(substitute_variables(found["spot.eventbridge.hub"], variables))


@pytest.mark.parametrize("rulebook", RULEBOOKS, ids=[path.stem for path in RULEBOOKS])
def test_the_rulebooks_give_the_source_the_hub_of_the_variables(rulebook: Path, source: ModuleType) -> None:
    variables = {
        "spot_eventbridge_watch_hub_name": "another",
        "spot_eventbridge_watch_hub_account": "012345678901",
        "spot_eventbridge_watch_hub_region": "eu-central-1",
        "sweep_seconds": 600,
    }
    found = source_of(rulebook, variables)
    assert found == {"hub_name": "another", "hub_account": "012345678901", "region": "eu-central-1", "sweep": 600}
    assert found.keys() <= yaml.safe_load(source.DOCUMENTATION)["options"].keys()
    assert source_of(rulebook, {}) == {"hub_name": "spot-interruption-hub", "hub_account": "", "region": "us-east-1", "sweep": 3600}


@pytest.mark.parametrize(("account", "waiting"), [(AWS_ACCOUNT, [1]), ("", [1]), ("999999999999", [])])
def test_the_queue_is_that_of_the_account_of_the_variables(source: ModuleType, sqs: Any, account: str, waiting: list[int]) -> None:
    send(sqs)
    found = source_of(RULEBOOKS[0], {"spot_eventbridge_watch_hub_account": account, "sweep_seconds": 0})
    assert asyncio.run(reported(source, len(waiting), quiet=2, **found)) == [{"hub": {"waiting": number}} for number in waiting]
