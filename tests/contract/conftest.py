# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox that the records are replayed against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.replay import Target
from tests.sandbox.client import Sandbox

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(max_seconds=1800) as started:
        yield started


@pytest.fixture(scope="session")
def target(running: Sandbox) -> Target:
    return Target(ACCOUNT, REGION, "test", running, running.aws_url, credentials=("testing", "testing"))
