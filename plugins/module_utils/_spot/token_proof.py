# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount, SpotError

# The proof of a token before it is written: that it may notify, that it may read, or only that Spot knows it.
NOTIFICATION, READ, NONE = PROOFS = ("notification", "read", "none")
# The instance of a notice that proves a token. AWS gives no such id: Spot may act on the instance that a notice names.
IMPOSSIBLE_INSTANCE = "i-00000000000000000"


@dataclass(frozen=True)
class Proof:
    """The proof of a token.

    :ivar kind: one of PROOFS
    :ivar endpoint: the address that takes notices
    :ivar notice: the notice to post there, of an instance that cannot exist
    """

    kind: str
    endpoint: str = ""
    notice: t.Mapping[str, t.Any] = field(default_factory=dict)


_READ = Proof(READ)


@dataclass(frozen=True)
class SpotResponse:
    """Spot's responses about a token and an account.

    :ivar refusal: why it refused the token for the account; None if it did not
    :ivar account: the account as Spot lists it; None if it does not list it
    :ivar unlisted: why it did not list accounts; None if it did
    :ivar doubt: a response to the notice that proves nothing; `refusal` is then that of a call that only reads
    :ivar reads: whether a token that may not notify may read the account, so that Spot knows it
    """

    refusal: SpotError | None
    account: SpotAccount | None
    unlisted: SpotError | None
    doubt: SpotError | None = None
    reads: bool = False

    @property
    def unknown(self) -> bool:
        """Return whether Spot does not know the token at all."""
        return self.refusal is not None and self.refusal.unauthenticated and not self.reads


def sample_warning(region: str, aws_account: str) -> dict[str, t.Any]:
    """Return a notice as EC2 gives it, of an instance that cannot exist (EC2 user guide, "Spot Instance interruption notices")."""
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": aws_account,
        "time": "2026-01-01T00:00:00Z",
        "region": region,
        "resources": [f"arn:aws:ec2:{region}a:instance/{IMPOSSIBLE_INSTANCE}"],
        "detail": {"instance-id": IMPOSSIBLE_INSTANCE, "instance-action": "terminate"},
    }


def ask(api: SpotApi, spot_account: str, aws_account: str | None, proof: Proof = _READ) -> SpotResponse:
    """Query Spot whether a token is valid for an account, and which AWS account that is connected to.

    :raises SpotError: Spot did not respond.
    """
    if proof.kind == NOTIFICATION:
        # The list comes first: a Spot that is down gets no notice, and no more requests than the attempts of one.
        account, unlisted = _listed(api, spot_account, aws_account)
        return replace(_prove(api, spot_account, proof, unlisted), account=account, unlisted=unlisted)
    proved = _prove(api, spot_account, proof)
    if proved.unknown:
        return proved
    account, unlisted = _listed(api, spot_account, aws_account)
    return replace(proved, account=account, unlisted=unlisted)


def _listed(api: SpotApi, spot_account: str, aws_account: str | None) -> tuple[SpotAccount | None, SpotError | None]:
    """Return the account as Spot lists it, and why Spot did not list accounts.

    :raises SpotError: Spot did not respond.
    """
    try:
        account = _find(api.accounts(aws_account), spot_account) if aws_account else None
        return account or _find(api.accounts(), spot_account), None
    except SpotError as error:
        if not error.refused:
            raise
        return None, error


def ask_all(api: SpotApi, spot_accounts: t.Iterable[str], proof: Proof = _READ) -> dict[str, SpotResponse]:
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
    proved = SpotResponse(None, None, None)
    for spot_account in spot_accounts:
        # A token that Spot does not know at all is valid for no account.
        if not proved.unknown:
            proved = _prove(api, spot_account, proof, unlisted)
        found[spot_account] = replace(proved, account=listed.get(spot_account), unlisted=unlisted)
    return found


def _prove(api: SpotApi, spot_account: str, proof: Proof, unlisted: SpotError | None = None) -> SpotResponse:
    """Return the response to the proof alone.

    :param unlisted: why Spot did not list accounts with this token, if that is known
    :raises SpotError: Spot did not respond.
    """
    if proof.kind != NOTIFICATION:
        return SpotResponse(_refusal(api, spot_account), None, None)
    try:
        api.notify(proof.endpoint, spot_account, proof.notice)
    except SpotError as error:
        if error.status not in (401, 403):
            return SpotResponse(_refusal(api, spot_account), None, None, doubt=error)
        # A token that Spot did not know for the list reads nothing else.
        known = unlisted is None or not unlisted.unauthenticated
        return SpotResponse(error, None, None, reads=known and _reads(api, spot_account))
    return SpotResponse(None, None, None)


def _reads(api: SpotApi, spot_account: str) -> bool:
    try:
        return _refusal(api, spot_account) is None
    except SpotError:  # it is refused in any case
        return False


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
