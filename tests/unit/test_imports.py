# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports have one direction, those for types included; packages and files stay small. See docs/architecture.md."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

PLUGINS = Path(__file__).parents[2] / "plugins"
PREFIX = "ansible_collections.spot.eventbridge.plugins."
FILES = {".".join(path.relative_to(PLUGINS).with_suffix("").parts): path for path in sorted(PLUGINS.rglob("*.py"))}
MAX_FILES, MAX_LINES = 12, 300
# The sub-packages of module_utils, each with those that it may import.
UTILS = {
    "_core": set(),
    "_aws": {"_core"},
    "_cloudformation": {"_core", "_aws"},
    "_spot": {"_core"},
    "_watch": {"_core", "_aws"},
    "_notify": {"_core", "_aws", "_cloudformation", "_spot"},
    "_integration": {"_core", "_aws", "_cloudformation", "_spot", "_notify", "_watch"},
    "_heal": {"_core", "_aws", "_cloudformation", "_spot", "_notify", "_watch", "_integration"},
    "_proof": {"_core", "_aws", "_cloudformation", "_spot", "_notify", "_watch", "_integration"},
    "_takeover": {"_core", "_aws", "_cloudformation", "_spot", "_notify", "_watch", "_integration", "_proof"},
}


def package(name: str) -> str:
    """`_core` for `module_utils._core.plan`, `modules` for `modules.spot_stack`."""
    return name.removeprefix("module_utils.").partition(".")[0]


def allowed(name: str) -> set[str]:
    """The packages that a file may import from."""
    own = package(name)
    return {own, *UTILS[own]} if own in UTILS else {*UTILS} if own == "modules" else {own, *UTILS, "plugin_utils"}


def imported(path: Path) -> set[str]:
    """All that a file imports, anywhere in it, names of modules and names in them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path} has a relative import"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


IMPORTS = {name: imported(path) for name, path in FILES.items()}
OWN_IMPORTS = {name: {file for target in found if (file := target.removeprefix(PREFIX)) in FILES} for name, found in IMPORTS.items()}


def test_files_import_in_the_allowed_direction_only() -> None:
    assert [f"{name} → {target}" for name, found in OWN_IMPORTS.items() for target in found if package(target) not in allowed(name)] == []


def test_plugins_import_no_tests() -> None:
    assert [name for name, found in IMPORTS.items() if any(target.partition(".")[0] == "tests" for target in found)] == []


def test_no_circle_of_imports() -> None:
    TopologicalSorter(OWN_IMPORTS).prepare()


def test_no_package_has_more_than_a_dozen_files() -> None:
    folders = [path.parent.relative_to(PLUGINS) for path in FILES.values()]
    sizes = Counter(str(folder) for folder in folders if folder.parts[0] in ("module_utils", "plugin_utils"))
    assert {folder: number for folder, number in sizes.items() if number > MAX_FILES} == {}


def test_no_file_has_more_than_300_lines() -> None:
    """Apart from modules, half of which is their documentation."""
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in FILES.items() if package(name) != "modules"}
    assert {name: number for name, number in lines.items() if number > MAX_LINES} == {}
