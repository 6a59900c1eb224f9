# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import queue
import threading
import typing as t

Result = t.TypeVar("Result")

# What a peer that says nothing may cost. Below the thirty seconds after which people look at the clock.
SECONDS = 20.0


def within(seconds: float, function: t.Callable[[], Result]) -> Result:
    """Calls a function and gives it up after so many seconds.

    In a thread, as neither the look-up of a name nor a peer that sends a byte now and then obeys the timeout of a socket. A
    function that is given up ends with the process at the latest.

    :raises TimeoutError: the time is over. What the function raises passes through.
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
        raise TimeoutError(f"no answer within {seconds:g} seconds") from None
    if error is not None:
        raise error
    return t.cast("Result", value)
