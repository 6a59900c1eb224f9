# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import partition_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    ArgumentError,
    check_aws_account,
    check_name,
    check_regions,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

DEFAULT_NAME = "spot-interruption-hub"
DEFAULT_REGION = "us-east-1"
_LONGEST = 64
# The events of a connection and an API destination that no longer deliver (EventBridge user guide, "EventBridge events").
# Its own events have the source of CloudTrail's about EventBridge, too, so the detail type decides.
SOURCE = "aws.events"
DETAIL_TYPES = ("Connection Deauthorized", "Connection Deletion Started", "API Destination Deactivated")
PUT_EVENTS = "events:PutEvents"
_BUS_ARN = re.compile(r"arn:[a-z-]+:events:([a-z0-9-]+):(\d{12}):event-bus/([^/]+)\Z")


def hub_argument_spec() -> ArgumentSpec:
    """Return the options that name a hub."""
    return {
        "hub_name": {"type": "str", "default": DEFAULT_NAME},
        "hub_region": {"type": "str", "default": DEFAULT_REGION},
        "hub_account": {"type": "str"},
    }


@dataclass(frozen=True)
class Hub:
    """One account and region to which all others report the loss of an authorisation. Everything in it has its name.

    :ivar region: `us-east-1`
    :ivar aws_account: empty where it need not be known
    """

    name: str = DEFAULT_NAME
    region: str = DEFAULT_REGION
    aws_account: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        :raises ArgumentError: AWS would refuse one.
        """
        check_name(self.name, QUEUE_NAME)  # SQS allows no dots
        if len(self.dead_letters) > _LONGEST:
            most = _LONGEST - len(self.dead_letters) + len(self.name)
            raise ArgumentError(
                f"The hub's name '{self.name}' ({len(self.name)} characters) cannot be used: the name of its dead-letter queue would be"
                f" longer than {_LONGEST}. Use at most {most} characters."
            )
        check_regions([self.region])
        if self.aws_account:
            check_aws_account(self.aws_account)

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], aws_account: str = "") -> Hub:
        """Return the hub that the options of `hub_argument_spec` name.

        :param aws_account: its account, where the options name none
        :raises ArgumentError: an option is not valid.
        """
        return cls(params["hub_name"], params["hub_region"], params["hub_account"] or aws_account)

    @classmethod
    def from_bus_arn(cls, arn: str) -> Hub:
        """Return the hub with an event bus.

        :raises ArgumentError: it is not the ARN of one.
        """
        found = _BUS_ARN.match(arn)
        if not found:
            raise ArgumentError(
                f"'{arn[:200]}' is not the ARN of an event bus. An ARN has the form "
                f"arn:aws:events:us-east-1:123456789012:event-bus/{DEFAULT_NAME}."
            )
        return cls(found[3], found[1], found[2])

    @property
    def dead_letters(self) -> str:
        """Return the name of its dead-letter queue."""
        return f"{self.name}-dead-letters"

    @property
    def bus_arn(self) -> str:
        """Return the ARN of its event bus."""
        return self.arn("events", f"event-bus/{self.name}")

    @property
    def rule_path(self) -> str:
        """How the ARN of its rule ends: a rule of another bus than the default one has the bus in its ARN."""
        return f"{self.name}/{self.name}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in it."""
        return f"arn:{partition_of(self.region)}:{service}:{self.region}:{self.aws_account}:{resource}"


@dataclass(frozen=True)
class Senders:
    """The senders to a hub: the accounts of an organisation, or accounts, or only the hub's own.

    :ivar organization: its id, `o-…`; empty for none
    """

    organization: str = ""
    accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """
        :raises ArgumentError: it is not valid.
        """
        if self.organization and not self.organization.startswith("o-"):
            raise ArgumentError(f"'{self.organization[:100]}' is not the id of an AWS organisation. Ids look like o-ab12cd34ef.")
        if self.organization and self.accounts:
            raise ArgumentError("Give organization or accounts, not both: an organisation includes its accounts.")
        for account in self.accounts:
            check_aws_account(account)

    def statement(self, hub: Hub) -> Document | None:
        """Return the statement of the bus's policy that lets them in; None where only the own account sends, which needs none."""
        allow: Document = {"Sid": "SpotInterruptionMembers", "Effect": "Allow", "Action": PUT_EVENTS, "Resource": hub.bus_arn}
        if self.organization:
            return {**allow, "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": self.organization}}}
        partition = partition_of(hub.region)
        roots = [f"arn:{partition}:iam::{account}:root" for account in sorted(set(self.accounts)) if account != hub.aws_account]
        return {**allow, "Principal": {"AWS": roots[0] if len(roots) == 1 else roots}} if roots else None


def pattern(*prefixes: str) -> Document:
    """Return the event pattern for the loss of an authorisation.

    :param prefixes: how the ARNs of the resources begin that it is about; without any, it is about all
    """
    about = {"resources": [{"prefix": prefix} for prefix in prefixes]} if prefixes else {}
    return {"source": [SOURCE], "detail-type": list(DETAIL_TYPES), **about}


def of_account(hub: Hub, aws_account: str) -> Hub:
    """Return the same hub in an account, where it was not named."""
    return hub if hub.aws_account else dataclasses.replace(hub, aws_account=aws_account)
