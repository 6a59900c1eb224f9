# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_html
short_description: A report as a page for people
version_added: 0.1.0
description:
  - Takes the document of P(spot.eventbridge.verification_report#filter) and returns it as one HTML file that needs nothing besides,
    and makes no request.
positional: skeleton, style, script
options:
  _input:
    description: The report.
    type: dict
    required: true
  skeleton:
    description: The frame of the page, C(report.html) of the role P(spot.eventbridge.spot_eventbridge_verify#role).
    type: str
    required: true
  style:
    description: Its CSS, C(report.css) of that role.
    type: str
    required: true
  script:
    description: Its JavaScript, C(report.js) of that role.
    type: str
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Write the page, in a task of the role spot_eventbridge_verify
  ansible.builtin.copy:
    content: >-
      {{ report | spot.eventbridge.verification_html(lookup('ansible.builtin.file', 'report.html'),
                                                     lookup('ansible.builtin.file', 'report.css'),
                                                     lookup('ansible.builtin.file', 'report.js')) }}
    dest: report.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The HTML.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._report_page import page


def verification_html(report: t.Any, skeleton: str, style: str, script: str) -> str:
    """See DOCUMENTATION."""
    if not isinstance(report, t.Mapping) or "accounts" not in report:
        raise AnsibleFilterError("verification_html takes the report of spot.eventbridge.verification_report")
    return page(dict(report), skeleton, style, script)


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification_html": verification_html}
