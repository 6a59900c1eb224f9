# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import threading
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, UNSURE, allows, managed_policy
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions, settle
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import new_destination_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ACTION
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, RegionError, failure_of, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import begin
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_settling import RoleSettling

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole


class SharedRole(RoleSettling):
    """The execution role that all regions share, made at the same time as their resources. Only a rule needs it.

    Nothing is written, the role included, before it is known what has to be done to the role; and if the role has to be changed, before
    one region can take the integration.
    """

    def __init__(self, seconds: float, regions: Regions, role: ExecutionRole, *, check_mode: bool, timeout: float) -> None:
        """
        :param seconds: the time since the role was made in which EventBridge may be unable to assume it
        :param timeout: seconds to wait for IAM
        """
        super().__init__(seconds, regions, role.name)
        self._role, self._check_mode, self._timeout = role, check_mode, timeout
        self._undecided, self._deciding = len(set(regions.names)), threading.Lock()
        self._planned: concurrent.futures.Future[Outcome | Failure] = concurrent.futures.Future()
        self._begins: concurrent.futures.Future[bool] = concurrent.futures.Future()
        self._made: concurrent.futures.Future[Outcome | Failure | None] = concurrent.futures.Future()

    @contextlib.contextmanager
    def made_meanwhile(self) -> t.Iterator[None]:
        """Make the role while the regions are worked on; at the end, it is made or cannot be."""
        begin(self._make)
        try:
            yield
            self._made.result()
        finally:
            self._decide(False)

    @property
    def refusal(self) -> Failure | None:
        """Return why nothing is done anywhere; None if the role can be as desired."""
        planned = self._planned.result()
        return planned if isinstance(planned, Failure) else None

    @property
    def outcome(self) -> Outcome | Failure | None:
        """Return the result; None if no region can take the integration, so that nothing was done to the role."""
        return self._made.result()

    def arn(self) -> str | None:
        """See `RoleSettling`. Waits until the role is read."""
        planned = self._planned.result()
        if isinstance(planned, Failure):
            raise RegionError(planned.code, planned.message)
        return (planned.document or {}).get("arn")

    def admits(self, possible: bool) -> bool:
        """See `RoleSettling`. If a region cannot take the integration, wait for one that can."""
        with self._deciding:
            self._undecided -= 1
            last = not self._undecided
        if possible or last:
            self._decide(possible)
        return possible or self._begins.result()

    def wait(self) -> None:
        """See `RoleSettling`. Waits until the role is made.

        :raises RegionError: it could not be made.
        """
        made = self._made.result()
        if isinstance(made, Failure):
            raise RegionError("RoleNotMade", f"the execution role {self._role.name} could not be made: {made.code}: {made.message}")
        super().wait()

    def _decide(self, begins: bool) -> None:
        with self._deciding:
            if not self._begins.done():
                self._begins.set_result(begins)

    def _make(self) -> None:
        look = functools.cache(lambda: self._role.look(self._regions.home((self._role.service,))))
        planned = self._plan(look)
        if isinstance(planned, Failure) or not planned.plan.calls:
            self._decide(isinstance(planned, Outcome))
        self._planned.set_result(planned)
        if isinstance(planned, Failure) or not planned.plan.calls:
            self._made.set_result(planned)
        elif not self._begins.result():
            self._made.set_result(None)
        elif self._check_mode:
            self._made.set_result(planned)
        else:
            made = settle(self._role, self._regions, check_mode=False, timeout=self._timeout, look=look)
            if isinstance(made, Outcome):
                self.begin(made.plan)
            self._made.set_result(made)

    def _plan(self, look: t.Callable[[], t.Any]) -> Outcome | Failure:
        try:
            planned = settle(self._role, self._regions, check_mode=True, timeout=self._timeout, look=look)
            return within_boundary(self._role, planned, self._regions) if isinstance(planned, Outcome) else planned
        except Exception as error:  # of any kind: the regions wait for it
            return failure_of(error)


def within_boundary(role: ExecutionRole, outcome: Outcome, regions: Regions) -> Outcome | Failure:
    """Return the outcome of the execution role, or why its permissions boundary keeps it from sending. GetPolicy, GetPolicyVersion.

    :param outcome: the action on the role, and the role after it
    """
    arn = (outcome.document or {}).get("permissions_boundary")
    if not arn:
        return outcome
    home = regions.home((role.service,))
    try:
        policy = managed_policy(home.clients["iam"], arn)
    except Exception as error:
        if is_code(error, "NoSuchEntity"):
            return outcome  # AWS refuses it
        failure = failure_of(error)
        return _noted(outcome, f"unknown whether the permissions boundary {arn} allows {ACTION}: {failure.code}: {failure.message}")
    name, account = role.api_destination, role.aws_account
    resources = [new_destination_arn(home.partition, region, account, name) for region in regions.names]
    decisions = {region: allows(policy, action=ACTION, resource=resource, context={}) for region, resource in zip(regions.names, resources)}
    refused = [region for region, decision in decisions.items() if decision == NO]
    if refused:
        return Failure(
            "PermissionsBoundary",
            f"the permissions boundary {arn} does not let the execution role {role.name} send to the API destination {name} in "
            f"{', '.join(refused)}, so nothing would be delivered; nothing was changed. Allow {ACTION} in it, or set another boundary.",
        )
    if UNSURE in decisions.values():
        return _noted(outcome, f"unknown whether the permissions boundary {arn} allows {ACTION}: only AWS can evaluate it")
    return outcome


def _noted(outcome: Outcome, note: str) -> Outcome:
    notes = [text for text in (outcome.plan.note, note) if text]
    return dataclasses.replace(outcome, plan=dataclasses.replace(outcome.plan, note="; ".join(notes)))
