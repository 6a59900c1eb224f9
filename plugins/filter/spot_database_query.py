# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_database_query
short_description: What to ask Spot's database
version_added: 1.0.0
description:
  - The statements and arguments for C(community.postgresql.postgresql_query) and C(community.mysql.mysql_query), which count the
    warnings of an account and tell when the last one was.
  - Everything that is looked for is an argument. Names of tables and columns are checked and quoted.
positional: spot_account, hours
options:
  _input:
    description:
      - C(engine) (V(postgresql), V(mysql) or V(mariadb)), and by choice C(table), C(value_column), C(account_column), C(time_column)
        and C(word).
    type: dict
    required: true
  spot_account:
    description: The Spot account.
    type: str
    required: true
  hours:
    description: How many hours to look back.
    type: int
    default: 24
  instance_id:
    description: Only rows that name this instance.
    type: str
    default: ""
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ {'engine': 'postgresql'} | spot.eventbridge.spot_database_query('act-d7320fba') }}"

- name: Only of one instance, from a table of another name
  ansible.builtin.debug:
    msg: "{{ {'engine': 'mysql', 'table': 'events'} | spot.eventbridge.spot_database_query('act-d7320fba', 3, instance_id=instance) }}"
  vars:
    instance: i-0123456789abcdef0
"""

RETURN = r"""
_value:
  description: What to ask, for C(community.postgresql.postgresql_query) or C(community.mysql.mysql_query).
  type: dict
  contains:
    statements:
      description: The statements, the last of which is the question. Those before it see to it that the session cannot write.
      type: list
      elements: str
      returned: always
      sample: ["SELECT COUNT(*) AS hits, …"]
    named_args:
      description: Their arguments.
      type: dict
      returned: always
      sample: {word: "%spot-interruption-notification%", hours: 24, account: act-d7320fba, instance: "%i-0123456789abcdef0%"}
    collection:
      description: The collection that has to be installed first; empty if it is.
      type: str
      returned: always
      sample: ""
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.plugin_utils import _database


def spot_database_query(config: t.Any, spot_account: str, hours: int = 24, *, instance_id: str = "") -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(config, t.Mapping):
        raise AnsibleFilterError("spot_database_query takes a dictionary")
    try:
        return {**_database.query(config, spot_account, hours, instance_id), "collection": _database.missing(config)}
    except ArgumentError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"spot_database_query": spot_database_query}
