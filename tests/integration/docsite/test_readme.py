# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README has the sections that certification requires; published READMEs have full addresses that lead to files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.tools.addresses import CHECKOUT, LINK, repository, with_full_addresses
from tests.tools.artefact import files

TEXT = (CHECKOUT / "README.md").read_text(encoding="utf-8")
# Partner certification requirements, "README requirements", and the template that they name.
HEADINGS = [
    *("Description", "Requirements", "Installation", "Use Cases", "Testing", "Contributing", "Support"),
    *("Release Notes and Roadmap", "Related Information", "License Information"),
]
READMES = [name for name in files() if Path(name).name == "README.md" and not name.startswith("tests/")]


def test_readme_has_the_sections_that_certification_requires() -> None:
    assert re.findall(r"^## (.+)$", TEXT, re.M) == HEADINGS


@pytest.mark.parametrize("name", READMES)
def test_links_of_a_published_readme_are_full_addresses_of_existing_files(name: str) -> None:
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


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".md")])
def test_yaml_blocks_are_valid_yaml(name: str) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", (CHECKOUT / name).read_text(encoding="utf-8"), re.DOTALL):
        assert yaml.safe_load(block)
