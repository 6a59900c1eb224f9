# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one execution role of an AWS account drifts: every region is concerned, and mended, without a call to any of them.

Three Spot accounts on one AWS account have three roles; one drift for each, so that one run mends all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbooks.runner import AWS_ACCOUNT, Ansible, Run
from tests.integration.verify.account import Account, failed, outcomes, statuses, writes
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

REGIONS = ["us-east-1", "eu-west-1"]
OTHERS_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def delete_role(iam: Any, name: str) -> None:
    iam.delete_role_policy(RoleName=name, PolicyName="invoke-api-destination")
    iam.delete_role(RoleName=name)


@dataclass(frozen=True)
class Drift:
    """What is done to the role of one Spot account, the check that then fails, and the status of all regions."""

    spot_account: str
    by: Callable[[Any, str], Any]
    fails: str
    status: str


DRIFTS = {
    "permission removed": Drift(
        "act-d7320fba",
        lambda iam, name: iam.delete_role_policy(RoleName=name, PolicyName="invoke-api-destination"),
        "execution_role_permission",
        "drifted",
    ),
    "trust changed": Drift(
        "act-5a9d1c02",
        lambda iam, name: iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(OTHERS_TRUST)),
        "execution_role_trust",
        "drifted",
    ),
    "role deleted": Drift("act-c0ffee00", delete_role, "execution_role", "incomplete"),
}


@dataclass(frozen=True)
class Story:
    """By drift: what was seen, and what was there after the run that mended it."""

    drifted: dict[str, dict[str, Any]]
    run: Run
    writes: list[str]
    after: dict[str, dict[str, Any]]
    notifications: list[dict[str, Any]]


@pytest.fixture(scope="module")
def stories(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """The same story twice: mended by repair, and by onboarding."""
    running.reset()
    running.add_spot_accounts([{"accountId": "act-c0ffee00", "name": "third", "providerExternalId": AWS_ACCOUNT}])
    folder = tmp_path_factory.mktemp("fleet")
    inventory = folder / "accounts.ini"
    inventory.write_text("\n".join(["[spot_accounts]", *(drift.spot_account for drift in DRIFTS.values())]))
    ansible = Ansible(running, folder / "home")
    accounts = {name: make(running, folder / drift.spot_account, drift) for name, drift in DRIFTS.items()}

    def fleet(playbook: str) -> Run:
        words = ("-e", f"spot_api_url={running.spot_url}", "-e", f"regions={','.join(REGIONS)}")
        return ansible.run(f"playbooks/{playbook}.yml", "-i", str(inventory), *words)

    def look() -> dict[str, dict[str, Any]]:
        return {name: account.look() for name, account in accounts.items()}

    def tell(playbook: str) -> Story:
        for name, drift in DRIFTS.items():
            drift.by(running.boto3("iam"), accounts[name].name)
        drifted = look()
        running.clear_calls()
        run = fleet(playbook)
        written = writes(running)
        running.clear_received()
        running.interrupt("eu-west-1")
        assert running.settled()
        return Story(drifted, run, written, look(), running.notifications())

    assert fleet("onboard").rc == 0
    return {playbook: tell(playbook) for playbook in ("repair", "onboard")}


@pytest.fixture(params=["repair", "onboard"])
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param]


def make(sandbox: Sandbox, folder: Path, drift: Drift) -> Account:
    folder.mkdir()
    return Account(sandbox, folder, REGIONS, drift.spot_account)


EACH_DRIFT = pytest.mark.parametrize("name", DRIFTS)


@EACH_DRIFT
def test_a_drift_of_the_role_is_seen_in_every_region_in_exactly_its_check(story: Story, name: str) -> None:
    assert {region: failed(entry) for region, entry in story.drifted[name].items()} == {region: {DRIFTS[name].fails} for region in REGIONS}


@EACH_DRIFT
def test_a_drift_of_the_role_gives_every_region_its_status(story: Story, name: str) -> None:
    assert statuses(story.drifted[name]) == dict.fromkeys(REGIONS, DRIFTS[name].status)


