# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections and API destinations of one account in one region, as AWS documents them.

Corrects moto, which replaces what already exists, leaves the secret as it was on an update, shows every value, and
knows no state but AUTHORIZED and ACTIVE.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_RATE_LIMIT = 300
SERVICE_LINKED_ROLE = "AWSServiceRoleForAmazonEventBridgeApiDestinations"
LINKED_SERVICE = "apidestinations.events.amazonaws.com"

_CREDENTIALS = {
    "API_KEY": "ApiKeyAuthParameters",
    "BASIC": "BasicAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}
_HIDDEN = {"ApiKeyValue", "Password", "ClientSecret"}

Json = dict[str, Any]
Emit = Callable[[str, list[str], Json], None]
"""Puts an event of EventBridge's own on the default bus: detail type, resources, detail."""


@dataclass
class Connection:
    """A connection; `parameters` is AuthParameters as sent, credentials and hidden values included."""

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
            SecretArn=self.secret_arn,
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
            raise ResourceAlreadyExistsException(f"Connection {name} already exists.")
        authorization_type, parameters = request["AuthorizationType"], request["AuthParameters"]
        _require_credentials(authorization_type, parameters)
        create_service_linked(self.account, LINKED_SERVICE, SERVICE_LINKED_ROLE)
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
        return connection.summary()

    def describe_connection(self, request: Json) -> Json:
        return self._connection(request["Name"]).described()

    def update_connection(self, request: Json) -> Json:
        connection = self._settled_connection(request["Name"])
        connection.description = request.get("Description", connection.description)
        connection.kms_key = request.get("KmsKeyIdentifier", connection.kms_key)
        connection.modified = time.time()
        authorization_type = request.get("AuthorizationType")
        if authorization_type is None or "AuthParameters" not in request:
            return connection.summary()  # AWS ignores parameters without the type, and the other way round
        parameters = _merged(connection, authorization_type, request["AuthParameters"])
        _require_credentials(authorization_type, parameters)
        connection.authorization_type, connection.parameters = authorization_type, parameters
        self._write_secret(connection)
        news = connection.state != AUTHORIZED
        self._pass_through(connection, ["UPDATING", "AUTHORIZING"], lambda: self._authorize(connection, news))
        return connection.summary()

    def deauthorize_connection(self, request: Json) -> Json:
        connection = self._settled_connection(request["Name"])
        connection.parameters = {key: value for key, value in connection.parameters.items() if key not in _CREDENTIALS.values()}
        self._drop_secret(connection)
        reason = "The connection was deauthorized by a call of DeauthorizeConnection."
        self._pass_through(connection, ["DEAUTHORIZING"], lambda: self.deauthorize(connection, reason))
        return connection.summary()

    def delete_connection(self, request: Json) -> Json:
        connection = self._settled_connection(request["Name"])
        self._drop_secret(connection)
        connection.modified = time.time()
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
            raise ResourceAlreadyExistsException(f"An api-destination '{name}' already exists.")
        self._connection_by_arn(request["ConnectionArn"])
        _require_endpoint(request["InvocationEndpoint"])
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
        destination = self._destination(request["Name"])
        return self._destination_listed(destination) | _without_none(Description=destination.description)

    def update_api_destination(self, request: Json) -> Json:
        destination = self._destination(request["Name"])
        if "ConnectionArn" in request:
            self._connection_by_arn(request["ConnectionArn"])
        if "InvocationEndpoint" in request:
            _require_endpoint(request["InvocationEndpoint"])
        destination.connection_arn = request.get("ConnectionArn", destination.connection_arn)
        destination.endpoint = request.get("InvocationEndpoint", destination.endpoint)
        destination.method = request.get("HttpMethod", destination.method)
        destination.rate_limit = request.get("InvocationRateLimitPerSecond", destination.rate_limit)
        destination.description = request.get("Description", destination.description)
        destination.modified = time.time()
        return self._destination_summary(destination)

    def delete_api_destination(self, request: Json) -> Json:
        del self.destinations[self._destination(request["Name"]).name]
        return {}

    def list_api_destinations(self, request: Json) -> Json:
        destinations = [
            destination
            for destination in self.destinations.values()
            if destination.name.startswith(request.get("NamePrefix", ""))
            and request.get("ConnectionArn", destination.connection_arn) == destination.connection_arn
        ]
        page, token = _page(destinations, request)
        return {"ApiDestinations": [self._destination_listed(destination) for destination in page]} | token

    # What delivery needs

    def deauthorize(self, connection: Connection, reason: str) -> None:
        """Take the authorisation away, which switches off every API destination on the connection."""
        if connection.state == DEAUTHORIZED or self.connections.get(connection.name) is not connection:
            return  # the answer that takes it away may come late
        connection.state, connection.reason, connection.modified = DEAUTHORIZED, reason, time.time()
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
        connection.state, connection.reason = states[0], None
        for number, state in enumerate(states[1:], 1):
            self._scheduler.call(share * number, _locked(partial(setattr, connection, "state", state)))
        self._scheduler.call(self._settings.state_seconds, _locked(finish))

    def _authorize(self, connection: Connection, news: bool) -> None:
        connection.state, connection.reason = AUTHORIZED, None
        connection.authorized = time.time()
        if news:
            self._announce(connection, "Connection Authorized", "API Destination Activated")

    def _forget(self, connection: Connection) -> None:
        self.connections.pop(connection.name, None)

    def _announce(self, connection: Connection, of_connection: str, of_destination: str) -> None:
        detail = {"name": connection.name, "state": connection.state}
        self._emit(of_connection, [connection.arn], _without_none(**detail, reason=connection.reason))
        for destination in self.destinations.values():
            if destination.connection_arn == connection.arn:
                detail = {"name": destination.name, "state": self._destination_state(destination)}
                self._emit(of_destination, [destination.arn], detail)

    def _destination_state(self, destination: Destination) -> str:
        connection = self.connection_of(destination)
        return "ACTIVE" if connection and connection.state == AUTHORIZED else "INACTIVE"

    # Finding and showing

    def _connection(self, name: str) -> Connection:
        if name not in self.connections:
            raise ResourceNotFoundException(f"Failed to describe the connection(s). Connection '{name}' does not exist.")
        return self.connections[name]

    def _settled_connection(self, name: str) -> Connection:
        connection = self._connection(name)
        if connection.state not in (AUTHORIZED, DEAUTHORIZED):
            raise JsonRESTError("ConcurrentModificationException", f"Connection '{name}' is being modified: {connection.state}.")
        return connection

    def _connection_by_arn(self, arn: str) -> Connection:
        for connection in self.connections.values():
            if connection.arn == arn:
                return connection
        raise ResourceNotFoundException(f"Connection '{arn}' does not exist.")

    def _destination(self, name: str) -> Destination:
        if name not in self.destinations:
            raise ResourceNotFoundException(f"Failed to describe the api-destination(s). An api-destination '{name}' does not exist.")
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
        self._secrets().secrets.pop(connection.secret_arn)


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


def _require_endpoint(endpoint: str) -> None:
    url = urlsplit(endpoint)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise ValidationException("Parameter InvocationEndpoint is not valid. Reason: it must be an HTTPS endpoint.")


def _merged(connection: Connection, authorization_type: str, given: Json) -> Json:
    """Return AuthParameters after an update: what was left out is kept, but not another type's credentials."""
    wanted = _CREDENTIALS[authorization_type]
    kept = {key: value for key, value in connection.parameters.items() if key == wanted or key not in _CREDENTIALS.values()}
    merged = kept | given
    if wanted in kept and wanted in given:
        merged[wanted] = kept[wanted] | given[wanted]
    return merged


def _shown(parameters: Any) -> Any:
    """Return AuthParameters without what AWS never shows. A value is secret unless it is said not to be."""
    if isinstance(parameters, list):
        return [_shown(item) for item in parameters]
    if not isinstance(parameters, dict):
        return parameters
    if "Key" in parameters:
        secret = parameters.get("IsValueSecret", True)
        value = {} if secret else {"Value": parameters.get("Value", "")}
        return {"Key": parameters["Key"], **value, "IsValueSecret": secret}
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
