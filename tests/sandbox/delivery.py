# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to an event that matched a rule: delivery to the targets, retries, dead letters, de-authorisation.

moto calls an API destination inside of PutEvents, with nothing but the URL. Here it is done as AWS documents it.
"""

from __future__ import annotations

import base64
import copy
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import urllib3
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.events.models import Rule, events_backends
from moto.sqs.models import Queue, sqs_backends

from . import keys, roles
from .buses import PUT, lets_in
from .connections import AUTHORIZED, LOOPBACK, SECRET_GONE, Connection, Destination, Json, Links
from .moto_app import LOCK
from .policy import allows
from .scheduler import Scheduler
from .settings import Settings

SPOT_HOST = "api.spotinst.io"
UNAUTHORIZED = (401, 407)
RETRIED = (401, 407, 409, 429)
DEFAULT_AGE, DEFAULT_ATTEMPTS = 86400, 185
# Seconds. AWS documents only that the waits grow and vary; reported are 129 attempts in 86,750 s, some 670 s between two of them.
FIRST_WAIT, LONGEST_WAIT = 1.0, 720.0
HEADERS = {
    "User-Agent": "Amazon/EventBridge/ApiDestinations",
    "Content-Type": "application/json; charset=utf-8",
    "Range": "bytes=0-1048575",
    "Accept-Encoding": "gzip,deflate",
    "Connection": "close",
}

TIMED_OUT = "Timeout calling endpoint for API Destination: socket closed."
CANNOT_BE_REACHED = "API destination endpoint cannot be reached."


@dataclass
class Job:
    """One event on its way to one target of one rule; `waited` is the sum of the waits between its attempts, in AWS's seconds."""

    account: str
    region: str
    rule_name: str
    rule_arn: str
    bus: str
    target: Json
    event: Json
    generation: int
    hops: int = 0
    started: float = field(default_factory=time.monotonic)
    attempts: int = 0
    wait: float = FIRST_WAIT
    waited: float = 0.0


class DeliveryError(Exception):
    """A delivery that has failed for good; `code` is the dead letter's ERROR_CODE.

    `service` is who refused it, in the form in which AWS's SDK for Java ends its messages.
    """

    def __init__(self, code: str, message: str, service: tuple[str, int, str] | None = None) -> None:
        if service:
            name, status, error = service
            message = f"{message} (Service: {name}; Status Code: {status}; Error Code: {error}; Request ID: {uuid4()}; Proxy: null)"
        super().__init__(message)
        self.code = code


class NotAuthorized(DeliveryError):
    """The connection of the API destination is not AUTHORIZED."""


@dataclass
class Call:
    """The HTTP request of a delivery, and the connection that it depends on."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    connection: Connection
    links: Links


@dataclass
class Result:
    """What came back: an HTTP status, or an error's text; and the seconds asked for in Retry-After."""

    status: int | None
    error: str | None = None
    retry_after: float = 0.0

    @property
    def message(self) -> str:
        return f"Unable to invoke ApiDestination endpoint: {self.error or f'HTTP status code {self.status}'}"

    @property
    def code(self) -> str:
        """The ERROR_CODE of a dead letter."""
        if self.status is not None:
            return "THROTTLING" if self.status == 429 else "SDK_CLIENT_ERROR"
        return "UNKNOWN" if self.error == TIMED_OUT else "SDK_CLIENT_ERROR"


