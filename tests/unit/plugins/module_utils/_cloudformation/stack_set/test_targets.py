# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import Member
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.targets import Targets, targets
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from tests.unit.plugins.module_utils._cloudformation.stack_set.stack_sets import (
    MANAGEMENT,
    NEW,
    OTHER_OU,
    OU,
    REGIONS,
    SPOT,
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
)


def in_units(*members: Member | str, found: t.Any = None, **changes: t.Any) -> Targets:
    there = reading(of_organization(), {} if found is None else found, organization=organization(*members))
    return targets(of_units(**changes), there)


def undesired(found: Targets) -> list[tuple[str, str]]:
    return [there.pair for there in found.undesired]


def test_without_an_organisation_all_that_have_a_spot_account_are_meant() -> None:
    assert targets(desired(), nothing()).accounts == SPOT


def test_accounts_say_which_of_them() -> None:
    assert targets(desired(accounts=frozenset({A, B})), nothing()).accounts == {A: SPOT[A], B: SPOT[B]}


def test_excluded_accounts_get_nothing() -> None:
    assert list(targets(desired(excluded_accounts=frozenset({B})), nothing()).accounts) == [A, C]


def test_an_account_without_a_spot_account_of_its_own_gets_the_default() -> None:
    found = targets(desired(accounts=frozenset({A, NEW}), default_spot_account="act-dddddddd"), nothing())
    assert found.accounts == {A: SPOT[A], NEW: "act-dddddddd"}


def test_in_units_those_are_meant_that_are_in_them_and_have_a_spot_account() -> None:
    found = in_units(A, B, NEW)
    assert found.accounts == {A: SPOT[A], B: SPOT[B]}
    assert found.without_spot_account == (NEW,)
    assert any(note.startswith(f"{NEW} of the organizational units: no Spot account is known") for note in found.notes)
    assert f"{C} left out: not in the organizational units." in found.notes


def test_the_management_account_is_never_deployed_to_and_that_is_said_if_it_was_asked_for() -> None:
    found = in_units(*SPOT, MANAGEMENT, spot_accounts={**SPOT, MANAGEMENT: "act-eeeeeeee"})
    assert found.accounts == SPOT
    assert found.notes == (f"AWS does not deploy to the management account {MANAGEMENT}: onboard it with spot.eventbridge.onboard.",)
    assert in_units(*SPOT, MANAGEMENT).notes == ()


def test_excluding_the_management_account_is_enough() -> None:
    given = {"spot_accounts": {**SPOT, MANAGEMENT: "act-eeeeeeee"}, "excluded_accounts": frozenset({MANAGEMENT})}
    assert in_units(*SPOT, MANAGEMENT, **given).notes == ()


def test_a_suspended_account_is_left_out_and_its_instances_stay() -> None:
    found = in_units(A, B, Member(C, OU, active=False), found=instances(C))
    assert list(found.accounts) == [A, B]
    assert undesired(found) == []
    assert found.notes == (f"{C} left out: not active in the organisation.",)


def test_excluded_accounts_of_a_unit_are_not_told_of() -> None:
    found = in_units(*SPOT, NEW, excluded_accounts=frozenset({NEW}))
    assert (found.without_spot_account, found.notes) == ((), ())


def test_with_a_default_all_of_a_unit_are_meant() -> None:
    found = in_units(*SPOT, NEW, default_spot_account="act-dddddddd")
    assert found.accounts == {**SPOT, NEW: "act-dddddddd"}
    assert found.notes == ()


def test_a_unit_that_auto_deployment_does_not_reach_yet_is_told() -> None:
    automatic = {"auto_deployment": {"Enabled": True}, "organizational_units": (OU, OTHER_OU)}
    assert in_units(*SPOT, **automatic).notes == (
        f"{OTHER_OU}: accounts that join it get no automatic deployment, as none in it has a Spot account yet.",
    )
    assert in_units(A, B, Member(C, OTHER_OU), **automatic).notes == ()


def test_many_accounts_are_not_all_named_in_a_note() -> None:
    (note,) = in_units(*SPOT, *(f"5{number:011}" for number in range(8))).notes
    assert "and 3 more of the organizational units" in note


def test_instances_in_other_regions_and_of_accounts_that_are_not_named_go() -> None:
    found = {**instances(), (A, "us-west-2"): instance(A, "us-west-2")}
    there = targets(desired(spot_accounts={A: SPOT[A], B: SPOT[B]}), reading(found=found))
    assert undesired(there) == [(A, "us-west-2"), *((C, region) for region in sorted(REGIONS))]


def test_what_auto_deployment_made_stays_in_the_wanted_regions() -> None:
    found = {(NEW, region): instance(NEW, region) for region in (*REGIONS, "us-west-2")}
    assert undesired(in_units(*SPOT, NEW, found=found)) == [(NEW, "us-west-2")]


def test_what_auto_deployment_made_in_an_excluded_account_goes() -> None:
    found = instances(NEW)
    assert undesired(in_units(*SPOT, NEW, found=found, excluded_accounts=frozenset({NEW}))) == sorted(found)


def test_an_account_that_left_the_units_loses_its_instances() -> None:
    assert undesired(in_units(A, B, found=instances())) == [(C, region) for region in sorted(REGIONS)]


def test_instances_are_kept_where_nobody_may_purge() -> None:
    there = targets(desired(spot_accounts={A: SPOT[A], B: SPOT[B]}, purge_instances=False), reading())
    assert there.undesired == ()
    assert there.notes == (f"3 instance(s) that are not desired were kept: {C} ap-south-1, {C} eu-west-1, {C} us-east-1.",)


def test_a_list_that_came_out_too_short_changes_nothing() -> None:
    with pytest.raises(RegionError) as refused:
        targets(desired(spot_accounts={A: SPOT[A]}), reading())
    assert refused.value.failure.code == "PurgeLimit"
    assert f"2 of 3 AWS accounts would lose their instances, more than purge_limit=50%: {B}, {C};" in refused.value.failure.message


def test_a_higher_limit_lets_them_go() -> None:
    assert len(targets(desired(spot_accounts={A: SPOT[A]}, purge_limit=67), reading()).undesired) == 6


def test_accounts_that_are_named_as_excluded_are_not_counted() -> None:
    assert len(targets(desired(excluded_accounts=frozenset({A, B})), reading()).undesired) == 6


def test_other_regions_for_all_accounts_are_no_loss_of_accounts() -> None:
    assert len(targets(desired(regions=("eu-west-1",)), reading()).undesired) == 6
