# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module of this collection as Ansible does: a process of its own, the arguments through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.modules.documented import differences
from tests.integration.modules.secrets_in import secrets_in

COLLECTIONS = Path(sys.prefix) / "collections"


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


class Launcher:
    """The process that starts the modules' processes, see launcher.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        )

    def __call__(self, **request: Any) -> dict[str, Any]:
        """Run one module: {"status", "output", "errors"}."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    @property
    def pid(self) -> int:
        """The process's id; the module that it runs is its only child."""
        return self._process.pid

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


class Runner:
    """Runs modules with an environment, in a folder of their own.

    Every run is searched for tokens: what it printed, and the files it left. Every answer is compared with the module's RETURN.

    Args:
        launch: starts the modules' processes.
        environment: of the module's process.
        folder: where it runs; home and place for temporary files as well.
        tokens: what must never be seen; tests may add to it.
    """

    def __init__(self, launch: Launcher, environment: dict[str, str], folder: Path, tokens: set[str]) -> None:
        self._launch = launch
        self.environment = {**environment, "HOME": str(folder), "TMPDIR": str(folder)}
        self.folder = folder
        self.tokens = tokens

    def __call__(self, module: str, *, check: bool = False, verbosity: int = 0, **arguments: Any) -> Run:
        """Run a module; `arguments` are its options, as in a playbook."""
        internal = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_verbosity": verbosity}
        done = self._launch(
            module=module,
            environment=self.environment,
            folder=str(self.folder),
            arguments={"ANSIBLE_MODULE_ARGS": {**arguments, **internal}},
        )
        output = done["output"] + done["errors"]
        assert secrets_in(output + self._files(), self.tokens) == []
        assert "Traceback" not in output, output
        answer = json.loads(done["output"])
        assert done["status"] == (1 if answer.get("failed") else 0)
        told = differences(module, answer)
        assert not told, f"{module}: " + "; ".join(told)
        return Run(answer, output)

    def _files(self) -> str:
        files = [Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names]
        return "\n".join(file.read_text(errors="replace") for file in files)