class Delivery:
    """Delivers events to API destinations, SQS queues and event buses, asynchronously; `attempts` is the log."""

    def __init__(self, settings: Settings, scheduler: Scheduler, spot_url: Callable[[], str], http: Any = None) -> None:
        self._settings = settings
        self._scheduler = scheduler
        self._spot_url = spot_url
        self._http = http or urllib3.PoolManager(maxsize=32)
        self._generation = 0
        self._in_flight = 0
        self._being_sent = 0
        self._settled = threading.Condition()
        self.attempts: deque[Json] = deque(maxlen=20_000)

    def deliver(self, account: str, region: str, rule: Rule, event: Json, hops: int = 0) -> None:
        """Start the delivery of an event to every target of a rule; `hops` buses have passed it on. Hold moto's lock."""
        for metric in ("MatchedEvents", "TriggeredRules"):
            _count(account, region, rule.event_bus_name, rule.name, metric)
        for target in rule.targets:
            job = Job(
                account=account,
                region=region,
                rule_name=rule.name,
                rule_arn=rule.arn,
                bus=rule.event_bus_name,
                target=copy.deepcopy(target),
                event=event,
                generation=self._generation,
                hops=hops,
            )
            with self._settled:
                self._in_flight += 1
            self._scheduler.call(0, partial(self._attempt, job))

    @property
    def in_flight(self) -> int:
        """How many deliveries are under way, retries included."""
        return self._in_flight

    def wait(self, timeout: float) -> bool:
        """Wait until no delivery is under way, retries included; False if that takes longer than `timeout` seconds."""
        with self._settled:
            return self._settled.wait_for(lambda: self._in_flight == 0, timeout)

    def wait_for_sent(self, timeout: float) -> None:
        """Wait until what was being sent when everything was given up has come to its end, but no longer than `timeout` seconds."""
        with self._settled:
            self._settled.wait_for(lambda: self._being_sent == 0, timeout)

    def reset(self) -> None:
        """Give up every delivery and forget the log. Hold moto's lock. What is being sent already is not called back."""
        with self._settled:
            self._generation += 1
            self._in_flight = 0
            self._settled.notify_all()
        self.attempts.clear()

    # One attempt: look up with the lock, send without it, note the result with it

    def _attempt(self, job: Job) -> None:
        with LOCK:
            if job.generation != self._generation:
                return
            job.attempts += 1
            self._count(job, "InvocationAttempts")
            try:
                call = self._prepare(job)
            except NotAuthorized as failure:
                if self._settings.unauthorized_is_retried:
                    self._retry(job, Result(None, str(failure)))
                else:
                    self._fail(job, None, failure.code, f"Unable to invoke ApiDestination endpoint: {failure}")
                return
            except DeliveryError as failure:
                self._fail(job, None, failure.code, str(failure))
                return
            except (LookupError, TypeError, ValueError) as error:  # a secret or an ARN that somebody has spoilt
                self._fail(job, None, "INTERNAL_ERROR", f"The target cannot be used: {type(error).__name__}")
                return
            with self._settled:
                self._being_sent += 1
        try:
            result = self._send(call) if call else Result(200)
        finally:
            with self._settled:
                self._being_sent -= 1
                self._settled.notify_all()
        with LOCK:
            if job.generation == self._generation:
                self._note(job, call, result)

    def _prepare(self, job: Job) -> Call | None:
        """Return what to send, None if the target is no HTTP endpoint and has its event already."""
        service = job.target["Arn"].split(":")[2]
        if service == "sqs":
            self._send_to_queue(job, job.target["Arn"], {})
            return None
        if ":event-bus/" in job.target["Arn"]:
            self._send_to_bus(job)
            return None
        if ":api-destination/" not in job.target["Arn"]:
            raise DeliveryError("INVALID_PARAMETER", f"The sandbox does not deliver to {service}.")
        links: Links = events_backends[job.account][job.region].links  # type: ignore[attr-defined]
        _require_role(job, self._settings, "events:InvokeApiDestination")
        destination = links.destination_by_arn(job.target["Arn"])
        if destination is None:
            raise DeliveryError("NO_RESOURCE", f"The API destination {job.target['Arn']} does not exist.")
        connection = links.connection_of(destination)
        if connection is None or connection.state != AUTHORIZED:
            state = f"{connection.state}: {connection.reason}" if connection else "deleted"
            raise NotAuthorized("SDK_CLIENT_ERROR", f"the connection is not authorized ({state})")
        secret = links.current_secret(connection)
        if secret is None:
            links.deauthorize(connection, SECRET_GONE)
            raise DeliveryError("SDK_CLIENT_ERROR", f"Unable to invoke ApiDestination endpoint: {SECRET_GONE}")
        return _build_call(job, links, destination, connection, secret)

    def _send_to_bus(self, job: Job) -> None:
        """Pass an event on to a bus, of another account or region by choice, unchanged, and by one hop only.

        EventBridge user guide: the role of the target has to be allowed PutEvents; the policy of a bus of another account has to let it
        in, too. Without a role only that policy decides, and only within a region.
        """
        arn, role_arn = job.target["Arn"], job.target.get("RoleArn")
        _, _, _, region, account, path = arn.split(":", 5)
        if job.hops:
            return  # dropped without a trace
        if role_arn:
            _require_role(job, self._settings, PUT)
        receiver: Any = events_backends[account][region]
        bus = receiver.event_buses.get(path.partition("/")[2])
        foreign = account != job.account
        if bus is None and not foreign:
            raise DeliveryError("NO_RESOURCE", f"The event bus {arn} does not exist.")
        if bus is None or ((foreign or not role_arn) and not lets_in(bus, job.account, role_arn, job.rule_arn)):
            raise DeliveryError("NO_PERMISSIONS", _denied(PUT, arn, "resource"), ("AmazonCloudWatchEvents", 400, "AccessDeniedException"))
        if not role_arn and region != job.region:
            raise DeliveryError("NO_PERMISSIONS", f"The event bus {arn} in another region needs a role.")
        receiver.route(bus.name, job.event, job.hops + 1)

    def _send(self, call: Call) -> Result:
        url = urlsplit(call.url)
        if url.hostname == SPOT_HOST:
            spot = urlsplit(self._spot_url())
            url = url._replace(scheme=spot.scheme, netloc=spot.netloc)
        if url.hostname not in LOOPBACK:
            return Result(None, CANNOT_BE_REACHED)  # the sandbox does not leave loopback
        try:
            response = self._http.request(
                call.method,
                urlunsplit(url),
                headers=call.headers,
                body=call.body,
                timeout=self._settings.delivery_timeout,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.ReadTimeoutError:
            return Result(None, TIMED_OUT)
        except (urllib3.exceptions.HTTPError, ValueError):  # ValueError: a header that cannot be sent
            return Result(None, CANNOT_BE_REACHED)
        return Result(response.status, retry_after=_seconds(response.headers.get("Retry-After")))

    def _note(self, job: Job, call: Call | None, result: Result) -> None:
        status = result.status
        if status is not None and 200 <= status < 300:
            self._count(job, "Invocations")
            self._count(job, "SuccessfulInvocationAttempts")
            self._finish(job, status, None, "delivered")
            return
        if call is not None and status in UNAUTHORIZED:
            call.links.refused(call.connection, status)
        if status is not None and status < 500 and status not in RETRIED:
            self._fail(job, status, result.code, result.message)
        else:
            self._retry(job, result)

    def _retry(self, job: Job, result: Result) -> None:
        policy = job.target.get("RetryPolicy", {})
        scale = self._settings.delivery_time_scale
        wait = max(job.wait * random.uniform(0.5, 1.5), result.retry_after)
        # Only waits are scaled: what this machine takes for an attempt must not make an event too old.
        attempting = time.monotonic() - job.started - job.waited * scale
        job.waited += wait
        if job.attempts > policy.get("MaximumRetryAttempts", DEFAULT_ATTEMPTS):
            self._fail(job, result.status, result.code, result.message, "MaximumRetryAttempts")
        elif attempting + job.waited > policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE):
            self._fail(job, result.status, result.code, result.message, "MaximumEventAgeInSeconds")
        else:
            self._count(job, "RetryInvocationAttempts")
            self._log(job, result.status, result.message, "retrying")
            job.wait = min(job.wait * 2, LONGEST_WAIT)
            self._scheduler.call(wait * scale, partial(self._attempt, job))

    def _fail(self, job: Job, status: int | None, code: str, message: str, condition: str | None = None) -> None:
        """Give up: to the dead-letter queue, if there is one that takes it."""
        self._count(job, "Invocations")
        self._count(job, "FailedInvocations")
        queue_arn = job.target.get("DeadLetterConfig", {}).get("Arn")
        if queue_arn is None:
            self._finish(job, status, message, "dropped")
            return
        attributes = {
            "RULE_ARN": job.rule_arn,
            "TARGET_ARN": job.target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
        }
        # Recorded: not where the endpoint was never called. Only what the endpoint refused, or did not answer, is tried again.
        if status is not None or condition or job.attempts > 1:
            attributes["RETRY_ATTEMPTS"] = str(job.attempts - 1)
        if condition:
            attributes["EXHAUSTED_RETRY_CONDITION"] = condition
        try:
            self._send_to_queue(job, queue_arn, attributes)
        except DeliveryError as failure:
            self._count(job, "InvocationsFailedToBeSentToDlq")
            self._finish(job, status, f"{message}; no dead letter: {failure}", "dropped")
        else:
            self._count(job, "InvocationsSentToDlq")
            self._finish(job, status, message, "dead-lettered")

    def _send_to_queue(self, job: Job, queue_arn: str, attributes: dict[str, str]) -> None:
        _, _, service, region, account, name = queue_arn.split(":", 5)
        queue = sqs_backends[account][region].queues.get(name) if service == "sqs" and region == job.region else None
        if queue is None:
            message = "The specified queue does not exist or you do not have access to it."
            raise DeliveryError("NO_RESOURCE", message, ("AmazonSQS", 400, "AWS.SimpleQueueService.NonExistentQueue"))
        context = {
            "aws:SourceArn": job.rule_arn,
            "aws:SourceAccount": job.account,
            "aws:SecureTransport": "true",
            "aws:PrincipalServiceName": roles.PRINCIPAL,
            "aws:PrincipalIsAWSService": "true",
        }
        if not allows([queue.policy], "sqs:SendMessage", queue_arn, roles.PRINCIPAL, context):
            raise DeliveryError("NO_PERMISSIONS", _denied("sqs:sendmessage", queue_arn, "resource"), ("AmazonSQS", 403, "AccessDenied"))
        self._require_key(queue, job, context | {"kms:EncryptionContext:aws:sqs:arn": queue_arn})
        sqs_backends[account][region].send_message(
            name,
            json.dumps(job.event),
            {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()},
        )

    def _require_key(self, queue: Queue, job: Job, context: dict[str, str]) -> None:
        """Refuse a dead letter whose queue has a KMS key that EventBridge cannot use (SQS developer guide, "Key management")."""
        if not queue.kms_master_key_id:
            return
        actions = ("kms:GenerateDataKey", "kms:Decrypt")
        refusal = keys.refusal(queue.kms_master_key_id, job.account, job.region, service=roles.PRINCIPAL, actions=actions, context=context)
        if refusal:
            code = "NO_PERMISSIONS" if refusal.usable else "NO_RESOURCE"  # recorded: NO_RESOURCE for a disabled key
            raise DeliveryError(code, refusal.message, ("AmazonSQS", 400, "KMS.AccessDeniedException"))

    # Log and metrics

    def _finish(self, job: Job, status: int | None, error: str | None, outcome: str) -> None:
        self._log(job, status, error, outcome)
        with self._settled:
            self._in_flight -= 1
            self._settled.notify_all()

    def _log(self, job: Job, status: int | None, error: str | None, outcome: str) -> None:
        self.attempts.append(
            {
                "time": time.time(),
                "event_id": job.event["id"],
                "account": job.account,
                "region": job.region,
                "rule": job.rule_name,
                "target": job.target["Arn"],
                "attempt": job.attempts,
                "status": status,
                "error": error,
                "outcome": outcome,
            }
        )

    def _count(self, job: Job, metric: str) -> None:
        _count(job.account, job.region, job.bus, job.rule_name, metric)


