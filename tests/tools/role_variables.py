# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables the playbooks and roles heed: what their tasks name, through all that they include, and what is said of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
PLAYBOOKS, ROLES = CHECKOUT / "playbooks", CHECKOUT / "roles"
PREFIX = "spot.eventbridge."
# Not what stands behind a dot: modules and roles are called so, too.
NAME = re.compile(r"(?<![.\w])_*spot_eventbridge_\w+")
INCLUDES = ("ansible.builtin.include_role", "ansible.builtin.import_role")
FILES = ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks")


@dataclass(frozen=True)
class Option:
    """What an argument spec says of a variable."""

    role: str
    entry: str
    name: str
    spec: dict[str, Any]

    @property
    def description(self) -> list[str]:
        """Its sentences, as in modules: a list, or one."""
        given = self.spec["description"]
        return [given] if isinstance(given, str) else list(given)


@functools.cache
def load(path: Path) -> Any:
    """A YAML file; nothing if it is not there."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None


def playbooks() -> list[str]:
    """The names of the playbooks that people run."""
    return sorted(path.stem for path in PLAYBOOKS.glob("[!_]*.yml"))


def roles() -> list[str]:
    """The names of the roles."""
    return sorted(path.parent.parent.name for path in ROLES.glob("*/meta/argument_specs.yml"))


def entries(role: str) -> dict[str, Any]:
    """The entry points of a role: what its argument spec says of each."""
    return dict(load(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"])


def options(role: str) -> dict[str, Option]:
    """The variables that a role documents, by name, at the entry point that names them first."""
    found: dict[str, Option] = {}
    for entry, spec in entries(role).items():
        for name, option in spec["options"].items():
            found.setdefault(name, Option(role, entry, name, option))
    return found


def defaults(role: str) -> dict[str, Any]:
    """The defaults of a role's variables."""
    return dict(load(ROLES / role / "defaults" / "main.yml") or {})


def every_option() -> dict[str, Option]:
    """The variables that any role documents. What several roles take is told by the one that has its default, or by the first."""
    found: dict[str, Option] = {}
    for role in roles():
        for name, option in options(role).items():
            if name not in found or name in defaults(role):
                found[name] = option
    return found


def heeded_by_playbook(playbook: str) -> set[str]:
    """The variables of roles that change what a playbook does, without those that it sets itself."""
    plays = _plays(playbook)
    constant = {name for name, value in given_variables(playbook).items() if "{{" not in str(value)}
    found = set().union(
        *(_of_tasks(None, play.get("tasks", []), play.get("vars", {})) | _named(None, play.get("vars", {})) for play in plays)
    )
    return found - constant - set().union(*(_made_by_role(name) for name in roles()), _made(plays))


def heeded_by_entry(role: str, entry: str) -> set[str]:
    """The variables that an entry point of a role names, through all that it includes, without those that the roles make themselves."""
    made = set().union(*(_made_by_role(name) for name in roles())) - set(entries(role)[entry]["options"])
    return _of_file(role, entry, {}) - made


def heeded_by_role(role: str) -> set[str]:
    """The variables that the entry points of a role name."""
    return set().union(*(heeded_by_entry(role, entry) for entry in entries(role)))


def account_variables() -> dict[str, Any]:
    """What the playbooks make of the variables of an account."""
    return {name: value for name, value in load(PLAYBOOKS / "vars" / "account.yml").items() if name.startswith("spot_eventbridge_")}


def given_variables(playbook: str) -> dict[str, Any]:
    """What a playbook makes of the variables that people give."""
    files = {file for play in _plays(playbook) for file in play.get("vars_files", [])}
    found = {name: value for file in sorted(files) for name, value in load(PLAYBOOKS / file).items()}
    return {name: value for name, value in found.items() if name.startswith("spot_eventbridge_")}


def is_about_accounts(playbook: str) -> bool:
    """Whether a playbook works on the hosts of accounts, and not on all of them at once."""
    return given_variables(playbook).keys() <= account_variables().keys()


def public_name(value: str) -> str | None:
    """The variable that people give, out of the expression that takes it."""
    found = re.match(r"\{\{ query\('spot\.eventbridge\.playbook_variable', '(\w+)'", value)
    return found[1] if found else None


