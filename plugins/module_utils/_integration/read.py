# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws import evidence as _evidence
from ansible_collections.spot.eventbridge.plugins.module_utils._aws import other_destinations as _others
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import Evidence
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack, owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import execution_role as _execution_role
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination, CurrentApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection, CurrentConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import CurrentQueue, Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import CurrentRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import CurrentRule, Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames, stack_names
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    check_aws_account,
    check_name,
    check_spot_account,
    check_stack_name,
    check_token,
    check_url,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._notify import records as _records
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import Records

Read = t.TypeVar("Read")

SERVICES = ("events", "secretsmanager", "sqs", "cloudwatch")


@dataclass(frozen=True)
class Desired:
    """An integration as it should be: its four resources, and the role they use.

    :ivar stack_name: the stack that it shall be in; empty if it shall be in none
    """

    spot_account: str
    aws_account: str
    endpoint: str
    connection: Connection
    api_destination: ApiDestination
    rule: Rule
    queue: Queue
    has_token: bool
    stack_name: str = ""


def desired_from_parameters(params: t.Mapping[str, t.Any], regions: Regions) -> Desired:
    """What is desired, out of the parameters of `spot_integration_info`.

    :raises ArgumentError: a parameter cannot be right.
    """
    name, spot_account, token = check_name(params["name"]), check_spot_account(params["spot_account"]), params["spot_token"]
    aws_account = check_aws_account(params["aws_account"]) if params["aws_account"] else regions.aws_account()
    queue = check_name(params["queue_name"] or name.replace(".", "-"), QUEUE_NAME)
    partition = regions[regions.names[0]].partition
    return Desired(
        spot_account=spot_account,
        aws_account=aws_account,
        endpoint=check_url(params["invocation_endpoint"], "The endpoint"),
        connection=Connection(
            name=name,
            spot_account=spot_account,
            token=check_token(token) if token else "",
            update_token="changed" if token else "on_create",  # that is: compare it, or do not
        ),
        # The ARN of the connection is compared with the one that is read beside it, not looked up again.
        api_destination=ApiDestination(
            name=name, endpoint=params["invocation_endpoint"], rate_limit=params["invocation_rate_limit_per_second"], look_up=False
        ),
        rule=Rule(
            name=name,
            role_arn=params["role_arn"] or f"arn:{partition}:iam::{aws_account}:role/{name}",
            dead_letter_queue=queue,
            aws_account=aws_account,
            event_age=params["maximum_event_age_in_seconds"],
            retry_attempts=params["maximum_retry_attempts"],
            target_id=params["target_id"],
            look_up=False,
        ),
        queue=Queue(name=queue, rule=name, aws_account=aws_account),
        has_token=bool(token),
        stack_name=check_stack_name(params["stack_name"]) if params["stack_name"] else "",
    )


@dataclass(frozen=True)
class Readings:
    """Everything about an integration in a region. Each part is what was read, None if it is not there, or why it could not be
    read.

    :ivar stack: the stack that it belongs to, None if to none
    :ivar matches_sample: whether EventBridge says that the rule matches a sample warning; None where there is no rule to ask about
    :ivar notification: what Spot's operators were told of this region; None where there is no rule to remember it
    """

    connection: CurrentConnection | Failure | None
    api_destination: CurrentApiDestination | Failure | None
    rule: CurrentRule | Failure | None
    queue: CurrentQueue | Failure | None
    execution_role: CurrentRole | Failure | None
    matches_sample: bool | Failure | None = None
    others: tuple[_others.OtherDestination, ...] | Failure = ()
    evidence: Evidence | None = None
    notification: Records | Failure | None = None
    stack: Stack | StackNames | Failure | None = None

    def documents(self) -> dict[str, t.Any]:
        """The resources as they are returned: None for what is not there or could not be read."""
        parts = {
            "connection": self.connection,
            "api_destination": self.api_destination,
            "rule": self.rule,
            "queue": self.queue,
        }
        return {name: None if part is None or isinstance(part, Failure) else part.document for name, part in parts.items()}


@dataclass
class _Reader:
    """Reads on where a call is refused, and stops asking a region that does not answer at all."""

    region: Region
    gone: Failure | None = field(default=None)

    def __call__(self, function: t.Callable[[], Read]) -> Read | Failure:
        if self.gone:
            return self.gone
        try:
            return function()
        except Exception as error:
            failure = failure_of(error)
            if failure.unreachable:
                self.gone = failure
            return failure


