# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import (
    Key,
    KeyUse,
    arns_of,
    check_kms_key,
    connection_use,
    is_same_key,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import (
    DIFFERS,
    MATCHES,
    OTHER_PARAMETERS,
    ExistingConnection,
    compare_token,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    DEFAULT_DESCRIPTION,
    ArgumentSpec,
    description_argument_spec,
    token_argument_spec,
    update_token_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, changed_fields, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_name, check_spot_account, check_token

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

API_KEY_NAME = "Authorization"
ACCOUNT_PARAMETER = "accountId"

# EventBridge API reference, ConnectionState. ACTIVE is for private endpoints, so AUTHORIZED alone is good here.
GOOD_STATE = "AUTHORIZED"
TRANSIENT_STATES = frozenset({"CREATING", "UPDATING", "AUTHORIZING", "DEAUTHORIZING", "DELETING"})


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of a connection."""
    return {
        "spot_account": {"type": "str"},
        "kms_key_identifier": {"type": "str", "no_log": False},
        **token_argument_spec(),
        **description_argument_spec(),
        **update_token_argument_spec(),
    }


@dataclass(frozen=True)
class Connection(Resource):
    """The desired connection: an API key `Authorization: Bearer <token>`, the query parameter `accountId`, and no other parameter.

    :ivar kms_key: a customer's KMS key for the secret; empty for the key that AWS owns, None for the key that it has
    :ivar key: that key, once it was read
    :ivar update_token: `changed`, `always` or `on_create`
    :ivar api_destination: the destination that is removed with the connection, and so does not prevent its removal
    """

    name: str
    present: bool = True
    spot_account: str = ""
    token: str = field(default="", repr=False)
    description: str = DEFAULT_DESCRIPTION
    kms_key: str | None = None
    key: Key | None = None
    update_token: str = "changed"
    api_destination: str = ""

    kind: t.ClassVar[str] = "connection"
    service: t.ClassVar[str] = "events"
    reads: t.ClassVar[tuple[str, ...]] = ("secretsmanager",)

    def __post_init__(self) -> None:
        """Check the values.

        :raises ArgumentError: AWS would refuse one.
        """
        check_name(self.name)

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Connection:
        """See `plan.Resource`."""
        name = params["name"]
        if params["state"] == "absent":
            return cls(name=name, present=False, api_destination=params["api_destination"] or name)
        check_kms_key("kms_key_identifier", params["kms_key_identifier"], regions.names)
        return cls(
            name=name,
            spot_account=check_spot_account(params["spot_account"]),
            token=check_token(params["spot_token"]),
            description=params["description"],
            kms_key=params["kms_key_identifier"],
            update_token=params["update_token"],
        )

    def prepared(self, region: Region) -> Connection:
        """See `plan.Resource`. Reads the desired KMS key."""
        if not self.present or not self.kms_key or self.key:
            return self
        return dataclasses.replace(self, key=self.key_use(region).usable(region, self.kms_key))

    def look(self, region: Region) -> ExistingConnection | None:
        """Call DescribeConnection; then the KMS key, and the managed secret unless the token will be written in any case."""
        events = region.clients["events"]
        try:
            answer = events.describe_connection(Name=self.name)
        except Exception as error:
            if is_code(error, "ResourceNotFoundException"):
                return None
            raise
        found = document(answer)
        # DescribeConnection leaves the API key's value out (API reference); it must not get into a result in any case.
        found.get("auth_parameters", {}).get("api_key_auth_parameters", {}).pop("api_key_value", None)
        if not self.present:
            return ExistingConnection(found, used_by=_destinations_on(events, answer["ConnectionArn"]))
        key = self.key_use(region).read(region, found.get("kms_key_identifier"), self.key)
        if self.update_token != "changed" or found.get("connection_state") != GOOD_STATE:
            return ExistingConnection(found, key=key)
        token, unread = compare_token(region, answer.get("SecretArn"), self._api_key_value())
        return ExistingConnection(found, token=token, token_unread=unread, key=key)

    def key_use(self, region: Region) -> KeyUse:
        """Return how EventBridge uses a KMS key of the connection's secret."""
        return connection_use(region, self.name)

    def settled(self, existing: ExistingConnection | None) -> bool:
        """See `plan.Resource`."""
        return existing is None or existing.state not in TRANSIENT_STATES

    def plan(self, region: Region, existing: ExistingConnection | None) -> Plan:
        """See `plan.Resource`. A connection that is not AUTHORIZED is always authorised again, in place."""
        if not self.present:
            return self._plan_removal(existing)
        if self.kms_key is None and existing and existing.key and self.key_use(region).faults(existing.key):
            return dataclasses.replace(self, kms_key="").plan(region, existing)
        shown = existing.managed_fields()["kms_key_identifier"] if existing else None
        if shown != self.kms_key and is_same_key(shown, self.kms_key, arns_of(self.key, existing.key if existing else None)):
            return dataclasses.replace(self, kms_key=shown).plan(region, existing)
        after = {**self._desired_fields(), "connection_state": GOOD_STATE, "token": MATCHES}
        if existing is None:
            arguments = {"Name": self.name, "Description": self.description, **self._authorization(), **self._kms()}
            return Plan("created", self._predicted({}), None, after, (Call("create_connection", arguments),), note=self._note(region, None))

        changed = changed_fields(existing.managed_fields(), self._desired_fields())
        lost = existing.state != GOOD_STATE
        write_token = lost or existing.token == DIFFERS or self.update_token == "always"
        authorize = write_token or bool({"authorization_type", "api_key_name", "query_string_parameters", *OTHER_PARAMETERS} & set(changed))
        note = self._note(region, existing)
        if not changed and not authorize:
            return unchanged(existing, note=note)
        arguments = {"Name": self.name}
        if "description" in changed:
            arguments["Description"] = self.description
        if authorize:
            arguments.update(self._authorization([argument for name, argument in OTHER_PARAMETERS.items() if name in changed]))
        if "kms_key_identifier" in changed:
            arguments.update(self._kms())
        before = {**existing.managed_fields(), "connection_state": existing.state, "token": existing.token}
        if not authorize:
            after["token"] = existing.token
        return Plan(
            "reauthorized" if lost else "updated",
            self._predicted(existing.document),
            before,
            {**existing.managed_fields(), **after},
            (Call("update_connection", arguments),),
            note=note,
        )

    def achieved(self, region: Region, existing: ExistingConnection | None) -> bool:
        """See `Resource`. The token was written in this run: with update_token=always, a plan would write it again."""
        broken = self.broken(existing)
        if broken:
            raise RegionError("Broken", broken)
        written = dataclasses.replace(self, update_token="on_create") if self.update_token == "always" else self
        return not written.plan(region, existing).calls

    def broken(self, existing: ExistingConnection | None) -> str | None:
        """Return why a connection that is settled does not work, None if it works or is to be removed."""
        if existing is None or not self.present or existing.state == GOOD_STATE:
            return None
        reason = existing.document.get("state_reason")
        return f"the connection {self.name} is {existing.state}" + (f": {reason}" if reason else "")

    def _plan_removal(self, existing: ExistingConnection | None) -> Plan:
        if existing is None:
            return unchanged(None)
        others = [name for name in existing.used_by if name != self.api_destination]
        if others:
            raise RegionError(
                "InUse",
                f"the connection {self.name} is used by API destination(s) {', '.join(others)}; "
                "it was kept. Point them to another connection, or remove them first.",
            )
        before = {**existing.managed_fields(), "connection_state": existing.state}
        return Plan("deleted", None, before, None, (Call("delete_connection", {"Name": self.name}),))

    def _note(self, region: Region, existing: ExistingConnection | None) -> str | None:
        key = self.key or (existing.key if existing and self.kms_key != "" else None)
        notes = [self.key_use(region).note(key) if key else None]
        if existing and existing.token_unread:
            notes.append(f"not checked whether the token is current: {existing.token_unread}. update_token=always writes it in any case.")
        return "; ".join(note for note in notes if note) or None

    def _api_key_value(self) -> str:
        return f"Bearer {self.token}"

    def _desired_fields(self) -> Document:
        desired: Document = {
            "description": self.description,
            "authorization_type": "API_KEY",
            "api_key_name": API_KEY_NAME,
            "query_string_parameters": [{"key": ACCOUNT_PARAMETER, "value": self.spot_account}],
            **{name: [] for name in OTHER_PARAMETERS},
        }
        if self.kms_key is not None:
            desired["kms_key_identifier"] = self.kms_key or None
        return desired

    def _authorization(self, emptied: t.Iterable[str] = ()) -> Document:
        """Return the arguments that authorise the connection.

        :param emptied: the lists of parameters that others have filled; a list that is left out stays (recorded)
        """
        # AuthParameters without AuthorizationType may have no effect (AWS user guide). IsValueSecret is given, as its
        # default hides the value, which then cannot be checked.
        parameter = {"Key": ACCOUNT_PARAMETER, "Value": self.spot_account, "IsValueSecret": False}
        return {
            "AuthorizationType": "API_KEY",
            "AuthParameters": {
                "ApiKeyAuthParameters": {"ApiKeyName": API_KEY_NAME, "ApiKeyValue": self._api_key_value()},
                "InvocationHttpParameters": {"QueryStringParameters": [parameter], **{name: [] for name in emptied}},
            },
        }

    def _kms(self) -> Document:
        return {} if self.kms_key is None else {"KmsKeyIdentifier": self.kms_key}

    def _predicted(self, existing: Document) -> Document:
        healed = {key: value for key, value in existing.items() if key != "state_reason"}
        parameter = {"key": ACCOUNT_PARAMETER, "value": self.spot_account, "is_value_secret": False}
        sent = existing.get("auth_parameters", {}).get("invocation_http_parameters", {})
        predicted = {
            **healed,
            "name": self.name,
            "description": self.description,
            "connection_state": GOOD_STATE,
            "authorization_type": "API_KEY",
            "auth_parameters": {
                "api_key_auth_parameters": {"api_key_name": API_KEY_NAME},
                "invocation_http_parameters": {
                    "query_string_parameters": [parameter],
                    **{name: [] for name in OTHER_PARAMETERS if name in sent},
                },
            },
        }
        if self.kms_key:
            predicted["kms_key_identifier"] = self.kms_key
        elif self.kms_key is not None:
            predicted.pop("kms_key_identifier", None)
        return predicted


def _destinations_on(events: t.Any, connection_arn: str) -> tuple[str, ...]:
    found = items(events, "list_api_destinations", "ApiDestinations", ConnectionArn=connection_arn)
    return tuple(item["Name"] for item in found)