def _count(account: str, region: str, bus: str, rule: str, metric: str) -> None:
    """Add 1 to a metric of AWS/Events; a rule on a custom bus has the bus as a second dimension."""
    dimensions = [{"Name": "RuleName", "Value": rule}]
    if bus != "default":
        dimensions.insert(0, {"Name": "EventBusName", "Value": bus})
    datum = MetricDatum("AWS/Events", metric, 1.0, dimensions, None, "Count")
    cloudwatch_backends[account][region].metric_data.append(datum)


def _require_role(job: Job, settings: Settings, action: str) -> None:
    role_arn = job.target.get("RoleArn")
    if not roles.is_assumable(role_arn, job.account, job.rule_arn, settings):
        message = f"User: {roles.PRINCIPAL} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        raise DeliveryError("FAILED_TO_ASSUME_ROLE", message, ("AWSSecurityTokenService", 403, "AccessDenied"))
    if not roles.may(role_arn, job.account, action, job.target["Arn"]):
        session = str(role_arn).replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + f"/{uuid4().hex}"
        message = _denied(action, job.target["Arn"], "identity", session)
        raise DeliveryError("NO_PERMISSIONS", message, ("AmazonCloudWatchEvents", 400, "AccessDeniedException"))


def _denied(action: str, resource: str, policy: str, who: str = roles.PRINCIPAL) -> str:
    reason = f"because no {policy}-based policy allows the {action} action"
    return f"User: {who} is not authorized to perform: {action} on resource: {resource} {reason}"


