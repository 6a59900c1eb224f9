# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import functools
import queue
import threading
import time
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_conflict, is_not_yet

Seen = t.TypeVar("Seen")

# Seconds between two attempts: short at first, as most things are quick.
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
_LONGEST_PAUSE = 5.0
# The longest wait for a service that does not respond, in seconds.
RESPONSE_TIMEOUT = 20.0
# Attempts of a call after conflicts. More conflicts mean that two writers undo each other's changes.
_MOST_ATTEMPTS = 5

# The calls of all regions that wait at the same time, in addition to one in the thread of each region.
_MAX_WORKERS = 64


class Deadline:
    """The end of a time to wait, by a clock that nobody sets.

    :ivar seconds: the whole time; 0 waits for nothing
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._begin = time.monotonic()

    @property
    def passed(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self._begin

    @property
    def remaining(self) -> float:
        """Return the seconds until the end, 0 after it."""
        return max(self.seconds - self.passed, 0.0)

    @property
    def expired(self) -> bool:
        """Return whether the time is over."""
        return self.remaining == 0

    def sleep(self, pause: float) -> bool:
        """Sleep, unless the time would be over before.

        :returns: whether it slept
        """
        if pause > self.remaining:
            return False
        time.sleep(pause)
        return True


def pauses(at_least: float = 0.0) -> t.Iterator[float]:
    """Return the seconds between two attempts, without an end: a deadline or a number of attempts sets the limit.

    :param at_least: the first one, for calls that cost something
    """
    yield from (pause for pause in _PAUSES if pause >= at_least)
    while True:
        yield _LONGEST_PAUSE


def poll(read: t.Callable[[], Seen], done: t.Callable[[Seen], bool], deadline: Deadline, *, at_least: float = 0.0) -> Seen:
    """Read until something is done, or the time is over.

    :param at_least: see `pauses`
    :returns: the last result of the reading
    """
    between = pauses(at_least)
    while True:
        seen = read()
        if done(seen) or not deadline.sleep(next(between)):
            return seen


class Retries:
    """The attempts at one call: after another writer was faster, a few; until AWS is ready for the call, as many as the time allows."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._attempts = 0
        self._pauses = pauses()

    def pause(self, error: Exception) -> None:
        """Wait before the next attempt.

        :param error: why the last one failed; raised where another one would not help
        """
        self._attempts += 1
        pause = next(self._pauses)
        if is_conflict(error) and self._attempts < _MOST_ATTEMPTS:
            time.sleep(pause)
        elif not (is_not_yet(error) and self._deadline.sleep(pause)):
            raise error


def within(seconds: float, function: t.Callable[[], Seen]) -> Seen:
    """Call a function and give it up after so many seconds.

    The function runs in a thread, as neither the resolution of a name nor a service that sends single bytes observes the timeout of a
    socket. A function that is given up ends with the process at the latest.

    :raises TimeoutError: the time is over. Exceptions of the function pass through.
    """
    outcome: queue.Queue[tuple[t.Any, BaseException | None]] = queue.Queue(1)

    def work() -> None:
        try:
            outcome.put((function(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no response within {seconds:g} seconds") from None
    if error is not None:
        raise error
    return t.cast("Seen", value)


def at_once(*functions: t.Callable[[], t.Any]) -> list[t.Any]:
    """Call functions at the same time, the first one in this thread.

    The others are called by a pool that all regions share. Functions that the pool has not begun are called by this thread: so a
    function may itself call others at once, and a full pool stops nobody.

    :returns: their results, in the order in which they were given
    :raises Exception: that of the first one that raised, after all have ended.
    """
    return [future.result() for future in ended_at_once(*functions)]


def ended_at_once(*functions: t.Callable[[], t.Any]) -> list[concurrent.futures.Future[t.Any]]:
    """Call functions as `at_once` does.

    :returns: a future that has ended for each, with the function's result or exception
    """
    begun = [_pool().submit(function) for function in functions[1:]]
    futures = [_ended(function) for function in functions[:1]]
    futures += [_ended(function) if future.cancel() else future for function, future in zip(functions[1:], begun)]
    concurrent.futures.wait(futures)
    return futures


def begin(function: t.Callable[[], t.Any]) -> None:
    """Call a function that ends by itself, by the pool; to be used before the pool is busy."""
    _pool().submit(function)


def in_order(
    functions: t.Mapping[str, t.Callable[[], t.Any]], needs: t.Mapping[str, t.Collection[str]]
) -> dict[str, concurrent.futures.Future[t.Any]]:
    """Call functions as `at_once` does, but each one after those that it needs; not at all if one of these raised.

    :param needs: by the name of a function, the names of those that it needs
    :returns: by name, in the order of the functions, a future that has ended for each that was called
    """

    def length(name: str) -> int:
        return 1 + max((length(other) for other in functions if name in needs[other]), default=0)

    waiting = dict(functions)
    futures: dict[str, concurrent.futures.Future[t.Any]] = {}
    while True:
        # Looked at once in each turn: one that ends meanwhile would be taken for the last one, before what needs it has begun.
        done = {name for name, future in futures.items() if future.done()}
        well = {name for name in done if not futures[name].exception()}
        # That on which most depends is done here, so that what follows it does not have to wait for anything else.
        own, *others = sorted((name for name in waiting if well.issuperset(needs[name])), key=length, reverse=True) or [""]
        for name in others:
            futures[name] = _pool().submit(waiting.pop(name))
        running = {name: future for name, future in futures.items() if name not in done}
        if own:
            futures[own] = _ended(waiting.pop(own))
        elif not running:
            return {name: futures[name] for name in functions if name in futures}
        else:
            not_begun = next((name for name, future in running.items() if future.cancel()), "")
            if not_begun:
                futures[not_begun] = _ended(functions[not_begun])
            else:
                concurrent.futures.wait(running.values(), return_when=concurrent.futures.FIRST_COMPLETED)


def _ended(function: t.Callable[[], t.Any]) -> concurrent.futures.Future[t.Any]:
    future: concurrent.futures.Future[t.Any] = concurrent.futures.Future()
    try:
        future.set_result(function())
    except Exception as error:
        future.set_exception(error)
    return future


@functools.cache
def _pool() -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(max_workers=_MAX_WORKERS)
