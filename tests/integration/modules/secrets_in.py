# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds a token in what a program left behind, however it is written down there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache


def secrets_in(text: str, tokens: Iterable[str]) -> list[str]:
    """Return which forms of which token are in the text, by name: never the token itself."""
    return [f"token {number}: {form}" for number, token in enumerate(tokens) for form, found in _forms(token) if found in text]


@lru_cache(maxsize=256)
def _forms(token: str) -> list[tuple[str, str]]:
    forms = [("plain", token), ("reversed", token[::-1])]
    for name, value in (("token", token), ("header", f"Bearer {token}")):
        raw = value.encode()
        forms.append((f"hex of the {name}", raw.hex()))
        forms += [(f"{method} of the {name}", hashlib.new(method, raw).hexdigest()) for method in ("md5", "sha1", "sha256", "sha512")]
        # Inside of a longer text, base64 has three forms; first and last characters depend on what is around them.
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            forms.append((f"base64 of the {name}", encoded[4 if shift else 0 : -2]))
    return forms
