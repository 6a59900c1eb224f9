#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_heal_queue

short_description: Receive and settle the events of a hub's queue

version_added: 1.0.0

description:
  - EventBridge sends an event to the hub when a connection or an API destination loses its authorisation. This module receives the events
    that wait in the hub's queue, grouped by the name of the integration, and later deletes or postpones them.
  - With O(state=received), nothing is deleted. An event that is not settled becomes visible again after O(visibility_timeout). So a run
    that is killed loses nothing.
  - The entry point C(heal) of P(spot.eventbridge.spot_eventbridge#role) uses it.

options:
  name:
    description:
      - The name of the hub's queue.
    type: str
    default: spot-interruption-hub
  hub_account:
    description:
      - The AWS account of the hub, twelve digits. By default, that of the credentials.
    type: str
  state:
    description:
      - If V(received), events are received. If V(settled), those of O(delete) are deleted, and those of O(postpone) become visible again
        later.
      - If V(read), no event is received, and only RV(known) is read. A queue that does not exist is not an error then.
    type: str
    choices: [received, settled, read]
    default: received
  wait:
    description:
      - How long to wait for the first event, in seconds, at most V(20). The read timeout of O(aws_config) must be longer.
    type: int
    default: 2
  visibility_timeout:
    description:
      - After how many seconds a received event is visible again if it is not settled.
    type: int
    default: 300
  limit:
    description:
      - About how many events to receive at most. SQS allows 120,000 to be in flight.
    type: int
    default: 10000
  delete:
    description:
      - The receipt handles of the events to delete.
    type: list
    elements: str
    default: []
  postpone:
    description:
      - The events to postpone.
    type: list
    elements: dict
    default: []
    suboptions:
      handle:
        description: The receipt handle.
        type: str
        required: true
      seconds:
        description: After how many seconds it is visible again.
        type: int
        required: true
  known:
    description:
      - With O(state=settled), what people know of accounts whose token Spot does not accept, as M(spot.eventbridge.spot_heal_summary)
        returns it. It is recorded in the tags C(SpotHealing), C(SpotHealing2) and so on of the queue, so that such a trouble is one
        notification and one reminder, and nothing is written to the accounts that have it.
    type: str
    default: ""

extends_documentation_fragment:
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
      - Receives all the same, as nobody knows otherwise what waits. Settles nothing, so that the events are visible again later.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run receives what is visible then.

notes:
  - Needs the permissions C(sqs:GetQueueUrl), C(sqs:GetQueueAttributes), C(sqs:ReceiveMessage), C(sqs:DeleteMessage),
    C(sqs:ChangeMessageVisibility), C(sqs:ListQueueTags) and C(sqs:TagQueue).
  - An event that is received more often than the redrive policy of the queue allows goes to the hub's dead-letter queue.

seealso:
  - module: spot.eventbridge.spot_heal_plan

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Receive what waits in the hub's queue
  spot.eventbridge.spot_heal_queue:
    region: us-east-1
  register: received

- name: Delete what is done
  spot.eventbridge.spot_heal_queue:
    region: us-east-1
    state: settled
    delete: "{{ received.messages['spot-interruption-act-d7320fba'] | default([]) | map(attribute='handle') }}"

- name: Read which accounts wait for Spot to accept their token
  spot.eventbridge.spot_heal_queue:
    region: us-east-1
    state: read
"""

RETURN = r"""
messages:
  description:
    - The events by the name of their integration. Each has V(id), V(handle), V(receives), V(aws_account), V(region), V(name), V(change) and
      V(time).
  type: dict
  returned: success
  sample:
    spot-interruption-act-d7320fba:
      - id: 7c2d1b6e-5f0c-4d0e-9f63-0d1f0a8a4d11
        handle: AQEB…
        receives: 1
        aws_account: "123456789012"
        region: eu-west-1
        name: spot-interruption-act-d7320fba
        change: Connection Deauthorized
        time: "2026-01-01T00:00:00Z"
unreadable:
  description: The messages that are not such events, each with V(id), V(handle), V(receives) and V(why).
  type: list
  elements: dict
  returned: success
  sample: []
count:
  description: How many messages were received.
  type: int
  returned: success
  sample: 1
postponed:
  description: About how many messages were received by earlier runs and wait for their next attempt.
  type: int
  returned: success
  sample: 0
known:
  description: What people know of accounts whose token Spot does not accept. Empty if nothing was received.
  type: str
  returned: success
  sample: ""
known_accounts:
  description: The Spot accounts in RV(known). They may have lost more regions than events say.
  type: list
  elements: str
  returned: success
  sample: [act-d7320fba]
failed_messages:
  description: Why messages could not be deleted or postponed. They become visible again.
  type: list
  elements: str
  returned: success
  sample: []
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import DEFAULT_HOME_REGION, Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    ArgumentError,
    check_aws_account,
    check_name,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._heal import queue
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.known import waiting_accounts
from ansible_collections.spot.eventbridge.plugins.module_utils._heal.messages import Message, Unreadable, by_name

_NOTHING: dict[str, t.Any] = {
    "changed": False,
    "messages": {},
    "unreadable": [],
    "count": 0,
    "postponed": 0,
    "known": "",
    "known_accounts": [],
    "failed_messages": [],
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "default": "spot-interruption-hub"},
            "hub_account": {"type": "str"},
            "state": {"type": "str", "choices": ["received", "settled", "read"], "default": "received"},
            "wait": {"type": "int", "default": 2},
            "visibility_timeout": {"type": "int", "default": 300},
            "limit": {"type": "int", "default": 10000},
            "delete": {"type": "list", "elements": "str", "default": []},
            "postpone": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"handle": {"type": "str", "required": True}, "seconds": {"type": "int", "required": True}},
            },
            "known": {"type": "str", "default": ""},
            **assume_role_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        answer = _answer(module)
    except ArgumentError as error:
        module.fail_json(msg=str(error))
    except Exception as error:
        failure = failure_of(error)
        module.fail_json(msg=f"The hub's queue {module.params['name']}: {failure.code}: {failure.message}")
    if answer["postponed"]:
        module.warn(f"{answer['postponed']} event(s) that earlier runs could not finish wait in the hub's queue for their next attempt.")
    module.exit_json(**answer)


