# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_junit
short_description: A report as a JUnit file
version_added: 0.1.0
description:
  - Takes the document of P(spot.eventbridge.verification_report#filter) and returns it as JUnit XML, for CI systems.
  - Each account is a test suite, each region in it a test case; one more test case is for the account as a whole.
  - A region that is not active is a failure, one without API destinations is skipped, an account that could not be verified is an
    error. Warnings are in C(system-out).
options:
  _input:
    description: The report.
    type: dict
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Let CI show what is not active
  ansible.builtin.copy:
    content: "{{ report | spot.eventbridge.verification_junit }}"
    dest: junit.xml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The XML.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._report_junit import junit


def verification_junit(report: t.Any) -> str:
    """See DOCUMENTATION."""
    if not isinstance(report, t.Mapping) or "accounts" not in report:
        raise AnsibleFilterError("verification_junit takes the report of spot.eventbridge.verification_report")
    return junit(dict(report))


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification_junit": verification_junit}
