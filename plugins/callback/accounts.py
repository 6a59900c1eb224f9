# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: accounts
type: stdout
short_description: One line for each account that is done
version_added: 1.0.0
description:
  - For the playbooks of this collection over many accounts. Each account is one line as soon as it is done, with the numbers of accounts
    that are done and in all; the run ends with the table of all accounts and the reason of each failure.
  - The output of a play with one host, of a verbose run and of other playbooks is that of P(ansible.builtin.default#callback). Skipped
    tasks are shown by verbose runs only.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as C(stdout_callback) in the configuration
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

import typing as t

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import progress

_REPORT = "spot.eventbridge.spot_account_report"


class CallbackModule(DefaultCallback):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "spot.eventbridge.accounts"

    def __init__(self) -> None:
        super().__init__()
        self._total = 0
        self._done: set[str] = set()

    def set_options(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Leave out skipped tasks: a check that does not apply to a run concerns nobody."""
        super().set_options(*args, **kwargs)
        if self._display.verbosity == 0:
            self.set_option("display_skipped_hosts", False)

    @property
    def _condensed(self) -> bool:
        return self._total > 1 and self._display.verbosity == 0

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Count the accounts of the play."""
        super().v2_playbook_on_play_start(play)
        self._total = len(play.get_variable_manager().get_vars(play=play).get("ansible_play_hosts_all", []))
        self._done = set()

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Leave out the banner: with many accounts, there would be thousands."""
        if not self._condensed:
            super().v2_playbook_on_task_start(task, is_conditional)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        """Leave out included files."""
        if not self._condensed:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """Leave out skipped tasks."""
        if not self._condensed:
            super().v2_runner_on_skipped(result)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Show the account's line after the task with its result."""
        if not self._condensed:
            super().v2_runner_on_ok(result)
            return
        host, task, found = _parts(result)
        self._warn(result)
        came_of = found if task.action == _REPORT else (found.get("ansible_facts") or {}).get("spot_eventbridge_result")
        if came_of:
            self._done.add(host)
            line = progress(came_of, len(self._done), self._total)
            self._display.display(line, color=constants.COLOR_ERROR if came_of["problem"] else constants.COLOR_OK)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Show in one line which account failed, and why."""
        if not self._condensed:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        host, _task, found = _parts(result)
        self._warn(result)
        self._display.display(
            f"fatal: [{host}]: {found.get('msg')}", color=constants.COLOR_ERROR, stderr=self.get_option("display_failed_stderr")
        )

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """Leave out items: without the task's banner, they would stand below another one's."""
        if self._condensed:
            self._warn(result)
        else:
            super().v2_runner_item_on_ok(result)

    def v2_runner_item_on_skipped(self, result: t.Any) -> None:
        """Leave out skipped items."""
        if not self._condensed:
            super().v2_runner_item_on_skipped(result)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """Show why an item failed; the message of its task does not name the reason."""
        if self._condensed:
            self.v2_runner_on_failed(result)
        else:
            super().v2_runner_item_on_failed(result)

    def _warn(self, result: t.Any) -> None:
        self._handle_warnings(_parts(result)[2])


def _parts(result: t.Any) -> tuple[str, t.Any, dict[str, t.Any]]:
    """Return host, task and result of a result; ansible-core 2.19 made them public."""
    if hasattr(result, "task"):
        return result.host.get_name(), result.task, result.result
    return result._host.get_name(), result._task, result._result
