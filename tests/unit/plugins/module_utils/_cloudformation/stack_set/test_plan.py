# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import Member
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import Operation
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.plan import Attempts, plan
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Instance
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Parameter, Template
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from tests.unit.plugins.module_utils._cloudformation.stack_set.stack_sets import (
    NEW,
    OTHER_OU,
    OU,
    REGIONS,
    SPOT,
    TOKEN,
    A,
    B,
    C,
    desired,
    instance,
    instances,
    nothing,
    of_organization,
    of_units,
    organization,
    reading,
    told,
)

ALL = ("ap-south-1", "eu-west-1", "us-east-1")


def overrides(operation: Operation) -> dict[str, str | None]:
    """The parameters that an operation gives; None where the previous value stays."""
    return {item["ParameterKey"]: item.get("ParameterValue") for item in operation.arguments.get("ParameterOverrides", [])}


def but(*changed: Instance) -> dict[tuple[str, str], Instance]:
    """Nine instances that are as they shall be, but for some."""
    return {**instances(), **{there.pair: there for there in changed}}


def in_units(desired_set: StackSet, found: t.Any = None, *members: t.Any) -> t.Any:
    there = {pair: dataclasses.replace(one, unit=one.unit or OU) for pair, one in (found or {}).items()}
    return plan(desired_set, reading(of_organization(), there, organization=organization(*members)))


class TestAStackSetThatIsNotThere:
    def test_it_is_made_and_then_an_operation_for_each_spot_account(self) -> None:
        found = plan(desired(), nothing())
        assert told(found.operations) == [
            ("create_stack_set", (), ()),
            ("create_stack_instances", (A,), REGIONS),
            ("create_stack_instances", (B,), REGIONS),
            ("create_stack_instances", (C,), REGIONS),
        ]
        assert [overrides(operation) for operation in found.operations[1:]] == [{"SpotAccountId": SPOT[account]} for account in SPOT]
        assert found.operations[1].arguments["Accounts"] == [A]

    def test_first_comes_the_stack_set_alone(self) -> None:
        assert told(plan(desired(), nothing()).stage) == [("create_stack_set", (), ())]

    def test_accounts_that_share_a_spot_account_share_an_operation(self) -> None:
        found = plan(desired(spot_accounts={A: "act-aaaaaaaa", B: "act-bbbbbbbb", C: "act-aaaaaaaa"}), nothing())
        assert told(found.operations)[1:] == [
            ("create_stack_instances", (A, C), REGIONS),
            ("create_stack_instances", (B,), REGIONS),
        ]

    def test_accounts_with_the_default_override_nothing(self) -> None:
        given = desired(accounts=frozenset({A, NEW}), default_spot_account="act-dddddddd")
        found = plan(given, nothing())
        assert [(operation.accounts, overrides(operation)) for operation in found.operations[1:]] == [
            ((A,), {"SpotAccountId": SPOT[A]}),
            ((NEW,), {}),
        ]

    def test_nothing_of_it_shows_the_token(self) -> None:
        assert TOKEN not in repr(plan(desired(), nothing()))

    def test_without_a_token_it_cannot_be_made(self) -> None:
        with pytest.raises(ArgumentError, match="There is no Spot token"):
            plan(desired(token=""), nothing())

    def test_the_diff_names_each_account_once(self) -> None:
        headers = [entry["after_header"] for entry in plan(desired(), nothing()).diff]
        assert headers == ["stack set spot", *(f"AWS account {account}" for account in SPOT)]


