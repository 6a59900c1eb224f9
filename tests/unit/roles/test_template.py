# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CloudFormation template makes what the modules make, keeps the token to itself, and allows no more than is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import api_destination as _api_destination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import dead_letter_queue as _queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources import rule as _rule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import ApiDestination, ExistingApiDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import EVENT_BUS, ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import POLICY_NAME, ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import WATCH_POLICY
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import Rule, alarm_rule, temporary_rule_prefix
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import LONGEST_BODY, REVISION_PARAMETER
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import MAX_TOKEN_LENGTH, SPOT_ACCOUNT
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.permission import Permission
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule
from tests.unit.roles.rendered import ACCOUNT, PARTITION, REGION, STACK, TEMPLATE, Json, Rendered, template

SPOT = "act-d7320fba"
NAME = f"spot-interruption-{SPOT}"
TOKEN = "0123456789secretTOKEN"
HERE = Region(REGION, PARTITION, {})
# What AWS decides.
CONNECTION_ARN, DESTINATION_ARN, ROLE_ARN, QUEUE_ARN = (
    f"{name}.Arn" for name in ("Connection", "ApiDestination", "ExecutionRole", "DeadLetterQueue")
)


def rendered(**parameters: str) -> Rendered:
    return Rendered(**{"SpotAccountId": SPOT, "SpotToken": TOKEN, **parameters})


def arguments(plan: Plan, operation: str) -> Json:
    (call,) = [call for call in plan.calls if call.operation == operation]
    return dict(call.arguments)


