#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_api_destination

short_description: Manage the EventBridge API destination that stands for Spot

version_added: 1.0.0

description:
  - Creates, repairs and removes the Amazon EventBridge API destination to which interruption notices are sent, in many regions
    at once.
  - A destination is C(INACTIVE) while its connection is not authorised, which is a warning. Repair the connection with
    M(spot.eventbridge.spot_eventbridge_connection).

options:
  name:
    description:
      - The name of the API destination, 1 to 64 letters, digits, hyphens, underscores and dots.
    type: str
    required: true
  state:
    description:
      - The desired state of the API destination.
    type: str
    choices: [present, absent]
    default: present
  connection:
    description:
      - The name of the connection that holds the token.
      - By default, the one with the destination's name.
    type: str
  connection_arns:
    description:
      - The ARN of the connection by region, where it is known already.
      - In other regions, the ARN of the connection named O(connection) is read.
    type: dict

extends_documentation_fragment:
  - spot.eventbridge._resources.api_destination
  - spot.eventbridge._resources.description
  - spot.eventbridge._regions
  - spot.eventbridge._regions.wait
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  idempotent:
    support: full

notes:
  - Needs the permissions C(events:CreateApiDestination), C(events:UpdateApiDestination), C(events:DescribeApiDestination),
    C(events:DeleteApiDestination) and C(events:DescribeConnection).
  - Check mode assumes that the connection will exist. Outside of check mode, a missing connection fails the region.

seealso:
  - module: spot.eventbridge.spot_eventbridge_connection
  - module: spot.eventbridge.spot_interruption_rule
  - name: API destinations
    description: The EventBridge user guide on API destinations.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Send to Spot through the connection of the same name
  spot.eventbridge.spot_api_destination:
    name: spot-interruption-act-d7320fba
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Send at most fifty notices per second
  spot.eventbridge.spot_api_destination:
    name: spot-interruption-act-d7320fba
    invocation_rate_limit_per_second: 50
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Remove the API destination
  spot.eventbridge.spot_api_destination:
    name: spot-interruption-act-d7320fba
    state: absent
    regions: [us-east-1, us-west-2, eu-west-1]
"""

RETURN = r"""
regions:
  description: The results of each region, by the region's name.
  type: dict
  returned: always, unless an argument was wrong
  contains:
    action:
      description: One of V(created), V(updated), V(deleted), V(unchanged) and V(failed).
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed in this region.
      type: bool
      returned: always
      sample: true
    api_destination:
      description:
        - The API destination as C(DescribeApiDestination) returns it, with names in snake case.
        - V(none) where there is no API destination.
      type: dict
      returned: unless the region failed
      sample:
        name: spot-interruption-act-d7320fba
        api_destination_arn: arn:aws:events:us-east-1:123456789012:api-destination/spot-interruption-act-d7320fba/0f1e2d3c
        description: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
        api_destination_state: ACTIVE
        connection_arn: arn:aws:events:us-east-1:123456789012:connection/spot-interruption-act-d7320fba/0f1e2d3c
        invocation_endpoint: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
        http_method: POST
        invocation_rate_limit_per_second: 300
        creation_time: "2026-01-01T00:00:00+00:00"
        last_modified_time: "2026-01-01T00:00:00+00:00"
    note:
      description: A note although nothing failed. It is also given as a warning.
      type: str
      returned: when there is something to know
      sample: the API destination is INACTIVE
    error:
      description: The reason why the region failed.
      type: dict
      returned: when the region failed
      sample: {code: AccessDeniedException, message: "CreateApiDestination: not authorized"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination, argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.module import run
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    named_argument_spec,
    regions_argument_spec,
    wait_argument_spec,
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **named_argument_spec(),
            "connection": {"type": "str"},
            "connection_arns": {"type": "dict"},
            **argument_spec(),
            **regions_argument_spec(),
            **wait_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, ApiDestination)


if __name__ == "__main__":
    main()
