# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import results_of
from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import fleet

_ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "received": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Gathers what is still to be done for the accounts of a hub."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        super().run(tmp, task_vars)
        given = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        results = results_of(given["hosts"], (task_vars or {})["hostvars"])
        return {"changed": False, **fleet(results.values(), given["received"], datetime.datetime.now(datetime.timezone.utc))}
