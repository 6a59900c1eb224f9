# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "When it breaks" explains every status and error code, and no finding that does not exist.

That it explains every finding is tested wherever a module or a playbook runs: see `unexplained` in the runners.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import STATUSES
from tests.tools.addresses import CHECKOUT
from tests.tools.guides import explained


def test_guide_explains_every_status_and_no_other() -> None:
    assert explained("Statuses") == set(STATUSES)


def test_guide_explains_no_finding_that_does_not_exist() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "plugins").rglob("*.py"))
    assert len(explained("Findings")) > 30
    assert explained("Findings") - set(re.findall(r'"(\w+)"', code)) == set()


def test_guide_explains_every_error_code_of_the_collection() -> None:
    codes = set(_error_codes())
    assert len(codes) > 30
    assert codes - explained("Error codes") == set()


def test_guide_explains_no_error_code_that_does_not_exist() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "plugins").rglob("*.py"))
    # Of AWS and boto3; the collection passes them on.
    passed_on = {"Throttling"}
    assert explained("Error codes") - passed_on - set(re.findall(r"\b([A-Z]\w+)\b", code)) == set()


def _error_codes() -> Iterator[str]:
    """Yield the codes that the collection gives to its own errors."""
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("RegionError", "Failure") and node.args:
                for part in ast.walk(node.args[0]):
                    value = constants.get(part.id) if isinstance(part, ast.Name) else getattr(part, "value", None)
                    if isinstance(value, str) and re.fullmatch(r"[A-Z]\w+", value):
                        yield value
