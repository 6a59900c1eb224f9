# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.events import causes, read_causes

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/spot/0f1e"
Event = dict[str, t.Any]


def resource(name: str, status: str, reason: str | None = None) -> Event:
    event = {"LogicalResourceId": name, "PhysicalResourceId": f"id-of-{name}", "ResourceType": f"AWS::X::{name}", "ResourceStatus": status}
    return {**event, **({"ResourceStatusReason": reason} if reason else {})}


def own(status: str, reason: str | None = None) -> Event:
    return {**resource("spot", status, reason), "PhysicalResourceId": STACK, "ResourceType": "AWS::CloudFormation::Stack"}


# The oldest first, as it happens.
CREATION = [
    own("CREATE_IN_PROGRESS", "User Initiated"),
    resource("Queue", "CREATE_IN_PROGRESS"),
    resource("Rule", "CREATE_IN_PROGRESS"),
    resource("Rule", "CREATE_FAILED", "The rule is\n  there already"),
    resource("Queue", "CREATE_FAILED", "Resource creation cancelled"),
    own("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Queue, Rule]. Rollback requested by user."),
    resource("Rule", "DELETE_COMPLETE"),
    own("ROLLBACK_COMPLETE"),
]


def told(*events: Event) -> tuple[str, ...]:
    return causes(reversed(events), STACK)


def test_what_failed_is_told_with_its_type_and_reason_and_what_was_only_cancelled_is_not() -> None:
    assert told(*CREATION) == ("Rule (AWS::X::Rule) CREATE_FAILED: The rule is there already",)


def test_the_newest_comes_first() -> None:
    failed = resource("Rule", "DELETE_FAILED", "It is used")
    assert told(*CREATION[:-1], failed, own("ROLLBACK_FAILED", "The following resource(s) failed to delete: [Rule]. ")) == (
        "Rule (AWS::X::Rule) DELETE_FAILED: It is used",
        "Rule (AWS::X::Rule) CREATE_FAILED: The rule is there already",
    )


def test_only_the_last_operation_counts() -> None:
    deletion = [own("DELETE_IN_PROGRESS", "User Initiated"), resource("Queue", "DELETE_FAILED", "Not now"), own("DELETE_FAILED", "…")]
    assert told(*CREATION, *deletion) == ("Queue (AWS::X::Queue) DELETE_FAILED: Not now",)


def test_a_rollback_that_is_continued_belongs_to_the_update_that_failed() -> None:
    update = [
        own("UPDATE_IN_PROGRESS", "User Initiated"),
        resource("Rule", "UPDATE_FAILED", "first"),
        own("UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Rule]. "),
        resource("Rule", "UPDATE_FAILED", "second"),
        own("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Rule]. "),
        own("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        resource("Rule", "UPDATE_FAILED", "third"),
        own("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Rule]. "),
    ]
    assert [cause.rpartition(": ")[2] for cause in told(*CREATION, *update)] == ["third", "second", "first"]


def test_where_no_resource_failed_the_stack_s_own_reason_is_told() -> None:
    events = [own("CREATE_IN_PROGRESS"), own("ROLLBACK_IN_PROGRESS", "Output A is not a string"), own("ROLLBACK_COMPLETE")]
    assert told(*events) == ("Output A is not a string",)


def test_a_failure_without_a_reason_says_so() -> None:
    assert told(own("CREATE_IN_PROGRESS"), resource("Rule", "CREATE_FAILED")) == ("Rule (AWS::X::Rule) CREATE_FAILED: no reason was given",)


def test_of_many_the_first_that_failed_are_told_and_a_long_reason_is_cut() -> None:
    events = [own("CREATE_IN_PROGRESS"), *(resource(f"R{number}", "CREATE_FAILED", "x" * 1000) for number in range(9))]
    found = told(*events)
    assert [cause.partition(" ")[0] for cause in found] == ["R4", "R3", "R2", "R1", "R0"]
    assert {len(cause) for cause in found} == {len("R0 (AWS::X::R0) CREATE_FAILED: ") + 401}


def test_nothing_failed_in_a_stack_that_is_well() -> None:
    assert told(own("CREATE_IN_PROGRESS"), resource("Rule", "CREATE_COMPLETE"), own("CREATE_COMPLETE")) == ()


class Pages:
    """The events on pages of two; reads no more of them than are asked for."""

    def __init__(self, events: list[Event]) -> None:
        self.events, self.read = events, 0

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "describe_stack_events"
        return self

    def paginate(self, StackName: str) -> t.Iterator[dict[str, t.Any]]:  # noqa: N803
        assert StackName == STACK
        for start in range(0, len(self.events), 2):
            self.read += 1
            yield {"StackEvents": self.events[start : start + 2]}


def test_events_are_read_page_by_page_and_not_beyond_the_beginning_of_the_operation() -> None:
    pages = Pages([*reversed(CREATION), *(resource("Old", "CREATE_FAILED", "long ago") for _ in range(20))])
    assert read_causes(pages, STACK) == told(*CREATION)
    assert pages.read == 4
