# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_report
short_description: What was found in all accounts, as one document
version_added: 1.0.0
description:
  - Takes C(spot_eventbridge_verify_result) of all hosts and returns the document that C(report.json) holds, worst accounts first,
    with a summary.
  - Its JSON schema is C(roles/spot_eventbridge/files/report.schema.json).
seealso:
  - plugin: spot.eventbridge.verification_files
    plugin_type: filter
positional: generated, version
options:
  _input:
    description: What the role P(spot.eventbridge.spot_eventbridge#role) left on the hosts.
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
  description: The document.
  type: dict
  contains:
    schema_version:
      description: Counted up when a reader of the last one could no longer read it.
      type: int
      returned: always
      sample: 1
    generated:
      description: When it was found, ISO 8601 with time zone.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05Z"
    collection:
      description: This collection.
      type: dict
      returned: always
      contains:
        name:
          description: V(spot.eventbridge).
          type: str
          returned: always
          sample: spot.eventbridge
        version:
          description: Its version. V(none) if it was not given.
          type: str
          returned: always
          sample: 1.0.0
    summary:
      description: All accounts in numbers.
      type: dict
      returned: always
      contains:
        accounts:
          description: How many accounts there are.
          type: int
          returned: always
          sample: 1
        regions:
          description: How many regions they have.
          type: int
          returned: always
          sample: 17
        by_status:
          description: How many regions have each status.
          type: dict
          returned: always
          sample: {unknown: 0, inactive: 1, incomplete: 0, absent: 0, drifted: 0, unsupported: 0, active: 16}
        wanted_active:
          description: Whether all that is desired works.
          type: bool
          returned: always
          sample: false
    accounts:
      description: As in RV(spot.eventbridge.verification#filter:_value).
      type: list
      elements: dict
      returned: always
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _report


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
