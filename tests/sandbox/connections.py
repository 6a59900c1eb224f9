# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections and API destinations of one account in one region, as AWS was recorded (tests/contract), else as it documents them.

Corrects moto, which replaces what already exists, leaves the secret as it was on an update, shows every value, and
knows no state but AUTHORIZED and ACTIVE.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException, ValidationException
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend, secretsmanager_backends
from moto.utilities.utils import get_partition

from .moto_app import LOCK
from .roles import create_service_linked
from .scheduler import Scheduler
from .settings import Settings

AUTHORIZED, DEAUTHORIZED = "AUTHORIZED", "DEAUTHORIZED"
SECRET_GONE = "The secret of the connection could not be read: it was deleted."
REMOVED_BY_CALL = "The authorization parameters were removed from this connection by a DeauthorizeConnection operation."
UNREACHABLE = "Could not connect to the specified endpoint."
OAUTH = "OAUTH_CLIENT_CREDENTIALS"
NEEDED_FOR_UPDATE = (
    "At least one of the following is required: Description, KmsKeyIdentifier, AuthorizationType with BasicAuthParameters, "
    "ApiKeyAuthParameters, or OAuthParameters."
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_RATE_LIMIT = 300
SERVICE_LINKED_ROLE = "AWSServiceRoleForAmazonEventBridgeApiDestinations"
LINKED_ROLE_DESCRIPTION = "Enables access to the Secrets Manager Secrets created by AWS EventBridge"
LINKED_SERVICE = "apidestinations.events.amazonaws.com"

_CREDENTIALS = {
    "API_KEY": "ApiKeyAuthParameters",
    "BASIC": "BasicAuthParameters",
    OAUTH: "OAuthParameters",
}
_HIDDEN = {"ApiKeyValue", "Password", "ClientSecret"}

Json = dict[str, Any]
Emit = Callable[[str, list[str], Json], None]
"""Puts an event of EventBridge's own on the default bus: detail type, resources, detail."""


@dataclass
class Connection:
    """A connection.

    Attributes:
        parameters: AuthParameters as sent, credentials and hidden values included, IsValueSecret always said.
        was_active, changed: whether its API destinations were ACTIVE before the state last changed, and when that was.
        passage: the way through transient states that is under way; a later one puts an end to it.
    """

    name: str
    arn: str
    authorization_type: str
    parameters: Json
    description: str | None = None
    kms_key: str | None = None
    secret_arn: str = ""
    state: str = AUTHORIZED
    reason: str | None = None
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    authorized: float | None = None
    was_active: bool = True
    passage: object = None
    changed: float = field(default_factory=time.monotonic)

    def set_state(self, state: str, reason: str | None = None) -> None:
        """Change the state; the API destinations follow after a while."""
        if (state == AUTHORIZED) != (self.state == AUTHORIZED):
            self.was_active, self.changed = self.state == AUTHORIZED, time.monotonic()
        self.state, self.reason = state, reason

    def summary(self) -> Json:
        """What every call about a connection answers."""
        return _without_none(
            ConnectionArn=self.arn,
            ConnectionState=self.state,
            CreationTime=self.created,
            LastModifiedTime=self.modified,
            LastAuthorizedTime=self.authorized,
        )

    def listed(self) -> Json:
        """An item of ListConnections."""
        return self.summary() | _without_none(Name=self.name, AuthorizationType=self.authorization_type, StateReason=self.reason)

    def described(self) -> Json:
        """The answer of DescribeConnection: no credential, and only the values that are not secret."""
        return self.listed() | _without_none(
            Description=self.description,
            SecretArn=self.secret_arn or None,
            KmsKeyIdentifier=self.kms_key,
            AuthParameters=_shown(self.parameters),
        )

    def secret_string(self) -> str:
        """The JSON that the connection's secret holds."""
        values = dict(self.parameters.get(_CREDENTIALS[self.authorization_type], {}))
        if "InvocationHttpParameters" in self.parameters:
            values["InvocationHttpParameters"] = self.parameters["InvocationHttpParameters"]
        return json.dumps(_snake_keys(values))


@dataclass
class Destination:
    """An API destination; its state is derived from its connection's."""

    name: str
    arn: str
    connection_arn: str
    endpoint: str
    method: str
    rate_limit: int = DEFAULT_RATE_LIMIT
    description: str | None = None
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)


