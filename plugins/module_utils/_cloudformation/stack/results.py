# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import left_out, left_out_entry, resource_result

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Existing
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome


def stack_result(
    results: t.Mapping[str, Outcome | Failure],
    existing: t.Mapping[str, t.Sequence[Existing]],
    notes: t.Mapping[str, t.Sequence[str]] | None = None,
) -> Document:
    """Return the result of `spot_stack`, which has the connection and the stack that made it. See `resource_result`.

    :param existing: the integrations of others that exist already, by region
    :param notes: notes for users about them, by region
    """
    refused = {name: left_out(result) for name, result in results.items() if isinstance(result, Failure) and result.leaves_out}
    whole = resource_result(Stack.kind, {name: result for name, result in results.items() if name not in refused})
    for name, entry in whole["regions"].items():
        if existing.get(name):
            entry["other_integrations"] = [other.as_dict(name) for other in existing[name]]
        if notes and notes.get(name):
            entry["note"] = " ".join([*filter(None, [entry.get("note")]), *notes[name]])
        if Stack.kind in entry:
            stack = dict(entry[Stack.kind] or {})
            connection = stack.pop(Connection.kind, None)
            entry.update({Stack.kind: stack or None, Connection.kind: connection})
    nothing = {Stack.kind: None, Connection.kind: None}
    regions = {name: whole["regions"].get(name) or {**left_out_entry(*refused[name]), **nothing} for name in results}
    return {**whole, "regions": regions}