@EACH_DRIFT
def test_a_drift_of_the_role_is_mended(story: Story, name: str) -> None:
    assert {region: failed(entry) for region, entry in story.after[name].items()} == {region: set() for region in REGIONS}
    assert statuses(story.after[name]) == dict.fromkeys(REGIONS, "active")


def test_the_run_succeeds(story: Story) -> None:
    assert story.run.rc == 0, story.run.output


def test_what_is_in_the_regions_is_not_written_to(story: Story) -> None:
    iam = ("CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "TagRole", "UpdateRole")
    assert {call.split()[1] for call in story.writes} <= set(iam)


def test_a_warning_then_arrives_for_each_account(story: Story) -> None:
    arrived = sorted((notification["query"]["accountId"], notification["status"]) for notification in story.notifications)
    assert arrived == sorted((drift.spot_account, 200) for drift in DRIFTS.values())


def test_a_role_under_a_path_is_used_as_it_is(account: Account, sandbox: Sandbox) -> None:
    """Companies make roles under a path; the name is the same, the ARN is not."""
    sandbox.boto3("iam").create_role(RoleName=account.name, Path="/service-role/", AssumeRolePolicyDocument=json.dumps(OTHERS_TRUST))
    assert account.onboard().rc == 0
    (target,) = sandbox.boto3("events").list_targets_by_rule(Rule=account.name)["Targets"]
    assert target["RoleArn"] == f"arn:aws:iam::{AWS_ACCOUNT}:role/service-role/{account.name}"
    run = account.verify()
    assert run.rc == 0, run.output
    seen = account.look()
    assert (statuses(seen), [failed(entry) for entry in seen.values()]) == (dict.fromkeys(REGIONS, "active"), [set(), set()])
    sandbox.clear_calls()
    assert account.onboard().rc == 0
    assert writes(sandbox) == []


def trust_of(sandbox: Sandbox, account: Account) -> dict[str, Any]:
    return dict(sandbox.boto3("iam").get_role(RoleName=account.name)["Role"]["AssumeRolePolicyDocument"])


def conditioned(statement: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**statement, "Condition": {**statement["Condition"], **more}}


READERS = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{AWS_ACCOUNT}:role/audit"}, "Action": "sts:AssumeRole"}
ELSEWHERE = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sts:AssumeRole",
    "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
}
ANY_RULE = {"aws:SourceArn": f"arn:aws:events:*:{AWS_ACCOUNT}:rule/*"}


@pytest.mark.parametrize(
    ("added", "condition", "outcome"),
    [
        ([READERS], {}, None),
        ([], {"StringLike": {"aws:SourceAccount": AWS_ACCOUNT}}, None),
        ([], {"ArnLike": ANY_RULE}, "warn"),
        ([ELSEWHERE], {}, "warn"),
    ],
    ids=["statement", "condition", "rule", "denial"],
)
def test_what_others_add_to_the_trust_policy_stays(
    account: Account, sandbox: Sandbox, added: list[Any], condition: dict[str, Any], outcome: str | None
) -> None:
    account.have_onboarded()
    (ours,) = trust_of(sandbox, account)["Statement"]
    theirs = {"Version": "2012-10-17", "Statement": [*added, conditioned(ours, **condition)]}
    sandbox.boto3("iam").update_assume_role_policy(RoleName=account.name, PolicyDocument=json.dumps(theirs))
    seen = account.look()
    assert [outcomes(entry).get("execution_role_trust") for entry in seen.values()] == [outcome] * len(REGIONS)
    assert not account.integrate(check=True).changed
    account.have_onboarded()
    assert trust_of(sandbox, account) == theirs


