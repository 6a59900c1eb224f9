# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Spot HTTP API: accounts, a cheap proof of a token, the interruption notification and its log."""

from __future__ import annotations

import copy
import json
import secrets
import string
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from .faults import Faults
from .server import Answer, Request, json_answer
from .settings import Settings

ORGANIZATION, OTHER_ORGANIZATION = "606079873399", "606079800000"
NOTIFICATION = "/aws/ec2/instance/interruptionNotification"
IMPOSSIBLE_INSTANCE = "i-00000000000000000"
Json = dict[str, Any]

# The oldest comes first. What varies from item to item varies in Spot's real answers as well.
ACCOUNTS: list[Json] = [
    {"accountId": "act-00000001", "organizationId": int(ORGANIZATION), "name": "legacy", "providerExternalId": None},
    {
        "accountId": "act-d7320fba",
        "organizationId": ORGANIZATION,
        "name": "production",
        "providerExternalId": "123456789012",
        "cloudProvider": "AWS",
        "createdAt": "2021-03-01T09:00:00.000Z",
    },
    {
        "accountId": "act-5a9d1c02",
        "organizationId": int(ORGANIZATION),
        "name": "production",
        "providerExternalId": 123456789012,
        "cloudProvider": "AWS",
    },
    {
        "accountId": "act-b1e4f7a3",
        "organizationId": ORGANIZATION,
        "name": "staging",
        "providerExternalId": "210987654321",
    },
    {
        "accountId": "act-0f0f0f0f",
        "organizationId": OTHER_ORGANIZATION,
        "name": "other",
        "providerExternalId": "333333333333",
        "cloudProvider": "AWS",
    },
]
_AWS_ACCOUNTS = ("act-d7320fba", "act-5a9d1c02", "act-b1e4f7a3")


@dataclass(frozen=True)
class Token:
    """A token: `role` is admin, editor, viewer, or notifier, who may only notify.

    `accounts` are those it sees, None for all of its organisation.
    """

    name: str
    value: str
    role: str
    organization: str = ORGANIZATION
    accounts: tuple[str, ...] | None = None


def new_value() -> str:
    """Return a token as Spot makes them: 64 letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))


class SpotError(Exception):
    """An error answer of Spot's."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.field = status, code, field


