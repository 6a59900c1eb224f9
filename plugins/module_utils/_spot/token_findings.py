# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import NONE, NOTIFICATION, READ, SpotResponse

TOKEN = "spot_token"
SPOT_ACCOUNT = "spot_account"
AWS_ACCOUNT = "aws_account"

_RIGHT = "elastigroup:createInstanceinterruptionNotification"
_PERMISSION = f"Make sure that it has the permission {_RIGHT} on this account."


def findings(response: SpotResponse | SpotError | None, spot_account: str, aws_account: str | None, proof: str = READ) -> list[Finding]:
    """Return the findings of Spot's response.

    :param response: None where Spot was not queried, as there is no token; an error where it did not respond
    :param aws_account: the AWS account to which the Spot account should belong; None leaves that unchecked
    :param proof: the required proof, one of PROOFS
    """
    if response is None:
        return [Finding(TOKEN, SKIP, "Not checked whether Spot accepts the token: no token was given.", "Set SPOTINST_TOKEN.")]
    if isinstance(response, SpotError):
        return [Finding(TOKEN, UNKNOWN, f"Unknown whether Spot accepts the token: {str(response).rstrip('.')}.", "Try again.")]
    found = [_token_finding(response, spot_account, proof)]
    if found[0].outcome != FAIL and aws_account:
        found.append(_aws_account_finding(response, spot_account, aws_account))
    return found


def obstacles(response: SpotResponse | SpotError | None, found: t.Iterable[Finding]) -> list[str]:
    """Return in words why the token must not be written to AWS; nothing if it may.

    :param response: as for `findings`
    :param found: the result of `findings`
    """
    if response is None:
        return ["There is no Spot token: set SPOTINST_TOKEN, or the option spot_token."]
    if isinstance(response, SpotError):
        return [str(response)]
    return [f"{finding.message} {finding.remedy}" for finding in found if finding.outcome == FAIL]


def _token_finding(response: SpotResponse, spot_account: str, proof: str) -> Finding:
    if response.unknown:
        return Finding(
            TOKEN,
            FAIL,
            f"Spot refuses the token for {spot_account}: {response.refusal}.",
            f"Use a valid token: a programmatic user's, with the editor role or the permission {_RIGHT} on this account.",
        )
    # A token that is limited to notices gets 403 for any question; for an account that it does not see, Spot may also respond 400 or 404.
    if response.doubt is not None and (response.refusal is None or response.refusal.status == 403):
        return Finding(
            TOKEN,
            WARN,
            f"Unknown whether the token may notify for {spot_account}: {response.doubt}.",
            _PERMISSION,
        )
    if response.refusal is None:
        return Finding(TOKEN, PASS, f"Spot accepts the token for {spot_account}.")
    return _refused(response, spot_account) if proof == NOTIFICATION else _unproved(response, spot_account, proof)


def _refused(response: SpotResponse, spot_account: str) -> Finding:
    """Return the finding about a token that Spot knows, and whose notice it refused."""
    if response.reads:
        return Finding(
            TOKEN,
            FAIL,
            f"Spot knows the token, but it may not notify for {spot_account}: {response.refusal}.",
            f"Give its user the permission {_RIGHT} on this account; the editor role has it, the viewer role does not.",
        )
    return Finding(
        SPOT_ACCOUNT,
        FAIL,
        f"The token does not see the Spot account {spot_account}, or may not notify for it: {response.refusal}.",
        f"Check the account's id, and that the token's user has the editor role or the permission {_RIGHT} on it.",
    )


def _unproved(response: SpotResponse, spot_account: str, proof: str) -> Finding:
    """Return the finding about a token that Spot knows, and does not allow to read."""
    known = ""
    if response.account is not None:
        known = f"Spot knows the token and lists {spot_account}, but it was not checked whether the token may notify"
    elif proof == NONE:
        known = f"Spot knows the token, but it was not checked whether it is valid for {spot_account}"
    if known:
        return Finding(TOKEN, WARN, f"{known}: {response.refusal}.", _PERMISSION)
    return Finding(
        SPOT_ACCOUNT,
        FAIL,
        f"The token does not see the Spot account {spot_account}: {response.refusal}.",
        "Check the account's id, and that the token's user belongs to it with at least the editor role.",
    )


def _aws_account_finding(response: SpotResponse, spot_account: str, aws_account: str) -> Finding:
    if response.unlisted is not None:
        return Finding(
            AWS_ACCOUNT,
            SKIP,
            f"Not checked whether {spot_account} belongs to AWS account {aws_account}: {response.unlisted}.",
            "Use a token of an organisation administrator, or compare them in the Spot console.",
        )
    account = response.account
    if account is None or account.aws_account is None:
        what = "is not in Spot's list of accounts" if account is None else "has no AWS account in Spot's list"
        return Finding(
            AWS_ACCOUNT,
            SKIP,
            f"Not checked whether {spot_account} belongs to AWS account {aws_account}: it {what}.",
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
