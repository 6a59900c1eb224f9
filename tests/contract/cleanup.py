# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes what a run has made, or what an earlier run has left: everything whose name begins with a prefix."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.contract.replay import Target

_STACK_SECONDS = 30.0
_GONE = ("ResourceNotFoundException", "NoSuchEntity", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Cleanup:
    """Removes the resources of a target whose name begins with `prefix`, but for those that begin with `spared`.

    Attributes:
        removed: what was removed, by kind and name.
        left: what could not be removed, and why.
    """

    def __init__(self, target: Target, prefix: str, spared: str | None = None) -> None:
        self._target, self._prefix, self._spared = target, prefix, spared
        self._events, self._sqs, self._iam, self._stacks = (target.client(name) for name in ("events", "sqs", "iam", "cloudformation"))
        self.removed: list[str] = []
        self.left: list[str] = []
        self._unlisted: dict[str, list[str]] = {}

    def run(self) -> Cleanup:
        """Remove everything; stacks after the targets of their rules, which would keep them from being deleted."""
        self._each("target of rule", self._rules, self._remove_targets)
        self._each("stack", self._stack_names, lambda name: self._stacks.delete_stack(StackName=name))
        self._wait_for_stacks()
        self._each("rule", self._rules, lambda name: self._events.delete_rule(Name=name))
        self._each("API destination", self._destinations, lambda name: self._events.delete_api_destination(Name=name))
        self._each("connection", self._connections, lambda name: self._events.delete_connection(Name=name))
        self._each("queue", self._queues, lambda url: self._sqs.delete_queue(QueueUrl=url))
        self._each("role", self._roles, self._delete_role)
        for why, kinds in self._unlisted.items():
            self.left.append(f"everything that is called {self._prefix}*: {', '.join(dict.fromkeys(kinds))} cannot be listed ({why})")
        return self

    def _each(self, kind: str, names: Callable[[], Iterable[str]], remove: Callable[[str], Any]) -> None:
        try:
            found = [name for name in names() if self._is_meant(name.rpartition("/")[2])]
        except (BotoCoreError, ClientError) as error:
            self._unlisted.setdefault(_why(error), []).append(f"{kind}s")
            return
        for name in found:
            try:
                remove(name)
            except (BotoCoreError, ClientError) as error:
                if _why(error) not in _GONE:
                    self.left.append(f"{kind} {name}: {_why(error)}")
            else:
                self.removed.append(f"{kind} {name}")

    def _is_meant(self, name: str) -> bool:
        return name.startswith(self._prefix) and not (self._spared and name.startswith(self._spared))

    def _wait_for_stacks(self) -> None:
        end = time.monotonic() + _STACK_SECONDS * self._target.patience
        try:
            while waiting := [name for name in self._stack_names() if self._is_meant(name)]:
                if time.monotonic() > end:
                    self.left += [f"stack {name}: not deleted yet" for name in waiting]
                    return
                time.sleep(0.1 * self._target.patience)
        except (BotoCoreError, ClientError) as error:
            self._unlisted.setdefault(_why(error), []).append("stacks")

    def _stack_names(self) -> Iterator[str]:
        for page in self._stacks.get_paginator("describe_stacks").paginate():
            yield from (stack["StackName"] for stack in page["Stacks"])

    def _rules(self) -> Iterator[str]:
        for page in self._events.get_paginator("list_rules").paginate(NamePrefix=self._prefix):
            yield from (rule["Name"] for rule in page["Rules"])

    def _remove_targets(self, rule: str) -> None:
        ids = [target["Id"] for target in self._events.list_targets_by_rule(Rule=rule)["Targets"]]
        if ids:
            self._events.remove_targets(Rule=rule, Ids=ids)

    def _destinations(self) -> list[str]:
        return _named(self._events.list_api_destinations, "ApiDestinations", self._prefix)

    def _connections(self) -> list[str]:
        return _named(self._events.list_connections, "Connections", self._prefix)

    def _queues(self) -> list[str]:
        urls: list[str] = self._sqs.list_queues(QueueNamePrefix=self._prefix, MaxResults=1000).get("QueueUrls", [])
        return urls

    def _roles(self) -> Iterator[str]:
        for page in self._iam.get_paginator("list_roles").paginate():
            yield from (role["RoleName"] for role in page["Roles"])

    def _delete_role(self, name: str) -> None:
        for policy in self._iam.list_role_policies(RoleName=name)["PolicyNames"]:
            self._iam.delete_role_policy(RoleName=name, PolicyName=policy)
        self._iam.delete_role(RoleName=name)


def _named(operation: Callable[..., Any], member: str, prefix: str) -> list[str]:
    """Return the names of all pages of a list that botocore has no paginator for; connections being deleted are left aside."""
    names: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = operation(NamePrefix=prefix, **more)
        names += [item["Name"] for item in page[member] if item.get("ConnectionState") != "DELETING"]
        if not page.get("NextToken"):
            return names
        more = {"NextToken": page["NextToken"]}


def _why(error: BotoCoreError | ClientError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
