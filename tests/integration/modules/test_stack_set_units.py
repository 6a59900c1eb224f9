# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack set whose permissions AWS Organizations gives: organizational units, automatic deployment, a delegated administrator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.modules.accounts import (
    ADMINISTRATOR,
    FIRST,
    LATE,
    LATE_SPOT_ACCOUNT,
    NAME,
    REGIONS,
    SECOND,
    SPOT_ACCOUNTS,
    STACK_SETS,
    THIRD,
    Accounts,
    each,
)
from tests.integration.modules.runner import Run
from tests.sandbox.client import Sandbox

REGION = REGIONS[:1]
ALL = {**SPOT_ACCOUNTS, LATE: LATE_SPOT_ACCOUNT}
ABSENT: dict[str, Any] = {"state": "absent", "template_body": None, "spot_accounts": None, "regions": None, "organizational_unit_ids": None}


@dataclass
class Organization:
    """An organization: `unit` has two accounts, a unit in it has the third; a fourth is elsewhere."""

    accounts: Accounts
    root: str
    unit: str
    apply: Callable[..., Run]

    def run(self, **changes: Any) -> Run:
        """Run the module for the unit, in one region."""
        given = {"permission_model": "service_managed", "organizational_unit_ids": [self.unit], "regions": REGION, **changes}
        return self.apply(**{"auto_deployment": {"enabled": True}, **given} if given.get("state") != "absent" else given)

    def made(self, **changes: Any) -> Run:
        """The same, where nothing may fail."""
        done = self.run(**changes)
        assert not done.failed, done.message
        return done


@pytest.fixture
def organization(accounts: Accounts, stack_set: Callable[..., Run]) -> Organization:
    root = accounts.organize()
    unit = accounts.unit(root, FIRST, SECOND, name="spot")
    accounts.unit(unit, THIRD, name="inner")
    accounts.sandbox.add_organization_account(LATE)
    return Organization(accounts, root, unit, stack_set)


def test_the_accounts_of_a_unit_and_of_those_in_it_are_deployed_to(organization: Organization) -> None:
    predicted, done = organization.made(check=True), organization.made()
    assert (
        predicted.operations
        == done.operations
        == [
            ("create_stack_set", [], []),
            *(("create_stack_instances", [account], REGION) for account in SPOT_ACCOUNTS),
        ]
    )
    assert organization.accounts.delivered(SPOT_ACCOUNTS, REGION) == each(SPOT_ACCOUNTS, REGION)
    assert {entry["organizational_unit_id"] for entry in done.answer["instances"]} == {organization.unit}
    assert done.answer["stack_set"]["auto_deployment"]["enabled"] is True
    again = organization.made()
    assert (again.changed, again.operations) == (False, [])


@pytest.mark.slow
def test_an_account_that_is_moved_into_the_unit_joins_by_itself_and_then_gets_its_spot_account(organization: Organization) -> None:
    organization.made()
    accounts = organization.accounts
    accounts.move(LATE, organization.root, organization.unit)
    assert accounts.instances()[(LATE, REGION[0])] == "CURRENT"
    # Nobody knows its Spot account yet, and so nothing is sent that another might be taken for.
    assert accounts.delivered({LATE: LATE_SPOT_ACCOUNT}, REGION) == {}
    assert accounts.sandbox.notifications() == []

    unknown = organization.made()
    assert unknown.operations == []
    assert unknown.answer["accounts_without_spot_account"] == [LATE]
    assert unknown.warnings == [
        f"{LATE} of the organizational units: no Spot account is known, so nothing was deployed there. "
        "Name it in spot_accounts, or the AWS account in excluded_accounts."
    ]

    known = organization.made(spot_accounts=ALL)
    assert known.operations == [("update_stack_instances", [LATE], REGION)]
    assert accounts.delivered(ALL, REGION) == each(ALL, REGION)
    assert not organization.made(spot_accounts=ALL).changed


@pytest.mark.slow
def test_an_account_that_leaves_loses_its_instances_by_itself_or_with_the_next_run(organization: Organization) -> None:
    organization.made()
    organization.accounts.move(SECOND, organization.unit, organization.root)
    assert (SECOND, REGION[0]) not in organization.accounts.instances()
    done = organization.made(auto_deployment={"enabled": False})
    assert [action for action, _, _ in done.operations] == ["update_stack_set"]
    assert done.warnings == [f"{SECOND} left out: not in the organizational units."]
    organization.accounts.move(FIRST, organization.unit, organization.root)
    assert (FIRST, REGION[0]) in organization.accounts.instances()
    done = organization.made(auto_deployment={"enabled": False})
    assert done.operations == [("delete_stack_instances", [FIRST], REGION)]


