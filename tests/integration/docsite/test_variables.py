# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specs of the roles, their defaults and their tasks know the same variables; other texts name no others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.tools.addresses import CHECKOUT
from tests.tools.artefact import files
from tests.tools.role_variables import (
    NAME,
    ROLES,
    Option,
    defaults,
    entries,
    every_option,
    heeded_by_entry,
    heeded_by_role,
    load,
    options,
    roles,
)

# What roles leave behind.
RESULTS = {"spot_eventbridge_result", "spot_eventbridge_stack_set_result"}
# What the action plugins of the modules read.
OF_PLUGINS = {"spot_eventbridge_import_modules"}
ROLE = pytest.mark.parametrize("role", roles())


def is_computed(value: Any) -> bool:
    return "{{" in str(value)


@ROLE
def test_every_default_is_documented_and_is_what_is_documented(role: str) -> None:
    for name, value in defaults(role).items():
        assert name in options(role), f"{name} has a default, and is not in the argument spec"
        told = options(role)[name].spec.get("default")
        if "omit" in str(value):
            assert told is None, f"{name} is left out unless it is given"
        elif is_computed(value):
            assert told, f"{name} has a default, and the argument spec does not tell it"
        else:
            assert told == value, f"{name} is documented as {told!r}"


@ROLE
def test_every_documented_variable_is_required_or_has_a_default(role: str) -> None:
    assert {name for name, option in options(role).items() if not option.spec.get("required") and name not in defaults(role)} == set()


@pytest.mark.parametrize(("role", "entry"), [(role, entry) for role in roles() for entry in entries(role)])
def test_every_variable_that_the_tasks_of_an_entry_point_name_is_documented_there(role: str, entry: str) -> None:
    assert heeded_by_entry(role, entry) - set(entries(role)[entry]["options"]) == set()


@ROLE
def test_every_documented_variable_is_one_that_the_tasks_name(role: str) -> None:
    assert set(options(role)) - heeded_by_role(role) == set()


@ROLE
def test_what_several_entry_points_take_is_of_one_type(role: str) -> None:
    found: dict[str, Option] = {}
    for entry, spec in entries(role).items():
        for name, option in spec["options"].items():
            first = found.setdefault(name, Option(role, entry, name, option))
            assert (first.spec["type"], first.spec.get("default")) == (option["type"], option.get("default"))


@pytest.mark.parametrize("name", [name for name in files() if name.endswith((".md", ".rst")) and name != "CHANGELOG.rst"])
def test_texts_name_no_variable_that_is_not_there(name: str) -> None:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    # Roles and modules have such names, too; in code spans, so as not to take them out of paths.
    named = {found for span in re.findall(r"`+([^`]+)`+", text) for found in NAME.findall(span)}
    others = {path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py")} | set(roles())
    variables = {found for found in named if not found.startswith("_")} - others - RESULTS - OF_PLUGINS
    assert variables - set(every_option()) == set()


def test_onboarding_notifies_through_each_channel_that_there_is() -> None:
    role = "spot_eventbridge"
    channels = {name for name, value in defaults(role).items() if value == {} and name.startswith("spot_eventbridge_notify_")}
    assert len(channels) >= 4
    condition = load(ROLES / role / "vars" / "main.yml")["__spot_eventbridge_notify_channels"]
    assert channels == set(re.findall(r"spot_eventbridge_notify_\w+", condition))
