# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: region_values
short_description: One value of each region out of a module's answer
version_added: 0.1.0
description:
  - Takes RV(spot.eventbridge.spot_eventbridge_connection#module:regions), or the same of another module, and returns one value
    of the resource by region, where there is one.
positional: kind, key
options:
  _input:
    description: The C(regions) of a module's answer.
    type: dict
    required: true
  kind:
    description: The key under which the resource stands, such as V(connection).
    type: str
    required: true
  key:
    description: The value that is wanted, such as V(connection_arn).
    type: str
    required: true
author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Hand the connections' ARNs on
  spot.eventbridge.spot_api_destination:
    name: spot-interruption-act-d7320fba
    connection_arns: "{{ connections.regions | spot.eventbridge.region_values('connection', 'connection_arn') }}"
    regions: "{{ connections.regions | list }}"
"""

RETURN = r"""
_value:
  description: The value by region. Regions without it are left out.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError


def region_values(regions: t.Any, kind: str, key: str) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if not isinstance(regions, t.Mapping):
        raise AnsibleFilterError(f"region_values takes the 'regions' of a module's answer, not {type(regions).__name__}")
    values = {name: (entry.get(kind) or {}).get(key) for name, entry in regions.items()}
    return {name: value for name, value in values.items() if value is not None}


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file by name."""
        return {"region_values": region_values}
