# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some histories that chance writes; `make histories` runs as many as wanted."""

from __future__ import annotations

import datetime
import subprocess
import sys
from unittest import mock

import pytest

from tests.histories import oracles
from tests.histories.__main__ import run_batch
from tests.histories.history import History
from tests.histories.mutants import CHECKOUT, MUTANTS, Mutant
from tests.histories.sites import SITES, TRANSIENT, Trouble, Violation

# Those of `make histories` have thirty steps.
FIXED, NEW, STEPS = 200, 50, 12
# A new one each day, so that whoever runs the tests again, or on another Python, sees the same histories.
OF_TODAY = datetime.datetime.now(datetime.timezone.utc).date().toordinal()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "histories"), [(20261129, FIXED), (OF_TODAY, NEW)], ids=["fixed", "of today"])
def test_no_history_breaks_a_rule(seed: int, histories: int) -> None:
    found = run_batch(seed, histories, STEPS, varied=False)
    assert found is None, f"seed {seed}:\n{found}"


@pytest.mark.slow
def test_no_history_of_playbooks_breaks_a_rule() -> None:
    # In a process of its own, as its sandbox is not this one.
    command = [sys.executable, "-m", "tests.histories.played", "--histories", "2", "--steps", "3", "--seed", "1"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" end\n") == 2


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


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_can_be_planted(mutant: Mutant) -> None:
    assert mutant.text().count(mutant.right) == 1


@pytest.mark.parametrize("what", TRANSIENT)
def test_a_transient_fault_does_not_fail_a_run(what: str) -> None:
    history = History()
    history.onboard("first", ["us-east-1"], trouble=Trouble(0 if what == "partial" else 14, what))
    history.end()


def test_a_setting_that_others_have_changed_is_seen() -> None:
    history, place = History(), {"site": "first", "region": "us-east-1"}
    history.onboard("first", ["us-east-1"])
    attributes = {"QueueUrl": "{queue_url}", "Attributes": {"MessageRetentionPeriod": "60"}}
    history.hand(**place, call=("sqs", "SetQueueAttributes", attributes))
    with pytest.raises(Violation, match="message_retention_period"):
        oracles.demand_as_desired(history._there("first"), SITES["first"], "us-east-1", {}, history._demand)
    history.end()


def test_onboarding_authorises_again_after_spot_has_refused_a_notice() -> None:
    history, place = History(), {"site": "first", "region": "us-east-1"}
    history.onboard("first", ["us-east-1"])
    history.refuse(**place)
    assert history._judge("first", ["us-east-1"]) == {"us-east-1": "inactive"}
    history.onboard("first", ["us-east-1"])
    assert history._judge("first", ["us-east-1"]) == {"us-east-1": "active"}
    history.end()
