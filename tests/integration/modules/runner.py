# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module of this collection: in a process of its own with the arguments through a pipe, or as a task of Ansible.

The environment variable MODULES_RUN_BY chooses for all tests: `python` (the default), `ansible`, or `worker` for Ansible's worker, as
users' tasks are. MODULES_ANSIBLE is another ansible-playbook, as that of an environment with the oldest core:

    MODULES_RUN_BY=worker MODULES_ANSIBLE=.cache/environments/oldest/bin/ansible-playbook python -m pytest tests/integration/modules
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.parameters import PASS_VARS

from tests.integration.interpreters import COLLECTIONS, RECORDER, for_modules
from tests.integration.modules.secrets_in import secrets_in
from tests.tools.documented import differences
from tests.tools.guides import unexplained

MODULES = "ansible_collections.spot.eventbridge.plugins.modules"
SECONDS = 120
PYTHON, ANSIBLE, WORKER = "python", "ansible", "worker"
ANSIBLE_PLAYBOOK = os.environ.get("MODULES_ANSIBLE") or str(Path(sys.executable).parent / "ansible-playbook")
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
        way: how modules are run; see above.
    """

    def __init__(self, environment: dict[str, str], folder: Path, tokens: set[str], way: str = "") -> None:
        self.way = way or os.environ.get("MODULES_RUN_BY") or PYTHON
        self.environment = {**environment, "HOME": str(folder), "TMPDIR": str(folder)}
        self.folder = folder
        self.tokens = tokens

    def __call__(self, module: str, *, check: bool = False, verbosity: int = 0, **arguments: Any) -> Run:
        """Run a module; `arguments` are its options, as in a playbook."""
        run = self._run_by_itself if self.way == PYTHON else self._run_by_ansible
        answer, output = run(module, arguments, check, verbosity)
        assert secrets_in(output + self._files(), self.tokens) == []
        assert "Traceback" not in output, output
        told = differences(module, answer)
        assert not told, f"{module}: " + "; ".join(told)
        assert unexplained(answer) == set()
        return Run(answer, output)

    def _run_by_itself(self, module: str, arguments: dict[str, Any], check: bool, verbosity: int) -> tuple[dict[str, Any], str]:
        internal = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_verbosity": verbosity, **INVOCATION}
        given = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}})
        done = self._start([for_modules(), "-m", f"{MODULES}.{module}"], self.environment, given)
        answer = json.loads(done.stdout)
        assert done.returncode == (1 if answer.get("failed") else 0)
        return answer, done.stdout + done.stderr

    def _run_by_ansible(self, module: str, arguments: dict[str, Any], check: bool, verbosity: int) -> tuple[dict[str, Any], str]:
        task = {"name": "Run the module", f"spot.eventbridge.{module}": arguments}
        play = {"name": "Run", "hosts": "localhost", "gather_facts": False, "check_mode": check, "diff": True, "tasks": [task]}
        play["vars"] = {"ansible_python_interpreter": _Template("{{ ansible_playbook_python }}")}
        # Modules run in the folder of the playbook.
        playbook = self.folder / "play.yml"
        playbook.write_text(yaml.dump([play], Dumper=_Dumper), encoding="utf-8")
        with tempfile.TemporaryDirectory() as outside:
            recorded = Path(outside, "results")
            environment = {
                **self.environment,
                **RECORDER,
                "RECORDER_PATH": str(recorded),
                "ANSIBLE_HOME": outside,
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_PIPELINING": "true",
                "SPOT_EVENTBRIDGE_IMPORT_MODULES": "true" if self.way == WORKER else "false",
            }
            command = [ANSIBLE_PLAYBOOK, "-i", "localhost,", "-c", "local", *(["-" + "v" * verbosity] if verbosity else []), str(playbook)]
            try:
                done = self._start(command, environment)
            finally:
                playbook.unlink()
            text = recorded.read_text(encoding="utf-8")
        entry = json.loads(text.splitlines()[0])
        failed = entry["outcome"] == "failed"
        assert done.returncode == (2 if failed else 0), done.stdout + done.stderr
        # From ansible-core 2.19 on, results that callbacks see do not have it.
        return {**entry["result"], **({"failed": True} if failed else {})}, done.stdout + done.stderr + text

    def _start(self, command: list[Any], environment: dict[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=environment, input=given, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def _files(self) -> str:
        files = [Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names]
        return "\n".join(file.read_text(errors="replace") for file in files)


class _Template(str):
    """A text that Ansible is to template."""


class _Dumper(yaml.SafeDumper):
    """Writes texts as what they are: none is a template."""


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe" if "{" in text else "tag:yaml.org,2002:str", text))
_Dumper.add_representer(_Template, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text)))
