# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox for all tests of a worker, reset before each, and an account of each test's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.integration.modules.runner import Launcher
from tests.integration.verify.account import Account
from tests.sandbox.client import Sandbox

MakeAccount = Callable[..., Account]


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(max_seconds=1800) as started:
        yield started


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    started = Launcher()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def make_account(running: Sandbox, launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> MakeAccount:
    """Makes an account of a sandbox that is as it is: for stories that several tests look at."""

    def make(**options: Any) -> Account:
        return Account(running, launcher, tmp_path_factory.mktemp("account"), **options)

    return make


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def account(sandbox: Sandbox, make_account: MakeAccount) -> Account:
    """An account of an untouched sandbox, in two regions."""
    return make_account(regions=["us-east-1", "eu-west-1"])
