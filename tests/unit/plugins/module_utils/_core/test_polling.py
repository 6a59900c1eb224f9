# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import time
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core import polling
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, pauses, poll, within


@pytest.fixture
def no_real_waiting(monkeypatch: pytest.MonkeyPatch, clock: t.Any) -> None:
    monkeypatch.setattr(polling, "time", clock)


@pytest.mark.usefixtures("no_real_waiting")
class TestDeadline:
    """A deadline, by a clock that does not wait."""

    def test_a_pause_that_ends_in_time_is_slept(self, clock: t.Any) -> None:
        deadline = Deadline(10)
        assert (deadline.sleep(4), deadline.sleep(6)) == (True, True)
        assert (clock.pauses, deadline.passed, deadline.expired) == ([4, 6], 10, True)

    def test_a_pause_that_ends_too_late_is_not_slept(self, clock: t.Any) -> None:
        deadline = Deadline(10)
        assert deadline.sleep(10.5) is False
        assert (clock.pauses, deadline.remaining, deadline.expired) == ([], 10, False)

    def test_no_time_is_over_at_once(self, clock: t.Any) -> None:
        assert Deadline(0).expired
        assert Deadline(0).sleep(0.1) is False

    def test_polling_ends_with_what_was_read_last(self, clock: t.Any) -> None:
        numbers = itertools.count()
        assert poll(lambda: next(numbers), lambda number: number == 3, Deadline(60)) == 3
        assert clock.pauses == [0.1, 0.2, 0.5]
        assert poll(lambda: next(numbers), lambda number: False, Deadline(60)) > 10
        assert sum(clock.pauses[3:]) <= 60

    def test_polling_without_time_reads_once(self, clock: t.Any) -> None:
        numbers = itertools.count()
        assert poll(lambda: next(numbers), lambda number: False, Deadline(0)) == 0
        assert clock.pauses == []


@pytest.mark.parametrize(("at_least", "first"), [(0.0, [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0]), (2.0, [2.0, 5.0, 5.0]), (9.0, [5.0])])
def test_pauses_grow_up_to_a_limit(at_least: float, first: list[float]) -> None:
    assert list(itertools.islice(pauses(at_least), len(first))) == first


def test_call_beyond_the_time_limit_is_given_up() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0.05 seconds"):
        within(0.05, lambda: time.sleep(5))
    assert time.monotonic() - start < 2


def test_exception_of_the_call_is_raised() -> None:
    with pytest.raises(KeyError):
        within(1, lambda: {}["x"])


def test_value_of_the_call_is_returned() -> None:
    assert within(1, lambda: 42) == 42
