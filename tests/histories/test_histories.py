# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some histories that chance writes; `make histories` runs as many as wanted."""

from __future__ import annotations

import datetime
from unittest import mock

import pytest

from tests.histories.__main__ import run_batch
from tests.histories.history import History, Violation

# A history takes about a second of CPU time.
FIXED, NEW = 30, 10
# A new one each day, so that whoever runs the tests again, or on another Python, sees the same histories.
OF_TODAY = datetime.datetime.now(datetime.timezone.utc).date().toordinal()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "histories"), [(20261129, FIXED), (OF_TODAY, NEW)], ids=["fixed", "of today"])
def test_no_history_breaks_a_rule(seed: int, histories: int) -> None:
    found = run_batch(seed, histories)
    assert found is None, f"seed {seed}:\n{found}"


def test_healing_repairs_once_spot_is_back_and_the_last_authorisation_is_a_minute_ago() -> None:
    history, place = History(), {"site": "first", "regions": ["us-east-1"]}

    def works() -> bool:
        return [entry["status"] for entry in history._info(**place).values()] == ["active"]

    history.onboard(**place)
    history.hand("first", "us-east-1", ("events", "DeauthorizeConnection", {"Name": "{name}"}))
    history.heal(**place)
    assert not works()
    history.wait(90)
    history.spot_down(503)
    history.heal(**place)
    assert not works()
    history.all_well()
    history.heal(**place)
    assert works()
    history.end()


def test_healing_in_check_mode_changes_nothing() -> None:
    history, place = History(), {"site": "first", "regions": ["us-east-1"]}
    history.onboard(**place)
    history.hand("first", "us-east-1", ("events", "DisableRule", {"Name": "{name}"}))
    history.wait(90)
    before = history._all()
    history.heal(**place, check=True)
    assert history._all() == before
    history.heal(**place)
    assert [entry["status"] for entry in history._info(**place).values()] == ["active"]
    history.end()


def test_a_token_that_spot_does_not_take_is_seen_where_it_was_written() -> None:
    history, place = History(), {"site": "first", "regions": ["us-east-1"]}
    history.onboard(**place)
    history.rotate("first")
    history.revoke("rotated-1")
    with mock.patch.object(history, "_preflight", return_value=True), pytest.raises(Violation, match="a token was written"):
        history._run_ours(**place, trouble=None, check=False)
