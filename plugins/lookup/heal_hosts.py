# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: heal_hosts

short_description: The hosts of a play of the playbook heal

version_added: 1.0.0

description:
  - For the C(hosts) of a play, after the entry point C(heal_receive) of P(spot.eventbridge.spot_eventbridge#role). Each task of a play
    costs a process for each account, so a play is for those alone that have something to do.
  - Without such an account, it is a pattern that matches no host.

options:
  _terms:
    description:
      - V(work) for the accounts of which events were received, or which have no result for another reason.
      - V(rest) for the accounts that an outage of Spot has kept waiting, as soon as Spot accepts the token of another account of the same
        hub that has waited, or of any, if the outage was first noticed in this run.
      - V(settle) for the first account of each hub, and those with a repair to be recorded.
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
from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import rest_of_outage, to_settle

# The groups of accounts that share a hub, which the entry point heal_receive makes.
_HUBS = "spot_hub_"
# What the first host of such a group received.
_RECEIVED = "__spot_eventbridge_queue"
_NOBODY = "all:!all"
_CHOICES: dict[str, t.Callable[[dict[str, t.Any], t.Mapping[str, t.Any]], list[str]]] = {
    "work": lambda results, _received: [host for host, result in results.items() if result is None],
    "rest": rest_of_outage,
    "settle": lambda results, _received: to_settle(results),
}


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: t.Sequence[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """Return the hosts, or a pattern that matches none."""
        given = variables or {}
        hostvars = given.get("hostvars")
        if hostvars is None:
            # Without hosts, as in a check of the syntax.
            return [_NOBODY]
        choose = _CHOICES[terms[0]]
        found = [
            host
            for name, hosts in given["groups"].items()
            if name.startswith(_HUBS)
            for host in choose(results_of(hosts, hostvars), hostvars.raw_get(hosts[0]).get(_RECEIVED) or {})
        ]
        return found or [_NOBODY]
