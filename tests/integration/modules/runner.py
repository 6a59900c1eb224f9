# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module of this collection as Ansible does: a process of its own, the arguments through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.common.parameters import PASS_VARS

from tests.integration.interpreters import for_modules
from tests.integration.modules.secrets_in import secrets_in
from tests.tools.documented import differences
from tests.tools.guides import unexplained

MODULES = "ansible_collections.spot.eventbridge.plugins.modules"
SECONDS = 120
# From 2.21 on, ansible-core has the arguments in a result only if INJECT_INVOCATION is set. The tests look for tokens there, too.
INVOCATION = {"_ansible_inject_invocation": True} if "inject_invocation" in PASS_VARS else {}


@dataclass(frozen=True)
class Run:
    """What came of running a module: its answer, and all that it printed."""

    answer: dict[str, Any]
    output: str

    @property
    def failed(self) -> bool:
        return bool(self.answer.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.answer.get("changed"))

    @property
    def message(self) -> str:
        return str(self.answer.get("msg", ""))

    @property
    def warnings(self) -> list[str]:
        """The texts; ansible-core 2.19 wraps them."""
        given = self.answer.get("warnings", [])
        return [warning if isinstance(warning, str) else warning["event"]["msg"] for warning in given]

    @property
    def regions(self) -> dict[str, dict[str, Any]]:
        return dict(self.answer["regions"])

    @property
    def actions(self) -> dict[str, str]:
        """What was done, by region."""
        return {name: entry["action"] for name, entry in self.regions.items()}

    @property
    def action(self) -> str:
        """What was done in the only region."""
        (action,) = self.actions.values()
        return action

    @property
    def entry(self) -> dict[str, Any]:
        """The answer of the only region."""
        (entry,) = self.regions.values()
        return entry

    @property
    def operations(self) -> list[tuple[str, list[str], list[str]]]:
        """What was done to a stack set: action, accounts and regions."""
        return [(entry["action"], entry["accounts"], entry["regions"]) for entry in self.answer["operations"]]

    @property
    def error(self) -> dict[str, str]:
        """Why the only region failed."""
        return dict(self.entry["error"])


class Runner:
    """Runs modules with an environment, in a folder of their own.

    Every run is searched for tokens: what it printed, and the files it left. Every answer is compared with the module's RETURN, its
    findings with the guide "When it breaks".

    Args:
        environment: of the module's process.
        folder: where it runs; home and place for temporary files as well.
        tokens: what must never be seen; tests may add to it.
    """

    def __init__(self, environment: dict[str, str], folder: Path, tokens: set[str]) -> None:
        self.environment = {**environment, "HOME": str(folder), "TMPDIR": str(folder)}
        self.folder = folder
        self.tokens = tokens

    def __call__(self, module: str, *, check: bool = False, verbosity: int = 0, **arguments: Any) -> Run:
        """Run a module; `arguments` are its options, as in a playbook."""
        internal = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_verbosity": verbosity, **INVOCATION}
        done = subprocess.run(
            [for_modules(), "-m", f"{MODULES}.{module}"],
            cwd=self.folder,
            env=self.environment,
            input=json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}}),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        output = done.stdout + done.stderr
        assert secrets_in(output + self._files(), self.tokens) == []
        assert "Traceback" not in output, output
        answer = json.loads(done.stdout)
        assert done.returncode == (1 if answer.get("failed") else 0)
        told = differences(module, answer)
        assert not told, f"{module}: " + "; ".join(told)
        assert unexplained(answer) == set()
        return Run(answer, output)

    def _files(self) -> str:
        files = [Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names]
        return "\n".join(file.read_text(errors="replace") for file in files)