def read(
    region: Region,
    desired: Desired,
    role: CurrentRole | Failure | None,
    window_hours: int,
    now: datetime.datetime,
    *,
    stack: StackNames | None = None,
) -> Readings:
    """Reads everything about an integration in one region. Makes no writing call, and never raises for what AWS refuses.

    :param role: the execution role, which is read once for the whole account
    :param window_hours: how far back to look for deliveries, 0 for not at all
    :param stack: the stack whose integration is looked at, if it is known; else the one that owns the connection is looked for
    """
    attempt = _Reader(region)
    connection = attempt(lambda: desired.connection.read(region))
    api_destination = attempt(lambda: _present(desired.api_destination.read(region)))
    rule = attempt(lambda: _present(desired.rule.read(region)))
    queue = attempt(lambda: desired.queue.read(region))
    matches = attempt(lambda: _matches_sample(region, rule, desired.aws_account)) if isinstance(rule, CurrentRule) else None
    others = attempt(lambda: _others.others(region, desired.api_destination.name, desired.endpoint))
    evidence = _read_evidence(attempt, desired, queue, window_hours, now) if window_hours else None
    notification = None
    if isinstance(rule, CurrentRule):
        notification = attempt(lambda: _records.read(region, rule.document["arn"], desired.spot_account))
    owned: Stack | StackNames | Failure | None = stack
    if stack is None and isinstance(connection, CurrentConnection):
        owned = attempt(lambda: owner(region, desired.connection.name))
    return Readings(connection, api_destination, rule, queue, role, matches, others, evidence, notification, owned)


def read_in_stack(region: Region, desired: Desired, window_hours: int, now: datetime.datetime) -> tuple[Desired, Readings]:
    """As `read`, of the integration that the stack holds in this region, whatever names it gave; its execution role included.

    :returns: what is desired, under the names that it has there; and what was read
    """
    stack = _Reader(region)(lambda: stack_names(region, desired.stack_name))
    if not isinstance(stack, StackNames):
        return desired, Readings(None, None, None, None, None, stack=stack)
    desired = stack.renamed(region, desired)
    role = read_role(region, desired.rule.role_arn)
    if isinstance(role, CurrentRole):  # its path is no part of its name
        desired = dataclasses.replace(desired, rule=dataclasses.replace(desired.rule, role_arn=role.arn))
    return desired, read(region, desired, role, window_hours, now, stack=stack)


def read_role(region: Region, arn: str) -> CurrentRole | Failure | None:
    """The execution role, as `read` takes it."""
    return _Reader(region)(lambda: _execution_role.read_with_policies(region, arn))


Found = t.TypeVar("Found", CurrentApiDestination, CurrentRule)


def _present(current: Found | None) -> Found | None:
    # Both also stand for "not there, but this is what it would use".
    return current if current is not None and current.found is not None else None


def sample_warning(region: str, aws_account: str) -> dict[str, t.Any]:
    """A warning as EC2 gives it, of no instance that there is (EC2 user guide, "Spot Instance interruption notices")."""
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": aws_account,
        "time": "2026-01-01T00:00:00Z",
        "region": region,
        "resources": [f"arn:aws:ec2:{region}a:instance/i-00000000000000000"],
        "detail": {"instance-id": "i-00000000000000000", "instance-action": "terminate"},
    }


def _matches_sample(region: Region, rule: CurrentRule, aws_account: str) -> bool | None:
    pattern = (rule.found or {}).get("event_pattern")
    if not pattern:
        return False
    sample = json.dumps(sample_warning(region.name, aws_account))
    answer = region.clients["events"].test_event_pattern(EventPattern=pattern, Event=sample)
    return t.cast("bool | None", answer.get("Result"))


def _read_evidence(
    attempt: _Reader,
    desired: Desired,
    queue: CurrentQueue | Failure | None,
    hours: int,
    now: datetime.datetime,
) -> Evidence:
    region = attempt.region
    metrics = attempt(lambda: _evidence.read_metrics(region, desired.rule.name, hours, now))
    unread = f"{metrics.code}: {metrics.message}" if isinstance(metrics, Failure) else None
    figures: dict[str, int | None] = dict.fromkeys(_evidence.METRICS) if isinstance(metrics, Failure) else metrics
    if not isinstance(queue, CurrentQueue):
        return Evidence(hours, figures, unread=unread, dead_letters_unread="there is no queue, or it could not be read")
    if not queue.messages:
        return Evidence(hours, figures, unread=unread)
    dead_letters = attempt(lambda: _evidence.read_dead_letters(region, queue.url))
    if isinstance(dead_letters, Failure):
        why = f"{dead_letters.code}: {dead_letters.message}"
        return Evidence(hours, figures, dead_letter_count=queue.messages, unread=unread, dead_letters_unread=why)
    return Evidence(hours, figures, dead_letters, max(queue.messages, len(dead_letters)), unread)
