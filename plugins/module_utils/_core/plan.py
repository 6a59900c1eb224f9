# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import abc
import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

Document = dict[str, t.Any]


@dataclass(frozen=True)
class Call:
    """One call of a plan. Its arguments are not shown, as they may hold the token.

    :ivar service: boto3's name of the service it goes to, empty for the resource's own
    """

    operation: str
    arguments: t.Mapping[str, t.Any] = field(repr=False)
    service: str = ""


@dataclass(frozen=True)
class Plan:
    """The changes of a resource in a region, decided without a call.

    :ivar action: `created`, `updated`, `reauthorized`, `deleted` or `unchanged`
    :ivar document: the resource as it will be when the plan is carried out; None if there will be none
    :ivar before: the present state as a diff shows it, None where there is nothing
    :ivar after: the same for the future
    :ivar calls: the changes, in order
    :ivar unmet_dependency: a missing resource that the calls need. A prediction ignores it, as a run makes it before
    :ivar note: a note for users about this region although nothing failed
    """

    action: str
    document: Document | None
    before: Document | None = None
    after: Document | None = None
    calls: tuple[Call, ...] = ()
    unmet_dependency: str | None = None
    note: str | None = None


class Existing(t.Protocol):
    """The existing state of a resource, as far as a plan needs it."""

    @property
    def document(self) -> Document:
        """Return the resource as it is returned to the user. Holds no secret."""


class Resource(abc.ABC):
    """One kind of AWS resource, bound to its desired state."""

    kind: t.ClassVar[str]
    """The key under which it stands in a result."""
    service: t.ClassVar[str]
    """boto3's name of the service that its calls go to."""
    reads: t.ClassVar[tuple[str, ...]]
    """Further services that are called to read it."""

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: t.Any) -> t.Any:
        """Return the desired state, out of a module's parameters; only for a resource that has a module of its own.

        :param regions: the `Regions` of the run
        :raises ArgumentError: a parameter cannot be right.
        """
        raise NotImplementedError

    def prepared(self, region: Region) -> t.Any:
        """Return the same with all that must be read of a region before anything is planned there. Makes only reading calls.

        :raises RegionError: the desired state cannot work here.
        """
        return self

    def read(self, region: Region) -> t.Any:
        """Return the existing state (an `Existing`), None if there is none. Makes only reading calls."""
        return self.completed(region, self.look(region))

    @abc.abstractmethod
    def look(self, region: Region) -> t.Any:
        """Return the existing state, as far as it needs no other resource."""

    def completed(self, region: Region, seen: t.Any) -> t.Any:
        """Return the result of `read`, out of that of `look`. Calls only for ARNs that are not in `region.known`."""
        return seen

    @abc.abstractmethod
    def plan(self, region: Region, existing: t.Any) -> Plan:
        """Decide the changes.

        :raises RegionError: the desired state must not be made here.
        """

    def settled(self, existing: t.Any) -> bool:
        """Return whether AWS has finished working on it, successfully or not."""
        return True

    def achieved(self, region: Region, existing: t.Any) -> bool:
        """Return whether the changes are visible in the state that was read after them.

        :raises RegionError: it is visible, and the resource does not work.
        """
        return not self.plan(region, existing).calls

    def as_described(self, existing: t.Any) -> Resource:
        """Return the same with the existing description: a description is cosmetic, and delivers nothing."""
        if existing is None or not hasattr(self, "description"):
            return self
        described = dataclasses.replace(t.cast("t.Any", self), description=existing.document.get("description") or "")
        return t.cast("Resource", described)


def changed_fields(existing: t.Mapping[str, t.Any], desired: t.Mapping[str, t.Any]) -> list[str]:
    """Return the names of the fields that differ, in the order of `desired`."""
    return [name for name, value in desired.items() if existing.get(name) != value]


def unchanged(existing: Existing | None, note: str | None = None) -> Plan:
    """Return the plan that leaves everything as it is."""
    return Plan("unchanged", existing.document if existing else None, note=note)