def _answer(module: AnsibleAWSModule) -> dict[str, t.Any]:
    params = module.params
    name = check_name(params["name"], QUEUE_NAME)
    hub_account = check_aws_account(params["hub_account"]) if params["hub_account"] else None
    region = Regions(module, ("sqs",), default_region=DEFAULT_HOME_REGION).home(("sqs",))
    if params["state"] == "settled":
        return _settle(params, region, name, hub_account, module.check_mode)
    if params["state"] == "read":
        return {**_NOTHING, **_known(queue.read_known_of(region, name, hub_account))}
    url = queue.queue_url(region, name, hub_account)
    found, in_flight = queue.receive(
        region,
        url,
        wait=params["wait"],
        visibility=params["visibility_timeout"],
        most=params["limit"],
        seconds=params["visibility_timeout"] / 4,
    )
    return {
        **_NOTHING,
        "messages": by_name(message for message in found if isinstance(message, Message)),
        "unreadable": [message.as_dict() for message in found if isinstance(message, Unreadable)],
        "count": len(found),
        "postponed": max(0, in_flight - len(found)),
        **_known(queue.read_known(region, url) if found else ""),
    }


def _known(text: str) -> dict[str, t.Any]:
    return {"known": text, "known_accounts": sorted(waiting_accounts(text))}


def _settle(params: t.Mapping[str, t.Any], region: Region, name: str, hub_account: str | None, check_mode: bool) -> dict[str, t.Any]:
    pauses = {message["handle"]: message["seconds"] for message in params["postpone"]}
    failed: list[str] = []
    if (params["delete"] or pauses or params["known"]) and not check_mode:
        url = queue.queue_url(region, name, hub_account)
        if params["known"]:
            queue.write_known(region, url, params["known"])
        failed = [*queue.delete(region, url, params["delete"]), *queue.postpone(region, url, pauses)]
    return {**_NOTHING, "changed": bool(params["delete"]), "failed_messages": failed}


if __name__ == "__main__":
    main()
