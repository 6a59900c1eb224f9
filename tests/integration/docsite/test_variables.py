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
from tests.tools.role_variables import NAME, PREFIX, Option, defaults, entries, every_option, heeded_by_role, options, roles

# What roles leave behind.
RESULTS = {"spot_eventbridge_result", "spot_eventbridge_verify_result", "spot_eventbridge_stack_set_result"}
ROLE = pytest.mark.parametrize("role", roles())


def taken_from(role: str) -> set[str]:
    """The roles whose variables a role takes as well, as its argument spec says."""
    said = " ".join(sentence for spec in entries(role).values() for sentence in spec["description"])
    return set(re.findall(rf"Takes the variables of the role P\({re.escape(PREFIX)}(\w+)#role\)", said))


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
    without = {name for name, option in options(role).items() if not option.spec.get("required") and name not in defaults(role)}
    # One of them is told by each role, and has its default where it is read.
    assert without <= {"spot_eventbridge_fail_at_end"}


@ROLE
def test_every_variable_that_the_tasks_name_is_documented(role: str) -> None:
    known = set(options(role)).union(*(options(other) for other in taken_from(role)))
    assert heeded_by_role(role) - known == set()


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
    variables = {found for found in named if not found.startswith("_")} - others - RESULTS
    assert variables - set(every_option()) == set()


def test_onboarding_hands_over_by_each_channel_that_there_is() -> None:
    channels = {name for name, value in defaults("spot_eventbridge_notify").items() if value == {}}
    assert len(channels) >= 4
    playbook = (CHECKOUT / "playbooks" / "onboard.yml").read_text(encoding="utf-8")
    assert channels == set(re.findall(r"(spot_eventbridge_notify_\w+) is defined", playbook))
