# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands in the guides work: each is run, in an order in which it finds what it needs.

Guides that need more than one account of the sandbox have tests of their own, which take the commands from the guide: ELSEWHERE.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from ansible_builder.cli import parse_args

from tests.integration.playbooks.runner import Ansible
from tests.sandbox.client import Sandbox
from tests.tools.guides import blocks, commands, guides

CHECKOUT = Path(__file__).parents[3]
MAKEFILE = (CHECKOUT / "Makefile").read_text()
LAST = "spot.eventbridge.offboard"
ELSEWHERE = ("guide_fleet", "playbook_heal", "guide_cloudformation", "guide_stack_sets", "guide_inside_spot")
HERE = [line for line in commands() if line not in commands(*ELSEWHERE)]


@pytest.mark.parametrize("command", [line for line in HERE if line.startswith("make ")])
def test_target_of_make_exists(command: str) -> None:
    assert re.search(rf"^{command.removeprefix('make ')}:", MAKEFILE, re.M)


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("ansible-builder ")])
def test_arguments_of_ansible_builder_are_valid(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/artefact tests the build context. Building the image needs a container engine."""
    monkeypatch.chdir(CHECKOUT)
    given = parse_args(shlex.split(command)[1:])
    assert Path(given.filename).is_file()


@pytest.mark.parametrize("guide", guides())
def test_yaml_blocks_are_valid_yaml(guide: str) -> None:
    for _, code in blocks(guide, "yaml"):
        assert yaml.safe_load(code)


@pytest.mark.slow
def test_playbook_commands_of_the_guides_succeed(sandbox: Sandbox, tmp_path: Path) -> None:
    plays = [shlex.split(line)[1:] for line in HERE if line.startswith("ansible-playbook ")]
    assert len(plays) > 4
    ansible = Ansible(sandbox, tmp_path / "home")
    for playbook, *arguments in sorted(plays, key=lambda words: words[0] == LAST):
        run = ansible.run(
            playbook,
            *arguments,
            *("-e", f"spot_api_url={sandbox.spot_url}", "-e", "regions=eu-west-1"),
            cwd=tmp_path,
        )
        assert run.rc == 0, f"{playbook} {arguments}\n{run.output}"
    assert sandbox.boto3("events", "eu-west-1").list_rules()["Rules"] == []
