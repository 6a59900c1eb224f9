# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.module_utils._heal.plan import argument_spec, plan_result

_DICT = {"type": "dict", "default": {}}
_ARGUMENTS = {"preflight": _DICT, "info": _DICT, **argument_spec()}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Decides what is done with the regions of an account that were read."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        super().run(tmp, task_vars)
        given = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        regions, now = given["info"].get("regions") or {}, datetime.datetime.now(datetime.timezone.utc)
        return {"changed": False, **plan_result(regions, given["preflight"], given, now)}
