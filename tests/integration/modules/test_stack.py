# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stacks: the steps of Spot's documentation, what goes wrong in CloudFormation, and what it does not see."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.interpreters import COLLECTIONS
from tests.integration.modules.aws import ACCOUNT, NAME, REGION, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import MODULES, Run, Runner
from tests.integration.modules.secrets_in import secrets_in
from tests.integration.modules.test_documentation import own_examples, permissions
from tests.sandbox.client import Sandbox
from tests.tools.documented import documented, seen
from tests.tools.kms_keys import ROOT

TEMPLATE = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"
PUBLISHED = (
    "https://spotinst-public.s3.amazonaws.com/assets/cloudformation/templates/spot-interruption-notification-event-bridge-template.json"
)
OURS: dict[str, Any] = {"template_body": TEMPLATE.read_text()}
THEIRS: dict[str, Any] = {"template_url": PUBLISHED}
STACK = "spot-interruption"
IN_SECONDS = 1 / 60  # the minutes that AWS takes for a stack as seconds
REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]
QUICK = {"retries": {"mode": "standard", "total_max_attempts": 2}}
# What CloudFormation's own calls are refused with, as long as a fault says so.
REFUSED = {"error": {"status": 400, "code": "ValidationException", "message": "Not today."}}
each_template = pytest.mark.parametrize("source", [OURS, THEIRS], ids=["ours", "theirs"])


class Stack:
    """Runs the module for one stack in one region, and looks at it past the module."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run, self.sandbox = run, sandbox
        self.client = sandbox.boto3("cloudformation", REGION)

    def __call__(self, token: str = "editor", source: dict[str, Any] = OURS, **arguments: Any) -> Run:
        given = {"stack_name": STACK, "spot_account": SPOT_ACCOUNT, "spot_token": self.sandbox.tokens[token], "regions": [REGION]}
        return self._run("spot_stack", **{**given, **source, **arguments})

    def predicted_and_done(self, token: str = "editor", source: dict[str, Any] = OURS, **arguments: Any) -> Run:
        """Run it in check mode, which must write nothing, and then for real, which must do what was predicted."""
        self.sandbox.clear_calls()
        predicted = self(token, source, check=True, **arguments)
        assert self.writes() == []
        done = self(token, source, **arguments)
        assert (predicted.actions, predicted.answer["diff"]) == (done.actions, done.answer["diff"])
        return done

    def writes(self) -> list[str]:
        return [call["operation"] for call in self.sandbox.calls(writes=True)]

    def described(self) -> dict[str, Any]:
        return dict(self.client.describe_stacks(StackName=STACK)["Stacks"][0])

    @property
    def status(self) -> str:
        return str(self.described()["StackStatus"])

    def physical_id(self, logical_id: str) -> str:
        answer = self.client.describe_stack_resources(StackName=STACK, LogicalResourceId=logical_id)
        return str(answer["StackResources"][0]["PhysicalResourceId"])

    def names(self) -> list[str]:
        return [stack["StackName"] for stack in self.client.describe_stacks()["Stacks"]]

    def ends(self, status: str) -> None:
        """Wait until the stack has come to a status."""
        end = time.monotonic() + 20
        while (found := self.status) != status:
            assert time.monotonic() < end, found
            time.sleep(0.02)

    def written_key(self) -> str:
        """What the connection's secret holds as API key."""
        connection = self.sandbox.boto3("events", REGION).describe_connection(Name=self.physical_id("Connection"))
        secret = self.sandbox.boto3("secretsmanager", REGION).get_secret_value(SecretId=connection["SecretArn"])
        return str(json.loads(secret["SecretString"])["api_key_value"])


@pytest.fixture
def stack(run: Runner, sandbox: Sandbox) -> Stack:
    sandbox.settings(stack_seconds=0)
    return Stack(run, sandbox)


def delivered(sandbox: Sandbox, *regions: str) -> list[tuple[int, str | None, str]]:
    """Let EC2 warn in each region, and return (status, accountId, region) of what Spot receives."""
    sandbox.settings(delivery_time_scale=0.01)
    sandbox.clear_received()
    for region in regions:
        sandbox.interrupt(region)
    assert sandbox.settled()
    received = [(item["status"], item["query"].get("accountId"), item["body"]["region"]) for item in sandbox.notifications()]
    return sorted(received)


def changed(*replacements: tuple[str, str]) -> dict[str, Any]:
    """This collection's template with changes."""
    body = OURS["template_body"]
    for old, new in replacements:
        assert old in body
        body = body.replace(old, new)
    return {"template_body": body}


# The steps of Spot's documentation


