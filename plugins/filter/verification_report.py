# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_report
short_description: What was found in all accounts, as one document
version_added: 0.1.0
description:
  - Takes C(spot_eventbridge_verify_result) of all hosts and returns the document that C(report.json) holds, worst accounts first,
    with a summary.
  - Its JSON schema is C(roles/spot_eventbridge_verify/files/report.schema.json).
seealso:
  - plugin: spot.eventbridge.verification_files
    plugin_type: filter
positional: generated, version
options:
  _input:
    description: What the role P(spot.eventbridge.spot_eventbridge_verify#role) left on the hosts.
    type: list
    elements: dict
    required: true
  generated:
    description: When it was found, ISO 8601 with time zone.
    type: str
    required: true
  version:
    description: The version of the collection.
    type: str
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Write a report of one's own
  ansible.builtin.copy:
    content: "{{ found | spot.eventbridge.verification_report(now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ')) | to_nice_json }}"
    dest: report.json
    mode: "0644"
  vars:
    found: "{{ ansible_play_hosts_all | map('extract', hostvars, 'spot_eventbridge_verify_result') }}"
"""

RETURN = r"""
_value:
  description: The document with C(schema_version), C(generated), C(collection), C(summary) and C(accounts).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils import _report


def verification_report(accounts: t.Any, generated: str, version: str | None = None) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    try:
        return _report.verification_report(accounts, generated, version)
    except ValueError as error:
        raise AnsibleFilterError(f"verification_report: {error}") from error


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification_report": verification_report}
