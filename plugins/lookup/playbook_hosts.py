# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: playbook_hosts

short_description: The hosts of the first play of a playbook of this collection

version_added: 1.0.0

description:
  - Returns the pattern of the hosts with which a playbook of this collection begins, as a list of one.
  - Ansible does not fail a play without tasks. So this plugin fails if options of C(ansible-playbook) leave nothing to do, such as
    C(--limit), C(--skip-tags always), C(--skip-tags tagged) and C(--start-at-task).

options:
  _terms:
    description: V(accounts) for a playbook that works on accounts, V(stack_set) for the one of the stack set.
    required: true

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show the hosts of the first play
  ansible.builtin.debug:
    msg: "{{ lookup('spot.eventbridge.playbook_hosts', 'accounts') }}"
"""

RETURN = r"""
_raw:
  description: The pattern, as the only entry.
  type: list
  elements: str
"""

import typing as t

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

# Tags of a play with which ansible-playbook leaves it out.
_OF_PLAYS = ("always", "tagged")


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: t.Sequence[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """Return the pattern, as the only entry."""
        given = variables or {}
        nothing = _nothing_to_do(given, terms[0] == "stack_set")
        if nothing:
            raise AnsibleLookupError(nothing)
        # With a limit, the play has the hosts that the limit leaves, as it may leave out localhost.
        return ["localhost" if given.get("ansible_limit") is None or terms[0] == "stack_set" else "all:localhost"]


def _nothing_to_do(variables: t.Mapping[str, t.Any], of_stack_set: bool) -> str:
    """Return why the options of a run leave nothing to do; empty if they leave something."""
    skipped = variables.get("ansible_skip_tags") or []
    options = [f"--skip-tags {tag}" for tag in _OF_PLAYS if tag in skipped]
    # Without the accounts that the first tasks find, the other plays have no hosts.
    options += ["--start-at-task"] if context.CLIARGS.get("start_at_task") else []
    if options:
        return f"With {options[0]}, nothing would be done. Leave it out."
    limit = variables.get("ansible_limit")
    if limit is None or "localhost" in limit:
        return ""
    if of_stack_set:
        return (
            f"A stack set is one for all of its accounts, and the limit {limit} leaves out localhost. Run it without --limit, and choose"
            " accounts by the inventory, spot_accounts or spot_eventbridge_stack_set_excluded_accounts."
        )
    return "" if variables["groups"]["all"] else f"The inventory has no hosts, so the limit {limit} leaves no account. Check the inventory."
