# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import ALARM_RULE, CLOUDFORMATION, Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# The logical ids that a stack of this collection's template always has. It names all parts alike. Settings of another template are not
# repaired.
_OURS = {"Connection", "ApiDestination", "Rule", "DeadLetterQueue", "DeadLetterQueuePolicy"}

# CloudFormation's states in which a stack is as it should be (API reference, Stack).
GOOD_STATES = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"})


@dataclass(frozen=True)
class StackNames:
    """A stack that holds an integration, and the names of its parts.

    :ivar status: as DescribeStacks returns it; empty if only its resources were read
    :ivar names: by type of resource, such as `AWS::Events::Rule`, of the existing parts
    :ivar ours: whether it is made of this collection's template
    """

    stack: Stack
    status: str
    names: t.Mapping[str, str]
    ours: bool

    @property
    def in_progress(self) -> bool:
        """Return whether CloudFormation is working on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status not in GOOD_STATES

    @property
    def rule(self) -> str:
        """Return the name of the rule; empty if there is none, as with the other names."""
        # For a bus of one's own, the physical id has the bus before the name.
        return self._name("AWS::Events::Rule").rsplit("|", 1)[-1]

    @property
    def connection(self) -> str:
        """Return the name of the connection."""
        return self._name("AWS::Events::Connection")

    @property
    def api_destination(self) -> str:
        """Return the name of the API destination."""
        return self._name("AWS::Events::ApiDestination")

    @property
    def queue(self) -> str:
        """Return the name of the dead-letter queue."""
        # The physical id is the queue's URL.
        return self._name("AWS::SQS::Queue").rsplit("/", 1)[-1]

    @property
    def execution_role(self) -> str:
        """Return the name of the execution role."""
        return self._name("AWS::IAM::Role")

    def _name(self, resource_type: str) -> str:
        return self.names.get(resource_type) or ""


def names_in_stack(region: Region, stack_name: str) -> StackNames:
    """Return the same as `stack_names`, of a stack that must have a rule.

    :raises RegionError: there is no such stack, or no rule in it
    """
    found = stack_names(region, stack_name)
    if not found or not found.rule:
        what = f"holds no rule, it is {found.status}" if found else "does not exist"
        raise RegionError("NoStack", f"the stack {stack_name} {what}: onboard the region first")
    return found


def stack_names(region: Region, stack_name: str) -> StackNames | None:
    """Return the parts of a stack, None if there is no such stack. Calls DescribeStacks, DescribeStackResources."""
    client = region.clients[CLOUDFORMATION]
    try:
        (stack,) = client.describe_stacks(StackName=stack_name)["Stacks"]
        resources = client.describe_stack_resources(StackName=stack_name)["StackResources"]
    except Exception as error:
        # "Stack with id … does not exist"
        if is_code(error, "ValidationError"):
            return None
        raise
    return names_of(Stack(stack["StackName"], stack["StackId"]), resources, stack["StackStatus"])


def names_of(stack: Stack, resources: t.Sequence[t.Mapping[str, t.Any]], status: str = "") -> StackNames:
    """Return the parts of a stack, from its resources as DescribeStackResources returns them."""
    names = {
        item["ResourceType"]: item["PhysicalResourceId"]
        for item in resources
        if item.get("PhysicalResourceId") and item.get("ResourceStatus") != "DELETE_COMPLETE" and item["LogicalResourceId"] != ALARM_RULE
    }
    holds_ours = {item["LogicalResourceId"] for item in resources} >= _OURS
    found = StackNames(stack, status, names, holds_ours)
    # A copy of this collection's template that leaves the names to CloudFormation is another one, with another policy of the queue.
    one_name = len({name for name in (found.connection, found.api_destination, found.rule) if name}) <= 1
    return replace(found, ours=holds_ours and one_name)
