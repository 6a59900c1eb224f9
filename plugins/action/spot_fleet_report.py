# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import results_of, table
from ansible_collections.spot.eventbridge.plugins.plugin_utils._next_step import next_step_of_fleet
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import verification_report
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.files import FolderError, check_writable, collection_version, write
from ansible_collections.spot.eventbridge.plugins.plugin_utils._terminal import show, shown

_ARGUMENTS = {
    "report_dir": {"type": "str", "default": ""},
    "check_writable": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Ends a run over accounts: shows a table of all of them, and writes the report."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        super().run(tmp, task_vars)
        given = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        try:
            if given["check_writable"]:
                if given["report_dir"]:
                    check_writable(given["report_dir"])
                return {"changed": False}
            return self._report(given["report_dir"], task_vars or {})
        except FolderError as error:
            return {"failed": True, "msg": str(error)}

    def _report(self, report_dir: str, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        results = results_of(variables["ansible_play_hosts_all"], variables["hostvars"])
        text = [*table(results), *next_step_of_fleet(results)] if len(results) > 1 else []
        show(self._display, text)
        files: list[str] = []
        if report_dir and not self._task.check_mode:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            files = write(report_dir, verification_report([found for found in results.values() if found], now, collection_version()))
        return shown(self._display, {"changed": False, "lines": [str(line) for line in text], "files": files})