class TestAStackSetThatIsThere:
    def test_as_it_shall_be_it_is_left_alone(self) -> None:
        found = plan(desired(token=""), reading())
        assert (found.operations, found.diff, found.left, found.set_left) == ((), (), {}, ())

    def test_a_missing_instance_is_made_and_no_other_touched(self) -> None:
        there = instances()
        del there[(B, "eu-west-1")]
        found = plan(desired(), reading(found=there))
        assert told(found.operations) == [("create_stack_instances", (B,), ("eu-west-1",))]
        assert overrides(found.operations[0]) == {"SpotAccountId": SPOT[B]}

    def test_a_new_account_gets_its_instances(self) -> None:
        found = plan(desired(spot_accounts={**SPOT, NEW: "act-dddddddd"}), reading())
        assert told(found.operations) == [("create_stack_instances", (NEW,), REGIONS)]

    def test_another_spot_account_updates_the_instances_of_its_account_alone(self) -> None:
        found = plan(desired(spot_accounts={**SPOT, B: "act-eeeeeeee"}), reading())
        assert told(found.operations) == [("update_stack_instances", (B,), REGIONS)]
        assert overrides(found.operations[0]) == {"SpotAccountId": "act-eeeeeeee"}
        (entry,) = found.diff
        assert entry["before"]["eu-west-1"] == {"status": "CURRENT", "spot_account": SPOT[B]}
        assert entry["after"]["eu-west-1"] == {"status": "CURRENT", "spot_account": "act-eeeeeeee"}

    def test_an_instance_without_an_override_has_the_spot_account_of_the_stack_set(self) -> None:
        found = plan(desired(), reading(found=but(instance(A, "eu-west-1", overrides={}))))
        assert told(found.operations) == [("update_stack_instances", (A,), ("eu-west-1",))]

    def test_an_override_is_set_to_the_default_rather_than_taken_away(self) -> None:
        found = plan(
            desired(spot_accounts={A: SPOT[A], B: SPOT[B]}, accounts=frozenset(SPOT), default_spot_account="act-dddddddd"), reading()
        )
        assert told(found.operations) == [("update_stack_set", (A, B, C), ALL), ("update_stack_instances", (C,), REGIONS)]
        assert overrides(found.operations[1]) == {"SpotAccountId": "act-dddddddd"}

    def test_what_others_override_stays(self) -> None:
        theirs = instance(A, "eu-west-1", overrides={"SpotAccountId": "act-eeeeeeee", "Endpoint": "https://x/", "Gone": "1"})
        (operation,) = plan(desired(), reading(found=but(theirs))).operations
        assert overrides(operation) == {"SpotAccountId": SPOT[A], "Endpoint": None}
        assert operation.arguments["ParameterOverrides"][1] == {"ParameterKey": "Endpoint", "UsePreviousValue": True}
        assert operation.overrides == {}

    def test_another_property_updates_the_stack_set_and_with_it_all_instances(self) -> None:
        found = plan(desired(description="other"), reading())
        assert told(found.operations) == [("update_stack_set", (A, B, C), ALL)]
        assert found.operations[0].document["instances"] == 9

    def test_the_update_comes_before_overrides_as_a_parameter_must_be_there_first(self) -> None:
        found = plan(desired(description="other", spot_accounts={**SPOT, B: "act-eeeeeeee", NEW: "act-dddddddd"}), reading())
        assert [operation.stage for operation in found.operations] == [1, 2, 2]
        assert told(found.stage) == [("update_stack_set", (A, B, C), ALL)]

    def test_what_goes_goes_first(self) -> None:
        found = plan(desired(description="other", spot_accounts={A: SPOT[A], B: SPOT[B]}), reading())
        assert told(found.operations) == [("delete_stack_instances", (C,), ALL), ("update_stack_set", (A, B, C), ALL)]
        assert found.operations[0].arguments["RetainStacks"] is False

    def test_stacks_may_be_retained(self) -> None:
        found = plan(desired(spot_accounts={A: SPOT[A], B: SPOT[B]}, retain_stacks=True), reading())
        assert found.operations[0].arguments["RetainStacks"] is True

    def test_regions_that_are_no_longer_wanted_are_given_up_in_all_accounts_at_once(self) -> None:
        found = plan(desired(regions=REGIONS[:2]), reading())
        assert told(found.operations) == [("delete_stack_instances", (A, B, C), ("ap-south-1",))]


class TestInstancesThatFailed:
    @pytest.mark.parametrize(
        ("status", "detailed"),
        [("OUTDATED", "FAILED"), ("OUTDATED", "CANCELLED"), ("OUTDATED", "PENDING"), ("OUTDATED", ""), ("CURRENT", "FAILED")],
    )
    def test_they_are_tried_again_with_what_they_have(self, status: str, detailed: str) -> None:
        failed = [instance(account, "eu-west-1", status=status, detailed_status=detailed) for account in (A, B)]
        (operation,) = plan(desired(), reading(found=but(*failed))).operations
        assert told([operation]) == [("update_stack_instances", (A, B), ("eu-west-1",))]
        assert "ParameterOverrides" not in operation.arguments

    def test_a_wrong_spot_account_is_put_right_in_the_same_go(self) -> None:
        failed = instance(A, "eu-west-1", status="OUTDATED", overrides={})
        (operation,) = plan(desired(), reading(found=but(failed))).operations
        assert overrides(operation) == {"SpotAccountId": SPOT[A]}

    def test_an_update_of_the_stack_set_tries_them_all_again(self) -> None:
        found = plan(desired(description="other"), reading(found=but(instance(A, "eu-west-1", status="OUTDATED"))))
        assert [operation.action for operation in found.operations] == ["update_stack_set"]

    def test_what_is_inoperable_is_removed_and_made_anew(self) -> None:
        found = plan(desired(), reading(found=but(instance(A, "eu-west-1", status="INOPERABLE"))))
        assert told(found.operations) == [
            ("delete_stack_instances", (A,), ("eu-west-1",)),
            ("create_stack_instances", (A,), ("eu-west-1",)),
        ]

    def test_a_suspended_account_is_left_alone_where_nobody_knows_better(self) -> None:
        skipped = instance(A, "eu-west-1", status="OUTDATED", detailed_status="SKIPPED_SUSPENDED_ACCOUNT")
        found = plan(desired(), reading(found=but(skipped)))
        assert found.operations == ()
        assert found.notes == (f"AWS left {A} out, as it is suspended.",)

    def test_an_account_that_is_active_again_is_tried_again(self) -> None:
        skipped = instance(A, "eu-west-1", status="OUTDATED", detailed_status="SKIPPED_SUSPENDED_ACCOUNT")
        assert told(in_units(of_units(), but(skipped)).operations) == [("update_stack_instances", (A,), ("eu-west-1",))]