class Spot:
    """Answers the Spot API. `received` is the log of all requests, with headers and bodies; it is kept in memory only.

    Args:
        settings, faults: shared with the AWS side.
        admin_token: the value of the token `admin`; random by default, as the others are.
    """

    def __init__(self, settings: Settings, faults: Faults, admin_token: str | None = None) -> None:
        self._settings = settings
        self._faults = faults
        self._lock = threading.Lock()
        self._first_tokens = [
            Token("admin", admin_token or new_value(), "admin"),
            Token("editor", new_value(), "editor", accounts=_AWS_ACCOUNTS),
            Token("viewer", new_value(), "viewer", accounts=_AWS_ACCOUNTS),
            Token("notifier", new_value(), "notifier", accounts=_AWS_ACCOUNTS),
            Token("limited", new_value(), "editor", accounts=("act-b1e4f7a3",)),
            Token("other", new_value(), "admin", OTHER_ORGANIZATION),
        ]
        self.reset()

    def reset(self) -> None:
        """Back to the accounts and tokens of the start; the tokens' values stay the same."""
        with self._lock:
            self.accounts = copy.deepcopy(ACCOUNTS)
            self.tokens = {token.name: token for token in self._first_tokens}
            self.outage: int | None = None
            # Another one, as a request that hangs is noted in the log that there was when it came.
            self.received: deque[Json] = deque(maxlen=50_000)

    def add_accounts(self, accounts: list[Json]) -> None:
        """Add accounts; each needs an accountId, the rest has defaults. They are younger than those before."""
        with self._lock:
            for account in accounts:
                defaults = {"organizationId": ORGANIZATION, "name": account["accountId"], "providerExternalId": None}
                self.accounts.append(defaults | account)

    def add_token(self, token: Json) -> Token:
        """Add or replace a token: name, and by choice role, organization, accounts, value."""
        accounts = token.get("accounts")
        added = Token(
            name=token["name"],
            value=token.get("value") or new_value(),
            role=token.get("role", "editor"),
            organization=token.get("organization", ORGANIZATION),
            accounts=None if accounts is None else tuple(accounts),
        )
        with self._lock:
            self.tokens[added.name] = added
        return added

    def revoke_token(self, name: str) -> None:
        """Make a token invalid; a KeyError if there is none of that name."""
        with self._lock:
            del self.tokens[name]

    def handle(self, request: Request) -> Answer | None:
        """Answer a request to Spot; None stands for a connection closed without an answer."""
        log = self.received
        fault = self._faults.pick({"target": "spot", "service": "spot", "operation": request.method, "path": request.path})
        time.sleep(fault.get("latency", 0) + fault.get("hang", 0))
        answer = None if "hang" in fault or "drop" in fault else _prescribed(request, fault) or self._answer(request)
        log.append(_entry(request, answer, "+".join(fault) or None))
        return None if "lost_answer" in fault else answer

    def _answer(self, request: Request) -> Answer:
        try:
            return self._authenticated(request)
        except SpotError as refusal:
            return _refusal(request, refusal)

    def _authenticated(self, request: Request) -> Answer:
        if self.outage is not None:
            raise SpotError(self.outage, "UNAVAILABLE", "The user service is not available")
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        with self._lock:
            token = next((item for item in self.tokens.values() if scheme == "Bearer" and item.value == value), None)
            if token is None:
                raise SpotError(401, "UNAUTHORIZED", "Authentication error: the token is not valid")
            if token.role == "notifier" and (request.method, request.path) != ("POST", NOTIFICATION):
                raise SpotError(403, "PERMISSION_DENIED", "Missing permission")
            parts = request.path.strip("/").split("/")
            if (request.method, request.path) == ("GET", "/setup/account"):
                return self._list_accounts(request, token)
            if (request.method, request.path) == ("POST", NOTIFICATION):
                return self._notify(request, token)
            if (request.method, request.path) == ("GET", "/aws/ec2/group"):
                account = self._account(request, token)
                return _items(request, "spotinst:aws:ec2:group", _groups(account))
            if request.method == "GET" and parts[:3] == ["aws", "ec2", "group"] and parts[4:] == ["logs"]:
                return self._elastilog(request, token)
        raise SpotError(404, "NOT_FOUND", f"No such resource: {request.method} {request.path}")

    def _list_accounts(self, request: Request, token: Token) -> Answer:
        cloud_account = request.query.get("cloudAccountId")
        if cloud_account is None and token.role != "admin":
            raise SpotError(403, "FORBIDDEN", "Listing all accounts needs an administrator of the organization")
        items = [
            account for account in self._visible(token) if cloud_account is None or str(account["providerExternalId"]) == cloud_account
        ]
        return _items(request, "spotinst:core:account", items)

    def _notify(self, request: Request, token: Token) -> Answer:
        self._account(request, token)
        if token.role == "viewer":
            raise SpotError(
                self._settings.permission_refusal_status,
                "PERMISSION_DENIED",
                "Missing permission elastigroup:createInstanceinterruptionNotification",
            )
        try:
            event = json.loads(request.body)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise SpotError(400, "INVALID_BODY", "The body is not a JSON object")
        if not isinstance(event.get("detail"), dict):
            raise SpotError(400, "MISSING_FIELD", "detail is missing", field="detail")
        status = self._settings.impossible_instance_status
        if status != 200 and event["detail"].get("instance-id") == IMPOSSIBLE_INSTANCE:
            raise SpotError(status, "INVALID_INSTANCE", f"The instance {IMPOSSIBLE_INSTANCE} does not exist")
        return _items(request, "spotinst:aws:ec2:instance:interruptionNotification", [])

    def _elastilog(self, request: Request, token: Token) -> Answer:
        """The evidence that Spot has reacted: an entry for each notification of the account that was accepted."""
        account = self._account(request, token)
        wanted = request.query.get("resourceId")
        items = [
            {
                "message": f"Instance {instance} will be interrupted: replacement has begun",
                "severity": "INFO",
                "createdAt": _iso(entry["time"]),
                "resourceId": instance,
            }
            for entry in list(self.received)
            if entry["path"] == NOTIFICATION
            and entry["status"] == 200
            and entry["query"].get("accountId") == account["accountId"]
            and (instance := entry["body"]["detail"].get("instance-id")) is not None
            and wanted in (None, instance)
        ]
        return _items(request, "spotinst:elastilog", items)

    def _account(self, request: Request, token: Token) -> Json:
        """Return the account a request is about: without accountId, silently, the organisation's oldest."""
        account_id = request.query.get("accountId")
        organization = [item for item in self.accounts if str(item["organizationId"]) == token.organization]
        if account_id is None and organization:
            account_id = organization[0]["accountId"]
        for account in self._visible(token):
            if account["accountId"] == account_id:
                return account
        raise SpotError(self._settings.unseen_account_status, "FORBIDDEN", f"No access to account {account_id}")

    def _visible(self, token: Token) -> list[Json]:
        return [
            account
            for account in self.accounts
            if str(account["organizationId"]) == token.organization and (token.accounts is None or account["accountId"] in token.accounts)
        ]


