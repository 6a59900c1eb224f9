# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account of each test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.verify.account import Account
from tests.sandbox.client import Sandbox

MakeAccount = Callable[..., Account]


@pytest.fixture(scope="session")
def make_account(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> MakeAccount:
    """Makes an account of a sandbox that is as it is: for stories that several tests look at."""

    def make(**options: Any) -> Account:
        return Account(running, tmp_path_factory.mktemp("account"), **options)

    return make


@pytest.fixture
def account(sandbox: Sandbox, make_account: MakeAccount) -> Account:
    """An account of an untouched sandbox, in two regions."""
    return make_account(regions=["us-east-1", "eu-west-1"])
