# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some histories that chance writes; `make histories` runs as many as wanted."""

from __future__ import annotations

import random

import pytest

from tests.histories.__main__ import run_batch

# A history takes about a second of CPU time.
FIXED, NEW = 30, 10


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "histories"), [(20261129, FIXED), (random.SystemRandom().randrange(10**9), NEW)], ids=["fixed", "new"])
def test_no_history_breaks_a_rule(seed: int, histories: int) -> None:
    found = run_batch(seed, histories)
    assert found is None, f"seed {seed}:\n{found}"
