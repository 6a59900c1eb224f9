# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import others
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack, owner
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, failure_of

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

STOP = "stop"
ADOPT = "adopt"
MIGRATE = "migrate"


@dataclass(frozen=True)
class Existing:
    """An integration of another in a region that serves the same Spot account.

    :ivar name: of its API destination
    :ivar rules: the rules that send to it
    :ivar stack: the stack it belongs to; None if it belongs to none, or if CloudFormation could not be read
    """

    name: str
    rules: tuple[str, ...] = ()
    stack: Stack | None = None

    def as_dict(self, region: str) -> dict[str, t.Any]:
        """The shape in results.

        :param region: where it is
        """
        return {
            "region": region,
            "name": self.name,
            "rules": list(self.rules),
            "stack_name": self.stack.name if self.stack else None,
            "stack_set": bool(self.stack and self.stack.of_a_set),
        }

    def __str__(self) -> str:
        return f"{self.stack or 'another integration'} (API destination {self.name})"


@dataclass
class Gate:
    """Lets a region be changed, unless another integration serves the same Spot account there: no notice may be delivered twice, and
    nothing be taken from a stack behind its back.

    With `stop`, other integrations are looked for only when something is about to be changed: a region without changes costs no call.

    :ivar name: of our API destination, connection and rule
    :ivar desired: what is done about another: `stop`; `adopt` the one of our name; or `migrate`, which lets both exist for a while
    :ivar stack: the stack that ours belongs to; empty if it is made by modules
    :ivar present: False lets everything pass: ours is to be removed
    :ivar found: the other integrations, as far as they were looked for
    """

    region: Region
    name: str
    endpoint: str
    spot_account: str
    desired: str = STOP
    stack: str = ""
    present: bool = True
    found: tuple[Existing, ...] = ()
    _looked: set[str] = field(default_factory=set)

    def __call__(self, plan: Plan) -> None:
        """Check a plan before it is carried out.

        :raises RegionError: it must not be carried out.
        """
        if not self.present:
            return
        makes = plan.action == "created"
        # A run that was killed after the first half of a migration, or of an adoption, is completed by the next run.
        if makes or self.desired == MIGRATE:
            self._once("others", self._look_for_others)
        if not self.stack and ((plan.calls and not makes) or self.desired == ADOPT):
            self._once("owner", self._look_for_owner)

    def _once(self, what: str, look: t.Callable[[], None]) -> None:
        if what not in self._looked:
            self._looked.add(what)
            look()

    def _look_for_others(self) -> None:
        serving = [
            Existing(other.name, other.rules, self._owner(other.name))
            # As long as the stack does not exist, what has its names does not belong to it.
            for other in others(self.region, "" if self.stack else self.name, self.endpoint)
            if other.rules and other.spot_account == self.spot_account
        ]
        serving = [existing for existing in serving if not (existing.stack and existing.stack.name == self.stack)]
        self.found += tuple(serving)
        for existing in serving:
            self._refuse_stack_set(existing)
        if self.desired == MIGRATE and self.name in [existing.name for existing in serving]:
            raise RegionError(
                "SameName",
                f"another integration has the name {self.name}, too, and both have to be there for a while. Set name to another one.",
            )
        if serving and self.desired != MIGRATE:
            raise RegionError(
                "AlreadyServed",
                f"{'; '.join(map(str, serving))} already sends this region's warnings to {self.spot_account}; it was left as it is. "
                "Remove it, or set on_existing to migrate: then this one is made and proved, and the other removed after that.",
            )

    def _look_for_owner(self) -> None:
        stack = self._owner(self.name)
        if stack is None:
            return
        existing = Existing(self.name, (), stack)
        self.found += (existing,)
        self._refuse_stack_set(existing)
        if self.desired != ADOPT:
            raise RegionError(
                "OwnedByStack",
                f"{self.name} belongs to {stack}, and something about it has to be changed; it was left as it is. "
                "Change it with the module spot_stack, or set on_existing to adopt to take it over from its stack.",
            )

    def _refuse_stack_set(self, existing: Existing) -> None:
        if existing.stack and existing.stack.of_a_set:
            raise RegionError(
                "OwnedByStackSet",
                f"{existing} already serves {self.spot_account}, and what a stack set made is changed by that alone; it was "
                "left as it is. Take this account and region out of the stack set first.",
            )

    def _owner(self, name: str) -> Stack | None:
        try:
            return owner(self.region, name)
        except Exception as error:
            if failure_of(error).denied:
                return None  # its owner stays unknown; that it exists is what matters
            raise
