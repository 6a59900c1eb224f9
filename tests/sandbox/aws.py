# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AWS side: parses each call, logs it, refuses what may not be, strikes it with faults, lets moto answer the rest."""

from __future__ import annotations

import json
import re
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from . import moto_app, regions, system_tags
from .authorization import needs
from .faults import Faults
from .lagging_reads import LaggingReads
from .policy import allows, denies
from .server import Answer, Request, json_answer
from .sessions import Sessions, may_assume
from .settings import Settings

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
# These are in one region of each partition, whatever region the caller is in (AWS general reference).
_GLOBAL = ("iam", "organizations")
_READ_VERBS = re.compile(r"Describe|Get|List|Test|Receive|Simulate|BatchGet|Lookup|Search|Validate|Estimate|Head|Query")
_ENDPOINT_NAMES = {"monitoring": "cloudwatch"}  # where the signing name is not the prefix of IAM actions

_TAG_REFUSALS = {"events": "ValidationException", "iam": "InvalidInput", "sqs": "InvalidParameterValueException"}


@dataclass(frozen=True)
class Origin:
    """Who makes a call from inside of the sandbox.

    Attributes:
        by: the service, such as cloudformation.
        account: the account that the call is made in.
        access_key: whose permissions count; None for a service's own, which may do everything.
        alive: tells whether the sandbox is still the one that the call was meant for.
    """

    by: str
    account: str
    access_key: str | None
    alive: Callable[[], bool]


@dataclass
class Call:
    """What a request to AWS is about; `form` holds the parameters of the query protocols."""

    service: str
    signing_name: str
    region: str
    access_key: str
    account: str
    operation: str
    request: Request
    form: dict[str, str] = field(default_factory=dict)
    origin: Origin | None = None

    @property
    def action(self) -> str:
        """The IAM action."""
        return f"{self.service}:{self.operation}"

    @property
    def attempt(self) -> str:
        """How many times the client has made this call, this one included, as SDKs tell: 1 where nothing is told."""
        told = re.search(r"attempt=(\d+)", self.request.headers.get("amz-sdk-request", ""))
        return told[1] if told else "1"

    @property
    def is_xml(self) -> bool:
        """Whether the call is of one of the query protocols, which answer in XML."""
        return "Action" in self.form

    @property
    def writes(self) -> bool:
        if self.service == "sts":
            return False
        method, _, path = self.operation.partition(" ")
        return method not in ("GET", "HEAD") if path else not _READ_VERBS.match(self.operation)


