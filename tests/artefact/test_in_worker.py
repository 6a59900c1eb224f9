# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that are run by Ansible's own process: with the same results as in the ordinary way, and not where it could make a difference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.artefact.installation import Installation
from tests.artefact.supported import ends

FILES = Path(__file__).parent / "in_worker"
RECORDER = Path(__file__).parents[1] / "integration" / "playbooks" / "recorder"
SECRET = "no-one-may-see-this"
# A traceback names files: a temporary one in the ordinary way.
TRACEBACKS = ("exception", "module_stderr")


pytestmark = pytest.mark.parametrize("combination", ends()[:2], indirect=True, ids=lambda combination: combination.name)


@pytest.fixture
def probe(installation: Installation) -> Installation:
    """An installation that has a collection beside it with a module that shows how it is run."""
    plugins = installation.collections / "ansible_collections" / "test" / "in_worker" / "plugins"
    for kind in ("action", "modules"):
        shutil.copytree(FILES / kind, plugins / kind, dirs_exist_ok=True)
    return installation


def run(probe: Installation, *arguments: str, playbook: Path = FILES / "play.yml", **environment: str) -> tuple[list[Any], str]:
    """Return the results of the tasks, and the output."""
    recorded = probe.elsewhere / "recorded"
    recorded.unlink(missing_ok=True)
    done = probe.run(
        "ansible-playbook",
        str(playbook),
        *arguments,
        environment={
            "PROBE_SECRET": SECRET,
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "RECORDER_PATH": str(recorded),
            **environment,
        },
    )
    entries = [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines()]
    return [entry for entry in entries if "recap" not in entry], done.stdout + done.stderr


def without_tracebacks(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: entry for key, entry in value.items() if not (key in TRACEBACKS and str(entry).startswith("Traceback"))}
        return {key: without_tracebacks(entry) for key, entry in kept.items()}
    return [without_tracebacks(entry) for entry in value] if isinstance(value, list) else value


def test_results_are_the_same_both_ways(probe: Installation) -> None:
    ours, said = run(probe, "-vvv")
    ordinary, said_ordinary = run(probe, "-vvv", SPOT_EVENTBRIDGE_IMPORT_MODULES="false")
    assert "in a process of its own" not in said
    assert "in a process of its own: spot_eventbridge_import_modules is false" in said_ordinary
    assert "AnsiballZ" not in said
    for one, other in zip(ours, ordinary, strict=True):
        assert without_tracebacks(one) == without_tracebacks(other)
    # From 2.19 on, ansible-core does not mask warnings of modules.
    assert (SECRET in said + json.dumps(ours)) == (SECRET in said_ordinary + json.dumps(ordinary))
    # What is compared is what was meant.
    items = {entry["item"]: entry for entry in ours[0]["result"]["results"]}
    assert items["nothing"]["seen"] == ["nothing"]
    assert items["nothing"]["environment"] is None
    assert "a warning about" in said
    assert "a deprecation about" in said
    assert {name for name, entry in items.items() if "seen" not in entry} == {"fail", "raise", "leave", "die"}
    assert items["die"]["rc"] == 137
    assert [entry["outcome"] for entry in ours[1:]] == ["ok", "ignored", "ok", "ignored", "ignored"]
    assert ours[3]["result"]["changed"] is False
    assert "censored" in ours[4]["result"]


def test_arguments_are_not_shown_to_those_who_debug_ansible(probe: Installation) -> None:
    playbook = probe.elsewhere / "one.yml"
    task = {"name": "Probe", "test.in_worker.probe": {"what": "fail", "secret": "{{ lookup('ansible.builtin.env', 'PROBE_SECRET') }}"}}
    playbook.write_text(json.dumps([{"name": "One", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    for way in ("true", "false"):
        _, said = run(probe, playbook=playbook, ANSIBLE_DEBUG="1", SPOT_EVENTBRIDGE_IMPORT_MODULES=way)
        assert "done with _execute_module" in said
        assert SECRET not in said


# Keywords of a task, and why it has to be run in the ordinary way; empty if it has not.
OBSTACLES: dict[str, tuple[dict[str, Any], str]] = {
    "plain": ({}, ""),
    "this interpreter": ({"vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}, ""),
    "any interpreter": ({"vars": {"ansible_python_interpreter": "auto_silent"}}, ""),
    "async": ({"async": 60, "poll": 1}, "it is asynchronous"),
    "environment": ({"environment": {"PROBE": "given"}}, "it has an environment of its own"),
    "interpreter": ({"vars": {"ansible_python_interpreter": "/usr/bin/env python3"}}, "its interpreter is /usr/bin/env python3"),
    "variable": ({"vars": {"spot_eventbridge_import_modules": "{{ 1 == 2 }}"}}, "spot_eventbridge_import_modules is false"),
    "become": ({"become": True, "become_method": "ansible.builtin.su"}, "it becomes another user"),
    "delegated": ({"delegate_to": "elsewhere"}, "the connection is not local"),
}


def test_ordinary_way_is_taken_where_it_may_differ(probe: Installation) -> None:
    asked = {"test.in_worker.probe": {"what": "nothing"}, "ignore_errors": True, "ignore_unreachable": True}
    tasks = [{"name": name, **asked, **keywords} for name, (keywords, _) in OBSTACLES.items()]
    playbook = probe.elsewhere / "one.yml"
    playbook.write_text(json.dumps([{"name": "Obstacles", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    results, said = run(probe, "-vvv", playbook=playbook, ANSIBLE_SSH_EXECUTABLE="/bin/false", ANSIBLE_SSH_RETRIES="0")
    told = [line.rpartition("in a process of its own: ")[2] for line in said.splitlines() if "in a process of its own" in line]
    assert told == [obstacle for _, obstacle in OBSTACLES.values() if obstacle]
    (given,) = [entry["result"]["environment"] for entry in results if entry["task"] == "environment"]
    assert given == "given"
