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
      - The Spot account that shall receive the warnings, such as V(act-d7320fba).
      - Required with O(state=present).
    type: str
  kms_key_identifier:
    description:
      - The KMS key that protects the connection's secret. Without it, the key stays as it is, at first the one AWS owns; a key that
        EventBridge cannot use is taken off.
      - An empty text returns to the key that AWS owns.
      - A customer managed key in the region of the connection, with the tag C(EventBridgeApiDestinations=true). Keys that AWS manages,
        such as C(alias/aws/secretsmanager), are refused; so is the ARN of another region.
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
"""

    API_DESTINATION = r"""
options:
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
"""

    RULE = r"""
options:
  role_arn:
    description:
      - The execution role. C(events.amazonaws.com) must be allowed to assume it, and it must be allowed
        C(events:InvokeApiDestination) on the API destination.
      - Without one, EventBridge calls no API destination.
      - AWS accepts a target whose role does not exist. So the role is read before anything is changed. If it does not exist, has another
        ARN, is in another AWS account, or does not trust C(events.amazonaws.com), the module fails, and touches no region. In check mode,
        a role that does not exist is a warning.
      - If its policies do not allow it to send to the API destination, the region fails after it was worked on, as a role may be given
        the permission when the API destination exists.
      - If the caller may not read the role, or a condition can be evaluated by AWS alone, that is a warning.
    type: str
  role_settle_time:
    description:
      - The time after its creation in which EventBridge may not be able to assume the execution role, in seconds.
      - EventBridge does not deliver a warning again that it could not deliver for want of the role. So the rule is made or changed after
        this time, once for all regions; until then, Spot polls. A role that is older, and check mode, are not waited for.
      - AWS does not document how long this time is. CloudFormation takes 18 seconds to make a role.
      - Without it, the environment variable E(SPOT_EVENTBRIDGE_ROLE_SETTLE_TIME) counts. O(wait) has no effect on it.
    type: float
    default: 20
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
"""

    QUEUE = r"""
options:
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
"""

    DESCRIPTION = r"""
options:
  description:
    description:
      - What the resource is for, at most 512 characters.
    type: str
    default: Sends EC2 spot interruption warnings to Spot. Managed by the Ansible collection spot.eventbridge.
"""

    AWS_ACCOUNT = r"""
options:
  aws_account:
    description:
      - The AWS account, twelve digits.
      - By default, the caller's, which takes a call to find out.
    type: str
"""
