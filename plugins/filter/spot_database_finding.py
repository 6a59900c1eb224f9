# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_database_finding
short_description: What the answer of Spot's database means
version_added: 1.0.0
description:
  - Takes the result of C(community.postgresql.postgresql_query) or C(community.mysql.mysql_query), failed or not, that was asked
    what P(spot.eventbridge.spot_database_query#filter) says.
positional: config, hours
options:
  _input:
    description: The module's result; empty where it could not be run, as its collection is missing.
    type: dict
    required: true
  config:
    description: As for P(spot.eventbridge.spot_database_query#filter).
    type: dict
    required: true
  hours:
    description: How many hours were looked back.
    type: int
    default: 24
  delivered:
    description: How many warnings AWS counted as delivered in that time.
    type: int
  announced:
    description:
      - When an interruption was announced, as RV(spot.eventbridge.spot_test_interruption#module:announced). The database has to
        have a warning since then.
    type: str
    default: ""
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ answer | spot.eventbridge.spot_database_finding({'engine': 'postgresql'}) }}"
"""

RETURN = r"""
_value:
  description: A finding.
  type: dict
  contains:
    check:
      description: The name of the check.
      type: str
      returned: always
      sample: spot_database
    outcome:
      description: V(pass), V(warn), V(fail), V(skip) or V(unknown).
      type: str
      returned: always
      sample: pass
    message:
      description: What was seen.
      type: str
      returned: always
      sample: "Spot's database has 3 warning(s) of the last 24 h, the last one of 2026-01-02T03:04:05Z."
    remedy:
      description: What to do about it. Empty for a pass.
      type: str
      returned: always
      sample: ""
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.announcement import parse_announced
from ansible_collections.spot.eventbridge.plugins.plugin_utils import _database


def spot_database_finding(
    result: t.Any, config: t.Any, hours: int = 24, *, delivered: int | None = None, announced: str = ""
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(result, t.Mapping) or not isinstance(config, t.Mapping):
        raise AnsibleFilterError("spot_database_finding takes the result of a module and the database's configuration")
    collection = _database.missing(config)
    if collection:
        return _database.missing_finding(collection).as_dict()
    try:
        return _database.finding(result, str(config.get("engine")), hours, delivered, parse_announced(announced)).as_dict()
    except ArgumentError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"spot_database_finding": spot_database_finding}
