# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to a stack set in the background: its operations, one after the other, with so many accounts at once."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from .. import organizations
from ..moto_app import LOCK
from ..policy import allows
from ..settings import Settings
from . import services
from .errors import Abandoned, Refusal
from .services import Surroundings
from .stack import Stack, now
from .stack_set import CURRENT, INOPERABLE, OUTDATED, Instance, Result, SetOperation, StackSet
from .stacks import NO_UPDATES, Stacks

_BROKEN = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
_POLL_SECONDS = 0.01


class _Failed(Exception):
    """An operation failed in one account and region, for this reason."""


class Deployment:
    """Carries out the operations of stack sets.

    Args:
        stacks: returns the stacks of an account in a region.
    """

    def __init__(self, around: Surroundings, stacks: Callable[[str, str], Stacks]) -> None:
        self._around, self._stacks = around, stacks

    def start(self, stack_set: StackSet, operation: SetOperation) -> None:
        """Begin with an operation, or leave it QUEUED as long as another is under way. Hold the lock."""
        if operation not in stack_set.operations:
            stack_set.operations.append(operation)
        if any(other.status in ("RUNNING", "STOPPING") for other in stack_set.operations):
            return
        operation.status = "RUNNING"
        for instance in operation.prepare():
            operation.results.append(Result(instance.account, instance.region, instance.unit))
            if operation.action != "DELETE":
                stack_set.instances.setdefault((instance.account, instance.region), instance)
        for instance in self._instances(stack_set, operation):
            instance.detailed, instance.reason, instance.last_operation = "PENDING", None, operation.id
            _override(instance, operation)
        services.in_background(lambda: self._run(stack_set, operation))

    def _instances(self, stack_set: StackSet, operation: SetOperation) -> list[Instance]:
        return [stack_set.instances[result.account, result.region] for result in operation.results]

    def _why_cancelled(self, operation: SetOperation) -> str:
        stopped = operation.status == "STOPPING"
        return self._around.settings.stack_set_stopped_text if stopped else "Cancelled since failure tolerance has exceeded"

    @property
    def settings(self) -> Settings:
        """What a test can set."""
        return self._around.settings

    # In the background

    def _run(self, stack_set: StackSet, operation: SetOperation) -> None:
        try:
            self._sleep(self._around.settings.stack_set_seconds)
            tolerated = self._in_all_regions(stack_set, operation)
            with LOCK:
                for result in operation.results:
                    if result.status == "PENDING":
                        self._end(stack_set, operation, result, "CANCELLED", self._why_cancelled(operation))
                operation.status = "STOPPED" if operation.status == "STOPPING" else "SUCCEEDED" if tolerated else "FAILED"
                operation.ended = now()
                queued = [other for other in stack_set.operations if other.status == "QUEUED"]
                if queued and self._around.alive():
                    self.start(stack_set, queued[0])
        except Abandoned:
            pass
        except Exception:  # nobody else would report it
            traceback.print_exc()

    def _in_all_regions(self, stack_set: StackSet, operation: SetOperation) -> bool:
        """Work through the regions; False if more accounts of one failed than is tolerated."""
        preferences = operation.preferences
        regions = list(dict.fromkeys(result.region for result in operation.results))
        ordered = [region for region in preferences.get("RegionOrder", []) if region in regions]
        ordered += [region for region in regions if region not in ordered]

        def work(region: str) -> bool:
            return self._in_region(stack_set, operation, [result for result in operation.results if result.region == region])

        if preferences.get("RegionConcurrencyType") == "PARALLEL" and ordered:
            return all(_at_once(len(ordered), work, ordered))
        return all(work(region) for region in ordered)  # stops at the first where too much failed

    def _in_region(self, stack_set: StackSet, operation: SetOperation, results: list[Result]) -> bool:
        tolerance = _count(operation.preferences, "FailureTolerance", len(results), 0)
        concurrent = max(1, _count(operation.preferences, "MaxConcurrent", len(results), 1))
        if operation.preferences.get("ConcurrencyMode") != "SOFT_FAILURE_TOLERANCE":
            concurrent = min(concurrent, tolerance + 1)

        def failed() -> int:
            return sum(result.status == "FAILED" for result in results)

        def work(result: Result) -> None:
            with LOCK:
                if operation.status != "RUNNING" or failed() > tolerance:
                    return
                result.status = "RUNNING"
                stack_set.instances[result.account, result.region].detailed = "RUNNING"
            self._in_account(stack_set, operation, result)

        _at_once(concurrent, work, results)
        return failed() <= tolerance

    def _in_account(self, stack_set: StackSet, operation: SetOperation, result: Result) -> None:
        instance = stack_set.instances[result.account, result.region]
        act = self._delete if operation.action == "DELETE" else self._converge
        try:
            if stack_set.is_service_managed:
                with LOCK:
                    suspended = organizations.is_suspended(stack_set.account, result.account)
                if suspended:
                    with LOCK:
                        self._end(stack_set, operation, result, "SUCCEEDED", "The account is suspended.")
                        instance.status, instance.detailed = OUTDATED, "SKIPPED_SUSPENDED_ACCOUNT"
                    return
            else:
                _require_roles(stack_set, result.account)
            act(stack_set, operation, instance)
        except _Failed as failure:
            with LOCK:
                self._end(stack_set, operation, result, "FAILED", str(failure))
        else:
            with LOCK:
                self._end(stack_set, operation, result, "SUCCEEDED", None)

    def _end(self, stack_set: StackSet, operation: SetOperation, result: Result, status: str, reason: str | None) -> None:
        """Note what became of an operation in one account and region."""
        result.status, result.reason = status, reason
        instance = stack_set.instances[result.account, result.region]
        instance.detailed, instance.reason = status, reason
        if operation.action == "DELETE":
            if status == "SUCCEEDED":
                del stack_set.instances[result.account, result.region]
            elif status == "FAILED":
                instance.status = instance.detailed = INOPERABLE
        else:
            instance.status = CURRENT if status == "SUCCEEDED" else OUTDATED

    def _converge(self, stack_set: StackSet, operation: SetOperation, instance: Instance) -> None:
        """Bring the stack of an instance to what the stack set wants; one that is beyond repair is made anew."""
        stacks = self._stacks(instance.account, instance.region)
        stack = self._stack_of(stacks, instance)
        if stack is not None and stack.status in _BROKEN:
            with LOCK:
                stacks.delete(stack, {}, None)
            self._settle(stack, "DELETE_COMPLETE")
            stack = None
        try:
            with LOCK:
                version = stack_set.version_for(instance)
                if stack is None:
                    name = f"StackSet-{stack_set.name}-{uuid4()}"
                    stack = stacks.create(name, version, stack_set.options, "ROLLBACK", None)
                    instance.stack_id = stack.id
                else:
                    stacks.update(stack, version, stack_set.options, None)
        except Refusal as refusal:
            if refusal.message == NO_UPDATES:
                return
            raise _Failed(refusal.message) from None
        self._settle(stack, "CREATE_COMPLETE", "UPDATE_COMPLETE")

    def _delete(self, stack_set: StackSet, operation: SetOperation, instance: Instance) -> None:
        stacks = self._stacks(instance.account, instance.region)
        stack = self._stack_of(stacks, instance)
        if stack is None or operation.request.get("RetainStacks"):
            return
        try:
            with LOCK:
                stacks.delete(stack, {}, None)
        except Refusal as refusal:
            raise _Failed(refusal.message) from None
        self._settle(stack, "DELETE_COMPLETE")

    def _stack_of(self, stacks: Stacks, instance: Instance) -> Stack | None:
        """Return the stack of an instance once it is at rest, None if there is none (any more)."""
        stack = stacks.find(instance.stack_id) if instance.stack_id else None
        if stack is None:
            return None
        self._rest(stack)
        return None if stack.status == "DELETE_COMPLETE" else stack

    def _settle(self, stack: Stack, *wanted: str) -> None:
        """Wait until a stack is at rest; _Failed, with the resource that failed first, if it came into another state than wanted."""
        self._rest(stack)
        if stack.status not in wanted:
            raise _Failed(_reason(stack))

    def _rest(self, stack: Stack) -> None:
        while stack.status.endswith("_IN_PROGRESS"):
            self._sleep(_POLL_SECONDS)

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        if not self._around.alive():
            raise Abandoned


