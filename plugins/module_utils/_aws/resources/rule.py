# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import (
    EventRule,
    ExistingRule,
    read_destination_arn,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    ArgumentSpec,
    description_argument_spec,
    tags_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    ArgumentError,
    check_aws_account,
    check_name,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

EVENT_PATTERN: Document = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}
TARGET_ID = "spot"
# Seconds. EC2 interrupts the instance two minutes after the notice (EC2 user guide).
DEFAULT_EVENT_AGE = 120
DEFAULT_RETRY_ATTEMPTS = 185

_MISSING_ARN = "(known once the API destination exists)"


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of a rule."""
    return {**delivery_argument_spec(), **description_argument_spec(), **tags_argument_spec()}


def delivery_argument_spec() -> ArgumentSpec:
    """Return the options for how a rule's target delivers."""
    return {
        "role_arn": {"type": "str"},
        "aws_account": {"type": "str"},
        "maximum_event_age_in_seconds": {"type": "int", "default": DEFAULT_EVENT_AGE},
        "maximum_retry_attempts": {"type": "int", "default": DEFAULT_RETRY_ATTEMPTS},
        **target_argument_spec(),
    }


def target_argument_spec() -> ArgumentSpec:
    """Return the option for the id of a rule's target."""
    return {"target_id": {"type": "str", "default": TARGET_ID}}


def rule_arn(region: Region, aws_account: str, name: str) -> str:
    """Return the ARN of a rule on the default event bus."""
    return region.arn("events", aws_account, f"rule/{name}")


def check_role_given(role_arn: str | None) -> str:
    """Return the ARN of the execution role.

    :raises ArgumentError: it is missing.
    """
    if not role_arn:
        raise ArgumentError("role_arn is missing: without an execution role, EventBridge calls no API destination.")
    return role_arn


def alarm_rule(rule: str) -> str:
    """Return the name of the rule beside a rule that reports the loss of an authorisation; 64 characters at most."""
    return f"{rule[:58]}-alarm"


def temporary_rule_prefix(rule: str) -> str:
    """Return how the names of a rule's temporary rules for test events begin: six more characters fit into the 64 that AWS takes."""
    return f"{rule[:50]}-test-"


@dataclass(frozen=True)
class Rule(EventRule):
    """The desired rule: Spot interruption notices of the default bus go to an API destination.

    :ivar api_destination: the name of the API destination
    :ivar api_destination_arns: its ARN by region, where it is known already
    :ivar role_arn: the execution role with which EventBridge calls the destination
    :ivar dead_letter_queue: the name of the queue for undelivered notices; empty for none
    :ivar aws_account: the account of that queue
    :ivar event_age: seconds after which delivery is given up, 60 to 86400
    :ivar retry_attempts: 0 to 185
    """

    api_destination: str = ""
    api_destination_arns: t.Mapping[str, str] | None = None
    role_arn: str = ""
    dead_letter_queue: str = ""
    aws_account: str = ""
    event_age: int = DEFAULT_EVENT_AGE
    retry_attempts: int = DEFAULT_RETRY_ATTEMPTS
    target_id: str = TARGET_ID

    def __post_init__(self) -> None:
        """Check the values.

        :raises ArgumentError: AWS would refuse one.
        """
        check_name(self.name)
        check_name(self.api_destination or self.name)
        check_name(self.target_id)
        if self.dead_letter_queue:
            check_name(self.dead_letter_queue, QUEUE_NAME)
        if not 60 <= self.event_age <= 86400:
            raise ArgumentError("maximum_event_age_in_seconds must be 60 to 86400, as AWS requires.")
        if not 0 <= self.retry_attempts <= 185:
            raise ArgumentError("maximum_retry_attempts must be 0 to 185, as AWS requires.")

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Rule:
        """See `plan.Resource`."""
        name = params["name"]
        if params["state"] == "absent":
            return cls(name=name, present=False, target_id=params["target_id"])
        queue = params["dead_letter_queue"] or ""
        desired = cls(
            name=name,
            api_destination=params["api_destination"] or name,
            api_destination_arns=params["api_destination_arns"],
            role_arn=check_role_given(params["role_arn"]),
            dead_letter_queue=queue,
            event_age=params["maximum_event_age_in_seconds"],
            retry_attempts=params["maximum_retry_attempts"],
            description=params["description"],
            target_id=params["target_id"],
            tags=as_text(params["tags"]),
            purge_tags=params["purge_tags"],
        )
        if not queue:
            return desired
        # AWS is called only once all other options are known to be valid.
        return dataclasses.replace(desired, aws_account=check_aws_account(params["aws_account"] or regions.aws_account()))

    def completed(self, region: Region, seen: ExistingRule | None) -> ExistingRule | None:
        """Call DescribeApiDestination where its ARN is not known."""
        return dataclasses.replace(seen or ExistingRule(None), destination_arn=self._read_destination_arn(region)) if self.present else seen

    def _read_destination_arn(self, region: Region) -> str | None:
        known = region.known.get("api_destination", (self.api_destination_arns or {}).get(region.name))
        return (known or None) if known is not None else read_destination_arn(region, self.api_destination)

    def event_pattern(self, region: Region) -> Document:
        """See `event_rule.EventRule`."""
        return EVENT_PATTERN

    def own_target_id(self, existing: ExistingRule) -> str:
        """See `event_rule.EventRule`."""
        # A target made by hand may already send to our destination: taking it over avoids delivering twice.
        if existing.target(self.target_id) is None:
            for target in existing.targets:
                if target["Arn"] == existing.destination_arn:
                    return str(target["Id"])
        return self.target_id

    def note(self, existing: ExistingRule, target_id: str) -> str | None:
        """See `event_rule.EventRule`."""
        second = [target["Id"] for target in existing.targets if target["Id"] != target_id and target["Arn"] == existing.destination_arn]
        return f"the rule {self.name} delivers each notice again by {', '.join(second)}, targets of others: remove them" if second else None

    def unmet_dependency(self, region: Region, existing: ExistingRule) -> str | None:
        """See `event_rule.EventRule`."""
        if existing.destination_arn:
            return None
        return f"there is no API destination {self.api_destination} in {region.name}: create it first (spot_api_destination)"

    def desired_target(self, region: Region, existing: ExistingRule) -> Document:
        """See `event_rule.EventRule`."""
        target: Document = {
            "Arn": existing.destination_arn or _MISSING_ARN,
            "RoleArn": self.role_arn,
            "RetryPolicy": {
                "MaximumRetryAttempts": self.retry_attempts,
                "MaximumEventAgeInSeconds": self.event_age,
            },
        }
        if self.dead_letter_queue:
            target["DeadLetterConfig"] = {"Arn": region.arn("sqs", self.aws_account, self.dead_letter_queue)}
        return target
