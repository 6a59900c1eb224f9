#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_authorization

short_description: Prove the token, and authorise again the connections that have lost their authorisation

version_added: 1.0.0

description:
  - Does the preflight of healing, and after an outage of Spot all the rest, too. Nothing but the state of the connections is read and
    repaired then, all regions at once, as thousands of regions of hundreds of accounts need it at the same time.
  - What else is wrong with an integration is for a run that reads everything, see M(spot.eventbridge.spot_integration_info).
  - A region waits for the reasons that M(spot.eventbridge.spot_heal_plan) has. If the token was not proved, nothing is written.

options:
  spot_account:
    description:
      - The Spot account, such as V(act-d7320fba).
    type: str
    required: true
  aws_account:
    description:
      - The AWS account in which to work, twelve digits. Credentials of another account are a failure.
      - Without it, the account of the credentials is used.
    type: str
  name:
    description:
      - The name of the connection, the API destination and the rule.
    type: str
    required: true
  description:
    description:
      - The description of the connection.
    type: str
    default: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
  kms_key_identifier:
    description:
      - The customer's KMS key for the connection's secret. By default, the connection keeps the key that it has.
    type: str
  scope:
    description:
      - The regions whose connections are read, and authorised again where Spot accepts the token.
      - With V(none), there are none. With V(events), these are the regions of O(messages), if Spot does not accept the token; if it does,
        there are none, as a run for events reads everything.
      - With V(waited), these are all regions if Spot accepts the token, and those of O(messages) if it does not. It is for an account
        that has waited for Spot to accept its token, and may have lost more regions than those of the events that are visible now.
      - With V(all), these are all regions.
    type: str
    choices: [none, events, waited, all]
    default: events
  messages:
    description:
      - The events that wait, as M(spot.eventbridge.spot_heal_queue) returns them for O(name). Those of other AWS accounts do not count.
    type: list
    elements: dict
    default: []
  known:
    description:
      - What people know already, from RV(spot.eventbridge.spot_heal_queue#module:known). If they know that the account waits, and Spot
        does not accept its token for the same reason, no region is read until they have to be reminded.
    type: str
    default: ""
  enabled:
    description:
      - If V(false), broken regions are left alone.
    type: bool
    default: true
  minimum_distance:
    description:
      - The least seconds between an authorisation and the next repair of a region.
    type: float
    default: 60.0
  repairs_per_hour:
    description:
      - After how many repairs within an hour a region is not repaired again. Five repairs are recorded at most.
    type: int
    default: 5
  denied_regions:
    description:
      - The effect of a region that the organisation denies. With V(skip), it is left out; with V(fail), it is a problem.
    type: str
    choices: [skip, fail]
    default: skip

extends_documentation_fragment:
  - spot.eventbridge._preflight
  - spot.eventbridge._regions.wait
  - spot.eventbridge._spot_token
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
      - The proof is asked of Spot in check mode, too.
  diff_mode:
    support: full
  idempotent:
    support: full

notes:
  - Needs the permission C(ec2:DescribeRegions). To read, it needs C(events:DescribeConnection), C(events:DescribeApiDestination),
    C(events:ListTagsForResource) and C(cloudformation:DescribeStackResources).
  - To authorise again, it needs C(events:UpdateConnection), C(secretsmanager:UpdateSecret) and C(secretsmanager:PutSecretValue). To
    check KMS keys, it needs the permissions C(kms:DescribeKey), C(kms:GetKeyPolicy) and C(kms:ListResourceTags).

seealso:
  - module: spot.eventbridge.spot_preflight_info
  - module: spot.eventbridge.spot_heal_plan
  - module: spot.eventbridge.spot_eventbridge_connection

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Authorise all regions of an account again, after an outage of Spot
  spot.eventbridge.spot_heal_authorization:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    scope: all
"""

RETURN = r"""
problem:
  description: Why nothing could be done, in one line. Empty if there is no reason.
  type: str
  returned: always
  sample: ""
preflight:
  description: The result of M(spot.eventbridge.spot_preflight_info).
  type: dict
  returned: success
  sample:
    problem: ""
    spot_account: act-d7320fba
    aws_account: "123456789012"
    partition: aws
    home_region: us-east-1
    regions: [eu-west-1, us-east-1]
    unsupported: []
    obstacles: []
    checks: []
info:
  description: What was read of the connections, as the result of M(spot.eventbridge.spot_integration_info). Empty if nothing was.
  type: dict
  returned: success
  sample: {spot_account: act-d7320fba, aws_account: "123456789012", regions: {}, summary: [], problem: "", notes: []}
plan:
  description: >-
    What is done with these regions, as the result of M(spot.eventbridge.spot_heal_plan). Empty if nothing was read, but for O(known).
  type: dict
  returned: success
  sample: {repair: [eu-west-1], decisions: {eu-west-1: {action: repair, cause: "", why: ""}}, began: "2026-01-01T00:00:00Z"}
connections:
  description: What was written, as the result of M(spot.eventbridge.spot_eventbridge_connection). Empty if no region was to be repaired.
  type: dict
  returned: success
  sample:
    changed: true
    regions: {eu-west-1: {action: reauthorized, changed: true}}
    failed_regions: [us-east-1]
    msg: "connection failed in 1 of 2 region(s): us-east-1: AccessDenied: not authorized"
"""

import datetime
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import check_kms_key
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    assume_role_argument_spec,
    description_argument_spec,
    left_out_argument_spec,
    token_argument_spec,
    wait_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._heal import plan
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.authorization import authorize, read_authorizations
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import waits_as_known
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import preflight
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.info_result import info_result
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client

SERVICES = ("events", "cloudformation")


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "spot_account": {"type": "str", "required": True},
            "aws_account": {"type": "str"},
            "kms_key_identifier": {"type": "str", "no_log": False},
            "scope": {"type": "str", "choices": ["none", "events", "waited", "all"], "default": "events"},
            "messages": {"type": "list", "elements": "dict", "default": []},
            "known": {"type": "str", "default": ""},
            **description_argument_spec(),
            **plan.argument_spec(),
            **left_out_argument_spec(),
            **preflight.argument_spec(),
            **client.proof_argument_spec(),
            **token_argument_spec(),
            **assume_role_argument_spec(),
            **wait_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        answer = _answer(module)
    except ArgumentError as error:
        _fail(module, str(error))
    except Exception as error:  # an uncaught one would print its arguments, the token among them
        _fail(module, failure_of(error).message)
    module.exit_json(**answer)


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params, timeout = module.params, wait_seconds(module.params)
    home, found = preflight.preflight(module, params)
    nothing: dict[str, t.Any] = {"changed": False, "problem": "", "preflight": found, "info": {}, "plan": {}, "connections": {}, "diff": []}
    now = datetime.datetime.now(datetime.timezone.utc)
    if found["obstacles"] and waits_as_known(params["known"], params["spot_account"], " ".join(found["obstacles"]), now):
        unread = info_result({}, spot_account=params["spot_account"], aws_account=found["aws_account"])
        return {**nothing, "info": unread, "plan": plan.waiting_result(found, now)}
    names = _names(params, found)
    if not names:
        return nothing
    regions = home.among(names, SERVICES, found["home_region"])
    check_kms_key("kms_key_identifier", params["kms_key_identifier"], regions.names)
    connection = Connection(
        name=params["name"],
        spot_account=params["spot_account"],
        # There may be none, and nothing is written then.
        token=params["spot_token"] or "",
        description=params["description"],
        kms_key=params["kms_key_identifier"],
        # Whatever is written has the token: without a comparison, the secrets are not read.
        update_token="always",
    )
    left_out = {"denied": params["denied_regions"], "unsupported": found["unsupported"]}
    info, looked = read_authorizations(regions, connection, found["aws_account"], **left_out)
    planned = plan.plan_result(info["regions"], found, params, now)
    if not planned["repair"]:
        return {**nothing, "info": info, "plan": planned}
    done = authorize(regions, planned["repair"], connection, looked, check_mode=module.check_mode, timeout=timeout)
    return {**nothing, "changed": done["changed"], "info": info, "plan": planned, "connections": done, "diff": done.pop("diff")}


def _names(params: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any]) -> list[str]:
    """Return the regions whose connections are read."""
    scope, proved = params["scope"], not found["obstacles"]
    if scope == "none" or (scope == "events" and proved):
        return []
    if scope == "all" or (scope == "waited" and proved):
        return list(found["regions"])
    own = {message["region"] for message in plan.own_messages(params["messages"], found["aws_account"])}
    return [name for name in found["regions"] if name in own]


def _fail(module: AnsibleAWSModule, message: str) -> None:
    module.fail_json(msg=message, problem=message)


if __name__ == "__main__":
    main()
