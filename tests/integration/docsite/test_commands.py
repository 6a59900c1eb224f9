# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands in the guides do what the guides say: they are run, in an order in which each finds what it needs.

Those of guides that need more than an account of the sandbox are run by the tests of what they are about, which take them out of the
guide: ELSEWHERE.
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
# What a shell does for a user, and needs no test.
PLAIN = ("cd ", "export ", "read ", "git clone ")
LAST = "spot.eventbridge.offboard"
ELSEWHERE = {
    "guide_fleet": "tests/integration/fleet/test_story.py",
    "guide_cloudformation": "tests/integration/verify/test_stacks.py",
    "guide_stack_sets": "tests/integration/playbooks/test_stack_set.py",
    "guide_inside_spot": "tests/integration/verify/test_proof.py",
}
HERE = [line for line in commands() if not any(line in commands(guide) for guide in ELSEWHERE)]


@pytest.mark.parametrize("command", [line for line in HERE if line.startswith("make ")])
def test_a_target_of_make_is_there(command: str) -> None:
    assert re.search(rf"^{command.removeprefix('make ')}:", MAKEFILE, re.M)


def test_nothing_is_left_untested() -> None:
    assert [line for line in HERE if not line.startswith((*PLAIN, "make ", "ansible-playbook ", ".venv/bin/python tests/sandbox "))] == []


@pytest.mark.parametrize("guide", ELSEWHERE)
def test_what_is_run_elsewhere_is_taken_out_of_the_guide(guide: str) -> None:
    assert f'commands("{guide}")' in (CHECKOUT / ELSEWHERE[guide]).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("ansible-builder ")])
def test_ansible_builder_takes_its_arguments(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it makes of the definition is tested in tests/artefact; to build an image takes a container engine."""
    monkeypatch.chdir(CHECKOUT)
    given = parse_args(shlex.split(command)[1:])
    assert Path(given.filename).is_file()


@pytest.mark.parametrize("guide", guides())
def test_what_is_shown_as_yaml_is_yaml(guide: str) -> None:
    for _, code in blocks(guide, "yaml"):
        assert yaml.safe_load(code)


def test_playbooks_run_as_in_the_guides(sandbox: Sandbox, tmp_path: Path) -> None:
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
