# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.sandbox.integration import policy
from tests.integration.sandbox.stacks import ACCOUNT, ACKNOWLEDGED, QUEUE, REGION, SPOT_ACCOUNT, TEMPLATE, Stacks, parameters
from tests.sandbox.client import Sandbox

DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}
PUBLISHED = "assets/cloudformation/templates/spot-interruption-notification-event-bridge-template.json"


@pytest.fixture
def stacks(sandbox: Sandbox) -> Stacks:
    sandbox.settings(stack_seconds=0)
    return Stacks(sandbox)


@pytest.fixture
def events(sandbox: Sandbox) -> Any:
    return sandbox.boto3("events", REGION)


@pytest.fixture
def sqs(sandbox: Sandbox) -> Any:
    return sandbox.boto3("sqs", REGION)


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def fail(sandbox: Sandbox, operation: str, **more: Any) -> None:
    error = {"status": 400, "code": "LimitExceededException", "message": "There are too many."}
    sandbox.add_fault({"error": error}, {"operation": operation}, **more)


# What a stack makes


def test_a_warning_is_delivered_through_a_stack(stacks: Stacks) -> None:
    assert stacks.created() == "CREATE_COMPLETE"
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]


@pytest.mark.parametrize(
    "url",
    [
        f"https://spotinst-public.s3.amazonaws.com/{PUBLISHED}",
        f"https://spotinst-public.s3.us-east-1.amazonaws.com/{PUBLISHED}",
        f"https://s3.us-east-1.amazonaws.com/spotinst-public/{PUBLISHED}",
    ],
)
def test_a_warning_is_delivered_through_a_stack_of_the_published_template(sandbox: Sandbox, stacks: Stacks, url: str) -> None:
    given = parameters(AccountId=SPOT_ACCOUNT, Token=sandbox.tokens["editor"])
    stacks.client.create_stack(StackName="spot", TemplateURL=url, Parameters=given, Capabilities=["CAPABILITY_IAM"])
    assert stacks.end() == "CREATE_COMPLETE"
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]
    assert stacks.ids()["Connection"].startswith("Connection-")


def test_any_template_in_s3_can_be_used(sandbox: Sandbox, stacks: Stacks) -> None:
    s3 = sandbox.boto3("s3")
    s3.create_bucket(Bucket="my.templates")
    s3.put_object(Bucket="my.templates", Key="a queue.yml", Body=QUEUE.encode())
    url = "https://my.templates.s3.us-east-1.amazonaws.com/a%20queue.yml"
    stacks.client.create_stack(StackName="spot", TemplateURL=url)
    assert stacks.end() == "CREATE_COMPLETE"
    missing = refusal(stacks.client.create_stack, StackName="other", TemplateURL=url + ".old")
    assert missing == ("ValidationError", "S3 error: The specified key does not exist.")
    foreign = refusal(stacks.client.create_stack, StackName="other", TemplateURL="https://example.com/template.yml")
    assert foreign == ("ValidationError", "TemplateURL must be a supported URL.")


