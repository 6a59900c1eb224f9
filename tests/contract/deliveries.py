# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observes deliveries: what becomes of an event whose delivery fails, and what its endpoint receives.

Everything is made with the calls that anybody can make. Endpoints that have to behave in some way are on loopback, so only the sandbox
reaches them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.contract.comparison import plain
from tests.sandbox.client import Sandbox

Json = dict[str, Any]
PRINCIPAL = "events.amazonaws.com"
_PUBLIC = {
    "nobody listens": "https://contract.invalid/",
    "Spot, with a token that it does not know": "https://api.spotinst.io/setup/account",
}
_NOT_REACHED = "https://example.com/contract"
_SECONDS = 30.0


class NeedsEndpoint(Exception):
    """The endpoint of this observation is on loopback: AWS cannot reach it."""


def observe(what: str, client: Callable[[str], Any], sandbox: Sandbox | None, values: dict[str, str], patience: float, **how: Any) -> Json:
    """Return what is observed: `{"attributes"}` of a dead letter, `{"headers", "query", "body"}` of a request, or see `new_role`."""
    from tests.contract.replay import CannotReplay

    try:
        with _endpoint(how.pop("endpoint", None), sandbox) as (url, received):
            if what == "new_role":
                return _Delivery(client, values, url, patience, role="new", retries=0).new_role(int(how["events"]))
            delivery = _Delivery(client, values, url, patience, **how)
            if what == "dead_letter":
                return {"attributes": delivery.dead_letter()}
            if sandbox is None:
                raise NeedsEndpoint
            return delivery.request(received)
    except NeedsEndpoint:
        raise CannotReplay("needs an endpoint that AWS can reach") from None


