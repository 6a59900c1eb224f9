# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of drift is seen and named, and mended by repair as well as by onboarding; what is healthy is never written to.

One region for each drift, so that all of them are seen in one look and mended in one run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import arns, failed, outcomes, writes
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import DRIFTS, Drift, Hand
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

# No matter whether AWS has API destinations there: these are names enough.
REGIONS = [
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1"),
    *(
        "us-west-2",
        "af-south-1",
        "ap-east-1",
        "ap-south-2",
        "ap-southeast-3",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "me-south-1",
        "me-central-1",
        "ap-southeast-4",
        "il-central-1",
        "ca-west-1",
    ),
]
WHERE = dict(zip([drift.name for drift in DRIFTS], REGIONS))
HEALTHY = REGIONS[len(DRIFTS) :]


@dataclass(frozen=True)
class Story:
    """What was there before, what was seen when it had drifted, the run that mended it, and what was there then."""

    before: dict[str, Any]
    drifted: dict[str, Any]
    run: Run
    after: dict[str, Any]
    writes: list[str]


@pytest.fixture(scope="module", params=["repair", "onboard"])
def story(request: pytest.FixtureRequest, running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    running.settings(enabled_regions=REGIONS)
    account = make_account()
    account.have_onboarded()
    before = account.look(REGIONS)
    for drift in DRIFTS:
        drift.by(Hand(running, WHERE[drift.name]))
    drifted = account.look(REGIONS)
    running.clear_calls()
    run = getattr(account, request.param)()
    written = writes(running)
    return Story(before, drifted, run, account.look(REGIONS), written)


EACH_DRIFT = pytest.mark.parametrize("drift", DRIFTS, ids=[drift.name for drift in DRIFTS])


def test_there_are_healthy_regions_beside() -> None:
    assert len(HEALTHY) >= 2


@EACH_DRIFT
def test_a_drift_is_seen_in_exactly_its_checks(story: Story, drift: Drift) -> None:
    assert failed(story.drifted[WHERE[drift.name]]) == drift.fails


@EACH_DRIFT
def test_a_drift_gives_the_region_its_status(story: Story, drift: Drift) -> None:
    assert story.drifted[WHERE[drift.name]]["status"] == drift.status


@EACH_DRIFT
def test_a_drift_is_mended(story: Story, drift: Drift) -> None:
    assert outcomes(story.after[WHERE[drift.name]]) == {}


@EACH_DRIFT
def test_what_was_not_lost_is_mended_in_place(story: Story, drift: Drift) -> None:
    region = WHERE[drift.name]
    before, after = arns(story.before[region]), arns(story.after[region])
    assert {kind for kind in before if before[kind] != after[kind]} == set(drift.lost)


@EACH_DRIFT
def test_the_table_says_what_was_done(story: Story, drift: Drift) -> None:
    line = story.run.table()[WHERE[drift.name]]
    assert line.startswith("active ")
    assert "updated" in line or "reauthorized" in line or "created" in line


@pytest.mark.parametrize("region", HEALTHY)
def test_a_healthy_region_is_not_written_to(story: Story, region: str) -> None:
    assert [call for call in story.writes if call.startswith(f"{region} ")] == []


@pytest.mark.parametrize("region", HEALTHY)
def test_a_healthy_region_is_seen_as_active(story: Story, region: str) -> None:
    assert (story.drifted[region]["status"], outcomes(story.drifted[region])) == ("active", {})


def test_the_run_succeeds(story: Story) -> None:
    assert story.run.rc == 0, story.run.output
