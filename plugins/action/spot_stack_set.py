# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.progress import STEP, whole
from ansible_collections.spot.eventbridge.plugins.plugin_utils import _in_worker
from ansible_collections.spot.eventbridge.plugins.plugin_utils._stack_set_table import lines, next_step_of_stack_set
from ansible_collections.spot.eventbridge.plugins.plugin_utils._terminal import show

_DEFAULT_TIMEOUT = 3600
# Seconds between two lines.
_STEP_SECONDS = 20


class ActionModule(_in_worker.ActionModule):
    """Runs the module `spot_stack_set` in steps, and shows its progress after each.

    A module cannot show anything while it runs, and stack sets take their time. Between two steps nothing is kept but what the module
    itself has returned: it reads AWS each time.
    """

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        if self._task.async_val:
            # In the background, nobody reads the progress.
            return dict(super().run(tmp, task_vars))
        ActionBase.run(self, tmp, task_vars)
        given = {"seconds": _STEP_SECONDS, **(self._task.args.get(STEP) or {})}
        steps: list[dict[str, t.Any]] = []
        begun: list[dict[str, t.Any]] = []
        begin = time.monotonic()
        while True:
            arguments = {**self._task.args, STEP: {**given, "operations": begun}}
            if steps:
                arguments["wait_timeout"] = _left(self._task.args.get("wait_timeout"), time.monotonic() - begin)
            steps.append(dict(self._execute_module(module_args=arguments, task_vars=task_vars)))
            step = steps[-1].pop(STEP, None)
            if not step:
                result = whole(steps)
                text = [*lines(result, str(self._task.args.get("name"))), *next_step_of_stack_set(result)]
                show(self._display, text)
                return {**result, "lines": [str(line) for line in text]}
            begun = step["operations"]
            show(self._display, [step["progress"]])


def _left(timeout: t.Any, passed: float) -> int:
    """Return the seconds that are left, of a timeout that the module has taken already."""
    return max(int((_DEFAULT_TIMEOUT if timeout is None else int(timeout)) - passed), 1)
