#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_notification

short_description: Tell people which regions were lost, repaired, or could not be repaired

version_added: 1.0.0

description:
  - Sends one message about the regions of one or more accounts through each channel that is configured, those of
    M(spot.eventbridge.spot_notification). The message has the time line of each region.
  - The entry point C(heal) of P(spot.eventbridge.spot_eventbridge#role) uses it, and records afterwards what was told, so that it is told
    once.
  - A channel that fails does not prevent the others. The module fails at its end.

options:
  news:
    description:
      - The news, as M(spot.eventbridge.spot_heal_summary) returns them.
    type: list
    elements: dict
    required: true

extends_documentation_fragment:
  - spot.eventbridge._channels
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.writes
  - spot.eventbridge._attributes.controller

attributes:
  check_mode:
    support: full
    details:
      - Shows the message and sends nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run sends the message. A message about the same losses has the same id.

seealso:
  - module: spot.eventbridge.spot_notification

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Tell that a region was repaired
  spot.eventbridge.spot_heal_notification:
    news:
      - kind: repaired
        spot_account: act-d7320fba
        aws_account: "123456789012"
        region: eu-west-1
        lost: "2026-01-01T00:00:00Z"
        seen: "2026-01-01T00:00:03Z"
        well: "2026-01-01T00:00:07Z"
        cause: ""
        why: The connection is DEAUTHORIZED.
        notices: 1
        count: 0
    file:
      folder: notifications
"""

RETURN = r"""
channels:
  description: The result of each channel, by the channel's name.
  type: dict
  returned: always
  contains:
    action:
      description: V(sent) or V(failed). In check mode, what would be done.
      type: str
      returned: always
      sample: sent
    message:
      description: The message.
      type: str
      returned: always
      sample: "Lost and repaired: …"
    reference:
      description: The name of the message in the channel, such as a ticket's key.
      type: str
      returned: always
      sample: SRE-17
    error:
      description: Why it could not be sent.
      type: str
      returned: on failure
      sample: the webhook at hooks.example.com responded with 500
failed_channels:
  description: The channels through which the message could not be sent.
  type: list
  elements: str
  returned: always
  sample: []
told:
  description: V(true) if the message was sent through at least one channel.
  type: bool
  returned: always
  sample: true
"""

import datetime
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.report import HealingReport
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.channels import configured
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.healing_record import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import Channel, ChannelError


def main() -> None:
    module = AnsibleModule(
        argument_spec={"news": {"type": "list", "elements": "dict", "required": True}, **configured.argument_spec()},
        required_one_of=[list(configured.CHANNELS)],
        supports_check_mode=True,
    )
    try:
        channels = configured.channels(module.params)
        report = HealingReport(module.params["news"], as_text(datetime.datetime.now(datetime.timezone.utc)))
        outcomes = {channel.name: _send(channel, report, module.check_mode) for channel in channels}
    except ArgumentError as error:
        module.fail_json(msg=str(error), channels={}, failed_channels=[], told=False)
    except Exception as error:  # an uncaught one would print its arguments, the secrets among them
        module.fail_json(msg=failure_of(error).message, channels={}, failed_channels=[], told=False)
    failed = [name for name, outcome in outcomes.items() if "error" in outcome]
    answer = {"changed": len(failed) < len(outcomes), "channels": outcomes, "failed_channels": failed, "told": len(failed) < len(outcomes)}
    for name, outcome in outcomes.items():
        if outcome.get("note"):
            module.warn(f"{name}: {outcome['note']}")
    if failed:
        module.fail_json(msg=configured.reasons(outcomes), **answer)
    module.exit_json(**answer)


def _send(channel: Channel, report: HealingReport, check_mode: bool) -> dict[str, t.Any]:
    outcome: dict[str, t.Any] = {"action": "sent", "message": f"{report.subject}\n\n{report.text()}", "reference": ""}
    if check_mode:
        return outcome
    try:
        delivery = channel.send(report)
    except ChannelError as error:
        return {**outcome, "action": "failed", "error": str(error)}
    return {**outcome, "reference": delivery.reference, **({"note": delivery.note} if delivery.note else {})}


if __name__ == "__main__":
    main()
