# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, token_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_token, check_url
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import DEFAULT_URL, NOTIFICATION_PATH, SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import (
    NOTIFICATION,
    PROOFS,
    Proof,
    organization,
    sample_warning,
)


def argument_spec() -> ArgumentSpec:
    """Return the options of every module that calls the Spot API."""
    return {**token_argument_spec(), **api_argument_spec()}


def api_argument_spec() -> ArgumentSpec:
    """Return the options for where the Spot API is."""
    return {
        "spot_api_url": {"type": "str", "default": DEFAULT_URL},
        "spot_validate_certs": {"type": "bool", "default": True},
    }


def proof_argument_spec() -> ArgumentSpec:
    """Return the options of a module that proves the token."""
    return {
        "proof": {"type": "str", "choices": list(PROOFS), "default": NOTIFICATION},
        # Without a default: a token goes to no other host than the Spot API's, unless the user names one.
        "invocation_endpoint": {"type": "str"},
    }


def notification_endpoint(params: t.Mapping[str, t.Any]) -> str:
    """Return the address that takes notices: the one given, else that of the Spot API.

    :raises ArgumentError: the address that is given is not valid.
    """
    if params["invocation_endpoint"]:
        return check_url(params["invocation_endpoint"], "The endpoint")
    return params["spot_api_url"].rstrip("/") + NOTIFICATION_PATH


def proof(params: t.Mapping[str, t.Any], region: str, aws_account: str | None) -> Proof:
    """Return the proof that the options require.

    :param region: the region of the notice
    :param aws_account: the account of the notice, if it is known
    :raises ArgumentError: the endpoint is not valid.
    """
    return Proof(params["proof"], notification_endpoint(params), sample_warning(region, aws_account or "000000000000"))


def client(params: t.Mapping[str, t.Any], warn: t.Callable[[str], None] | None = None) -> SpotApi:
    """Return a client of the Spot API.

    :param warn: is given, in one line, why a list is doubtful
    :raises ArgumentError: the address or the token is missing or not valid.
    """
    url = check_url(params["spot_api_url"], "The address of the Spot API")
    return SpotApi(url, check_token(params["spot_token"]), validate_certs=params["spot_validate_certs"], warn=warn)


def client_if_token(params: t.Mapping[str, t.Any]) -> SpotApi | None:
    """Return a client of the Spot API, or None if no token is given.

    :raises ArgumentError: the address, or a token that is given, is not valid.
    """
    check_url(params["spot_api_url"], "The address of the Spot API")
    return client(params) if params["spot_token"] else None


def organization_of(params: t.Mapping[str, t.Any], spot_account: str, aws_account: str | None = None) -> str:
    """Return Spot's id of the organisation: `organization` if that is given, else as Spot lists the account; empty if unknown.

    :raises ArgumentError: the address, or a token that is given, is not valid.
    """
    if params["organization"]:
        return str(params["organization"])
    api = client(params) if params["spot_token"] else None
    return organization(api, spot_account, aws_account) if api else ""
