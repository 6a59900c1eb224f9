# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import STOP
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import check_kms_key
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import (
    api_destination,
    connection,
    dead_letter_queue,
    execution_role,
    rule,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole, role_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule, alarm_rule, check_role_given
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    check_aws_account,
    check_name,
    check_spot_account,
    check_stack_name,
    check_token,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Resource
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_SPECS = (dead_letter_queue, connection, api_destination, rule, execution_role)
# The options of `spot_integration_info` that are compared only where they are given.
SETTINGS = (
    *("description", "message_retention_period"),
    *("kms_key_identifier", "queue_kms_master_key_id", "role_permissions_boundary"),
)
# The resources that each resource needs. Resources that do not need each other are made at the same time, the execution role with
# them (`shared_role`): only the rule needs it.
_NEEDS: dict[str, tuple[str, ...]] = {
    Queue.kind: (),
    Connection.kind: (),
    ApiDestination.kind: (Connection.kind,),
    Rule.kind: (Queue.kind, ApiDestination.kind),
}
_DEFAULTS = {option: spec.get("default") for resource in _SPECS for option, spec in resource.argument_spec().items()}


@dataclass(frozen=True)
class Desired:
    """An integration as it is desired in every region: its four resources, and the execution role that they share.

    :ivar execution_role: None if it is not managed here
    :ivar present: False if it is to be removed
    :ivar on_existing: the action on another integration; see `conflicts.Gate`
    :ivar stack_name: the stack that it is to be in; empty if it is to be in none
    :ivar settings: which of SETTINGS were given to compare with
    :ivar tags: the tags to compare with, others are ignored; None for none
    :ivar alarm_rule: the rule that watches it, to compare with or to remove; `_watch` makes it
    """

    queue: Queue
    connection: Connection
    api_destination: ApiDestination
    rule: Rule
    execution_role: ExecutionRole | None = None
    present: bool = True
    on_existing: str = STOP
    stack_name: str = ""
    settings: frozenset[str] = frozenset()
    tags: t.Mapping[str, str] | None = None
    alarm_rule: AlarmRule | None = None

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Desired:
        """Return what the options of `spot_integration` desire.

        :raises ArgumentError: an option is not valid.
        """
        if params["state"] == "absent":
            return cls._absent(params)
        check_token(params["spot_token"])
        if not params["role_name"]:
            check_role_given(params["role_arn"])
        return cls._present(params, regions)

    @classmethod
    def to_compare(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Desired:
        """Return what the options of `spot_integration_info` expect; settings without an option have their defaults.

        :raises ArgumentError: an option is not valid.
        """
        token = params["spot_token"]
        # Without a token, the connection's secret is not read.
        update_token = "changed" if token and check_token(token) else "on_create"
        # A role that is made elsewhere is named by its ARN; the ARN of a role with a name is read.
        role_name = None if params["role_arn"] else params.get("role_name") or params["name"]
        given = {option: value for option, value in params.items() if value is not None or option not in SETTINGS}
        # Tags are read apart, so that a refusal costs nothing else; a queue for which no key is given is compared as onboarding has it.
        apart = {"tags": None, "queue_kms_master_key_id": params.get("queue_kms_master_key_id") or None}
        compared = {**_DEFAULTS, **given, **apart, "state": "present", "role_name": role_name, "update_token": update_token}
        desired = cls._present(compared, regions)
        return dataclasses.replace(
            desired,
            alarm_rule=desired.watched_by(Hub.from_bus_arn(params["watch_bus_arn"])) if params.get("watch_bus_arn") else None,
            stack_name=check_stack_name(params["stack_name"]) if params["stack_name"] else "",
            settings=frozenset(SETTINGS).intersection(given),
            tags=as_text(params.get("tags")),
        )

    @classmethod
    def _absent(cls, params: t.Mapping[str, t.Any]) -> Desired:
        name, role = check_name(params["name"]), params["role_name"]
        return cls(
            queue=Queue(name=_queue_name(params), present=False, delete_messages=params["delete_messages"]),
            connection=Connection(name=name, present=False, api_destination=name),
            api_destination=ApiDestination(name=name, present=False),
            rule=Rule(name=name, present=False, target_id=params["target_id"]),
            execution_role=ExecutionRole(role, present=False) if role else None,
            present=False,
            alarm_rule=AlarmRule.to_remove(name),
        )

    @classmethod
    def _present(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Desired:
        name, queue, role = check_name(params["name"]), _queue_name(params), params["role_name"]
        for option in ("kms_key_identifier", "queue_kms_master_key_id"):
            check_kms_key(option, params.get(option), regions.names)
        aws_account = check_aws_account(params["aws_account"] or regions.aws_account())
        shared = {"tags": as_text(params["tags"]), "purge_tags": params["purge_tags"]}
        description = params["description"]
        return cls(
            queue=Queue(
                name=queue,
                rule=name,
                aws_account=aws_account,
                retention=params["message_retention_period"],
                kms_key=params.get("queue_kms_master_key_id"),
                **shared,
            ),
            connection=Connection(
                name=name,
                spot_account=check_spot_account(params["spot_account"]),
                token=params["spot_token"] or "",
                description=description,
                kms_key=params["kms_key_identifier"],
                update_token=params["update_token"],
            ),
            api_destination=ApiDestination(
                name=name,
                connection=name,
                endpoint=params["invocation_endpoint"],
                rate_limit=params["invocation_rate_limit_per_second"],
                description=description,
            ),
            rule=Rule(
                name=name,
                api_destination=name,
                role_arn=params["role_arn"]
                or role_arn(regions[regions.names[0]].partition, aws_account, role or name, params.get("role_path")),
                dead_letter_queue=queue,
                aws_account=aws_account,
                event_age=params["maximum_event_age_in_seconds"],
                retry_attempts=params["maximum_retry_attempts"],
                description=description,
                target_id=params["target_id"],
                **shared,
            ),
            execution_role=ExecutionRole.from_parameters({**params, "aws_account": aws_account}, regions) if role else None,
            on_existing=params.get("on_existing") or STOP,
        )

    @property
    def spot_account(self) -> str:
        """Return the Spot account that is served; empty if the integration is to be removed."""
        return self.connection.spot_account

    @property
    def aws_account(self) -> str:
        """Return the AWS account that it is in; empty if the integration is to be removed."""
        return self.rule.aws_account

    @property
    def endpoint(self) -> str:
        """Return the address of Spot that takes the notices."""
        return self.api_destination.endpoint

    def steps(self) -> tuple[Resource, ...]:
        """Return the resources in the order in which they are made, or the reverse: none goes while another one needs it."""
        watch = (self.alarm_rule,) if self.alarm_rule else ()
        steps = (self.queue, self.connection, self.api_destination, self.rule, *watch)
        return steps if self.present else steps[::-1]

    def needs(self) -> dict[str, tuple[str, ...]]:
        """Return by kind which other resources are made before it; or are removed before it."""
        if self.present:
            return _NEEDS
        # A removal on purpose is not reported as a loss.
        watch = (self.alarm_rule.kind,) if self.alarm_rule else ()
        users = {kind: tuple(other for other, needed in _NEEDS.items() if kind in needed) for kind in _NEEDS}
        return {**dict.fromkeys(watch, ()), **{kind: (*watch, *others) for kind, others in users.items()}}

    def watched_by(self, hub: Hub) -> AlarmRule:
        """Return the rule that reports the loss of this integration's authorisation to a hub."""
        return AlarmRule(
            alarm_rule(self.rule.name),
            hub=hub,
            integration=self.connection.name,
            aws_account=self.aws_account,
            role_arn=self.rule.role_arn,
            dead_letter_queue=self.queue.name,
        )

    def with_role(self, arn: str) -> Desired:
        """Return the same with another execution role for the targets of its rules."""
        watch = dataclasses.replace(self.alarm_rule, role_arn=arn) if self.alarm_rule else None
        return dataclasses.replace(self, rule=dataclasses.replace(self.rule, role_arn=arn), alarm_rule=watch)

    def named_as_in(self, stack: StackNames, region: Region) -> Desired:
        """Return the same under the names that its parts have in a stack; a part that is not in it keeps its name."""
        queue, rule_name = stack.queue or self.queue.name, stack.rule or self.rule.name
        arn = role_arn(region.partition, self.aws_account, stack.execution_role) if stack.execution_role else self.rule.role_arn
        named = dataclasses.replace(
            self,
            queue=dataclasses.replace(self.queue, name=queue, rule=rule_name),
            connection=dataclasses.replace(self.connection, name=stack.connection or self.connection.name),
            api_destination=dataclasses.replace(self.api_destination, name=stack.api_destination or self.api_destination.name),
            rule=dataclasses.replace(self.rule, name=rule_name, dead_letter_queue=queue, role_arn=arn),
        )
        return dataclasses.replace(named, alarm_rule=named.watched_by(self.alarm_rule.hub) if self.alarm_rule else None)


def _queue_name(params: t.Mapping[str, t.Any]) -> str:
    # SQS allows no dots.
    return str(params["queue_name"] or check_name(params["name"]).replace(".", "-"))