class _Delivery:
    """One event on its way to a target of its own.

    Args:
        url: the endpoint of the API destination.
        role: "good", "new", "deleted", "missing", "wrong trust", "wrong condition", "rule's condition" or "no policy".
        target: "api destination", "missing queue" or "denied queue".
        retries, age: the target's retry policy.
        method: the HTTP method.
    """

    def __init__(
        self,
        client: Callable[[str], Any],
        values: dict[str, str],
        url: str,
        patience: float,
        *,
        role: str = "good",
        target: str = "api destination",
        retries: int = 185,
        age: int = 60,
        method: str = "POST",
    ) -> None:
        self._client, self._values, self._patience = client, values, patience
        self._name, self._account, self._region = values["name"], values["account"], values["region"]
        self._events = client("events")
        rule = self._events.put_rule(Name=self._name, EventPattern=json.dumps({"source": [f"contract.{self._name}"]}))["RuleArn"]
        self._dead_letters = self._queue(f"{self._name}-dlq", rule)
        entry: Json = {
            "Id": "contract",
            "Arn": self._destination(url, method) if target == "api destination" else self._other_target(target),
            "DeadLetterConfig": {"Arn": self._queue_arn(f"{self._name}-dlq")},
            "RetryPolicy": {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": age},
        }
        if target == "api destination":
            entry["RoleArn"] = self._role(role)
        values |= {"rule": rule, "target": entry["Arn"]}
        self._events.put_targets(Rule=self._name, Targets=[entry])
        if role == "deleted":
            self._delete_role()

    def dead_letter(self) -> dict[str, str]:
        """Send the event, and return the attributes of its dead letter; nothing if there is none in time."""
        self._send()
        end = time.monotonic() + _SECONDS * self._patience
        while time.monotonic() < end:
            answer = self._client("sqs").receive_message(QueueUrl=self._dead_letters, MessageAttributeNames=["All"], WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        return {}

    def new_role(self, events: int) -> Json:
        """Send an event every second from the creation of the role on; return how long deliveries failed for want of it."""
        begin, sent = time.monotonic(), []
        for _ in range(events):
            sent.append(time.monotonic() - begin)
            self._send(number=len(sent) - 1)
            time.sleep(self._patience / 30)  # a second in AWS
        codes: dict[int, str] = {}
        end = time.monotonic() + _SECONDS * self._patience
        while len(codes) < events and time.monotonic() < end:
            answer = self._client("sqs").receive_message(
                QueueUrl=self._dead_letters, MessageAttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                codes[json.loads(message["Body"])["detail"]["number"]] = message["MessageAttributes"]["ERROR_CODE"]["StringValue"]
        refused = sorted(number for number, code in codes.items() if code == "FAILED_TO_ASSUME_ROLE")
        return {
            "Codes": sorted(set(codes.values())),
            "Refused": len(refused),
            "LastRefusedAfterSeconds": round(sent[refused[-1]], 1) if refused else None,
        }

    def request(self, received: list[Json]) -> Json:
        """Send the event, and return the request that the endpoint received."""
        self._send()
        end = time.monotonic() + _SECONDS
        while not received and time.monotonic() < end:
            time.sleep(0.02)
        return received[0] if received else {}

    def _send(self, **more: Any) -> None:
        detail = {"contract": self._name, **more}
        entry = {"Source": f"contract.{self._name}", "DetailType": "contract", "Detail": json.dumps(detail)}
        plain(self._events.put_events(Entries=[entry]))

    def _queue_arn(self, name: str) -> str:
        return f"arn:aws:sqs:{self._region}:{self._account}:{name}"

    def _queue(self, name: str, rule: str) -> str:
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": PRINCIPAL},
            "Action": "sqs:SendMessage",
            "Resource": self._queue_arn(name),
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        url: str = self._client("sqs").create_queue(QueueName=name, Attributes={"Policy": _policy(allow)})["QueueUrl"]
        return url

    def _other_target(self, kind: str) -> str:
        name = f"{self._name}-{kind.split(maxsplit=1)[0]}"
        if kind == "denied queue":
            self._queue(name, f"arn:aws:events:{self._region}:{self._account}:rule/another")
        return self._queue_arn(name)

    def _destination(self, url: str, method: str) -> str:
        key = {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer contract"}
        connection = self._events.create_connection(
            Name=self._name, AuthorizationType="API_KEY", AuthParameters={"ApiKeyAuthParameters": key}
        )["ConnectionArn"]
        self._values["secret"] = self._events.describe_connection(Name=self._name)["SecretArn"]
        arn: str = self._events.create_api_destination(
            Name=self._name, ConnectionArn=connection, InvocationEndpoint=url, HttpMethod=method
        )["ApiDestinationArn"]
        return arn

    def _role(self, kind: str) -> str:
        arn = f"arn:aws:iam::{self._account}:role/{self._name}"
        if kind == "missing":
            return arn
        trust: Json = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com" if kind == "wrong trust" else PRINCIPAL}}
        trust["Action"] = "sts:AssumeRole"
        if kind == "wrong condition":
            trust["Condition"] = {"StringEquals": {"aws:SourceAccount": "000000000000"}}
        if kind == "rule's condition":
            rule = f"arn:aws:events:{self._region}:{self._account}:rule/{self._name}"
            trust["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
        iam = self._client("iam")
        iam.create_role(RoleName=self._name, AssumeRolePolicyDocument=_policy(trust))
        if kind != "no policy":
            allow = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
            iam.put_role_policy(RoleName=self._name, PolicyName="contract", PolicyDocument=_policy(allow))
        if self._patience > 1 and kind != "new":
            time.sleep(15)  # IAM's changes spread within seconds
        return arn

    def _delete_role(self) -> None:
        iam = self._client("iam")
        iam.delete_role_policy(RoleName=self._name, PolicyName="contract")
        iam.delete_role(RoleName=self._name)
        if self._patience > 1:
            time.sleep(75)  # deliveries still succeeded for about a minute after DeleteRole (recorded)


def _policy(statement: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def _endpoint(behaviour: str | int | None, sandbox: Sandbox | None) -> Iterator[tuple[str, list[Json]]]:
    """Give the URL of an endpoint that behaves in some way (a number: the status it answers), and the list of what it receives."""
    if sandbox:
        sandbox.settings(delivery_time_scale=0.01, delivery_timeout=0.2)
    if behaviour in _PUBLIC:
        yield _PUBLIC[behaviour], []
        return
    if sandbox is None and behaviour is not None:
        raise NeedsEndpoint
    if sandbox is None:
        yield _NOT_REACHED, []
        return
    server = _Server(behaviour if isinstance(behaviour, int) else 200, delay=1.0 if isinstance(behaviour, str) else 0.0)
    try:
        yield f"http://127.0.0.1:{server.server_port}/contract", server.received
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, status: int, *, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.delay = status, delay
        self.received: list[Json] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that no longer waits for its answer."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append({"path": self.path, "headers": dict(self.headers), "body": json.loads(body)})
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent."""
