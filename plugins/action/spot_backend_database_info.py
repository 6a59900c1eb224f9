# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.announcement import parse_announced
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import DATABASE
from ansible_collections.spot.eventbridge.plugins.plugin_utils._database import finding, missing, missing_finding, query, question

_ARGUMENTS: dict[str, t.Any] = {
    "spot_account": {"type": "str", "required": True},
    "database": {
        "type": "dict",
        "required": True,
        "options": {
            "engine": {"type": "str", "required": True},
            "host": {"type": "str", "required": True},
            "port": {"type": "int"},
            "user": {"type": "str", "required": True},
            "password": {"type": "str", "default": "", "no_log": True},
            "database": {"type": "str", "required": True},
            "ssl_mode": {"type": "str", "default": "prefer"},
            "ca_path": {"type": "str"},
            "table": {"type": "str"},
            "value_column": {"type": "str"},
            "account_column": {"type": "str"},
            "time_column": {"type": "str"},
            "word": {"type": "str"},
        },
    },
    "hours": {"type": "int", "default": 24},
    "delivered": {"type": "int"},
    "instance_id": {"type": "str", "default": ""},
    "announced": {"type": "str", "default": ""},
    "wait_timeout": {"type": "int", "default": 0},
}
# Seconds between two queries after an interruption.
_FIRST_PAUSE = 5
# Seconds for one query: ten to connect and ten for the statement, each with a margin.
_MOST_SECONDS = 25


class ActionModule(ActionBase):  # type: ignore[misc]
    """Queries Spot's database by the query module of the engine's collection, and returns what its answer means."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _task: t.Any

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        super().run(tmp, task_vars)
        given = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        # The query only reads, so check mode runs it too.
        self._task = self._task.copy()
        self._task.check_mode = False
        try:
            found = self._look(given, task_vars)
        except ArgumentError as error:
            found = Finding(DATABASE, UNKNOWN, f"Spot's database could not be queried: {error}", "Correct the option.")
        return {"changed": False, "checks": [found.as_dict()]}

    def _look(self, given: t.Mapping[str, t.Any], task_vars: dict[str, t.Any] | None) -> Finding:
        config, announced = given["database"], parse_announced(given["announced"])
        asked = query(config, given["spot_account"], given["hours"], given["instance_id"])
        collection = missing(config)
        if collection:
            return missing_finding(collection)
        module, arguments = question(config, asked)

        def look() -> Finding:
            result = self._query(module, arguments, task_vars)
            return finding(result, config["engine"], given["hours"], given["delivered"], announced)

        # A notice reaches the database with a delay.
        deadline = Deadline(given["wait_timeout"])
        return poll(look, lambda found: announced is None or found.outcome != WARN, deadline, at_least=_FIRST_PAUSE)

    def _query(self, module: str, arguments: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        try:
            with _no_longer_than(_MOST_SECONDS if not self._task.timeout else 0):
                return dict(self._execute_module(module_name=module, module_args=arguments, task_vars=task_vars))
        except TimeoutError:
            return {"msg": f"it did not respond within {_MOST_SECONDS} seconds"}
        except AnsibleError as error:
            return {"msg": str(error)}


@contextlib.contextmanager
def _no_longer_than(seconds: int) -> t.Iterator[None]:
    """Raise TimeoutError in a block that takes longer; 0 sets no limit. PyMySQL waits for ever for a server that does not respond."""
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(signum: int, frame: t.Any) -> t.NoReturn:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
