# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback plugin that writes what every task came to as lines of JSON, for tests to read."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: notification
short_description: Writes results as lines of JSON
description: One line for each result of a task on a host, and one with the recap at the end.
options:
  path:
    description: The file to write.
    required: true
    env:
      - name: RECORDER_PATH
"""


class CallbackModule(CallbackBase):
    """Sees of a result what every callback sees of it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write({"recap": {host: stats.summarize(host) for host in stats.processed}})

    def _record(self, outcome: str, result: Any) -> None:
        task = result._task
        self._write(
            {
                "outcome": outcome,
                "host": result._host.get_name(),
                "task": task.get_name(),
                "action": task.resolved_action or task.action,
                "result": result._result,
            }
        )

    def _write(self, entry: dict[str, Any]) -> None:
        with open(self.get_option("path"), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")
