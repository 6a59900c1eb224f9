# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a visitor of the repository expects is there, in the form that GitHub reads."""

from __future__ import annotations

import pytest
import yaml

from tests.tools.addresses import CHECKOUT

POLICIES = ("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "COPYING", "CHANGELOG.rst")
GITHUB = CHECKOUT / ".github"
FORMS = sorted(path.name for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
CONTRIBUTING = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_there(name: str) -> None:
    assert (CHECKOUT / name).stat().st_size > 300


def test_versions_deprecation_and_the_loop_are_told() -> None:
    for heading in ("## The loop", "## Versions and deprecation", "## Releasing"):
        assert f"\n{heading}\n" in CONTRIBUTING


def test_there_is_a_form_for_what_is_broken_and_one_for_what_is_missing() -> None:
    assert {"bug.yml", "feature.yml"} <= set(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_one(name: str) -> None:
    form = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / name).read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    assert asked
    assert {field["type"] for field in asked} <= {"textarea", "input", "dropdown", "checkboxes"}
    assert all(field["attributes"]["label"] for field in asked)
    assert len({field["id"] for field in asked}) == len(asked)


def test_a_security_problem_has_a_way_that_is_not_public() -> None:
    config = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "config.yml").read_text(encoding="utf-8"))
    assert config["blank_issues_enabled"] is False
    assert any("security" in link["url"] for link in config["contact_links"])


@pytest.mark.parametrize("name", sorted(path.name for path in (GITHUB / "workflows").glob("*.yml")))
def test_a_workflow_may_read_and_nothing_else(name: str) -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / name).read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
