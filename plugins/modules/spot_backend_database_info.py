#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_backend_database_info

short_description: Find out whether notices are in Spot's database

version_added: 1.0.0

description:
  - For operators at Spot. Counts the interruption notices of an account in Spot's database, and returns the time of the last one.
  - Runs C(community.postgresql.postgresql_query) or C(community.mysql.mysql_query) on the host of the task, in a session that cannot
    write. The collection has to be installed, and the Python library that it needs.
  - Every response of the database is a finding; it does not fail the module.

options:
  spot_account:
    description:
      - The Spot account, such as V(act-d7320fba).
    type: str
    required: true
  database:
    description:
      - The database, and where the notices are in it.
    type: dict
    required: true
    suboptions:
      engine:
        description:
          - V(postgresql), V(mysql) or V(mariadb).
        type: str
        required: true
      host:
        description:
          - The server.
        type: str
        required: true
      port:
        description:
          - The port.
          - By default, V(5432) for PostgreSQL, and V(3306) for the others.
        type: int
      user:
        description:
          - The user, who needs the right to C(SELECT).
        type: str
        required: true
      password:
        description:
          - The password of the user.
        type: str
        default: ""
      database:
        description:
          - The name of the database.
        type: str
        required: true
      ssl_mode:
        description:
          - The encryption of PostgreSQL's connection, as in C(libpq).
        type: str
        default: prefer
      ca_path:
        description:
          - A file with the certificates of the authorities that may have signed the server's.
        type: str
      table:
        description:
          - The table.
          - By default, V(aws_ec2_events).
        type: str
      value_column:
        description:
          - The column with the notice.
          - By default, V(value).
        type: str
      account_column:
        description:
          - The column with the Spot account. If empty, the account is searched in the notice.
          - By default, V(account_id).
        type: str
      time_column:
        description:
          - The column with the time at which the row was written.
          - By default, V(created_at).
        type: str
      word:
        description:
          - The word that distinguishes the notice from other events.
          - By default, V(spot-interruption-notification).
        type: str
  hours:
    description:
      - The time of the database that is searched, in hours.
    type: int
    default: 24
  delivered:
    description:
      - The number of notices that AWS delivered in these hours, if known. If it is not 0, a database without any notice is a warning.
    type: int
  instance_id:
    description:
      - The instance that a row must name to count. Empty for all.
    type: str
    default: ""
  announced:
    description:
      - The time at which an interruption was announced that must be in the database, ISO 8601 in UTC. Empty for none.
    type: str
    default: ""
  wait_timeout:
    description:
      - The maximum time to wait for the row of an announced interruption, in seconds.
    type: int
    default: 0

extends_documentation_fragment:
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info
  - spot.eventbridge._attributes.controller

notes:
  - All search values are arguments of the statement. Names of tables and columns are validated and quoted.

seealso:
  - module: spot.eventbridge.spot_backend_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Are notices of the last day in the database?
  spot.eventbridge.spot_backend_database_info:
    spot_account: act-d7320fba
    database:
      engine: postgresql
      host: database.example.com
      user: reader
      password: "{{ vault_database_password }}"
      database: events
"""

RETURN = r"""
checks:
  description: The one finding.
  type: list
  elements: dict
  returned: success
  contains:
    check:
      description: V(spot_database).
      type: str
      returned: always
      sample: spot_database
    outcome:
      description: V(pass), V(warn), V(skip) (proves nothing) or V(unknown) (could not be found out).
      type: str
      returned: always
      sample: pass
    message:
      description: The result in one line.
      type: str
      returned: always
      sample: Spot's database has 3 notice(s) of the last 24 h, the last one of 2026-01-02T03:04:05Z.
    remedy:
      description: The recommended action. Empty for a pass.
      type: str
      returned: always
      sample: ""
"""
