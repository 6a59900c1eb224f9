#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_test_interruption

short_description: Interrupt a spot instance for real, and follow the interruption notice to Spot

version_added: 1.0.0

description:
  - Has AWS Fault Injection Service interrupt one spot instance, as EC2 would, and follows the notice in CloudWatch and, if there is a
    token, in the log of the instance's Elastigroup.
  - B(The instance is lost) two minutes later. So it has to be named twice, and only a running spot instance is interrupted.
  - The experiment's template is removed in any case; the next run removes that of a killed run.
  - Problems are findings; they do not fail the module.

options:
  instance_id:
    description:
      - The instance.
    type: str
    required: true
  confirm:
    description:
      - The instance again, as a confirmation. Without it, the module predicts the result and does nothing.
    type: str
    default: ""
  name:
    description:
      - The name of the integration's rule.
    type: str
    required: true
  role_arn:
    description:
      - The role for the experiment. C(fis.amazonaws.com) must be allowed to assume it, and it must be allowed
        C(ec2:SendSpotInstanceInterruptions) on the instance, and C(ec2:DescribeInstances).
    type: str
    required: true
  spot_account:
    description:
      - The Spot account, such as V(act-d7320fba).
    type: str
    required: true
  group_id:
    description:
      - The Elastigroup whose log is read, such as V(sig-d7320fba).
      - By default, the one in the instance's tag C(spotinst:aws:ec2:group:id), or each of the account's.
    type: str
    default: ""
  wait_timeout:
    description:
      - The maximum time to wait for CloudWatch, and then for Spot's log, in seconds.
    type: int
    default: 240
  spot_api_url:
    description:
      - The address of the Spot API. Plain HTTP is accepted for loopback only.
    type: str
    default: https://api.spotinst.io
  spot_validate_certs:
    description:
      - If V(true), the certificate of the Spot API is verified.
    type: bool
    default: true

extends_documentation_fragment:
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
      - Returns a finding with the predicted action.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - An instance can be interrupted once.

notes:
  - Works in the one region of O(region), where the instance is.
  - Needs the permissions C(ec2:DescribeInstances), C(fis:CreateExperimentTemplate), C(fis:TagResource), C(fis:StartExperiment),
    C(fis:GetExperiment), C(fis:ListExperimentTemplates), C(fis:DeleteExperimentTemplate), C(iam:PassRole) for O(role_arn),
    C(cloudwatch:GetMetricData) and, once per AWS account, C(iam:CreateServiceLinkedRole).
  - The template of the experiment carries the tags of the rule, as a company's policy can demand. For that, it also needs the permission
    C(events:ListTagsForResource).
  - Figures of CloudWatch are of the rule, so that another interruption at the same time counts, too. The log names the instance.

seealso:
  - module: spot.eventbridge.spot_test_event

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Interrupt an instance, and see whether Spot reacts
  spot.eventbridge.spot_test_interruption:
    instance_id: i-0123456789abcdef0
    confirm: i-0123456789abcdef0
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    role_arn: arn:aws:iam::123456789012:role/fis
    region: eu-west-1
"""

RETURN = r"""
checks:
  description: The findings, C(interruption), and C(spot_reacted) if something was interrupted.
  type: list
  elements: dict
  returned: success
  sample:
    - {check: interruption, outcome: pass, message: "eu-west-1: AWS announced …, and Spot took it; …", remedy: ""}
announced:
  description: The time at which the interruption was requested, ISO 8601.
  type: str
  returned: if it was interrupted
  sample: "2026-01-02T03:04:05Z"
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_name,
    check_seconds,
    check_spot_account,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._proof.interruption import (
    SERVICES,
    Instance,
    Outcome,
    describe,
    finding,
    interrupt,
    unconfirmed,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client, group_log
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import INTERRUPTION


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "instance_id": {"type": "str", "required": True},
            "confirm": {"type": "str", "default": ""},
            "name": {"type": "str", "required": True},
            "role_arn": {"type": "str", "required": True},
            "spot_account": {"type": "str", "required": True},
            "group_id": {"type": "str", "default": ""},
            "wait_timeout": {"type": "int", "default": 240},
            **client.argument_spec(),
            **assume_role_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        answer = _answer(module)
    except ArgumentError as error:
        module.fail_json(msg=str(error))
    except Exception as error:  # an uncaught one would print its arguments, the token among them
        module.fail_json(msg=failure_of(error).message)
    module.exit_json(**answer)


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params = module.params
    name, spot_account = check_name(params["name"]), check_spot_account(params["spot_account"])
    api = client.client_if_token(params)
    confirmed = params["confirm"] == params["instance_id"] and not module.check_mode
    timeout = check_seconds(params, "wait_timeout")
    regions = Regions(module, SERVICES)
    (where,) = regions.names[:1]

    def work(region: Region) -> tuple[Instance, Outcome | None]:
        instance = describe(region, params["instance_id"])
        if not confirmed or instance.refusal:
            return instance, None
        return instance, interrupt(region, instance, params["role_arn"], name, timeout)

    (result,) = regions.run(work).values()
    if isinstance(result, Failure):
        message = f"{where}: {params['instance_id']} could not be interrupted, or not be followed: {result.code}: {result.message}"
        return _found(Finding(INTERRUPTION, UNKNOWN, message, "Check instance, region, role and permissions."))
    instance, outcome = result
    if instance.refusal:
        message = f"{where}: {instance.refusal}, so it was not interrupted."
        return _found(Finding(INTERRUPTION, FAIL, message, "Choose a running spot instance."))
    if outcome is None:
        return _found(unconfirmed(where, instance))
    group = params["group_id"] or instance.group
    reacted = group_log.check(api, spot_account, group, instance.id, since=outcome.announced, timeout=timeout)
    announced = outcome.announced.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**_found(finding(where, instance, outcome), reacted), "changed": True, "announced": announced}


def _found(*findings: Finding) -> dict[str, t.Any]:
    return {"changed": False, "checks": [entry.as_dict() for entry in findings]}


if __name__ == "__main__":
    main()
