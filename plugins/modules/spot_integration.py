#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_integration

short_description: Manage a whole integration, in all regions at once

version_added: 0.1.0

description:
  - Makes, mends or removes the dead-letter queue, the connection, the API destination and the rule that send spot interruption
    warnings to Spot; one after the other in each region, and in all regions at the same time.
  - It does what M(spot.eventbridge.spot_dead_letter_queue), M(spot.eventbridge.spot_eventbridge_connection),
    M(spot.eventbridge.spot_api_destination) and M(spot.eventbridge.spot_interruption_rule) do, in a quarter of their module runs.
  - A step that fails ends the work in its region, and only there.

options:
  name:
    description:
      - The name of the connection, the API destination and the rule, 1 to 64 letters, digits, hyphens, underscores and dots.
    type: str
    required: true
  queue_name:
    description:
      - The name of the dead-letter queue.
      - By default, O(name) with hyphens for dots.
    type: str
  state:
    description:
      - Whether the integration shall be there.
      - A rule with targets of others and a queue with messages are kept. A connection that another API destination uses fails
        the region.
    type: str
    choices: [present, absent]
    default: present
  aws_account:
    description:
      - The AWS account, twelve digits.
      - By default, the caller's, which takes a call to find out.
    type: str
  spot_account:
    description:
      - The Spot account that shall receive the warnings, such as V(act-d7320fba).
      - Required with O(state=present).
    type: str
  description:
    description:
      - What the connection is for, at most 512 characters.
    type: str
    default: Sends EC2 spot interruption warnings to Spot. Managed by the Ansible collection spot.eventbridge.
  kms_key_identifier:
    description:
      - The KMS key that protects the connection's secret. Without it, the key stays as it is, at first the one AWS owns.
      - An empty text returns to the key that AWS owns.
    type: str
  update_token:
    description:
      - When the token of a connection that is already there is written.
      - V(changed) compares it with the one in the connection's managed secret. Where the caller may not read that secret,
        nothing is compared, and a warning says so.
      - V(always) writes it in every run, and so reports a change in every run.
      - V(on_create) leaves it alone.
    type: str
    choices: [changed, always, on_create]
    default: changed
  invocation_endpoint:
    description:
      - Where to send the warnings. Plain HTTP is taken for loopback only.
    type: str
    default: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
  invocation_rate_limit_per_second:
    description:
      - How many warnings per second are sent at the most; AWS delays the others.
    type: int
    default: 300
  role_arn:
    description:
      - The execution role. C(events.amazonaws.com) must be allowed to assume it, and it must be allowed
        C(events:InvokeApiDestination) on the API destination.
      - Required with O(state=present).
    type: str
  maximum_event_age_in_seconds:
    description:
      - After how many seconds AWS gives up the delivery of a warning, 60 to 86400.
      - After two minutes the instance is gone.
    type: int
    default: 120
  maximum_retry_attempts:
    description:
      - After how many attempts AWS gives up the delivery of a warning, 0 to 185.
    type: int
    default: 185
  target_id:
    description:
      - The id of this collection's target in the rule.
    type: str
    default: spot
  message_retention_period:
    description:
      - How long a message is kept, in seconds, 60 to 1209600.
    type: int
    default: 1209600
  delete_messages:
    description:
      - With O(state=absent), whether a queue that still holds messages is removed, and they with it.
    type: bool
    default: false
  queue_kms_master_key_id:
    description:
      - A KMS key of your own for the dead-letter queue, in place of the key that SQS manages. The key's policy must let
        C(events.amazonaws.com) use it.
    type: str

extends_documentation_fragment:
  - spot.eventbridge._spot_token
  - spot.eventbridge._regions
  - spot.eventbridge._regions.tags
  - spot.eventbridge._regions.wait
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.actiongroup_aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  idempotent:
    support: partial
    details:
      - With O(update_token=always), every run writes the token and reports a change.

notes:
  - Needs the permissions of the four modules.
  - The execution role is not made here, as it is one for the whole AWS account; see M(amazon.aws.iam_role).

seealso:
  - module: spot.eventbridge.spot_eventbridge_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Send the warnings of three regions to Spot
  spot.eventbridge.spot_integration:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    role_arn: arn:aws:iam::123456789012:role/spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]
    tags:
      team: platform