class Links:
    """The connections and API destinations of one account in one region.

    The methods named after an operation take its request and return its answer. All of them run with moto's lock.
    """

    def __init__(self, account: str, region: str, settings: Settings, scheduler: Scheduler, emit: Emit) -> None:
        self.account = account
        self.region = region
        self.connections: dict[str, Connection] = {}
        self.destinations: dict[str, Destination] = {}
        self._settings = settings
        self._scheduler = scheduler
        self._emit = emit

    # Connections

    def create_connection(self, request: Json) -> Json:
        name = request["Name"]
        if name in self.connections:
            raise ResourceAlreadyExistsException(f"Failed to create the connection(s). A connection with name '{name}' already exists.")
        authorization_type, parameters = request["AuthorizationType"], _complete(request["AuthParameters"])
        _require_credentials(authorization_type, parameters)
        create_service_linked(self.account, LINKED_SERVICE, SERVICE_LINKED_ROLE, LINKED_ROLE_DESCRIPTION)
        connection = Connection(
            name=name,
            arn=self._arn("connection", name),
            authorization_type=authorization_type,
            parameters=parameters,
            description=request.get("Description"),
            kms_key=request.get("KmsKeyIdentifier"),
        )
        self.connections[name] = connection
        self._write_secret(connection)
        self._pass_through(connection, ["CREATING", "AUTHORIZING"], lambda: self._authorize(connection, news=True))
        answer = connection.summary()
        answer.pop("LastAuthorizedTime", None)  # recorded: UpdateConnection's answer has it, this one does not
        return answer

    def describe_connection(self, request: Json) -> Json:
        shown = self._connection(request["Name"], "describe").described()
        key = shown.get("KmsKeyIdentifier")
        if key and self._settings.kms_key_as_arn and not key.startswith("arn:"):
            path = key if key.startswith("alias/") else f"key/{key}"
            shown["KmsKeyIdentifier"] = f"arn:{get_partition(self.region)}:kms:{self.region}:{self.account}:{path}"
        return shown

    def update_connection(self, request: Json) -> Json:
        authorization_type, given = request.get("AuthorizationType"), request.get("AuthParameters", {})
        authorizes = authorization_type is not None and any(name in given for name in _CREDENTIALS.values())
        connection = self._connection(request["Name"], "update")
        if not authorizes and not {"Description", "KmsKeyIdentifier"} & set(request):
            raise ValidationException(f"Failed to update the connection(s). {NEEDED_FOR_UPDATE}")
        if connection.state not in (AUTHORIZED, DEAUTHORIZED):
            raise _concurrent("update", connection)
        if not self._settings.update_without_value_keeps and "ApiKeyValue" not in given.get("ApiKeyAuthParameters", {"ApiKeyValue": ""}):
            raise ValidationException("Failed to update the connection(s). ApiKeyValue is required.")
        connection.description = request.get("Description", connection.description)
        connection.kms_key = request.get("KmsKeyIdentifier", connection.kms_key)
        connection.modified = time.time()
        if not authorizes:
            return connection.summary()
        parameters = _complete(_merged(connection, authorization_type, given))
        _require_credentials(authorization_type, parameters)
        connection.authorization_type, connection.parameters = authorization_type, parameters
        self._write_secret(connection)
        news = connection.state != AUTHORIZED
        self._pass_through(connection, ["UPDATING", "AUTHORIZING"], lambda: self._authorize(connection, news))
        return connection.summary()

    def deauthorize_connection(self, request: Json) -> Json:
        connection = self._connection(request["Name"], "deauthorize")
        if connection.state == "DELETING":
            raise _concurrent("deauthorize", connection)
        if connection.state != "DEAUTHORIZING":
            connection.parameters, connection.modified = {}, time.time()
            self._pass_through(connection, ["DEAUTHORIZING"], lambda: self._deauthorized(connection))
        return connection.summary() | {"ConnectionState": "DEAUTHORIZING"}

    def delete_connection(self, request: Json) -> Json:
        connection = self._connection(request["Name"], "delete")
        if connection.state != "DELETING":
            self._emit("Connection Deletion Started", [connection.arn], {"ConnectionName": connection.name, "Timestamp": _stamp()})
            self._drop_secret(connection)
            connection.modified = time.time()
            if connection.state == AUTHORIZED:  # recorded: an API destination keeps the ARN of one that was DEAUTHORIZED
                for destination in self._destinations_on(connection):
                    destination.connection_arn = ""
            self._pass_through(connection, ["DELETING"], lambda: self._forget(connection))
        return connection.summary() | {"ConnectionState": "DELETING"}

    def list_connections(self, request: Json) -> Json:
        connections = [
            connection
            for connection in self.connections.values()
            if connection.name.startswith(request.get("NamePrefix", ""))
            and request.get("ConnectionState", connection.state) == connection.state
        ]
        page, token = _page(connections, request)
        return {"Connections": [connection.listed() for connection in page]} | token

    # API destinations

    def create_api_destination(self, request: Json) -> Json:
        name = request["Name"]
        if name in self.destinations:
            raise ResourceAlreadyExistsException(
                f"Failed to create the api-destination(s). An api-destination with name '{name}' already exists."
            )
        self._check_destination(request, "create")
        destination = Destination(
            name=name,
            arn=self._arn("api-destination", name),
            connection_arn=request["ConnectionArn"],
            endpoint=request["InvocationEndpoint"],
            method=request["HttpMethod"],
            rate_limit=request.get("InvocationRateLimitPerSecond", DEFAULT_RATE_LIMIT),
            description=request.get("Description"),
        )
        self.destinations[name] = destination
        return self._destination_summary(destination)

    def describe_api_destination(self, request: Json) -> Json:
        destination = self._destination(request["Name"], "describe")
        return self._destination_listed(destination) | _without_none(Description=destination.description)

    def update_api_destination(self, request: Json) -> Json:
        destination = self._destination(request["Name"], "update")
        self._check_destination(request, "update")
        destination.connection_arn = request.get("ConnectionArn", destination.connection_arn)
        destination.endpoint = request.get("InvocationEndpoint", destination.endpoint)
        destination.method = request.get("HttpMethod", destination.method)
        destination.rate_limit = request.get("InvocationRateLimitPerSecond", destination.rate_limit)
        destination.description = request.get("Description", destination.description)
        destination.modified = time.time()
        return self._destination_summary(destination)

    def delete_api_destination(self, request: Json) -> Json:
        del self.destinations[self._destination(request["Name"], "delete").name]
        return {}

    def list_api_destinations(self, request: Json) -> Json:
        if "NamePrefix" in request and "ConnectionArn" in request:
            raise ValidationException(
                "Failed to list the api-destination(s). Request failed because only one filter is supported per request, either "
                "ConnectionArn or NamePrefix."
            )
        destinations = [
            destination
            for destination in self.destinations.values()
            if destination.name.startswith(request.get("NamePrefix", ""))
            and request.get("ConnectionArn", destination.connection_arn) == destination.connection_arn
        ]
        page, token = _page(destinations, request)
        return {"ApiDestinations": [self._destination_listed(destination) for destination in page]} | token

    # What delivery needs

    def refused(self, connection: Connection, status: int) -> None:
        """Take the authorisation away because an endpoint answered with 401 or 407."""
        if not self._settings.unauthorized_keeps_secret:
            connection.parameters = {}
            self._drop_secret(connection)
        reason = self._settings.unauthorized_reason
        self.deauthorize(connection, reason.format(status=status) if reason else None)

    def deauthorize(self, connection: Connection, reason: str | None) -> None:
        """Take the authorisation away, which switches off every API destination on the connection."""
        if connection.state == DEAUTHORIZED or self.connections.get(connection.name) is not connection:
            return  # the answer that takes it away may come late
        connection.set_state(DEAUTHORIZED, reason)
        connection.modified = time.time()
        self._announce(connection, "Connection Deauthorized", "API Destination Deactivated")

    def destination_by_arn(self, arn: str) -> Destination | None:
        """Return the API destination, None if there is none (any more)."""
        return next((item for item in self.destinations.values() if item.arn == arn), None)

    def connection_of(self, destination: Destination) -> Connection | None:
        """Return the connection of an API destination, None if it has been deleted."""
        return next((item for item in self.connections.values() if item.arn == destination.connection_arn), None)

    def current_secret(self, connection: Connection) -> Json | None:
        """Return what the current version of the connection's secret holds, None if somebody deleted it."""
        secret = self._secret(connection)
        if secret is None or secret.is_deleted() or secret.default_version_id is None:
            return None
        return json.loads(secret.versions[secret.default_version_id]["secret_string"])

    # States

    def _pass_through(self, connection: Connection, states: list[str], finish: Callable[[], None]) -> None:
        """Show each of `states` for its part of the configured time, then finish; without such a time, at once."""
        if not self._settings.state_seconds:
            finish()
            return
        share = self._settings.state_seconds / len(states)
        passage = connection.passage = object()

        def still(step: Callable[[], None]) -> Callable[[], None]:
            return _locked(lambda: step() if connection.passage is passage else None)

        connection.set_state(states[0])
        for number, state in enumerate(states[1:], 1):
            self._scheduler.call(share * number, still(partial(connection.set_state, state)))
        self._scheduler.call(self._settings.state_seconds, still(finish))

    def _authorize(self, connection: Connection, news: bool) -> None:
        if connection.authorization_type == OAUTH:  # its endpoint is never on loopback; recorded is one that does not resolve
            connection.set_state("AUTHORIZING", UNREACHABLE)
            connection.authorized = 0.0
            return
        connection.set_state(AUTHORIZED)
        connection.authorized = time.time()
        if news:
            self._announce(connection, "Connection Authorized", "API Destination Activated")

    def _deauthorized(self, connection: Connection) -> None:
        self._drop_secret(connection)
        self.deauthorize(connection, REMOVED_BY_CALL)
        connection.reason = REMOVED_BY_CALL

    def _forget(self, connection: Connection) -> None:
        self.connections.pop(connection.name, None)

    def _announce(self, connection: Connection, of_connection: str, of_destination: str) -> None:
        stamp = _stamp()
        detail = _without_none(ConnectionName=connection.name, StateReason=connection.reason, Timestamp=stamp)
        self._emit(of_connection, [connection.arn], detail)

        def of_destinations() -> None:
            for destination in self._destinations_on(connection):
                self._emit(of_destination, [destination.arn], {"ApiDestinationName": destination.name, "Timestamp": stamp})

        if self._settings.destination_lag_seconds:
            self._scheduler.call(self._settings.destination_lag_seconds, _locked(of_destinations))
        else:
            of_destinations()

    def _destinations_on(self, connection: Connection) -> list[Destination]:
        return [destination for destination in self.destinations.values() if destination.connection_arn == connection.arn]

    def _destination_state(self, destination: Destination) -> str:
        connection = self.connection_of(destination)
        if connection is None:
            return "INACTIVE"
        lags = time.monotonic() - connection.changed < self._settings.destination_lag_seconds
        return "ACTIVE" if (connection.was_active if lags else connection.state == AUTHORIZED) else "INACTIVE"

    # Finding and showing

    def _connection(self, name: str, verb: str) -> Connection:
        if name not in self.connections:
            raise ResourceNotFoundException(f"Failed to {verb} the connection(s). Connection '{name}' does not exist.")
        return self.connections[name]

    def _check_destination(self, request: Json, verb: str) -> None:
        """Refuse what an API destination cannot be made of; `verb` is what failed."""
        arn, endpoint, rate = (request.get(name) for name in ("ConnectionArn", "InvocationEndpoint", "InvocationRateLimitPerSecond"))
        failed = f"Failed to {verb} the api-destination(s)."
        if endpoint is not None and not _is_endpoint(endpoint):
            raise ValidationException(
                f"{failed} Parameter InvocationEndpoint is not valid. Reason: Endpoint '{endpoint}' is invalid, please provide a valid "
                "HTTPS endpoint URL."
            )
        if rate is not None and rate > DEFAULT_RATE_LIMIT:
            reason = f"Rate specified '{rate}' for '{request['Name']}' exceeds maximum allowed of '{DEFAULT_RATE_LIMIT}'."
            raise JsonRESTError("LimitExceededException", f"{failed} Invalid Invocation Rate Limit: {reason}")
        if arn is not None and not any(item.arn == arn and item.state != "DELETING" for item in self.connections.values()):
            raise ResourceNotFoundException(f"{failed} Connection '{arn}' does not exist.")

    def _destination(self, name: str, verb: str) -> Destination:
        if name not in self.destinations:
            raise ResourceNotFoundException(f"Failed to {verb} the api-destination(s). An api-destination '{name}' does not exist.")
        return self.destinations[name]

    def _destination_summary(self, destination: Destination) -> Json:
        return {
            "ApiDestinationArn": destination.arn,
            "ApiDestinationState": self._destination_state(destination),
            "CreationTime": destination.created,
            "LastModifiedTime": destination.modified,
        }

    def _destination_listed(self, destination: Destination) -> Json:
        return self._destination_summary(destination) | {
            "Name": destination.name,
            "ConnectionArn": destination.connection_arn,
            "InvocationEndpoint": destination.endpoint,
            "HttpMethod": destination.method,
            "InvocationRateLimitPerSecond": destination.rate_limit,
        }

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:{get_partition(self.region)}:events:{self.region}:{self.account}:{kind}/{name}/{uuid4()}"

    # The secret, and the role that looks after it

    def _secrets(self) -> SecretsManagerBackend:
        return secretsmanager_backends[self.account][self.region]

    def _secret(self, connection: Connection) -> FakeSecret | None:
        return self._secrets().secrets.get(connection.secret_arn)  # type: ignore[return-value]

    def _write_secret(self, connection: Connection) -> None:
        """Add a version to the connection's secret; the ARN stays, unless the secret was deleted by hand."""
        secret = self._secret(connection)
        if secret is not None and secret.is_deleted():
            self._drop_secret(connection)
            secret = None
        name = secret.name if secret else f"events!connection/{connection.name}/{uuid4()}"
        written = self._secrets().create_managed_secret("events", name, secret_string=connection.secret_string())
        connection.secret_arn = written.arn

    def _drop_secret(self, connection: Connection) -> None:
        if connection.secret_arn:
            self._secrets().secrets.pop(connection.secret_arn)
        connection.secret_arn = ""