@pytest.mark.slow
@each_template
def test_a_stack_in_each_of_three_regions_delivers_for_the_account(stack: Stack, sandbox: Sandbox, source: dict[str, Any]) -> None:
    made = stack(source=source, regions=REGIONS)
    assert made.actions == dict.fromkeys(REGIONS, "created")
    assert made.warnings == []
    assert delivered(sandbox, *REGIONS) == [(200, SPOT_ACCOUNT, region) for region in sorted(REGIONS)]
    assert stack(source=source, regions=REGIONS).actions == dict.fromkeys(REGIONS, "unchanged")
    assert stack(source=source, regions=REGIONS, state="absent").actions == dict.fromkeys(REGIONS, "deleted")
    assert delivered(sandbox, *REGIONS) == []


def test_the_template_s_names_and_numbers_are_the_user_s(stack: Stack, aws: Aws) -> None:
    made = stack(parameters={"Name": "a.b", "MaximumEventAgeInSeconds": 60, "MessageRetentionPeriod": 3600})
    assert (made.action, aws.connection_names(), aws.destination_names(), aws.rule_names()) == ("created", ["a.b"], ["a.b"], ["a.b"])
    assert aws.queue_names() == ["a-b"]
    assert made.entry["stack"]["outputs"]["DeadLetterQueueArn"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:a-b"


def test_parameters_that_cannot_be_guessed_are_asked_for(stack: Stack) -> None:
    template = changed(("SpotToken", "Secret"), ("SpotAccountId", "Customer"))
    refused = stack(source=template, check=True)
    assert refused.error["code"] == "NoParameter"
    assert "seems to take a Spot account; set account_parameter to one of: Customer, Secret, TokenRevision" in refused.message
    made = stack(source=template, account_parameter="Customer", token_parameter="Secret")
    assert made.action == "created"
    assert made.entry["stack"]["parameters"]["Secret"] == "****"


def test_a_role_for_cloudformation_is_handed_on(stack: Stack) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    assert stack(cloudformation_role_arn=role).action == "created"
    assert stack.described()["RoleARN"] == role


def test_a_template_that_names_roles_is_acknowledged_as_it_asks(stack: Stack) -> None:
    properties = "Type: AWS::IAM::Role\n    Condition: MakesExecutionRole\n    Properties:\n"
    named = changed((properties, f"{properties}      RoleName: mine\n"))
    assert stack(source=named).action == "created"
    assert stack.described()["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


# The token


@each_template
def test_another_token_is_written(stack: Stack, sandbox: Sandbox, source: dict[str, Any]) -> None:
    stack(source=source)
    done = stack.predicted_and_done("admin", source)
    assert (done.action, stack.writes(), done.warnings) == ("updated", ["UpdateStack"], [])
    assert stack.written_key() == f"Bearer {sandbox.tokens['admin']}"
    assert delivered(sandbox, REGION) == [(200, SPOT_ACCOUNT, REGION)]
    assert stack("admin", source).action == "unchanged"


@pytest.mark.parametrize(
    ("source", "writes"), [(OURS, ["UpdateStack"]), (THEIRS, ["UpdateStack", "UpdateConnection"])], ids=["ours", "theirs"]
)
def test_a_token_that_cloudformation_believes_to_be_there_is_written_all_the_same(
    stack: Stack, sandbox: Sandbox, aws: Aws, source: dict[str, Any], writes: list[str]
) -> None:
    stack(source=source)
    other = {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {sandbox.tokens['viewer']}"}}
    aws.events().update_connection(Name=stack.physical_id("Connection"), AuthorizationType="API_KEY", AuthParameters=other)
    done = stack.predicted_and_done(source=source)
    assert (done.action, stack.writes()) == ("updated", writes)
    assert bool(done.warnings) == ("UpdateConnection" in writes)
    assert stack.written_key() == f"Bearer {sandbox.tokens['editor']}"
    assert stack(source=source).action == "unchanged"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "update_token", "action", "kept"),
    [(OURS, "always", "updated", "admin"), (THEIRS, "always", "updated", "admin"), (OURS, "on_create", "unchanged", "editor")],
    ids=["always, ours", "always, theirs", "on_create"],
)
def test_when_the_token_is_written_is_the_user_s_choice(
    *, stack: Stack, sandbox: Sandbox, source: dict[str, Any], update_token: str, action: str, kept: str
) -> None:
    stack(source=source)
    for _ in range(2):
        assert stack.predicted_and_done("admin", source, update_token=update_token).action == action
    assert stack.written_key() == f"Bearer {sandbox.tokens[kept]}"


def test_an_update_for_something_else_keeps_a_token_that_is_only_for_new_stacks(stack: Stack, sandbox: Sandbox) -> None:
    stack()
    assert stack("admin", update_token="on_create", tags={"team": "a"}, parameters={"TokenRevision": "x"}).action == "updated"
    assert stack.written_key() == f"Bearer {sandbox.tokens['editor']}"


def test_a_secret_that_may_not_be_read_is_a_warning_and_nothing_is_compared(stack: Stack, sandbox: Sandbox) -> None:
    stack()
    sandbox.permit("RESTRICTED", ["cloudformation:*", "events:*"])
    done = stack("admin", access_key="RESTRICTED", secret_key="any")
    assert (done.action, len(done.warnings)) == ("unchanged", 1)
    assert "lacks secretsmanager:GetSecretValue" in done.warnings[0]


@each_template
def test_nothing_that_cloudformation_shows_holds_the_token(stack: Stack, sandbox: Sandbox, source: dict[str, Any]) -> None:
    stack(source=source)
    stack("admin", source)
    sandbox.boto3("events", REGION).deauthorize_connection(Name=stack.physical_id("Connection"))
    stack("viewer", source)
    looks = ("describe_stacks", "describe_stack_events", "describe_stack_resources", "get_template", "get_template_summary")
    shown = [getattr(stack.client, look)(StackName=STACK) for look in looks]
    shown.append(stack.client.list_change_sets(StackName=STACK)["Summaries"])
    assert secrets_in(json.dumps(shown, default=str), sandbox.tokens.values()) == []
    assert shown[-1] == []


# What CloudFormation does not see


@pytest.mark.parametrize(("source", "update_token"), [(OURS, "changed"), (THEIRS, "on_create")], ids=["ours", "theirs"])
def test_a_connection_that_lost_its_authorization_is_mended_in_place(
    stack: Stack, sandbox: Sandbox, source: dict[str, Any], update_token: str
) -> None:
    name = stack(source=source).entry["connection"]["name"]
    events = stack.client.describe_stack_events(StackName=STACK)["StackEvents"]
    sandbox.boto3("events", REGION).deauthorize_connection(Name=name)
    assert delivered(sandbox, REGION) == []
    done = stack.predicted_and_done(source=source, update_token=update_token)
    assert (done.action, stack.writes()) == ("reauthorized", ["UpdateConnection"])
    assert done.warnings == [f"{REGION}: {done.entry['note']}"]
    assert "CloudFormation knows neither its state nor its token" in done.entry["note"]
    assert done.entry["connection"]["connection_state"] == "AUTHORIZED"
    assert delivered(sandbox, REGION) == [(200, SPOT_ACCOUNT, REGION)]
    assert stack.client.describe_stack_events(StackName=STACK)["StackEvents"] == events
    assert stack(source=source, update_token=update_token).action == "unchanged"


def test_a_destination_that_lags_behind_its_connection_is_active_at_the_end(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    stack()
    sandbox.settings(destination_lag_seconds=1.5)
    aws.events().deauthorize_connection(Name=NAME)
    time.sleep(2)
    done = stack()
    assert done.action == "reauthorized"
    assert aws.events().describe_api_destination(Name=NAME)["ApiDestinationState"] == "ACTIVE"


def test_a_lost_connection_is_mended_before_the_stack_is_updated(stack: Stack, aws: Aws) -> None:
    stack()
    aws.events().deauthorize_connection(Name=NAME)
    done = stack.predicted_and_done("admin", tags={"team": "a"})
    assert (done.action, stack.writes()) == ("reauthorized", ["UpdateConnection", "UpdateStack"])
    assert done.entry["stack"]["tags"] == {"team": "a"}
    assert stack("admin", tags={"team": "a"}).action == "unchanged"


def test_a_connection_that_aws_does_not_authorize_is_a_failure_with_its_reason(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    stack()
    aws.events().deauthorize_connection(Name=NAME)
    sandbox.add_fault({"error": {"status": 200}}, {"operation": "UpdateConnection"})
    for tags in (None, {"team": "a"}):
        assert stack(wait_timeout=3, tags=tags).error["message"].startswith(f"the connection {NAME} is DEAUTHORIZED: ")


def test_a_connection_of_another_account_is_mended(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    stack()
    key = {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {sandbox.tokens['editor']}"}
    other = {"QueryStringParameters": [{"Key": "accountId", "Value": "act-5a9d1c02", "IsValueSecret": False}]}
    both = {"ApiKeyAuthParameters": key, "InvocationHttpParameters": other}
    aws.events().update_connection(Name=NAME, AuthorizationType="API_KEY", AuthParameters=both)
    assert delivered(sandbox, REGION) == [(200, "act-5a9d1c02", REGION)]
    assert stack.predicted_and_done().action == "updated"
    assert delivered(sandbox, REGION) == [(200, SPOT_ACCOUNT, REGION)]


@pytest.mark.slow
def test_a_connection_that_somebody_removed_fails_and_the_way_out_works(stack: Stack, aws: Aws) -> None:
    stack()
    aws.events().delete_connection(Name=NAME)
    for check in (True, False):
        failed = stack(check=check)
        assert failed.error["code"] == "ConnectionGone"
        assert "Remove the stack (state=absent), and create it again" in failed.message
    assert (stack(state="absent").action, stack().action) == ("deleted", "created")


# Failures of CloudFormation


@pytest.mark.slow
def test_a_creation_that_fails_tells_why_in_one_region_and_leaves_the_others_alone(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    aws.connection(sandbox.tokens["viewer"])
    failed = stack(regions=REGIONS)
    assert failed.actions == {"us-east-1": "created", "us-west-2": "created", REGION: "failed"}
    assert (failed.failed, failed.changed, failed.answer["failed_regions"]) == (True, True, [REGION])
    error = failed.regions[REGION]["error"]
    assert error["message"].startswith("the stack is ROLLBACK_COMPLETE: Connection (AWS::Events::Connection) CREATE_FAILED: ")
    assert "already exists" in error["message"]
    assert "cancelled" not in error["message"]
    assert "\n" not in failed.message

    aws.events().delete_connection(Name=NAME)
    done = stack.predicted_and_done(regions=REGIONS)
    assert done.actions == {"us-east-1": "unchanged", "us-west-2": "unchanged", REGION: "created"}
    assert stack.writes() == ["DeleteStack", "CreateStack"]
    (note,) = done.warnings
    assert note.startswith(f"{REGION}: the stack is ROLLBACK_COMPLETE: Connection (AWS::Events::Connection) CREATE_FAILED: ")
    assert note.endswith("It cannot be updated: it is deleted and created again.")
    assert delivered(sandbox, REGION) == [(200, SPOT_ACCOUNT, REGION)]


@pytest.mark.slow
def test_an_update_that_fails_tells_why_and_is_made_again_by_the_next_run(stack: Stack, sandbox: Sandbox) -> None:
    stack()
    fault = sandbox.add_fault(REFUSED, {"operation": "UpdateApiDestination"}, times=1)
    failed = stack(**SLOWER)
    start = "the stack is UPDATE_ROLLBACK_COMPLETE: ApiDestination (AWS::Events::ApiDestination) UPDATE_FAILED: "
    assert failed.error["message"].startswith(start)
    assert "Not today." in failed.message
    sandbox.clear_faults(fault["id"])
    assert stack().action == "unchanged"
    assert stack.predicted_and_done(**SLOWER).action == "updated"
    assert stack.status == "UPDATE_COMPLETE"


SLOWER: dict[str, Any] = {"parameters": {"InvocationRateLimitPerSecond": 7}}


@pytest.mark.slow
@pytest.mark.parametrize("wish", [SLOWER, {}], ids=["the same again", "as before"])
def test_a_rollback_that_got_stuck_is_completed_by_the_next_run(stack: Stack, sandbox: Sandbox, wish: dict[str, Any]) -> None:
    stack()
    sandbox.add_fault(REFUSED, {"operation": "UpdateApiDestination"})
    start = "the stack is UPDATE_ROLLBACK_FAILED: ApiDestination (AWS::Events::ApiDestination) UPDATE_FAILED: "
    assert stack(**SLOWER).error["message"].startswith(start)
    assert "ContinueUpdateRollback's ResourcesToSkip" in stack(**wish).error["message"]
    assert stack.status == "UPDATE_ROLLBACK_FAILED"
    sandbox.clear_faults()
    done = stack.predicted_and_done(**wish)
    assert (done.action, stack.writes()) == ("updated", ["ContinueUpdateRollback", *(["UpdateStack"] if wish else [])])
    assert "Its rollback is completed first." in done.warnings[0]
    assert stack(**wish).action == "unchanged"


@pytest.mark.slow
@pytest.mark.parametrize("state", ["absent", "present"])
def test_a_removal_that_fails_tells_why_and_is_recovered_from(stack: Stack, sandbox: Sandbox, aws: Aws, state: str) -> None:
    stack()
    fault = sandbox.add_fault(REFUSED, {"operation": "DeleteQueue"})
    for _ in range(2):
        failed = stack(state="absent")
        assert failed.error["message"].startswith("the stack is DELETE_FAILED: DeadLetterQueue (AWS::SQS::Queue) DELETE_FAILED: ")
    assert "Not today." in stack(state=state).error["message"]
    sandbox.clear_faults(fault["id"])
    done = stack.predicted_and_done(state=state)
    assert done.action == ("deleted" if state == "absent" else "created")
    assert aws.queue_names() == ([] if state == "absent" else [NAME])
    assert stack(state=state).action == "unchanged"


# A target of somebody else on the stack's rule, which keeps CloudFormation from deleting it


@each_template
def test_a_rule_with_a_foreign_target_is_kept_and_the_rest_of_the_stack_goes(
    stack: Stack, aws: Aws, sandbox: Sandbox, source: dict[str, Any]
) -> None:
    stack(source=source)
    rule = stack.physical_id("Rule")
    foreign_target(sandbox, rule)
    removed = stack.predicted_and_done(source=source, state="absent")
    assert (removed.failed, removed.action) == (False, "deleted")
    assert removed.entry["note"] == f"the rule {rule} was kept: it has targets that are not ours (audit)"
    assert removed.answer["summary"][0]["reason"] == removed.entry["note"]
    assert (stack.names(), aws.rule_names(), aws.connection_names(), aws.destination_names()) == ([], [rule], [], [])
    assert [target["Id"] for target in aws.events().list_targets_by_rule(Rule=rule)["Targets"]] == ["audit"]
    assert stack(source=source, state="absent").action == "unchanged"


@pytest.mark.slow
def test_a_removal_that_failed_at_a_foreign_target_is_completed(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    stack()
    foreign_target(sandbox, NAME)
    stack.client.delete_stack(StackName=STACK)
    stack.ends("DELETE_FAILED")
    assert "Rule can't be deleted since it has targets" in json.dumps(stack.client.describe_stack_events(StackName=STACK), default=str)
    refused = stack()
    assert refused.error["code"] == "ForeignTargets"
    assert f"its rule has targets of others, so it cannot be deleted and created again: {NAME} (audit)" in refused.message
    removed = stack.predicted_and_done(state="absent")
    assert (removed.action, stack.names(), aws.rule_names()) == ("deleted", [], [NAME])


def test_a_removal_that_fails_at_more_than_a_foreign_target_tells_why(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    stack()
    foreign_target(sandbox, NAME)
    fault = sandbox.add_fault(REFUSED, {"operation": "DeleteQueue"})
    failed = stack(state="absent")
    assert "the stack is DELETE_FAILED: DeadLetterQueue (AWS::SQS::Queue) DELETE_FAILED: " in failed.error["message"]
    sandbox.clear_faults(fault["id"])
    assert stack(state="absent").action == "deleted"
    assert (stack.names(), aws.rule_names(), aws.queue_names()) == ([], [NAME], ["audit"])


def test_targets_that_cannot_be_read_leave_cloudformation_s_reason(stack: Stack, aws: Aws, sandbox: Sandbox) -> None:
    stack()
    foreign_target(sandbox, NAME)
    sandbox.add_fault(REFUSED, {"operation": "ListTargetsByRule"})
    failed = stack(state="absent")
    assert "Rule (AWS::Events::Rule) DELETE_FAILED: " in failed.message
    assert "Rule can't be deleted since it has targets." in failed.message
    assert aws.rule_names() == [NAME]


def foreign_target(sandbox: Sandbox, rule: str) -> None:
    """Give a rule a target of somebody else."""
    sandbox.boto3("sqs", REGION).create_queue(QueueName="audit")
    target = {"Id": "audit", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:audit"}
    sandbox.boto3("events", REGION).put_targets(Rule=rule, Targets=[target])


@pytest.mark.parametrize(("on_failure", "state"), [("DO_NOTHING", "present"), ("ROLLBACK", "absent")])
def test_a_stack_that_somebody_else_failed_to_make_is_recovered_from(stack: Stack, sandbox: Sandbox, on_failure: str, state: str) -> None:
    sandbox.add_fault(REFUSED, {"operation": "PutRule"})
    values = {"SpotAccountId": SPOT_ACCOUNT, "SpotToken": sandbox.tokens["editor"]}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    stack.client.create_stack(
        StackName=STACK, TemplateBody=OURS["template_body"], Parameters=parameters, Capabilities=["CAPABILITY_IAM"], OnFailure=on_failure
    )
    stack.ends("CREATE_FAILED" if on_failure == "DO_NOTHING" else "ROLLBACK_COMPLETE")
    sandbox.clear_faults()
    assert stack.predicted_and_done(state=state).action == ("deleted" if state == "absent" else "created")


@pytest.mark.parametrize("state", ["absent", "present"])
def test_a_stack_that_was_never_more_than_a_change_set_gives_way(stack: Stack, sandbox: Sandbox, state: str) -> None:
    values = {"SpotAccountId": SPOT_ACCOUNT, "SpotToken": sandbox.tokens["editor"]}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    given = {"TemplateBody": OURS["template_body"], "Parameters": parameters, "Capabilities": ["CAPABILITY_IAM"]}
    stack.client.create_change_set(StackName=STACK, ChangeSetName="first", ChangeSetType="CREATE", **given)
    assert stack.status == "REVIEW_IN_PROGRESS"
    assert stack.predicted_and_done(state=state).action == ("deleted" if state == "absent" else "created")


def test_a_region_that_answers_only_errors_does_not_stop_the_others(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 500, "code": "InternalFailure", "message": "Oops"}}, {"region": REGION})
    failed = stack(regions=REGIONS, aws_config=QUICK)
    assert failed.actions == {"us-east-1": "created", "us-west-2": "created", REGION: "failed"}
    assert f"1 of 3 region(s) failed. {REGION}: InternalFailure: DescribeStacks: Oops" in failed.message


def test_a_template_that_is_not_there_is_told(stack: Stack) -> None:
    failed = stack(source={"template_url": "https://spotinst-public.s3.amazonaws.com/nothing.json"})
    assert failed.error["code"] == "ValidationError"
    assert failed.error["message"].startswith("GetTemplateSummary: S3 error: ")


def test_credentials_that_expire_while_it_waits_are_told_and_the_next_run_goes_on(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.settings(stack_seconds=0.5)
    expired = {"error": {"status": 403, "code": "ExpiredToken", "message": "The security token included in the request is expired"}}
    sandbox.add_fault(expired, {"operation": "DescribeStacks"}, after=1)
    failed = stack()
    assert failed.error["code"] == "ExpiredToken"
    assert failed.message.endswith("is expired. Get new credentials and run again; operations that AWS has begun continue.")
    sandbox.clear_faults()
    assert (stack().action, stack.status) == ("unchanged", "CREATE_COMPLETE")


def test_throttling_is_borne(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.add_fault({"throttle": True}, {"service": "cloudformation"}, rate=0.2, seed=7)
    assert stack().action == "created"
    assert sandbox.faults()[0]["hits"] > 0


# What must not be done


@pytest.mark.parametrize("failed", [False, True])
def test_a_protected_stack_is_kept(stack: Stack, sandbox: Sandbox, failed: bool) -> None:
    if failed:
        sandbox.add_fault(REFUSED, {"operation": "PutRule"})
    stack()
    sandbox.clear_faults()
    stack.client.update_termination_protection(StackName=STACK, EnableTerminationProtection=True)
    for check in (True, False):
        kept = stack(state="present" if failed else "absent", check=check)
        assert kept.error["code"] == "Protected"
        assert f"--no-enable-termination-protection --stack-name {STACK}" in kept.message
    assert stack.names() == [STACK]


def test_a_stack_of_another_name_is_nobody_s_business(stack: Stack) -> None:
    stack(stack_name="other", parameters={"Name": "other"}, spot_account="act-5a9d1c02")
    stack()
    stack(state="absent")
    assert stack.names() == ["other"]


def test_a_stack_may_go_and_leave_what_it_made(stack: Stack, sandbox: Sandbox) -> None:
    stack()
    assert stack.predicted_and_done(state="absent", retain_resources=True).action == "deleted"
    assert stack.writes() == ["UpdateStack", "DeleteStack"]
    assert stack.names() == []
    assert delivered(sandbox, REGION) == [(200, SPOT_ACCOUNT, REGION)]


# Templates that differ


@pytest.mark.slow
def test_another_template_is_deployed_and_predicted(stack: Stack) -> None:
    stack()
    other = changed(
        ("MaximumRetryAttempts: {Ref: MaximumRetryAttempts}", "MaximumRetryAttempts: 3"), ("Outputs:", "Outputs:\n  A: {Value: a}")
    )
    done = stack.predicted_and_done(source=other)
    assert (done.action, done.entry["stack"]["outputs"]["A"]) == ("updated", "a")
    assert done.answer["diff"][0]["before"]["template"] == "differs: Resources.Rule, Outputs.A"
    assert stack(source=other).action == "unchanged"


def test_comments_descriptions_and_defaults_are_no_change(stack: Stack) -> None:
    stack()
    same = changed(("# ", "#  "), ("\nDescription: Sends", "\nDescription: It sends"), ("Default: 185", "Default: 3"))
    assert stack.predicted_and_done(source=same).action == "unchanged"


def test_a_difference_that_cloudformation_does_not_see_is_told_and_is_no_change(stack: Stack) -> None:
    stack()
    unused = changed(("Conditions:\n", "Conditions:\n  Unused: {'Fn::Equals': [a, b]}\n"))
    done = stack(source=unused)
    assert (done.action, done.changed, done.answer["diff"]) == ("unchanged", False, [])
    assert done.entry["note"] == "CloudFormation has nothing to update although the template differs: Conditions.Unused."


def test_an_update_always_is_left_to_cloudformation(stack: Stack) -> None:
    stack()
    assert stack(update="always").action == "unchanged"
    assert stack.writes().count("UpdateStack") == 1
    assert stack(update="always", check=True).action == "updated"
    assert stack(update="always", tags={"team": "a"}).action == "updated"


def test_from_one_template_to_another_the_stack_stays(stack: Stack, sandbox: Sandbox) -> None:
    stack_id = stack(source=THEIRS).entry["stack"]["stack_id"]
    done = stack(source=OURS)
    assert (done.action, done.entry["stack"]["stack_id"]) == ("updated", stack_id)
    assert delivered(sandbox, REGION) == [(200, SPOT_ACCOUNT, REGION)]
    assert stack(source=OURS).action == "unchanged"


# Time, and others


@pytest.mark.slow
def test_what_somebody_else_is_doing_is_waited_for(stack: Stack, sandbox: Sandbox) -> None:
    stack()
    sandbox.settings(stack_seconds=2)
    stack.client.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": key, "UsePreviousValue": True} for key in ("SpotAccountId", "SpotToken")],
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "team", "Value": "theirs"}],
    )
    assert stack.status == "UPDATE_IN_PROGRESS"
    assert stack().action == "unchanged"
    assert stack.status == "UPDATE_COMPLETE"


def test_a_stack_that_is_just_being_removed_is_made_anew(stack: Stack, sandbox: Sandbox) -> None:
    stack()
    sandbox.settings(stack_seconds=0.5)
    stack.client.delete_stack(StackName=STACK)
    assert stack().action == "created"


def test_waiting_has_an_end_that_is_told(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.settings(stack_seconds=12)
    assert "AWS was still changing the stack after 1 seconds; run again later" in stack(wait_timeout=1).message
    busy = stack(wait_timeout=1)
    assert busy.error == {"code": "InProgress", "message": "the stack is CREATE_IN_PROGRESS: wait until it is done, or raise wait_timeout"}
    assert stack().action == "unchanged"


def test_a_stack_as_slow_as_in_aws_is_waited_for(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.settings(stack_time_scale=IN_SECONDS)
    start = time.monotonic()
    assert stack().action == "created"
    assert time.monotonic() - start > (61 + 18 + 60) * IN_SECONDS
    assert stack().action == "unchanged"
    assert stack(state="absent").action == "deleted"


def test_a_stack_as_slow_as_in_aws_is_completed_by_the_next_run(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.settings(stack_time_scale=IN_SECONDS)
    start = time.monotonic()
    given_up = stack(wait_timeout=1)
    assert "AWS was still changing the stack after 1 seconds; run again later" in given_up.message
    assert time.monotonic() - start < 60  # not as long as the stack takes in AWS
    assert stack().action == "unchanged"
    assert stack.status == "CREATE_COMPLETE"


def test_a_rollback_as_slow_as_in_aws_names_its_reason(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.settings(stack_time_scale=IN_SECONDS)
    error = {"status": 400, "code": "LimitExceededException", "message": "There are too many."}
    sandbox.add_fault({"error": error}, {"operation": "CreateApiDestination"}, times=1)
    start = time.monotonic()
    assert "There are too many." in stack().message
    assert time.monotonic() - start > 141 * IN_SECONDS
    assert stack.status == "ROLLBACK_COMPLETE"
    assert stack().action == "created"


@pytest.mark.slow
def test_aws_is_not_waited_for_if_told_so(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.settings(stack_seconds=4)
    made = stack(wait=False)
    assert (made.action, made.entry["stack"]["stack_status"], made.entry["connection"]) == ("created", "CREATE_IN_PROGRESS", None)
    stack.ends("CREATE_COMPLETE")
    assert (stack(wait=False).action, stack(wait=False, state="absent").action) == ("unchanged", "deleted")


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["CreateStack", "UpdateStack", "DeleteStack", "ContinueUpdateRollback"])
def test_an_answer_that_is_lost(stack: Stack, sandbox: Sandbox, operation: str) -> None:
    wish: dict[str, Any] = {}
    if operation != "CreateStack":
        stack()
        wish = {"tags": {"team": "a"}}
    if operation == "ContinueUpdateRollback":
        wish = SLOWER
        sandbox.add_fault(REFUSED, {"operation": "UpdateApiDestination"})
        stack(**wish)
        sandbox.clear_faults()
    if operation == "DeleteStack":
        wish = {"state": "absent"}
    sandbox.settings(stack_seconds=0.6)  # it is still under way when botocore tries again
    sandbox.add_fault({"lost_answer": True}, {"operation": operation}, times=1)
    done = stack(**wish)
    expected = {"CreateStack": "created", "DeleteStack": "deleted"}.get(operation, "updated")
    assert (done.message, done.action) == ("", expected)
    assert sandbox.faults()[0]["hits"] == 1
    assert stack(**wish).action == "unchanged"


# What is documented


@pytest.mark.slow
def test_examples_run_with_the_permissions_that_the_notes_name_and_return_what_is_told(run: Runner, stack: Stack, sandbox: Sandbox) -> None:
    run.environment["SPOTINST_TOKEN"] = sandbox.tokens["editor"]
    named = permissions("spot_stack")
    sandbox.permit("testing", sorted(named))
    found: set[str] = set()

    def look(**arguments: Any) -> Run:
        done = run("spot_stack", **arguments)
        found.update(seen("spot_stack", done.answer))
        return done

    made, removed, published = own_examples("spot_stack")
    assert not look(**OURS, **made).failed
    sandbox.boto3("events", REGION, "somebody").deauthorize_connection(Name=made["parameters"]["Name"])
    assert look(**OURS, **made).actions[REGION] == "reauthorized"
    assert not look(**OURS, **{**made, "tags": {"team": "another"}}, spot_token=sandbox.tokens["admin"]).failed
    assert look(**published).failed  # it would deliver each warning a second time
    assert not look(**published, on_existing="migrate").failed
    assert not look(**removed).failed
    assert not look(**{**removed, "stack_name": published["stack_name"]}).failed
    with_role = {**made, "parameters": {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/missing"}}
    assert look(**OURS, **with_role).failed
    assert not look(**OURS, **with_role, check=True).failed
    fault = sandbox.add_fault(REFUSED, {"operation": "PutTargets"})
    assert look(**published).failed
    sandbox.clear_faults(fault["id"])
    assert not look(**published).failed
    sandbox.settings(stack_seconds=0.5)
    assert not look(**{**removed, "stack_name": published["stack_name"], "wait": False}).failed
    called = {f"{call['service']}:{call['operation']}" for call in sandbox.calls(access_key="testing")}
    assert called - named == set()
    assert documented("spot_stack") - found == set()


# A run that is killed


def kill(run: Runner, happened: Callable[[], bool], **arguments: Any) -> None:
    """Start a run of the module, and kill it as soon as something has happened."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"{MODULES}.spot_stack"],
        cwd=run.folder,
        env={**run.environment, "PYTHONPATH": str(COLLECTIONS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    process.stdin.close()
    end = time.monotonic() + 20
    while not happened():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    assert process.stdout
    assert secrets_in(process.stdout.read(), run.tokens) == []
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["CreateStack", "UpdateStack", "DeleteStack", "DeleteStack, then CreateStack", "UpdateConnection"])
def test_the_run_after_one_that_was_killed_ends_as_if_nothing_had_happened(
    stack: Stack, run: Runner, sandbox: Sandbox, aws: Aws, operation: str
) -> None:
    first, _, then = operation.partition(", then ")
    wish: dict[str, Any] = {"tags": {"team": "a"}}
    if then:
        sandbox.add_fault(REFUSED, {"operation": "PutRule"})
        stack()
        sandbox.clear_faults()
    elif first != "CreateStack":
        stack()
    if first == "DeleteStack" and not then:
        wish = {"state": "absent"}
    if first == "UpdateConnection":
        aws.events().deauthorize_connection(Name=NAME)
    sandbox.settings(stack_seconds=0.5)
    sandbox.clear_calls()
    given = {"stack_name": STACK, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"], "regions": [REGION], **OURS, **wish}
    kill(run, lambda: bool(sandbox.calls(operation=first)), **given)
    sandbox.settings(stack_seconds=0)
    assert not stack(**wish).failed
    assert stack(**wish).action == "unchanged"
    assert delivered(sandbox, REGION) == ([] if wish.get("state") else [(200, SPOT_ACCOUNT, REGION)])
    assert stack.names() == ([] if wish.get("state") else [STACK])


# KMS


@pytest.mark.slow
def test_another_form_of_a_kms_key_is_no_change(stack: Stack, aws: Aws) -> None:
    arn = aws.key("alias/letters")
    forms = ("alias/letters", arn, arn.rpartition("/")[2], f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/letters")
    runs = [stack(parameters={"QueueKmsKey": form, "ConnectionKmsKey": form}) for form in forms]
    assert [run.actions[REGION] for run in runs] == ["created", "unchanged", "unchanged", "unchanged"]
    aws.key("alias/other")
    assert stack(parameters={"QueueKmsKey": "alias/other"}).actions == {REGION: "updated"}


@pytest.mark.parametrize(("parameter", "lacks"), [("QueueKmsKey", "its policy does not let"), ("ConnectionKmsKey", "it lacks the tag")])
def test_a_kms_key_that_eventbridge_cannot_use_is_refused_before_anything_is_made(
    stack: Stack, aws: Aws, parameter: str, lacks: str
) -> None:
    key = aws.key(statements=[ROOT], tags={})
    stack.sandbox.clear_calls()
    run = stack(parameters={parameter: key})
    assert (run.failed, lacks in run.message, stack.writes()) == (True, True, [])
