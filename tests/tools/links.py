# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that the texts of the repository link to, and whether they are there: `make links`, for maintainers.

No test asks the network: tests see to the form of these addresses, and to links within the repository.

Usage: python links.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.addresses import CHECKOUT, LINK, repository
from tests.tools.artefact import files

SECONDS, AT_ONCE = 20, 6
# Whoever answers so does not want to be asked by a program; a person has to look.
REFUSALS = (401, 403, 405, 429, 503)
# What is all links, and what has some.
CONFIGURATION = ("galaxy.yml", "docs/docsite/links.yml", ".github/ISSUE_TEMPLATE/config.yml")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_COMMENT = re.compile(r"^#.*$", re.M)
_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
# `text <address>`__, and the markup of plugins: L(text,address), U(address).
_OTHERS = {".rst": re.compile(r"`[^`]*<([^`>]+)>`_"), ".py": re.compile(r"\b(?:L\([^,()]*, ?|U\()([^)]+)\)")}


def links() -> dict[str, list[str]]:
    """The addresses outside of the repository's own files, each with the files that link to it."""
    found: dict[str, list[str]] = {}
    for name in files():
        for address in of_file(name):
            found.setdefault(address, []).append(name)
    return found


def of_file(name: str) -> Iterator[str]:
    """The addresses that one file links to."""
    path = CHECKOUT / name
    if name in CONFIGURATION:
        yield from _ADDRESS.findall(_COMMENT.sub("", path.read_text(encoding="utf-8")))
    elif path.suffix == ".md":
        text = _FENCE.sub("", path.read_text(encoding="utf-8"))
        yield from (target for _, _, target in LINK.findall(text) if re.match(r"[a-z]+:", target))
    elif path.suffix in _OTHERS and name.startswith(("docs/", "plugins/")):
        yield from _OTHERS[path.suffix].findall(path.read_text(encoding="utf-8"))


def problem(address: str, seconds: float = SECONDS) -> str:
    """Asks for an address once, and returns what is wrong with it; nothing if it is there."""
    request = Request(address, headers={"User-Agent": "Mozilla/5.0 (compatible; links of spot.eventbridge)"})
    try:
        with urlopen(request, timeout=seconds):
            return ""
    except HTTPError as error:
        return f"{error.code}{', look yourself' if error.code in REFUSALS else ''}"
    except (OSError, ValueError) as error:
        return f"no answer: {error}"


def main() -> int:
    """Asks for all of them, but for those of the repository itself, some of which are there only after a release."""
    own = repository()[0]
    addresses = sorted(address for address in {link.split("#")[0] for link in links()} if not address.startswith(own))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        problems = {address: told for address, told in zip(addresses, pool.map(problem, addresses), strict=True) if told}
    for address, told in problems.items():
        print(f"{address}: {told}")
    print(f"{len(addresses)} addresses asked for, {len(addresses) - len(problems)} are there.")
    return 1 if any(not told.endswith("look yourself") for told in problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
