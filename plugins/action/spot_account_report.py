# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import FAIL_DENIED, SKIP_DENIED
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import lines
from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import healed
from ansible_collections.spot.eventbridge.plugins.plugin_utils._next_step import next_step
from ansible_collections.spot.eventbridge.plugins.plugin_utils._results import (
    HEAL,
    OFFBOARD,
    ONBOARD,
    REPAIR,
    VERIFY,
    WATCH,
    account_result,
)
from ansible_collections.spot.eventbridge.plugins.plugin_utils._terminal import is_condensed, show, shown

_DICT = {"type": "dict", "default": {}}
_DICTS = {"type": "list", "elements": "dict", "default": []}
_ARGUMENTS = {
    "purpose": {"type": "str", "choices": [ONBOARD, VERIFY, REPAIR, OFFBOARD, WATCH, HEAL], "required": True},
    "spot_account": {"type": "str", "required": True},
    "preflight": _DICT,
    "integration": _DICT,
    "info": _DICTS,
    "proofs": _DICTS,
    "plan": _DICT,
    "messages": _DICTS,
    "known": {"type": "str", "default": ""},
    "watch": _DICT,
    "hubs": _DICTS,
    "denied_regions": {"type": "str", "choices": [SKIP_DENIED, FAIL_DENIED], "default": SKIP_DENIED},
    "fail_on_warnings": {"type": "bool", "default": False},
    "failure": {"type": "dict"},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Ends the run of an account: combines the results of the modules into that of the account, and shows it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        given = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        who = {"host": variables["inventory_hostname"], "predicted": self._task.check_mode}
        if given["purpose"] == HEAL:
            result = healed(given, **who, now=datetime.datetime.now(datetime.timezone.utc))
        else:
            result = account_result(given, **who)
        verbose = self._display.verbosity > 0
        then = next_step(given, result, self._task.check_mode)
        if not is_condensed(self._display, variables):
            show(self._display, [*lines(result, verbose, brief=not verbose), *then])
        text = [str(line) for line in (*lines(result, verbose), *then)]
        return shown(self._display, {"changed": False, "lines": text, **result})