def _stamp() -> str:
    """Return the time as the detail of EventBridge's own events has it (EventBridge event reference)."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def _locked(function: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        with LOCK:
            function()

    return run


def _require_credentials(authorization_type: str, parameters: Json) -> None:
    if _CREDENTIALS[authorization_type] not in parameters:
        raise ValidationException(
            f"Authorization parameters do not match the authorization type: {_CREDENTIALS[authorization_type]} "
            f"must be given for {authorization_type}."
        )


def _concurrent(verb: str, connection: Connection) -> JsonRESTError:
    message = f"Failed to {verb} the connection(s). Connection '{connection.name}' was modified concurrently."
    return JsonRESTError("ConcurrentModificationException", message)


def _is_endpoint(endpoint: str) -> bool:
    """Tell whether AWS takes an endpoint: HTTPS, or no scheme at all; here also HTTP on loopback."""
    url = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    return bool(url.hostname) and (url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK))


def _merged(connection: Connection, authorization_type: str, given: Json) -> Json:
    """Return AuthParameters after an update: what was left out is kept, but not another type's credentials."""
    wanted = _CREDENTIALS[authorization_type]
    kept = {key: value for key, value in connection.parameters.items() if key == wanted or key not in _CREDENTIALS.values()}
    merged = kept | given
    for part in {wanted, "InvocationHttpParameters"} & set(kept) & set(given):
        merged[part] = kept[part] | given[part]  # a list that is given is replaced as a whole (recorded)
    return merged


