# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs histories: python -m tests.histories --histories 10000 --seed 1 [--state FILE]

Progress and rate are shown; a run that was ended is continued, as the batches that are done are in the state file. Each violation is
printed once as its shortest history, as a plain test.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import gc
import io
import json
import random
import sys
import time
import traceback
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.engine import ConjectureRunner
from hypothesis.stateful import run_state_machine_as_test

from tests.histories.history import History
from tests.histories.machine import Histories
from tests.histories.shortening import replay, script, shortest

BATCH = 50
# The most steps of a history, by batch in turn: long ones reach more states, and short ones their end, where all is judged, more often.
STEPS = (30, 12, 6)


def run_batch(seed: int, histories: int, steps: int, *, shorten: bool = True, varied: bool = True) -> str | None:
    """Run histories from a seed; return the shortest history that breaks a rule, as a test, None if none does.

    Args:
        varied: whether each history is drawn by itself; Hypothesis repeats parts of those before otherwise, and has seen fewer kinds.
    """
    chosen = settings(
        max_examples=histories,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # the shortest one is found by leaving out steps: fewer runs, and a plain test
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    Histories._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]
    Histories.broken, said = None, io.StringIO()
    # What is there by now stays; to look through it again and again costs a twentieth of the time.
    gc.freeze()
    gc.set_threshold(50_000)
    alone = mock.patch.object(ConjectureRunner, "generate_mutations_from", lambda *_: None) if varied else contextlib.nullcontext()
    with alone, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            run_state_machine_as_test(Histories, settings=chosen)  # type: ignore[no-untyped-call]
        except Exception as error:
            error = Histories.broken or error
            if not shorten:
                return f"{_why(error)}\n{script(Histories.broken_steps)}"
            found = shortest(Histories.last.steps if not Histories.broken else Histories.broken_steps, error)
            why = replay(found)
            return f"{_why(why or error)}{'' if why else '# It does not happen again.'}\n{script(found)}"
    return None


def run_numbered(seed: int, number: int, histories: int, steps: int | None = None, *, shorten: bool = True) -> str | None:
    """Run one of the batches of a seed, as run_batch does.

    Args:
        steps: the most of each history; by default, those of the batch.
    """
    return run_batch(seed * 100_000 + number, histories, steps or STEPS[number % len(STEPS)], shorten=shorten)


def _why(error: BaseException) -> str:
    told = "".join(traceback.format_tb(error.__traceback__)[-6:]) if not (isinstance(error, AssertionError) and str(error)) else ""
    return f"# {type(error).__name__}: {error}\n# " + told[-2500:].replace("\n", "\n# ")


def summary(counts: dict[str, dict[str, int]]) -> str:
    """Return what was reached: states, findings, and the share that verify could not decide."""
    states, outcomes, judged = (collections.Counter(counts[name]) for name in ("states", "outcomes", "judged"))
    checks = {name.split("=")[0] for name in outcomes}
    never = sorted(check for check in all_checks() if not {f"{check}={bad}" for bad in ("fail", "warn", "unknown")} & outcomes.keys())
    undecided = 100 * judged["undecided"] / max(sum(judged.values()), 1)
    statuses = collections.Counter(state.split(":")[0] for state in states)
    lines = [
        f"distinct states (status and findings): {len(states)}; " + ", ".join(f"{status} {n}" for status, n in statuses.most_common()),
        f"regions judged: {sum(judged.values())}, of which verify could not decide {undecided:.2f} %",
        f"findings seen: {len(checks)}; never other than pass or skip: {', '.join(never) or 'none'}",
    ]
    return "\n".join(lines)


def all_checks() -> set[str]:
    """Return the names of all checks that verify of an integration knows, as the guide explains them."""
    from tests.tools.guides import explained

    return set(explained("Findings"))


def main() -> int:
    """Run the histories that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories")
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="by default, a new one")
    parser.add_argument(
        "--steps", type=int, help="the most of each history; by default, of each batch in turn " + ", ".join(map(str, STEPS))
    )
    parser.add_argument("--state", type=Path, help="where the batches that are done are kept")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--stop", action="store_true", help="end with the first violation, and do not shorten it")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    state: dict[str, Any] = {"seed": seed, "batch": given.batch, "steps": given.steps, "done": 0, "seconds": 0.0, "found": [], "counts": {}}
    if given.state and given.state.exists():
        kept = json.loads(given.state.read_text())
        if given.seed in (None, kept["seed"]) and (given.batch, given.steps) == (kept["batch"], kept["steps"]):
            state, seed = kept, kept["seed"]
    for name in ("states", "outcomes", "judged"):
        getattr(History, name).update(state["counts"].get(name, {}))
    print(f"{given.histories} histories of up to {given.steps or max(STEPS)} steps, seed {seed}, {state['done']} of them done", flush=True)
    while state["done"] < given.histories:
        number = state["done"] // given.batch
        size = min(given.batch, given.histories - state["done"])
        begun = time.process_time()
        found = run_numbered(seed, number, size, given.steps, shorten=not given.stop)
        state["seconds"] += time.process_time() - begun
        state["done"] += size
        if found:
            state["found"].append(f"# Seed {seed}, batch {number}\n{found}")
            print(f"\n{state['found'][-1]}", flush=True)
        state["counts"] = {name: dict(getattr(History, name)) for name in ("states", "outcomes", "judged")}
        if given.state:
            given.state.parent.mkdir(parents=True, exist_ok=True)
            given.state.write_text(json.dumps(state))
        rate = state["seconds"] / state["done"]
        left = rate * (given.histories - state["done"])
        print(
            f"{state['done']}/{given.histories}: {rate:.2f} s of CPU each, {left / 60:.0f} min left, {len(History.states)} states, "
            f"{len(state['found'])} violation(s)",
            flush=True,
        )
        if found and given.stop:
            print(f"found by history {Histories.broken_at}")
            break
    print(summary(state["counts"]))
    return 1 if state["found"] else 0


if __name__ == "__main__":
    sys.exit(main())
