# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import CLOUDFORMATION
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import IN_PROGRESS, operation_id
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import Operation
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Pair, RunningOperation
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# CloudFormation API reference, StackSetOperationResultSummary.
_NOT_DONE = ("FAILED", "CANCELLED")
_DONE = "SUCCEEDED"
# Ours: AWS did not begin it; it is not begun in check mode.
REFUSED, PLANNED = "REFUSED", "PLANNED"


class Operations:
    """The operations of a run: begins them, follows them, and keeps the failed instances.

    :ivar entries: as they are returned, and handed on from step to step
    :ivar not_begun: how many had to be left for another run
    """

    def __init__(self, desired: StackSet, clients: t.Mapping[str, t.Any], before: t.Iterable[Document]) -> None:
        self.entries: list[Document] = [dict(entry) for entry in before]
        self.not_begun = 0
        self._desired = desired
        self._clients = clients
        self._foreign: tuple[RunningOperation, ...] = ()

    @property
    def in_progress(self) -> list[Document]:
        """Return the operations that have not ended."""
        return [entry for entry in self.entries if entry["status"] in IN_PROGRESS]

    @property
    def foreign(self) -> tuple[RunningOperation, ...]:
        """Return the operations of others that are waited for."""
        return self._foreign

    def begin(self, operation: Operation) -> None:
        """Make the call. botocore's errors pass through."""
        arguments = dict(operation.arguments)
        entry: Document = {**operation.document, "status": _DONE, "failures": []}
        if operation.takes_time:
            arguments["OperationId"] = operation_id(operation.overrides)
            entry.update({"id": arguments["OperationId"], "status": "RUNNING"})
        try:
            getattr(self._client, operation.action)(**arguments)
        except Exception as error:
            # The first response was lost, and botocore repeated the call.
            if not is_code(error, "OperationIdAlreadyExistsException"):
                raise
        self._foreign = ()
        self.entries.append(entry)

    def refused(self, operation: Operation, failure: Failure) -> None:
        """Record an operation that AWS did not begin."""
        failures = [
            {"account": account, "region": region, "status": failure.code, "reason": failure.message}
            for account in operation.accounts
            for region in operation.regions
        ]
        self.entries.append({**operation.document, "status": REFUSED, "failures": failures})

    def look(self) -> bool:
        """Read the operations that have not ended.

        :returns: whether there are any left
        """
        for entry in self.in_progress:
            found = self._client.describe_stack_set_operation(**self._which(entry))["StackSetOperation"]
            entry["status"] = found["Status"]
            if found.get("StatusReason"):
                entry["status_reason"] = " ".join(found["StatusReason"].split())
            if entry["status"] not in IN_PROGRESS:
                entry.pop("done", None)
                all_well = entry["status"] == _DONE and found.get("StatusDetails", {}).get("FailedStackInstancesCount") == 0
                entry["failures"] = [] if all_well else self._failures(entry)
        return bool(self.in_progress)

    def waits_for(self, running: tuple[RunningOperation, ...]) -> None:
        """Record that operations of others have to end first."""
        self._foreign = running

    def count(self) -> None:
        """Count the finished instances of the operations that have not ended."""
        for entry in self.in_progress:
            results = list(self._results(entry))
            entry["done"] = sum(result["Status"] == _DONE for result in results)
            entry["failures"] = [_failure(result) for result in results if result["Status"] in _NOT_DONE]

    def failure(self, pair: Pair) -> Document | None:
        """Return why the last operation on an instance failed, None if it did not."""
        for entry in reversed(self.entries):
            for failure in entry["failures"]:
                if (failure["account"], failure["region"]) == pair:
                    return t.cast("Document", failure)
        return None

    @property
    def timeout_message(self) -> str:
        """Return the error message for a time that is over."""
        if self._foreign:
            running = self._foreign[0]
            return f"AWS worked at another caller's operation until wait_timeout ended, {running.operation_id} ({running.action})"
        number = len(self.in_progress)
        if number:
            return f"{number} operation(s) had not ended when wait_timeout ended. They continue in AWS; run again to read their results"
        return "wait_timeout ended before everything was done; run again to continue"

    @property
    def _client(self) -> t.Any:
        return self._clients[CLOUDFORMATION]

    def _which(self, entry: t.Mapping[str, t.Any]) -> dict[str, str]:
        return {"StackSetName": self._desired.name, "OperationId": entry["id"], **self._desired.call_as}

    def _failures(self, entry: Document) -> list[Document]:
        found = (result for status in _NOT_DONE for result in self._results(entry, status))
        unique = {(result["Account"], result["Region"]): _failure(result) for result in found if result["Status"] in _NOT_DONE}
        return [unique[pair] for pair in sorted(unique)]

    def _results(self, entry: Document, status: str = "") -> t.Iterator[t.Any]:
        filters = {"Filters": [{"Name": "OPERATION_RESULT_STATUS", "Values": status}]} if status else {}
        return items(self._client, "list_stack_set_operation_results", "Summaries", **self._which(entry), **filters, MaxResults=100)


def _failure(result: t.Mapping[str, t.Any]) -> Document:
    gate = result.get("AccountGateResult", {})
    reasons = [result.get("StatusReason"), gate.get("StatusReason") if gate.get("Status") == "FAILED" else None]
    reason = " ".join(" ".join(reason for reason in reasons if reason).split())
    return {"account": result["Account"], "region": result["Region"], "status": result["Status"], "reason": reason}
