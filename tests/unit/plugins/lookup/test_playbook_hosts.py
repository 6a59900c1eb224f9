# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first play has hosts, or the run fails: Ansible does not fail a play that does nothing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import context
from ansible.errors import AnsibleLookupError

from ansible_collections.spot.eventbridge.plugins.lookup.playbook_hosts import LookupModule

HOSTS = {"groups": {"all": ["web1"]}}


def hosts(work: str, variables: dict[str, Any]) -> list[str]:
    return LookupModule().run([work], {**HOSTS, **variables})


@pytest.mark.parametrize(
    ("work", "variables", "expected"),
    [
        ("accounts", {}, "localhost"),
        ("accounts", {"ansible_skip_tags": ["slow", "all"]}, "localhost"),
        ("accounts", {"ansible_limit": "web"}, "all:localhost"),
        ("accounts", {"ansible_limit": "localhost", "groups": {"all": []}}, "all:localhost"),
        ("stack_set", {}, "localhost"),
        ("stack_set", {"ansible_limit": "web,localhost"}, "localhost"),
    ],
)
def test_a_run_begins_with_the_controller_or_what_the_limit_leaves(work: str, variables: dict[str, Any], expected: str) -> None:
    assert hosts(work, variables) == [expected]


@pytest.mark.parametrize("work", ["accounts", "stack_set"])
@pytest.mark.parametrize("tag", ["always", "tagged"])
def test_a_tag_that_leaves_out_whole_plays_is_an_error(work: str, tag: str) -> None:
    with pytest.raises(AnsibleLookupError, match=f"With --skip-tags {tag}, nothing would be done"):
        hosts(work, {"ansible_skip_tags": ["slow", tag]})


@pytest.mark.parametrize("work", ["accounts", "stack_set"])
def test_a_start_at_a_later_task_is_an_error(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"start_at_task": "Report"})
    with pytest.raises(AnsibleLookupError, match="With --start-at-task, nothing would be done"):
        hosts(work, {})


def test_a_limit_that_leaves_nobody_is_an_error() -> None:
    with pytest.raises(AnsibleLookupError, match="The inventory has no hosts, so the limit prod leaves no account"):
        hosts("accounts", {"ansible_limit": "prod", "groups": {"all": []}})
    with pytest.raises(AnsibleLookupError, match="A stack set is one for all of its accounts, and the limit web leaves out localhost"):
        hosts("stack_set", {"ansible_limit": "web"})
