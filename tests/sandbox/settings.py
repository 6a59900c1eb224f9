# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The knobs that a test can turn over the control."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass
class Settings:
    """All durations are in seconds; the defaults are those of a sandbox that nobody has touched.

    Those of which nobody knows what AWS does have a record without an expectation (tests/contract/records/open.yml).

    Attributes:
        latency: added to every AWS call, outside of any lock.
        state_seconds: how long a connection stays in CREATING, UPDATING, AUTHORIZING or DELETING.
        destination_lag_seconds: how long an API destination still shows its old state after its connection's has changed (AWS: 1 to 2).
        read_lag_seconds: how long EventBridge, SQS and IAM show what there was before a change, to whoever has read it before.
        role_spread_seconds: how long a new role, or a changed trust policy, is not yet known to EventBridge. CloudFormation does not
            wait for it; with `stack_time_scale`, it puts a rule's targets half a minute after the rule.
        queue_name_seconds: how long the name of a deleted queue cannot be used again (AWS: 60).
        visibility_time_scale: factor on how long a message of a queue is not visible after it was received, or postponed.
        stack_seconds: how long CloudFormation takes for an operation on a stack, besides what the resources take.
        stack_time_scale: factor on how long CloudFormation took in AWS for each resource (queue 61, role 18, rule 60) and for the
            beginning of a rollback (141); 0 lets them take no time.
        stack_set_seconds: how long CloudFormation takes for an operation on a stack set, besides what the stacks take.
        rule_stack_tags: whether a stack's tags, aws:cloudformation:* included, are on its rules too, as on queues and roles.
        session_seconds: how long the credentials of an assumed role are good.
        delivery_time_scale: factor on the waits between delivery attempts and on the age an event may reach.
        delivery_timeout: how long a delivery waits for the endpoint's answer (AWS: 5).
        enabled_regions: the regions enabled for every account; None leaves it to moto (17 regions).
        unauthorized_reason: StateReason after a 401 or 407, in which `{status}` is replaced; None for none.
        unauthorized_keeps_secret: whether the secret and the parameters outlive a 401 or 407.
        unauthorized_is_retried: whether an event that finds the connection not AUTHORIZED is tried again, within its retry policy.
        update_without_value_keeps: whether UpdateConnection without ApiKeyValue keeps the value; it is refused otherwise.
        kms_key_as_arn: whether DescribeConnection shows a KMS key as an ARN, whatever was given.
        assume_with_source_arn: whether aws:SourceArn, the rule's, is there when EventBridge assumes an execution role.
        stack_set_stopped_text: the reason of what is left of an operation on a stack set that was stopped.
        missing_instances_are_refused: whether DeleteStackInstances refuses instances that are not there; it ignores them otherwise.
        partition: the partition of the account: no region of another one knows its keys.
        control_policy: the organisation's policy for the account, None for none; its condition key aws:RequestedRegion is us-east-1
            for global services. AWS's own example for denying regions exempts these: `Sandbox.deny_regions` makes it.
        control_policy_kind: what refuses by it, in words: a service control policy or a resource control policy.
        unsupported_regions: regions that do not know the operations on connections and API destinations, nor CloudFormation their types.
        unseen_account_status: Spot's HTTP status for an account that the token cannot see.
        permission_refusal_status: Spot's HTTP status for a viewer who posts a notification (401 or 403).
        impossible_instance_status: Spot's HTTP status for a notification of an instance that cannot exist (200, 400, 404 or 422).
    """

    latency: float = 0.0
    state_seconds: float = 0.0
    destination_lag_seconds: float = 0.0
    read_lag_seconds: float = 0.0
    role_spread_seconds: float = 0.0
    queue_name_seconds: float = 60.0
    visibility_time_scale: float = 1.0
    stack_seconds: float = 0.1
    stack_time_scale: float = 0.0
    stack_set_seconds: float = 0.1
    rule_stack_tags: bool = True
    session_seconds: float = 3600.0
    delivery_time_scale: float = 1.0
    delivery_timeout: float = 5.0
    enabled_regions: list[str] | None = None
    unauthorized_reason: str | None = "The API destination endpoint answered with HTTP status code {status}."
    unauthorized_keeps_secret: bool = True
    unauthorized_is_retried: bool = False
    update_without_value_keeps: bool = True
    kms_key_as_arn: bool = False
    assume_with_source_arn: bool = True
    stack_set_stopped_text: str = "Cancelled since the operation was stopped"
    missing_instances_are_refused: bool = False
    partition: str = "aws"
    control_policy: dict[str, Any] | None = None
    control_policy_kind: str = "service control policy"
    unsupported_regions: list[str] | None = None
    unseen_account_status: int = 403
    permission_refusal_status: int = 403
    impossible_instance_status: int = 200

    def update(self, values: dict[str, Any]) -> None:
        """Set the given knobs; a ValueError names those that do not exist, and then none is set."""
        unknown = sorted(set(values) - {field.name for field in fields(self)})
        if unknown:
            raise ValueError(f"no such setting: {', '.join(unknown)}")
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Back to the defaults, in place: others hold a reference to this object."""
        self.update({field.name: field.default for field in fields(self)})
