# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.spot.eventbridge.plugins.inventory.spot_accounts import InventoryModule


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("spot_accounts.yml", True),
        ("spot_accounts.yaml", True),
        ("fleet.spot_accounts.yml", True),
        ("fleet.spot_accounts.yaml", True),
        ("my_spot_accounts.yml", False),
        ("spot_accounts.json", False),
        ("spot_accounts", False),
        ("hosts.yml", False),
    ],
)
def test_a_file_is_taken_by_its_name(tmp_path: Path, name: str, taken: bool) -> None:
    (tmp_path / name).touch()
    assert InventoryModule().verify_file(str(tmp_path / name)) is taken


def test_a_file_that_is_not_there_is_not_taken(tmp_path: Path) -> None:
    assert not InventoryModule().verify_file(str(tmp_path / "spot_accounts.yml"))