class TestNothingIsTriedTwice:
    def attempts(self, *made: tuple[str, tuple[str, ...], tuple[str, ...]]) -> Attempts:
        return Attempts.of([{"action": action, "accounts": accounts, "regions": regions} for action, accounts, regions in made])

    def test_a_missing_instance_that_was_made_in_vain_is_told(self) -> None:
        there = instances(A, B)
        found = plan(desired(), reading(found=there), self.attempts(("create_stack_instances", (C,), REGIONS)))
        assert found.operations == ()
        assert found.left == {(C, region): "was not made" for region in REGIONS}

    @pytest.mark.parametrize("action", ["create_stack_instances", "update_stack_instances", "update_stack_set"])
    def test_a_failed_instance_is_told_with_its_reason(self, action: str) -> None:
        failed = instance(A, "eu-west-1", status="OUTDATED", reason="no role")
        found = plan(desired(), reading(found=but(failed)), self.attempts((action, (A,), REGIONS)))
        assert (found.operations, found.left) == ((), {(A, "eu-west-1"): "no role"})

    def test_an_update_of_the_stack_set_is_no_try_at_an_override(self) -> None:
        there = but(instance(A, "eu-west-1", overrides={}))
        found = plan(desired(), reading(found=there), self.attempts(("update_stack_set", (A,), REGIONS)))
        assert told(found.operations) == [("update_stack_instances", (A,), ("eu-west-1",))]

    def test_an_override_that_does_not_hold_is_told(self) -> None:
        there = but(instance(A, "eu-west-1", overrides={}))
        found = plan(desired(), reading(found=there), self.attempts(("update_stack_instances", (A,), REGIONS)))
        assert (found.operations, found.left) == ((), {(A, "eu-west-1"): "has another Spot account"})

    def test_what_stays_inoperable_needs_a_hand(self) -> None:
        there = but(instance(A, "eu-west-1", status="INOPERABLE", reason="protected", stack_id="arn:1"))
        found = plan(desired(), reading(found=there), self.attempts(("delete_stack_instances", (A,), REGIONS)))
        assert found.operations == ()
        assert found.left[(A, "eu-west-1")] == (
            "is INOPERABLE: AWS could not remove its stack: protected. "
            "Remove the instance with retain_stacks=true, then the stack arn:1 by hand"
        )

    def test_what_was_removed_is_made_anew(self) -> None:
        there = instances()
        del there[(A, "eu-west-1")]
        found = plan(desired(), reading(found=there), self.attempts(("delete_stack_instances", (A,), REGIONS)))
        assert told(found.operations) == [("create_stack_instances", (A,), ("eu-west-1",))]

    def test_an_unwanted_instance_that_does_not_go_is_told(self) -> None:
        given = desired(spot_accounts={A: SPOT[A], B: SPOT[B]})
        found = plan(given, reading(), self.attempts(("delete_stack_instances", (C,), REGIONS)))
        assert found.operations == ()
        assert found.left == {(C, region): "was not removed" for region in REGIONS}

    def test_a_property_that_does_not_hold_is_told(self) -> None:
        found = plan(desired(description="other"), reading(), self.attempts(("update_stack_set", SPOT, REGIONS)))
        assert (found.operations, found.set_left) == ((), ("description",))

    def test_a_token_that_is_always_written_is_written_once(self) -> None:
        given = desired(update_token="always")
        assert [operation.action for operation in plan(given, reading()).operations] == ["update_stack_set"]
        assert plan(given, reading(), self.attempts(("update_stack_set", SPOT, REGIONS))).operations == ()


