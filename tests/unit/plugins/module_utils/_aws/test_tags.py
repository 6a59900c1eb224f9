# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text, tag_changes, tags_after

Tags = dict[str, str]

CASES = [
    pytest.param(None, True, {}, [], {"owner": "them", "team": "a"}, id="not given: left alone"),
    pytest.param({}, False, {}, [], {"owner": "them", "team": "a"}, id="none, not purged: left alone"),
    pytest.param({}, True, {}, ["owner", "team"], {}, id="none, purged: all go"),
    pytest.param({"team": "a"}, False, {}, [], {"owner": "them", "team": "a"}, id="there already"),
    pytest.param({"team": "b"}, False, {"team": "b"}, [], {"owner": "them", "team": "b"}, id="another value"),
    pytest.param({"cost": "7"}, False, {"cost": "7"}, [], {"owner": "them", "team": "a", "cost": "7"}, id="a new one"),
    pytest.param(
        {"team": "a", "x": "1"}, False, {"team": "a", "x": "1"}, [], {"owner": "them", "team": "a", "x": "1"}, id="one differs: all"
    ),
    pytest.param({"team": "a"}, True, {}, ["owner"], {"team": "a"}, id="fewer, purged"),
    pytest.param({"team": "b"}, True, {"team": "b"}, ["owner"], {"team": "b"}, id="another value, purged"),
    pytest.param({"Team": "a"}, False, {"Team": "a"}, [], {"owner": "them", "team": "a", "Team": "a"}, id="keys mind the case"),
]


@pytest.mark.parametrize(("desired", "purge", "to_set", "to_remove", "after"), CASES)
def test_tags(desired: Tags | None, purge: bool, to_set: Tags, to_remove: list[str], after: Tags) -> None:
    current = {"owner": "them", "team": "a"}
    assert tag_changes(current, desired, purge) == (to_set, to_remove)
    assert tags_after(current, desired, purge) == after


def test_tag_values_become_text() -> None:
    assert as_text({"cost": 7, 8: True, "x": "y"}) == {"cost": "7", "8": "True", "x": "y"}


def test_tags_not_given_stay_none() -> None:
    assert as_text(None) is None
