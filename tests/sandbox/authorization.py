# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a call needs: IAM actions, each with the resources that it is about and the context of the call.

Source: AWS service authorization reference. An action that takes no resource is about "*".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import fis, moto_app
from .server import Request

if TYPE_CHECKING:
    from .aws import Call

PARTITION = "aws"


@dataclass(frozen=True)
class Need:
    """One action that has to be allowed.

    Attributes:
        resources: the ARNs, all of which have to be allowed; "*" for an action that takes none.
        context: the condition keys of the request, and those of the resource.
    """

    action: str
    resources: tuple[str, ...] = ("*",)
    context: dict[str, str] = field(default_factory=dict)


def needs(call: Call) -> list[Need]:
    """Return what a call needs, its own action first."""
    about = _SERVICES.get(call.service)
    if about is None:
        return [Need(call.action)]
    return list(about(call.operation, f"{call.region}:{call.account}", _body(call.request, call.form), call.request))


def _body(request: Request, form: dict[str, str]) -> dict[str, Any]:
    if form:
        return dict(form)
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _events(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    action, prefix = f"events:{operation}", f"arn:{PARTITION}:events:{where}"
    if operation in _EVENTS_ANYWHERE or (operation.startswith("List") and operation not in ("ListTargetsByRule", "ListTagsForResource")):
        yield Need(action)
    elif operation.endswith("EventBus"):
        yield from _bus(action, prefix, body)
    elif operation == "PutEvents":
        buses = {entry.get("EventBusName") or "default" for entry in body["Entries"]}
        yield Need(action, tuple(bus if bus.startswith("arn:") else f"{prefix}:event-bus/{bus}" for bus in sorted(buses)))
    elif "ResourceARN" in body:
        yield Need(action, (body["ResourceARN"],), _request_tags(body.get("Tags", [])))
    elif operation.endswith("ApiDestination"):
        connection = (body["ConnectionArn"],) if operation == "CreateApiDestination" else ()
        yield Need(action, (f"{prefix}:api-destination/{body['Name']}", *connection))
    elif operation.endswith("Connection"):
        yield Need(action, (f"{prefix}:connection/{body['Name']}",))
        # EventBridge keeps the secret on behalf of the caller.
        secret = f"arn:{PARTITION}:secretsmanager:{where}:secret:events!connection/{body['Name']}/1"
        for other in _SECRETS.get(operation, ()):
            yield Need(f"secretsmanager:{other}", (secret,))
        if operation == "CreateConnection":
            yield from _service_linked_role(
                where, "apidestinations.events.amazonaws.com", "AWSServiceRoleForAmazonEventBridgeApiDestinations"
            )
    else:
        yield from _rule(action, prefix, body)


def _rule(action: str, prefix: str, body: dict[str, Any]) -> Iterator[Need]:
    bus = str(body.get("EventBusName") or "default").rpartition("/")[2]
    rule = f"{prefix}:rule/{'' if bus == 'default' else f'{bus}/'}{body.get('Rule') or body['Name']}"
    tags = _request_tags(body.get("Tags", []))
    yield Need(action, (rule,), tags)
    if action == "events:PutRule" and body.get("Tags"):
        yield Need("events:TagResource", (rule,), tags)
    roles = {target["RoleArn"] for target in body.get("Targets", []) if target.get("RoleArn")}
    for role in sorted(roles | ({body["RoleArn"]} if body.get("RoleArn") else set())):
        yield Need("iam:PassRole", (role,), {"iam:PassedToService": "events.amazonaws.com"})


def _bus(action: str, prefix: str, body: dict[str, Any]) -> Iterator[Need]:
    bus = body.get("Name") or "default"
    arn = bus if bus.startswith("arn:") else f"{prefix}:event-bus/{bus}"
    tags = _request_tags(body.get("Tags", []))
    yield Need(action, (arn,), tags)
    if tags:
        yield Need("events:TagResource", (arn,), tags)


# These take no resource.
_EVENTS_ANYWHERE = ("PutPermission", "RemovePermission", "TestEventPattern")


def _request_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags}


_SECRETS = {
    "CreateConnection": ("CreateSecret", "PutSecretValue"),
    "UpdateConnection": ("UpdateSecret", "PutSecretValue"),
    "DeleteConnection": ("DeleteSecret",),
}


