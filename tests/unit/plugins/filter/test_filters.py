# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter import offboarding_rows, onboarding_rows, region_table

FAILED = {"action": "failed", "changed": False, "actions": {}, "notes": [], "error": {"code": "X", "message": "y"}}


@pytest.mark.parametrize("module", [onboarding_rows, offboarding_rows, region_table])
def test_a_file_has_the_one_filter_of_its_name(module: t.Any) -> None:
    name = module.__name__.rpartition(".")[2]
    assert module.FilterModule().filters() == {name: getattr(module, name)}


@pytest.mark.parametrize("filter_", [onboarding_rows.onboarding_rows, offboarding_rows.offboarding_rows])
def test_rows_are_made_of_the_regions_of_an_answer(filter_: t.Any) -> None:
    (row,) = filter_({"eu-west-1": FAILED})
    assert row["summary"] == "eu-west-1 unknown: X: y"


@pytest.mark.parametrize("filter_", [onboarding_rows.onboarding_rows, offboarding_rows.offboarding_rows])
@pytest.mark.parametrize("wrong", [None, "regions", 1, ["us-east-1"]])
def test_rows_of_what_is_no_answer_are_an_error(filter_: t.Any, wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes the 'regions' of the answer"):
        filter_(wrong)


def test_a_table_is_made_of_rows() -> None:
    lines = region_table.region_table([{"region": "us-east-1", "status": "active", "done": "created", "reason": ""}], "Production")
    assert lines[0] == "Production, 1 region, 1 active"


@pytest.mark.parametrize("wrong", [None, "rows", 1, {"region": "us-east-1"}])
def test_a_table_of_what_are_no_rows_is_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of rows"):
        region_table.region_table(wrong)
