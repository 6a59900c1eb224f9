# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_files
short_description: What was found in all accounts, as the files of the report
version_added: 1.0.0
description:
  - Takes C(spot_eventbridge_verify_result) of all hosts and returns the texts of C(report.json), C(junit.xml) and C(report.html).
  - C(report.json) is the document of P(spot.eventbridge.verification_report#filter).
  - In C(junit.xml), for CI systems, each account is a test suite and each region in it a test case; one more test case is for the
    account as a whole. A region that is not active is a failure, one without API destinations is skipped, an account that could
    not be verified is an error. Warnings are in C(system-out).
  - C(report.html), for people, needs nothing besides, and makes no request.
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
    required: true
  skeleton:
    description: The frame of the page, C(report.html) of the role P(spot.eventbridge.spot_eventbridge#role).
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
seealso:
  - plugin: spot.eventbridge.verification_report
    plugin_type: filter
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Make all files, in a task of the role spot_eventbridge
  ansible.builtin.set_fact:
    files: >-
      {{ found | spot.eventbridge.verification_files(now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ'), '0.1.0',
                                                     skeleton=lookup('ansible.builtin.file', 'report.html'),
                                                     style=lookup('ansible.builtin.file', 'report.css'),
                                                     script=lookup('ansible.builtin.file', 'report.js')) }}
"""

RETURN = r"""
_value:
  description: The text of each file, under the file's name.
  type: dict
  sample: {report.json: "{…}", junit.xml: "<testsuites>…", report.html: "<!doctype html>…"}
"""

import json
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.plugin_utils._report import verification_report
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report_junit import junit
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report_page import page


def verification_files(accounts: t.Any, generated: str, version: str, *, skeleton: str, style: str, script: str) -> dict[str, str]:
    """See DOCUMENTATION."""
    try:
        report = verification_report(accounts, generated, version)
    except ValueError as error:
        raise AnsibleFilterError(f"verification_files: {error}") from error
    return {
        "report.json": json.dumps(report, indent=1) + "\n",
        "junit.xml": junit(report),
        "report.html": page(report, skeleton, style, script),
    }


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"verification_files": verification_files}
