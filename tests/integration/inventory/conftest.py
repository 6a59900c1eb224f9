# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder for each test's inventories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.inventory.runner import Inventory
from tests.sandbox.client import Sandbox


@pytest.fixture
def inventory(sandbox: Sandbox, tmp_path: Path) -> Inventory:
    return Inventory(sandbox, tmp_path)
