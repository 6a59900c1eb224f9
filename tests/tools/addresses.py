# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the links of a Markdown text whole, for places that show it without the repository around it.

Galaxy and Automation Hub show a README as it is in the tarball, and certification asks for full addresses in it
(https://docs.ansible.com/projects/partner-certification-requirements/readmes/). In the repository they are relative, so that they work
in each checkout and branch.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
# [text](target) and ![text](target); code blocks of this repository hold none.
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
PICTURES = (".png", ".svg")


def repository() -> tuple[str, str]:
    """The address of the repository, and the tag of the version that galaxy.yml names."""
    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
    return str(galaxy["repository"]), str(galaxy["version"])


def with_full_addresses(text: str, name: str) -> str:
    """A Markdown text with links to the repository at its version's tag.

    :param name: the path of the text in the repository, to which its links are relative
    """
    address, tag = repository()

    def whole(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if re.match(r"[a-z]+:", target):
            return link[0]
        path, place = (*target.split("#", 1), "")[:2]
        found = posixpath.normpath(str(PurePosixPath(name).parent / path)) if path else name
        kind = "raw" if found.endswith(PICTURES) else "tree" if (CHECKOUT / found).is_dir() else "blob"
        return f"{picture}[{words}]({address}/{kind}/{tag}/{found}{'#' + place if place else ''})"

    return LINK.sub(whole, text)
