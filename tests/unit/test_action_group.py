# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group, the modules that can be in it, and what their documentation says about it are one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).parents[2]
MODULES = sorted(path for path in (COLLECTION / "plugins" / "modules").glob("*.py") if not path.name.startswith("_"))
AWS = "amazon.aws.common.modules"  # the options that the group's defaults set
MEMBER = "spot.eventbridge._attributes.actiongroup_aws"


def fragments(module: Path) -> list[str]:
    """The documentation fragments that a module extends."""
    for statement in ast.parse(module.read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name) and statement.targets[0].id == "DOCUMENTATION":
            given = yaml.safe_load(ast.literal_eval(statement.value)).get("extends_documentation_fragment", [])
            return [given] if isinstance(given, str) else list(given)
    raise AssertionError(f"{module.name} has no DOCUMENTATION")


def group() -> list[str]:
    """The modules that meta/runtime.yml names."""
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text())
    return [entry for entry in runtime["action_groups"]["aws"] if isinstance(entry, str)]


def test_action_group_has_exactly_the_modules_that_call_aws() -> None:
    assert group() == [module.stem for module in MODULES if AWS in fragments(module)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_documentation_of_a_module_names_the_action_group_if_the_module_is_in_it(module: Path) -> None:
    assert (MEMBER in fragments(module)) == (module.stem in group())
