# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_database_query
short_description: What to ask Spot's database
version_added: 0.2.0
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
"""

RETURN = r"""
_value:
  description:
    - C(statements) and C(named_args); C(collection) is the name of the collection that has to be installed first, empty if it is.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.module_utils import _database
from ansible_collections.spot.eventbridge.plugins.module_utils._arguments import ArgumentError


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
