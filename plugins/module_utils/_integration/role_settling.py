# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import email.utils
import threading
import time
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan

# Changes after which EventBridge may be unable to assume or use a role for a while.
_SPREADS = ("create_role", "update_assume_role_policy", "put_role_policy")


class RoleSettling:
    """The time in which EventBridge may not be able to assume a new execution role; one for all regions.

    A notice that EventBridge cannot deliver for want of the role is not tried again (tests/contract/records/delivery.yml,
    delivery-role-missing-dead-letter). A rule that is made after this time loses none: until then Spot polls.
    """

    def __init__(self, seconds: float, regions: Regions, role_name: str) -> None:
        """
        :param seconds: the time since the role was made
        """
        self._seconds = seconds
        self._regions = regions
        self._name = role_name
        self._lock = threading.Lock()
        self._end: Deadline | None = None

    def arn(self) -> str | None:
        """Return the ARN that the role has, or will have; None if it is another one's to know."""
        return None

    def admits(self, possible: bool) -> bool:
        """Note whether a region can take the integration, and return whether anything may be written in it."""
        return True

    def begin(self, plan: Plan) -> None:
        """Start the time: a plan for the role has just been carried out."""
        if any(call.operation in _SPREADS for call in plan.calls):
            self._end = Deadline(self._seconds)

    def wait(self) -> None:
        """Wait until the time is over. A role that was made before this run, as by a run that was killed, is waited for as well."""
        with self._lock:
            if self._end is None:
                self._end = Deadline(self._remaining())
        time.sleep(self._end.remaining)

    def _remaining(self) -> float:
        if not self._seconds:
            return 0.0
        try:
            response = self._regions.home((ExecutionRole.service,)).clients["iam"].get_role(RoleName=self._name)
        except Exception:  # a role that cannot be read may be of any age; it was made elsewhere
            return 0.0
        # Both times have whole seconds.
        age = (_time_of(response) - response["Role"]["CreateDate"]).total_seconds() - 1.0
        return min(max(self._seconds - age, 0.0), self._seconds)


def _time_of(response: t.Mapping[str, t.Any]) -> datetime.datetime:
    """Return the time of a response by AWS's clock, as the role's time of creation is by that clock, too."""
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    return email.utils.parsedate_to_datetime(date) if date else datetime.datetime.now(datetime.timezone.utc)
