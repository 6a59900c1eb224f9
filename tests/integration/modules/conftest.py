# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules to run against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.modules.aws import Aws
from tests.integration.modules.runner import Launcher, Runner
from tests.sandbox.client import Sandbox


@pytest.fixture
def run(launcher: Launcher, sandbox: Sandbox, tmp_path: Path) -> Runner:
    """Runs a module against the sandbox; no token of it may ever be seen."""
    return Runner(launcher, sandbox.env(token=None), tmp_path, set(sandbox.tokens.values()))


@pytest.fixture
def aws(sandbox: Sandbox) -> Aws:
    """What is in the sandbox's AWS, seen past the modules."""
    return Aws(sandbox)
