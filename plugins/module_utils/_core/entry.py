# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_seconds

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document


def wait_seconds(params: t.Mapping[str, t.Any]) -> float:
    """Return the seconds to wait for AWS, 0 for not at all.

    :raises ArgumentError: they are negative.
    """
    seconds = check_seconds(params, "wait_timeout")
    return seconds if params["wait"] else 0.0


def finish(
    module: AnsibleAWSModule, work: t.Callable[[], Document], failed: t.Callable[[str], Document] = lambda message: {"msg": message}
) -> None:
    """End a writing module with the result of its work. No exception leaves it: the traceback would print the token.

    :param failed: makes the result of a module that failed before it worked on any region, from the message
    """
    try:
        whole = work()
    except ArgumentError as error:
        module.fail_json(**failed(str(error)))
    except Exception as error:
        module.fail_json(**failed(failure_of(error).message))
    for name, entry in whole["regions"].items():
        for note in entry.get("notes") or [entry.get("note")]:
            if note:
                module.warn(f"{name}: {note}")
    note = (whole.get("execution_role") or {}).get("note")
    if note:
        module.warn(note)
    if "msg" in whole:
        module.fail_json(**whole)
    module.exit_json(**whole)
