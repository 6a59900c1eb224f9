# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import (
    CONNECTION_KEY,
    KEY_PARAMETERS,
    QUEUE_KEY,
    Key,
    arns_of,
    connection_use,
    queue_use,
    read_key,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import integration_name

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region


def read_keys(region: Region, parameters: t.Mapping[str, str], spot_account: str) -> tuple[dict[str, Key], tuple[str, ...]]:
    """Read the KMS keys that parameters of this collection's template name.

    :returns: the keys by parameter, and notes for users about them
    :raises RegionError: EventBridge cannot use one of them.
    """
    name = integration_name(parameters, spot_account)
    queue = parameters.get("QueueName") or name.replace(".", "-")
    uses = {CONNECTION_KEY: connection_use(region, name), QUEUE_KEY: queue_use(region, queue, name)}
    keys, notes = {}, []
    for parameter, use in uses.items():
        if parameters.get(parameter):
            keys[parameter] = use.usable(region, parameters[parameter])
            notes.append(use.note(keys[parameter]))
    return keys, tuple(f"{note}." for note in notes if note)


def key_arns(region: Region, keys: t.Mapping[str, Key], current: t.Mapping[str, str]) -> dict[str, str]:
    """Return the ARNs of the desired keys and of those that a stack has, where it has another text for one."""
    others = [current[name] for name in KEY_PARAMETERS if name in keys and current.get(name) not in (None, "", keys[name].identifier)]
    return arns_of(*keys.values(), *(read_key(region, identifier) for identifier in others))
