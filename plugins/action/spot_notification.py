# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _in_worker
from ansible_collections.spot.eventbridge.plugins.plugin_utils._terminal import is_condensed, show


class ActionModule(_in_worker.ActionModule):
    """Runs the module `spot_notification`, and shows the messages in the form in which they were sent."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See `ActionBase`."""
        result = dict(super().run(tmp, task_vars))
        if not is_condensed(self._display, task_vars or {}):
            sent = "Would be sent" if self._task.check_mode else "Sent"
            for name, outcome in (result.get("channels") or {}).items():
                if outcome["action"] == "sent":
                    show(self._display, [f"{sent} by {name}:", *outcome["message"].splitlines()])
        return result