def _entry(request: Request, answer: Answer | None, fault: str | None) -> Json:
    """What the log says of a request."""
    try:
        body = json.loads(request.body) if request.body else None
    except ValueError:
        body = request.body.decode(errors="replace")
    return {
        "time": time.time(),
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers.items()),
        "body": body,
        "status": answer.status if answer else None,
        "fault": fault,
    }


def _groups(account: Json) -> list[Json]:
    if account["providerExternalId"] is None:
        return []
    number = account["accountId"].removeprefix("act-")
    compute = {"product": "Linux/UNIX", "availabilityZones": [{"name": "us-east-1a"}]}
    return [{"id": f"sig-{number}", "name": f"{account['name']} workers", "region": "us-east-1", "compute": compute}]


def _prescribed(request: Request, fault: Json) -> Answer | None:
    """Return the answer that a fault prescribes, None if it prescribes none."""
    if "throttle" in fault:
        fault = {"status": 429, "reset": 1}
    if "error" in fault:
        wanted = {"status": 500, "code": "INTERNAL", "message": "Internal error"} | fault["error"]
        return _refusal(request, SpotError(wanted["status"], wanted["code"], wanted["message"]))
    if "garbage" in fault:
        return Answer(200, b"\x00<not> {json", {"Content-Type": "text/plain"})
    if "text" in fault:
        return Answer(fault.get("status", 502), fault["text"].encode(), {"Content-Type": "text/plain"})
    if "status" not in fault:
        return None
    answer = _refusal(request, SpotError(fault["status"], str(fault["status"]), "A fault of the sandbox"))
    if "reset" in fault:
        answer.headers["X-RateLimit-Reset"] = str(fault["reset"])
    return answer


def _items(request: Request, kind: str, items: list[Json]) -> Answer:
    status = {"code": 200, "message": "OK"}
    return _envelope(request, 200, {"status": status, "kind": kind, "items": items, "count": len(items)})


def _refusal(request: Request, refusal: SpotError) -> Answer:
    error = {"code": refusal.code, "message": str(refusal)}
    if refusal.field:
        error["field"] = refusal.field
    status = {"code": refusal.status, "message": str(refusal)}
    return _envelope(request, refusal.status, {"status": status, "errors": [error]})


def _envelope(request: Request, status: int, response: Json) -> Answer:
    about = {"id": str(uuid4()), "url": request.target, "method": request.method, "timestamp": _iso(time.time())}
    return json_answer({"request": about, "response": response}, status)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
