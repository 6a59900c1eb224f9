# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter import spot_account_mapping


def test_the_file_has_the_one_filter_of_its_name() -> None:
    assert spot_account_mapping.FilterModule().filters() == {"spot_account_mapping": spot_account_mapping.spot_account_mapping}


def test_spot_accounts_are_made_of_hosts() -> None:
    hosts = [{"aws_account": "123456789012", "spot_account": "act-d7320fba"}]
    assert spot_account_mapping.spot_account_mapping(iter(hosts)) == {"123456789012": "act-d7320fba"}


@pytest.mark.parametrize("wrong", ["text", {"a": 1}, 5])
def test_spot_accounts_are_made_of_nothing_else(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of the variables of hosts"):
        spot_account_mapping.spot_account_mapping(wrong)


def test_a_host_that_cannot_be_right_is_an_error_of_the_filter() -> None:
    with pytest.raises(AnsibleFilterError, match="a host has no variable aws_account"):
        spot_account_mapping.spot_account_mapping([{}])
