# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that take turns: one runs until it has to wait for another, so that the same steps have the same result."""

from __future__ import annotations

import _thread
import concurrent.futures
import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

_Future, _wait = concurrent.futures.Future, concurrent.futures.wait


class _Waiting:
    """A thread that waits for its turn, and what it needs to go on."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self.ready, self.turn, self.thread = ready, _thread.allocate_lock(), threading.current_thread()
        self.turn.acquire()


class _Worker:
    """A thread that runs one function after another, each as in a thread of its own: to begin one takes longer than most functions."""

    idle: ClassVar[list[_Worker]] = []

    def __init__(self) -> None:
        self._work, self._called = lambda: None, _thread.allocate_lock()
        self._called.acquire()
        threading.Thread(target=self._run, daemon=True).start()

    @classmethod
    def begin(cls, function: Callable[[], None], then: Callable[[], None]) -> None:
        """Run a function, then another one, and be idle again in between."""
        worker = cls.idle.pop() if cls.idle else cls()
        worker._work, worker._then = function, then
        worker._called.release()

    def _run(self) -> None:
        while True:
            self._called.acquire()
            contextvars.Context().run(self._work)
            then = self._then
            self.idle.append(self)
            then()


class Ended(BaseException):
    """The first thread has ended, and with it all of them, as with a process."""


class Turns:
    """Decides whose turn it is. What ends a process (a BaseException) in one thread ends all of them, the first thread last."""

    def __init__(self) -> None:
        self._first = threading.current_thread()
        self._waiting: list[_Waiting] = []
        self._end: BaseException | None = None

    def run(self, function: Callable[[], None]) -> None:
        """Run a function in a thread of its own; returns when it has ended, or waits for something."""

        def work() -> None:
            try:
                function()
            except BaseException as error:
                self._end = self._end or error

        self._wait(lambda: True, lambda: _Worker.begin(work, self._next))

    def until(self, ready: Callable[[], bool]) -> None:
        """Wait for something, while others have their turn."""
        if not ready():
            self._wait(ready, self._next)

    def end(self) -> None:
        """End the threads that still wait."""
        self._end = self._end or Ended()
        if self._waiting:
            with contextlib.suppress(type(self._end)):
                self._turn(lambda: True, self._next)

    def _wait(self, ready: Callable[[], bool], begin: Callable[[], None]) -> None:
        if self._end is None:
            self._turn(ready, begin)
        if self._end is not None:
            raise self._end

    def _turn(self, ready: Callable[[], bool], begin: Callable[[], None]) -> None:
        mine = _Waiting(ready)
        self._waiting.append(mine)
        begin()
        mine.turn.acquire()

    def _next(self) -> None:
        """Let the last one go on that can; if something has ended all, each in turn."""
        chosen = next((waiting for waiting in reversed(self._waiting) if self._end is not None or waiting.ready()), None)
        if chosen is None:
            self._end = RuntimeError("Each thread waits for another.")
        if self._end is not None:
            chosen = max(reversed(self._waiting), key=lambda waiting: waiting.thread is not self._first)
        assert chosen
        self._waiting.remove(chosen)
        chosen.turn.release()


_turns = Turns()


@contextlib.contextmanager
def of_a_process() -> Iterator[None]:
    """Let threads that begin meanwhile take turns among themselves; at the end, all of them end."""
    global _turns  # noqa: PLW0603
    before, _turns = _turns, Turns()
    try:
        yield
    finally:
        try:
            _turns.end()
        finally:
            _turns = before


class Future(_Future):  # type: ignore[type-arg]
    """As the future of concurrent.futures."""

    def result(self, timeout: float | None = None) -> Any:
        """See Future."""
        _turns.until(self.done)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See Future."""
        _turns.until(self.done)
        return super().exception(0)


class Executor(concurrent.futures.Executor):
    """As a pool of threads that is never full."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
        self._futures: list[Future] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """See Executor. It begins at once."""
        future = Future()
        future.set_running_or_notify_cancel()

        def work() -> None:
            try:
                result = fn(*args, **kwargs)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._futures.append(future)
        _turns.run(work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See Executor."""
        if wait:
            _turns.until(lambda: all(future.done() for future in self._futures))


def wait(futures: Iterable[Future], timeout: float | None = None, return_when: str = concurrent.futures.ALL_COMPLETED) -> Any:
    """As concurrent.futures.wait."""
    known = list(futures)
    enough = any if return_when == concurrent.futures.FIRST_COMPLETED else all
    _turns.until(lambda: enough(future.done() for future in known))
    return _wait(known, 0, return_when)
