# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.announcement import after
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError

REACTED = "spot_reacted"
# If the group is not known, the logs of up to so many groups are read.
_MOST_GROUPS = 25
_FIRST_PAUSE = 2.0


def check(api: SpotApi | None, spot_account: str, group: str, instance_id: str, *, since: datetime.datetime, timeout: float) -> Finding:
    """Return whether the log of an Elastigroup (Elastilog) names an instance since a time. Never raises for a response of Spot.

    :param api: None where there is no token
    :param group: its id; if it is empty, the logs of the account's groups are read one after the other
    :param timeout: seconds to wait for an entry
    """
    if api is None:
        return Finding(REACTED, SKIP, f"Not checked whether Spot reacted to {instance_id}: there is no token.", "Set SPOTINST_TOKEN.")
    try:
        groups = [group] if group else api.groups(spot_account)[:_MOST_GROUPS]
        entries = poll(
            lambda: [entry for name in groups for entry in api.log(name, spot_account, instance_id, since)],
            lambda found: bool(found) or not groups,
            Deadline(timeout),
            at_least=_FIRST_PAUSE,
        )
    except SpotError as error:
        message = f"Unknown whether Spot reacted to {instance_id}: {str(error).rstrip('.')}."
        return Finding(REACTED, UNKNOWN, message, "Use a token that may read the group's log.")
    return finding(entries, instance_id, since, len(groups))


def finding(entries: t.Sequence[tuple[str, str]], instance_id: str, since: datetime.datetime, groups: int) -> Finding:
    """Return the finding of the log.

    :param entries: the time and the text of each
    """
    if not groups:
        return Finding(REACTED, SKIP, f"Not checked whether Spot reacted to {instance_id}: the account has no Elastigroup.", "")
    if not entries:
        message = f"Spot's log of {groups} group(s) does not name {instance_id} since {since:%Y-%m-%dT%H:%M:%SZ}."
        return Finding(REACTED, WARN, message, "If the instance belongs to a group, read its Elastilog in the Spot console.")
    when, text = min(entries)
    return Finding(REACTED, PASS, f"Spot reacted to {instance_id} at {when}{after(when, since)}: {text[:200]}")
