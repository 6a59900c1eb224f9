# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the playbooks are what is made of the playbooks, and other texts know the same variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.addresses import CHECKOUT
from tests.tools.artefact import files
from tests.tools.guides import guides, source
from tests.tools.playbook_pages import account_options, page
from tests.tools.role_variables import PREFIX, every_option, heeded_by_playbook, playbooks, roles

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
VARIABLES = {"account", *account_options()} - {"spot_account"}


def test_every_playbook_has_a_page_and_nothing_else_has() -> None:
    assert {f"playbook_{name}" for name in playbooks()} == {guide for guide in guides() if guide.startswith("playbook_")}


@pytest.mark.parametrize("name", playbooks())
def test_a_page_is_as_it_would_be_written_now(name: str) -> None:
    assert source(f"playbook_{name}") == page(name), "`make docs` writes it again"


@pytest.mark.parametrize("name", playbooks())
def test_every_variable_that_a_playbook_heeds_is_documented_by_a_role(name: str) -> None:
    assert heeded_by_playbook(name) - set(every_option()) == set()


def test_the_readme_lists_the_playbooks_and_five_variables_of_an_account() -> None:
    assert set(re.findall(rf"^\| `{re.escape(PREFIX)}(\w+)`", README, re.M)) == set(playbooks())
    section = README.split("\n### Variables\n")[1].strip().split("\n\n")[0]
    listed = {name for row in section.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert len(listed) == 5
    assert listed <= VARIABLES


def test_the_guide_lists_the_variables_of_an_account() -> None:
    section = source("guide_onboard").split("\nVariables\n---------\n")[1].split("\n\n")[1]
    listed = {name for row in re.findall(r"^   \* - (.+)$", section, re.M) for name in re.findall(r"``(\w+)``", row)}
    assert listed == VARIABLES


def test_the_readme_lists_every_module_role_and_plugin() -> None:
    public = [Path(name) for name in files() if re.match(r"(plugins|roles)/", name) and not Path(name).name.startswith("_")]
    names = {path.stem for path in public if path.match("plugins/modules/*.py")}
    kinds = {path.parts[1] for path in public if path.parts[0] == "plugins"} - {"modules", "module_utils", "doc_fragments", "action"}
    names |= {path.stem for kind in kinds for path in public if path.match(f"plugins/{kind}/*.py")} | set(roles())
    section = README.split("\n### Roles, modules and plugins\n")[1].split("\n## ")[0]
    listed = {name for row in section.splitlines() if re.match(r"\| \[?`", row) for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert listed == names
