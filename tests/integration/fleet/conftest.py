# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fleet.fleet import Fleet
from tests.sandbox.client import Sandbox


@pytest.fixture
def fleet(sandbox: Sandbox, tmp_path: Path) -> Fleet:
    return Fleet(sandbox, tmp_path / "home", size=2)
