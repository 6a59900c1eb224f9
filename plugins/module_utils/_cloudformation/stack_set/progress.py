# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import IN_PROGRESS

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# The private option with which the action plugin runs the module in steps, and the key of an unfinished step's progress.
STEP = "_step"


def progress_line(name: str, entries: t.Sequence[t.Mapping[str, t.Any]], foreign: t.Sequence[str] = ()) -> str:
    """Return the progress of a stack set in one line: `stack set spot: CREATE 5 of 9 instances, 1 failed`.

    :param entries: the operations of the run so far
    :param foreign: the actions of the operations of others that are waited for
    """
    if foreign:
        return f"stack set {name}: waits for an operation that is in progress already ({', '.join(sorted(set(foreign)))})"
    of_instances = [entry for entry in entries if entry["instances"]]
    if not of_instances:
        return f"stack set {name}: being read"
    last = next((entry["action"] for entry in reversed(of_instances) if entry["status"] in IN_PROGRESS), of_instances[-1]["action"])
    same = [entry for entry in of_instances if entry["action"] == last]
    total = sum(entry["instances"] for entry in same)
    failed = sum(len(entry["failures"]) for entry in same)
    done = sum(_done(entry) for entry in same)
    # boto3's create_stack_instances is AWS's CREATE.
    verb = last.partition("_")[0].upper()
    return f"stack set {name}: {verb} {done} of {total} instances" + (f", {failed} failed" if failed else "")


def _done(entry: t.Mapping[str, t.Any]) -> int:
    """Return how many instances of an operation are done; failed ones are not."""
    if entry["status"] in IN_PROGRESS:
        return int(entry.get("done", 0))
    return int(entry["instances"]) - len(entry["failures"])


def whole(steps: t.Sequence[Document]) -> Document:
    """Return the result of all steps of a run: that of the last one, with the diffs of the others.

    :param steps: the results, in order
    """
    diff: list[Document] = []
    for step in steps:
        told = {entry.get("before_header") for entry in diff}
        # The first plan that names something has the state before the run.
        diff += [entry for entry in step.get("diff") or [] if entry.get("before_header") not in told]
    return {**steps[-1], "changed": any(step.get("changed") for step in steps), "diff": diff}
