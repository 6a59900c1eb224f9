# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at an account must not take much longer than onboarding it once more, or nobody will do it: with all that a user waits for."""

from __future__ import annotations

import pytest

from tests.integration.verify.conftest import MakeAccount
from tests.sandbox.client import Sandbox

ROUNDS = 5  # at most: on a busy machine, one of them is as good as undisturbed


@pytest.mark.slow
def test_seventeen_healthy_regions_are_verified_in_the_time_of_an_unchanged_onboarding_and_a_half(
    sandbox: Sandbox, make_account: MakeAccount
) -> None:
    account = make_account(warm=False)
    account.have_onboarded()
    sandbox.settings(latency=0.08)
    seconds: dict[str, list[float]] = {"onboard": [], "verify": []}
    for number in range(ROUNDS):
        for playbook, taken in seconds.items():
            run = account.start(playbook).finish()
            assert (run.rc, run.changed) == (0, 0), run.output
            taken.append(run.seconds)
        # The first one packs the modules.
        if number and min(seconds["verify"]) <= 1.5 * min(seconds["onboard"]):
            return
    pytest.fail(f"It takes longer: {seconds}")
