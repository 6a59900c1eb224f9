# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to a stack in the background: it is created, updated, rolled back, deleted.

Resources are made one after the other, where AWS makes those at once that do not need each other.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, NoReturn

from . import services
from .errors import Abandoned, Failure, NotFound, Refusal
from .resource_types import TYPES
from .services import Services
from .stack import Resource, Stack, Version, now

EVENTUAL = "Eventual consistency check initiated"
CONFIGURED = "CONFIGURATION_COMPLETE"
ROLLBACK_SECONDS = 141  # recorded: from ROLLBACK_IN_PROGRESS to the first deletion
_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class _Stopped(Exception):
    """An operation goes no further: `reason` is what the stack says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Operation:
    """An operation on a stack. Its methods return at once; the stack is in progress by then."""

    def __init__(self, stack: Stack, services: Services) -> None:
        self._stack, self._services = stack, services
        self._cancelled = False

    def create(self, on_failure: str, reason: str = "User Initiated") -> None:
        """Make a new stack's resources.

        Args:
            on_failure: DO_NOTHING, ROLLBACK or DELETE.
        """
        self._begin("CREATE_IN_PROGRESS", reason, lambda: self._create(on_failure), "CREATE_STACK")

    def update(self, version: Version, disable_rollback: bool = False) -> None:
        """Bring a stack to another version; back to the present one if that fails."""
        before = (self._stack.version, dict(self._stack.resources))
        self._stack.version, self._stack.updated = version, now()
        self._begin("UPDATE_IN_PROGRESS", "User Initiated", lambda: self._update(before, disable_rollback), "UPDATE_STACK")

    def continue_rollback(self, skipped: Collection[str]) -> None:
        """Try again to go back to the version before an update."""
        self._begin("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated", lambda: self._roll_back(skipped), "CONTINUE_ROLLBACK")

    def delete(self, retained: Collection[str] = (), force: bool = False) -> None:
        """Delete a stack and its resources; one that is being created is not created any further.

        Args:
            retained: resources that stay.
            force: also a stack whose resources cannot be deleted.
        """
        self._stack.interrupted.set()
        self._begin("DELETE_IN_PROGRESS", "User Initiated", lambda: self._delete(retained, force), "DELETE_STACK")

    # In the background

    def _begin(self, status: str, reason: str, action: Callable[[], None], kind: str) -> None:
        stack = self._stack
        stack.begin(kind)
        stack.set_status(status, reason)

        def run() -> None:
            with stack.busy:
                if stack.status != status:
                    return  # it is being deleted since
                stack.interrupted.clear()
                try:
                    self._services.sleep(self._services.settings.stack_seconds)
                    action()
                except Abandoned:
                    pass
                except Exception:  # nobody else would report it
                    traceback.print_exc()

        services.in_background(run)

    def _create(self, on_failure: str) -> None:
        stack = self._stack
        try:
            wanted = self._evaluated(lambda: stack.evaluation(stack.version).wanted())
            for logical_id in wanted:
                self._heed_interruption()
                self._make(self._wanted(logical_id), "CREATE", last=logical_id == wanted[-1])
            stack.outputs = self._evaluated(lambda: stack.evaluation(stack.version).outputs())
            stack.set_status("CREATE_COMPLETE")
        except _Stopped as stopped:
            if self._cancelled:
                return  # whoever deletes it goes on
            if on_failure == "DO_NOTHING":
                stack.set_status("CREATE_FAILED", stopped.reason)
            elif on_failure == "DELETE":
                stack.set_status("DELETE_IN_PROGRESS", f"{stopped.reason}Delete requested by user.")
                self._delete((), force=False)
            else:
                stack.set_status("ROLLBACK_IN_PROGRESS", f"{stopped.reason}Rollback requested by user.")
                self._take(ROLLBACK_SECONDS)
                failed = self._delete_resources()
                stack.set_status("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", _failed_to("delete", failed))

    def _update(self, before: tuple[Version, dict[str, Resource]], disable_rollback: bool) -> None:
        stack = self._stack
        _, resources = before
        try:
            wanted = self._evaluated(lambda: stack.evaluation(stack.version).wanted())
            for logical_id in wanted:
                self._heed_interruption()
                self._converge(resources.get(logical_id), self._wanted(logical_id))
            outputs = self._evaluated(lambda: stack.evaluation(stack.version).outputs())
        except _Stopped as stopped:
            if disable_rollback:
                stack.set_status("UPDATE_FAILED", stopped.reason)
            else:
                stack.rollback_to = before
                stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", stopped.reason)
                self._roll_back(())
            return
        stack.outputs = outputs
        stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        for logical_id, old in reversed(resources.items()):
            if logical_id not in wanted:
                del stack.resources[logical_id]
                self._remove(old, old.policies.get("DeletionPolicy"))
            elif stack.resources[logical_id].physical_id != old.physical_id:
                self._remove(old, old.policies.get("UpdateReplacePolicy"))
        stack.set_status("UPDATE_COMPLETE")

    def _roll_back(self, skipped: Collection[str]) -> None:
        stack = self._stack
        assert stack.rollback_to
        stack.version, resources = stack.rollback_to
        new = [resource for logical_id, resource in stack.resources.items() if logical_id not in resources]
        failed = []
        for logical_id, old in resources.items():
            current = stack.resources[logical_id]
            if current is old and old.status != "UPDATE_FAILED":
                continue
            if logical_id in skipped or current.physical_id != old.physical_id:
                if current.physical_id != old.physical_id:
                    new.append(current)
                stack.resources[logical_id] = old
                stack.set_resource_status(old, "UPDATE_COMPLETE")
                continue
            try:
                self._change(current, old)
            except _Stopped:
                failed.append(logical_id)
        if failed:
            stack.set_status("UPDATE_ROLLBACK_FAILED", _failed_to("update", failed))
            return
        stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for resource in reversed(new):
            if stack.resources.get(resource.logical_id) is resource:
                del stack.resources[resource.logical_id]
            self._remove(resource, None)
        stack.rollback_to = None
        stack.set_status("UPDATE_ROLLBACK_COMPLETE")

    def _delete(self, retained: Collection[str], force: bool) -> None:
        stack = self._stack
        failed = self._delete_resources(retained, force)
        if failed:
            stack.set_status("DELETE_FAILED", _failed_to("delete", failed))
        else:
            stack.deleted = now()
            stack.set_status("DELETE_COMPLETE")

    def _delete_resources(self, retained: Collection[str] = (), force: bool = False) -> list[str]:
        """Delete all resources, each before those that it needs, and return those that could not be."""
        left = {logical_id: resource for logical_id, resource in self._stack.resources.items() if not _is_gone(resource)}
        failed: list[str] = []
        while True:
            needed = {logical_id for resource in left.values() for logical_id in resource.needs}
            ready = [resource for logical_id, resource in left.items() if logical_id not in needed and logical_id not in failed]
            if not ready:
                return failed
            for resource in reversed(ready):
                policy = "Retain" if resource.logical_id in retained else resource.policies.get("DeletionPolicy")
                if self._remove(resource, policy) or force:
                    del left[resource.logical_id]
                else:
                    failed.append(resource.logical_id)

    # One resource

    def _converge(self, current: Resource | None, wanted: Resource) -> None:
        if current is None:
            self._make(wanted, "CREATE")
        elif not current.differs(wanted):
            self._stack.resources[wanted.logical_id] = replace(
                current, needs=wanted.needs, policies=wanted.policies, metadata=wanted.metadata
            )
        elif current.is_replaced_by(wanted):
            self._make(wanted, "UPDATE", current)
        else:
            wanted.physical_id, wanted.attributes = current.physical_id, current.attributes
            self._change(current, wanted)

    def _take(self, seconds: float) -> None:
        """Let the time pass that AWS takes, as far as the setting `stack_time_scale` says."""
        self._services.sleep(seconds * self._services.settings.stack_time_scale)

    def _make(self, resource: Resource, verb: str, replaced: Resource | None = None, last: bool = False) -> None:
        """Make a resource; `last` is whether it is the last of a new stack, so that the stack is configured with it."""
        stack, kind = self._stack, TYPES[resource.type]
        stack.resources[resource.logical_id] = resource
        stack.set_resource_status(resource, f"{verb}_IN_PROGRESS", _REPLACING if replaced else None)

        def started(physical_id: str) -> None:
            resource.physical_id = physical_id
            stack.set_resource_status(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

        try:
            kind.check(resource.logical_id, resource.state.properties)
            given = resource.state.properties.get(kind.name_property or "")
            if replaced and given and given == replaced.state.properties.get(kind.name_property or ""):
                raise Failure(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                    f"Rename {given} and update the stack again."
                )
            name = given or kind.generated_name(stack.name, resource.logical_id)
            resource.attributes = kind.create(self._services, name, resource.state, started)
        except Failure as failure:
            self._fail(resource, verb, failure)
        if verb == "CREATE":
            stack.set_resource_status(resource, "CREATE_IN_PROGRESS", EVENTUAL, CONFIGURED)
        if last:
            stack.set_status("CREATE_IN_PROGRESS", EVENTUAL, CONFIGURED)
        self._take(kind.seconds.create)
        stack.set_resource_status(resource, f"{verb}_COMPLETE")

    def _change(self, current: Resource, wanted: Resource) -> None:
        stack, kind = self._stack, TYPES[wanted.type]
        assert current.physical_id
        stack.resources[wanted.logical_id] = wanted
        stack.set_resource_status(wanted, "UPDATE_IN_PROGRESS")
        try:
            kind.check(wanted.logical_id, wanted.state.properties)
            wanted.attributes = kind.update(self._services, current.physical_id, current.state, wanted.state)
            self._take(kind.seconds.update)
        except Failure as failure:
            self._fail(wanted, "UPDATE", failure)
        stack.set_resource_status(wanted, "UPDATE_COMPLETE")

    def _remove(self, resource: Resource, policy: str | None) -> bool:
        """Delete a resource as a policy says; False if it is still there against its will."""
        stack = self._stack
        if policy in ("Retain", "RetainExceptOnCreate") and not (policy == "RetainExceptOnCreate" and stack.status.startswith("ROLLBACK")):
            stack.set_resource_status(resource, "DELETE_SKIPPED")
            return True
        if resource.physical_id is not None:  # a resource without one was never made
            stack.set_resource_status(resource, "DELETE_IN_PROGRESS")
            try:
                TYPES[resource.type].delete(self._services, resource.physical_id, resource.state.properties)
                self._take(TYPES[resource.type].seconds.delete)
            except NotFound:
                pass
            except Failure as failure:
                stack.set_resource_status(resource, "DELETE_FAILED", str(failure))
                return False
        stack.set_resource_status(resource, "DELETE_COMPLETE")
        return True

    def _fail(self, resource: Resource, verb: str, failure: Exception) -> NoReturn:
        self._stack.set_resource_status(resource, f"{verb}_FAILED", str(failure))
        raise _Stopped(_failed_to(verb.lower(), [resource.logical_id]) or "") from None

    def _wanted(self, logical_id: str) -> Resource:
        return self._evaluated(lambda: self._stack.wanted(self._stack.version, logical_id))

    def _evaluated(self, evaluate: Callable[[], Any]) -> Any:
        try:
            return evaluate()
        except Refusal as refusal:
            raise _Stopped(f"{refusal.message}. ") from None

    def _heed_interruption(self) -> None:
        if self._stack.interrupted.is_set():
            self._cancelled = True
            raise _Stopped("User Initiated")


def _failed_to(verb: str, logical_ids: list[str]) -> str | None:
    return f"The following resource(s) failed to {verb}: [{', '.join(logical_ids)}]. " if logical_ids else None


def _is_gone(resource: Resource) -> bool:
    return resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED")
