# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules to run against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.accounts import HOME, NAME, REGIONS, SPOT_ACCOUNTS, Accounts
from tests.integration.modules.aws import Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

TEMPLATE = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Runner:
    """Runs a module against the sandbox; no token of it may ever be seen."""
    return Runner(sandbox.env(token=None), tmp_path, set(sandbox.tokens.values()))


@pytest.fixture
def aws(sandbox: Sandbox) -> Aws:
    """What is in the sandbox's AWS, seen past the modules."""
    return Aws(sandbox)


@pytest.fixture
def accounts(sandbox: Sandbox) -> Accounts:
    """Three AWS accounts beside that of the caller, and a CloudFormation that does not take its time."""
    sandbox.settings(stack_seconds=0, stack_set_seconds=0)
    return Accounts(sandbox)


@pytest.fixture
def stack_set(run: Runner, sandbox: Sandbox) -> Callable[..., Run]:
    """Runs `spot_stack_set` for three accounts and three regions, with what is given besides, or instead; None leaves something out."""
    run.environment["SPOTINST_TOKEN"] = sandbox.tokens["admin"]
    usual = {"name": NAME, "template_body": TEMPLATE.read_text(), "spot_accounts": SPOT_ACCOUNTS, "regions": REGIONS, "region": HOME}

    def apply(**changes: Any) -> Run:
        return run("spot_stack_set", **{key: value for key, value in {**usual, **changes}.items() if value is not None})

    return apply
