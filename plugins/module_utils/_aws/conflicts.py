# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination, others
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack, owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, failure_of

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

STOP = "stop"
ADOPT = "adopt"
MIGRATE = "migrate"
IGNORE = "ignore"


@dataclass(frozen=True)
class Existing:
    """Another integration in a region that serves the same Spot account, or may serve it.

    :ivar name: of its API destination
    :ivar rules: the rules that send to it
    :ivar stack: the stack it belongs to; None if it belongs to none, or if CloudFormation could not be read
    :ivar spot_account: the account it serves; None where that is hidden, missing or could not be read
    """

    name: str
    rules: tuple[str, ...] = ()
    stack: Stack | None = None
    spot_account: str | None = None

    def as_dict(self, region: str) -> dict[str, t.Any]:
        """Return the entry in results.

        :param region: where it is
        """
        return {
            "region": region,
            "name": self.name,
            "rules": list(self.rules),
            "spot_account": self.spot_account,
            "stack_name": self.stack.name if self.stack else None,
            "stack_set": bool(self.stack and self.stack.of_a_set),
        }

    def __str__(self) -> str:
        return f"{self.stack or 'another integration'} (API destination {self.name})"


@dataclass
class Gate:
    """Allows a change of a region, unless another integration serves the same Spot account there, or may serve it: no notice may be
    delivered twice, and no resource of a stack be changed outside of the stack.

    Without `migrate`, other integrations are searched only before a change: a region without changes costs no call. A service that
    cannot be read does not stop a change of our resources: an unknown owner is a note.

    :ivar name: of our API destination, connection and rule
    :ivar desired: the action on another: `stop`; `adopt` the one of our name; `migrate`, which lets both exist for a while; or
        `ignore`
    :ivar stack: the stack that ours belongs to; empty if it is made by modules
    :ivar present: False lets everything pass: ours is to be removed
    :ivar found: the other integrations, as far as they were searched
    :ivar notes: notes for users about them
    """

    region: Region
    name: str
    endpoint: str
    spot_account: str
    desired: str = STOP
    stack: str = ""
    present: bool = True
    found: tuple[Existing, ...] = ()
    notes: tuple[str, ...] = ()
    _looked: set[str] = field(default_factory=set)
    _judging: t.Any = field(default_factory=threading.RLock, repr=False, compare=False)

    def __call__(self, plan: Plan) -> None:
        """Check a plan before it is carried out.

        :raises RegionError: it must not be carried out.
        """
        if self.present:
            with self._judging:
                self._judge(plan)

    def _judge(self, plan: Plan) -> None:
        makes = plan.action == "created"
        # If a run was killed after the first half of a migration or an adoption, the next run completes it.
        if makes or self.desired == MIGRATE or (plan.calls and self._is_being_made()):
            self._once("others", self._look_for_others)
        if not self.stack and ((plan.calls and not makes) or self.desired == ADOPT):
            self._once("owner", self._look_for_owner)

    def _is_being_made(self) -> bool:
        """Return whether a change of a remaining resource, such as a queue that offboarding kept, is a part of creating ours."""
        if self.stack or {"others", "being made"} & self._looked:
            return False
        self._looked.add("being made")
        return all(item["Name"] != self.name for item in items(self.region.clients["events"], "list_api_destinations", "ApiDestinations"))

    def _once(self, what: str, look: t.Callable[[], None]) -> None:
        if what not in self._looked:
            self._looked.add(what)
            look()

    def _look_for_others(self) -> None:
        migrates = self.desired == MIGRATE
        # Before the stack exists, resources with its names do not belong to it.
        seen = others(self.region, "" if self.stack else self.name, self.endpoint, with_targets=migrates)
        serving = []
        for other in seen:
            # A removal that was interrupted has left its API destination, perhaps without connection and rule.
            if other.may_serve(self.spot_account) or (migrates and _is_left_over(other, self.spot_account)):
                existing = Existing(
                    other.name, other.rules or other.elsewhere, self._owner(other.name), other.account_for(self.spot_account)
                )
                if not (existing.stack and existing.stack.name == self.stack):
                    serving.append((other, existing))
        self.found += tuple(existing for dummy, existing in serving)
        for other, existing in serving:
            self._refuse_stack_set(existing)
            if migrates:
                self._refuse_what_cannot_be_removed(other, existing)
        if serving:
            self._decide([existing for dummy, existing in serving])

    def _decide(self, serving: t.Sequence[Existing]) -> None:
        names = "; ".join(map(str, serving))
        certain = any(existing.spot_account for existing in serving)
        what = f"{names} {'already sends' if certain else 'may already send'} this region's notices to {self.spot_account}"
        if not certain:
            what += ": its Spot account is hidden, missing or could not be read"
        if self.desired == IGNORE:
            self.notes += (f"{what}; both were left, as on_existing is ignore.",)
        elif self.desired != MIGRATE:
            raise RegionError(
                "AlreadyServed" if certain else "MayBeServed",
                f"{what}; nothing was changed. Remove it, or set on_existing to migrate, which proves this one before it removes the other"
                + ("." if certain else "; or to ignore, if it serves another Spot account."),
            )
        elif not all(existing.spot_account for existing in serving):
            hidden = ", ".join(existing.name for existing in serving if not existing.spot_account)
            self.notes += (f"the Spot account of {hidden} is hidden, missing or could not be read; on_existing is migrate.",)

    def _refuse_what_cannot_be_removed(self, other: OtherDestination, existing: Existing) -> None:
        if self.name == existing.name:
            raise RegionError(
                "SameName",
                f"another integration has the name {self.name}, and both must exist during the migration. Set name to a different name.",
            )
        if other.elsewhere:
            raise RegionError(
                "OtherEventBus",
                f"{existing} gets its notices from the rule(s) {', '.join(other.elsewhere)} of another event bus; nothing was changed. "
                "Remove that integration by hand.",
            )
        if existing.stack and existing.stack.more:
            raise RegionError(
                "StackHoldsMore",
                f"{existing} serves {self.spot_account}, and that stack also holds {', '.join(existing.stack.more)}; nothing was changed. "
                "Remove the integration from the stack's template first.",
            )
        # CloudFormation cannot delete a rule that has targets of others, and so not the stack.
        if existing.stack and other.foreign_targets:
            rule, ids = next(iter(other.foreign_targets.items()))
            raise RegionError(
                "ForeignTarget",
                f"the rule {rule} of {existing.stack} also has the target(s) {', '.join(ids)}, with which the stack cannot be deleted; "
                "nothing was changed. Move them to another rule first.",
            )
        for part in dict.fromkeys((other.connection, *other.rules)):
            owner_of_part = self._owner(part) if part else existing.stack
            if owner_of_part != existing.stack:
                raise RegionError(
                    "PartOfStack",
                    f"{part} of {existing} belongs to {owner_of_part or 'no stack'}; nothing was changed. Remove that integration by hand.",
                )

    def _look_for_owner(self) -> None:
        stack = self._owner(self.name)
        if stack is None:
            return
        existing = Existing(self.name, (), stack, self.spot_account)
        self.found += (existing,)
        self._refuse_stack_set(existing)
        if self.desired != ADOPT:
            raise RegionError(
                "OwnedByStack",
                f"{self.name} belongs to {stack}, so it was not changed. "
                "Change it with the module spot_stack, or set on_existing to adopt to take it over from its stack.",
            )

    def _refuse_stack_set(self, existing: Existing) -> None:
        if existing.stack and existing.stack.of_a_set and (self.desired != IGNORE or existing.name == self.name):
            raise RegionError(
                "OwnedByStackSet",
                f"{existing} already serves {self.spot_account}, and only its stack set may change it; nothing was "
                "changed. Remove this account and region from the stack set first.",
            )

    def _owner(self, name: str) -> Stack | None:
        if "unreadable" in self._looked:
            return None
        try:
            return owner(self.region, name)
        except Exception as error:
            # Its existence is enough. Nothing of an unknown owner is removed.
            self._looked.add("unreadable")
            failure = failure_of(error)
            self.notes += (f"the CloudFormation stack of {name}, if any, could not be read: {failure.code}: {failure.message}",)
            return None


def _is_left_over(other: OtherDestination, spot_account: str) -> bool:
    if other.dead:
        return other.account_for(spot_account) in (None, spot_account)
    return not (other.rules or other.elsewhere) and other.spot_account == spot_account
