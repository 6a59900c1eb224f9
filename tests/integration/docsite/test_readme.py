# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README has the form that certification asks for, its pictures are there, and what is published has whole addresses."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
import yaml

from tests.tools.addresses import CHECKOUT, LINK, repository, with_full_addresses
from tests.tools.artefact import files
from tests.tools.docsite import MARKDOWN
from tests.tools.guides import guides

TEXT = (CHECKOUT / "README.md").read_text(encoding="utf-8")
# Partner certification requirements, "README requirements", and the template that they name.
HEADINGS = [
    *("Description", "Requirements", "Installation", "Use Cases", "Testing", "Contributing", "Support"),
    *("Release Notes and Roadmap", "Related Information", "License Information"),
]
PICTURES = [target for mark, _, target in LINK.findall(TEXT) if mark]
READMES = [name for name in files() if Path(name).name == "README.md" and not name.startswith("tests/")]


def test_the_headings_are_those_that_certification_asks_for() -> None:
    assert re.findall(r"^## (.+)$", TEXT, re.M) == HEADINGS


def test_two_commands_stand_at_the_top() -> None:
    first = TEXT.split("```shell\n", 1)
    assert first[0].count("\n## ") == 0
    assert first[1].split("```", 1)[0].splitlines() == ["make demo", "make test"]


def test_every_guide_and_every_page_of_a_playbook_is_named() -> None:
    linked = {target for _, _, target in LINK.findall(TEXT)}
    pages = {guide: MARKDOWN.get(guide, f"docs/docsite/rst/{guide}.rst") for guide in guides()}
    assert {guide for guide, path in pages.items() if path not in linked} == set()


def test_nobody_is_told_to_install_ansible_with_pip() -> None:
    assert "pip install ansible" not in TEXT


def test_there_are_pictures_and_each_says_what_it_shows() -> None:
    assert PICTURES == ["docs/images/report.png", "docs/images/session.svg"]
    assert all(len(words) > 40 for mark, words, _ in LINK.findall(TEXT) if mark)
    assert {path.name for path in (CHECKOUT / "docs" / "images").iterdir()} == {Path(target).name for target in PICTURES}


@pytest.mark.parametrize("target", PICTURES)
def test_a_picture_is_one_and_small(target: str) -> None:
    content = (CHECKOUT / target).read_bytes()
    assert len(content) < 150_000
    if target.endswith(".png"):
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", content[16:24]) > (1000, 500)
    else:
        # It asks nobody for anything.
        assert re.findall(rb"(?:src|href|url\((?!#))[^>]{0,40}", content) == []


@pytest.mark.parametrize("name", READMES)
def test_every_link_of_a_published_readme_is_whole_and_leads_to_a_file_of_the_repository(name: str) -> None:
    address, tag = repository()
    published = with_full_addresses((CHECKOUT / name).read_text(encoding="utf-8"), name)
    for mark, _, target in LINK.findall(published):
        assert target.startswith("https://")
        found = re.match(rf"{re.escape(address)}/(blob|raw|tree)/([^/]+)/([^#]+)", target)
        if found:
            kind, version, path = found.groups()
            assert version == tag
            assert (CHECKOUT / path).is_dir() if kind == "tree" else (CHECKOUT / path).is_file()
            assert (kind == "raw") == bool(mark)


def test_what_is_no_link_of_a_readme_is_published_as_it_is() -> None:
    assert LINK.sub("", with_full_addresses(TEXT, "README.md")) == LINK.sub("", TEXT)


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".md")])
def test_what_is_shown_as_yaml_is_yaml(name: str) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", (CHECKOUT / name).read_text(encoding="utf-8"), re.DOTALL):
        assert yaml.safe_load(block)
