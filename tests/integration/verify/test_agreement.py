# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""verify and onboard agree: a finding of verify fails exactly where check mode of onboarding reports a change."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import failed, verification
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import DRIFTS, NO_DRIFTS, SETTINGS, Drift, Hand
from tests.integration.verify.test_drift import REGIONS
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Story:
    """For each drift, in a region of its own: what verify found, what onboarding would change, and what verify found after it did."""

    where: dict[str, str]
    verified: Run
    predicted: Run
    onboarded: Run
    again: Run

    def found(self, drift: Drift) -> dict[str, Any]:
        return dict(verification(self.verified)["regions"][self.where[drift.name]])

    def changes(self, drift: Drift) -> dict[str, str]:
        """The actions by resource that check mode reports for the region of a drift."""
        actions = self.predicted.actions()[self.where[drift.name]]
        return {kind: action for kind, action in actions.items() if action != "unchanged"}


STORIES = {"drifts": DRIFTS, "settings": [*SETTINGS, *NO_DRIFTS]}


@pytest.fixture(scope="module")
def stories(running: Sandbox, make_account: MakeAccount) -> Callable[[str], Story]:
    """Return the story of a name. Each happens once: a fixture with parameters would be made again for each row of a table."""
    return functools.cache(functools.partial(play, running, make_account))


def play(running: Sandbox, make_account: MakeAccount, name: str) -> Story:
    running.reset()
    drifts = STORIES[name]
    where = dict(zip([drift.name for drift in drifts], REGIONS))
    running.settings(enabled_regions=list(where.values()))
    account = make_account(regions=list(where.values()))
    account.have_onboarded()
    for drift in drifts:
        drift.by(Hand(running, where[drift.name]))
    return Story(where, account.verify(), account.onboard("--check"), account.onboard(), account.verify())


@pytest.mark.parametrize(
    ("name", "drift"), [pytest.param(name, drift, id=drift.name) for name, drifts in STORIES.items() for drift in drifts]
)
def test_verify_fails_exactly_where_onboarding_would_change_something(stories: Callable[[str], Story], name: str, drift: Drift) -> None:
    story = stories(name)
    found = story.found(drift)
    assert (failed(found) != set()) == (story.changes(drift) != {})
    assert (failed(found), found["status"]) == (drift.fails, drift.status if drift.fails else "active")


@pytest.mark.parametrize("name", STORIES)
def test_after_onboarding_verify_finds_nothing(stories: Callable[[str], Story], name: str) -> None:
    story = stories(name)
    assert story.onboarded.rc == 0, story.onboarded.output
    assert story.again.rc == 0, story.again.output
