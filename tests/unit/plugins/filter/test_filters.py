# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter import onboarding_rows, region_table, region_values

REGIONS = {
    "us-east-1": {"action": "created", "changed": True, "connection": {"connection_arn": "arn:1"}},
    "eu-west-1": {"action": "failed", "changed": False, "error": {"code": "X", "message": "y"}},
    "eu-north-1": {"action": "deleted", "changed": True, "connection": None},
    "eu-south-1": {"action": "created", "changed": True, "connection": {}},
}


@pytest.mark.parametrize("module", [onboarding_rows, region_table, region_values])
def test_a_file_has_the_one_filter_of_its_name(module: t.Any) -> None:
    name = module.__name__.rpartition(".")[2]
    assert module.FilterModule().filters() == {name: getattr(module, name)}


def test_values_are_taken_from_the_regions_that_have_them() -> None:
    assert region_values.region_values(REGIONS, "connection", "connection_arn") == {"us-east-1": "arn:1"}


def test_no_regions_have_no_values() -> None:
    assert region_values.region_values({}, "connection", "connection_arn") == {}


@pytest.mark.parametrize("wrong", [None, "us-east-1", ["us-east-1"], 1])
def test_values_of_what_are_no_regions_are_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes the 'regions' of a module's answer"):
        region_values.region_values(wrong, "connection", "connection_arn")


def test_rows_are_made_of_answers() -> None:
    (row,) = onboarding_rows.onboarding_rows([{"eu-west-1": REGIONS["eu-west-1"]}])
    assert row["summary"] == "eu-west-1 unknown: X: y"


@pytest.mark.parametrize("wrong", [None, "regions", 1, {"us-east-1": {}}])
def test_rows_of_what_are_no_answers_are_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of the 'regions'"):
        onboarding_rows.onboarding_rows(wrong)


def test_a_table_is_made_of_rows() -> None:
    lines = region_table.region_table([{"region": "us-east-1", "status": "active", "done": "created", "reason": ""}], "Production")
    assert lines[0] == "Production, 1 region, 1 active"


@pytest.mark.parametrize("wrong", [None, "rows", 1, {"region": "us-east-1"}])
def test_a_table_of_what_are_no_rows_is_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of rows"):
        region_table.region_table(wrong)
