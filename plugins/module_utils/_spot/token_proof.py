# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount, SpotError

TOKEN = "spot_token"
SPOT_ACCOUNT = "spot_account"
AWS_ACCOUNT = "aws_account"


_PERMISSION = "Make sure that it has the permission elastigroup:createInstanceinterruptionNotification on this account."


@dataclass(frozen=True)
class SpotResponse:
    """What Spot responded about a token and an account.

    :ivar refusal: why it refused the token for the account; None if it did not
    :ivar account: the account as Spot lists it; None if it does not list it
    :ivar unlisted: why it did not list accounts; None if it did
    """

    refusal: SpotError | None
    account: SpotAccount | None
    unlisted: SpotError | None


def ask(api: SpotApi, spot_account: str, aws_account: str | None) -> SpotResponse:
    """Query Spot whether a token is valid for an account, and which AWS account that is connected to.

    :raises SpotError: Spot did not respond.
    """
    unlisted = account = None
    refusal = _refusal(api, spot_account)
    if refusal is not None and refusal.unauthenticated:
        return SpotResponse(refusal, None, None)
    try:
        account = _find(api.accounts(aws_account), spot_account) if aws_account else None
        account = account or _find(api.accounts(), spot_account)
    except SpotError as error:
        if not error.refused:
            raise
        unlisted = error
    return SpotResponse(refusal, account, unlisted)


def ask_all(api: SpotApi, spot_accounts: t.Iterable[str]) -> dict[str, SpotResponse]:
    """Query Spot for many accounts whether a token is valid for them, and once which AWS accounts they are connected to.

    :returns: the responses by Spot account
    :raises SpotError: Spot did not respond.
    """
    unlisted, listed = None, {}
    try:
        listed = {account.spot_account: account for account in api.accounts()}
    except SpotError as error:
        if not error.refused:
            raise
        unlisted = error
    found: dict[str, SpotResponse] = {}
    refusal = None
    for spot_account in spot_accounts:
        # A token that Spot does not know at all is valid for no account.
        if refusal is None or not refusal.unauthenticated:
            refusal = _refusal(api, spot_account)
        found[spot_account] = SpotResponse(refusal, listed.get(spot_account), unlisted)
    return found


def _refusal(api: SpotApi, spot_account: str) -> SpotError | None:
    try:
        api.prove_token(spot_account)
    except SpotError as error:
        if not error.refused:
            raise
        return error
    return None


def organization(api: SpotApi, spot_account: str, aws_account: str | None) -> str:
    """Return Spot's id of the account's organisation; empty where the token may not read it, or Spot does not respond."""
    try:
        account = ask(api, spot_account, aws_account).account
    except SpotError:
        return ""
    return account.organization if account else ""


def _find(accounts: t.Iterable[SpotAccount], spot_account: str) -> SpotAccount | None:
    return next((account for account in accounts if account.spot_account == spot_account), None)


def findings(
    response: SpotResponse | SpotError | None, spot_account: str, aws_account: str | None, require_proof: bool = True
) -> list[Finding]:
    """Return the findings of Spot's response. Pure.

    :param response: None where Spot was not queried, as there is no token; an error where it did not respond
    :param aws_account: the AWS account to which the Spot account should belong; None leaves that unchecked
    :param require_proof: whether a token that Spot knows, but does not allow to prove itself, is a failure
    """
    if response is None:
        return [Finding(TOKEN, SKIP, "Whether Spot accepts the token was not checked: no token was given.", "Set SPOTINST_TOKEN.")]
    if isinstance(response, SpotError):
        return [Finding(TOKEN, UNKNOWN, f"Whether Spot accepts the token could not be found out: {response}.", "Try again.")]
    found = [_token_finding(response, spot_account, require_proof)]
    if found[0].outcome != FAIL and aws_account:
        found.append(_aws_account_finding(response, spot_account, aws_account))
    return found


def obstacles(response: SpotResponse | SpotError | None, found: t.Iterable[Finding]) -> list[str]:
    """Return in words why the token must not be written to AWS; nothing if it may. Pure.

    :param response: as for `findings`
    :param found: the result of `findings`
    """
    if response is None:
        return ["There is no Spot token: set SPOTINST_TOKEN, or the option spot_token."]
    if isinstance(response, SpotError):
        return [str(response)]
    return [f"{finding.message} {finding.remedy}" for finding in found if finding.outcome == FAIL]


def _token_finding(response: SpotResponse, spot_account: str, require_proof: bool) -> Finding:
    refusal = response.refusal
    if refusal is None:
        return Finding(TOKEN, PASS, f"Spot accepts the token for {spot_account}.")
    if refusal.unauthenticated:
        return Finding(
            TOKEN,
            FAIL,
            f"Spot refuses the token for {spot_account}: {refusal}.",
            "Take a token that is valid: a programmatic user's, with the editor role on this account.",
        )
    if response.account is not None:
        return Finding(
            TOKEN,
            WARN,
            f"Spot knows the token and lists {spot_account}, but whether the token may notify was not checked: {refusal}.",
            _PERMISSION,
        )
    if not require_proof:
        return Finding(
            TOKEN,
            WARN,
            f"Spot knows the token, but whether it is good for {spot_account} was not checked: {refusal}.",
            _PERMISSION,
        )
    return Finding(
        SPOT_ACCOUNT,
        FAIL,
        f"The token does not see the Spot account {spot_account}: {refusal}.",
        "Check the account's id, and that the token's user belongs to it with at least the editor role.",
    )


def _aws_account_finding(response: SpotResponse, spot_account: str, aws_account: str) -> Finding:
    if response.unlisted is not None:
        return Finding(
            AWS_ACCOUNT,
            SKIP,
            f"Whether {spot_account} belongs to AWS account {aws_account} was not checked: {response.unlisted}.",
            "Only a token of an organisation administrator may ask; or compare them in the Spot console.",
        )
    account = response.account
    if account is None or account.aws_account is None:
        what = "is not in Spot's list of accounts" if account is None else "has no AWS account in Spot's list"
        return Finding(
            AWS_ACCOUNT,
            SKIP,
            f"Whether {spot_account} belongs to AWS account {aws_account} was not checked: it {what}.",
            "Compare them in the Spot console.",
        )
    if account.aws_account != aws_account:
        return Finding(
            AWS_ACCOUNT,
            FAIL,
            f"The Spot account {spot_account} belongs to AWS account {account.aws_account}, not to {aws_account}.",
            f"Use credentials of {account.aws_account} (AWS_PROFILE), or the Spot account of {aws_account}.",
        )
    return Finding(AWS_ACCOUNT, PASS, f"{spot_account} belongs to AWS account {aws_account}.")
