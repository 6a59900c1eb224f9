#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_record

short_description: Record what was repaired and told, in a tag of each region's rule

version_added: 1.0.0

description:
  - AWS keeps no history of a connection. So the entry point C(heal) of P(spot.eventbridge.spot_eventbridge#role) records in the tag
    C(SpotHealing) of a region's rule when the region was repaired, and what people were told. Every machine that heals reads it there.
  - A region that has no rule is left out, as nothing can be recorded there.

options:
  name:
    description:
      - The name of the integration's rule.
    type: str
    required: true
  stack_name:
    description:
      - The CloudFormation stack that holds the integration. The rule has the name that it has there, whatever O(name) says.
    type: str
  records:
    description:
      - The value of the tag by region, as M(spot.eventbridge.spot_account_report) returns it.
    type: dict
    required: true

extends_documentation_fragment:
  - spot.eventbridge._resources.aws_account
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
  diff_mode:
    support: none
  idempotent:
    support: full

notes:
  - Needs the permissions C(events:ListTagsForResource) and C(events:TagResource). With O(stack_name), also
    C(cloudformation:DescribeStacks) and C(cloudformation:DescribeStackResources).

seealso:
  - module: spot.eventbridge.spot_integration_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Record that a region was repaired
  spot.eventbridge.spot_heal_record:
    name: spot-interruption-act-d7320fba
    aws_account: "123456789012"
    records:
      eu-west-1: account=act-d7320fba repairs=2026-01-01T00:00:00Z
"""

RETURN = r"""
regions:
  description: The result, by the region's name.
  type: dict
  returned: success
  contains:
    changed:
      description: V(true) if the tag was written.
      type: bool
      returned: always
      sample: true
    error:
      description: Why the tag could not be written.
      type: dict
      returned: when the region failed
      sample: {code: AccessDeniedException, message: "TagResource: not authorized"}
failed_regions:
  description: The regions whose tag could not be written.
  type: list
  elements: str
  returned: success
  sample: []
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import names_in_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import failure_message
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_aws_account, check_name, check_stack_name
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import TAG
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import carried, read_tags


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "stack_name": {"type": "str"},
            "aws_account": {"type": "str"},
            "records": {"type": "dict", "required": True},
            **assume_role_argument_spec(),
        },
        supports_check_mode=True,
    )
    finish(module, lambda: _answer(module))


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params = module.params
    name = check_name(params["name"])
    stack_name = check_stack_name(params["stack_name"]) if params["stack_name"] else ""
    regions = Regions(module, ("events",), list(params["records"]))
    aws_account = check_aws_account(params["aws_account"]) if params["aws_account"] else regions.aws_account()

    def record(region: Region) -> bool:
        rule = names_in_stack(region, stack_name).rule if stack_name else name
        arn, value = rule_arn(region, aws_account, rule), str(params["records"][region.name])
        try:
            existing = read_tags(region, arn)
            if existing.get(TAG) == value:
                return False
            if not module.check_mode:
                tags = {**carried(existing), TAG: value}
                region.clients["events"].tag_resource(ResourceARN=arn, Tags=ansible_dict_to_boto3_tag_list(tags))
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return False
            raise
        return True

    found = regions.run(record)
    failures = {region: result for region, result in found.items() if isinstance(result, Failure)}
    answer: dict[str, t.Any] = {
        "changed": any(result is True for result in found.values()),
        "regions": {
            region: {"changed": False, "error": result.as_dict()} if isinstance(result, Failure) else {"changed": result}
            for region, result in found.items()
        },
        "failed_regions": list(failures),
    }
    if failures:
        answer["msg"] = failure_message("record of healing", failures, len(found))
    return answer


if __name__ == "__main__":
    main()
