# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Region, Regions

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
    """What will be done to a resource in a region, decided without a single call.

    :ivar action: `created`, `updated`, `reauthorized`, `deleted` or `unchanged`
    :ivar document: the resource as it will be when the plan is carried out; None if there will be none
    :ivar before: what a diff shows of the present, None where there is nothing
    :ivar after: the same for the future
    :ivar calls: the changes, in order
    :ivar blocked: why the calls cannot be made yet, though they would be right: something they need is missing.
        It may have been made by the time they are; so this is no obstacle to a prediction.
    :ivar broken: why the resource does not work as it is now
    :ivar repeats: whether it would be the same again once it is carried out, as somebody wants it to
    :ivar note: what a person should know about this region although nothing failed
    :ivar continues: whether the calls are only a first step: once AWS has come to rest, the rest is planned anew. All else of the
        plan tells of the whole way.
    :ivar otherwise: what is done if AWS says that the calls would change nothing
    """

    action: str
    document: Document | None
    before: Document | None = None
    after: Document | None = None
    calls: tuple[Call, ...] = ()
    unmet_dependency: str | None = None
    broken: str | None = None
    repeats: bool = False
    note: str | None = None
    continues: bool = False
    otherwise: Plan | None = None


class Current(t.Protocol):
    """What is there now, as far as a plan needs it."""

    @property
    def document(self) -> Document:
        """The resource as it is returned to the user. Holds no secret."""


class Resource(t.Protocol):
    """One kind of AWS resource, bound to what is desired of it."""

    kind: t.ClassVar[str]
    """The key under which it stands in an answer."""
    service: t.ClassVar[str]
    """boto3's name of the service that its calls go to."""
    reads: t.ClassVar[tuple[str, ...]]
    """Further services that reading it asks."""

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> t.Any:
        """What is desired, out of a module's parameters.

        :raises ArgumentError: a parameter cannot be right.
        """

    def read(self, region: Region) -> t.Any:
        """What is there now (a `Current`), None if nothing is. Makes only reading calls."""

    def plan(self, region: Region, current: t.Any) -> Plan:
        """What has to be done. Pure: no call, no clock, no check mode.

        :raises RegionError: what is desired must not be done here.
        """

    def settled(self, current: t.Any) -> bool:
        """Whether AWS has finished working on it, for better or worse."""


def changed_fields(current: t.Mapping[str, t.Any], desired: t.Mapping[str, t.Any]) -> list[str]:
    """The names of what is desired otherwise than it is, in the order of `desired`."""
    return [name for name, value in desired.items() if current.get(name) != value]


def unchanged(current: Current | None, note: str | None = None) -> Plan:
    """The plan that leaves everything as it is."""
    return Plan("unchanged", current.document if current else None, note=note)
