# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failed_account
short_description: What came of an account for which a task failed
version_added: 1.0.0
description:
  - Makes what the roles leave in C(spot_eventbridge_result), where they could not do it themselves.
positional: host, spot_account
options:
  _input:
    description: The result of the task that failed, C(ansible_failed_result).
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
- name: Remember why it could not be done
  ansible.builtin.set_fact:
    outcome: "{{ ansible_failed_result | spot.eventbridge.failed_account(host=inventory_hostname, spot_account='act-d7320fba') }}"
"""

RETURN = r"""
_value:
  description: As in RV(spot.eventbridge.onboarded_account#filter:_value).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _account


def failed_account(failure: t.Any, host: str, spot_account: str) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(failure, t.Mapping):
        raise AnsibleFilterError("failed_account takes the result of a task that failed")
    return _account.failed(failure, host=host, spot_account=spot_account)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"failed_account": failed_account}
