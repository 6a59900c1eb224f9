#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_eventbridge_connection

short_description: Manage the EventBridge connection that holds the Spot token

version_added: 1.0.0

description:
  - Creates, repairs and removes the Amazon EventBridge connection with which interruption notices are sent to Spot, in many
    regions at once.
  - The connection sends the API key C(Authorization) with the value C(Bearer <token>), and the query parameter C(accountId)
    with the Spot account. The parameter's value is not hidden, so that it can be checked.
  - A connection that is not C(AUTHORIZED) is authorised again in place, with any value of O(update_token). One response 401 from
    Spot makes it C(DEAUTHORIZED), and it never recovers by itself.
  - The state C(AUTHORIZED) proves nothing about the token; M(spot.eventbridge.spot_account_info) proves it.

options:
  name:
    description:
      - The name of the connection, 1 to 64 letters, digits, hyphens, underscores and dots.
    type: str
    required: true
  state:
    description:
      - The desired state of the connection.
      - A connection that other API destinations use is not removed.
    type: str
    choices: [present, absent]
    default: present
  api_destination:
    description:
      - With O(state=absent), the API destination that is removed together with the connection and so does not prevent its removal.
      - By default, the one with the connection's name.
    type: str

extends_documentation_fragment:
  - spot.eventbridge._resources.connection
  - spot.eventbridge._resources.description
  - spot.eventbridge._spot_token
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
    support: partial
    details:
      - With O(update_token=always), every run writes the token and reports a change.

notes:
  - Needs the permissions C(events:CreateConnection), C(events:UpdateConnection), C(events:DescribeConnection),
    C(events:DeleteConnection), C(events:ListApiDestinations), C(secretsmanager:CreateSecret),
    C(secretsmanager:UpdateSecret), C(secretsmanager:PutSecretValue), C(secretsmanager:GetSecretValue),
    C(secretsmanager:DeleteSecret) and, once per AWS account, C(iam:CreateServiceLinkedRole).
  - To check KMS keys, also needs the permissions C(kms:DescribeKey), C(kms:GetKeyPolicy) and C(kms:ListResourceTags).
    Without them, an unknown usability of a key is a warning.

seealso:
  - module: spot.eventbridge.spot_api_destination
  - name: Connections for HTTP endpoint targets
    description: The EventBridge user guide on connections.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Connect three regions to a Spot account
  spot.eventbridge.spot_eventbridge_connection:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Write a new token, wherever the old one is
  spot.eventbridge.spot_eventbridge_connection:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    update_token: always
    regions: [us-east-1, us-west-2, eu-west-1]

- name: Remove the connection
  spot.eventbridge.spot_eventbridge_connection:
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
      description: One of V(created), V(updated), V(reauthorized), V(deleted), V(unchanged) and V(failed).
      type: str
      returned: always
      sample: created
    changed:
      description: V(true) if something changed in this region.
      type: bool
      returned: always
      sample: true
    connection:
      description:
        - The connection as C(DescribeConnection) returns it, with names in snake case.
        - V(none) where there is no connection.
      type: dict
      returned: unless the region failed
      sample:
        name: spot-interruption-act-d7320fba
        connection_arn: arn:aws:events:us-east-1:123456789012:connection/spot-interruption-act-d7320fba/0f1e2d3c
        description: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
        connection_state: AUTHORIZED
        state_reason: as AWS words it, where something is wrong
        authorization_type: API_KEY
        secret_arn: arn:aws:secretsmanager:us-east-1:123456789012:secret:events!connection/spot-interruption-act-d7320fba/0f1e2d3c-AbCdEf
        kms_key_identifier: arn:aws:kms:us-east-1:123456789012:key/0f1e2d3c
        auth_parameters:
          api_key_auth_parameters: {api_key_name: Authorization}
          invocation_http_parameters:
            query_string_parameters:
              - {key: accountId, value: act-d7320fba, is_value_secret: false}
        creation_time: "2026-01-01T00:00:00+00:00"
        last_modified_time: "2026-01-01T00:00:00+00:00"
        last_authorized_time: "2026-01-01T00:00:00+00:00"
    note:
      description: A note although nothing failed. It is also given as a warning.
      type: str
      returned: when there is something to know
      sample: "not checked whether the token is current"
    error:
      description: The reason why the region failed.
      type: dict
      returned: when the region failed
      sample: {code: AccessDeniedException, message: "CreateConnection: not authorized"}
failed_regions:
  description: The regions that failed.
  type: list
  elements: str
  returned: always, unless an argument was wrong
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection, argument_spec
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
            "api_destination": {"type": "str"},
            **argument_spec(),
            **regions_argument_spec(),
            **wait_argument_spec(),
        },
        required_if=[("state", "present", ["spot_account"])],
        supports_check_mode=True,
    )
    run(module, Connection)


if __name__ == "__main__":
    main()
