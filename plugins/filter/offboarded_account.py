# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: offboarded_account
short_description: What came of offboarding an account
version_added: 1.0.0
description:
  - Turns the results of preflight and of M(spot.eventbridge.spot_integration) into what the role leaves in
    C(spot_eventbridge_result).
positional: preflight, host, spot_account, predicted
options:
  _input:
    description: The result of M(spot.eventbridge.spot_integration), failed, skipped or not.
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
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Gather what came of it
  ansible.builtin.set_fact:
    outcome: >-
      {{ integration | spot.eventbridge.offboarded_account(preflight=preflight, host=inventory_hostname, spot_account='act-d7320fba') }}
"""

RETURN = r"""
_value:
  description: As in RV(spot.eventbridge.onboarded_account#filter:_value).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _onboarding


def offboarded_account(
    integration: t.Any, preflight: t.Mapping[str, t.Any], host: str, spot_account: str, predicted: bool = False
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(integration, t.Mapping):
        raise AnsibleFilterError("offboarded_account takes the result of spot_integration")
    return _onboarding.offboarded(integration, preflight, host=host, spot_account=spot_account, predicted=predicted)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"offboarded_account": offboarded_account}