@pytest.mark.parametrize("condition", [{}, {"StringEquals": {"aws:SourceAccount": AWS_ACCOUNT, "aws:PrincipalOrgID": "o-1"}}])
def test_another_trust_of_eventbridge_is_named_and_replaced(account: Account, sandbox: Sandbox, condition: dict[str, Any]) -> None:
    account.have_onboarded()
    ours = trust_of(sandbox, account)
    theirs = json.dumps({**ours, "Statement": [{**ours["Statement"][0], "Condition": condition}]})
    sandbox.boto3("iam").update_assume_role_policy(RoleName=account.name, PolicyDocument=theirs)
    assert [failed(entry) for entry in account.look().values()] == [{"execution_role_trust"}] * len(REGIONS)
    assert account.integrate(check=True).changed
    account.have_onboarded()
    assert not account.integrate(check=True).changed
    assert trust_of(sandbox, account) == ours


def test_a_refused_description_of_the_role_is_a_note(account: Account, sandbox: Sandbox) -> None:
    assert account.onboard().rc == 0
    iam = sandbox.boto3("iam")
    iam.update_role(RoleName=account.name, Description="of the company")
    sandbox.add_fault({"error": {"status": 403, "code": "AccessDenied", "message": "not authorized"}}, {"operation": "UpdateRole"})
    run = account.onboard()
    assert (run.rc, run.changed) == (0, 0), run.output
    assert "the description of the execution_role stays as it is: AccessDenied" in run.output
    iam.delete_role_policy(RoleName=account.name, PolicyName="invoke-api-destination")
    run = account.onboard()
    assert (run.rc, run.changed) == (0, 1), run.output
    # As check mode, verify does not know that the change will be refused. Nothing else differs.
    assert "Onboarding would change the execution role: description is 'of the company'" in account.verify().message()


def test_a_role_is_made_under_its_path(account: Account, sandbox: Sandbox) -> None:
    path = ("-e", "spot_eventbridge_role_path=/spot/")
    assert account.onboard(*path).rc == 0
    assert sandbox.boto3("iam").get_role(RoleName=account.name)["Role"]["Path"] == "/spot/"
    run = account.verify(*path)
    assert run.rc == 0, run.output


# A permissions boundary


def boundary(sandbox: Sandbox, *actions: str) -> str:
    """Make a policy that allows these actions, for a permissions boundary."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    return str(sandbox.boto3("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]["Arn"])


def test_a_permissions_boundary_that_stops_delivery_is_refused_before_anything_is_made(account: Account, sandbox: Sandbox) -> None:
    arn = boundary(sandbox, "s3:*")
    sandbox.clear_calls()
    run = account.onboard("-e", f"spot_eventbridge_role_boundary={arn}")
    assert run.rc != 0
    assert f"the permissions boundary {arn} does not let the execution role" in " ".join(run.output.split())
    assert writes(sandbox) == []


def test_a_permissions_boundary_that_allows_sending_is_no_hindrance(account: Account, sandbox: Sandbox) -> None:
    given = ("-e", f"spot_eventbridge_role_boundary={boundary(sandbox, 'events:InvokeApiDestination')}")
    assert account.onboard(*given).rc == 0
    run = account.verify(*given)
    assert run.rc == 0, run.output
    sandbox.interrupt("eu-west-1")
    assert sandbox.settled()
    assert [sent["status"] for sent in sandbox.notifications()] == [200]


def test_a_permissions_boundary_that_was_put_by_hand_is_seen_by_verify_and_onboarding(account: Account, sandbox: Sandbox) -> None:
    account.have_onboarded()
    arn = boundary(sandbox, "s3:*")
    sandbox.boto3("iam").put_role_permissions_boundary(RoleName=account.name, PermissionsBoundary=arn)
    seen = account.look()
    assert {region: failed(entry) for region, entry in seen.items()} == {region: {"execution_role_permission"} for region in REGIONS}
    assert arn in str(seen[REGIONS[0]]["findings"])
    assert account.onboard("--check").rc != 0
    sandbox.interrupt("eu-west-1")
    assert sandbox.settled()
    assert sandbox.notifications() == []
