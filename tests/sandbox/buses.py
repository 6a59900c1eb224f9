# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event buses: their policies and tags, and who may put events on the bus of another account or region.

Corrects moto, which adds the statements of a policy to those that are there, takes any text for a policy, finds tags by the last part of
an ARN, deletes a bus with its rules, and passes events from bus to bus without a look at a policy.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events import models
from moto.events.exceptions import ResourceNotFoundException, ValidationException

from . import organizations
from .policy import allows

LONGEST_POLICY = 10_240  # EventBridge quotas: event bus policy size
PUT = "events:PutEvents"


class _Statement:
    """A statement of a bus's policy, as it was given; moto keeps only the members that it knows."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.principal = document.get("Principal")
        self._document = document

    def describe(self) -> dict[str, Any]:
        return self._document


class Buses(models.EventsBackend):
    """The event buses of one account in one region."""

    def put_permission(self, event_bus_name: str, *single: Any) -> None:
        policy = single[-1]
        if not policy:
            super().put_permission(event_bus_name, *single)
            return
        bus = self.describe_event_bus(event_bus_name)
        try:
            document = json.loads(policy)
            statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
            kept = {statement.get("Sid", f"#{number}"): _Statement(statement) for number, statement in enumerate(statements)}
        except (ValueError, LookupError, TypeError, AttributeError):
            raise ValidationException("This policy contains invalid Json") from None
        if len(policy) > LONGEST_POLICY:
            raise JsonRESTError("PolicyLengthExceededException", "The policy is too long.")
        for statement in statements:
            if not {"Effect", "Principal", "Action", "Resource"} <= set(statement):
                raise ValidationException("This policy contains a statement without Effect, Principal, Action or Resource.")
        bus._statements = kept  # type: ignore[assignment]

    def delete_event_bus(self, name: str) -> None:
        bus = self.event_buses.get(name)
        if bus is not None and bus.rules:  # API reference, DeleteEventBus: all its rules need to be deleted
            raise ValidationException(f"Event bus {name} can't be deleted since it has rules.")
        super().delete_event_bus(name)

    def list_tags_for_resource(self, arn: str) -> dict[str, list[dict[str, str]]]:
        self._require_resource(arn)
        return self.tagger.list_tags_for_resource(arn)

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self._require_resource(arn)
        self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        self._require_resource(arn)
        self.tagger.untag_resource_using_names(arn, tag_keys)

    def _require_resource(self, arn: str) -> None:
        known = {bus.arn for bus in self.event_buses.values()}
        known |= {rule.arn for bus in self.event_buses.values() for rule in bus.rules.values()}
        if arn not in known:
            kind, _, name = arn.rpartition(":")[2].partition("/")
            bus, _, rule = name.rpartition("/")
            missing = f"Event bus {name}" if kind == "event-bus" else f"Rule {rule}"
            where = "" if kind == "event-bus" else f" on EventBus {bus or 'default'}"
            raise ResourceNotFoundException(f"{missing} does not exist{where}.")


def lets_in(bus: models.EventBus, account: str, role_arn: str | None, rule_arn: str | None = None) -> bool:
    """Tell whether the policy of a bus lets an account put events, by a role of its own or as the account."""
    root = f"arn:aws:iam::{account}:root"
    context = {"aws:PrincipalAccount": account, "aws:PrincipalArn": role_arn or root, "aws:SourceAccount": account}
    management = organizations.management_account(account)
    if management:
        context["aws:PrincipalOrgID"] = organizations.organization_id(management)
    if rule_arn:
        context["aws:SourceArn"] = rule_arn
    names = [root, account, *([role_arn] if role_arn else [])]
    return any(allows([bus.policy], PUT, bus.arn, name, context) for name in names)
