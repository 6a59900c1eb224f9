#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_test_event

short_description: Send a test event to Spot on the way of interruption notices

version_added: 1.0.0

description:
  - In each region, a temporary rule with the same target as the integration's sends one event that equals an interruption notice except
    for its source, of an instance that cannot exist, C(i-00000000000000000). Its result is read from CloudWatch, the dead-letter queue
    and the connection. A success proves execution role, API destination, connection and token at once.
  - The temporary rule is removed in any case; the next run removes that of a killed run.
  - An event that Spot refuses with 401 de-authorises the region's connection, as any notice would. The finding reports that; the entry
    point C(repair) of P(spot.eventbridge.spot_eventbridge#role) repairs it.
  - Problems are findings; they do not fail the module.

options:
  name:
    description:
      - The name of the integration's rule and connection.
    type: str
    required: true
  target_id:
    description:
      - The id of this collection's target in the rule.
    type: str
    default: spot
  stack_name:
    description:
      - The CloudFormation stack that holds the integration. The names of rule and connection are read from the stack, and the target is
        the one that sends to an API destination; O(name) and O(target_id) do not count.
    type: str
  settle_seconds:
    description:
      - The time to wait until the temporary rule matches events, in seconds.
    type: int
    default: 10
  wait_timeout:
    description:
      - The maximum time to wait for CloudWatch, in seconds. It is a minute or two late.
    type: int
    default: 240

extends_documentation_fragment:
  - spot.eventbridge._regions
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  check_mode:
    support: full
    details:
      - Sends nothing, and returns a finding with the outcome V(skip).
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run sends an event.

notes:
  - Needs the permissions C(events:ListRules), C(events:ListTargetsByRule), C(events:DescribeConnection), C(events:PutRule),
    C(events:PutTargets), C(events:PutEvents), C(events:RemoveTargets), C(events:DeleteRule), C(iam:PassRole) for the execution role,
    C(cloudwatch:GetMetricData), and for a dead letter C(sqs:GetQueueUrl) and C(sqs:ReceiveMessage). With O(stack_name), also
    C(cloudformation:DescribeStacks) and C(cloudformation:DescribeStackResources).
  - The temporary rule carries the tags of the rule, as a company's policy can demand. For that, it also needs the permissions
    C(events:ListTagsForResource) and C(events:TagResource).
  - Spot does not document whether it takes such an event. Only a refusal with 401 or 407 changes the connection.

seealso:
  - module: spot.eventbridge.spot_integration_info
  - module: spot.eventbridge.spot_test_interruption

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Does a test event arrive?
  spot.eventbridge.spot_test_event:
    name: spot-interruption-act-d7320fba
    regions: [us-east-1, eu-west-1]
  register: test_event
"""

RETURN = r"""
checks:
  description: The findings, one C(test_event) for each region.
  type: list
  elements: dict
  returned: success
  sample:
    - {check: test_event, outcome: pass, message: "us-east-1: Spot took a test event; CloudWatch showed it after 62 s.", remedy: ""}
regions:
  description: The same findings, by the region's name.
  type: dict
  returned: success
  version_added: 1.0.0
  contains:
    check:
      description: C(test_event).
      type: str
      returned: always
      sample: test_event
    outcome:
      description: V(pass), V(fail), V(skip) (not sent) or V(unknown).
      type: str
      returned: always
      sample: pass
    message:
      description: The result of the event.
      type: str
      returned: always
      sample: "us-east-1: Spot took a test event; CloudWatch showed it after 62 s."
    remedy:
      description: The recommended action. Empty for a pass.
      type: str
      returned: always
      sample: ""
failed_regions:
  description: The regions in which the test event did not arrive.
  type: list
  elements: str
  returned: success
  sample: []
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import target_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import names_in_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import regions_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, SKIP, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_name,
    check_seconds,
    check_stack_name,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._proof.test_event import SERVICES, test_event
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import TEST_EVENT


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **target_argument_spec(),
            "stack_name": {"type": "str"},
            "settle_seconds": {"type": "int", "default": 10},
            "wait_timeout": {"type": "int", "default": 240},
            **regions_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        answer = _answer(module)
    except ArgumentError as error:
        module.fail_json(msg=str(error))
    except Exception as error:
        module.fail_json(msg=failure_of(error).message)
    # Nothing that is managed is another afterwards.
    module.exit_json(changed=False, **answer)


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params = module.params
    name, target_id = check_name(params["name"]), check_name(params["target_id"])
    settle, timeout = (check_seconds(params, option) for option in ("settle_seconds", "wait_timeout"))
    regions = Regions(module, SERVICES, params["regions"])
    if module.check_mode:
        results: dict[str, Finding | Failure] = {
            region: Finding(TEST_EVENT, SKIP, f"{region}: No test event was sent, as it is check mode.", "Run it without --check.")
            for region in regions.names
        }
    else:
        stack_name = check_stack_name(params["stack_name"]) if params["stack_name"] else ""

        def send(region: Region) -> Finding:
            there = names_in_stack(region, stack_name) if stack_name else None
            return test_event(
                region,
                there.rule if there else name,
                None if there else target_id,
                settle=settle,
                timeout=timeout,
                connection=there.connection if there else name,
            )

        results = regions.run(send)
    found = {region: _finding(region, result) for region, result in results.items()}
    return {
        "checks": [finding.as_dict() for finding in found.values()],
        "regions": {region: finding.as_dict() for region, finding in found.items()},
        "failed_regions": [region for region, finding in found.items() if finding.outcome == FAIL],
    }


def _finding(region: str, result: Finding | Failure) -> Finding:
    if isinstance(result, Finding):
        return result
    message = f"{region}: No test event could be sent, or not be followed: {result.code}: {result.message}"
    return Finding(TEST_EVENT, UNKNOWN, message, "Grant the permission, or try again.")


if __name__ == "__main__":
    main()
