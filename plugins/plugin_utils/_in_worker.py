# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import types
import typing as t

from ansible import constants
from ansible.executor import module_common
from ansible.module_utils.common import json as core_json
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalActionModule

from ansible_collections.spot.eventbridge.plugins.plugin_utils._fork import run_module

try:
    from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3

    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.session import preload
except ImportError:  # the module reports the missing library
    HAS_BOTO3 = False

VARIABLE = "spot_eventbridge_import_modules"
ENVIRONMENT = VARIABLE.upper()
# ansible-core's names for the form of JSON between itself and modules.
_PROFILE = "legacy"


class Arguments(dict):  # type: ignore[type-arg]
    """The arguments of a module, which do not show themselves: ansible-core prints them if ANSIBLE_DEBUG is set."""

    def __repr__(self) -> str:
        return f"({len(self)} arguments)"


class ActionModule(NormalActionModule):  # type: ignore[misc]
    """Run a module of this collection without a new Python interpreter, where that makes no difference.

    A strategy loads the action plugin of a task before it forks a worker for each host. The module is imported then, once. The worker
    forks once more, and runs the module there: nothing that a module does to its process is left to the next one, and one that is killed
    is a failed task, not the end of the run. Anywhere else (`_obstacle`) the module is run in the ordinary way.

    A plugin for a module is a subclass in a file of the module's name.

    :cvar services: the AWS services whose descriptions are read before the fork, for a module that always needs them
    """

    services: t.ClassVar[tuple[str, ...]] = ()
    _module: types.ModuleType | None = None
    _in_worker = False

    def __init_subclass__(cls, **options: t.Any) -> None:
        super().__init_subclass__(**options)
        # The ordinary way reports the missing library.
        with contextlib.suppress(ImportError):
            cls._module = importlib.import_module(cls.__module__.replace(".plugins.action.", ".plugins.modules."))
            if cls.services and HAS_BOTO3:
                preload(cls.services)
        # Objects that the garbage collection skips stay shared with all forks, and cost them no time.
        gc.freeze()

    def _execute_module(
        self, module_name: str | None = None, module_args: t.Mapping[str, t.Any] | None = None, **options: t.Any
    ) -> dict[str, t.Any]:
        """Run the module, see `ActionBase`."""
        arguments = Arguments(self._task.args if module_args is None else module_args)
        obstacle = self._obstacle(options.get("task_vars") or {})
        self._in_worker = not obstacle
        if obstacle:
            self._display.vvv(f"{self._task.action} is run in a process of its own: {obstacle}")
        return dict(super()._execute_module(module_name=module_name, module_args=arguments, **options))

    def _obstacle(self, task_vars: t.Mapping[str, t.Any]) -> str:
        """Return why the module cannot be run here, empty if it can."""
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        interpreter = self._interpreter(task_vars)
        wanted = self._templar.template(task_vars.get(VARIABLE, os.environ.get(ENVIRONMENT, "true")))
        reasons = {
            f"{VARIABLE} is false": not boolean(wanted, strict=False),
            "the connection is not local": self._connection.transport != "local",
            "it becomes another user": bool(self._connection.become),
            "it is asynchronous": bool(self._task.async_val),
            "it has an environment of its own": bool(environment),
            f"its interpreter is {interpreter}": interpreter != sys.executable,
            "ANSIBLE_KEEP_REMOTE_FILES is set": bool(constants.DEFAULT_KEEP_REMOTE_FILES),
            "it cannot be imported": not self._module,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _interpreter(self, task_vars: t.Mapping[str, t.Any]) -> str:
        """Return the Python interpreter that the task is to have; this one if none is given."""
        delegated = self._task.delegate_to and (task_vars.get("ansible_delegated_vars") or {}).get(self._task.delegate_to)
        variables = delegated or task_vars
        given = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
        interpreter = str(self._templar.template(given) or "").strip()
        return sys.executable if not interpreter or interpreter.startswith("auto") else interpreter

    def _is_pipelining_enabled(self, *arguments: t.Any, **options: t.Any) -> bool:
        """Return whether the module is passed without a file."""
        return self._in_worker or bool(super()._is_pipelining_enabled(*arguments, **options))

    def _configure_module(self, module_name: str, module_args: t.Mapping[str, t.Any], task_vars: t.Any) -> t.Any:
        """Return the input of the module: here, only its arguments."""
        if not self._in_worker or not self._module:
            return super()._configure_module(module_name=module_name, module_args=module_args, task_vars=task_vars)
        path, shebang = str(self._module.__file__), f"#!{sys.executable}"
        data = json.dumps({"ANSIBLE_MODULE_ARGS": module_args}, **_encoding()).encode()
        if not hasattr(module_common, "_BuiltModule"):  # before ansible-core 2.19
            return "new", shebang, data, path
        built = module_common._BuiltModule(b_module_data=data, module_style="new", shebang=shebang, serialization_profile=_PROFILE)
        return built, path

    def _low_level_execute_command(self, cmd: t.Any, *arguments: t.Any, **options: t.Any) -> t.Any:
        """Run a command; here, the module."""
        if not self._in_worker or not self._module:
            return super()._low_level_execute_command(cmd, *arguments, **options)
        rc, out, err = run_module(self._module.main, options["in_data"], _PROFILE, self._loader.get_basedir())
        return {"rc": rc, "stdout": out, "stdout_lines": out.splitlines(), "stderr": err, "stderr_lines": err.splitlines()}


def _encoding() -> dict[str, t.Any]:
    """Return how `json.dumps` writes the arguments of a module."""
    if not hasattr(core_json, "get_module_encoder"):  # before ansible-core 2.19
        return {"cls": core_json.AnsibleJSONEncoder, "vault_to_text": True}
    return {"cls": core_json.get_module_encoder(_PROFILE, core_json.Direction.CONTROLLER_TO_MODULE)}
