# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    # The options that the module of one resource shares with that of the whole integration.
    CONNECTION = r"""
options:
  spot_account:
    description:
      - The Spot account that receives the interruption notices, such as V(act-d7320fba).
      - Required with O(state=present).
    type: str
  kms_key_identifier:
    description:
      - The KMS key that protects the connection's secret. Without it, the key stays as it is, for a new connection the key that AWS owns; a key
        that EventBridge cannot use is removed.
      - An empty text returns to the key that AWS owns.
      - It must be a customer managed key in the region of the connection, with the tag C(EventBridgeApiDestinations=true). Keys that AWS manages,
        such as C(alias/aws/secretsmanager), are refused; so is the ARN of another region.
    type: str
  update_token:
    description:
      - The condition for writing the token of an existing connection.
      - V(changed) compares it with the one in the connection's managed secret. If the caller may not read that secret,
        the token is not compared, and there is a warning.
      - V(always) writes it in every run, and so reports a change in every run.
      - V(on_create) does not write it.
    type: str
    choices: [changed, always, on_create]
    default: changed
"""

    API_DESTINATION = r"""
options:
  invocation_endpoint:
    description:
      - The address of Spot to which notices are sent. Plain HTTP is accepted for loopback only.
    type: str
    default: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
  invocation_rate_limit_per_second:
    description:
      - The maximum number of notices per second; AWS delays further ones.
    type: int
    default: 300
"""

    RULE = r"""
options:
  role_arn:
    description:
      - The execution role. C(events.amazonaws.com) must be allowed to assume it, and it must be allowed
        C(events:InvokeApiDestination) on the API destination.
      - Without one, EventBridge calls no API destination.
      - AWS accepts a target whose role does not exist. So the role is read before anything is changed. If it does not exist, has another
        ARN, is in another AWS account, or does not trust C(events.amazonaws.com), the module fails before any region is changed. In check
        mode, a role that does not exist is a warning.
      - If its policies do not allow it to send to the API destination, the region fails after its changes, as the permission may be
        granted once the API destination exists.
      - If the caller may not read the role, or a condition can be evaluated by AWS alone, that is a warning.
    type: str
  role_settle_time:
    description:
      - The time after its creation in which EventBridge may not be able to assume the execution role, in seconds.
      - EventBridge does not retry a notice that it could not deliver because it could not assume the role. So the rule is created or
        changed after this time, once for all regions; until then, Spot polls. There is no wait for an older role, nor in check mode.
      - AWS does not document this time. CloudFormation takes 18 seconds to create a role.
      - Without it, the environment variable E(SPOT_EVENTBRIDGE_ROLE_SETTLE_TIME) is used. O(wait) has no effect on it.
    type: float
    default: 20
  maximum_event_age_in_seconds:
    description:
      - The time after which AWS gives up the delivery of a notice, in seconds, 60 to 86400.
      - EC2 interrupts the instance two minutes after the notice.
    type: int
    default: 120
  maximum_retry_attempts:
    description:
      - The number of attempts after which AWS gives up the delivery of a notice, 0 to 185.
    type: int
    default: 185
  target_id:
    description:
      - The id of this collection's target in the rule.
    type: str
    default: spot
"""

    QUEUE = r"""
options:
  message_retention_period:
    description:
      - The time that a message is kept, in seconds, 60 to 1209600.
    type: int
    default: 1209600
  delete_messages:
    description:
      - If V(true), O(state=absent) removes a queue also if it holds messages, and its messages with it.
    type: bool
    default: false
"""

    DESCRIPTION = r"""
options:
  description:
    description:
      - The description of the resource, at most 512 characters.
    type: str
    default: Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.
"""

    AWS_ACCOUNT = r"""
options:
  aws_account:
    description:
      - The AWS account, twelve digits.
      - By default, that of the caller, which is read with one call.
    type: str
"""
