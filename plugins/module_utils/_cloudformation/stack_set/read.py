# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import dataclasses
import re
import typing as t
import uuid
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import CLOUDFORMATION
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import (
    ORGANIZATIONS,
    Organization,
    read_organization,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    HIDDEN,
    LONGEST_BODY,
    Template,
    body_differences,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

# A stack instance: AWS account and region.
Pair = tuple[str, str]

# CloudFormation API reference, StackInstance and StackInstanceComprehensiveStatus.
UP_TO_DATE, OUTDATED, INOPERABLE = "CURRENT", "OUTDATED", "INOPERABLE"
SUSPENDED = "SKIPPED_SUSPENDED_ACCOUNT"
# The same, StackSetOperation.
IN_PROGRESS = frozenset({"QUEUED", "RUNNING", "STOPPING"})

# Calls at the same time: with more, CloudFormation throttles most of them; botocore repeats throttled calls.
_READERS = 8
# The id of an operation may be chosen: 128 letters, digits and hyphens.
_OPERATION_ID = re.compile(r"([A-Za-z0-9]+)-(act-[0-9a-f]{8})-[0-9a-f]{32}\Z")
_LONGEST_OPERATION_ID = 128


@dataclass(frozen=True)
class Instance:
    """An existing stack instance.

    :ivar reason: why it is not current, in AWS's words
    :ivar unit: the organizational unit by which it was deployed
    :ivar overrides: the parameters that differ from the stack set's; None if they were not read
    """

    account: str
    region: str
    status: str
    detailed_status: str = ""
    reason: str = ""
    stack_id: str = ""
    unit: str = ""
    last_operation: str = ""
    overrides: t.Mapping[str, str] | None = None

    @property
    def pair(self) -> Pair:
        """Return account and region."""
        return (self.account, self.region)


@dataclass(frozen=True)
class RunningOperation:
    """An operation on the stack set that has not ended yet."""

    operation_id: str
    action: str
    status: str


@dataclass(frozen=True)
class CurrentStackSet:
    """An existing stack set.

    :ivar found: as DescribeStackSet returns it, without the template
    :ivar differences: the differences between its template and the desired one
    """

    found: Document
    template_body: str = ""
    differences: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """Return the values of its parameters; those that are hidden as AWS shows them."""
        return {item["ParameterKey"]: item.get("ParameterValue", "") for item in self.found.get("Parameters", [])}

    @property
    def tags(self) -> dict[str, str]:
        """Return its tags."""
        return boto3_tag_list_to_ansible_dict(self.found.get("Tags", []))

    def document(self, hidden: t.Container[str]) -> Document:
        """Return the stack set as it is returned to the user.

        :param hidden: the parameters of which no value may be shown
        """
        parameters = {key: HIDDEN if key in hidden else value for key, value in self.parameters.items()}
        plain = {key: value for key, value in self.found.items() if key not in ("Parameters", "Tags")}
        return {**document(plain), "parameters": parameters, "tags": self.tags}


@dataclass(frozen=True)
class Reading:
    """The data that a plan needs.

    :ivar current: None if there is no such stack set
    :ivar template: the desired template; None if no stack set is desired
    :ivar organization: of the desired organizational units; None without any
    """

    current: CurrentStackSet | None = None
    instances: t.Mapping[Pair, Instance] = field(default_factory=dict)
    running: tuple[RunningOperation, ...] = ()
    template: Template | None = None
    organization: Organization | None = None


def operation_id(overrides: t.Mapping[str, str]) -> str:
    """Return a new id for an operation. It holds the overrides that the operation sets, so that they need not be read from each instance.

    :param overrides: all those that the instances will have
    """
    unique = uuid.uuid4().hex
    told = f"{'-'.join(next(iter(overrides.items())))}-{unique}" if len(overrides) == 1 else ""
    return told if _OPERATION_ID.match(told) and len(told) <= _LONGEST_OPERATION_ID else f"spot-{unique}"


def overrides_in_id(instance: Instance) -> dict[str, str] | None:
    """Return the overrides that the last operation on an instance set, if its id holds them."""
    told = _OPERATION_ID.match(instance.last_operation)
    return {told[1]: told[2]} if told and instance.status == UP_TO_DATE else None


class Reader:
    """Reads a stack set. Keeps data that cannot have changed since the last reading."""

    def __init__(self, stack_set: StackSet, clients: t.Mapping[str, t.Any]) -> None:
        """
        :param clients: of `cloudformation` and `organizations`, by service
        """
        self._stack_set = stack_set
        self._clients = clients
        self._template: Template | None = None
        self._organization: Organization | None = None
        self._known: dict[tuple[Pair, str], t.Mapping[str, str]] = {}

    def read(self) -> Reading:
        """Call DescribeStackSet, ListStackSetOperations, ListStackInstances; DescribeStackInstance for each instance whose overrides
        are not known; before that, once, GetTemplateSummary and the organisation.

        The operations come before the instances: the other way round, an operation that ends in between is not seen, and its instances
        are read as they were during it."""
        desired = self._stack_set
        if desired.present and self._template is None:
            self._template = self._summary(**desired.source)
            if desired.service_managed:
                self._organization = read_organization(self._clients[ORGANIZATIONS], desired.organizational_units)
        reading = Reading(self._describe(), template=self._template, organization=self._organization)
        if reading.current is None:
            return reading
        running = self._running()
        return dataclasses.replace(reading, instances=self._with_overrides(self._instances()), running=running)

    @property
    def _cloudformation(self) -> t.Any:
        return self._clients[CLOUDFORMATION]

    @property
    def _which(self) -> dict[str, str]:
        return {"StackSetName": self._stack_set.name, **self._stack_set.call_as}

    def _describe(self) -> CurrentStackSet | None:
        try:
            found = dict(self._cloudformation.describe_stack_set(**self._which)["StackSet"])
        except Exception as error:
            if is_code(error, "StackSetNotFoundException"):
                return None
            raise
        if found.get("Status") == "DELETED":
            return None
        body = found.pop("TemplateBody", "")
        return CurrentStackSet(found, body, self._differences(body) if self._template else ())

    def _differences(self, body: str) -> tuple[str, ...]:
        if self._stack_set.template_body is not None:
            return body_differences(body, self._stack_set.template_body)
        # A template behind an address is compared by CloudFormation's summary of both.
        there = self._summary(TemplateBody=body) if len(body.encode()) <= LONGEST_BODY else self._summary(**self._which)
        return there.differences(t.cast("Template", self._template))

    def _summary(self, **which: str) -> Template:
        return Template.from_summary(self._cloudformation.get_template_summary(**which))

    def _instances(self) -> dict[Pair, Instance]:
        found = (
            _instance(item) for item in items(self._cloudformation, "list_stack_instances", "Summaries", **self._which, MaxResults=100)
        )
        return {instance.pair: instance for instance in found}

    def _running(self) -> tuple[RunningOperation, ...]:
        # The newest come first: those that have not ended are among the first hundred, or behind some that have not ended either.
        first = self._cloudformation.list_stack_set_operations(**self._which, MaxResults=100).get("Summaries", [])
        return tuple(
            RunningOperation(item["OperationId"], item.get("Action", ""), item["Status"]) for item in first if item["Status"] in IN_PROGRESS
        )

    def _with_overrides(self, instances: dict[Pair, Instance]) -> dict[Pair, Instance]:
        if not self._stack_set.present:
            return instances
        known: dict[Pair, t.Mapping[str, str] | None] = {
            pair: overrides_in_id(instance) or self._known.get((pair, instance.last_operation)) for pair, instance in instances.items()
        }
        unknown = [instance for pair, instance in instances.items() if known[pair] is None]
        with concurrent.futures.ThreadPoolExecutor(max_workers=_READERS) as pool:
            for instance, overrides in zip(unknown, pool.map(self._overrides, unknown)):
                known[instance.pair] = overrides
                if overrides is not None and instance.last_operation and instance.status == UP_TO_DATE:
                    self._known[(instance.pair, instance.last_operation)] = overrides
        return {pair: dataclasses.replace(instance, overrides=known[pair]) for pair, instance in instances.items()}

    def _overrides(self, instance: Instance) -> dict[str, str] | None:
        try:
            response = self._cloudformation.describe_stack_instance(
                **self._which, StackInstanceAccount=instance.account, StackInstanceRegion=instance.region
            )
        except Exception as error:
            if is_code(error, "StackInstanceNotFoundException"):
                return None  # gone meanwhile
            raise
        return {item["ParameterKey"]: item.get("ParameterValue", "") for item in response["StackInstance"].get("ParameterOverrides", [])}


def _instance(item: t.Mapping[str, t.Any]) -> Instance:
    return Instance(
        account=item["Account"],
        region=item["Region"],
        status=item.get("Status", ""),
        detailed_status=item.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
        reason=" ".join(item.get("StatusReason", "").split()),
        stack_id=item.get("StackId", ""),
        unit=item.get("OrganizationalUnitId", ""),
        last_operation=item.get("LastOperationId", ""),
    )