def _at_once(workers: int, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Return what `work` returns for each item, in no order; so many at a time.

    In threads that do not keep the process from ending, as those of concurrent.futures would. Raises what one of them raised.
    """
    waiting, results, errors = deque(items), [], []

    def run() -> None:
        try:
            for item in _taken(waiting):
                results.append(work(item))
        except Exception as error:
            waiting.clear()
            errors.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def _taken(waiting: deque[Any]) -> Iterator[Any]:
    while True:
        try:
            item = waiting.popleft()
        except IndexError:
            return
        yield item


def _override(instance: Instance, operation: SetOperation) -> None:
    """Give an instance the parameters of its own that an operation says; None stands for the one that it has."""
    if operation.overrides is None:
        return
    kept = {key: instance.overrides[key] for key, value in operation.overrides.items() if value is None and key in instance.overrides}
    instance.overrides = kept | {key: value for key, value in operation.overrides.items() if value is not None}


def _count(preferences: dict[str, int], name: str, accounts: int, default: int) -> int:
    """Return a number of accounts that is given as such, or in per cent of all, rounded down."""
    if f"{name}Percentage" in preferences:
        return accounts * preferences[f"{name}Percentage"] // 100
    return preferences.get(f"{name}Count", default)


def _reason(stack: Stack) -> str:
    """Return what failed first in the last operation on a stack."""
    for event in reversed(stack.events[: _last_start(stack) + 1]):
        if event["ResourceStatus"].endswith("_FAILED"):
            return (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return f"Stack {stack.id} is in {stack.status} state: {stack.reason}"


def _last_start(stack: Stack) -> int:
    """Return the position of the event that the last operation began with."""
    starts = (index for index, event in enumerate(stack.events) if event["ResourceStatusReason"] == "User Initiated")
    return next(starts, len(stack.events))


def _require_roles(stack_set: StackSet, account: str) -> None:
    """Raise _Failed if CloudFormation cannot assume its way into an account."""
    administration = str(stack_set.administration_role_arn).rpartition("/")[2]
    execution = str(stack_set.execution_role)
    with LOCK:
        if not _trusts(stack_set.account, administration, ["cloudformation.amazonaws.com"]):
            raise _Failed(
                f"Account {stack_set.account} should have '{administration}' role with trust relationship to CloudFormation service."
            )
        root = f"arn:aws:iam::{stack_set.account}:root"
        if not _trusts(account, execution, [root, stack_set.account, str(stack_set.administration_role_arn)]):
            raise _Failed(f"Account {account} should have '{execution}' role with trust relationship to Role '{administration}'.")


def _trusts(account: str, role: str, principals: list[str]) -> bool:
    try:
        trust = iam_backends[account]["aws"].get_role(role).assume_role_policy_document
    except NotFoundException:
        return False
    return any(allows([trust], "sts:AssumeRole", service=principal) for principal in principals)