def _service_linked_role(where: str, service: str, name: str) -> Iterator[Need]:
    account = where.rpartition(":")[2]
    if not moto_app.role_exists(account, name):
        arn = f"arn:{PARTITION}:iam::{account}:role/aws-service-role/{service}/{name}"
        yield Need("iam:CreateServiceLinkedRole", (arn,), {"iam:AWSServiceName": service})


def _secretsmanager(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    secret = str(body.get("SecretId") or body.get("Name", ""))
    if not secret.startswith("arn:"):
        secret = f"arn:{PARTITION}:secretsmanager:{where}:secret:{secret}"
    yield Need(f"secretsmanager:{operation}", (secret,))


def _sqs(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    queue = str(body.get("QueueName") or body.get("QueueUrl", "")).rpartition("/")[2]
    resources = (f"arn:{PARTITION}:sqs:{where}:{queue}",) if queue else ("*",)
    given = (body.get("tags") or body.get("Tags") or {}) if operation in ("CreateQueue", "TagQueue") else {}
    tags = {f"aws:RequestTag/{key}": value for key, value in given.items()}
    # A batch needs the permission of its single calls (SQS developer guide, API permissions).
    yield Need(f"sqs:{operation.removesuffix('Batch')}", resources, tags)
    if operation == "CreateQueue" and tags:
        yield Need("sqs:TagQueue", resources, tags)


def _iam(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    account = where.rpartition(":")[2]
    if "RoleName" in body:
        arn = (
            moto_app.role_arn(account, body["RoleName"]) or f"arn:{PARTITION}:iam::{account}:role{body.get('Path', '/')}{body['RoleName']}"
        )
        yield Need(f"iam:{operation}", (arn,))
        if operation == "CreateRole" and any(key.startswith("Tags.") for key in body):
            yield Need("iam:TagRole", (arn,))
    elif "PolicyArn" in body:
        yield Need(f"iam:{operation}", (body["PolicyArn"],))
    else:
        yield Need(f"iam:{operation}")


def _cloudformation(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    prefix = f"arn:{PARTITION}:cloudformation:{where}"
    stack, stack_set = str(body.get("StackName", "")), body.get("StackSetName")
    if stack_set and operation != "CreateStackSet":
        found = [f"{prefix}:stackset/{stack_set}:1"]
        if operation in ("CreateStackInstances", "UpdateStackInstances", "DeleteStackInstances", "UpdateStackSet"):
            types = ("AWS-Events-Connection", "AWS-Events-ApiDestination", "AWS-Events-Rule", "AWS-IAM-Role", "AWS-SQS-Queue")
            found += [f"{prefix}:stackset-target/{stack_set}:1/*", *(f"{prefix}:type/resource/{name}" for name in types)]
        yield Need(f"cloudformation:{operation}", tuple(found))
    elif stack:
        yield Need(f"cloudformation:{operation}", (stack if stack.startswith("arn:") else f"{prefix}:stack/{stack}/1",))
    elif "PhysicalResourceId" in body:
        yield Need(f"cloudformation:{operation}", (f"{prefix}:stack/*/*",))
    else:
        yield Need(f"cloudformation:{operation}")
    role = body.get("RoleARN") or body.get("AdministrationRoleARN")
    if role:
        yield Need("iam:PassRole", (role,), {"iam:PassedToService": "cloudformation.amazonaws.com"})
    if operation in ("CreateStack", "UpdateStack") and any(key.startswith("Tags.") for key in body):
        yield Need("cloudformation:TagResource", (f"{prefix}:stack/{stack.split('/')[1] if '/' in stack else stack}/1",))


def _organizations(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    account, parent = where.rpartition(":")[2], str(body.get("ParentId", ""))
    kind = "ou" if parent.startswith("ou-") else "root"
    yield Need(f"organizations:{operation}", (f"arn:{PARTITION}:organizations::{account}:{kind}/o-1/{parent}",) if parent else ("*",))


_FIS = re.compile(r"/(experimentTemplates|experiments)(?:/([^/]+))?$")
_FIS_ACTIONS = {
    ("POST", "experimentTemplates"): "CreateExperimentTemplate",
    ("GET", "experimentTemplates"): "ListExperimentTemplates",
    ("DELETE", "experimentTemplates"): "DeleteExperimentTemplate",
    ("POST", "experiments"): "StartExperiment",
    ("GET", "experiments"): "GetExperiment",
}


def _fis(operation: str, where: str, body: dict[str, Any], request: Request) -> Iterator[Need]:
    method, _, path = operation.partition(" ")
    found = _FIS.match(path)
    if not found or (method, found[1]) not in _FIS_ACTIONS:
        yield Need(f"fis:{operation}")
        return
    action, prefix = f"fis:{_FIS_ACTIONS[method, found[1]]}", f"arn:{PARTITION}:fis:{where}"
    account, region = where.rpartition(":")[2], where.partition(":")[0]
    if action == "fis:ListExperimentTemplates":
        yield Need(action)
    elif action == "fis:CreateExperimentTemplate":
        tags = {f"aws:RequestTag/{key}": value for key, value in body.get("tags", {}).items()}
        yield Need(action, (f"{prefix}:experiment-template/*",), tags)
        for name in sorted({item["actionId"] for item in body.get("actions", {}).values()}):
            yield Need(action, (f"{prefix}:action/{name}",), tags)
        if tags:
            yield Need("fis:TagResource", (f"{prefix}:experiment-template/*",), tags)
        yield Need("iam:PassRole", (body["roleArn"],), {"iam:PassedToService": "fis.amazonaws.com"})
    elif action == "fis:GetExperiment":
        yield Need(action, (f"{prefix}:experiment/{found[2]}",))
    else:
        template = found[2] or body.get("experimentTemplateId", "")
        tags = moto_app.experiment_template_tags(account, region, template)
        yield Need(action, (f"{prefix}:experiment-template/{template}",), {f"aws:ResourceTag/{key}": value for key, value in tags.items()})
        if action == "fis:StartExperiment":
            given = {f"aws:RequestTag/{key}": value for key, value in body.get("tags", {}).items()}
            yield Need(action, (f"{prefix}:experiment/*",), given)
            if given:
                yield Need("fis:TagResource", (f"{prefix}:experiment/*",), given)
            yield from _service_linked_role(where, fis.LINKED_SERVICE, fis.SERVICE_LINKED_ROLE)


def _sns(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    topic = body.get("TopicArn") or body.get("ResourceArn") or (f"arn:{PARTITION}:sns:{where}:{body['Name']}" if "Name" in body else "*")
    yield Need(f"sns:{operation}", (topic,))
    if operation == "CreateTopic" and any(key.startswith("Tags.") for key in body):
        yield Need("sns:TagResource", (topic,))


def _cloudwatch(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    prefix = f"arn:{PARTITION}:cloudwatch:{where}:alarm:"
    if operation in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms"):
        listed = body.get("AlarmNames") or [value for key, value in body.items() if key.startswith("AlarmNames.")]
        names = [body["AlarmName"]] if "AlarmName" in body else list(listed)
        yield Need(f"cloudwatch:{operation}", tuple(prefix + name for name in names) or ("*",))
        if operation == "PutMetricAlarm" and (body.get("Tags") or any(key.startswith("Tags.") for key in body)):
            yield Need("cloudwatch:TagResource", tuple(prefix + name for name in names))
    elif "ResourceARN" in body:
        yield Need(f"cloudwatch:{operation}", (body["ResourceARN"],))
    else:
        yield Need(f"cloudwatch:{operation}")


def _sts(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    yield Need(f"sts:{operation}", (body["RoleArn"],) if "RoleArn" in body else ("*",))


def _kms(operation: str, where: str, body: dict[str, Any], _: Request) -> Iterator[Need]:
    region, _, account = where.partition(":")
    key = str(body.get("KeyId", ""))
    yield Need(f"kms:{operation}", (moto_app.key_arn(account, region, key) or f"arn:{PARTITION}:kms:{where}:key/{key}",))


_SERVICES: dict[str, Callable[[str, str, dict[str, Any], Request], Iterator[Need]]] = {
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "events": _events,
    "fis": _fis,
    "iam": _iam,
    "kms": _kms,
    "organizations": _organizations,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "sts": _sts,
}
