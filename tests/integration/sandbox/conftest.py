# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An integration to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.sandbox.endpoint import Endpoint
from tests.integration.sandbox.integration import REGION, Integration
from tests.sandbox.client import Sandbox


@pytest.fixture
def events(sandbox: Sandbox) -> Any:
    return sandbox.boto3("events", REGION)


@pytest.fixture
def integration(sandbox: Sandbox) -> Integration:
    return Integration(sandbox)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.shutdown()
    server.server_close()
