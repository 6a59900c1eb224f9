# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replays records against an endpoint: the sandbox or AWS."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from tests.contract import deliveries
from tests.contract.comparison import ABSENT, at, differences, plain
from tests.contract.records import Json, Record, filled
from tests.sandbox.client import Sandbox

SAME, DIFFERENT, NOT_ASKED, ANSWERED = "same", "different", "not asked", "answered"
PREFIX = "spot-contract-"
TAG = "spot-contract"


@dataclass
class Target:
    """The endpoint that records are replayed against.

    Attributes:
        account, region: where everything is made.
        run: the random part of the names.
        sandbox: the sandbox's control, if the endpoint is one whose settings the records may change.
        url: the endpoint of every service; None stands for AWS.
        patience: factor on all waits. AWS takes longer than the sandbox.
        credentials: access key and secret of the sandbox; None takes those of the environment.
    """

    account: str
    region: str
    run: str
    sandbox: Sandbox | None = None
    url: str | None = None
    patience: float = 1.0
    credentials: tuple[str, str] | None = None
    _clients: dict[tuple[str, str | None, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def prefix(self) -> str:
        """What the names of this run begin with."""
        return f"{PREFIX}{self.run}-"

    def client(self, service: str, access_key: str | None = None, region: str | None = None) -> Any:
        """Return the client of a service; requests are sent as the record has them, valid or not."""
        region = region or self.region
        with self._lock:
            if (service, access_key, region) not in self._clients:
                keys = (access_key, "restricted") if access_key else self.credentials
                named = {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]} if keys else {}
                # Retries would hide a refusal of the sandbox; AWS throttles a busy account.
                config = Config(parameter_validation=False, retries={"total_max_attempts": 1 if self.sandbox else 6, "mode": "standard"})
                make: Any = boto3.client
                self._clients[service, access_key, region] = make(
                    service, region_name=region, endpoint_url=self.url, config=config.merge(Config(connect_timeout=10)), **named
                )
            return self._clients[service, access_key, region]


@dataclass
class Outcome:
    """What became of a record: its status, why, and the answer."""

    record: Record
    status: str
    problems: list[str] = field(default_factory=list)
    answer: Json | None = None
    values: dict[str, str] = field(default_factory=dict)
    unreachable: bool = False


class CannotReplay(Exception):
    """A record cannot be replayed against this target. Its text is the reason."""


class _SetupFailed(Exception):
    """A call before the one that is compared was not answered as it has to be."""


def replay(record: Record, target: Target, number: int) -> Outcome:
    """Replay a record and compare the answer; `number` makes its names unique in a run."""
    now = datetime.now(UTC)
    values = {"name": f"{target.prefix}{number}", "region": target.region, "account": target.account}
    values |= {"start": (now - timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
    outcome = Outcome(record, NOT_ASKED, values=values)
    reason = record.manual or (record.sandbox_only if target.sandbox is None else None)
    if reason:
        outcome.problems = [reason]
        return outcome
    before = target.sandbox.settings() if target.sandbox else {}
    try:
        return _replayed(record, target, values)
    except _SetupFailed as failure:
        outcome.status, outcome.problems = DIFFERENT, [str(failure)]
    except CannotReplay as cannot:
        outcome.problems = [str(cannot)]
    except BotoCoreError as error:
        outcome.problems = [f"the endpoint cannot be reached or does not answer ({type(error).__name__})"]
        outcome.unreachable = isinstance(error, (HTTPClientError, NoConnectionError))
    finally:
        if target.sandbox and target.sandbox.settings() != before:
            target.sandbox.settings(**before)
            target.sandbox.clear_permissions()
    return outcome


def _replayed(record: Record, target: Target, values: dict[str, str]) -> Outcome:
    for step in record.setup:
        _step(record, target, step, values)
    expect = filled(record.expect, values) if record.expect is not None else {}
    end = time.monotonic() + expect.get("poll", record.raw.get("poll", 0)) * target.patience
    while True:
        answer = _call(record, target, record.raw, values)
        problems = differences(expect, answer)
        if not problems or time.monotonic() > end or record.call.startswith("observe."):
            break
        time.sleep(0.05 * target.patience)
    status = ANSWERED if record.expect is None else DIFFERENT if problems else SAME
    return Outcome(record, status, problems, answer, values)


def _step(record: Record, target: Target, step: Json, values: dict[str, str]) -> None:
    poll = step.get("poll", {})
    end = time.monotonic() + poll.get("seconds", 0) * target.patience
    while True:
        answer = _call(record, target, step, values)
        if "refused" in step and answer.get("error", {}).get("code") == step["refused"]:
            return
        if "error" in answer:
            raise _SetupFailed(f"setup: {step['call']} was refused with {answer['error']['code']}: {answer['error']['message']}")
        if not poll or re.search(poll["until"], str(at(answer, poll["path"]))):
            break
        if time.monotonic() > end:
            raise _SetupFailed(f"setup: {poll['path']} of {step['call']} is {at(answer, poll['path'])} after {poll['seconds']} s")
        time.sleep(0.02 * target.patience)
    for variable, path in step.get("save", {}).items():
        value = at(answer, path)
        if value is ABSENT:
            raise _SetupFailed(f"setup: the answer of {step['call']} has no {path}")
        values[variable] = value


def _call(record: Record, target: Target, step: Json, values: dict[str, str]) -> Json:
    """Make a call and return its answer, a refusal included."""
    arguments = filled(step.get("arguments", {}), values)
    service, operation = step["call"].split(".")
    if service == "sandbox":
        _ON_SANDBOX[operation](target, **arguments)
        return {}
    if service == "observe":
        return deliveries.observe(operation, target.client, target.sandbox, values, target.patience, **arguments)
    if not record.untagged:
        arguments = _tagged(step["call"], arguments, target.run)
    key = step.get("as")
    client = target.client(service, values.get(key, key) if key else None, step.get("region"))
    try:
        return plain(getattr(client, xform_name(operation))(**arguments))
    except ClientError as error:
        refusal = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"error": {"code": refusal["Code"], "message": refusal.get("Message", ""), "http": status}}


def _tagged(call: str, arguments: Json, run: str) -> Json:
    """Return the arguments of a call that makes something, with the run's tag."""
    if call == "sqs.CreateQueue":
        return {**arguments, "tags": {**arguments.get("tags", {}), TAG: run}}
    if call in _TAKE_TAGS:
        return {**arguments, "Tags": [*arguments.get("Tags", []), {"Key": TAG, "Value": run}]}
    return arguments


_TAKE_TAGS = frozenset(
    {"iam.CreateRole", "events.PutRule", "cloudformation.CreateStack", "cloudformation.UpdateStack", "cloudformation.CreateChangeSet"}
)


def _settings(target: Target, **values: Any) -> None:
    """Change settings of the sandbox; AWS takes its own time."""
    if target.sandbox:
        target.sandbox.settings(**values)


def _permit(target: Target, access_key: str, allow: list[str]) -> None:
    if target.sandbox is None:
        raise CannotReplay("needs a user with fewer permissions")
    target.sandbox.permit(access_key, allow)


_ON_SANDBOX: dict[str, Callable[..., None]] = {
    "settings": _settings,
    "sleep": lambda target, seconds: time.sleep(seconds * min(target.patience, 10)),
    "permit": _permit,
}


def shown(answer: Json | None) -> str:
    """Return an answer as one line of JSON."""
    return json.dumps(answer, ensure_ascii=False, default=str)
