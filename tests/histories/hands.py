# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other people do by hand: any write operation that AWS has for one of our resources, with any arguments that it takes.

Operations and arguments are drawn from botocore's models of the services, not from a list. A word in braces stands for what the region
has at the time, such as {connection_arn}; where a text has a meaning to AWS, candidates take the place of any text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape
from hypothesis import strategies as st

Json = dict[str, Any]
_WRITES = re.compile(
    r"(?!Describe|Get|List|Test|Receive|Simulate|Generate|Verify|Decrypt|Encrypt|Sign|Re[eE]ncrypt|Derive|Validate|BatchGet)"
)
# By service, the members of a request that name one of our resources, and what they are then.
OURS: dict[str, dict[str, tuple[str, ...]]] = {
    "events": {"Rule": ("{name}",), "ResourceARN": ("{rule_arn}",), "Name": ("{name}",)},
    "sqs": {"QueueUrl": ("{queue_url}",)},
    "iam": {"RoleName": ("{name}",)},
    "secretsmanager": {"SecretId": ("{secret_arn}",)},
    "kms": {"KeyId": ("{key_id}",)},
}
# Operations on other resources that have such a member, too, or that the sandbox takes no part in.
_OF_OTHERS = re.compile(
    r"EventBus|Archive|Replay|Endpoint|PartnerEvent|PutEvents|PutPermission|RemovePermission|InstanceProfile|ServiceLinked|Replica|"
    r"Rotat|CustomKeyStore|Grant|Import|ReplicateKey|Alias|PrimaryRegion|KeyPair|DeleteMessage|ChangeMessage|SendMessageBatch|MoveTask|"
    r"ServiceSpecific|CreateSecret|CreateKey|RestoreSecret|SAMLProvider|MultiRegion|DeriveShared"
)
_PATTERN = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}