class Aws:
    """Answers AWS requests.

    `calls` is the log of all of them: never a body, as bodies hold tokens. `allowed` maps an access key, or "*" for all
    that are not named, to the IAM policies that it has; `used` are the actions that were allowed by them. `own` answers the services
    that moto is not asked for; `after` is called after a call to a service that has changed something.
    """

    def __init__(self, settings: Settings, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults
        self.calls: deque[dict[str, Any]] = deque(maxlen=200_000)
        self.allowed: dict[str, list[dict[str, Any]]] = {}
        self.used: dict[str, set[str]] = {}
        self.own: dict[str, Callable[[Call], Answer]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self._sessions = Sessions(settings)
        self._lagging = LaggingReads(settings)

    def reset(self) -> None:
        """Forget the log and the permissions; the settings and faults are others' to reset."""
        self.calls.clear()
        self.forget_permissions()
        self._sessions.reset()
        self._lagging.reset()

    def handle(self, request: Request) -> Answer | None:
        """Answer a request to AWS; None stands for a connection closed without an answer."""
        return self._handle(_parse(request))

    def handle_from_inside(self, request: Request, origin: Origin) -> Answer | None:
        """Answer a service of the sandbox itself, which takes the same way; None also if the sandbox was reset."""
        if not origin.alive():
            return None  # or it would be logged, and struck by faults, that are not meant for it
        request.headers["x-moto-account-id"] = origin.account  # moto goes by the access key otherwise
        call = _parse(request)
        call.origin, call.account, call.access_key = origin, origin.account, origin.access_key or ""
        return self._handle(call)

    def _handle(self, call: Call) -> Answer | None:
        fault = self._faults.pick(
            {
                "target": "aws",
                "service": call.service,
                "operation": call.operation,
                "region": call.region,
                "account": call.account,
                "path": call.request.path,
                "role": call.form.get("RoleArn", ""),
                "write": "yes" if call.writes else "no",
                "by": call.origin.by if call.origin else "caller",
                "attempt": call.attempt,
            }
        )
        entry = {
            "time": time.time(),
            "by": call.origin.by if call.origin else "caller",
            "account": call.account,
            "access_key": call.access_key,
            "region": call.region,
            "service": call.service,
            "operation": call.operation,
            "write": call.writes,
            "status": None,
            "ended": None,
            "fault": "+".join(fault) or None,
            "tags": system_tags.of_request(call.request, call.form),
        }
        self.calls.append(entry)
        time.sleep((0 if call.origin else self._settings.latency) + fault.get("latency", 0))
        while fault.get("held") and self._faults.in_force(fault):
            time.sleep(0.01)
        if "hang" in fault or "drop" in fault:
            time.sleep(fault.get("hang", 0))
            return None
        if "partial" in fault and call.operation in ("PutTargets", "RemoveTargets"):
            answer = self._partial(call)
        else:
            answer = _prescribed(call, fault) or self._lagging.answer(call, lambda: self._answer(call))
        entry["status"], entry["ended"] = answer.status, time.time()
        return None if "lost_answer" in fault else answer

    def _answer(self, call: Call) -> Answer:
        refusal = self._refused(call)
        if refusal:
            return refusal
        if call.action == "ec2:DescribeRegions":
            return regions.describe(call.form, self._settings)
        try:
            if call.service in self.own:
                return self.own[call.service](call)
            answer = moto_app.answer(call.signing_name, call.request, call.origin.alive if call.origin else lambda: True)
        except NotImplementedError as unknown:
            return error(call, 400, "UnknownOperationException", f"The sandbox does not know it: {unknown}")
        except Exception:  # whatever it is that is raised, the client must see an answer
            traceback.print_exc()
            return error(call, 500, "InternalFailure", "the sandbox has failed, and printed why")
        if call.writes and call.service in self.after:
            self.after[call.service]()
        return self._sessions.issued(answer) if call.action == "sts:AssumeRole" else answer

    def _refused(self, call: Call) -> Answer | None:
        """Return the refusal of a call that moto would answer, None if there is none."""
        # us-east-1 is IAM's and STS's home; in other partitions it is another region.
        known = regions.enabled(self._settings) | {regions.HOMES[self._settings.partition]}
        if call.region not in known or (not call.origin and regions.partition(call.region) != self._settings.partition):
            status, code = (403, "InvalidClientTokenId") if call.is_xml else (400, "UnrecognizedClientException")
            return error(call, status, code, "The security token included in the request is invalid")
        if self._sessions.expired(call.access_key):
            status, code = (403, "ExpiredToken") if call.is_xml else (400, "ExpiredTokenException")
            return error(call, status, code, "The security token included in the request is expired")
        if not call.origin and call.service in _TAG_REFUSALS and system_tags.touched(call.request, call.form):
            return error(call, 400, _TAG_REFUSALS[call.service], system_tags.MESSAGE)
        arn = call.form.get("RoleArn", "")
        if call.action == "sts:AssumeRole" and not may_assume(arn, call.account, call.form.get("ExternalId")):
            who = f"arn:aws:iam::{call.account}:user/{call.access_key}"
            return error(call, 403, "AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        return self._denied(call)

    def _partial(self, call: Call) -> Answer:
        """Let the first target fail, and do the rest."""
        body = json.loads(call.request.body)
        name = "Targets" if call.operation == "PutTargets" else "Ids"
        first, *rest = body[name]
        if rest:
            answer = self._answer(_with_body(call, body | {name: rest}))
            if answer.status != 200:
                return answer
        failed = {
            "TargetId": first["Id"] if isinstance(first, dict) else first,
            "ErrorCode": "ConcurrentModificationException",
            "ErrorMessage": "Rule is being modified.",
        }
        return json_answer({"FailedEntryCount": 1, "FailedEntries": [failed]})

    def _denied_by_organization(self, call: Call) -> Answer | None:
        """Return the refusal by the organisation's policy; a service's own calls are exempt (AWS Organizations user guide)."""
        policy = self._settings.control_policy
        if policy is None or (call.origin and call.origin.access_key is None):
            return None
        region = regions.HOMES[self._settings.partition] if call.service in _GLOBAL else call.region
        for need in needs(call):
            if need.action == "sts:GetCallerIdentity":
                continue
            for resource in need.resources:
                if denies(policy, need.action, resource, {**need.context, "aws:RequestedRegion": region}):
                    kind = self._settings.control_policy_kind
                    message = f"User: {_who(call)} is not authorized to perform: {need.action} on resource: {resource}"
                    message += " with an explicit deny in a "
                    if call.service == "ec2":
                        message = f"You are not authorized to perform this operation. {message}"
                    return error(call, 403 if call.is_xml else 400, _denial_code(call), message + kind)
        return None

    def permit(self, access_key: str, allow: list[str | dict[str, Any]]) -> None:
        """Restrict an access key, or with "*" all that are not named, to actions on any resource, and to what policies allow."""
        actions = [item for item in allow if isinstance(item, str)]
        anywhere = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        self.allowed[access_key] = [anywhere, *(item for item in allow if isinstance(item, dict))]
        self.used[access_key] = set()

    def forget_permissions(self) -> None:
        """Let every access key do everything again."""
        self.allowed.clear()
        self.used.clear()

    def _denied(self, call: Call) -> Answer | None:
        by_organization = self._denied_by_organization(call)
        if by_organization:
            return by_organization
        key = call.access_key if call.access_key in self.allowed else "*"
        if key not in self.allowed or (call.origin and call.origin.access_key is None):
            return None
        for need in needs(call):
            # Nobody can be refused GetCallerIdentity (STS API reference).
            if need.action == "sts:GetCallerIdentity":
                continue
            for resource in need.resources:
                if not allows(self.allowed[key], need.action, resource, context=need.context):
                    return error(call, 403 if call.is_xml else 400, _denial_code(call), _denial(call, need.action, resource))
            self.used[key].add(need.action)
        return None


def _who(call: Call) -> str:
    return f"arn:aws:iam::{call.account}:user/{call.access_key}"


def _denial(call: Call, action: str, resource: str) -> str:
    """Return AWS's words for a call that no identity policy allows (recorded)."""
    who = f"arn:aws:iam::{call.account}:user/{call.access_key}"
    message = f"User: {who} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the"
    message += f" {action} action"
    if call.service != "iam":
        return message
    details = str(uuid4())
    where = f"https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/{details}"
    more = f"Go to {where} for complete details, or call the GetRequestAuthorizationDetails API with the following authorization id"
    return f"{message}. {more}: {details}"


def _prescribed(call: Call, fault: dict[str, Any]) -> Answer | None:
    """Return the answer that a fault prescribes, None if it prescribes none."""
    if "throttle" in fault:
        return error(call, 400, "Throttling" if call.is_xml else "ThrottlingException", "Rate exceeded")
    if "error" in fault:
        wanted = {"status": 500, "code": "InternalException", "message": "Internal error"} | fault["error"]
        return error(call, wanted["status"], wanted["code"], wanted["message"])
    if "garbage" in fault:
        return Answer(200, b"\x00<not> {json", {"Content-Type": "text/plain"})
    return None


def _parse(request: Request) -> Call:
    if request.parsed:
        service, signing_name, region, access_key, operation, form = request.parsed
        return Call(service, signing_name, region, access_key, moto_app.account_of(access_key), operation, request, form)
    credential = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    access_key, region, signing_name = credential.groups() if credential else ("", "us-east-1", "sts")
    target = request.headers.get("X-Amz-Target")
    form: dict[str, str] = {}
    if target:
        operation = target.rpartition(".")[2]
    else:
        if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        form = form or request.query
        operation = form.get("Action", f"{request.method} {request.path}")
    service = _ENDPOINT_NAMES.get(signing_name, signing_name)
    if request.read is not None:
        request.parsed = (service, signing_name, region, access_key, operation, form)
    return Call(service, signing_name, region, access_key, moto_app.account_of(access_key), operation, request, form)


def _with_body(call: Call, body: dict[str, Any]) -> Call:
    request = Request(call.request.method, call.request.target, call.request.headers, json.dumps(body).encode())
    return Call(**{**vars(call), "request": request})


def _denial_code(call: Call) -> str:
    if call.service == "ec2":
        return "UnauthorizedOperation"
    return "AccessDenied" if call.is_xml or call.service == "sqs" else "AccessDeniedException"


def error(call: Call, status: int, code: str, message: str) -> Answer:
    """Return an error in the protocol of the call: JSON, EC2's XML, or the XML of the other query services."""
    if not call.is_xml:
        # x-amzn-query-error is what boto3 takes the code from for services that once spoke XML, such as SQS.
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        if call.request.headers.get("x-amzn-query-mode") == "true":
            headers["x-amzn-query-error"] = f"{code};{'Sender' if status < 500 else 'Receiver'}"
        return json_answer({"__type": code, "message": message}, status, headers)
    detail = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if call.service == "ec2":
        body = f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>sandbox</RequestID></Response>"
    else:
        fault = "Sender" if status < 500 else "Receiver"
        body = f"<ErrorResponse><Error><Type>{fault}</Type>{detail}</Error><RequestId>sandbox</RequestId></ErrorResponse>"
    return Answer(status, body.encode(), {"Content-Type": "text/xml"})
