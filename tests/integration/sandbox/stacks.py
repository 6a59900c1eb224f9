# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack with a whole integration, made with plain boto3 calls."""

from __future__ import annotations

import time
from typing import Any

from tests.sandbox.client import Sandbox

ACCOUNT, REGION, SPOT_ACCOUNT = "123456789012", "eu-west-1", "act-d7320fba"
ACKNOWLEDGED = ["CAPABILITY_NAMED_IAM"]

# YAML with every short form that a template of this kind uses.
TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Description: an integration
Parameters:
  SpotAccountId: {Type: String, AllowedPattern: '^act-[0-9a-f]{8}$'}
  SpotToken: {Type: String, NoEcho: true, MinLength: 8}
  Name: {Type: String, Default: warnings}
  Retention: {Type: Number, Default: 1209600, MinValue: 60}
  Described: {Type: String, Default: 'no', AllowedValues: ['yes', 'no']}
Conditions:
  HasDescription: !Equals [!Ref Described, 'yes']
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: !Ref Name
      EventPattern: {source: [aws.ec2], detail-type: [EC2 Spot Instance Interruption Warning]}
      Tags: [{Key: of, Value: rule}]
      Targets:
        - Id: spot
          Arn: !GetAtt Destination.Arn
          RoleArn: !GetAtt [Role, Arn]
          RetryPolicy: {MaximumEventAgeInSeconds: 120, MaximumRetryAttempts: 3}
          DeadLetterConfig: {Arn: !GetAtt Queue.Arn}
  Connection:
    Type: AWS::Events::Connection
    Properties:
      Name: !Ref Name
      Description: !If [HasDescription, described, plain]
      AuthorizationType: API_KEY
      AuthParameters:
        ApiKeyAuthParameters: {ApiKeyName: Authorization, ApiKeyValue: !Sub 'Bearer ${SpotToken}'}
        InvocationHttpParameters:
          QueryStringParameters: [{Key: accountId, Value: !Ref SpotAccountId, IsValueSecret: false}]
  Destination:
    Type: AWS::Events::ApiDestination
    Properties:
      Name: !Ref Name
      ConnectionArn: !GetAtt Connection.Arn
      HttpMethod: POST
      InvocationEndpoint: https://api.spotinst.io/aws/ec2/instance/interruptionNotification
      InvocationRateLimitPerSecond: '50'
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: sends warnings
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sts:AssumeRole
            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}
      Policies:
        - PolicyName: invoke
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: events:InvokeApiDestination, Resource: !GetAtt Destination.Arn}]
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Join ['-', [!Ref Name, letters]]
      MessageRetentionPeriod: !Ref Retention
      DelaySeconds: !If [HasDescription, 5, !Ref AWS::NoValue]
      SqsManagedSseEnabled: true
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition:
              ArnEquals:
                aws:SourceArn: !Sub 'arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${Name}'
Outputs:
  Rule: {Value: !GetAtt Rule.Arn, Description: the rule}
"""

# One resource, for what does not depend on which it is.
QUEUE = """
Parameters:
  Name: {Type: String, Default: letters}
  Seconds: {Type: Number, Default: 60}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Name, MessageRetentionPeriod: !Ref Seconds}
"""


class Stacks:
    """CloudFormation of a region; `spot` is the name of the stack that most methods are about."""

    def __init__(self, sandbox: Sandbox, region: str = REGION) -> None:
        self.sandbox = sandbox
        self.region = region
        self.client = sandbox.boto3("cloudformation", region)

    def parameters(self, **values: str) -> list[dict[str, str]]:
        given = {"SpotAccountId": SPOT_ACCOUNT, "SpotToken": self.sandbox.tokens["editor"], **values}
        return parameters(**given)

    def create(self, template: str = TEMPLATE, **more: Any) -> str:
        """Create the stack, and return its id; `more` goes to create_stack()."""
        more.setdefault("Parameters", self.parameters() if template == TEMPLATE else [])
        answer = self.client.create_stack(StackName="spot", TemplateBody=template, **{"Capabilities": ACKNOWLEDGED, **more})
        return str(answer["StackId"])

    def created(self, template: str = TEMPLATE, **more: Any) -> str:
        """Create the stack, and return its status in the end."""
        self.create(template, **more)
        return self.end()

    def updated(self, template: str | None = None, **more: Any) -> str:
        """Update the stack, and return its status in the end."""
        source: dict[str, Any] = {"TemplateBody": template} if template else {"UsePreviousTemplate": True}
        self.client.update_stack(StackName="spot", **source, **{"Capabilities": ACKNOWLEDGED, **more})
        return self.end()

    def deleted(self, stack_id: str, **more: Any) -> str:
        """Delete a stack, and return its status in the end."""
        self.client.delete_stack(StackName=stack_id, **more)
        return self.end(stack_id)

    def end(self, stack: str = "spot") -> str:
        """Wait until a stack is no longer in progress, and return its status."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            status: str = self.described(stack)["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.01)
        raise TimeoutError(f"{stack} is still {status}")

    def described(self, stack: str = "spot") -> Any:
        return self.client.describe_stacks(StackName=stack)["Stacks"][0]

    def events(self, stack: str = "spot") -> list[tuple[str, str]]:
        """Return (resource, status) of all events, the oldest first."""
        events = self.client.describe_stack_events(StackName=stack)["StackEvents"]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)]

    def reason(self, resource: str, status: str, stack: str = "spot") -> str:
        """Return why a resource came into a state at last."""
        for event in self.client.describe_stack_events(StackName=stack)["StackEvents"]:
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (resource, status):
                return str(event["ResourceStatusReason"])
        raise AssertionError(f"{resource} was never {status}")

    def ids(self, stack: str = "spot") -> dict[str, str]:
        """Return the physical id of each resource."""
        resources = self.client.describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def delivered(self) -> list[tuple[int, dict[str, str]]]:
        """Let EC2 warn, and return (status, query) of what Spot received since the last time."""
        self.sandbox.clear_received()
        self.sandbox.settings(delivery_time_scale=0.01)
        self.sandbox.interrupt(self.region)
        assert self.sandbox.settled()
        return [(received["status"], received["query"]) for received in self.sandbox.notifications()]


def parameters(**values: str) -> list[dict[str, str]]:
    """Return parameters as CloudFormation takes them."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
