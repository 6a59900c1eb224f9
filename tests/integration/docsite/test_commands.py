# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands in the guides do what the guides say: they are run, in an order in which each finds what it needs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.integration.playbooks.runner import COLLECTIONS, Ansible
from tests.sandbox.client import Sandbox

CHECKOUT = Path(__file__).parents[3]
DOCSITE = CHECKOUT / "docs" / "docsite"
MAKEFILE = (CHECKOUT / "Makefile").read_text()
# What a shell does for a user, and needs no test.
PLAIN = ("cd ", "export ", "read ", "git clone ")
LAST = "spot.eventbridge.offboard"


def commands() -> list[str]:
    """The lines of all shell blocks of the guides, each once, in reading order."""
    (section,) = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text())["sections"]
    guides = "\n".join((DOCSITE / "rst" / f"{guide}.rst").read_text() for guide in section["toctree"])
    blocks = re.findall(r"^( *)\.\. code-block:: shell\n\n((?:\1 +\S.*\n)+)", guides, re.M)
    return list(dict.fromkeys(line.strip() for _, block in blocks for line in block.splitlines()))


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("make ")])
def test_a_target_of_make_is_there(command: str) -> None:
    assert re.search(rf"^{command.removeprefix('make ')}:", MAKEFILE, re.M)


def test_nothing_is_left_untested() -> None:
    assert [
        line for line in commands() if not line.startswith((*PLAIN, "make ", "ansible-playbook ", ".venv/bin/python tests/sandbox "))
    ] == []


def test_playbooks_run_as_in_the_guides(tmp_path: Path) -> None:
    plays = [shlex.split(line)[1:] for line in commands() if line.startswith("ansible-playbook ")]
    assert len(plays) > 4
    with Sandbox(max_seconds=600) as sandbox:
        ansible = Ansible(sandbox, tmp_path / "home")
        for playbook, *arguments in sorted(plays, key=lambda words: words[0] == LAST):
            run = ansible.run(
                playbook,
                *arguments,
                *("-e", f"spot_api_url={sandbox.spot_url}", "-e", "regions=eu-west-1"),
                cwd=tmp_path,
                env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
            )
            assert run.rc == 0, f"{playbook} {arguments}\n{run.output}"
        assert sandbox.boto3("events", "eu-west-1").list_rules()["Rules"] == []