def _complete(parameters: Any) -> Any:
    """Return AuthParameters with IsValueSecret for each parameter: one that does not say so is not secret (recorded)."""
    if isinstance(parameters, list):
        return [_complete(item) for item in parameters]
    if not isinstance(parameters, dict):
        return parameters
    if "Key" in parameters:
        return {"Key": parameters["Key"], "Value": parameters.get("Value", ""), "IsValueSecret": parameters.get("IsValueSecret", False)}
    return {key: _complete(value) for key, value in parameters.items()}


def _shown(parameters: Any) -> Any:
    """Return AuthParameters without what AWS never shows."""
    if isinstance(parameters, list):
        return [_shown(item) for item in parameters]
    if not isinstance(parameters, dict):
        return parameters
    if "Key" in parameters:
        return {key: value for key, value in parameters.items() if key != "Value" or not parameters["IsValueSecret"]}
    return {key: _shown(value) for key, value in parameters.items() if key not in _HIDDEN}


def _snake_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [_snake_keys(item) for item in value]
    if isinstance(value, dict):
        return {_snake(key): _snake_keys(item) for key, item in value.items()}
    return value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _page(items: list[Any], request: Json) -> tuple[list[Any], Json]:
    """Return one page by name, and the token for the next. A token is the last name, so pages survive changes."""
    ordered = sorted(items, key=lambda item: item.name)
    after = request.get("NextToken", "")
    rest = [item for item in ordered if item.name > after]
    limit = request.get("Limit", 100)
    return rest[:limit], {"NextToken": rest[limit - 1].name} if len(rest) > limit else {}


def _without_none(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value is not None}
