#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_integration_info

short_description: Check whether an integration works, in all regions at once

version_added: 1.0.0

description:
  - Reads everything about an integration - connection, API destination, rule, target, dead-letter queue, execution role, and the
    results of the latest deliveries - and returns the status of each region and, if it is not active, why and what to do.
  - Only reads. A part that the caller may not read is a finding with the outcome V(unknown), never a failure.
  - Checks resources of every origin, and names a CloudFormation stack that owns them.

options:
  name:
    description:
      - The name of the connection, the API destination and the rule.
    type: str
    required: true
  spot_account:
    description:
      - The Spot account that receives the interruption notices, such as V(act-d7320fba).
    type: str
    required: true
  invocation_endpoint:
    description:
      - The address of Spot to which the notices are to be sent.
    type: str
    default: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
  role_arn:
    description:
      - The ARN of the execution role, if it is made elsewhere. By default, the role of O(role_name).
    type: str
  role_name:
    description:
      - The name of the execution role, under whatever path it is.
      - By default, the integration's name.
    type: str
  role_path:
    description:
      - The IAM path expected of the role of O(role_name), if the role cannot be read. By default, none.
    type: str
  queue_name:
    description:
      - The name of the dead-letter queue.
      - By default, the integration's name, with hyphens for dots.
    type: str
  stack_name:
    description:
      - The CloudFormation stack that holds the integration. The names of its parts are read from the stack; O(name), O(role_arn) and
        O(queue_name) do not count.
      - A retry policy, rate limit or dead-letter queue that differs is at most a warning if the stack has another template.
      - A stack of a stack set need not be named, as AWS chooses its name. If the connection O(name) is in one, all names are read from it.
    type: str
  watch_bus_arn:
    description:
      - The ARN of the event bus of the hub to which M(spot.eventbridge.spot_watch) reports the loss of the authorisation. Without it, the
        watch is not checked.
    type: str
  maximum_event_age_in_seconds:
    description:
      - The expected time after which AWS gives up the delivery of a notice, in seconds.
    type: int
    default: 120
  maximum_retry_attempts:
    description:
      - The expected number of attempts after which AWS gives up the delivery of a notice.
    type: int
    default: 185
  invocation_rate_limit_per_second:
    description:
      - The expected maximum number of notices per second.
    type: int
    default: 300
  target_id:
    description:
      - The id of this collection's target in the rule.
    type: str
    default: spot
  description:
    description:
      - The description of connection, API destination, rule and execution role. By default, it is not compared.
    type: str
  tags:
    description:
      - The expected tags of rule, queue and execution role, which may have others. By default, tags are not compared.
    type: dict
    aliases: [resource_tags]
  message_retention_period:
    description:
      - The time that the queue keeps a message, in seconds. By default, it is not compared.
    type: int
  kms_key_identifier:
    description:
      - The KMS key of the connection's secret. By default, it is not compared.
    type: str
  queue_kms_master_key_id:
    description:
      - The KMS key of the queue; an empty text for the key that SQS manages. By default, it is not compared.
    type: str
  role_permissions_boundary:
    description:
      - The permissions boundary of the execution role. By default, it is not compared.
    type: str
  evidence_hours:
    description:
      - The time, in hours, of which the deliveries are read. V(0) reads none.
    type: int
    default: 24

extends_documentation_fragment:
  - spot.eventbridge._resources.aws_account
  - spot.eventbridge._spot_token
  - spot.eventbridge._regions
  - spot.eventbridge._regions.left_out
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

notes:
  - With a token, it is compared with the one in the connection's managed secret. Without, that finding has the outcome V(skip).
  - Needs the permissions C(events:DescribeConnection), C(events:DescribeApiDestination), C(events:DescribeRule),
    C(events:ListTargetsByRule), C(events:ListTagsForResource), C(events:ListApiDestinations), C(events:ListRuleNamesByTarget),
    C(events:ListEventBuses), C(events:TestEventPattern),
    C(sqs:GetQueueUrl), C(sqs:GetQueueAttributes), C(sqs:ReceiveMessage), with O(tags) C(sqs:ListQueueTags),
    C(cloudwatch:GetMetricData), C(iam:GetRole), C(iam:ListRolePolicies), C(iam:GetRolePolicy),
    C(iam:ListAttachedRolePolicies), C(iam:GetPolicy), C(iam:GetPolicyVersion), C(cloudformation:DescribeStackResources)
    and, for the token, C(secretsmanager:GetSecretValue). A missing permission makes one finding V(unknown) or V(skip).
  - With O(stack_name), also C(cloudformation:DescribeStacks).
  - To check KMS keys, also needs the permissions C(kms:DescribeKey), C(kms:GetKeyPolicy) and C(kms:ListResourceTags).
    Without them, an unknown usability of a key is a warning.

