# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "When it breaks" explains every status and every finding that the code knows, and no other.

"Inside Spot" explains each outcome that a finding of Spot's side may have.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.spot.eventbridge.plugins.module_utils._spot_side import gather
from ansible_collections.spot.eventbridge.plugins.module_utils._table import STATUSES
from tests.tools.guides import source

CHECKOUT = Path(__file__).parents[3]
GUIDE, INSIDE = source("guide_trouble"), source("guide_inside_spot")
UTILS, MODULES = CHECKOUT / "plugins" / "module_utils", CHECKOUT / "plugins" / "modules"


def explained(section: str) -> set[str]:
    """The first column of the table under a heading of the guide."""
    part = re.split(rf"^{section}\n-+$", GUIDE, flags=re.M)[1]
    return set(re.findall(r"^   \* - ``(\w+)``$", re.split(r"^-+$", part, flags=re.M)[0], re.M))


def explained_inside() -> set[tuple[str, str]]:
    """The checks and outcomes of the tables of "Inside Spot" that are about one check; each is named above its table or in its head."""
    found: set[tuple[str, str]] = set()
    for part in INSIDE.split("   * - Outcome\n")[1:]:
        before, table = INSIDE.split(part)[0], part.split("\n\n", 1)[0]
        named = re.findall(r"``(\w+)``", table.split("   * - ", 1)[0]) or re.findall(r"says of it, ``(\w+)``", before)[-1:]
        found |= {(named[0], outcome) for outcome in re.findall(r"^   \* - ``(\w+)``$", table, re.M)}
    return found


def checks() -> set[str]:
    """The names of all checks."""
    return {check for check, _ in findings()}


def findings() -> set[tuple[str, str]]:
    """All checks: what stands first where a Finding is made, also by way of a function that makes one; and what stands second."""
    modules = {path.stem: ast.parse(path.read_text()) for folder in (UTILS, MODULES) for path in folder.glob("*.py")}
    found: set[tuple[str, str]] = set()
    for tree in modules.values():
        makers = {"Finding"} | {
            function.name for function in _functions(tree) if function.args.args and function.args.args[0].arg == "check"
        }
        constants = {**_imported(tree, modules), **_constants(tree.body)}
        for function in _functions(tree):
            known = {**constants, **_constants(list(ast.walk(function)))}
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in makers and call.args:
                    outcomes = list(_values(call.args[1], known)) if len(call.args) > 1 else []
                    found |= {(check, outcome) for check in _values(call.args[0], known) for outcome in outcomes or [""]}
    return found


def _imported(tree: ast.Module, modules: dict[str, ast.Module]) -> dict[str, str]:
    """The texts that are imported from other modules of the collection, by name."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] in modules]
    return {
        alias.name: text
        for node in imports
        for name, text in _constants(modules[str(node.module).rpartition(".")[2]].body).items()
        for alias in node.names
        if alias.name == name
    }


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _constants(nodes: list[ast.stmt] | list[ast.AST]) -> dict[str, str]:
    """Texts by the names to which they are assigned."""
    found: dict[str, str] = {}
    for node in nodes:
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = (
            zip(target.elts, value.elts, strict=False)
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            else [(target, value)]
        )
        for name, text in pairs:
            if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[name.id] = text.value
    return found


def _values(argument: ast.expr, known: dict[str, str]) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.Name) and argument.id in known:
        yield known[argument.id]


def test_every_status_is_explained() -> None:
    assert explained("Statuses") == set(STATUSES)


def test_every_finding_is_explained() -> None:
    assert len(checks()) > 30
    assert explained("Findings") == checks()


def test_every_outcome_of_a_finding_of_spots_side_is_explained() -> None:
    told = explained_inside()
    side = {check for check, _ in told}
    assert side == {"handover", "feature_flag", "spot_log", "spot_database", "spot_side", "probe", "interruption", "spot_reacted"}
    made = findings() | {(finding["check"], finding["outcome"]) for finding in gather([])}
    assert told == {(check, outcome) for check, outcome in made if check in side}
