# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs functions later, on a few threads of its own."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable


class Scheduler:
    """Runs functions after a delay; up to `workers` of them at a time."""

    def __init__(self, workers: int = 32) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        for _ in range(workers):
            threading.Thread(target=self._work, daemon=True).start()

    def call(self, delay: float, function: Callable[[], None]) -> None:
        """Run `function` in `delay` seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), function))
            self._changed.notify()

    def clear(self) -> None:
        """Forget what is waiting; what runs already is not interrupted."""
        with self._changed:
            self._due.clear()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                function = heapq.heappop(self._due)[2]
            try:
                function()
            except Exception:  # a worker must survive, and nobody else would report it
                traceback.print_exc()
