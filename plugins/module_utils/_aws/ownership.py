# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

CLOUDFORMATION = "cloudformation"

# How CloudFormation names the stacks of a stack set (CloudFormation user guide, "StackSets concepts").
_OF_A_STACK_SET = "StackSet-"
# How a stack of a stack set is repaired.
BY_STACK_SET = (
    "Run the playbook spot.eventbridge.stack_set; where the authorisation is lost, with another token_revision, which writes the token "
    "to all of its accounts."
)
# The parts of an integration. An integration is only a part of a stack with any other resource.
_INTEGRATION = frozenset(
    {
        "AWS::CDK::Metadata",
        "AWS::CloudFormation::WaitConditionHandle",
        "AWS::Events::ApiDestination",
        "AWS::Events::Connection",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    }
)
# The logical id of the rule that watches an integration, in this collection's template.
ALARM_RULE = "AlarmRule"
# A second one of these belongs to another integration.
_ONCE = ("AWS::Events::ApiDestination", "AWS::Events::Rule")


@dataclass(frozen=True)
class Stack:
    """The CloudFormation stack that made a resource, and would remove it.

    :ivar more: its resources outside of one integration: logical ids
    :ivar resources: all of its resources, as DescribeStackResources returns them; none where it was not asked
    """

    name: str
    stack_id: str
    more: tuple[str, ...] = field(default=(), compare=False)
    resources: tuple[t.Mapping[str, t.Any], ...] = field(default=(), compare=False, repr=False)

    @property
    def of_a_set(self) -> bool:
        """Return whether it is managed by a stack set, and so must not be changed by itself."""
        return self.name.startswith(_OF_A_STACK_SET)

    def __str__(self) -> str:
        return f"the stack {self.name}" + (" of a stack set" if self.of_a_set else "")


def owner(region: Region, physical_id: str) -> Stack | None:
    """Return the stack that a resource belongs to; None if it belongs to none. DescribeStackResources.

    A resource that a deleted stack has retained belongs to none.

    :param physical_id: CloudFormation's id of it; for connections, API destinations and rules, the name
    """
    try:
        found = region.clients[CLOUDFORMATION].describe_stack_resources(PhysicalResourceId=physical_id).get("StackResources", [])
    except Exception as error:
        # "Stack for … does not exist"
        if is_code(error, "ValidationError"):
            return None
        raise
    return Stack(found[0]["StackName"], found[0]["StackId"], _more_than_one_integration(found), tuple(found)) if found else None


def _more_than_one_integration(resources: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[str, ...]:
    # DescribeStackResources returns all resources of the stack, also by the physical id of one (CloudFormation API reference).
    there = [item for item in resources if item.get("ResourceStatus") != "DELETE_COMPLETE" and item.get("ResourceType")]
    names = [(item["LogicalResourceId"], item["ResourceType"]) for item in there if item["LogicalResourceId"] != ALARM_RULE]
    of_type = {once: [name for name, kind in names if kind == once] for once in _ONCE}
    further = [item["LogicalResourceId"] for item in there if item["ResourceType"] not in _INTEGRATION]
    return (*further, *(name for several in of_type.values() if len(several) > 1 for name in several))
