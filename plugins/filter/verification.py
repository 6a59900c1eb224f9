# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification
short_description: What was found in an account
version_added: 1.0.0
description:
  - Turns the results of preflight and of M(spot.eventbridge.spot_integration_info) into what the role
    P(spot.eventbridge.spot_eventbridge#role) leaves in C(spot_eventbridge_verify_result).
positional: preflight, host, spot_account
options:
  _input:
    description: The result of M(spot.eventbridge.spot_integration_info), failed, skipped or not.
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
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Keep what was found
  ansible.builtin.set_fact:
    found: "{{ info | spot.eventbridge.verification(preflight=preflight, host=inventory_hostname, spot_account='act-d7320fba') }}"
"""

RETURN = r"""
_value:
  description: What the role P(spot.eventbridge.spot_eventbridge#role) leaves in C(spot_eventbridge_verify_result).
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
    error:
      description: Why nothing could be found out. V(none) if something was.
      type: str
      returned: always
      sample:
    checks:
      description: As in RV(spot.eventbridge.spot_preflight_info#module:checks).
      type: list
      elements: dict
      returned: always
    regions:
      description: As in RV(spot.eventbridge.spot_integration_info#module:regions).
      type: dict
      returned: always
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _verification


def verification(info: t.Any, preflight: t.Mapping[str, t.Any], host: str, spot_account: str) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(info, t.Mapping):
        raise AnsibleFilterError("verification takes the result of spot_integration_info")
    return _verification.verification_of(info, preflight, host=host, spot_account=spot_account)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification": verification}
