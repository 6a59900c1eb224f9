# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: onboarded_account
short_description: What came of onboarding an account
version_added: 1.0.0
description:
  - Turns the results of preflight and of M(spot.eventbridge.spot_integration) into what the role leaves in
    C(spot_eventbridge_result).
positional: preflight, host, spot_account, predicted
options:
  _input:
    description: The result of M(spot.eventbridge.spot_integration) or M(spot.eventbridge.spot_stack), failed, skipped or not.
    type: dict
    required: true
  preflight:
    description: The result of M(spot.eventbridge.spot_preflight_info), failed or not.
    type: dict
    required: true
  host:
    description: The inventory host.
    type: str
    required: true
  spot_account:
    description: The Spot account.
    type: str
    required: true
  predicted:
    description: Whether it was check mode, so that nothing was done.
    type: bool
    default: false
  takeover:
    description:
      - What was done about the integrations that were there already. C(existing) is a list of them, each with its C(region), as the modules
        return it. C(test_event) is the result of M(spot.eventbridge.spot_test_event), empty where no proof was needed.
        C(removals) are the results of the modules that removed them.
    type: dict
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Gather what came of it
  ansible.builtin.set_fact:
    outcome: >-
      {{ integration | spot.eventbridge.onboarded_account(preflight=preflight, host=inventory_hostname, spot_account='act-d7320fba') }}
"""

RETURN = r"""
_value:
  description: What the roles leave in C(spot_eventbridge_result).
  type: dict
  contains:
    host:
      description: The inventory host.
      type: str
      returned: always
      sample: production
    spot_account:
      description: The Spot account.
      type: str
      returned: always
      sample: act-d7320fba
    aws_account:
      description: The AWS account. V(none) if it could not be found out.
      type: str
      returned: always
      sample: "123456789012"
    rows:
      description: One for each region, worst first.
      type: list
      elements: dict
      returned: always
      contains:
        region:
          description: The region.
          type: str
          returned: always
          sample: eu-west-1
        status:
          description: Its status, such as V(active).
          type: str
          returned: always
          sample: active
        changed:
          description: Whether something was changed there.
          type: bool
          returned: always
          sample: true
        done:
          description: What was done there, in words.
          type: str
          returned: always
          sample: created
        reason:
          description: Why it is not as it should be, or what to know of it; empty if there is nothing to say.
          type: str
          returned: always
          sample: ""
        summary:
          description: Region, status and reason in one line.
          type: str
          returned: always
          sample: eu-west-1 active
    notes:
      description: What else to know, such as what was done to the execution role.
      type: list
      elements: str
      returned: always
      sample: [execution role created]
    failed_regions:
      description: The regions that are not as they should be.
      type: list
      elements: str
      returned: always
      sample: []
    error:
      description: Why the account failed as a whole, in one line; empty if it did not.
      type: str
      returned: always
      sample: ""
    problem:
      description: Why it failed, as a whole or in some regions, in one line; empty if it did not.
      type: str
      returned: always
      sample: ""
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _onboarding


def onboarded_account(
    integration: t.Any,
    preflight: t.Mapping[str, t.Any],
    host: str,
    spot_account: str,
    predicted: bool = False,
    *,
    takeover: t.Mapping[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(integration, t.Mapping):
        raise AnsibleFilterError("onboarded_account takes the result of spot_integration")
    return _onboarding.onboarded(integration, preflight, host=host, spot_account=spot_account, predicted=predicted, takeover=takeover)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"onboarded_account": onboarded_account}