@pytest.mark.slow
def test_excluded_accounts_are_left_out_and_lose_what_they_have(organization: Organization) -> None:
    done = organization.made(excluded_accounts=[SECOND])
    assert [accounts for _, accounts, _ in done.operations[1:]] == [[FIRST], [THIRD]]
    organization.made()
    done = organization.made(excluded_accounts=[SECOND])
    assert done.operations == [("delete_stack_instances", [SECOND], REGION)]
    assert (SECOND, REGION[0]) not in organization.accounts.instances()


def test_the_accounts_may_be_named(organization: Organization) -> None:
    organization.made(accounts=[FIRST])
    assert set(organization.accounts.instances()) == {(FIRST, REGION[0])}


def test_one_spot_account_for_whole_units_takes_one_operation(organization: Organization) -> None:
    done = organization.made(spot_accounts=None, default_spot_account=SPOT_ACCOUNTS[FIRST])
    assert [action for action, _, _ in done.operations] == ["create_stack_set", "create_stack_instances"]
    assert set(organization.accounts.instances()) == {(account, REGION[0]) for account in SPOT_ACCOUNTS}
    organization.accounts.move(LATE, organization.root, organization.unit)
    assert not organization.made(spot_accounts=None, default_spot_account=SPOT_ACCOUNTS[FIRST]).changed


def test_whole_units_but_for_an_account(organization: Organization) -> None:
    organization.made(spot_accounts=None, default_spot_account=SPOT_ACCOUNTS[FIRST], excluded_accounts=[SECOND])
    assert set(organization.accounts.instances()) == {(FIRST, REGION[0]), (THIRD, REGION[0])}


def test_the_management_account_is_told_that_it_is_left_out(organization: Organization) -> None:
    done = organization.made(organizational_unit_ids=[organization.root], spot_accounts={**ALL, ADMINISTRATOR: "act-d7320fba"})
    assert done.warnings == [f"AWS does not deploy to the management account {ADMINISTRATOR}: onboard it with spot.eventbridge.onboard."]
    assert set(organization.accounts.instances()) == {(account, REGION[0]) for account in ALL}


def test_a_suspended_account_is_told_that_it_is_left_out(organization: Organization) -> None:
    organization.accounts.organizations.close_account(AccountId=SECOND)
    done = organization.made()
    assert done.warnings == [f"{SECOND} left out: not active in the organisation."]
    assert set(organization.accounts.instances()) == {(FIRST, REGION[0]), (THIRD, REGION[0])}


@pytest.mark.slow
def test_a_delegated_administrator_does_it_from_another_account(organization: Organization, sandbox: Sandbox) -> None:
    organization.accounts.organizations.register_delegated_administrator(AccountId=FIRST, ServicePrincipal=STACK_SETS)
    keys = organization.accounts.keys(FIRST)
    delegated = {
        "call_as": "delegated_admin",
        "access_key": keys["AccessKeyId"],
        "secret_key": keys["SecretAccessKey"],
        "session_token": keys["SessionToken"],
    }
    organization.made(**delegated)
    assert organization.accounts.delivered(SPOT_ACCOUNTS, REGION) == each(SPOT_ACCOUNTS, REGION)
    other = {**SPOT_ACCOUNTS, SECOND: "act-b1e4f7a3"}
    assert organization.made(**delegated, spot_accounts=other).operations == [("update_stack_instances", [SECOND], REGION)]
    assert not organization.made(**delegated, spot_accounts=other).changed
    organization.made(**delegated, **ABSENT)
    assert organization.accounts.left() == []


def test_who_is_no_delegated_administrator_is_told(organization: Organization) -> None:
    keys = organization.accounts.keys(FIRST)
    given = {"access_key": keys["AccessKeyId"], "secret_key": keys["SecretAccessKey"], "session_token": keys["SessionToken"]}
    done = organization.run(**given, call_as="delegated_admin")
    assert done.failed
    assert done.message.startswith(f"stack set {NAME}: ")
    assert "organizations:ListDelegatedAdministrators" in done.message
    assert "organizations:RegisterDelegatedAdministrator" in done.message


def test_a_unit_that_is_not_there_is_named(organization: Organization) -> None:
    done = organization.run(organizational_unit_ids=["ou-abcd-12345678"])
    assert "OrganizationalUnit: there is no organizational unit ou-abcd-12345678 in the organization" in done.message
    assert organization.accounts.writes() == []


@pytest.mark.slow
def test_removal_takes_all_of_the_units(organization: Organization) -> None:
    organization.made()
    organization.accounts.move(LATE, organization.root, organization.unit)
    predicted, done = organization.made(check=True, **ABSENT), organization.made(**ABSENT)
    assert predicted.operations == done.operations
    assert [action for action, _, _ in done.operations] == ["delete_stack_instances", "delete_stack_set"]
    assert organization.accounts.left() == []
    assert not organization.made(**ABSENT).changed


def test_the_permission_model_of_a_stack_set_with_instances_stays(organization: Organization) -> None:
    organization.made()
    done = organization.apply(regions=REGION)
    assert "PermissionModel: the stack set spot-interruption is not SELF_MANAGED, and has 3 instances" in done.message
