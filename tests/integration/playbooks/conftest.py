# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Ansible of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.playbooks.runner import Ansible
from tests.sandbox.client import Sandbox


@pytest.fixture
def ansible(sandbox: Sandbox, tmp_path: Path) -> Ansible:
    return Ansible(sandbox, tmp_path / "home")


@pytest.fixture
def cold_ansible(sandbox: Sandbox, tmp_path: Path) -> Ansible:
    """As a user has it, also what its processes are told."""
    return Ansible(sandbox, tmp_path / "user", warm=False)
