# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that a test switches on: which call they hit, how often, and what then happens."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

ATTRIBUTES = ("target", "service", "operation", "region", "account", "path", "role", "write", "by")
KINDS = ("latency", "held", "throttle", "error", "hang", "drop", "garbage", "lost_answer", "partial", "status", "reset", "text")
FREQUENCIES = ("every", "rate", "seed", "times", "after")
# A rate leaves the fifth attempt of a call and those after it alone: clients give up after six, and by chance alone one call in some
# 15,000 would have that many struck at a rate of 0.2.
STRUCK_ATTEMPTS = 4


@dataclass
class Rule:
    """One fault rule. `seen` counts the calls that matched, `hits` those that it struck."""

    id: int
    match: dict[str, str]
    do: dict[str, Any]
    every: int = 1
    rate: float | None = None
    times: int | None = None
    after: int = 0
    seed: int = 1
    seen: int = 0
    hits: int = 0
    random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def strikes(self, call: dict[str, str]) -> bool:
        """Tell whether this call is hit; counts it."""
        if not all(fnmatchcase(call.get(name, ""), pattern) for name, pattern in self.match.items()):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        if (self.seen - self.after) % self.every or (self.rate is not None and not self._by_chance(self.rate, call)):
            return False
        self.hits += 1
        return True

    def _by_chance(self, rate: float, call: dict[str, str]) -> bool:
        return self.random.random() < rate and int(call.get("attempt") or 1) <= STRUCK_ATTEMPTS

    def described(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "match": self.match,
            "do": self.do,
            **{name: getattr(self, name) for name in FREQUENCIES},
            "seen": self.seen,
            "hits": self.hits,
        }


class Faults:
    """The rules in force, in order. Safe for threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._last_id = 0
        self._lock = threading.Lock()

    def add(self, rule: dict[str, Any]) -> dict[str, Any]:
        """Add a rule (see README.md) and return it with its id; a ValueError says what is wrong with it."""
        _check(rule)
        with self._lock:
            self._last_id += 1
            match = {name: str(pattern) for name, pattern in rule.get("match", {}).items()}
            frequency = {name: rule[name] for name in FREQUENCIES if name in rule}
            added = Rule(self._last_id, match, rule["do"], **frequency)
            self._rules.append(added)
            return added.described()

    def list(self) -> list[dict[str, Any]]:
        """Return the rules with their counts."""
        with self._lock:
            return [rule.described() for rule in self._rules]

    def clear(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all of them."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule_id is not None and rule.id != rule_id]

    def in_force(self, do: dict[str, Any]) -> bool:
        """Tell whether the rule that `pick` took `do` from is still there."""
        with self._lock:
            return any(rule.do is do for rule in self._rules)

    def pick(self, call: dict[str, str]) -> dict[str, Any]:
        """Return what is to be done to a call: the first rule's `do` that strikes, or nothing."""
        with self._lock:
            return next((rule.do for rule in self._rules if rule.strikes(call)), {})


def _check(rule: dict[str, Any]) -> None:
    unknown = (
        (set(rule) - {"match", "do", *FREQUENCIES})
        | (set(rule.get("match", {})) - set(ATTRIBUTES))
        | (set(rule.get("do", {})) - set(KINDS))
    )
    if unknown:
        raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
    if not rule.get("do"):
        raise ValueError("a fault rule needs `do`")
