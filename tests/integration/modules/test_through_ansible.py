# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few tests of modules in both ways in which Ansible runs them: in its worker, and the ordinary way. MODULES_RUN_BY chooses for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.modules import test_integration, test_preflight, test_secrets
from tests.integration.modules.runner import ANSIBLE, WORKER, Runner
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow


@pytest.fixture(params=[WORKER, ANSIBLE])
def run(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Runner:
    """Runs a module as a task."""
    return Runner(sandbox.env(token=None), tmp_path, set(sandbox.tokens.values()), request.param)


integrate = test_integration.integrate
connection = test_secrets.connection
preflight = test_preflight.preflight

test_check_mode = test_integration.test_check_mode_on_an_empty_account_predicts_all_and_writes_nothing
test_a_second_run = test_integration.test_a_second_run_changes_nothing_and_writes_nothing
test_a_failure = test_integration.test_a_step_that_fails_ends_its_region_and_only_that
test_masks = test_secrets.test_words_of_aws_that_hold_the_token_are_masked
test_a_warning = test_preflight.test_a_token_that_may_not_prove_itself_is_a_warning_where_the_proof_is_waived
