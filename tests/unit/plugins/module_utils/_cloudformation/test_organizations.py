# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import Member, read_organization
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError

OU, INNER = "ou-ab12-11111111", "ou-ab12-22222222"
DESCRIBED = {"Organization": {"Id": "o-abcdefghij", "MasterAccountId": "999999999999"}}


@pytest.fixture
def client() -> t.Any:
    return boto3.Session().client("organizations", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def account(number: int, **more: str) -> dict[str, str]:
    return {"Id": f"{number:012}", "State": "ACTIVE", **more}


def test_accounts_are_found_however_deep_and_on_every_page(client: t.Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("describe_organization", DESCRIBED)
        stub.add_response("list_accounts_for_parent", {"Accounts": [account(1)], "NextToken": "n"}, {"ParentId": OU})
        suspended = {"Id": f"{2:012}", "Status": "SUSPENDED"}
        stub.add_response("list_accounts_for_parent", {"Accounts": [suspended]}, {"ParentId": OU, "NextToken": "n"})
        stub.add_response("list_organizational_units_for_parent", {"OrganizationalUnits": [{"Id": INNER}]}, {"ParentId": OU})
        stub.add_response("list_accounts_for_parent", {"Accounts": [account(3), account(4, State="CLOSED")]}, {"ParentId": INNER})
        stub.add_response("list_organizational_units_for_parent", {"OrganizationalUnits": []}, {"ParentId": INNER})
        found = read_organization(client, [OU])
        stub.assert_no_pending_responses()
    assert found.management_account == "999999999999"
    assert list(found.members.values()) == [
        Member(f"{1:012}", OU),
        Member(f"{2:012}", OU, active=False),
        Member(f"{3:012}", OU),
        Member(f"{4:012}", OU, active=False),
    ]


def test_an_account_in_two_of_the_units_belongs_to_the_first(client: t.Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("describe_organization", DESCRIBED)
        for _unit in (INNER, OU):
            stub.add_response("list_accounts_for_parent", {"Accounts": [account(1)]})
            stub.add_response("list_organizational_units_for_parent", {"OrganizationalUnits": []})
        assert read_organization(client, [INNER, OU]).members[f"{1:012}"].unit == INNER


def test_a_unit_that_is_not_there_is_named(client: t.Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("describe_organization", DESCRIBED)
        stub.add_client_error("list_accounts_for_parent", "ParentNotFoundException")
        with pytest.raises(RegionError, match=f"there is no organizational unit {OU} in the organization o-abcdefghij"):
            read_organization(client, [OU])


def test_other_refusals_pass_through(client: t.Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("describe_organization", "AccessDeniedException")
        with pytest.raises(ClientError):
            read_organization(client, [OU])
