#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_fleet_report

short_description: End a run over accounts with a table and a report

version_added: 1.0.0

description:
  - Shows a table of all hosts of the play that names the failed ones first, and writes what was verified as files.
  - Takes the variable C(spot_eventbridge_result) of each host, which is the registered result of
    M(spot.eventbridge.spot_account_report). A host without it did not complete, and counts as failed.
  - Runs on the controller, once for all hosts with C(run_once), and calls neither AWS nor Spot.

options:
  report_dir:
    description:
      - A folder on the controller for C(report.html), C(report.json) and C(junit.xml). It is made if it does not exist. Empty for none.
      - Each file is replaced at once. In check mode, none is written.
    type: str
    default: ""
  check_writable:
    description:
      - If V(true), only checks whether the report can be written, and fails if it cannot. For the beginning of a run.
    type: bool
    default: false

extends_documentation_fragment:
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.controller

attributes:
  check_mode:
    support: full
    details:
      - Writes no file.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - A report is no change. It is written again each time, with the time of writing.

notes:
  - C(report.html) is one page that makes no request. C(junit.xml) has a test suite for each account and a test case for each region.
  - The JSON schema of C(report.json) is C(plugins/plugin_utils/_report/report.schema.json) in the collection.

seealso:
  - module: spot.eventbridge.spot_account_report

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Make sure that the report can be written
  spot.eventbridge.spot_fleet_report:
    report_dir: report
    check_writable: true
  run_once: true

- name: Show all accounts, and write the report
  spot.eventbridge.spot_fleet_report:
    report_dir: report
  run_once: true
"""

RETURN = r"""
lines:
  description: The table of all accounts, and the next step as the last line if accounts failed. Empty for one account.
  type: list
  elements: str
  returned: unless O(check_writable=true)
  sample:
    - 1 account, 0 failed, 1 done
    - ACCOUNT       AWS ACCOUNT   REGIONS    CHANGED
    - act-d7320fba  123456789012  17 active  -
files:
  description: The paths of the files that were written.
  type: list
  elements: str
  returned: unless O(check_writable=true)
  sample: [/home/ops/report/report.json, /home/ops/report/junit.xml, /home/ops/report/report.html]
"""