def with_known_arns(properties: Any) -> Any:
    """The properties with the ARNs that follow from the names, as the modules build them."""
    queue = f"arn:{PARTITION}:sqs:{REGION}:{ACCOUNT}:{NAME}"
    return json.loads(json.dumps(properties).replace(QUEUE_ARN, queue))


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All values with their paths: `Resources.Rule.Type`."""
    yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in items:
        yield from nodes(item, f"{path}.{key}".lstrip("."))


# What the modules make


def test_the_connection_is_the_modules_but_for_its_description() -> None:
    made = arguments(Connection(NAME, spot_account=SPOT, token=TOKEN).plan(HERE, None), "create_connection")
    assert {**rendered()["Connection"], "Description": made["Description"]} == made


def test_the_api_destination_is_the_modules_but_for_its_description() -> None:
    plan = ApiDestination(NAME, connection=NAME).plan(HERE, ExistingApiDestination(None, CONNECTION_ARN))
    made = arguments(plan, "create_api_destination")
    assert {**rendered()["ApiDestination"], "Description": made["Description"]} == made


def rule_plan() -> Plan:
    desired = Rule(NAME, api_destination=NAME, role_arn=ROLE_ARN, dead_letter_queue=NAME, aws_account=ACCOUNT)
    return desired.plan(HERE, ExistingRule(None, destination_arn=DESTINATION_ARN))


def test_the_rule_is_the_modules_but_for_its_description() -> None:
    rule, made = rendered()["Rule"], arguments(rule_plan(), "put_rule")
    del rule["Targets"]
    assert {**rule, "Description": made["Description"]} == {**made, "EventPattern": json.loads(made["EventPattern"])}


def test_the_target_is_the_modules() -> None:
    assert with_known_arns(rendered()["Rule"]["Targets"]) == arguments(rule_plan(), "put_targets")["Targets"]


def test_the_queue_and_its_policy_are_the_modules() -> None:
    made = arguments(Queue(NAME, rule=NAME, aws_account=ACCOUNT).plan(HERE, None), "create_queue")
    queue, policy = rendered()["DeadLetterQueue"], with_known_arns(rendered()["DeadLetterQueuePolicy"]["PolicyDocument"])
    attributes = {key: str(value).lower() for key, value in queue.items() if key != "QueueName"}
    assert queue["QueueName"] == made["QueueName"]
    assert {**attributes, "Policy": policy} == {**made["Attributes"], "Policy": json.loads(made["Attributes"]["Policy"])}


def test_the_execution_role_is_the_modules_but_for_its_name_and_only_for_its_region() -> None:
    desired = ExecutionRole(NAME, aws_account=ACCOUNT, api_destination=NAME)
    role = rendered()["ExecutionRole"]
    assert role["AssumeRolePolicyDocument"] == desired.trust_policy()
    policy = json.loads(json.dumps(desired.policy(PARTITION)).replace(":events:*:", f":events:{REGION}:"))
    assert role["Policies"] == [{"PolicyName": POLICY_NAME, "PolicyDocument": policy}]


def test_the_defaults_are_the_modules() -> None:
    options = {**_api_destination.argument_spec(), **_rule.argument_spec(), **_queue.argument_spec()}
    shared = {
        "Endpoint": "invocation_endpoint",
        "InvocationRateLimitPerSecond": "invocation_rate_limit_per_second",
        "MaximumEventAgeInSeconds": "maximum_event_age_in_seconds",
        "MaximumRetryAttempts": "maximum_retry_attempts",
        "MessageRetentionPeriod": "message_retention_period",
    }
    assert {name: rendered().parameters[name] for name in shared} == {name: options[option]["default"] for name, option in shared.items()}


def test_every_property_that_a_parameter_decides_is_decided_by_it() -> None:
    changed = rendered(
        Endpoint="https://example.com/",
        Name="theirs",
        QueueName="letters",
        InvocationRateLimitPerSecond="7",
        MaximumEventAgeInSeconds="60",
        MaximumRetryAttempts="3",
        MessageRetentionPeriod="3600",
        PermissionsBoundaryArn="arn:aws:iam::123456789012:policy/boundary",
        RolePath="/spot/",
        Description="warnings for Spot.",
        ConnectionKmsKey="alias/connection",
        QueueKmsKey="alias/queue",
        TokenRevision="9",
    )
    assert (changed["Connection"]["Name"], changed["ApiDestination"]["Name"], changed["Rule"]["Name"]) == ("theirs",) * 3
    assert changed["ApiDestination"]["InvocationEndpoint"] == "https://example.com/"
    assert changed["ApiDestination"]["InvocationRateLimitPerSecond"] == "7"
    assert changed["Rule"]["Targets"][0]["RetryPolicy"] == {"MaximumEventAgeInSeconds": "60", "MaximumRetryAttempts": "3"}
    assert (changed["DeadLetterQueue"]["QueueName"], changed["DeadLetterQueue"]["MessageRetentionPeriod"]) == ("letters", "3600")
    assert changed["ExecutionRole"]["PermissionsBoundary"] == "arn:aws:iam::123456789012:policy/boundary"
    assert changed["ExecutionRole"]["Path"] == "/spot/"
    assert changed["Connection"]["KmsKeyIdentifier"] == "alias/connection"
    assert (changed["DeadLetterQueue"]["KmsMasterKeyId"], changed["DeadLetterQueue"]["SqsManagedSseEnabled"]) == ("alias/queue", False)
    assert changed["ExecutionRole"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"].endswith(":api-destination/theirs/*")
    assert changed["Connection"]["Description"] == "warnings for Spot. Token revision 9."
    assert {changed[name]["Description"] for name in ("ApiDestination", "Rule", "ExecutionRole")} == {"warnings for Spot."}


def test_with_a_role_of_ones_own_the_stack_makes_none() -> None:
    arn = "arn:aws:iam::123456789012:role/spot/own"
    stack = rendered(ExecutionRoleArn=arn)
    assert stack["Rule"]["Targets"][0]["RoleArn"] == arn
    assert stack.value(stack.template["Outputs"]["ExecutionRoleArn"]["Value"]) == arn
    assert ("ExecutionRole" in rendered().resources(), "ExecutionRole" in stack.resources()) == (True, False)


def test_without_a_boundary_the_role_has_none() -> None:
    assert "PermissionsBoundary" not in rendered()["ExecutionRole"]


def test_without_keys_aws_keeps_them_and_the_role_has_no_path() -> None:
    assert "KmsKeyIdentifier" not in rendered()["Connection"]
    assert "KmsMasterKeyId" not in rendered()["DeadLetterQueue"]
    assert rendered()["ExecutionRole"]["Path"] == "/"


@pytest.mark.parametrize(
    ("path", "taken"), [("/", True), ("/spot/", True), ("/a/b/", True), ("spot", False), ("/spot", False), ("", False)]
)
def test_a_path_begins_and_ends_with_a_slash(path: str, taken: bool) -> None:
    assert bool(re.fullmatch(template()["Parameters"]["RolePath"]["AllowedPattern"], path)) == taken


def test_a_queue_has_hyphens_for_dots_as_the_modules_name_it() -> None:
    assert rendered(Name="spot.warnings.a")["DeadLetterQueue"]["QueueName"] == "spot-warnings-a"


def test_the_queue_is_open_before_the_rule_sends() -> None:
    assert template()["Resources"]["Rule"]["DependsOn"] == "DeadLetterQueuePolicy"


@pytest.mark.parametrize("name", ["Connection", "ApiDestination", "Rule", "ExecutionRole"])
def test_descriptions_name_the_stack(name: str) -> None:
    assert f"Managed by the stack {STACK}." in rendered()[name]["Description"]


def test_only_the_connection_changes_with_the_revision() -> None:
    one, two = rendered(TokenRevision="1"), rendered(TokenRevision="2")
    assert [name for name in template()["Resources"] if one[name] != two[name]] == ["Connection"]
    assert REVISION_PARAMETER == "TokenRevision"


# The token


def test_the_token_is_in_the_api_key_and_nowhere_else() -> None:
    whole = rendered()
    parts = {"Metadata": whole.template["Metadata"], "Outputs": whole.value(whole.template["Outputs"])}
    parts |= {name: whole[name] for name in whole.template["Resources"]}
    found = [path for path, value in nodes(parts) if isinstance(value, str) and TOKEN in value]
    assert found == ["Connection.AuthParameters.ApiKeyAuthParameters.ApiKeyValue"]


def test_the_token_is_hidden_and_nothing_else() -> None:
    parameters = template()["Parameters"]
    assert [name for name, declared in parameters.items() if "NoEcho" in declared] == ["SpotToken"]
    assert parameters["SpotToken"]["NoEcho"] is True
    assert "Default" not in parameters["SpotToken"]


@pytest.mark.parametrize(
    ("token", "taken"),
    [(TOKEN, True), ("~!/+=", True), ("with space", False), ("a:b", False), ("Bearer x", False), ("line\nbreak", False), ("ü", False)],
)
def test_the_token_has_the_form_that_the_modules_ask_for(token: str, taken: bool) -> None:
    declared = template()["Parameters"]["SpotToken"]
    assert bool(re.fullmatch(declared["AllowedPattern"], token)) == taken
    assert declared["MaxLength"] == MAX_TOKEN_LENGTH


@pytest.mark.parametrize("account", [SPOT, "act-1", "act-D7320FBA", "123456789012", f"{SPOT} "])
def test_the_account_has_the_form_that_the_modules_ask_for(account: str) -> None:
    pattern = template()["Parameters"]["SpotAccountId"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, account)) == bool(SPOT_ACCOUNT.match(account))


# Least privilege


def statements() -> list[Json]:
    return [
        statement
        for name in template()["Resources"]
        for _, node in nodes(rendered()[name])
        if isinstance(node, dict)
        for statement in node.get("Statement", [])
    ]


def allowing() -> list[Json]:
    return [statement for statement in statements() if statement["Effect"] != "Deny"]


def test_no_statement_allows_more_than_one_action() -> None:
    assert sorted(statement["Action"] for statement in allowing()) == ["events:InvokeApiDestination", "sqs:SendMessage", "sts:AssumeRole"]
    assert {statement["Effect"] for statement in allowing()} == {"Allow"}


def test_no_principal_is_anybody_but_eventbridge() -> None:
    assert [statement["Principal"] for statement in allowing() if "Principal" in statement] == [{"Service": "events.amazonaws.com"}] * 2


def test_no_resource_is_anything_but_the_stacks_own() -> None:
    assert [statement["Resource"] for statement in statements() if "Resource" in statement] == [
        f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:api-destination/{NAME}/*",
        QUEUE_ARN,
        QUEUE_ARN,
    ]


def test_nobody_uses_the_queue_over_plain_http() -> None:
    (denying,) = [statement for statement in statements() if statement["Effect"] == "Deny"]
    assert {name: denying[name] for name in ("Principal", "Action", "Resource", "Condition")} == {
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": QUEUE_ARN,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_eventbridge_is_trusted_for_this_account_only() -> None:
    trust = rendered()["ExecutionRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Condition"] for statement in trust] == [{"StringEquals": {"aws:SourceAccount": ACCOUNT}}]


def test_the_queue_takes_letters_of_the_rule_and_its_probes_only() -> None:
    (statement,) = [found for found in rendered()["DeadLetterQueuePolicy"]["PolicyDocument"]["Statement"] if found["Effect"] == "Allow"]
    rule = f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:rule/"
    assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": [f"{rule}{NAME}", f"{rule}{NAME}-test-*", f"{rule}{NAME}-alarm"]}}


def test_the_longest_name_leaves_room_for_the_probes() -> None:
    longest = "n" * 50
    assert re.fullmatch(template()["Parameters"]["Name"]["AllowedPattern"], longest)
    assert not re.fullmatch(template()["Parameters"]["Name"]["AllowedPattern"], longest + "n")
    assert temporary_rule_prefix(longest) == f"{longest}-test-"
    assert alarm_rule(longest) == f"{longest}-alarm"


def test_the_queue_is_encrypted() -> None:
    assert rendered()["DeadLetterQueue"]["SqsManagedSseEnabled"] is True


def test_no_role_has_a_name_that_would_collide_in_the_next_region() -> None:
    assert "RoleName" not in template()["Resources"]["ExecutionRole"]["Properties"]


def test_nothing_is_sent_for_an_account_that_nobody_has() -> None:
    """Such is what a stack set deploys by itself."""
    assert rendered(SpotAccountId="act-00000000")["Rule"]["State"] == "DISABLED"
    assert rendered()["Rule"]["State"] == "ENABLED"


def test_what_cannot_be_delivered_is_given_up_after_two_minutes() -> None:
    assert rendered()["Rule"]["Targets"][0]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 120


# The whole


def test_the_rule_listens_to_the_default_bus() -> None:
    assert rendered()["Rule"]["EventBusName"] == EVENT_BUS


def test_every_resource_but_the_policy_has_its_arn_in_the_outputs() -> None:
    outputs = {name: rendered().value(output["Value"]) for name, output in template()["Outputs"].items()}
    assert outputs == {f"{name}Arn": f"{name}.Arn" for name in template()["Resources"] if name != "DeadLetterQueuePolicy"}


def test_every_parameter_is_in_a_group_of_the_console() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template()["Parameters"])


def test_a_request_may_hold_it() -> None:
    assert len(TEMPLATE.read_bytes()) < LONGEST_BODY


# The watch

BUS = f"arn:{PARTITION}:events:us-east-1:210987654321:event-bus/spot-interruption-hub"


def test_a_watched_integration_has_the_rule_and_the_permission_of_the_modules() -> None:
    resources, hub = rendered(WatchBusArn=BUS), Hub.from_bus_arn(BUS)
    desired = AlarmRule(alarm_rule(NAME), hub=hub, integration=NAME, aws_account=ACCOUNT, role_arn=ROLE_ARN, dead_letter_queue=NAME)
    plan = desired.plan(HERE, ExistingRule(None, destination_arn=DESTINATION_ARN))
    put_rule, rule = arguments(plan, "put_rule"), resources["AlarmRule"]
    targets = with_known_arns(rule.pop("Targets"))
    assert {**rule, "Description": put_rule["Description"]} == {**put_rule, "EventPattern": json.loads(put_rule["EventPattern"])}
    assert targets == arguments(plan, "put_targets")["Targets"]
    assert resources["ExecutionRole"]["Policies"][1] == {"PolicyName": WATCH_POLICY, "PolicyDocument": Permission(NAME, hub).policy()}


def test_without_a_hub_there_is_neither() -> None:
    assert "AlarmRule" not in rendered().resources()
    assert len(rendered()["ExecutionRole"]["Policies"]) == 1


def test_an_account_that_is_not_mapped_reports_nothing() -> None:
    assert rendered(WatchBusArn=BUS, SpotAccountId="act-00000000")["AlarmRule"]["State"] == "DISABLED"
