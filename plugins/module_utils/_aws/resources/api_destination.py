# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    DEFAULT_DESCRIPTION,
    ArgumentSpec,
    description_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, changed_fields, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_name, check_url

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

DEFAULT_ENDPOINT = "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"
DEFAULT_RATE_LIMIT = 300
# The states of a connection that is authorised, or will be without anybody doing anything.
_GOOD_CONNECTION = frozenset({"AUTHORIZED", "CREATING", "UPDATING", "AUTHORIZING"})


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of an API destination."""
    return {**delivery_argument_spec(), **description_argument_spec()}


def delivery_argument_spec() -> ArgumentSpec:
    """Return the options for where and how fast an API destination delivers."""
    return {**endpoint_argument_spec(), "invocation_rate_limit_per_second": {"type": "int", "default": DEFAULT_RATE_LIMIT}}


def endpoint_argument_spec() -> ArgumentSpec:
    """Return the option for the address of Spot that takes the notices."""
    return {"invocation_endpoint": {"type": "str", "default": DEFAULT_ENDPOINT}}


@dataclass(frozen=True)
class ExistingApiDestination:
    """An existing API destination, or none and only the connection that it is to use.

    :ivar document: the response of DescribeApiDestination; None if there is no destination
    :ivar connection_arn: the connection that it is to use; None if there is none of that name
    :ivar connection_state: that connection's state, if it was read
    """

    found: Document | None
    connection_arn: str | None = None
    connection_state: str | None = None

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return self.found or {}

    @property
    def inactive(self) -> bool:
        """Return whether there is a destination to which AWS delivers nothing."""
        return self.document.get("api_destination_state") == "INACTIVE"

    def managed_fields(self) -> Document:
        """Return the fields of an API destination that this collection manages."""
        return {
            "description": self.document.get("description") or "",
            "connection_arn": self.document.get("connection_arn"),
            "invocation_endpoint": self.document.get("invocation_endpoint"),
            "http_method": self.document.get("http_method"),
            "invocation_rate_limit_per_second": self.document.get("invocation_rate_limit_per_second"),
        }


@dataclass(frozen=True)
class ApiDestination(Resource):
    """The desired API destination.

    :ivar connection: the name of its connection
    :ivar connection_arns: the connection's ARN by region, where it is known already
    :ivar rate_limit: calls per second, at most
    """

    name: str
    present: bool = True
    connection: str = ""
    connection_arns: t.Mapping[str, str] | None = None
    endpoint: str = DEFAULT_ENDPOINT
    http_method: str = "POST"
    rate_limit: int = DEFAULT_RATE_LIMIT
    description: str = DEFAULT_DESCRIPTION

    kind: t.ClassVar[str] = "api_destination"
    service: t.ClassVar[str] = "events"
    reads: t.ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the values.

        :raises ArgumentError: AWS would refuse one.
        """
        check_name(self.name)
        check_name(self.connection or self.name)
        check_url(self.endpoint, "The endpoint")
        if self.rate_limit < 1:
            raise ArgumentError("invocation_rate_limit_per_second must be 1 or more, as AWS requires.")

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> ApiDestination:
        """See `plan.Resource`."""
        name = params["name"]
        if params["state"] == "absent":
            return cls(name=name, present=False)
        return cls(
            name=name,
            connection=params["connection"] or name,
            connection_arns=params["connection_arns"],
            endpoint=params["invocation_endpoint"],
            rate_limit=params["invocation_rate_limit_per_second"],
            description=params["description"],
        )

    def look(self, region: Region) -> ExistingApiDestination | None:
        """Call DescribeApiDestination alone; None if there is no destination of this name."""
        try:
            return ExistingApiDestination(document(region.clients["events"].describe_api_destination(Name=self.name)))
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return None
            raise

    def completed(self, region: Region, seen: ExistingApiDestination | None) -> ExistingApiDestination | None:
        """Call DescribeConnection where its ARN is not known or the destination is inactive."""
        if not self.present:
            return seen
        existing = seen or ExistingApiDestination(None)
        arn = region.known.get("connection", (self.connection_arns or {}).get(region.name))
        if arn is not None and not existing.inactive:
            return ExistingApiDestination(existing.found, arn or None)
        try:
            connection = region.clients["events"].describe_connection(Name=self.connection)
        except Exception as error:
            if not is_code(error, "ResourceNotFoundException"):
                raise
            return existing
        return ExistingApiDestination(existing.found, connection["ConnectionArn"], connection["ConnectionState"])

    def settled(self, existing: ExistingApiDestination | None) -> bool:
        """See `plan.Resource`. On an authorised connection a destination becomes active by itself, soon."""
        return existing is None or not (existing.inactive and self._on_good_connection(existing))

    def _on_good_connection(self, existing: ExistingApiDestination) -> bool:
        same = existing.document.get("connection_arn") == existing.connection_arn
        return same and existing.connection_state in _GOOD_CONNECTION

    def plan(self, region: Region, existing: ExistingApiDestination | None) -> Plan:
        """See `plan.Resource`."""
        if not self.present:
            if existing is None:
                return unchanged(None)
            return Plan("deleted", None, existing.managed_fields(), None, (Call("delete_api_destination", {"Name": self.name}),))
        existing = existing or ExistingApiDestination(None)
        desired = self._desired_fields(existing.connection_arn)
        unmet_dependency = None
        if not existing.connection_arn:
            unmet_dependency = f"there is no connection {self.connection} in {region.name}: create it first (spot_eventbridge_connection)"
        arguments = {
            "Name": self.name,
            "Description": self.description,
            "ConnectionArn": existing.connection_arn,
            "InvocationEndpoint": self.endpoint,
            "HttpMethod": self.http_method,
            # Left out of an update, the rate limit would be ignored.
            "InvocationRateLimitPerSecond": self.rate_limit,
        }
        predicted = {**existing.document, "name": self.name, **desired, "api_destination_state": "ACTIVE"}
        if existing.found is None:
            return Plan(
                "created", predicted, None, desired, (Call("create_api_destination", arguments),), unmet_dependency=unmet_dependency
            )
        if not changed_fields(existing.managed_fields(), desired):
            return unchanged(existing, note=self._note(existing))
        return Plan(
            "updated",
            predicted,
            existing.managed_fields(),
            desired,
            (Call("update_api_destination", arguments),),
            unmet_dependency=unmet_dependency,
        )

    def _note(self, existing: ExistingApiDestination) -> str | None:
        if not existing.inactive:
            return None
        state = existing.connection_state or "missing"
        return f"the API destination {self.name} is INACTIVE: repair its connection {self.connection}, which is {state}"

    def _desired_fields(self, connection_arn: str | None) -> Document:
        return {
            "description": self.description,
            "connection_arn": connection_arn,
            "invocation_endpoint": self.endpoint,
            "http_method": self.http_method,
            "invocation_rate_limit_per_second": self.rate_limit,
        }


def new_destination_arn(partition: str, region: str, aws_account: str, name: str) -> str:
    """Return an ARN that a destination of this name may get. AWS chooses the id at its end, so no policy can name that."""
    return f"arn:{partition}:events:{region}:{aws_account}:api-destination/{name}/00000000-0000-0000-0000-000000000000"