def _build_call(job: Job, links: Links, destination: Destination, connection: Connection, secret: Json) -> Call:
    """Put the request together. The connection's parameters win over the target's, both over the endpoint's own."""
    of_target = job.target.get("HttpParameters", {})
    of_connection = secret.get("invocation_http_parameters", {})
    endpoint = destination.endpoint
    for value in of_target.get("PathParameterValues", []):
        endpoint = endpoint.replace("*", value, 1)
    url = urlsplit(endpoint)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    query |= of_target.get("QueryStringParameters", {}) | _pairs(of_connection, "query_string_parameters")
    headers = HEADERS | of_target.get("HeaderParameters", {}) | _pairs(of_connection, "header_parameters")
    body = job.event | _pairs(of_connection, "body_parameters")
    return Call(
        method=destination.method,
        url=urlunsplit(url._replace(query=urlencode(query))),
        headers=headers | _authorization(connection, secret),
        body=json.dumps(body).encode(),
        connection=connection,
        links=links,
    )


def _authorization(connection: Connection, secret: Json) -> dict[str, str]:
    if connection.authorization_type == "API_KEY":
        return {secret["api_key_name"]: secret["api_key_value"]}
    if connection.authorization_type == "BASIC":
        credentials = f"{secret['username']}:{secret['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
    raise DeliveryError("INVALID_PARAMETER", f"The sandbox does not deliver with {connection.authorization_type}.")


def _pairs(parameters: Json, kind: str) -> dict[str, str]:
    return {item["key"]: item.get("value", "") for item in parameters.get(kind, [])}


def _seconds(retry_after: str | None) -> float:
    """Read Retry-After in its form of seconds; the form of a date is not worth the code here."""
    return float(retry_after) if retry_after and retry_after.isdigit() else 0.0