- name: Take it away again
  spot.eventbridge.spot_integration:
    name: spot-interruption-act-d7320fba
    state: absent
    regions: [us-east-1, us-west-2, eu-west-1]
"""

RETURN = r"""
regions:
  description: What was done in each region, by the region's name.
  type: dict
  returned: always, unless an argument was wrong
  contains:
    action:
      description:
        - V(created), V(updated), V(reauthorized), V(deleted) or V(unchanged), as all steps did, or the one that stands out;
          V(failed) where a step failed.
      type: str
      returned: always
      sample: created
    changed:
      description: Whether something changed in this region.
      type: bool
      returned: always
      sample: true
    actions:
      description: What was done to each resource, in the order in which it was done, up to the step that failed.
      type: dict
      returned: always
      sample: {queue: created, connection: created, api_destination: created, rule: created}
    queue:
      description: As in RV(spot.eventbridge.spot_dead_letter_queue#module:regions.queue).
      type: dict
      returned: when this step was done
    connection:
      description: As in RV(spot.eventbridge.spot_eventbridge_connection#module:regions.connection).
      type: dict
      returned: when this step was done
    api_destination:
      description: As in RV(spot.eventbridge.spot_api_destination#module:regions.api_destination).
      type: dict
      returned: when this step was done
    rule:
      description: As in RV(spot.eventbridge.spot_interruption_rule#module:regions.rule).
      type: dict
      returned: when this step was done
    notes:
      description: What a person should know although nothing failed. They are also given as warnings.
      type: list
      elements: str
      returned: always
      sample: []
    error:
      description: Which step failed in this region, and why.
      type: dict
      returned: when the region failed
      sample: {code: AccessDeniedException, message: "connection: CreateConnection: not authorized"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
"""

from ansible.module_utils.basic import env_fallback
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._api_destination import DEFAULT_ENDPOINT
from ansible_collections.spot.eventbridge.plugins.module_utils._arguments import (
    DEFAULT_DESCRIPTION,
    regions_argument_spec,
    tags_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._integrate import SERVICES, Integration, answer, integrate
from ansible_collections.spot.eventbridge.plugins.module_utils._queue import DEFAULT_RETENTION
from ansible_collections.spot.eventbridge.plugins.module_utils._reconcile import finish, wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._rule import (
    DEFAULT_EVENT_AGE,
    DEFAULT_RETRY_ATTEMPTS,
    TARGET_ID,
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "queue_name": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "aws_account": {"type": "str"},
            "spot_account": {"type": "str"},
            "spot_token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SPOTINST_TOKEN"])},
            "description": {"type": "str", "default": DEFAULT_DESCRIPTION},
            "kms_key_identifier": {"type": "str", "no_log": False},
            "update_token": {
                "type": "str",
                "choices": ["changed", "always", "on_create"],
                "default": "changed",
                "no_log": False,
            },
            "invocation_endpoint": {"type": "str", "default": DEFAULT_ENDPOINT},
            "invocation_rate_limit_per_second": {"type": "int", "default": 300},
            "role_arn": {"type": "str"},
            "maximum_event_age_in_seconds": {"type": "int", "default": DEFAULT_EVENT_AGE},
            "maximum_retry_attempts": {"type": "int", "default": DEFAULT_RETRY_ATTEMPTS},
            "target_id": {"type": "str", "default": TARGET_ID},
            "message_retention_period": {"type": "int", "default": DEFAULT_RETENTION},
            "queue_kms_master_key_id": {"type": "str", "no_log": False},
            "delete_messages": {"type": "bool", "default": False},
            **regions_argument_spec(),
            **tags_argument_spec(),
            **wait_argument_spec(),
        },
        required_if=[("state", "present", ["spot_account", "role_arn"])],
        supports_check_mode=True,
    )

    def work() -> dict[str, object]:
        regions = Regions(module, SERVICES, module.params["regions"])
        integration = Integration.from_parameters(module.params, regions)
        timeout = wait_seconds(module.params)
        return answer(regions.run(lambda region: integrate(integration, region, check_mode=module.check_mode, timeout=timeout)))

    finish(module, work)


if __name__ == "__main__":
    main()