class TestOrganizationalUnits:
    def test_overrides_are_given_to_accounts_within_their_unit(self) -> None:
        found = in_units(of_units(OU, OTHER_OU), {}, A, B, Member(C, OTHER_OU))
        assert [operation.arguments["DeploymentTargets"] for operation in found.operations] == [
            {"OrganizationalUnitIds": [OU], "Accounts": [A], "AccountFilterType": "INTERSECTION"},
            {"OrganizationalUnitIds": [OU], "Accounts": [B], "AccountFilterType": "INTERSECTION"},
            {"OrganizationalUnitIds": [OTHER_OU], "Accounts": [C], "AccountFilterType": "INTERSECTION"},
        ]

    def test_whole_units_are_named_alone(self) -> None:
        given = of_units(OU, OTHER_OU, spot_accounts={}, default_spot_account="act-dddddddd")
        operation = plan(given, nothing(organization=organization())).operations[1]
        assert operation.arguments["DeploymentTargets"] == {"OrganizationalUnitIds": [OU, OTHER_OU]}
        assert operation.accounts == (A, B, C)

    def test_whole_units_but_for_a_few_accounts_exclude_these(self) -> None:
        given = of_units(spot_accounts={}, default_spot_account="act-dddddddd", excluded_accounts=frozenset({B}))
        operation = plan(given, nothing(organization=organization())).operations[1]
        assert operation.arguments["DeploymentTargets"] == {
            "OrganizationalUnitIds": [OU],
            "Accounts": [B],
            "AccountFilterType": "DIFFERENCE",
        }

    def test_who_calls_is_said_in_every_operation(self) -> None:
        given = of_units(delegated_admin=True, spot_accounts={A: SPOT[A], B: "act-eeeeeeee"}, description="other")
        operations = in_units(given, {**instances(B), (A, "us-west-2"): instance(A, "us-west-2")}).operations
        assert {operation.action for operation in operations} == {
            "delete_stack_instances",
            "update_stack_set",
            "create_stack_instances",
            "update_stack_instances",
        }
        assert all(operation.arguments["CallAs"] == "DELEGATED_ADMIN" for operation in operations)

    def test_instances_are_found_by_the_unit_that_they_were_made_by(self) -> None:
        there = {pair: dataclasses.replace(one, unit=OTHER_OU) for pair, one in instances(A).items()}
        (operation,) = in_units(of_units(spot_accounts={A: "act-eeeeeeee"}), there, A).operations
        assert operation.arguments["DeploymentTargets"]["OrganizationalUnitIds"] == [OTHER_OU]

    def test_or_by_the_unit_that_their_account_is_in_where_aws_does_not_say(self) -> None:
        there = reading(of_organization(), instances(A), organization=organization(Member(A, OTHER_OU)))
        (operation,) = plan(of_units(OTHER_OU, spot_accounts={A: "act-eeeeeeee"}), there).operations
        assert operation.arguments["DeploymentTargets"]["OrganizationalUnitIds"] == [OTHER_OU]

    def test_an_account_that_auto_deployment_brought_gets_its_own_spot_account(self) -> None:
        there = {**instances(), **instances(NEW)}
        found = in_units(of_units(spot_accounts={**SPOT, NEW: "act-dddddddd"}), there, *SPOT, NEW)
        assert told(found.operations) == [("update_stack_instances", (NEW,), REGIONS)]

    def test_and_keeps_what_it_has_until_somebody_knows_it(self) -> None:
        found = in_units(of_units(), {**instances(), **instances(NEW)}, *SPOT, NEW)
        assert found.operations == ()
        assert found.without_spot_account == (NEW,)
        assert found.effective[(NEW, "eu-west-1")] == "act-00000000"

    def test_an_operation_has_at_most_fifty_units(self) -> None:
        accounts = [f"5{number:011}" for number in range(120)]
        members = [Member(account, f"ou-ab12-{number:08}") for number, account in enumerate(accounts)]
        units = [member.unit for member in members]
        given = of_units(*units, spot_accounts=dict.fromkeys(accounts, "act-dddddddd"))
        operations = in_units(given, {}, *members).operations
        named = [operation.arguments["DeploymentTargets"]["OrganizationalUnitIds"] for operation in operations]
        assert [len(some) for some in named] == [50, 50, 20]
        assert sum((operation.accounts for operation in operations), ()) == tuple(accounts)


