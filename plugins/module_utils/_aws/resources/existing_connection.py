# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of, is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region


# The results of a comparison of the token with the managed secret.
MATCHES = "current"
DIFFERS = "differs"
NOT_COMPARED = "not compared"

# The lists of parameters that only others fill, and their names in UpdateConnection (EventBridge API reference, ConnectionHttpParameters).
OTHER_PARAMETERS = {"header_parameters": "HeaderParameters", "body_parameters": "BodyParameters"}


@dataclass(frozen=True)
class ExistingConnection:
    """An existing connection.

    :ivar document: the response of DescribeConnection, without the API key
    :ivar token: how the token in the managed secret compares with the desired one
    :ivar token_unread: why it could not be compared
    :ivar key: the customer's KMS key that encrypts the secret; None if AWS owns the key
    :ivar used_by: the names of the API destinations on it; read only if it is to be removed
    """

    document: Document
    token: str = NOT_COMPARED
    token_unread: str | None = None
    key: Key | None = None
    used_by: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Return `AUTHORIZED`, `DEAUTHORIZED` …"""
        return str(self.document.get("connection_state", ""))

    def managed_fields(self) -> Document:
        """Return the fields of a connection that this collection manages."""
        auth = self.document.get("auth_parameters", {})
        http = auth.get("invocation_http_parameters", {})
        return {
            "description": self.document.get("description") or "",
            "authorization_type": self.document.get("authorization_type"),
            "api_key_name": auth.get("api_key_auth_parameters", {}).get("api_key_name"),
            "query_string_parameters": [
                {"key": item.get("key"), "value": item.get("value", "(hidden)")} for item in http.get("query_string_parameters", [])
            ],
            # Of others: a value may be a secret.
            **{name: [item.get("key") for item in http.get(name, [])] for name in OTHER_PARAMETERS},
            "kms_key_identifier": self.document.get("kms_key_identifier") or None,
        }


def compare_token(region: Region, secret_arn: str | None, api_key_value: str) -> tuple[str, str | None]:
    """Compare the desired API key with that in the secret of a connection. GetSecretValue.

    :returns: MATCHES, DIFFERS or NOT_COMPARED, and why it could not be compared
    """
    # The secret's text stays in this function: it is compared and forgotten.
    if not secret_arn:
        return NOT_COMPARED, "AWS did not name the connection's secret"
    try:
        answer = region.clients["secretsmanager"].get_secret_value(SecretId=secret_arn)
    except Exception as error:
        if is_code(error, "ResourceNotFoundException", "InvalidRequestException"):
            return DIFFERS, None  # deleted by hand, or scheduled for it: writing the token creates it again
        failure = failure_of(error)
        if failure.denied:
            return NOT_COMPARED, "the caller lacks secretsmanager:GetSecretValue on the connection's secret"
        raise
    try:
        value = json.loads(answer["SecretString"])["api_key_value"]
    except Exception:
        return NOT_COMPARED, "the connection's secret has not the form that EventBridge documents"
    return (MATCHES if value == api_key_value else DIFFERS), None
