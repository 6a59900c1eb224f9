# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.parameters import StackParameters
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import CurrentStack
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Template

UPDATE, AUTHORIZE, CONTINUE_ROLLBACK = "update_stack", "update_connection", "continue_update_rollback"


@dataclass(frozen=True)
class StackPlan(Plan):
    """The next call that brings a stack to the desired state. All other fields are about all steps, not only about this call.

    :ivar continues: whether the next call is decided once AWS has settled
    """

    continues: bool = False


@dataclass(frozen=True)
class Attempts:
    """The attempts of this run: nothing is tried twice.

    :ivar made: the calls that AWS took, as `attempt` names them
    :ivar nothing_to_update: whether CloudFormation refused an update because it would change nothing
    """

    made: frozenset[str] = frozenset()
    nothing_to_update: bool = False

    @property
    def updated(self) -> bool:
        """Return whether an update was tried."""
        return self.nothing_to_update or UPDATE in self.made


NOTHING_TRIED = Attempts()


def attempt(call: Call) -> str:
    """Return the name of a call among the attempts: boto3's, and a suffix that distinguishes a second deletion from the first."""
    return f"{call.operation} retaining" if "RetainResources" in call.arguments else call.operation


def unchanged(current: CurrentStack | None, note: str | None = None) -> StackPlan:
    """Return the plan that leaves everything as it is."""
    return StackPlan("unchanged", current.document if current else None, note=note)


def template_arguments(stack: Stack, template: Template, parameters: StackParameters) -> Document:
    """Return the arguments of both CreateStack and UpdateStack."""
    return {
        "StackName": stack.name,
        **stack.source,
        "Parameters": parameters.request(),
        "Capabilities": sorted({"CAPABILITY_IAM", *template.capabilities}),
        **stack.role,
    }


def note_on_token(template: Template, parameters: StackParameters) -> str | None:
    """Return a note where the template does not hide the token."""
    if template.parameters[parameters.token_name].hidden:
        return None
    return f"the template's parameter {parameters.token_name} is not NoEcho: every reader of the stack can see the token."


def joined(*notes: str | None) -> str | None:
    """Return the notes as one text, None where there are none."""
    return " ".join(note for note in notes if note) or None