class TestPreferences:
    def test_they_go_with_every_operation_on_instances(self) -> None:
        found = plan(desired(description="other", spot_accounts={A: SPOT[A], B: "act-eeeeeeee", NEW: "act-dddddddd"}), reading())
        assert len({operation.action for operation in found.operations}) == 4
        for operation in found.operations:
            assert operation.arguments["OperationPreferences"]["MaxConcurrentPercentage"] == 100

    def test_an_order_names_the_regions_of_the_operation_only(self) -> None:
        preferences = {"RegionConcurrencyType": "SEQUENTIAL", "RegionOrder": ["eu-west-1", "us-east-1"]}
        there = instances()
        del there[(A, "eu-west-1")], there[(B, "ap-south-1")]
        found = plan(desired(operation_preferences=preferences), reading(found=there))
        assert [operation.arguments["OperationPreferences"] for operation in found.operations] == [
            {"RegionConcurrencyType": "SEQUENTIAL", "RegionOrder": ["eu-west-1"]},
            {"RegionConcurrencyType": "SEQUENTIAL"},
        ]


class TestRemoval:
    GONE = StackSet("spot", present=False)

    def test_all_instances_go_and_then_the_stack_set(self) -> None:
        found = plan(self.GONE, reading())
        assert told(found.operations) == [("delete_stack_instances", (A, B, C), ALL), ("delete_stack_set", (), ())]
        assert found.operations[0].arguments["Accounts"] == [A, B, C]
        assert [operation.stage for operation in found.operations] == [0, 3]

    def test_in_an_organisation_with_all_that_joined_meanwhile(self) -> None:
        there = {pair: dataclasses.replace(one, unit=OU) for pair, one in instances().items()}
        found = plan(self.GONE, reading(of_organization(), there))
        assert found.operations[0].arguments["DeploymentTargets"] == {"OrganizationalUnitIds": [OU]}

    def test_instances_of_several_units_are_removed_unit_by_unit(self) -> None:
        there = {pair: dataclasses.replace(one, unit=OTHER_OU if one.account == C else OU) for pair, one in instances().items()}
        found = plan(self.GONE, reading(of_organization(), there))
        assert [operation.arguments.get("DeploymentTargets") for operation in found.operations] == [
            {"OrganizationalUnitIds": [OU], "Accounts": [A, B], "AccountFilterType": "INTERSECTION"},
            {"OrganizationalUnitIds": [OTHER_OU], "Accounts": [C], "AccountFilterType": "INTERSECTION"},
            None,
        ]

    def test_regions_that_accounts_do_not_have_are_not_named(self) -> None:
        there = instances(A)
        there[(B, "eu-west-1")] = instance(B, "eu-west-1")
        assert told(plan(self.GONE, reading(found=there)).operations)[:2] == [
            ("delete_stack_instances", (A,), ALL),
            ("delete_stack_instances", (B,), ("eu-west-1",)),
        ]

    def test_an_empty_stack_set_goes_at_once(self) -> None:
        assert told(plan(self.GONE, reading(found={})).operations) == [("delete_stack_set", (), ())]

    def test_what_is_not_there_needs_no_removal(self) -> None:
        assert plan(self.GONE, nothing()).operations == ()

    def test_as_long_as_an_instance_does_not_go_the_stack_set_stays(self) -> None:
        tried = Attempts.of([{"action": "delete_stack_instances", "accounts": [A, B, C], "regions": REGIONS}])
        left = {(A, "eu-west-1"): instance(A, "eu-west-1", status="INOPERABLE"), (B, "eu-west-1"): instance(B, "eu-west-1")}
        found = plan(self.GONE, reading(found=left), tried)
        assert found.operations == ()
        assert "by hand" in found.left[(A, "eu-west-1")]
        assert found.left[(B, "eu-west-1")] == "was not removed"

    def test_a_stack_set_that_does_not_go_is_told(self) -> None:
        tried = Attempts.of([{"action": "delete_stack_set", "accounts": [], "regions": []}])
        found = plan(self.GONE, reading(found={}), tried)
        assert (found.operations, found.set_left) == ((), ("state",))

    def test_the_diff_does_not_show_parameters(self) -> None:
        first = plan(self.GONE, reading()).diff[0]
        assert set(first["before"]) == {"description", "permission_model", "tags"}
        assert first["after"] == {}


def test_another_parameter_can_take_the_spot_account() -> None:
    template = Template({"Whose": Parameter(), "SpotToken": Parameter(hidden=True)})
    found = plan(desired(account_parameter="Whose"), nothing(template=template))
    assert overrides(found.operations[1]) == {"Whose": SPOT[A]}
