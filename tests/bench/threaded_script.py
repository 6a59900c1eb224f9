# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peer of the benchmark: what an engineer would write by hand, with a thread per region.

It makes the same calls in the same order as onboarding does, each answer read and thrown away; it checks nothing and mends
nothing. It stands for the least time in which the work can be done from Python.

Usage: python threaded_script.py [--verify] SPOT_URL REGION…   (the token comes from SPOTINST_TOKEN)

With --verify it reads what the playbook verify reads.
"""

from __future__ import annotations

import datetime
import functools
import json
import os
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.exceptions import ClientError

SPOT_ACCOUNT = "act-d7320fba"
NAME = f"spot-interruption-{SPOT_ACCOUNT}"
ENDPOINT = "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"
PATTERN = json.dumps({"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]})
TAGS = {"ManagedBy": "script"}
TAG_LIST = [{"Key": key, "Value": value} for key, value in TAGS.items()]


def ask_spot(url: str, token: str, aws_account: str) -> None:
    """The two questions of preflight."""
    for path in (f"/aws/ec2/group?accountId={SPOT_ACCOUNT}", f"/setup/account?cloudAccountId={aws_account}"):
        request = urllib.request.Request(f"{url}{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            json.load(answer)


def make_role(iam: Any, aws_account: str) -> str:
    """The execution role and its permission; returns the ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": aws_account}},
            }
        ],
    }
    permission = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "events:InvokeApiDestination",
                "Resource": f"arn:aws:events:*:{aws_account}:api-destination/{NAME}/*",
            }
        ],
    }
    if not found(iam.get_role, RoleName=NAME):
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust), Tags=TAG_LIST)
        iam.put_role_policy(RoleName=NAME, PolicyName="invoke", PolicyDocument=json.dumps(permission))
    role = iam.get_role(RoleName=NAME)["Role"]
    iam.get_role_policy(RoleName=NAME, PolicyName="invoke")
    return str(role["Arn"])


def found(call: Any, **arguments: Any) -> Any:
    """The answer of a reading call; None if there is nothing."""
    try:
        return call(**arguments)
    except ClientError:
        return None


def make_region(clients: dict[str, Any], region: str, aws_account: str, role: str, token: str) -> None:
    """Queue, connection, API destination and rule of one region, each read, made if it is missing, and read again."""
    sqs, events, secrets = clients["sqs"], clients["events"], clients["secretsmanager"]
    queue = f"arn:aws:sqs:{region}:{aws_account}:{NAME}"
    url = found(sqs.get_queue_url, QueueName=NAME)
    if not url:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue,
                    "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{region}:{aws_account}:rule/{NAME}"}},
                }
            ],
        }
        sqs.create_queue(QueueName=NAME, Attributes={"Policy": json.dumps(policy), "SqsManagedSseEnabled": "true"}, tags=TAGS)
        url = sqs.get_queue_url(QueueName=NAME)
    sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["All"])
    sqs.list_queue_tags(QueueUrl=url["QueueUrl"])

    connection = found(events.describe_connection, Name=NAME)
    if not connection:
        parameter = {"Key": "accountId", "Value": SPOT_ACCOUNT, "IsValueSecret": False}
        events.create_connection(
            Name=NAME,
            AuthorizationType="API_KEY",
            AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": f"Bearer {token}"},
                "InvocationHttpParameters": {"QueryStringParameters": [parameter]},
            },
        )
        connection = events.describe_connection(Name=NAME)
    secrets.get_secret_value(SecretId=connection["SecretArn"])

    destination = found(events.describe_api_destination, Name=NAME)
    if not destination:
        events.create_api_destination(
            Name=NAME,
            ConnectionArn=connection["ConnectionArn"],
            InvocationEndpoint=ENDPOINT,
            HttpMethod="POST",
            InvocationRateLimitPerSecond=300,
        )
        destination = events.describe_api_destination(Name=NAME)

    rule = found(events.describe_rule, Name=NAME)
    if not rule:
        events.put_rule(Name=NAME, EventPattern=PATTERN, State="ENABLED", Tags=TAG_LIST)
        target = {
            "Id": "spot",
            "Arn": destination["ApiDestinationArn"],
            "RoleArn": role,
            "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 120},
            "DeadLetterConfig": {"Arn": queue},
        }
        if events.put_targets(Rule=NAME, Targets=[target])["FailedEntryCount"]:
            raise RuntimeError(region)
        rule = events.describe_rule(Name=NAME)
    events.list_targets_by_rule(Rule=NAME)
    events.list_tags_for_resource(ResourceARN=rule["Arn"])


def verify_role(iam: Any) -> str:
    """What verify reads of the execution role; returns the ARN."""
    arn = iam.get_role(RoleName=NAME)["Role"]["Arn"]
    for name in iam.list_role_policies(RoleName=NAME)["PolicyNames"]:
        iam.get_role_policy(RoleName=NAME, PolicyName=name)
    iam.list_attached_role_policies(RoleName=NAME)
    return str(arn)


def verify_region(clients: dict[str, Any]) -> None:
    """What verify reads of a region, and an unchanged run does not."""
    sample = {"id": "1", "source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning", "detail": {}, "resources": []}
    sample |= {"account": "123456789012", "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "version": "0"}
    clients["events"].test_event_pattern(EventPattern=PATTERN, Event=json.dumps(sample))
    clients["events"].list_api_destinations()
    found(clients["cloudformation"].describe_stack_resources, PhysicalResourceId=NAME)
    now = datetime.datetime.now(datetime.timezone.utc)
    metrics = ("TriggeredRules", "SuccessfulInvocationAttempts", "RetryInvocationAttempts", "FailedInvocations")
    metrics += ("InvocationsSentToDlq", "InvocationsFailedToBeSentToDlq")
    queries = [
        {
            "Id": metric[0].lower() + metric[1:],
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Events", "MetricName": metric, "Dimensions": [{"Name": "RuleName", "Value": NAME}]},
                "Period": 300,
                "Stat": "Sum",
            },
        }
        for metric in metrics
    ]
    clients["cloudwatch"].get_metric_data(MetricDataQueries=queries, StartTime=now - datetime.timedelta(days=1), EndTime=now)


def main() -> None:
    """Onboards the account in the regions of the command line, or makes sure that it is."""
    verify = sys.argv[1] == "--verify"
    spot_url, *regions = sys.argv[2 if verify else 1 :]
    token = os.environ["SPOTINST_TOKEN"]
    session = boto3.session.Session()
    aws_account = session.client("sts", region_name="us-east-1").get_caller_identity()["Account"]
    session.client("ec2", region_name="us-east-1").describe_regions()
    ask_spot(spot_url, token, aws_account)
    role = (verify_role if verify else functools.partial(make_role, aws_account=aws_account))(
        session.client("iam", region_name="us-east-1")
    )
    services = ("sqs", "events", "secretsmanager", *(("cloudwatch", "cloudformation") if verify else ()))
    clients = {region: {service: session.client(service, region_name=region) for service in services} for region in regions}

    def work(region: str) -> None:
        make_region(clients[region], region, aws_account, role, token)
        if verify:
            verify_region(clients[region])

    with ThreadPoolExecutor(max_workers=len(regions)) as pool:
        list(pool.map(work, regions))


if __name__ == "__main__":
    main()
