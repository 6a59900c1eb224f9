# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole integration by one module: all four resources, in every region at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

GOOD, BAD = REGIONS = ["us-east-1", "eu-west-1"]
KINDS = ["queue", "connection", "api_destination", "rule"]
# What AWS decides, so that no prediction can know it; the target and the destination name the ARNs of what is made before.
AWS_DECIDES = {
    "queue": {"queue_url"},
    "connection": {"connection_arn", "secret_arn", "creation_time", "last_modified_time", "last_authorized_time"},
    "api_destination": {"api_destination_arn", "connection_arn", "creation_time", "last_modified_time"},
    "rule": {"arn", "created_by", "targets"},
}


class Integrate:
    """Runs the module under test."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run, self._sandbox = run, sandbox

    def __call__(self, token: str = "editor", **arguments: Any) -> Run:
        given = {
            "name": NAME,
            "spot_account": SPOT_ACCOUNT,
            "spot_token": self._sandbox.tokens[token],
            "role_arn": ROLE_ARN,
            "tags": {"team": "a"},
            "regions": REGIONS,
        }
        return self._run("spot_integration", **{**given, **arguments})


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox, aws: Aws) -> Integrate:
    aws.role()
    sandbox.clear_calls()
    return Integrate(run, sandbox)


def everything(aws: Aws, region: str) -> list[list[str]]:
    return [aws.queue_names(region), aws.connection_names(region), aws.destination_names(region), aws.rule_names(region)]


def writes(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.calls(writes=True)]


@pytest.mark.parametrize(
    ("step", "action", "arguments"),
    [
        ("create", "created", {}),
        ("modify", "updated", {"description": "new", "message_retention_period": 60}),
        ("delete", "deleted", {"state": "absent"}),
    ],
)
def test_a_step_is_predicted_done_and_then_nothing_is_left_to_do(
    integrate: Integrate, sandbox: Sandbox, step: str, action: str, arguments: dict[str, Any]
) -> None:
    if step != "create":
        integrate()
        sandbox.clear_calls()
    predicted = integrate(check=True, **arguments)
    assert writes(sandbox) == []
    done = integrate(**arguments)
    assert len(writes(sandbox)) >= 4 * len(REGIONS)
    sandbox.clear_calls()
    predicted_again, done_again = integrate(check=True, **arguments), integrate(**arguments)
    assert writes(sandbox) == []
    for run in (predicted, done):
        assert (run.failed, run.changed, run.warnings, run.actions) == (False, True, [], dict.fromkeys(REGIONS, action))
    for run in (predicted_again, done_again):
        assert (run.failed, run.changed, run.warnings, run.actions) == (False, False, [], dict.fromkeys(REGIONS, "unchanged"))
        assert run.answer["diff"] == []
    for region in REGIONS:
        assert predicted.regions[region]["actions"] == done.regions[region]["actions"] == dict.fromkeys(KINDS, action)
        for kind in KINDS if step != "delete" else []:
            assert known(kind, predicted.regions[region][kind]) == known(kind, done.regions[region][kind])
    if step != "create":  # of what is new, AWS decides the ARNs that other parts name
        assert predicted.answer["diff"] == done.answer["diff"]
    assert headers(predicted) == headers(done) and len(headers(done)) == 4 * len(REGIONS)


def known(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in AWS_DECIDES[kind]}


def headers(run: Run) -> list[str]:
    return [entry["after_header"] for entry in run.answer["diff"]]


def test_the_parts_fit_together(integrate: Integrate, aws: Aws) -> None:
    integrate()
    destination = aws.events(BAD).describe_api_destination(Name=NAME)
    assert destination["ConnectionArn"] == aws.described_connection(BAD)["ConnectionArn"]
    target = aws.targets(BAD)["spot"]
    assert (target["Arn"], target["RoleArn"]) == (destination["ApiDestinationArn"], ROLE_ARN)
    assert target["DeadLetterConfig"]["Arn"] == f"arn:aws:sqs:{BAD}:{ACCOUNT}:{NAME}"


def test_a_removal_leaves_nothing(integrate: Integrate, aws: Aws) -> None:
    integrate()
    integrate(state="absent", spot_account=None, spot_token=None, role_arn=None)
    assert everything(aws, GOOD) == everything(aws, BAD) == [[], [], [], []]


def test_a_lost_authorisation_is_repaired_in_place(integrate: Integrate, aws: Aws) -> None:
    made = integrate()
    aws.events(BAD).deauthorize_connection(Name=NAME)
    run = integrate()
    assert run.actions == {GOOD: "unchanged", BAD: "reauthorized"}
    assert run.regions[BAD]["actions"] == {"queue": "unchanged", "connection": "reauthorized", "api_destination": "unchanged", "rule": "unchanged"}
    assert run.regions[BAD]["connection"]["connection_arn"] == made.regions[BAD]["connection"]["connection_arn"]
    assert run.regions[BAD]["api_destination"]["api_destination_state"] == "ACTIVE"


@pytest.mark.parametrize("operation", ["CreateQueue", "CreateConnection", "CreateApiDestination", "PutRule", "PutTargets"])
def test_a_region_that_fails_halfway_is_completed_by_the_next_run(integrate: Integrate, aws: Aws, sandbox: Sandbox, operation: str) -> None:
    denied = {"status": 400, "code": "AccessDeniedException", "message": "No."}
    sandbox.add_fault({"error": denied}, {"operation": operation, "region": BAD})
    run = integrate()
    assert (run.failed, run.answer["failed_regions"], run.regions[GOOD]["action"]) == (True, [BAD], "created")
    assert f"{BAD}: AccessDeniedException: " in run.message
    assert operation in run.message
    sandbox.clear_faults()
    assert integrate().actions == {GOOD: "unchanged", BAD: "created" if operation == "CreateQueue" else "updated"}
    assert everything(aws, BAD) == [[NAME]] * 4
    assert integrate().changed is False


@pytest.mark.parametrize(
    ("operation", "state"),
    [(name, "present") for name in ("CreateQueue", "CreateConnection", "CreateApiDestination", "PutRule", "PutTargets")]
    + [(name, "absent") for name in ("RemoveTargets", "DeleteRule", "DeleteApiDestination", "DeleteConnection", "DeleteQueue")],
)
def test_a_lost_answer_ends_as_if_it_had_come(integrate: Integrate, aws: Aws, sandbox: Sandbox, operation: str, state: str) -> None:
    if state == "absent":
        integrate()
    sandbox.add_fault({"lost_answer": True}, {"operation": operation, "region": BAD}, times=1)
    run = integrate(state=state)
    assert (run.failed, run.actions) == (False, dict.fromkeys(REGIONS, "created" if state == "present" else "deleted"))
    assert everything(aws, BAD) == [[NAME] if state == "present" else []] * 4
    assert integrate(state=state).changed is False


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


def test_two_integrations_of_one_aws_account_never_touch_each_other(integrate: Integrate, aws: Aws) -> None:
    other = {"name": "spot-interruption-act-5a9d1c02", "spot_account": "act-5a9d1c02", "token": "admin"}
    integrate()
    integrate(**other)
    assert integrate().changed is False
    assert integrate(**other).changed is False
    integrate(state="absent")
    assert integrate(**other).changed is False


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": None}, "The name '' (0 characters) cannot be used"),
        ({"name": "a" * 65}, "(65 characters) cannot be used"),
        ({"spot_account": "act-1"}, "'act-1' is not a Spot account id"),
        ({"spot_account": None}, "'' is not a Spot account id"),
        ({"spot_token": "SECRET:"}, "The Spot token contains a colon"),
        ({"role_arn": None}, "role_arn is missing"),
        ({"aws_account": "1"}, "'1' is not an AWS account id"),
        ({"invocation_endpoint": "http://example.com"}, "is not an https:// address"),
        ({"regions": []}, "No region is given"),
        ({"regions": ["nowhere"]}, "'nowhere' is not the name of an AWS region"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_wrong_argument_is_refused_before_anything_is_written(
    integrate: Integrate, run: Runner, sandbox: Sandbox, wrong: dict[str, Any], words: str
) -> None:
    run.tokens.add("SECRET")
    done = integrate(**wrong)
    assert done.failed
    assert words in done.message
    assert "\n" not in done.message
    assert writes(sandbox) == []


@pytest.mark.parametrize("operation", ["CreateQueue", "CreateConnection", "DescribeConnection", "PutTargets"])
def test_a_broken_answer_says_nothing_of_the_token(integrate: Integrate, sandbox: Sandbox, operation: str) -> None:
    sandbox.add_fault({"garbage": True}, {"operation": operation, "region": BAD}, times=1)
    integrate(verbosity=4, debug_botocore_endpoint_logs=True)
    assert sandbox.faults()[0]["hits"] == 1
    assert not integrate(verbosity=4).failed
    assert not integrate(verbosity=4).changed
