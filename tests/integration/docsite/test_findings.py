# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "When it breaks" explains every status and every finding that the code knows, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.spot.eventbridge.plugins.module_utils._table import STATUSES

CHECKOUT = Path(__file__).parents[3]
GUIDE = (CHECKOUT / "docs" / "docsite" / "rst" / "guide_trouble.rst").read_text()
UTILS = CHECKOUT / "plugins" / "module_utils"


def explained(section: str) -> set[str]:
    """The first column of the table under a heading of the guide."""
    part = re.split(rf"^{section}\n-+$", GUIDE, flags=re.M)[1]
    return set(re.findall(r"^   \* - ``(\w+)``$", re.split(r"^-+$", part, flags=re.M)[0], re.M))


def checks() -> set[str]:
    """The names of all checks: what stands first where a Finding is made, also by way of a function that makes one."""
    modules = {path.stem: ast.parse(path.read_text()) for path in UTILS.glob("*.py")}
    names: set[str] = set()
    for tree in modules.values():
        makers = {"Finding"} | {
            function.name for function in _functions(tree) if function.args.args and function.args.args[0].arg == "check"
        }
        constants = {**_imported(tree, modules), **_constants(tree.body)}
        for function in _functions(tree):
            known = {**constants, **_constants(list(ast.walk(function)))}
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in makers and call.args:
                    names |= set(_values(call.args[0], known))
    return names


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
