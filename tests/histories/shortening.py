# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a history that breaks a rule as short as can be, and prints it as a plain test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.histories.history import History
from tests.histories.sites import Step


def script(steps: Sequence[Step], name: str = "found") -> str:
    """Return steps as a plain test."""
    lines = "".join(f"    history.{step}({', '.join(f'{key}={value!r}' for key, value in given.items())})\n" for step, given in steps)
    return f"def test_{name}() -> None:\n    history = History()\n{lines}"


def replay(steps: Sequence[Step]) -> BaseException | None:
    """Run steps again; return what they break, None if nothing."""
    try:
        history = History()
        for step, given in steps:
            getattr(history, step)(**given)
    except Exception as error:
        return error
    return None


def shortest(steps: Sequence[Step], error: BaseException) -> list[Step]:
    """Leave out of a history what it does not need to break the same rule."""
    kept = list(steps)
    kind = kind_of(error)

    def still(tried: list[Step]) -> bool:
        found = replay(tried)
        return found is not None and kind_of(found) == kind

    if not still(kept):
        return kept
    size = max(len(kept) // 2, 1)
    while size:
        at = len(kept) - size
        while at >= 0:
            tried = kept[:at] + kept[at + size :]
            if tried and still(tried):
                kept = tried
            at -= size
        size //= 2
    for number in range(len(kept)):
        for less in list(_less(kept[number])):
            tried = [*kept[:number], less, *kept[number + 1 :]]
            if still(tried):
                kept = tried
    return kept


def _less(step: Step) -> Iterator[Step]:
    """Yield a step without one of its arguments that it can do without, or without one of its regions."""
    name, given = step
    for left_out in given.keys() - {"site", "regions", "region", "call", "name", "method"}:
        yield name, {key: value for key, value in given.items() if key != left_out}
    for region in given.get("regions", [])[1:]:
        yield name, {**given, "regions": [kept for kept in given["regions"] if kept != region]}


def kind_of(error: BaseException) -> str:
    """Return what kind of violation it is: its text without names, numbers and values."""
    text = re.sub(r"\{.*|\[.*|'[^']*'|[a-z]+-[a-z]+-\d|\d+|act-\w+", "", str(error).splitlines()[0] if str(error) else "")
    return f"{type(error).__name__}: {text[:80]}"
