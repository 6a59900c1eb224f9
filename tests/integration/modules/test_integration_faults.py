# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole integration where something goes wrong, or must not be touched, in one of its regions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import NAME, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

GOOD, BAD = REGIONS = ["us-east-1", "eu-west-1"]
WRITES = ["CreateQueue", "CreateConnection", "CreateApiDestination", "PutRule", "PutTargets"]


class Integrate:
    """Runs the module under test."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run, self._tokens = run, sandbox.tokens

    def __call__(self, **arguments: Any) -> Run:
        given = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": self._tokens["editor"], "role_arn": ROLE_ARN}
        return self._run("spot_integration", **{**given, "regions": REGIONS, **arguments})


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox, aws: Aws) -> Integrate:
    aws.role()
    return Integrate(run, sandbox)


def everything(aws: Aws, region: str) -> list[list[str]]:
    return [aws.queue_names(region), aws.connection_names(region), aws.destination_names(region), aws.rule_names(region)]


@pytest.mark.slow
@pytest.mark.parametrize("operation", WRITES)
def test_a_region_that_fails_at_any_step_is_completed_by_the_next_run(
    integrate: Integrate, aws: Aws, sandbox: Sandbox, operation: str
) -> None:
    denied = {"status": 400, "code": "AccessDeniedException", "message": "No."}
    sandbox.add_fault({"error": denied}, {"operation": operation, "region": BAD})
    run = integrate()
    assert (run.failed, run.answer["failed_regions"], run.regions[GOOD]["action"]) == (True, [BAD], "created")
    assert f"{BAD}: AccessDeniedException: " in run.message
    assert operation in run.message
    sandbox.clear_faults()
    assert integrate().actions == {GOOD: "unchanged", BAD: "updated"}
    assert everything(aws, BAD) == [[NAME]] * 4
    assert not integrate().changed


@pytest.mark.parametrize(
    ("operation", "state"),
    [("CreateConnection", "present"), ("PutTargets", "present"), ("DeleteConnection", "absent"), ("DeleteQueue", "absent")],
)
def test_a_lost_answer_ends_as_if_it_had_come(integrate: Integrate, aws: Aws, sandbox: Sandbox, operation: str, state: str) -> None:
    if state == "absent":
        integrate()
    sandbox.add_fault({"lost_answer": True}, {"operation": operation, "region": BAD}, times=1)
    run = integrate(state=state)
    assert (run.failed, run.actions) == (False, dict.fromkeys(REGIONS, "created" if state == "present" else "deleted"))
    assert everything(aws, BAD) == [[NAME] if state == "present" else []] * 4
    assert not integrate(state=state).changed


@pytest.mark.slow
def test_what_must_be_kept_is_kept_and_told(integrate: Integrate, aws: Aws) -> None:
    integrate()
    aws.sqs(BAD).send_message(QueueUrl=aws.queue_url(BAD), MessageBody="a letter")
    aws.foreign_target(GOOD)
    run = integrate(state="absent")
    assert not run.failed
    assert [warning.partition(":")[0] for warning in run.warnings] == REGIONS
    assert everything(aws, GOOD) == [["audit"], [], [], [NAME]]
    assert everything(aws, BAD) == [[NAME], [], [], []]


def test_a_connection_that_others_use_ends_the_removal_there(integrate: Integrate, aws: Aws) -> None:
    made = integrate()
    aws.destination(made.regions[BAD]["connection"]["connection_arn"], BAD, name="billing")
    run = integrate(state="absent")
    assert run.answer["failed_regions"] == [BAD]
    assert "connection: " in run.message
    assert "billing" in run.message
    assert run.regions[BAD]["actions"] == {"rule": "deleted", "api_destination": "deleted"}


@pytest.mark.slow
def test_two_integrations_of_one_aws_account_never_touch_each_other(integrate: Integrate) -> None:
    other = {"name": "spot-interruption-act-5a9d1c02", "spot_account": "act-5a9d1c02"}
    integrate()
    integrate(**other)
    assert not integrate().changed
    assert not integrate(**other).changed
    integrate(state="absent")
    assert not integrate(**other).changed


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["CreateQueue", "CreateConnection", "DescribeConnection", "PutTargets"])
def test_a_broken_answer_says_nothing_of_the_token(integrate: Integrate, sandbox: Sandbox, operation: str) -> None:
    sandbox.add_fault({"garbage": True}, {"operation": operation, "region": BAD}, times=1)
    integrate(verbosity=4, debug_botocore_endpoint_logs=True, wait_timeout=2)
    assert sandbox.faults()[0]["hits"] == 1
    assert not integrate(verbosity=4).failed
    assert not integrate(verbosity=4).changed