def test_the_resources_are_as_the_template_says(sandbox: Sandbox, stacks: Stacks, events: Any, sqs: Any) -> None:
    stacks.create(Tags=[{"Key": "team", "Value": "red"}])
    stacks.end()
    connection = events.describe_connection(Name="warnings")
    assert connection["Description"] == "plain"
    assert connection["AuthParameters"]["InvocationHttpParameters"]["QueryStringParameters"][0]["Value"] == SPOT_ACCOUNT
    secret = sandbox.boto3("secretsmanager", REGION).get_secret_value(SecretId=connection["SecretArn"])
    assert json.loads(secret["SecretString"])["api_key_value"] == f"Bearer {sandbox.tokens['editor']}"
    assert events.describe_api_destination(Name="warnings")["InvocationRateLimitPerSecond"] == 50
    (target,) = events.list_targets_by_rule(Rule="warnings")["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 120, "MaximumRetryAttempts": 3}
    queue = stacks.ids()["Queue"]
    assert queue == sqs.get_queue_url(QueueName="warnings-letters")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (attributes["MessageRetentionPeriod"], attributes["SqsManagedSseEnabled"]) == ("1209600", "true")
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == target["DeadLetterConfig"]["Arn"]
    role = sandbox.boto3("iam").get_role(RoleName=stacks.ids()["Role"])["Role"]
    assert role["Arn"] == target["RoleArn"]
    assert role["RoleName"].startswith("spot-Role-")


def test_the_tags_of_the_stack_are_on_what_can_be_tagged(sandbox: Sandbox, stacks: Stacks, events: Any, sqs: Any) -> None:
    stack_id = stacks.create(Tags=[{"Key": "team", "Value": "red"}])
    stacks.end()

    def tags(logical_id: str) -> dict[str, str]:
        automatic = {"logical-id": logical_id, "stack-id": stack_id, "stack-name": "spot"}
        return {"team": "red", **{f"aws:cloudformation:{key}": value for key, value in automatic.items()}}

    rule = events.list_tags_for_resource(ResourceARN=events.describe_rule(Name="warnings")["Arn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in rule} == {**tags("Rule"), "of": "rule"}
    role = sandbox.boto3("iam").list_role_tags(RoleName=stacks.ids()["Role"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in role} == tags("Role")
    assert sqs.list_queue_tags(QueueUrl=stacks.ids()["Queue"])["Tags"] == {"team": "red"}


def test_the_tags_of_the_stack_can_be_kept_off_rules(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    sandbox.settings(rule_stack_tags=False)
    stacks.created(Tags=[{"Key": "team", "Value": "red"}])
    tags = events.list_tags_for_resource(ResourceARN=events.describe_rule(Name="warnings")["Arn"])["Tags"]
    assert tags == [{"Key": "of", "Value": "rule"}]


def test_a_stack_belongs_to_its_account_and_region(sandbox: Sandbox, stacks: Stacks) -> None:
    role = sandbox.boto3("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/x", RoleSessionName="test")["Credentials"]
    keys = {"aws_secret_access_key": role["SecretAccessKey"], "aws_session_token": role["SessionToken"]}
    elsewhere = sandbox.boto3("cloudformation", REGION, role["AccessKeyId"], **keys)
    elsewhere.create_stack(StackName="spot", TemplateBody=QUEUE)
    elsewhere.get_waiter("stack_create_complete").wait(StackName="spot", WaiterConfig={"Delay": 1})
    assert sandbox.boto3("sqs", REGION, role["AccessKeyId"], **keys).list_queues()["QueueUrls"][0].endswith("/210987654321/letters")
    assert stacks.client.list_stacks()["StackSummaries"] == []
    assert sandbox.boto3("cloudformation", "us-east-1").describe_stacks()["Stacks"] == []


def test_the_calls_are_made_as_the_caller_and_logged_apart(sandbox: Sandbox, stacks: Stacks) -> None:
    sandbox.permit("RESTRICTED", ["cloudformation:*", "sqs:Get*"])
    restricted = sandbox.boto3("cloudformation", REGION, "RESTRICTED")
    restricted.create_stack(StackName="spot", TemplateBody=QUEUE)
    assert stacks.end() == "ROLLBACK_COMPLETE"
    reason = stacks.reason("Queue", "CREATE_FAILED")
    assert "is not authorized to perform: sqs:CreateQueue" in reason
    assert "HandlerErrorCode: AccessDenied" in reason
    assert [call["operation"] for call in sandbox.calls(by="cloudformation")] == ["GetQueueUrl", "CreateQueue"]
    assert {call["service"] for call in sandbox.calls()} == {"cloudformation"}


def test_a_role_of_the_stack_may_do_what_the_caller_may_not(sandbox: Sandbox, stacks: Stacks) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    restricted = sandbox.boto3("cloudformation", REGION, "RESTRICTED")
    sandbox.permit("RESTRICTED", ["cloudformation:*"])
    code, message = refusal(restricted.create_stack, StackName="spot", TemplateBody=QUEUE, RoleARN=role)
    assert (code, "iam:PassRole" in message) == ("AccessDenied", True)
    sandbox.permit("RESTRICTED", ["cloudformation:*", "iam:PassRole"])
    restricted.create_stack(StackName="spot", TemplateBody=QUEUE, RoleARN=role)
    assert stacks.end() == "CREATE_COMPLETE"
    assert stacks.described()["RoleARN"] == role


# What is shown of it


def test_events_tell_the_story_newest_first(stacks: Stacks) -> None:
    stacks.created(QUEUE)
    assert stacks.events() == [
        ("spot", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_IN_PROGRESS"),
        ("spot", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_COMPLETE"),
        ("spot", "CREATE_COMPLETE"),
    ]
    reasons = [event.get("ResourceStatusReason") for event in stacks.client.describe_stack_events(StackName="spot")["StackEvents"]]
    eventual = "Eventual consistency check initiated"
    assert reasons == [None, None, eventual, eventual, "Resource creation Initiated", None, "User Initiated"]


def test_resources_are_made_after_what_they_need(stacks: Stacks) -> None:
    stacks.created()
    done = [resource for resource, status in stacks.events() if status == "CREATE_COMPLETE"]
    for first, second in [("Connection", "Destination"), ("Destination", "Role"), ("Role", "Rule"), ("Queue", "QueuePolicy")]:
        assert done.index(first) < done.index(second)


def test_the_token_is_shown_nowhere(sandbox: Sandbox, stacks: Stacks) -> None:
    stacks.created()
    stacks.updated(Parameters=stacks.parameters(Described="yes"))
    client = stacks.client
    more = {"Parameters": stacks.parameters(Retention="60"), "UsePreviousTemplate": True, "Capabilities": ACKNOWLEDGED}
    client.create_change_set(StackName="spot", ChangeSetName="more", **more)
    shown = [
        client.describe_stacks(StackName="spot"),
        client.describe_stack_events(StackName="spot"),
        client.describe_stack_resources(StackName="spot"),
        client.list_stack_resources(StackName="spot"),
        client.get_template(StackName="spot"),
        client.get_template_summary(StackName="spot"),
        client.describe_change_set(StackName="spot", ChangeSetName="more"),
    ]
    assert sandbox.tokens["editor"] not in str(shown)
    assert {item["ParameterKey"]: item["ParameterValue"] for item in stacks.described()["Parameters"]}["SpotToken"] == "****"
    assert "Bearer ****" in str(shown)


def test_the_template_is_kept_as_it_was_given(stacks: Stacks) -> None:
    stacks.created()
    assert stacks.client.get_template(StackName="spot")["TemplateBody"] == TEMPLATE


def test_a_summary_tells_what_a_template_asks_for(stacks: Stacks) -> None:
    summary = stacks.client.get_template_summary(TemplateBody=TEMPLATE)
    declared = {item["ParameterKey"]: item for item in summary["Parameters"]}
    assert declared["SpotToken"]["NoEcho"] is True
    assert declared["SpotAccountId"]["NoEcho"] is False
    assert declared["Name"]["DefaultValue"] == "warnings"
    assert declared["Described"]["ParameterConstraints"] == {"AllowedValues": ["yes", "no"]}
    assert summary["Capabilities"] == ["CAPABILITY_IAM"]
    assert "AWS::Events::Connection" in summary["ResourceTypes"]
    stacks.created()
    assert stacks.client.get_template_summary(StackName="spot")["Parameters"] == summary["Parameters"]
    assert stacks.client.validate_template(TemplateBody=TEMPLATE)["Capabilities"] == ["CAPABILITY_IAM"]


def test_resources_are_found_by_stack_and_by_their_id(stacks: Stacks) -> None:
    stacks.created()
    assert set(stacks.ids()) == {"Rule", "Connection", "Destination", "Role", "Queue", "QueuePolicy"}
    found = stacks.client.describe_stack_resources(PhysicalResourceId=stacks.ids()["Queue"])["StackResources"]
    assert {resource["StackName"] for resource in found} == {"spot"}
    assert len(stacks.client.list_stack_resources(StackName="spot")["StackResourceSummaries"]) == 6
    assert refusal(stacks.client.describe_stack_resources, PhysicalResourceId="nobody")[1] == "Stack for nobody does not exist"
    detail = stacks.client.describe_stack_resource(StackName="spot", LogicalResourceId="Rule")["StackResourceDetail"]
    assert (detail["PhysicalResourceId"], detail["ResourceStatus"]) == ("warnings", "CREATE_COMPLETE")


def test_outputs_are_shown_when_the_stack_is_there(sandbox: Sandbox, stacks: Stacks) -> None:
    sandbox.settings(stack_seconds=0.3)
    stacks.create()
    assert stacks.described()["StackStatus"] == "CREATE_IN_PROGRESS"
    assert stacks.described().get("Outputs", []) == []
    stacks.end()
    (output,) = stacks.described()["Outputs"]
    assert output == {"OutputKey": "Rule", "OutputValue": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/warnings", "Description": "the rule"}


# What is refused


def test_a_stack_that_is_not_there_is_named(stacks: Stacks) -> None:
    missing = ("ValidationError", "Stack with id spot does not exist")
    assert refusal(stacks.client.describe_stacks, StackName="spot") == missing
    assert refusal(stacks.client.get_template, StackName="spot") == missing
    assert refusal(stacks.client.describe_stack_resources, StackName="spot") == missing
    assert refusal(stacks.client.describe_stack_events, StackName="spot") == ("ValidationError", "Stack [spot] does not exist")
    assert refusal(stacks.client.update_stack, StackName="spot", TemplateBody=QUEUE) == ("ValidationError", "Stack [spot] does not exist")
    stacks.client.delete_stack(StackName="spot")


def test_a_name_is_taken_once(stacks: Stacks) -> None:
    stacks.created(QUEUE)
    assert refusal(stacks.create, template=QUEUE) == ("AlreadyExistsException", "Stack [spot] already exists")


def test_roles_have_to_be_acknowledged(stacks: Stacks) -> None:
    needed = refusal(stacks.create, Capabilities=[])
    assert needed == ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
    named = TEMPLATE.replace("Description: sends warnings", "RoleName: mine")
    needed = refusal(stacks.create, template=named, Parameters=stacks.parameters(), Capabilities=["CAPABILITY_IAM"])
    assert needed == ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"SpotAccountId": "act-d7320fba"}, "Parameters: [SpotToken] must have values"),
        ({"SpotAccountId": "production"}, "Parameters: [SpotToken] must have values"),
        ({"SpotAccountId": "production", "SpotToken": "12345678"}, "Parameter 'SpotAccountId' must match pattern ^act-[0-9a-f]{8}$"),
        ({"SpotAccountId": "act-d7320fba", "SpotToken": "1"}, "Parameter 'SpotToken' must contain at least 8 characters"),
        ({"SpotAccountId": "act-d7320fba", "SpotToken": "12345678", "Retention": "x"}, "Parameter 'Retention' must be a number"),
        (
            {"SpotAccountId": "act-d7320fba", "SpotToken": "12345678", "Nonsense": "x"},
            "Parameters: [Nonsense] do not exist in the template",
        ),
    ],
)
def test_parameters_are_checked(stacks: Stacks, given: dict[str, str], message: str) -> None:
    assert refusal(stacks.create, Parameters=parameters(**given)) == ("ValidationError", message)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a: b: c", "Template format error: YAML not well-formed. (line 1, column 5)"),
        ('{"a": }', "Template format error: JSON not well-formed. (line 1, column 7)"),
        ("nothing", "Template format error: unsupported structure."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        ("Resources: {A: {Type: 'AWS::A::B'}}", "Template format error: Unrecognized resource types: [AWS::A::B]"),
        (QUEUE + "Nonsense: 1", "Invalid template property or properties [Nonsense]"),
        (
            QUEUE.replace("!Ref Name", "!Ref Nobody"),
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (QUEUE + "    DependsOn: Queue", "Circular dependency between resources: [Queue]"),
    ],
)
def test_templates_are_checked(stacks: Stacks, template: str, message: str) -> None:
    assert refusal(stacks.create, template=template) == ("ValidationError", message)
    assert refusal(stacks.client.validate_template, TemplateBody=template) == ("ValidationError", message)


def test_a_property_that_does_not_exist_fails_the_resource(stacks: Stacks) -> None:
    assert stacks.created(QUEUE.replace("{QueueName", "{Colour: red, QueueName")) == "ROLLBACK_COMPLETE"
    assert "#: extraneous key [Colour] is not permitted" in stacks.reason("Queue", "CREATE_FAILED")


# What goes wrong


def test_a_refusal_of_a_service_rolls_the_stack_back(sandbox: Sandbox, stacks: Stacks, events: Any, sqs: Any) -> None:
    fail(sandbox, "CreateApiDestination", times=1)
    assert stacks.created() == "ROLLBACK_COMPLETE"
    reason = stacks.reason("Destination", "CREATE_FAILED")
    assert reason.startswith(
        'Resource handler returned message: "There are too many. (Service: EventBridge, Status Code: 400, Request ID: '
    )
    assert reason.endswith("HandlerErrorCode: ServiceLimitExceeded)")
    failed = "The following resource(s) failed to create: [Destination]. Rollback requested by user."
    assert stacks.reason("spot", "ROLLBACK_IN_PROGRESS") == failed
    assert ("Connection", "DELETE_COMPLETE") in stacks.events()
    assert events.list_connections()["Connections"] == []
    assert "QueueUrls" not in sqs.list_queues()
    assert refusal(stacks.updated, template=QUEUE)[1].endswith("is in ROLLBACK_COMPLETE state and can not be updated.")


def test_a_connection_that_is_there_already_is_not_taken_over(stacks: Stacks, events: Any) -> None:
    api_key = {"ApiKeyAuthParameters": {"ApiKeyName": "a", "ApiKeyValue": "b"}}
    arn = events.create_connection(Name="warnings", AuthorizationType="API_KEY", AuthParameters=api_key)["ConnectionArn"]
    assert stacks.created() == "ROLLBACK_COMPLETE"
    assert "HandlerErrorCode: AlreadyExists" in stacks.reason("Connection", "CREATE_FAILED")
    assert events.describe_connection(Name="warnings")["ConnectionArn"] == arn


def test_a_rule_that_is_there_already_is_not_taken_over(stacks: Stacks, events: Any) -> None:
    events.put_rule(Name="warnings", ScheduleExpression="rate(1 day)")
    assert stacks.created() == "ROLLBACK_COMPLETE"
    assert "HandlerErrorCode: AlreadyExists" in stacks.reason("Rule", "CREATE_FAILED")
    assert events.describe_rule(Name="warnings")["ScheduleExpression"] == "rate(1 day)"


def test_a_queue_that_is_there_already_is_not_taken_over(stacks: Stacks, sqs: Any) -> None:
    sqs.create_queue(QueueName="letters")
    assert stacks.created(QUEUE) == "ROLLBACK_COMPLETE"
    assert "HandlerErrorCode: AlreadyExists" in stacks.reason("Queue", "CREATE_FAILED")
    assert len(sqs.list_queues()["QueueUrls"]) == 1


def test_a_role_that_is_there_already_is_not_taken_over(sandbox: Sandbox, stacks: Stacks) -> None:
    sandbox.boto3("iam").create_role(RoleName="mine", AssumeRolePolicyDocument="{}")
    named = TEMPLATE.replace("Description: sends warnings", "RoleName: mine")
    assert stacks.created(named, Parameters=stacks.parameters()) == "ROLLBACK_COMPLETE"
    assert "HandlerErrorCode: AlreadyExists" in stacks.reason("Role", "CREATE_FAILED")
    assert sandbox.boto3("iam").get_role(RoleName="mine")


def test_what_was_half_made_is_deleted_again(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    fail(sandbox, "PutTargets")
    assert stacks.created() == "ROLLBACK_COMPLETE"
    assert events.list_rules()["Rules"] == []


def test_a_target_that_fails_in_part_fails_the_rule(sandbox: Sandbox, stacks: Stacks) -> None:
    sandbox.add_fault({"partial": True}, {"operation": "PutTargets"})
    assert stacks.created() == "ROLLBACK_COMPLETE"
    assert "Rule is being modified." in stacks.reason("Rule", "CREATE_FAILED")


def test_an_answer_that_never_comes_fails_the_resource(sandbox: Sandbox, stacks: Stacks) -> None:
    sandbox.add_fault({"drop": True}, {"operation": "CreateConnection"})
    assert stacks.created() == "ROLLBACK_COMPLETE"
    assert "NetworkFailure" in stacks.reason("Connection", "CREATE_FAILED")


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ({"DisableRollback": True}, "CREATE_FAILED"),
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE"),
    ],
)
def test_the_caller_says_what_a_failure_leads_to(sandbox: Sandbox, stacks: Stacks, option: dict[str, Any], status: str) -> None:
    fail(sandbox, "CreateApiDestination")
    assert stacks.end(stacks.create(**option)) == status


def test_a_rollback_that_fails_says_so(sandbox: Sandbox, stacks: Stacks) -> None:
    fail(sandbox, "CreateApiDestination")
    fail(sandbox, "DeleteConnection")
    stack_id = stacks.create()
    assert stacks.end() == "ROLLBACK_FAILED"
    assert stacks.described()["StackStatusReason"] == "The following resource(s) failed to delete: [Connection]. "
    sandbox.clear_faults()
    assert stacks.deleted(stack_id) == "DELETE_COMPLETE"


def test_a_reset_ends_what_is_under_way(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    sandbox.settings(stack_seconds=0.2)
    stacks.create()
    sandbox.reset()
    time.sleep(0.4)
    assert events.list_connections()["Connections"] == []
    assert sandbox.calls(by="cloudformation") == []


# Updates


def test_an_unchanged_stack_has_nothing_to_update(stacks: Stacks) -> None:
    stacks.created()
    nothing = ("ValidationError", "No updates are to be performed.")
    assert refusal(stacks.updated, Parameters=stacks.parameters()) == nothing
    assert refusal(stacks.updated, Parameters=stacks.parameters(), template=TEMPLATE + "# the same") == nothing
    kept = [{"ParameterKey": key, "UsePreviousValue": True} for key in ("SpotAccountId", "SpotToken")]
    assert refusal(stacks.updated, Parameters=kept) == nothing


def test_a_deletion_policy_is_no_update_by_itself_but_together_with_metadata(stacks: Stacks, sqs: Any) -> None:
    stack_id = stacks.create(QUEUE)
    stacks.end()
    policy = "    DeletionPolicy: Retain\n"
    assert refusal(stacks.updated, template=QUEUE + policy)[1] == "No updates are to be performed."
    assert stacks.updated(QUEUE + policy + "    Metadata: {Note: it stays}\n") == "UPDATE_COMPLETE"
    assert stacks.deleted(stack_id) == "DELETE_COMPLETE"
    assert sqs.get_queue_url(QueueName="letters")


def test_an_unchanged_stack_does_not_heal_its_connection(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    stacks.created()
    events.deauthorize_connection(Name="warnings")
    assert refusal(stacks.updated, Parameters=stacks.parameters())[1] == "No updates are to be performed."
    assert stacks.updated(Parameters=stacks.parameters(Retention="60")) == "UPDATE_COMPLETE"
    assert events.describe_connection(Name="warnings")["ConnectionState"] == "DEAUTHORIZED"
    assert stacks.updated(Parameters=stacks.parameters(Described="yes")) == "UPDATE_COMPLETE"
    assert events.describe_connection(Name="warnings")["ConnectionState"] == "AUTHORIZED"
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]


def test_another_token_reaches_the_connection(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    stacks.created(Parameters=stacks.parameters(SpotToken="out-of-date"))
    arn = events.describe_connection(Name="warnings")["ConnectionArn"]
    assert stacks.delivered()[0][0] == 401
    assert stacks.updated(Parameters=stacks.parameters()) == "UPDATE_COMPLETE"
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]
    assert events.describe_connection(Name="warnings")["ConnectionArn"] == arn


def test_an_update_touches_only_what_differs(sandbox: Sandbox, stacks: Stacks, sqs: Any) -> None:
    stacks.created()
    sandbox.clear_calls()
    assert stacks.updated(Parameters=stacks.parameters(Retention="60")) == "UPDATE_COMPLETE"
    assert [call["operation"] for call in sandbox.calls(by="cloudformation", writes=True)] == ["SetQueueAttributes"]
    attributes = sqs.get_queue_attributes(QueueUrl=stacks.ids()["Queue"], AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "60"
    assert stacks.events()[-5:] == [
        ("spot", "UPDATE_IN_PROGRESS"),
        ("Queue", "UPDATE_IN_PROGRESS"),
        ("Queue", "UPDATE_COMPLETE"),
        ("spot", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("spot", "UPDATE_COMPLETE"),
    ]


def test_another_name_means_another_resource(stacks: Stacks, events: Any, sqs: Any) -> None:
    stacks.created()
    assert stacks.updated(Parameters=stacks.parameters(Name="renamed")) == "UPDATE_COMPLETE"
    assert [connection["Name"] for connection in events.list_connections()["Connections"]] == ["renamed"]
    assert [rule["Name"] for rule in events.list_rules()["Rules"]] == ["renamed"]
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]
    story = stacks.events()
    assert story.index(("Connection", "DELETE_COMPLETE")) > story.index(("spot", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))


def test_what_the_template_does_not_name_any_more_goes(stacks: Stacks, sqs: Any) -> None:
    two = QUEUE + "  Second: {Type: AWS::SQS::Queue}\n"
    stacks.created(two)
    assert len(sqs.list_queues()["QueueUrls"]) == 2
    assert stacks.updated(QUEUE) == "UPDATE_COMPLETE"
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    assert set(stacks.ids()) == {"Queue"}
    assert stacks.updated(two) == "UPDATE_COMPLETE"
    assert ("Second", "CREATE_COMPLETE") in stacks.events()[-4:]


def test_other_tags_are_an_update(stacks: Stacks, sqs: Any) -> None:
    stacks.created(QUEUE, Tags=[{"Key": "team", "Value": "red"}, {"Key": "gone", "Value": "soon"}])
    assert stacks.updated(Tags=[{"Key": "team", "Value": "blue"}]) == "UPDATE_COMPLETE"
    tags = sqs.list_queue_tags(QueueUrl=stacks.ids()["Queue"])["Tags"]
    assert {key: value for key, value in tags.items() if not key.startswith("aws:")} == {"team": "blue"}
    assert stacks.described()["Tags"] == [{"Key": "team", "Value": "blue"}]


def test_a_failed_update_goes_back(sandbox: Sandbox, stacks: Stacks, events: Any, sqs: Any) -> None:
    stacks.created()
    fail(sandbox, "UpdateApiDestination", times=1)
    template = TEMPLATE.replace("'50'", "'60'") + "  Queue: {Value: !GetAtt Queue.Arn}\n"
    changed = stacks.parameters(Retention="60", Described="yes")
    assert stacks.updated(template, Parameters=changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.reason("spot", "UPDATE_ROLLBACK_IN_PROGRESS") == "The following resource(s) failed to update: [Destination]. "
    assert events.describe_api_destination(Name="warnings")["InvocationRateLimitPerSecond"] == 50
    attributes = sqs.get_queue_attributes(QueueUrl=stacks.ids()["Queue"], AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "1209600"
    assert stacks.client.get_template(StackName="spot")["TemplateBody"] == TEMPLATE
    assert len(stacks.described()["Outputs"]) == 1
    assert stacks.updated(template, Parameters=changed) == "UPDATE_COMPLETE"


def test_a_replacement_that_fails_leaves_the_old_one(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    stacks.created()
    fail(sandbox, "CreateApiDestination", times=1)
    assert stacks.updated(Parameters=stacks.parameters(Name="renamed")) == "UPDATE_ROLLBACK_COMPLETE"
    assert [connection["Name"] for connection in events.list_connections()["Connections"]] == ["warnings"]
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]


def test_a_rollback_of_an_update_can_be_continued(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    stacks.created()
    fail(sandbox, "UpdateApiDestination")
    template = TEMPLATE.replace("'50'", "'60'")
    assert stacks.updated(template, Parameters=stacks.parameters(Described="yes")) == "UPDATE_ROLLBACK_FAILED"
    assert refusal(stacks.updated, template=QUEUE)[1].endswith("is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
    sandbox.clear_faults()
    stacks.client.continue_update_rollback(StackName="spot")
    assert stacks.end() == "UPDATE_ROLLBACK_COMPLETE"
    assert events.describe_connection(Name="warnings")["Description"] == "plain"


def test_a_resource_can_be_left_out_of_the_rollback(sandbox: Sandbox, stacks: Stacks) -> None:
    stacks.created()
    fail(sandbox, "UpdateApiDestination")
    assert stacks.updated(TEMPLATE.replace("'50'", "'60'"), Parameters=stacks.parameters()) == "UPDATE_ROLLBACK_FAILED"
    stacks.client.continue_update_rollback(StackName="spot", ResourcesToSkip=["Destination"])
    assert stacks.end() == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_of_what_was_deleted_by_hand_cannot_even_be_rolled_back(stacks: Stacks, events: Any) -> None:
    stacks.created()
    events.delete_connection(Name="warnings")
    assert stacks.updated(Parameters=stacks.parameters(Described="yes")) == "UPDATE_ROLLBACK_FAILED"
    assert "HandlerErrorCode: NotFound" in stacks.reason("Connection", "UPDATE_FAILED")


def test_the_rollback_of_an_update_can_be_switched_off(sandbox: Sandbox, stacks: Stacks) -> None:
    stacks.created()
    fail(sandbox, "UpdateConnection", times=1)
    assert stacks.updated(Parameters=stacks.parameters(Described="yes"), DisableRollback=True) == "UPDATE_FAILED"
    assert stacks.updated(Parameters=stacks.parameters(Retention="60", Described="yes")) == "UPDATE_COMPLETE"


def test_an_update_can_be_cancelled(sandbox: Sandbox, stacks: Stacks) -> None:
    stacks.created(QUEUE)
    sandbox.settings(stack_seconds=0.3)
    stacks.client.update_stack(StackName="spot", UsePreviousTemplate=True, Parameters=parameters(Seconds="90"))
    stacks.client.cancel_update_stack(StackName="spot")
    assert stacks.end() == "UPDATE_ROLLBACK_COMPLETE"


# Deletion


def test_a_deleted_stack_takes_everything_with_it(sandbox: Sandbox, stacks: Stacks, events: Any, sqs: Any) -> None:
    stack_id = stacks.create()
    stacks.end()
    assert stacks.deleted(stack_id) == "DELETE_COMPLETE"
    assert events.list_connections()["Connections"] == []
    assert events.list_rules()["Rules"] == []
    assert "QueueUrls" not in sqs.list_queues()
    assert [role for role in sandbox.boto3("iam").list_roles()["Roles"] if role["RoleName"].startswith("spot-")] == []


def test_a_deleted_stack_is_known_by_its_id_only(stacks: Stacks) -> None:
    stack_id = stacks.create(QUEUE)
    stacks.end()
    stacks.deleted(stack_id)
    assert refusal(stacks.described) == ("ValidationError", "Stack with id spot does not exist")
    assert stacks.described(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    (summary,) = stacks.client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert summary["StackId"] == stack_id
    assert stacks.client.describe_stacks()["Stacks"] == []
    assert stacks.created(QUEUE) == "CREATE_COMPLETE"


def test_what_shall_be_retained_stays(stacks: Stacks, sqs: Any) -> None:
    stack_id = stacks.create(QUEUE + "    DeletionPolicy: Retain")
    stacks.end()
    assert stacks.deleted(stack_id) == "DELETE_COMPLETE"
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    assert ("Queue", "DELETE_SKIPPED") in stacks.events(stack_id)


def test_what_is_gone_already_does_not_hinder_the_deletion(stacks: Stacks, events: Any) -> None:
    stack_id = stacks.create()
    stacks.end()
    events.remove_targets(Rule="warnings", Ids=["spot"])
    events.delete_rule(Name="warnings")
    events.delete_connection(Name="warnings")
    assert stacks.deleted(stack_id) == "DELETE_COMPLETE"


def test_a_resource_that_cannot_be_deleted_keeps_the_stack(sandbox: Sandbox, stacks: Stacks) -> None:
    stack_id = stacks.create()
    stacks.end()
    fail(sandbox, "DeleteApiDestination")
    assert stacks.deleted(stack_id) == "DELETE_FAILED"
    assert stacks.described()["StackStatusReason"] == "The following resource(s) failed to delete: [Destination]. "
    assert ("Connection", "DELETE_IN_PROGRESS") not in stacks.events()
    assert stacks.deleted(stack_id, RetainResources=["Destination"]) == "DELETE_COMPLETE"


def test_a_role_that_others_have_added_to_cannot_be_deleted(sandbox: Sandbox, stacks: Stacks) -> None:
    stack_id = stacks.create()
    stacks.end()
    sandbox.boto3("iam").put_role_policy(RoleName=stacks.ids()["Role"], PolicyName="mine", PolicyDocument=policy(DENY))
    assert stacks.deleted(stack_id) == "DELETE_FAILED"
    assert stacks.deleted(stack_id, DeletionMode="FORCE_DELETE_STACK") == "DELETE_COMPLETE"


def test_a_stack_can_be_deleted_while_it_is_created(sandbox: Sandbox, stacks: Stacks, events: Any) -> None:
    sandbox.add_fault({"latency": 0.3}, {"operation": "CreateApiDestination"})
    stack_id = stacks.create()
    while ("Destination", "CREATE_IN_PROGRESS") not in stacks.events():
        time.sleep(0.01)
    assert stacks.deleted(stack_id) == "DELETE_COMPLETE"
    assert events.list_connections()["Connections"] == []
    assert events.list_api_destinations()["ApiDestinations"] == []


def test_a_protected_stack_is_not_deleted(stacks: Stacks) -> None:
    stacks.created(QUEUE, EnableTerminationProtection=True)
    protected = refusal(stacks.client.delete_stack, StackName="spot")
    assert protected == ("ValidationError", "Stack [spot] cannot be deleted while TerminationProtection is enabled")
    stacks.client.update_termination_protection(StackName="spot", EnableTerminationProtection=False)
    stacks.client.delete_stack(StackName="spot")


# Waiting


def test_a_connection_is_waited_for(sandbox: Sandbox, stacks: Stacks) -> None:
    sandbox.settings(state_seconds=0.1)
    assert stacks.created() == "CREATE_COMPLETE"
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]


def test_a_rule_has_its_targets_half_a_minute_after_it_is_made(sandbox: Sandbox, stacks: Stacks) -> None:
    # AWS's own handler (tests/contract/records/stacks.yml, stack-durations): a new role is known by then.
    sandbox.settings(stack_time_scale=0.02, role_spread_seconds=0.5)
    assert stacks.created() == "CREATE_COMPLETE"
    made = {call["operation"]: call["time"] for call in sandbox.calls(by="cloudformation", writes=True)}
    assert made["PutTargets"] - made["PutRule"] >= 30 * 0.02
    assert stacks.delivered() == [(200, {"accountId": SPOT_ACCOUNT})]


# Change sets


def test_a_change_set_tells_what_it_would_change(stacks: Stacks, events: Any) -> None:
    stacks.created()
    more = stacks.parameters(Described="yes")
    stacks.client.create_change_set(
        StackName="spot", ChangeSetName="more", UsePreviousTemplate=True, Parameters=more, Capabilities=ACKNOWLEDGED
    )
    described = stacks.client.describe_change_set(StackName="spot", ChangeSetName="more")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    changes = [change["ResourceChange"] for change in described["Changes"]]
    assert {change["LogicalResourceId"] for change in changes} == {"Connection", "Queue"}
    assert {(change["Action"], change["Replacement"]) for change in changes} == {("Modify", "False")}
    stacks.client.execute_change_set(StackName="spot", ChangeSetName="more")
    assert stacks.end() == "UPDATE_COMPLETE"
    assert events.describe_connection(Name="warnings")["Description"] == "described"
    assert stacks.client.list_change_sets(StackName="spot")["Summaries"] == []


def test_a_change_set_without_changes_fails(stacks: Stacks) -> None:
    stacks.created(QUEUE)
    stacks.client.create_change_set(StackName="spot", ChangeSetName="none", UsePreviousTemplate=True)
    described = stacks.client.describe_change_set(StackName="spot", ChangeSetName="none")
    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_a_change_set_can_make_a_stack(stacks: Stacks, sqs: Any) -> None:
    stacks.client.create_change_set(StackName="spot", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=QUEUE)
    assert stacks.described()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert "QueueUrls" not in sqs.list_queues()
    stacks.client.execute_change_set(StackName="spot", ChangeSetName="first")
    stacks.client.get_waiter("stack_create_complete").wait(StackName="spot", WaiterConfig={"Delay": 1})
    assert len(sqs.list_queues()["QueueUrls"]) == 1
