# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import fleet

_ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "received": {"type": "dict", "default": {}},
}
_FACT = "spot_eventbridge_result"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Gathers what is still to be done for the accounts of a hub."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        super().run(tmp, task_vars)
        given = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        # Not templated, as they are many values.
        hostvars = (task_vars or {})["hostvars"]
        results = [hostvars.raw_get(host).get(_FACT) for host in given["hosts"]]
        return {"changed": False, **fleet(results, given["received"], datetime.datetime.now(datetime.timezone.utc))}
