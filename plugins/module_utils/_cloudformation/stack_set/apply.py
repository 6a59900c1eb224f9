# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import CREATE_SET, DELETE_SET, UPDATE_SET
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.operations import Operations
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.plan import Attempts, plan
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Reader
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.results import stack_set_result, unfinished
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, error_code, failure_of, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, pauses
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import Operation
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.plan import StackSetPlan
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Reading
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# How often a conflict, or a change that is not visible yet, is planned again.
_MOST_PLANS = 5
# Operations that AWS may hold at the same time, where it queues them.
_MOST_AT_ONCE = 50

_IN_PROGRESS = "OperationInProgressException"
# A conflict, or an earlier attempt whose response was lost.
_CONFLICTS = (
    "CreatedButModifiedException",
    "NameAlreadyExistsException",
    "StackInstanceNotFoundException",
    "StackSetNotEmptyException",
    "StackSetNotFoundException",
    "StaleRequestException",
)


class _StepOver(Exception):
    """The time of this step is over; there is more to do."""


class StackSetRun:
    """Bring a stack set and its instances to the desired state: read, plan, begin the operations that come first, wait for them, and
    repeat, until nothing is left that was not tried.

    This is not `_reconcile`, as the calls are about many accounts and regions, AWS goes on with them for minutes or hours, and what
    they did not achieve is a matter of each instance. It keeps its rules: plans are pure, check mode ends before the first call that
    changes anything, every wait has an end, and every result was read from AWS.
    """

    def __init__(
        self,
        desired: StackSet,
        clients: t.Mapping[str, t.Any],
        *,
        check_mode: bool,
        timeout: float,
        step: float = 0,
        before: t.Iterable[Document] = (),
    ) -> None:
        """
        :param clients: of CloudFormation and Organizations, by service
        :param timeout: seconds to wait for AWS; 0 waits for nothing
        :param step: seconds after which to return with what is done so far; 0 to go on to the end
        :param before: the operations that the steps before have begun
        """
        self._desired = desired
        self._check_mode = check_mode
        self._timeout = timeout
        self._reader = Reader(desired, clients)
        self._operations = Operations(desired, clients, before)
        self._deadline = Deadline(timeout)
        self._step = Deadline(step) if step else None
        self._plans = 0
        self._pauses = pauses()
        self._first: StackSetPlan | None = None

    def run(self) -> Document:
        """Do it.

        :returns: the result of the module. `msg` only if something failed.
        """
        try:
            reading, made = self._bring()
        except ArgumentError as error:
            result = stack_set_result(self._desired, self._operations, self._first, failure=failure_of(error))
            return {**result, "msg": str(error)}
        except _StepOver:
            return unfinished(self._desired, self._operations, self._first)
        except Exception as error:  # of any kind: the result reports the operations so far
            return stack_set_result(self._desired, self._operations, self._first, failure=failure_of(error))
        return stack_set_result(self._desired, self._operations, self._first, reading=reading, plan=made, check_mode=self._check_mode)

    def _bring(self) -> tuple[Reading, StackSetPlan]:
        while True:
            self._wait_for_ours()
            reading = self._read_settled()
            made = plan(self._desired, reading, Attempts.of(self._operations.entries))
            self._first = self._first or made
            if self._check_mode:
                return reading, made
            if not made.operations:
                if not self._may_show_later(made):
                    return reading, made
                self._pause()
                continue
            if not self._timeout:
                self._begin_without_waiting(reading, made)
                return reading, made
            self._begin(reading, made)

    def _may_show_later(self, made: StackSetPlan) -> bool:
        """Return whether the changes may be visible later (eventual consistency)."""
        unexplained = [pair for pair in made.left if not self._operations.failure(pair)]
        if not (unexplained or made.set_left) or not self._timeout or self._plans >= _MOST_PLANS:
            return False
        self._plans += 1
        return not self._deadline.expired

    def _wait_for_ours(self) -> None:
        while self._operations.look():
            if not self._timeout:
                return
            self._pause()

    def _read_settled(self) -> Reading:
        """Read as soon as no operation is in progress: during one, the states of instances mean nothing."""
        while True:
            reading = self._reader.read()
            if not reading.running or self._check_mode:
                return reading
            if not self._timeout:
                if self._queues(reading):
                    return reading
                running = reading.running[0]
                raise RegionError(
                    "OperationInProgress",
                    f"AWS is still working at the operation {running.operation_id} ({running.action}). Run again later.",
                )
            self._operations.waits_for(reading.running)
            self._pause()

    def _queues(self, reading: Reading) -> bool:
        """Return whether AWS takes an operation while another one is in progress."""
        if reading.current is None:
            return self._desired.managed_execution
        return bool(reading.current.found.get("ManagedExecution", {}).get("Active"))

    def _begin(self, reading: Reading, made: StackSetPlan) -> None:
        """Begin the operations that come first, as many at once as AWS takes."""
        at_once = _MOST_AT_ONCE if self._queues(reading) else 1
        for operation in made.stage:
            while len(self._operations.in_progress) >= at_once:
                self._pause()
                self._operations.look()
            if not self._call(operation):
                return

    def _begin_without_waiting(self, reading: Reading, made: StackSetPlan) -> None:
        for number, operation in enumerate(made.operations):
            # A stack set goes when its instances are gone, which takes time.
            held = operation.action == DELETE_SET and reading.instances
            if held or (self._operations.in_progress and not self._queues(reading)) or not self._call(operation):
                self._operations.not_begun = len(made.operations) - number
                return

    def _call(self, operation: Operation) -> bool:
        """Begin an operation.

        :returns: whether the next one may be begun; else a new plan is needed
        """
        try:
            self._operations.begin(operation)
        except Exception as error:
            if is_code(error, _IN_PROGRESS):
                self._pause()  # the deadline is the limit
                return False
            if is_code(error, *_CONFLICTS) and self._plans < _MOST_PLANS:
                self._plans += 1
                self._pause()
                return False
            failure = failure_of(error)
            of_set = operation.action in (CREATE_SET, UPDATE_SET, DELETE_SET)
            if of_set or failure.denied or failure.unreachable or not error_code(error):
                raise
            # The refusal is about some accounts; the other operations do not depend on them.
            self._operations.refused(operation, failure)
        self._pauses = pauses()
        return True

    def _pause(self) -> None:
        """Wait a while.

        :raises RegionError: the time is over.
        :raises _StepOver: the time of this step is over.
        """
        # Many operations are read less often, as each read is a call.
        pause = max(next(self._pauses), len(self._operations.in_progress) / 10)
        if self._step and self._step.remaining < pause <= self._deadline.remaining:
            self._operations.count()
            raise _StepOver
        if not self._deadline.sleep(pause):
            raise RegionError("Timeout", self._operations.timeout_message)