seealso:
  - module: spot.eventbridge.spot_account_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Does it work?
  spot.eventbridge.spot_integration_info:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]
  register: integration

- name: Name the regions that are not active
  ansible.builtin.debug:
    msg: "{{ integration.summary | rejectattr('status', 'eq', 'active') | map(attribute='region') }}"
"""

RETURN = r"""
spot_account:
  description: The Spot account.
  type: str
  returned: success
  sample: act-d7320fba
aws_account:
  description: The AWS account.
  type: str
  returned: success
  sample: "123456789012"
regions:
  description: The results of each region, by the region's name.
  type: dict
  returned: success
  contains:
    status:
      description:
        - V(active), V(inactive) (authorisation lost), V(failing) (no delivery succeeds), V(drifted) (differs from what is desired),
          V(incomplete) (parts missing), V(absent), V(denied) (by the organisation), V(unsupported) (no API destinations there) or
          V(unknown) (could not be read).
      type: str
      returned: always
      sample: inactive
    reason:
      description: The reason why the region is not active, in one line. Empty if it is.
      type: str
      returned: always
      sample: "The connection is DEAUTHORIZED. AWS drops every notice until it is authorised again."
    action:
      description: Empty, as nothing is done. All modules of several regions return it.
      type: str
      returned: always
      sample: ""
    changed:
      description: V(false), likewise.
      type: bool
      returned: always
      sample: false
    findings:
      description: All checks.
      type: list
      elements: dict
      returned: always
      contains:
        check:
          description: The name of the check.
          type: str
          returned: always
          sample: connection_state
        outcome:
          description: V(pass), V(warn), V(fail), V(skip) (not checked) or V(unknown) (could not be read).
          type: str
          returned: always
          sample: fail
        message:
          description: The existing and, if it differs, the expected state.
          type: str
          returned: always
          sample: The connection is DEAUTHORIZED.
        remedy:
          description: The recommended action. Empty for a pass.
          type: str
          returned: always
          sample: Run the playbook spot.eventbridge.repair.
    resources:
      description:
        - RV(regions.resources.connection), C(api_destination), C(rule) and C(queue), as the writing modules return them; V(none)
          for what is not there or could not be read.
      type: dict
      returned: always
      contains:
        connection:
          description: As in RV(spot.eventbridge.spot_eventbridge_connection#module:regions.connection).
          type: dict
          returned: always
        api_destination:
          description: As in RV(spot.eventbridge.spot_api_destination#module:regions.api_destination).
          type: dict
          returned: always
        rule:
          description: As in RV(spot.eventbridge.spot_interruption_rule#module:regions.rule).
          type: dict
          returned: always
        queue:
          description: As in RV(spot.eventbridge.spot_dead_letter_queue#module:regions.queue).
          type: dict
          returned: always
    evidence:
      description: The deliveries of the last hours, V(none) if they were not to be read.
      type: dict
      returned: always
      contains:
        window_hours:
          description: The time that was read, in hours.
          type: int
          returned: always
          sample: 24
        metrics:
          description:
            - C(matched), C(delivered), C(retried), C(failed), C(dead_lettered) and C(dead_letter_failed) as CloudWatch counted
              them; V(none) where it has no data, which proves nothing.
          type: dict
          returned: always
          sample: {matched: 3, delivered: 2, retried: 1, failed: 1, dead_lettered: 1, dead_letter_failed: null}
        dead_letters:
          description: The number of dead letters, the latest with time, error, attempts and instance, and why they could not be read.
          type: dict
          returned: always
          sample: {count: 0, messages: [], note: "AccessDenied: ReceiveMessage: not authorized"}
        note:
          description: The reason why there are no figures.
          type: str
          returned: when CloudWatch could not be read
          sample: "AccessDenied: GetMetricData: not authorized"
    stack_set:
      description: The stack of a stack set that the integration belongs to. Empty if it belongs to none.
      type: str
      returned: always
      sample: ""
    healing:
      description:
        - The record of the entry point C(heal) of P(spot.eventbridge.spot_eventbridge#role), which is a tag of the rule. C(lost) is when
          the region was lost, C(told) when people were told last that it is not repaired, C(cause) why, C(count) how often they were
          told, and C(repairs) when it was repaired, five times at most. Empty where there is no record.
        - C(opted_out) is V(true) where the value of the tag is V(off), so that the region is not healed. C(unread) is why the tags of the
          rule could not be read.
      type: dict
      returned: always
      sample: {lost: "", told: "", cause: "", count: 0, repairs: ["2026-01-01T00:00:00Z"], opted_out: false, unread: ""}
summary:
  description: One row for each region, worst first, with those of O(unsupported_regions).
  type: list
  elements: dict
  returned: always
  contains:
    region:
      description: The region.
      type: str
      returned: always
      sample: eu-west-1
    status:
      description: As in RV(regions.status).
      type: str
      returned: always
      sample: active
    action:
      description: Empty, as nothing is done.
      type: str
      returned: always
      sample: ""
    reason:
      description: As in RV(regions.reason).
      type: str
      returned: always
      sample: ""
    changed:
      description: V(false).
      type: bool
      returned: always
      sample: false
problem:
  description: The reason why the account does not work, in one line. Empty if all regions are active, denied or unsupported.
  type: str
  returned: always
  sample: ""
notes:
  description: Further notes on the account.
  type: list
  elements: str
  returned: always
  sample: []
"""

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import api_destination, rule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    left_out_argument_spec,
    regions_argument_spec,
    token_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import failed_result
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.region import findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.info_result import info_result, region_result
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import (
    SERVICES,
    Readings,
    read,
    read_hub_of,
    read_in_stack,
    read_in_stack_set,
    read_role,
    with_role,
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "spot_account": {"type": "str", "required": True},
            "role_name": {"type": "str"},
            "role_path": {"type": "str"},
            "queue_name": {"type": "str"},
            "stack_name": {"type": "str"},
            "evidence_hours": {"type": "int", "default": 24},
            "watch_bus_arn": {"type": "str"},
            "description": {"type": "str"},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "message_retention_period": {"type": "int"},
            "kms_key_identifier": {"type": "str", "no_log": False},
            "queue_kms_master_key_id": {"type": "str", "no_log": False},
            "role_permissions_boundary": {"type": "str"},
            **left_out_argument_spec(),
            **api_destination.delivery_argument_spec(),
            **rule.delivery_argument_spec(),
            **token_argument_spec(),
            **regions_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        answer = _answer(module)
    except ArgumentError as error:
        module.fail_json(**failed_result(str(error)))
    except Exception as error:  # an uncaught one would print its arguments, the token among them
        module.fail_json(**failed_result(failure_of(error).message))
    module.exit_json(changed=False, **answer)


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    regions = Regions(module, SERVICES, module.params["regions"])
    desired = Desired.to_compare(module.params, regions)
    hours, now = module.params["evidence_hours"], datetime.datetime.now(datetime.timezone.utc)

    def look(region: Region) -> tuple[Desired, Readings]:
        if desired.stack_name:
            return read_in_stack(region, desired, hours, now)
        return read_in_stack_set(region, desired, read(region, desired, None, hours, now), hours, now)

    role, found_in, hub = at_once(
        lambda: None if desired.stack_name else read_role(regions.home(("iam",)), desired.rule.role_arn),
        lambda: regions.run(look),
        lambda: read_hub_of(regions, desired),
    )
    results: dict[str, t.Any] = {}
    for name, result in found_in.items():
        looked_for, readings = (desired, Readings.unread(result)) if isinstance(result, Failure) else result
        if not looked_for.stack_name:
            looked_for, readings = with_role(desired, readings, readings.execution_role if isinstance(result, Failure) else role)
        found = findings(regions[name], replace(readings, hub=hub), looked_for)
        results[name] = region_result(readings, found, desired.spot_account)
    return info_result(
        results,
        spot_account=desired.spot_account,
        aws_account=desired.aws_account,
        unsupported=module.params["unsupported_regions"],
        denied=module.params["denied_regions"],
    )


if __name__ == "__main__":
    main()
