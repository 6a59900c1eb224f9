#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_notification

short_description: Notify Spot's operators once of the regions that send interruption notices

version_added: 1.0.0

description:
  - After onboarding, Spot's operators enable monitoring and confirm a feature flag. This module notifies them, with all that they
    need to know, through a file, a webhook, an e-mail or a ticket.
  - Each notification is recorded, with channel and time, in a tag of each region's rule, C(SpotNotification). So Spot's operators are
    notified of a region once through each channel, from whichever machine the module runs; a later notification names only the regions
    that were added.
  - A channel that fails does not stop the others. Its regions stay untagged, so that the next run tries again, and the module fails
    at its end.
  - If a run is killed between sending and tagging, the next run sends again, with the same id. A notification arrives at least once.

options:
  name:
    description:
      - The name of the integration's rule, which keeps the tag.
    type: str
    required: true
  stack_name:
    description:
      - The CloudFormation stack that holds the integration. The rule's name is read from the stack, instead of O(name). Needs
        C(cloudformation:DescribeStacks) and C(cloudformation:DescribeStackResources).
    type: str
  spot_account:
    description:
      - The Spot account, such as V(act-d7320fba).
    type: str
    required: true
  organization:
    description:
      - Spot's id of the organisation.
      - By default, it is read from Spot, if O(spot_token) is given and may list accounts.
    type: str
  statuses:
    description:
      - The status of each region by its name. Spot's operators are notified of those that are V(active); the others are listed.
    type: dict
    required: true
  feature_flag:
    description:
      - The feature flag that Spot's operators are to confirm.
    type: str
    default: aws-detach-instances-that-got-interruption-notification
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
  - spot.eventbridge._resources.aws_account
  - spot.eventbridge._channels
  - spot.eventbridge._spot_token
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.controller
  - spot.eventbridge._attributes.actiongroup_aws
  - spot.eventbridge._regions.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3

attributes:
  check_mode:
    support: full
    details:
      - Shows the message and sends nothing.
  diff_mode:
    support: full
    details:
      - The diff is a list with the message of each channel that sends.
  idempotent:
    support: full

notes:
  - Needs the permissions C(events:ListTagsForResource) and C(events:TagResource).
  - A rule that is created or changed with C(purge_tags=true) and without this tag loses the record of its notifications.

seealso:
  - module: spot.eventbridge.spot_integration_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Ask Spot's operators to enable monitoring
  spot.eventbridge.spot_notification:
    name: spot-interruption-act-d7320fba
    spot_account: act-d7320fba
    statuses: {us-east-1: active, eu-west-1: active}
    webhook:
      url: "{{ vault_webhook_url }}"
    jira:
      url: https://example.atlassian.net
      user: operator@example.com
      token: "{{ vault_jira_token }}"
      project: SRE
"""

RETURN = r"""
channels:
  description: The result of each channel, by the channel's name.
  type: dict
  returned: always
  contains:
    action:
      description: V(sent), V(failed) or V(unchanged). In check mode, the predicted action.
      type: str
      returned: always
      sample: sent
    regions:
      description: The regions that are new to this channel.
      type: list
      elements: str
      returned: always
      sample: [us-east-1]
    message:
      description: The message, empty where nothing is new.
      type: str
      returned: always
      sample: AWS now sends EC2 Spot interruption notices to Spot for account act-d7320fba. …
    reference:
      description: The channel's own reference, such as a ticket's key.
      type: str
      returned: always
      sample: SRE-17
    note:
      description: A note on a message that was sent, such as that Jira refused the labels.
      type: str
      returned: if there is something to know
      sample: "Jira refused the labels, so the ticket has none: Field 'labels' cannot be set."
    error:
      description: The reason why it could not be sent, or not be recorded.
      type: str
      returned: on failure
      sample: the webhook at hooks.example.com responded with 500
failed_channels:
  description: The channels that failed, or could not be recorded in a region.
  type: list
  elements: str
  returned: always
  sample: []
"""

import datetime
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import ACTIVE
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_aws_account,
    check_name,
    check_spot_account,
    check_stack_name,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.channels import configured
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import Channel, Notification
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.sending import Ledger, notify
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.feature_flag import DEFAULT_FLAG


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "stack_name": {"type": "str"},
            "spot_account": {"type": "str", "required": True},
            "aws_account": {"type": "str"},
            "organization": {"type": "str"},
            "statuses": {"type": "dict", "required": True},
            "feature_flag": {"type": "str", "default": DEFAULT_FLAG},
            **configured.argument_spec(),
            **client.argument_spec(),
            **assume_role_argument_spec(),
        },
        required_one_of=[list(configured.CHANNELS)],
        supports_check_mode=True,
    )
    try:
        answer = _answer(module)
    except ArgumentError as error:
        module.fail_json(msg=str(error))
    except Exception as error:  # an uncaught one would print its arguments, the secrets among them
        module.fail_json(msg=failure_of(error).message)
    for name, outcome in answer["channels"].items():
        if outcome.get("note"):
            module.warn(f"{name}: {outcome['note']}")
    if answer["failed_channels"]:
        module.fail_json(msg=configured.reasons(answer["channels"]), **answer)
    module.exit_json(**answer)


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params = module.params
    spot_account, name = check_spot_account(params["spot_account"]), check_name(params["name"])
    channels = configured.channels(params)
    statuses = {str(region): str(status) for region, status in params["statuses"].items()}
    active = sorted(region for region, status in statuses.items() if status == ACTIVE)
    if not active:
        return _result([], {})
    regions = Regions(module, ("events",), active)
    aws_account = check_aws_account(params["aws_account"]) if params["aws_account"] else regions.aws_account()
    stack_name = check_stack_name(params["stack_name"]) if params["stack_name"] else ""
    ledger = Ledger(regions, aws_account, name, spot_account, stack_name)
    ledger.read()
    notification = Notification(
        spot_account=spot_account,
        aws_account=aws_account,
        organization=client.organization_of(params, spot_account, aws_account) if _is_new(ledger, channels) else "",
        regions=(),
        statuses=statuses,
        time=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        flag=params["feature_flag"],
    )
    outcomes = notify(ledger, channels, notification, check_mode=module.check_mode)
    unread = [f"{region}: {failure.code}: {failure.message}" for region, failure in ledger.unread().items()]
    for outcome in outcomes.values():
        if unread:
            outcome["error"] = "; ".join([*([outcome["error"]] if "error" in outcome else []), *unread])
    return _result(channels, outcomes)


def _is_new(ledger: Ledger, channels: t.Iterable[Channel]) -> bool:
    return any(ledger.new(channel.name) for channel in channels)


def _result(channels: t.Sequence[Channel], outcomes: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    sent = [(name, outcome) for name, outcome in outcomes.items() if outcome["action"] == "sent"]
    return {
        "changed": bool(sent),
        "channels": outcomes,
        "failed_channels": [channel.name for channel in channels if "error" in outcomes[channel.name]],
        "diff": [{"before_header": name, "after_header": name, "before": "", "after": f"{outcome['message']}\n"} for name, outcome in sent],
    }


if __name__ == "__main__":
    main()
