# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

# With these states of the stack itself, an operation begins; earlier events are about another one.
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
# The oldest failures are the cause of the others.
_MOST_CAUSES = 5
_LONGEST_REASON = 400


def read_causes(cloudformation: t.Any, stack_id: str) -> tuple[str, ...]:
    """Return why the last operation on a stack failed: DescribeStackEvents, as far back as the operation's beginning. See `causes`."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    return causes((event for page in pages for event in page["StackEvents"]), stack_id)


def causes(events: t.Iterable[t.Mapping[str, t.Any]], stack_id: str) -> tuple[str, ...]:
    """Return the failures of the last operation on a stack and their reasons, newest first; `Rule (AWS::Events::Rule) CREATE_FAILED: …`.

    Resources that were only cancelled because another one failed are left out. If no resource failed, it is the stack's own reason.

    :param events: as DescribeStackEvents returns them, the newest first
    """
    resources: list[str] = []
    own: list[str] = []
    for event in events:
        status, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason") or "no reason was given"
        is_stack = event.get("PhysicalResourceId") == stack_id
        if "FAILED" in status and "cancelled" not in reason:
            told = f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}) {status}: {_short(reason)}"
            (own if is_stack else resources).append(told)
        elif is_stack and "ROLLBACK_IN_PROGRESS" in status and event.get("ResourceStatusReason"):
            own.append(_short(reason))
        if is_stack and status in _BEGINNINGS:
            break
    return tuple((resources or own)[-_MOST_CAUSES:])


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"
