# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assumed roles: who may assume one, and until when its credentials are good.

Corrects moto: AssumeRole succeeds there for any caller, whatever the role's trust policy says, and its credentials never expire.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from .policy import allows
from .server import Answer
from .settings import Settings

_ACCESS_KEY = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
_EXPIRATION = re.compile(rb"<Expiration>[^<]*</Expiration>")


class Sessions:
    """The credentials that AssumeRole gave out, by access key, and when they expire (seconds of the clock)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._expire: dict[str, float] = {}

    def reset(self) -> None:
        """Forget all sessions."""
        self._expire.clear()

    def expired(self, access_key: str) -> bool:
        """Tell whether the credentials were good, and are no more."""
        return time.time() >= self._expire.get(access_key, float("inf"))

    def issued(self, answer: Answer) -> Answer:
        """Note the session in an answer of AssumeRole; its Expiration becomes that of the setting `session_seconds`."""
        found = _ACCESS_KEY.search(answer.body)
        if answer.status == 200 and found:
            until = time.time() + self._settings.session_seconds
            self._expire[found[1].decode()] = until
            stamp = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
            answer.body = _EXPIRATION.sub(b"<Expiration>" + stamp + b"</Expiration>", answer.body)
        return answer


def may_assume(role_arn: str, caller: str, external_id: str | None) -> bool:
    """Tell whether a role's trust policy lets an AWS account assume it. A role that is not there lets everybody, as in moto."""
    parts = role_arn.split(":")
    try:
        role = iam_backends[parts[4]][parts[1]].get_role_by_arn(role_arn)
    except (IndexError, KeyError, NotFoundException):
        return True
    context = {"sts:ExternalId": external_id} if external_id else {}
    return allows([role.assume_role_policy_document], "sts:AssumeRole", service=f"arn:aws:iam::{caller}:root", context=context)
