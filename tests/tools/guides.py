# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the guides: commands to type and files to write, for those who try them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

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