def _plays(playbook: str) -> list[dict[str, Any]]:
    """The plays of a playbook, and of those that it imports, which get its variables."""
    found = []
    for play in load(PLAYBOOKS / f"{playbook}.yml"):
        imported = play.get("ansible.builtin.import_playbook")
        given = play.get("vars", {})
        found += (
            [{**each, "vars": {**each.get("vars", {}), **given}} for each in _plays(imported.removesuffix(".yml"))] if imported else [play]
        )
    return found


def _of_file(role: str, name: str, given: dict[str, Any]) -> set[str]:
    """The variables of a file of tasks; of all that it may be, where a variable decides which.

    :param given: the variables that those who include it set
    """
    chosen = re.search(r"\{\{ (\w+) \}\}", name)
    if chosen and chosen[1] in given:
        return _of_file(role, name.replace(chosen[0], given[chosen[1]]), given)
    if chosen:
        choices = options(role)[chosen[1]].spec["choices"]
        return {chosen[1]}.union(*(_of_file(role, name.replace(chosen[0], choice), given) for choice in choices))
    return _of_tasks(role, load(_task_file(role, name)), given)


def _task_file(role: str, name: str) -> Path:
    """A file of tasks, which one in the folder of the work of the entry points names without it."""
    tasks, file = ROLES / role / "tasks", f"{name.removesuffix('.yml')}.yml"
    return next(path for path in (tasks / file, tasks / "work" / file) if path.exists())


def _of_tasks(role: str | None, tasks: list[dict[str, Any]], given: dict[str, Any]) -> set[str]:
    """The variables that tasks name. What a task sets is its own matter."""
    return set().union(*(_of_task(role, task, given) for task in tasks)) if tasks else set()


def _of_task(role: str | None, task: dict[str, Any], outer: dict[str, Any]) -> set[str]:
    given = {**outer, **task.get("vars", {})}
    found = set().union(*(_of_tasks(role, task.get(part, []), given) for part in ("block", "rescue", "always")))
    for action in FILES:
        if action in task:
            assert role
            file = task[action]
            found |= _of_file(role, file if isinstance(file, str) else file["file"], given)
    for action in INCLUDES:
        if action in task:
            entry = task[action].get("tasks_from", "main")
            chosen = re.fullmatch(r"\{\{ (\w+)( \| default\('\w+'\))? \}\}", entry)
            found |= _of_file(task[action]["name"].removeprefix(PREFIX), given[chosen[1]] if chosen else entry, {})
    found |= _named(role, {key: value for key, value in task.items() if key not in ("block", "rescue", "always", *FILES)})
    return found - set(task.get("vars", {}))


def _named(role: str | None, given: Any) -> set[str]:
    """The variables in the texts of anything, and in the values of those of them that a role computes."""
    names = {name for text in _texts(given) for name in NAME.findall(text)}
    computed = {**_computed(role), **(defaults(role) if role else {})} if role else {}
    seen: set[str] = set()
    while more := {name for name in names if name in computed} - seen:
        seen |= more
        names |= {found for name in more for text in _texts(computed[name]) for found in NAME.findall(text)}
    return {name for name in names if not name.startswith("_")}


def _computed(role: str | None) -> dict[str, Any]:
    """The variables of all roles that no one may set: roles leave them to each other."""
    return {name: value for each in roles() for name, value in (load(ROLES / each / "vars" / "main.yml") or {}).items()} if role else {}


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for key, value in given.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(given, list):
        for value in given:
            yield from _texts(value)


def _made(tasks: Any) -> set[str]:
    """The variables that tasks make: facts and registered results."""
    found: set[str] = set()
    if isinstance(tasks, dict):
        found |= set(tasks.get("ansible.builtin.set_fact", {})) | {str(tasks.get("register"))}
        for value in tasks.values():
            found |= _made(value)
    elif isinstance(tasks, list):
        found = set().union(*map(_made, tasks)) if tasks else set()
    return found


def _made_by_role(role: str) -> set[str]:
    return set().union(*(_made(load(path)) for path in (ROLES / role / "tasks").rglob("*.yml")))
