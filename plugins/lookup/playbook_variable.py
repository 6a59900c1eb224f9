# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: playbook_variable

short_description: A variable that was given to a playbook of this collection

version_added: 1.0.0

description:
  - Returns the first of several variables that was given to a playbook of this collection, as a list of one; an empty list if none was.
  - A name such as C(regions) or C(state) is in many inventories for other reasons. So a plain name counts only as an extra variable
    (C(-e), C(-e @file)).
  - C(spot_account), C(spot_token), C(spot_api_url), C(aws_account), C(aws_profile), C(aws_role_arn), C(aws_external_id),
    C(aws_role_session_name), and names that begin with C(spot_eventbridge_), also count as variables of the host.
  - Variables of a play do not count. The playbooks set C(spot_eventbridge_*) variables by this plugin, and would see their own.

options:
  _terms:
    description: The names of the variables. The first one that was given counts.
    required: true

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show the regions of a run, whatever a variable "regions" of the inventory is for
  ansible.builtin.debug:
    msg: "{{ lookup('spot.eventbridge.playbook_variable', 'regions', 'spot_eventbridge_regions') | default('all', true) }}"
"""

RETURN = r"""
_raw:
  description: The value, as the only entry; nothing if none of the variables was given.
  type: list
  elements: raw
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars

# The variables that the inventory of a fleet sets for each account.
OF_HOSTS = frozenset(
    {
        "spot_account",
        "spot_token",
        "spot_api_url",
        "aws_account",
        "aws_profile",
        "aws_role_arn",
        "aws_external_id",
        "aws_role_session_name",
    }
)
OURS = "spot_eventbridge_"


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: t.Sequence[str], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        """Return the value of the first variable that was given, as the only entry."""
        extra = load_extra_vars(self._loader)
        host: t.Mapping[str, t.Any] | None = None
        for name in terms:
            if name in extra:
                return [self._templar.template(extra[name])]
            if name in OF_HOSTS or name.startswith(OURS):
                if host is None:
                    host = _variables_of_host(variables or {})
                if name in host:
                    return [self._templar.template(host[name])]
        return []


def _variables_of_host(variables: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """Return the variables of the host without those of the play; none outside a task, as in the `hosts` of a play."""
    hostvars, name = variables.get("hostvars"), variables.get("inventory_hostname")
    return {} if hostvars is None or name is None else t.cast("t.Mapping[str, t.Any]", hostvars.raw_get(name))
