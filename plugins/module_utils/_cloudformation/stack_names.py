# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import SERVICE, Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
    from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Desired

# The logical ids of this collection's template; what another template decides is not ours to mend.
_OURS = {"Connection", "ApiDestination", "ExecutionRole", "Rule", "DeadLetterQueue", "DeadLetterQueuePolicy"}

# CloudFormation's states in which a stack is as it should be (API reference, Stack).
GOOD_STATES = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"})


@dataclass(frozen=True)
class StackNames:
    """A stack that holds an integration, and what CloudFormation named its parts.

    :ivar names: by type of resource, such as `AWS::Events::Rule`; what is not there has none
    :ivar ours: whether it is made of this collection's template
    """

    stack: Stack
    status: str
    names: t.Mapping[str, str]
    ours: bool

    @property
    def in_progress(self) -> bool:
        """Whether CloudFormation is working on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status not in GOOD_STATES

    @property
    def rule(self) -> str:
        """The name of the rule; empty if there is none."""
        # For a bus of one's own, the physical id has the bus before the name.
        return self._name("AWS::Events::Rule", "").rsplit("|", 1)[-1]

    @property
    def connection(self) -> str:
        """The name of the connection; empty if there is none."""
        return self._name("AWS::Events::Connection", "")

    def renamed(self, region: Region, desired: Desired) -> Desired:
        """What is desired, under the names that it has in this stack."""
        queue = self._name("AWS::SQS::Queue", desired.queue.name).rsplit("/", 1)[-1]
        rule = self.rule or desired.rule.name
        role = self.names.get("AWS::IAM::Role")
        return dataclasses.replace(
            desired,
            connection=dataclasses.replace(desired.connection, name=self.connection or desired.connection.name),
            api_destination=dataclasses.replace(
                desired.api_destination, name=self._name("AWS::Events::ApiDestination", desired.api_destination.name)
            ),
            rule=dataclasses.replace(
                desired.rule,
                name=rule,
                dead_letter_queue=queue,
                role_arn=f"arn:{region.partition}:iam::{desired.aws_account}:role/{role}" if role else desired.rule.role_arn,
            ),
            queue=dataclasses.replace(desired.queue, name=queue, rule=rule),
        )

    def _name(self, resource_type: str, otherwise: str) -> str:
        return self.names.get(resource_type) or otherwise


def names_in_stack(region: Region, stack_name: str) -> StackNames:
    """As `stack_names`, where there must be a rule.

    :raises RegionError: there is no such stack, or no rule in it
    """
    found = stack_names(region, stack_name)
    if not found or not found.rule:
        what = f"holds no rule, it is {found.status}" if found else "is not there"
        raise RegionError("NoStack", f"the stack {stack_name} {what}: onboard the region first")
    return found


def stack_names(region: Region, stack_name: str) -> StackNames | None:
    """What a stack holds, None if there is no such stack. DescribeStacks, DescribeStackResources."""
    client = region.clients[SERVICE]
    try:
        (stack,) = client.describe_stacks(StackName=stack_name)["Stacks"]
        resources = client.describe_stack_resources(StackName=stack_name)["StackResources"]
    except Exception as error:
        # "Stack with id … does not exist"
        if is_code(error, "ValidationError"):
            return None
        raise
    # The physical id of a queue is its URL, that of the others their name.
    names = {
        item["ResourceType"]: item["PhysicalResourceId"]
        for item in resources
        if item.get("PhysicalResourceId") and item.get("ResourceStatus") != "DELETE_COMPLETE"
    }
    ours = {item["LogicalResourceId"] for item in resources} >= _OURS
    return StackNames(Stack(stack["StackName"], stack["StackId"]), stack["StackStatus"], names, ours)
