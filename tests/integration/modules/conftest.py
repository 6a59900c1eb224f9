# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox for each worker, reset before each test, and the modules to run against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.modules.aws import Aws
from tests.integration.modules.runner import Launcher, Runner
from tests.sandbox.client import Sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(max_seconds=900) as started:
        yield started


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    started = Launcher()
    yield started
    started.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def run(launcher: Launcher, sandbox: Sandbox, tmp_path: Path) -> Runner:
    """Runs a module against the sandbox; no token of it may ever be seen."""
    return Runner(launcher, sandbox.env(token=None), tmp_path, set(sandbox.tokens.values()))


@pytest.fixture
def aws(sandbox: Sandbox) -> Aws:
    """What is in the sandbox's AWS, seen past the modules."""
    return Aws(sandbox)
