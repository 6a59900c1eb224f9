# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chance writes histories: Hypothesis draws the steps, and shortens a history that breaks a rule."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.errors import StopTest
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.histories.hands import hands
from tests.histories.history import History
from tests.histories.sites import FAULTS, REGIONS, SECOND_RUNS, Step, Trouble

SITE = st.sampled_from(["first", "first", "beside", "elsewhere"])
# One of the places where something was onboarded, by its number; of another number, any.
PLACE = st.integers(0, 5)
REGION = st.sampled_from(REGIONS)
# Most of what goes wrong in several regions goes wrong in one.
SOME_REGIONS = st.one_of(st.sampled_from([[region] for region in REGIONS]), st.lists(REGION, min_size=1, max_size=3, unique=True))
TROUBLE = st.one_of(
    st.none(),
    st.builds(Trouble, st.integers(0, 60), st.sampled_from(sorted(FAULTS)), st.sampled_from([1, 3, 8])),
    st.builds(Trouble, st.integers(0, 60), st.sampled_from(["kill", "kill_after", *SECOND_RUNS])),
)
OPTIONS = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "maximum_event_age_in_seconds": st.sampled_from([60, 120, 3600]),
            "maximum_retry_attempts": st.sampled_from([0, 3, 185]),
            "invocation_rate_limit_per_second": st.sampled_from([1, 300]),
            "message_retention_period": st.sampled_from([60, 1209600]),
            "description": st.sampled_from(["", "ours"]),
        },
    ),
)


def a_place(history: History, number: int) -> tuple[str, str]:
    """Return one of the sites and regions where something was onboarded, by its number."""
    places = [(site, region) for site, place in history.places.items() for region in place.regions]
    places = places or [("first", REGIONS[0])]
    return places[number % len(places)]


class Histories(RuleBasedStateMachine):
    """The steps of a history in any order; see History.

    Attributes:
        last: the history that ran last.
        broken, broken_steps, broken_at: the first violation, and the history that had it, with its number.
    """

    last: ClassVar[History]
    broken: ClassVar[Exception | None] = None
    broken_steps: ClassVar[list[Step]]
    broken_at: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.history = type(self).last = History()

    @initialize(site=SITE, regions=SOME_REGIONS, options=OPTIONS, method=st.sampled_from(["modules"] * 8 + ["cloudformation", "stack_set"]))
    def begin(self, site: str, regions: Sequence[str], options: dict[str, Any], method: str) -> None:
        if method != "modules":
            self.history.deploy_by(site, method)
        self.history.onboard(site, regions, **options)

    @rule(site=SITE, regions=SOME_REGIONS, options=OPTIONS, trouble=TROUBLE, check=st.booleans())
    def onboard(self, site: str, regions: Sequence[str], options: dict[str, Any], trouble: Trouble | None, check: bool) -> None:
        self.history.onboard(site, regions, trouble=trouble, check=check, **options)

    @rule(site=SITE, regions=SOME_REGIONS, on_existing=st.sampled_from(["stop", "migrate", "adopt", "ignore"]), trouble=TROUBLE)
    def take_over(self, site: str, regions: Sequence[str], on_existing: str, trouble: Trouble | None) -> None:
        self.history.onboard(site, regions, on_existing=on_existing, trouble=trouble)

    @rule(place=PLACE, trouble=TROUBLE)
    def repair(self, place: int, trouble: Trouble | None) -> None:
        site, region = a_place(self.history, place)
        self.history.repair(site, [region], trouble=trouble)

    @rule(place=PLACE, trouble=TROUBLE, check=st.booleans())
    def heal(self, place: int, trouble: Trouble | None, check: bool) -> None:
        site, region = a_place(self.history, place)
        self.history.heal(site, [region], check=check, trouble=trouble)

    @rule(place=PLACE)
    def verify(self, place: int) -> None:
        site, region = a_place(self.history, place)
        self.history.verify(site, [region])

    @rule(place=PLACE, everywhere=st.booleans(), trouble=TROUBLE, check=st.booleans())
    def offboard(self, place: int, everywhere: bool, trouble: Trouble | None, check: bool) -> None:
        site, region = a_place(self.history, place)
        self.history.offboard(site, REGIONS if everywhere else [region], trouble=trouble, check=check)

    @rule(site=SITE, name=st.sampled_from(["", "rotated-1", "rotated-2"]))
    def token(self, site: str, name: str) -> None:
        if name:
            self.history.revoke(name)
        else:
            self.history.rotate(site)

    @rule(place=PLACE, call=hands())
    def hand(self, place: int, call: Any) -> None:
        self.history.hand(*a_place(self.history, place), call)

    # More than once, as Hypothesis chooses among rules alike.

    @rule(place=PLACE, call=hands("events"))
    def hand_on_events(self, place: int, call: Any) -> None:
        self.history.hand(*a_place(self.history, place), call)

    @rule(place=PLACE, calls=st.lists(hands("events", "sqs", "iam"), min_size=1, max_size=4))
    def hands(self, place: int, calls: list[Any]) -> None:
        for call in calls:
            self.history.hand(*a_place(self.history, place), call)

    @rule(
        site=SITE,
        region=REGION,
        account=st.sampled_from([None, None, "act-00000001"]),
        hidden=st.booleans(),
        bus=st.sampled_from(["default", "default", "theirs"]),
        dead=st.booleans(),
    )
    def foreign(self, site: str, region: str, account: str | None, **shape: Any) -> None:
        self.history.foreign(site, region, account=account, **shape)

    @rule(
        what=st.one_of(
            st.tuples(st.just("deny_regions"), SOME_REGIONS),
            st.tuples(
                st.just("forbid"),
                st.lists(
                    st.sampled_from(
                        FORBIDDEN := [
                            "events:*",
                            "events:PutTargets",
                            "events:Describe*",
                            "events:Update*",
                            "sqs:*",
                            "sqs:GetQueueAttributes",
                            "iam:*",
                            "iam:GetRole",
                            "iam:PutRolePolicy",
                            "iam:PassRole",
                            "secretsmanager:*",
                            "cloudformation:*",
                            "kms:*",
                        ]
                    ),
                    min_size=1,
                    max_size=2,
                    unique=True,
                ),
            ),
            st.tuples(st.just("region_down"), REGION),
            st.tuples(st.just("spot_down"), st.sampled_from([401, 403, 429, 500, 503])),
            st.tuples(st.just("all_well")),
            st.tuples(st.just("wait"), st.sampled_from([1, 90, 4000])),
        )
    )
    def weather(self, what: tuple[Any, ...]) -> None:
        name, *given = what
        getattr(self.history, name)(*given)

    @rule(state_seconds=st.sampled_from([0.0, 1.5, 20.0]), lag=st.sampled_from([0.0, 2.0]), late=st.sampled_from([0.0, 0.0, 1.0, 3.0]))
    def slow(self, state_seconds: float, lag: float, late: float) -> None:
        self.history.slow(state_seconds=state_seconds, destination_lag_seconds=lag, read_lag_seconds=late)

    @rule(place=PLACE)
    def refuse(self, place: int) -> None:
        self.history.refuse(*a_place(self.history, place))

    @rule(place=PLACE)
    def notice(self, place: int) -> None:
        self.history.notice(*a_place(self.history, place))

    def teardown(self) -> None:
        error = sys.exc_info()[1]
        try:
            if error is None:
                self.history.end()
        except Exception as violation:
            error = violation
            raise
        finally:
            if isinstance(error, Exception) and type(self).broken is None and not isinstance(error, StopTest):
                type(self).broken, type(self).broken_steps, type(self).broken_at = error, list(self.history.steps), History.begun
