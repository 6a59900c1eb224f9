# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for a token in everything that a run leaves behind or shows: as it is, encoded, and hashed."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def forms(token: str) -> dict[str, bytes]:
    """Return what must be nowhere, by a name that may be shown."""
    found: dict[str, bytes] = {}
    for name, text in (("token", token.encode()), ("header", f"Bearer {token}".encode())):
        found[name] = text
        found[f"{name} in hex"] = text.hex().encode()
        for hash_name in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(hash_name, text)
            found[f"{name}, {hash_name}"] = digest.hexdigest().encode()
            found[f"{name}, {hash_name} in base64"] = base64.b64encode(digest.digest())
        # In the middle of something longer that is encoded, text has one of three looks; its ends depend on its neighbours.
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + text)
            found[f"{name} in base64, {shift}"] = encoded[4 if shift else 0 : -4]
    return found


def seen_in(data: bytes, tokens: Iterable[str]) -> list[str]:
    """Return the names of the forms in which a token is in the data, upper and lower case of hex digits being the same."""
    lower = data.lower()
    return [
        name for token in tokens for name, form in forms(token).items() if form in data or ("base64" not in name and form.lower() in lower)
    ]


def seen_in_files(folder: Path, tokens: Iterable[str]) -> dict[str, list[str]]:
    """Return the files below a folder in which a token is; names of files count as well."""
    tokens = list(tokens)
    found = {}
    for parent, _, names in os.walk(folder):  # which does not mind folders that are gone meanwhile
        for path in (Path(parent, name) for name in names):
            with suppress(FileNotFoundError):
                content = b"" if path.is_socket() else path.read_bytes()
                if seen := seen_in(str(path).encode() + b"\n" + content, tokens):
                    found[str(path)] = seen
    return found
