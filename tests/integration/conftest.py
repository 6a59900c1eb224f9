# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox for all tests of a worker, reset before each test that asks for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.sandbox.client import Sandbox

HERE = Path(__file__).parent
# Where the longest files are; those of few seconds come last, so that all workers end at about the same time.
LONGEST_FIRST = ("fleet", "verify", "heal", "eda", "playbooks", "modules", "docsite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((number for number, folder in enumerate(LONGEST_FIRST) if item.path.is_relative_to(HERE / folder)), len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    # Tests make within a second again what users make again a day later.
    with Sandbox(max_seconds=5400, settings={"queue_name_seconds": 0}) as started:
        yield started


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running
