# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.managed_secret import NOT_COMPARED

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document


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
        """`AUTHORIZED`, `DEAUTHORIZED` …"""
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
            "kms_key_identifier": self.document.get("kms_key_identifier") or None,
        }
