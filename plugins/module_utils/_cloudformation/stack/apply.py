# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.plan import plan
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.read import read
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.steps import (
    AUTHORIZE,
    CONTINUE_ROLLBACK,
    NOTHING_TRIED,
    StackPlan,
    attempt,
    unchanged,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_no_change
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, Retries, pauses, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import CurrentStack
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

SERVICES = ("cloudformation", "events", "secretsmanager")
# After an authorisation, an API destination follows its connection in one or two seconds (tests/contract/records/destinations.yml).
_DESTINATION_LAG = 15
_DESTINATION_TYPE = "AWS::Events::ApiDestination"


def deploy(
    stack: Stack,
    region: Region,
    *,
    check_mode: bool,
    timeout: float,
    gate: t.Callable[[Plan], None] = lambda plan: None,
) -> Outcome:
    """Bring a stack in one region to the desired state: read, plan, make one call, wait for it, and repeat, until nothing is left to do.

    This is not `reconcile`, as there are several steps: the next call depends on CloudFormation's result of the previous one.

    :param timeout: seconds to wait for AWS; 0 waits for nothing
    :param gate: gets the plan before anything is done, or predicted, and raises if it must not be
    :raises RegionError: it cannot be done. botocore's errors pass through.
    """
    return _Deployment(stack.prepared(region) if stack.present else stack, region, Deadline(timeout)).run(check_mode, gate)


class _Deployment:
    def __init__(self, stack: Stack, region: Region, deadline: Deadline) -> None:
        self._stack = stack
        self._region = region
        self._deadline = deadline
        self._attempts = NOTHING_TRIED
        self._current: CurrentStack | None = None

    def run(self, check_mode: bool, gate: t.Callable[[Plan], None]) -> Outcome:
        self._read_settled()
        told = step = self._plan()
        gate(told)
        if check_mode:
            return Outcome(told, told.document)
        retries = Retries(self._deadline)
        while step.calls:
            try:
                self._make(step)
            except Exception as error:
                if is_no_change(error):
                    step = self._after_no_change(step, error)
                    # The result reports the calls that were made before.
                    told = told if self._attempts.made else step
                else:
                    retries.pause(error)
                    self._read_settled()
                    step = self._plan()
            else:
                step = self._after(step)
        if AUTHORIZE in self._attempts.made and self._deadline.seconds:
            self._wait_for_destinations()
        return Outcome(told, self._current.document if self._current else None)

    def _wait_for_destinations(self) -> None:
        """Wait until the API destinations have followed the connection. One that does not, or cannot be read, fails nothing."""
        resources = (self._current.document if self._current else {}).get("resources", {}).values()
        names = [item["physical_id"] for item in resources if item["type"] == _DESTINATION_TYPE and item["physical_id"]]
        events = self._region.clients["events"]
        try:
            poll(
                lambda: [events.describe_api_destination(Name=name)["ApiDestinationState"] for name in names],
                lambda states: "INACTIVE" not in states,
                Deadline(min(_DESTINATION_LAG, self._deadline.seconds)),
            )
        except Exception:
            return

    def _read_settled(self) -> None:
        self._current = poll(lambda: read(self._stack, self._region), _settled, self._deadline)

    def _plan(self) -> StackPlan:
        return plan(self._stack, self._region, self._current, self._attempts)

    def _make(self, step: StackPlan) -> None:
        (call,) = step.calls
        getattr(self._region.clients[call.service or "cloudformation"], call.operation)(**call.arguments)
        self._attempts = dataclasses.replace(self._attempts, made=self._attempts.made | {attempt(call)})

    def _after_no_change(self, step: StackPlan, error: Exception) -> StackPlan:
        """Plan again without an update.

        :param error: raised where nothing else than the update can help
        """
        self._attempts = dataclasses.replace(self._attempts, nothing_to_update=True)
        following = self._plan()
        if following.calls == step.calls:
            raise error
        return following

    def _after(self, step: StackPlan) -> StackPlan:
        """Read until the changes are visible, and plan the rest.

        :raises RegionError: AWS needs longer than the deadline, or the step failed.
        """
        between = pauses()
        while True:
            self._read_settled()
            if not self._deadline.seconds and not step.continues:
                return unchanged(self._current)
            if not _settled(self._current):
                raise RegionError("Timeout", self._still_changing())
            failure = failure_after(self._stack, step, self._current)
            if failure:
                raise RegionError("Broken", failure)
            following = self._plan()
            if not following.calls or (step.continues and attempt(following.calls[0]) not in self._attempts.made):
                return following
            if not self._deadline.sleep(next(between)):
                raise RegionError("NotShown", f"AWS took {step.calls[0].operation}, but its result is not visible yet; run again later")

    def _still_changing(self) -> str:
        if not self._deadline.seconds:
            return "AWS is changing the stack, and more changes have to follow: wait for it, or run again later"
        return f"AWS was still changing the stack after {self._deadline.seconds:g} seconds; run again later"


def _settled(current: CurrentStack | None) -> bool:
    return current is None or current.settled


def failure_after(stack: Stack, step: StackPlan, current: CurrentStack | None) -> str | None:
    """Return why a step failed, None if it did not.

    :param current: the stack, settled after the step
    """
    if current is None:
        return None
    (call,) = step.calls
    if current.is_stuck:
        return f"{current.why()}. Repair the resource that stops the rollback, or skip it with ContinueUpdateRollback's ResourcesToSkip."
    if current.is_half_deleted and step.continues and current.foreign_targets and not stack.present:
        return None  # that of others stays, and the rest is deleted next
    if current.is_failed and call.operation not in (AUTHORIZE, CONTINUE_ROLLBACK):
        return current.why()
    if current.connection and (call.operation == AUTHORIZE or not step.continues):
        return stack.connection(current.connection.document["name"]).broken(current.connection)
    return None
