# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of the guides for tests: commands, files, and the explained statuses and findings."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DOCSITE = Path(__file__).resolve().parents[2] / "docs" / "docsite"
BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n(?:\1 +:caption: (\S+)\n)?\n((?:(?:\1 +\S.*)?\n)+)", re.M)


def guides() -> list[str]:
    """The names of the guides, in reading order."""
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    return [name for section in sections for name in section["toctree"]]


def source(guide: str) -> str:
    """The text of a guide."""
    return (DOCSITE / "rst" / f"{guide}.rst").read_text(encoding="utf-8")


def blocks(guide: str, language: str) -> list[tuple[str, str]]:
    """The code blocks of a guide in a language, each with its caption, which may be empty."""
    found = BLOCK.findall(source(guide))
    return [(caption, textwrap.dedent(code).strip() + "\n") for _, name, caption, code in found if name == language]


def commands(*names: str) -> list[str]:
    """The lines of the shell blocks of these guides, or of all; each once, without what it sets in the environment before."""
    lines = [line for guide in names or guides() for _, code in blocks(guide, "shell") for line in code.splitlines()]
    return list(dict.fromkeys(re.sub(r"^(\w+=\S+ +)+", "", line) for line in lines))


def files(guide: str) -> dict[str, str]:
    """The files that a guide shows, by name."""
    return {caption: code for caption, code in blocks(guide, "yaml") if caption}


@functools.cache
def explained(section: str) -> frozenset[str]:
    """The words with a heading of their own in a section of the guide "When it breaks"."""
    text = re.split(rf"^{section}\n-+$", source("guide_trouble"), flags=re.M)[1]
    return frozenset(re.findall(r"^``(\w+)``\n~+$", re.split(r"^-+$", text, flags=re.M)[0], re.M))


def anchor(word: str) -> str:
    """The anchor of a status, a finding or an error code in the guide "When it breaks", as the guide promises it."""
    return word.lower().replace("_", "-")


def unexplained(result: Any) -> set[str]:
    """The findings in a result that the guide "When it breaks" does not explain."""
    return set(_checks(result)) - explained("Findings")


def _checks(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.keys() >= {"check", "outcome", "message"}:
            yield value["check"]
        for item in value.values():
            yield from _checks(item)
    elif isinstance(value, list):
        for item in value:
            yield from _checks(item)
