# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spot's published template, at its public address: what the sandbox has in its place.

Nobody outside has seen the real one's parameters: AccountId and Token are a guess. It names nothing and has no dead-letter queue.
"""

from __future__ import annotations

import json
from typing import Any

from moto.s3.models import s3_backends

BUCKET = "spotinst-public"
KEY = "assets/cloudformation/templates/spot-interruption-notification-event-bridge-template.json"
OWNER = "444455556666"

_ENDPOINT = "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"


def publish() -> None:
    """Put the template into S3. Hold moto's lock."""
    backend = s3_backends[OWNER]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    backend.put_object(BUCKET, KEY, json.dumps(_template(), indent=2).encode())


def _template() -> dict[str, Any]:
    api_key = {"ApiKeyName": "Authorization", "ApiKeyValue": {"Fn::Sub": "Bearer ${Token}"}}
    account = {"Key": "accountId", "Value": {"Ref": "AccountId"}}
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    invoke = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": {"Fn::GetAtt": ["ApiDestination", "Arn"]}}
    target = {
        "Id": "SpotInterruptionApiDestination",
        "Arn": {"Fn::GetAtt": ["ApiDestination", "Arn"]},
        "RoleArn": {"Fn::GetAtt": ["InvokeRole", "Arn"]},
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Sends EC2 spot interruption warnings to the Spot platform",
        "Parameters": {
            "AccountId": {"Type": "String", "Description": "The Spot account's id", "AllowedPattern": "^act-[a-z0-9]+$"},
            "Token": {"Type": "String", "Description": "A token of the Spot account", "NoEcho": True},
        },
        "Resources": {
            "Connection": _resource(
                "Events::Connection",
                AuthorizationType="API_KEY",
                AuthParameters={
                    "ApiKeyAuthParameters": api_key,
                    "InvocationHttpParameters": {"QueryStringParameters": [account]},
                },
            ),
            "ApiDestination": _resource(
                "Events::ApiDestination",
                ConnectionArn={"Fn::GetAtt": ["Connection", "Arn"]},
                HttpMethod="POST",
                InvocationEndpoint=_ENDPOINT,
            ),
            "InvokeRole": _resource(
                "IAM::Role",
                AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
                Policies=[{"PolicyName": "invoke", "PolicyDocument": {"Version": "2012-10-17", "Statement": [invoke]}}],
            ),
            "Rule": _resource(
                "Events::Rule",
                EventPattern={"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
                State="ENABLED",
                Targets=[target],
            ),
        },
    }


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}
