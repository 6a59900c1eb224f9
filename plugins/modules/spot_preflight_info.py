#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_preflight_info

short_description: Ask AWS and Spot whether an integration can be made, before anything is written

version_added: 1.0.0

description:
  - Validates the options, and reads the caller's identity and the enabled regions from AWS and the validity of the token and the owner
    of the Spot account from Spot; all in one step, as each module run costs more than all these calls together.
  - Fails with one line that names the remedy if onboarding cannot work. A check that could not be made is a warning.
  - A token that Spot refuses must never reach AWS. The first notice would get the response 401 and switch the region off.
  - To prove that a token may notify, a notice of an instance that cannot exist is posted to O(invocation_endpoint), as EventBridge
    would. The responses 401 and 403 are refusals. Any other error (400, 404, 422, 429, 5xx) proves nothing and is a warning.

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
      - The name that the resources will have.
    type: str
    required: true

extends_documentation_fragment:
  - spot.eventbridge._preflight
  - spot.eventbridge._spot_token
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

notes:
  - Needs the permission C(ec2:DescribeRegions).
  - Calls AWS in O(region), which defaults to V(us-east-1) if neither environment nor profile name one, and to a region of the same
    partition if O(regions) names regions of another one. A region that the organisation denies is replaced by another region.

seealso:
  - module: spot.eventbridge.spot_account_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Can all regions of this account be onboarded?
  spot.eventbridge.spot_preflight_info:
    spot_account: act-d7320fba
    name: spot-interruption-act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
  register: preflight
"""

RETURN = r"""
problem:
  description: The obstacle to onboarding, in one line. Empty if there is none.
  type: str
  returned: always
  sample: ""
spot_account:
  description: The Spot account.
  type: str
  returned: success
  sample: act-d7320fba
aws_account:
  description: The caller's AWS account.
  type: str
  returned: success
  sample: "123456789012"
partition:
  description: The AWS partition of the account.
  type: str
  returned: success
  sample: aws
home_region:
  description: The region that responded.
  type: str
  returned: success
  sample: us-east-1
regions:
  description: The regions in which to work.
  type: list
  elements: str
  returned: success
  sample: [eu-west-1, us-east-1]
unsupported:
  description: Enabled regions that O(unsupported_regions) leaves out.
  type: list
  elements: str
  returned: success
  sample: []
obstacles:
  description: The reasons why the token must not be written to AWS. With O(require_spot), they fail the module.
  type: list
  elements: str
  returned: success
  sample: []
  version_added: 1.0.0
checks:
  description: Spot's responses, as RV(spot.eventbridge.spot_account_info#module:checks).
  type: list
  elements: dict
  returned: success
  sample:
    - {check: spot_token, outcome: pass, message: Spot accepts the token for act-d7320fba., remedy: ""}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec, token_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.preflight import argument_spec, preflight
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "spot_account": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "unsupported_regions": {"type": "list", "elements": "str", "default": []},
            "aws_account": {"type": "str"},
            **argument_spec(),
            **client.proof_argument_spec(),
            **token_argument_spec(),
            **assume_role_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        found = preflight(module, module.params)[1]
    except ArgumentError as error:
        _fail(module, str(error))
    except Exception as error:  # an uncaught one would print its arguments, the token among them
        _fail(module, failure_of(error).message)
    module.exit_json(changed=False, **found)


def _fail(module: AnsibleAWSModule, message: str) -> None:
    module.fail_json(msg=message, problem=message)


if __name__ == "__main__":
    main()
