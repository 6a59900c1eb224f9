# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

from ansible_collections.spot.eventbridge.plugins.module_utils._aws import evidence as _evidence
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import NO, YES, allows
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import CurrentApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import (
    ACCOUNT_PARAMETER,
    API_KEY_NAME,
    CURRENT,
    DIFFERS,
    GOOD_STATE,
    TRANSIENT_STATES,
    CurrentConnection,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import CurrentQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import SERVICE, CurrentRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN, CurrentRule, rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import GOOD_STATES, StackNames
from ansible_collections.spot.eventbridge.plugins.module_utils._core import statuses
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Desired, Readings
from ansible_collections.spot.eventbridge.plugins.module_utils._notify import records as _records

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# The one check of a region that has no API destinations.
REGION = "region"
# The one check of a region that has nothing of an integration.
INTEGRATION = "integration"
PARTS = ("connection", "api_destination", "rule", "target", "execution_role", "queue")
AUTHORIZATION = ("connection_state", "api_destination_state")
STACK = "stack"
# What the template of another may decide otherwise than this collection, and still send every warning.
TASTE = ("api_destination_rate_limit", "target_retry_policy", "target_dead_letter", "queue", "queue_policy", "queue_encryption")
# These tell of more than the integration; that they could not be read says nothing about it.
BESIDES = ("connection_token", "double_delivery", "deliveries", "dead_letters", STACK, _records.CHECK)

_MEND = "Run the playbook spot.eventbridge.repair."


def status(findings: t.Iterable[Finding]) -> str:
    """The one word for an integration in a region, derived from its findings.

    What is known to be wrong counts more than what could not be read: `unsupported`, `absent`, `inactive`, `incomplete`,
    `drifted`, `unknown`, `active`, the first that fits.
    """
    findings = list(findings)
    if any(finding.check == REGION for finding in findings):
        return statuses.UNSUPPORTED
    failed = {finding.check for finding in findings if finding.outcome == FAIL}
    unread = {finding.check for finding in findings if finding.outcome == UNKNOWN}
    if INTEGRATION in failed:
        return statuses.ABSENT
    if failed & set(AUTHORIZATION):
        return statuses.INACTIVE
    if failed & set(PARTS):
        return statuses.INCOMPLETE
    if failed:
        return statuses.DRIFTED
    return statuses.UNKNOWN if unread - set(BESIDES) else statuses.ACTIVE


def findings(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    """All checks of an integration in a region. Pure.

    Parts of a resource that is not there are not checked one by one: that it is not there says it all.
    """
    if desired.stack_name and not isinstance(readings.stack, StackNames):
        return [_no_stack(readings.stack, desired)]
    if isinstance(readings.connection, Failure) and readings.connection.unsupported:
        return [Finding(REGION, SKIP, "This region has no API destinations.", "Leave it out.")]
    if isinstance(readings.connection, Failure) and readings.connection.unreachable:
        # It is asked first, and nothing else after it.
        return [_unread(INTEGRATION, readings.connection)]
    if _is_absent(readings, desired):
        return [_absent(readings, desired)]
    found = [
        *_connection(readings, desired),
        *_api_destination(readings, desired),
        *_rule(readings, desired),
        *_execution_role(readings, desired),
        *_queue(region, readings, desired),
        *_stack(readings, desired),
        _double_delivery(readings, desired),
    ]
    if isinstance(readings.stack, StackNames) and not readings.stack.ours:
        hidden = ("connection_account",) if _hides_account(readings) else ()
        found = [_of_another_template(finding) if finding.check in (*TASTE, *hidden) else finding for finding in found]
    if readings.evidence:
        found += _evidence.findings(readings.evidence)
    if readings.notification is not None:
        found.append(_records.finding(readings.notification))
    return found


def _is_absent(readings: Readings, desired: Desired) -> bool:
    # Offboarding keeps a queue with dead letters and a rule with others' targets. Neither of them is an integration.
    rule = readings.rule
    ours = isinstance(rule, Failure) or (rule is not None and rule.target(desired.rule.target_id) is not None)
    return not (readings.connection or readings.api_destination or ours or isinstance(readings.queue, Failure))


def _absent(readings: Readings, desired: Desired) -> Finding:
    message = "Nothing of the integration is there: it was never onboarded, or it was offboarded."
    kept = [f"the rule {desired.rule.name}, without our target"] if readings.rule else []
    if isinstance(readings.queue, CurrentQueue):
        kept.append(f"the queue {desired.queue.name} with {readings.queue.messages} dead letter(s)")
    if isinstance(readings.stack, StackNames):
        message = f"The stack {readings.stack.stack.name} is {readings.stack.status}, and nothing that sends warnings is there."
        kept = []
    if kept:
        message = f"Nothing that sends warnings is there: it was never onboarded, or it was offboarded. Left is {' and '.join(kept)}."
    serving = [other.name for other in _serving(readings, desired)]
    if serving:
        message += f" Something else sends this region's warnings to {desired.spot_account}: the API destination {', '.join(serving)}."
        return Finding(INTEGRATION, FAIL, message, "Look at that in place of this one (spot_eventbridge_method, spot_eventbridge_name).")
    return Finding(INTEGRATION, FAIL, message, "Run the playbook spot.eventbridge.onboard.")


def _serving(readings: Readings, desired: Desired) -> list[OtherDestination]:
    others = () if isinstance(readings.others, Failure) else readings.others
    return [other for other in others if other.rules and other.spot_account == desired.spot_account]


def _no_stack(stack: t.Any, desired: Desired) -> Finding:
    if isinstance(stack, Failure):
        return _unread(INTEGRATION, stack)
    message = f"There is no stack {desired.stack_name}: it was never onboarded with CloudFormation, or it was offboarded."
    return Finding(INTEGRATION, FAIL, message, "Run the playbook spot.eventbridge.onboard.")


def _stack(readings: Readings, desired: Desired) -> list[Finding]:
    stack = readings.stack
    if isinstance(stack, Failure):
        if not stack.denied:
            return [_unread(STACK, stack)]
        message = "Whether it belongs to a CloudFormation stack was not found out: the caller lacks cloudformation:DescribeStackResources."
        return [Finding(STACK, SKIP, message, "Grant the permission, if CloudFormation is used here.")]
    if isinstance(stack, StackNames):
        return [_stack_state(stack)]
    if stack is None:
        return (
            [Finding(STACK, PASS, "It belongs to no CloudFormation stack.")] if isinstance(readings.connection, CurrentConnection) else []
        )
    message = f"It belongs to {stack}, which does not notice what others change, and takes it away when it is deleted."
    if stack.of_a_set:
        return [Finding(STACK, WARN, message, "Manage it with the playbook spot.eventbridge.stack_set.")]
    return [Finding(STACK, WARN, message, "Set spot_eventbridge_method to cloudformation, or spot_eventbridge_on_existing to adopt.")]


def _stack_state(stack: StackNames) -> Finding:
    message = f"The stack {stack.stack.name} is {stack.status}"
    if stack.status in GOOD_STATES:
        return Finding(STACK, PASS, f"{message}.")
    if stack.in_progress:
        return Finding(STACK, UNKNOWN, f"{message}: CloudFormation is working on it.", "Look again in a minute.")
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return Finding(
            STACK, WARN, f"{message}: its latest update failed, and was taken back.", "Run the playbook spot.eventbridge.onboard."
        )
    return Finding(STACK, FAIL, f"{message}, so it cannot be updated as it is.", _MEND)


def _of_another_template(finding: Finding) -> Finding:
    if finding.outcome != FAIL:
        return finding
    return dataclasses.replace(finding, outcome=WARN, remedy="The stack's template decides it. This collection's own decides otherwise.")


def _unread(check: str, failure: Failure) -> Finding:
    remedy = "Grant the permission to read it." if failure.denied else "Try again; if it stays, look at the AWS status of the region."
    return Finding(check, UNKNOWN, f"It could not be read: {failure.code}: {failure.message}", remedy)


def _missing(check: str, what: str) -> list[Finding]:
    return [Finding(check, FAIL, f"There is no {what}.", _MEND)]


def _compare(check: str, what: str, seen: t.Any, expected: t.Any, remedy: str = _MEND) -> Finding:
    if seen == expected:
        return Finding(check, PASS, f"{what} is {_shown(expected)}.")
    return Finding(check, FAIL, f"{what} is {_shown(seen)}, expected {_shown(expected)}.", remedy)


def _shown(value: t.Any) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else json.dumps(value)


def _connection(readings: Readings, desired: Desired) -> list[Finding]:
    current = readings.connection
    if isinstance(current, Failure):
        return [_unread("connection", current)]
    if current is None:
        return _missing("connection", f"connection {desired.connection.name}")
    fields = current.managed_fields()
    return [
        Finding("connection", PASS, f"The connection {desired.connection.name} is there."),
        _connection_state(current),
        _compare("connection_authorization", "The authorisation type", fields["authorization_type"], "API_KEY"),
        _compare("connection_api_key", "The API key's name", fields["api_key_name"], API_KEY_NAME),
        _connection_account(fields["query_string_parameters"], desired.spot_account),
        _connection_token(current, desired),
    ]


def _connection_state(current: CurrentConnection) -> Finding:
    if current.state == GOOD_STATE:
        return Finding("connection_state", PASS, f"The connection is {GOOD_STATE}.")
    if current.state in TRANSIENT_STATES:
        return Finding("connection_state", UNKNOWN, f"The connection is {current.state}: AWS is changing it.", "Look again in a minute.")
    reason = current.document.get("state_reason")
    message = f"The connection is {current.state or 'without a state'}" + (f": {reason}" if reason else "")
    return Finding("connection_state", FAIL, f"{message.rstrip('.')}. AWS drops every warning until it is authorised again.", _MEND)


def _connection_account(parameters: t.Sequence[t.Mapping[str, str]], spot_account: str) -> Finding:
    check, values = "connection_account", [item["value"] for item in parameters if item["key"] == ACCOUNT_PARAMETER]
    if not values:
        message = f"The query parameter {ACCOUNT_PARAMETER} is missing: Spot takes the warnings for the organisation's oldest account."
        return Finding(check, FAIL, message, _MEND)
    if values == ["(hidden)"]:
        message = f"The query parameter {ACCOUNT_PARAMETER} is hidden, so nobody can see whether it is {spot_account}."
        return Finding(check, FAIL, message, _MEND)
    return _compare(check, f"The query parameter {ACCOUNT_PARAMETER}", ", ".join(values), spot_account)


def _hides_account(readings: Readings) -> bool:
    parameters = (
        readings.connection.managed_fields()["query_string_parameters"] if isinstance(readings.connection, CurrentConnection) else []
    )
    return [item["value"] for item in parameters if item["key"] == ACCOUNT_PARAMETER] == ["(hidden)"]


def _connection_token(current: CurrentConnection, desired: Desired) -> Finding:
    check = "connection_token"
    if current.token == CURRENT:
        return Finding(check, PASS, "The connection holds the token that was given.")
    if current.token == DIFFERS:
        return Finding(check, FAIL, "The connection's secret holds another token than was given, or was deleted.", _MEND)
    if not desired.has_token:
        return Finding(check, SKIP, "Whether the token is current was not checked: no token was given.", "Set SPOTINST_TOKEN.")
    if current.token_unread:
        remedy = "Grant secretsmanager:GetSecretValue on secret:events!connection/*."
        return Finding(check, SKIP, f"Whether the token is current was not checked: {current.token_unread}.", remedy)
    return Finding(check, SKIP, "Whether the token is current was not checked, as the connection is not authorised.", _MEND)


def _api_destination(readings: Readings, desired: Desired) -> list[Finding]:
    current, name = readings.api_destination, desired.api_destination.name
    if isinstance(current, Failure):
        return [_unread("api_destination", current)]
    if current is None:
        return _missing("api_destination", f"API destination {name}")
    fields = current.managed_fields()
    rate, desired_rate = fields["invocation_rate_limit_per_second"], desired.api_destination.rate_limit
    found = [
        Finding("api_destination", PASS, f"The API destination {name} is there."),
        _compare("api_destination_state", "The API destination", current.document.get("api_destination_state"), "ACTIVE"),
        _compare("api_destination_endpoint", "The endpoint", fields["invocation_endpoint"], desired.endpoint),
        _compare("api_destination_method", "The HTTP method", fields["http_method"], desired.api_destination.http_method),
        _compare("api_destination_rate_limit", "The rate limit", rate, desired_rate),
    ]
    connection = readings.connection
    if isinstance(connection, CurrentConnection):
        arn = connection.document.get("connection_arn")
        found.append(_compare("api_destination_connection", "The API destination's connection", fields["connection_arn"], arn))
    return found


def _rule(readings: Readings, desired: Desired) -> list[Finding]:
    current, name = readings.rule, desired.rule.name
    if isinstance(current, Failure):
        return [_unread("rule", current)]
    if current is None:
        return _missing("rule", f"rule {name} on the default event bus")
    return [
        Finding("rule", PASS, f"The rule {name} is on the default event bus."),
        _compare("rule_state", "The rule", current.managed_fields()["state"], "ENABLED"),
        _compare("rule_pattern", "The event pattern", current.event_pattern(), EVENT_PATTERN),
        _rule_matches(readings.matches_sample),
        *_target(current, readings, desired),
    ]


def _rule_matches(matches: bool | Failure | None) -> Finding:
    if isinstance(matches, Failure):
        return _unread("rule_matches", matches)
    if matches is None:
        return Finding("rule_matches", SKIP, "AWS did not say whether the rule matches a sample warning.", "Try again.")
    if matches:
        return Finding("rule_matches", PASS, "The rule matches a sample warning.")
    return Finding("rule_matches", FAIL, "The rule does not match a sample warning, so it picks none.", _MEND)


def _target(rule: CurrentRule, readings: Readings, desired: Desired) -> list[Finding]:
    target = rule.target(desired.rule.target_id)
    destination = readings.api_destination
    arn = destination.document.get("api_destination_arn") if isinstance(destination, CurrentApiDestination) else None
    if target is None and arn:
        target = next((other for other in rule.targets if other["Arn"] == arn), None)
    if target is None:
        return _missing("target", f"target {desired.rule.target_id} in the rule {rule.document.get('name')}")
    retry = target.get("RetryPolicy", {})
    seen = (retry.get("MaximumEventAgeInSeconds"), retry.get("MaximumRetryAttempts"))
    queue = readings.queue.document["queue_arn"] if isinstance(readings.queue, CurrentQueue) else None
    found = [
        Finding("target", PASS, "The rule has its target."),
        _compare("target_role", "The target's execution role", target.get("RoleArn"), desired.rule.role_arn),
        _compare("target_retry_policy", "The retry policy", _retries(*seen), _retries(desired.rule.event_age, desired.rule.retry_attempts)),
        _target_input(target),
    ]
    if arn:
        found.append(_compare("target_destination", "The target", target["Arn"], arn))
    if queue:
        seen_queue = target.get("DeadLetterConfig", {}).get("Arn")
        found.append(_compare("target_dead_letter", "The target's dead-letter queue", seen_queue, queue))
    return found


def _target_input(target: t.Mapping[str, t.Any]) -> Finding:
    altered = [element for element in ("Input", "InputPath", "InputTransformer") if target.get(element)]
    if altered:
        message = f"The target has {', '.join(altered)}, so Spot gets something else than the whole warning."
        return Finding("target_input", FAIL, message, _MEND)
    return Finding("target_input", PASS, "The target sends the whole warning.")


def _retries(age: int | None, attempts: int | None) -> str:
    # AWS's defaults for what a target does not say (EventBridge user guide, "Retry policy").
    return f"{86400 if age is None else age} s, {185 if attempts is None else attempts} attempts"


def _execution_role(readings: Readings, desired: Desired) -> list[Finding]:
    role, arn = readings.execution_role, desired.rule.role_arn
    if isinstance(role, Failure):
        return [_unread("execution_role", role)]
    if role is None:
        return _missing("execution_role", f"execution role {arn}")
    return [
        Finding("execution_role", PASS, f"The execution role {arn} is there."),
        _may("execution_role_trust", SERVICE, "assume the execution role", role.trusts_eventbridge(desired.aws_account)),
        *_permission(role, readings),
    ]


def _permission(role: CurrentRole, readings: Readings) -> list[Finding]:
    destination = readings.api_destination
    if not isinstance(destination, CurrentApiDestination):
        return []
    answer = role.may_invoke(str(destination.document.get("api_destination_arn")))
    return [_may("execution_role_permission", "The execution role", "send to the API destination", answer)]


def _may(check: str, who: str, what: str, answer: str) -> Finding:
    if answer == YES:
        return Finding(check, PASS, f"{who} may {what}.")
    if answer == NO:
        return Finding(check, FAIL, f"{who} may not {what}, so nothing is delivered.", _MEND)
    return Finding(
        check, WARN, f"Whether {who} may {what} was not found out: a policy has conditions that only AWS can evaluate.", "Check it."
    )


def _queue(region: Region, readings: Readings, desired: Desired) -> list[Finding]:
    current, name = readings.queue, desired.queue.name
    if isinstance(current, Failure):
        return [_unread("queue", current)]
    if current is None:
        return [Finding("queue", FAIL, f"There is no dead-letter queue {name}: what Spot refuses vanishes without a trace.", _MEND)]
    found = [Finding("queue", PASS, f"The dead-letter queue {name} is there.")]
    fields = current.managed_fields()
    found.append(_queue_policy(fields["policy"], str(current.document["queue_arn"]), region, desired))
    encrypted = fields["sqs_managed_sse_enabled"] or fields["kms_master_key_id"]
    found.append(
        Finding("queue_encryption", PASS, "The queue is encrypted.")
        if encrypted
        else Finding("queue_encryption", FAIL, "The queue is not encrypted.", _MEND)
    )
    return found


def _queue_policy(policy: t.Any, queue: str, region: Region, desired: Desired) -> Finding:
    check = "queue_policy"
    context = {"aws:SourceArn": rule_arn(region, desired.aws_account, desired.rule.name), "aws:SourceAccount": desired.aws_account}
    answer = allows(policy, action="sqs:SendMessage", resource=queue, context=context, service=SERVICE)
    if answer == YES and compare_policies(policy, desired.queue.policy(region)):
        return Finding(check, FAIL, "The queue's policy lets the rule send, but is not the one that lets nobody else.", _MEND)
    return _may(check, "The rule", "send to its dead-letter queue", answer)


def _double_delivery(readings: Readings, desired: Desired) -> Finding:
    others = readings.others
    if isinstance(others, Failure):
        return _unread("double_delivery", others)
    suspects = [other for other in others if other.rules and other.spot_account in (None, desired.spot_account)]
    if not suspects:
        return Finding("double_delivery", PASS, "Nothing else in this region sends warnings to this Spot account.")
    named = "; ".join(
        f"{other.name} (rule {', '.join(other.rules)}; account {other.spot_account or 'hidden or missing'})" for other in suspects
    )
    return Finding(
        "double_delivery",
        WARN,
        f"Other API destinations send to the same endpoint, so warnings may arrive twice: {named}.",
        "Remove them, or the stack that made them, if they are for this Spot account.",
    )