def _policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_EVENTS = {"Service": "events.amazonaws.com"}
_TRUST = {"Effect": "Allow", "Principal": _EVENTS, "Action": "sts:AssumeRole"}
_INVOKE = {"Action": "events:InvokeApiDestination", "Resource": "*"}
_SEND = {"Effect": "Allow", "Principal": _EVENTS, "Action": "sqs:SendMessage", "Resource": "{queue_arn}"}
POLICIES = {
    "trust": (
        _policy(_TRUST),
        _policy({**_TRUST, "Condition": {"StringEquals": {"aws:SourceAccount": "{aws_account}"}}}),
        _policy({**_TRUST, "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}),
        _policy({**_TRUST, "Condition": {"ArnLike": {"aws:SourceArn": "{rule_arn}"}}}),
        _policy({**_TRUST, "Principal": {"Service": "lambda.amazonaws.com"}}),
        _policy({**_TRUST, "Principal": {"Service": ["lambda.amazonaws.com", "events.amazonaws.com"]}}),
        _policy(_TRUST, {**_TRUST, "Effect": "Deny"}),
        _policy(),
    ),
    "role": (
        _policy({"Effect": "Allow", **_INVOKE}),
        _policy({"Effect": "Deny", **_INVOKE}),
        _policy({"Effect": "Deny", **_INVOKE, "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}),
        _policy({"Effect": "Allow", "Action": "events:*", "Resource": "{destination_arn}"}),
        _policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        _policy({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:events:us-east-1:*:api-destination/*"}),
    ),
    "queue": (
        _policy(_SEND),
        _policy({**_SEND, "Condition": {"ArnEquals": {"aws:SourceArn": "{rule_arn}"}}}),
        _policy({**_SEND, "Condition": {"ArnEquals": {"aws:SourceArn": "{rule_arn}-other"}}}),
        _policy({**_SEND, "Effect": "Deny", "Principal": "*"}),
        _policy({**_SEND, "Principal": "*"}),
        "",
    ),
    "key": (
        _policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}),
        _policy({"Effect": "Allow", "Principal": _EVENTS, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}),
        _policy({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{aws_account}:root"}, "Action": "kms:*", "Resource": "*"}),
    ),
}
_QUEUE_ATTRIBUTES = {
    "Policy": POLICIES["queue"],
    "MessageRetentionPeriod": ("60", "1209600"),
    "KmsMasterKeyId": ("", "{key}", "alias/aws/sqs"),
    "SqsManagedSseEnabled": ("true", "false"),
    "VisibilityTimeout": ("0", "30"),
    "DelaySeconds": ("0", "900"),
    "MaximumMessageSize": ("1024", "262144"),
    "ReceiveMessageWaitTimeSeconds": ("0", "20"),
}
# By the name of a member: candidates for its text.
TEXTS: dict[str, tuple[str, ...]] = {
    "Name": ("{name}",),
    "Rule": ("{name}",),
    "ConnectionArn": ("{connection_arn}", "{other_connection_arn}"),
    "Arn": ("{destination_arn}", "{queue_arn}", "{other_destination_arn}"),
    "RoleArn": ("{role_arn}", "{other_role_arn}"),
    "Id": ("spot", "1"),
    "Ids": ("spot", "1"),
    "EventPattern": (
        json.dumps(_PATTERN),
        json.dumps(_PATTERN, indent=1),
        '{"source": ["aws.ec2"]}',
        '{"source": ["aws.s3"]}',
        json.dumps({**_PATTERN, "region": ["eu-west-1"]}),
        json.dumps({**_PATTERN, "detail": {"instance-action": ["stop"]}}),
    ),
    "ScheduleExpression": ("rate(1 day)", ""),
    "Description": ("theirs", ""),
    "InvocationEndpoint": ("{endpoint}", "{endpoint}/", "https://example.com/", "{endpoint}?accountId=act-00000001"),
    "ApiKeyName": ("Authorization", "X-Api-Key"),
    "ApiKeyValue": ("Bearer {token}", "Bearer {viewer}", "Bearer {other}", "{token}", "Bearer nobody"),
    "Input": ("{}",),
    "InputPath": ("$.detail", "$"),
    "InputTemplate": ('{"a": 1}',),
    "EventBusName": ("default",),
    "KmsKeyIdentifier": ("{key}", ""),
    "KmsKeyId": ("{key}",),
    "PolicyName": ("invoke-api-destination", "theirs"),
    "PolicyArn": ("{managed_policy}", "{managed_denial}"),
    "PermissionsBoundary": ("{managed_policy}", "{managed_denial}", "{managed_nothing}"),
    "TagKeys": ("ManagedBy", "Team"),
    "SecretString": ("{}", '{"api_key_name": "Authorization", "api_key_value": "Bearer nobody"}'),
    "MessageBody": ("{}", '{"time": "2026-01-01T00:00:00Z", "detail": {"instance-id": "i-00000000000000001"}}'),
}
_PARAMETER_KEYS, _PARAMETER_VALUES = ("accountId", "x"), ("{spot_account}", "act-5a9d1c02", "1")
_TAG_KEYS = ("ManagedBy", "SpotAccount", "Team")


@cache
def operations() -> dict[str, tuple[str, ...]]:
    """Return the write operations by service that name one of our resources."""
    return {
        service: tuple(
            name
            for name in _model(service).operation_names
            if _WRITES.match(name) and not _OF_OTHERS.search(name) and set(_members(_model(service).operation_model(name))) & set(members)
        )
        for service, members in OURS.items()
    }


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _members(operation: OperationModel) -> Mapping[str, Shape]:
    return operation.input_shape.members if operation.input_shape else {}


def hands(*services: str) -> st.SearchStrategy[tuple[str, str, Json]]:
    """Draw what somebody does in these services, or in all: service, operation, arguments."""
    chosen = services or tuple(operations())
    return st.sampled_from([(service, name) for service in chosen for name in operations()[service]]).flatmap(_call)


def _call(chosen: tuple[str, str]) -> st.SearchStrategy[tuple[str, str, Json]]:
    service, name = chosen
    return st.tuples(st.just(service), st.just(name), _arguments(service, name))


@cache
def _arguments(service: str, name: str) -> st.SearchStrategy[Json]:
    shape = _model(service).operation_model(name).input_shape
    return _structure(shape, service, name, top=True)


def _structure(shape: Any, service: str, operation: str, top: bool = False) -> st.SearchStrategy[Json]:
    ours = OURS[service] if top else {}
    required: Json = {}
    optional: Json = {}
    for name, member in shape.members.items():
        if name in ours:
            required[name] = st.sampled_from(ours[name])
        elif name in shape.required_members:
            required[name] = _value(name, member, service, operation, shape.name)
        elif name not in ("EventBusName", "Force", "ManagedBy", "NextToken", "ClientRequestToken", "DryRun"):
            optional[name] = _value(name, member, service, operation, shape.name)
    # Of more than two of the optional members, each hides what another does.
    several = st.sets(st.sampled_from(sorted(optional)), max_size=2) if optional else st.just(set())
    return several.flatmap(lambda chosen: st.fixed_dictionaries({**required, **{name: optional[name] for name in sorted(chosen)}}))


def _value(name: str, shape: Any, service: str, operation: str, parent: str) -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, service, operation)
    if kind == "list":
        return st.lists(_value(name, shape.member, service, operation, parent), min_size=1, max_size=2)
    if kind == "map":
        return _map(name, service)
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10)
    plain: dict[str, list[Any]] = {"boolean": [False, True], "blob": [b"x"], "timestamp": [0]}
    plain |= {number: [low, high, (low + high) // 2] for number in ("integer", "long", "double", "float")}
    if kind in plain:
        return st.sampled_from(plain[kind])
    return st.sampled_from(_texts(name, shape, service, operation, parent))


def _map(name: str, service: str) -> st.SearchStrategy[Json]:
    if service == "sqs" and name == "Attributes":
        one = st.sampled_from(sorted(_QUEUE_ATTRIBUTES)).flatmap(
            lambda key: st.tuples(st.just(key), st.sampled_from(_QUEUE_ATTRIBUTES[key]))
        )
        return one.map(lambda pair: {pair[0]: pair[1]})
    if name in ("MessageAttributes", "MessageSystemAttributes"):
        return st.just({})
    keys = _PARAMETER_KEYS if "Parameters" in name else _TAG_KEYS
    return st.dictionaries(st.sampled_from(keys), st.sampled_from(_PARAMETER_VALUES), min_size=1, max_size=1)


def _texts(name: str, shape: Any, service: str, operation: str, parent: str) -> tuple[str, ...]:
    if shape.enum:
        return tuple(shape.enum)
    if name in ("PolicyDocument", "Policy"):
        of = {"iam": "trust" if "Assume" in operation else "role", "kms": "key"}
        return POLICIES[of.get(service, "queue")]
    if name in ("Key", "Value") and parent.startswith("Connection"):
        return _PARAMETER_KEYS if name == "Key" else _PARAMETER_VALUES
    if name == "Arn" and parent == "DeadLetterConfig":
        return ("{queue_arn}", "{other_queue_arn}")
    if name == "Key":
        return _TAG_KEYS
    return TEXTS.get(name, ("x",))


def filled_in(arguments: Any, words: Mapping[str, str]) -> Any:
    """Return arguments with what the words in braces stand for; a KeyError where the region has no such thing."""
    if isinstance(arguments, dict):
        return {key: filled_in(value, words) for key, value in arguments.items()}
    if isinstance(arguments, list):
        return [filled_in(item, words) for item in arguments]
    if not isinstance(arguments, str):
        return arguments
    return re.sub(r"\{([a-z_]+)\}", lambda found: words[found[1]], arguments)
