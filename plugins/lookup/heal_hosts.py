# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: heal_hosts

short_description: The hosts of a play of the playbook heal

version_added: 1.0.0

description:
  - Returns the accounts that an outage of Spot has kept waiting, as soon as Spot accepts the token of another account of the same hub.
  - For the C(hosts) of a play. Without such an account, it is a pattern that matches no host.

options:
  _terms:
    description: V(rest).
    required: true

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show the accounts
  ansible.builtin.debug:
    msg: "{{ lookup('spot.eventbridge.heal_hosts', 'rest') }}"
"""

RETURN = r"""
_raw:
  description: The hosts.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import results_of
from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import rest_of_outage

# The groups of accounts that share a hub, which the entry point heal_receive makes.
_HUBS = "spot_hub_"
_RECEIVED = "__spot_eventbridge_received"
_NOBODY = "all:!all"


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: t.Sequence[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """Return the hosts, or a pattern that matches none."""
        given = variables or {}
        hostvars = given.get("hostvars")
        if hostvars is None:
            # Without hosts, as in a check of the syntax.
            return [_NOBODY]
        found = [
            host
            for name, hosts in given["groups"].items()
            if name.startswith(_HUBS)
            for host in rest_of_outage(results_of(hosts, hostvars), hostvars.raw_get(hosts[0]).get(_RECEIVED) or {})
        ]
        return found or [_NOBODY]
