# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import functools
import itertools
import threading
import time
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core import polling
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, at_once, in_order, pauses, poll, within


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
    with pytest.raises(TimeoutError, match=r"no response within 0.05 seconds"):
        within(0.05, lambda: time.sleep(5))
    assert time.monotonic() - start < 2


def test_exception_of_the_call_is_raised() -> None:
    with pytest.raises(KeyError):
        within(1, lambda: {}["x"])


def test_value_of_the_call_is_returned() -> None:
    assert within(1, lambda: 42) == 42


class TestAtOnce:
    """Functions that are called at the same time."""

    def test_results_have_the_order_of_the_functions(self) -> None:
        assert at_once() == []
        assert at_once(lambda: 1) == [1]
        assert at_once(lambda: time.sleep(0.05) or 1, lambda: 2, lambda: 3) == [1, 2, 3]

    def test_each_waits_while_the_others_do(self) -> None:
        together = threading.Barrier(3, timeout=10)
        assert len(at_once(*[together.wait] * 3)) == 3

    def test_the_first_error_is_raised_after_all_have_ended(self) -> None:
        done: list[str] = []

        def fail(name: str) -> None:
            done.append(name)
            raise ValueError(name)

        with pytest.raises(ValueError, match="second"):
            at_once(lambda: done.append("first"), lambda: fail("second"), lambda: fail("third"))
        assert sorted(done) == ["first", "second", "third"]

    def test_more_than_the_pool_holds_is_done_by_those_who_wait(self) -> None:
        def nested(depth: int) -> int:
            return sum(at_once(*[lambda: nested(depth - 1)] * 5)) if depth else 1

        assert within(60, lambda: nested(4)) == 5**4


class TestInOrder:
    NEEDS: t.ClassVar = {"queue": (), "connection": (), "destination": ("connection",), "rule": ("queue", "destination")}

    def test_each_is_called_after_those_that_it_needs(self) -> None:
        done: list[str] = []
        ended = in_order({name: functools.partial(done.append, name) for name in self.NEEDS}, self.NEEDS)
        assert list(ended) == list(self.NEEDS)
        assert all(done.index(need) < done.index(name) for name, needs in self.NEEDS.items() for need in needs)

    def test_those_that_do_not_need_each_other_run_at_the_same_time(self) -> None:
        together = threading.Barrier(2, timeout=10)
        functions = {name: together.wait if name in ("queue", "connection") else (lambda: None) for name in self.NEEDS}
        assert not any(future.exception() for future in in_order(functions, self.NEEDS).values())

    def test_a_chain_does_not_wait_for_what_it_does_not_need(self) -> None:
        destination = threading.Event()
        functions = {name: lambda: None for name in self.NEEDS} | {"queue": lambda: destination.wait(10), "destination": destination.set}
        assert in_order(functions, self.NEEDS)["queue"].result() is True

    @pytest.mark.parametrize(
        ("fails", "called"),
        [
            ("queue", ["queue", "connection", "destination"]),
            ("connection", ["queue", "connection"]),
            ("rule", ["queue", "connection", "destination", "rule"]),
        ],
    )
    def test_what_needs_one_that_raised_is_not_called(self, fails: str, called: list[str]) -> None:
        def work(name: str) -> None:
            if name == fails:
                raise ValueError(name)

        ended = in_order({name: functools.partial(work, name) for name in self.NEEDS}, self.NEEDS)
        assert [name for name, future in ended.items() if future.exception()] == [fails]
        assert list(ended) == called

    @pytest.mark.parametrize("looks", range(1, 7))
    def test_one_that_ends_between_two_looks_at_it_is_followed_by_what_needs_it(self, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
        class Future(concurrent.futures.Future[t.Any]):
            """One that ends when it is looked at for the last of so many times; it has begun, and cannot be cancelled."""

            looks_left = looks

            def _look(self) -> None:
                self.looks_left -= 1
                if not self.looks_left:
                    self.set_result(None)

            def done(self) -> bool:
                self._look()
                return super().done()

            def cancel(self) -> bool:
                self._look()
                return False

        class Pool:
            def submit(self, _function: t.Callable[[], t.Any]) -> Future:
                return Future()

        monkeypatch.setattr(polling, "_pool", Pool)
        monkeypatch.setattr(concurrent.futures, "wait", lambda *_, **__: None)
        assert list(in_order({name: lambda: None for name in self.NEEDS}, self.NEEDS)) == list(self.NEEDS)

    def test_more_of_them_than_the_pool_has_threads_come_to_their_end(self) -> None:
        work = functools.partial(in_order, {name: lambda: at_once(*[lambda: time.sleep(0.001)] * 3) for name in self.NEEDS}, self.NEEDS)
        assert all(len(ended) == 4 for ended in at_once(*[work] * 150))
