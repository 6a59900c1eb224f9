# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regions in which there can be no integration: all modules say so with the same word, and removing leaves nothing behind unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import NAME, SPOT_ACCOUNT
from tests.integration.modules.conftest import TEMPLATE
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import NOTIFICATION, Sandbox

HERE, THERE, ELSEWHERE = "us-east-1", "ap-south-1", "eu-west-1"


class Integration:
    """The modules for one integration; every option may be given otherwise."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run = run
        self._usual = {"spot_account": SPOT_ACCOUNT, "invocation_endpoint": sandbox.spot_url + NOTIFICATION, "regions": [HERE, THERE]}
        self._token = {"spot_token": sandbox.tokens["admin"]}

    def make(self, **more: Any) -> Run:
        return self._run("spot_integration", name=NAME, **{**self._usual, **self._token, "role_name": NAME, **more})

    def stack(self, **more: Any) -> Run:
        template = {"template_body": TEMPLATE.read_text(), "parameters": {"Name": NAME, "Endpoint": self._usual["invocation_endpoint"]}}
        return self._run("spot_stack", **{"stack_name": NAME, **self._usual, **self._token, **template, **more})

    def look(self, **more: Any) -> Run:
        return self._run("spot_integration_info", name=NAME, **{**self._usual, **self._token, **more})

    def remove(self, *regions: str, check: bool = False) -> Run:
        return self._run("spot_integration", name=NAME, state="absent", role_name=NAME, regions=list(regions), check=check)


@pytest.fixture
def integration(run: Runner, sandbox: Sandbox) -> Integration:
    sandbox.settings(enabled_regions=[HERE, THERE, ELSEWHERE], stack_seconds=0)
    return Integration(run, sandbox)


def statuses(run: Run) -> dict[str, str]:
    return {row["region"]: row["status"] for row in run.answer["summary"]}


def leave_out(sandbox: Sandbox, status: str) -> None:
    if status == "unsupported":
        sandbox.settings(unsupported_regions=[THERE])
    else:
        sandbox.deny_regions([THERE])


@pytest.mark.slow
@pytest.mark.parametrize("status", ["unsupported", "denied"])
def test_all_modules_have_the_same_word_and_none_fails(integration: Integration, sandbox: Sandbox, status: str) -> None:
    leave_out(sandbox, status)
    runs = [integration.make(check=True), integration.make(), integration.look(), integration.look(stack_name="none-there")]
    runs += [integration.stack(stack_name="another", on_existing="migrate", parameters={"Name": "another"}, check=True)]
    assert [statuses(run)[THERE] for run in runs] == [status] * len(runs)
    assert [run.failed for run in runs] == [False] * len(runs)
    assert statuses(runs[1]) == {HERE: "active", THERE: status}
    assert not [call for call in sandbox.calls(writes=True) if call["region"] == THERE]


@pytest.mark.parametrize("status", ["unsupported", "denied"])
def test_a_stack_is_not_tried_there_either(integration: Integration, sandbox: Sandbox, status: str) -> None:
    leave_out(sandbox, status)
    done = integration.stack()
    assert (done.failed, statuses(done)) == (False, {HERE: "active", THERE: status})
    assert not [call for call in sandbox.calls(writes=True) if call["region"] == THERE]
    assert statuses(integration.look(stack_name=NAME)) == {HERE: "active", THERE: status}


@pytest.mark.parametrize("kind", ["service control policy", "resource control policy"])
def test_a_denied_region_has_one_line_without_advice_to_grant(integration: Integration, sandbox: Sandbox, kind: str) -> None:
    sandbox.deny_regions([THERE], kind)
    for done in (integration.make(), integration.look()):
        (row,) = [row for row in done.answer["summary"] if row["region"] == THERE]
        assert row["reason"].startswith("The organisation denies this region: AccessDenied")
        assert f"explicit deny in a {kind}" in row["reason"]
        assert "Grant" not in done.output
        assert done.answer["problem"] == ""


def test_a_denied_region_is_a_failure_for_those_who_want_it(integration: Integration, sandbox: Sandbox) -> None:
    sandbox.deny_regions([THERE])
    made, looked = integration.make(denied_regions="fail"), integration.look(denied_regions="fail")
    assert (made.failed, statuses(made)[THERE], made.answer["failed_regions"]) == (True, "denied", [THERE])
    assert THERE in made.answer["problem"]
    assert THERE in looked.answer["problem"]


def test_what_the_organization_denies_to_write_is_no_denied_region(integration: Integration, sandbox: Sandbox) -> None:
    sandbox.deny_regions([THERE], actions=["sqs:CreateQueue"])
    done = integration.make()
    assert (done.failed, statuses(done)) == (True, {HERE: "active", THERE: "incomplete"})


@pytest.mark.parametrize("service", ["cloudformation", "cloudwatch", "secretsmanager:Get"])
def test_a_region_where_the_organization_denies_a_service_of_little_matter_is_no_denied_region(
    integration: Integration, sandbox: Sandbox, service: str
) -> None:
    action = f"{service}*" if ":" in service else f"{service}:*"
    sandbox.deny_regions([THERE], actions=[action])
    done, looked = integration.make(), integration.look()
    assert (done.failed, statuses(done), statuses(looked)) == (False, *[{HERE: "active", THERE: "active"}] * 2)
    assert action.rstrip("*") in str(looked.regions[THERE]["findings"])


def test_what_an_identity_policy_denies_stays_unknown_with_advice(integration: Integration, sandbox: Sandbox) -> None:
    integration.make()
    sandbox.permit("testing", ["iam:*", "sts:*"])
    looked = integration.look()
    assert set(statuses(looked).values()) == {"unknown"}
    assert "Grant the caller the permission" in looked.answer["problem"]


def test_a_region_that_no_botocore_knows_is_onboarded_like_any_other(integration: Integration, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=[HERE, "xx-nowhere-1"])
    done = integration.make(regions=[HERE, "xx-nowhere-1"])
    assert done.answer["problem"] == ""
    assert statuses(done) == {HERE: "active", "xx-nowhere-1": "active"}


# The execution role


def has_role(sandbox: Sandbox) -> bool:
    return NAME in [role["RoleName"] for role in sandbox.boto3("iam").list_roles()["Roles"]]


def test_the_role_goes_with_the_last_region_although_only_that_was_named(integration: Integration, sandbox: Sandbox) -> None:
    integration.make(regions=[THERE])
    done = integration.remove(THERE)
    assert (done.failed, done.answer["execution_role"]["action"], has_role(sandbox)) == (False, "deleted", False)


@pytest.mark.parametrize("check", [True, False])
def test_the_role_stays_while_another_region_needs_it_and_that_is_named(integration: Integration, sandbox: Sandbox, check: bool) -> None:
    integration.make()
    done = integration.remove(HERE, check=check)
    assert (done.failed, has_role(sandbox), done.answer["execution_role"]["action"]) == (False, True, "unchanged")
    (note,) = done.answer["notes"]
    assert note == f"the execution role {NAME} was kept, as it is or may be used in: {THERE}"


def test_a_region_that_cannot_be_read_may_use_the_role(integration: Integration, sandbox: Sandbox) -> None:
    integration.make(regions=[HERE])
    sandbox.deny_regions([THERE])
    done = integration.remove(HERE)
    assert (done.failed, has_role(sandbox)) == (False, True)
    assert f"{THERE} (could not be read or cleared: AccessDenied" in done.answer["notes"][0]


def test_a_region_without_api_destinations_does_not_keep_the_role(integration: Integration, sandbox: Sandbox) -> None:
    sandbox.settings(unsupported_regions=[THERE])
    integration.make()
    assert (statuses(integration.remove(HERE, THERE)), has_role(sandbox)) == ({HERE: "absent", THERE: "unsupported"}, False)


def test_regions_that_are_not_enabled_are_named_when_the_role_goes(integration: Integration, sandbox: Sandbox) -> None:
    integration.make()
    sandbox.settings(enabled_regions=[HERE, ELSEWHERE])
    (deleted, note) = integration.remove(HERE).answer["notes"]
    assert deleted == "execution role deleted"
    assert note.startswith("resources that were made in a region before it was disabled still exist; not enabled, so not read: ")
    assert THERE in note
