# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module that does all four resources of an integration: it does what theirs do, in one run."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.integration.modules.aws import NAME, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2"]
MADE = dict.fromkeys(("queue", "connection", "api_destination", "rule"), "created")
GONE = dict.fromkeys(("rule", "api_destination", "connection", "queue"), "deleted")


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox, aws: Aws) -> Any:
    """Runs the module with what every integration has."""
    aws.role()

    def call(check: bool = False, **more: Any) -> Run:
        arguments = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"], "role_arn": ROLE_ARN}
        return run("spot_integration", check=check, **{**arguments, "regions": REGIONS, "tags": {"team": "a"}, **more})

    return call


def actions(run: Run) -> list[dict[str, str]]:
    return [entry["actions"] for entry in run.regions.values()]


def writes(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.calls(writes=True) if call["service"] != "iam"]


def test_check_mode_on_an_empty_account_predicts_all_and_writes_nothing(integrate: Any, sandbox: Sandbox) -> None:
    predicted = integrate(check=True)
    assert (predicted.failed, actions(predicted), writes(sandbox)) == (False, [MADE] * 3, [])


@pytest.mark.parametrize("option", ["kms_key_identifier", "queue_kms_master_key_id"])
@pytest.mark.parametrize("key", ["alias/aws/sqs", f"arn:aws:kms:{REGIONS[0]}:123456789012:key/11111111-2222-3333-4444-555555555555"])
def test_a_kms_key_that_eventbridge_cannot_use_is_refused_before_anything_is_made(
    integrate: Any, sandbox: Sandbox, option: str, key: str
) -> None:
    before = sandbox.calls(writes=True)
    refused = integrate(**{option: key})
    assert (refused.failed, f"{option} cannot be {key}" in refused.message) == (True, True)
    assert sandbox.calls(writes=True) == before


def test_the_prediction_is_what_is_done(integrate: Any) -> None:
    predicted, done = integrate(check=True), integrate()
    assert (predicted.actions, actions(predicted)) == (done.actions, actions(done))
    headers = [[entry["after_header"] for entry in run.answer["diff"]] for run in (predicted, done)]
    assert headers[0] == headers[1]
    assert len(headers[0]) == len(REGIONS) * len(MADE)


def test_a_second_run_changes_nothing_and_writes_nothing(integrate: Any, sandbox: Sandbox) -> None:
    integrate()
    sandbox.clear_calls()
    again = integrate()
    assert (again.changed, again.actions, writes(sandbox)) == (False, dict.fromkeys(REGIONS, "unchanged"), [])


def test_an_unchanged_region_is_read_once_per_resource(integrate: Any, sandbox: Sandbox) -> None:
    integrate()
    sandbox.clear_calls()
    integrate()
    operations = [call["operation"] for call in sandbox.calls(region="eu-west-1")]
    assert sorted(operations) == sorted(set(operations))


@pytest.mark.parametrize("region", REGIONS)
def test_a_warning_arrives(integrate: Any, sandbox: Sandbox, region: str) -> None:
    statement = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.boto3("iam").put_role_policy(RoleName=NAME, PolicyName="invoke", PolicyDocument=policy)
    integrate(invocation_endpoint=f"{sandbox.spot_url}/aws/ec2/instance/interruptionNotification")
    sandbox.interrupt(region)
    sandbox.settled()
    (received,) = sandbox.notifications()
    assert (received["status"], received["query"], received["body"]["region"]) == (200, {"accountId": SPOT_ACCOUNT}, region)


def test_it_is_what_the_four_modules_make(integrate: Any, run: Runner, sandbox: Sandbox) -> None:
    integrate()
    shared = {"name": NAME, "regions": REGIONS}
    for module, more in (
        ("spot_dead_letter_queue", {"tags": {"team": "a"}}),
        ("spot_eventbridge_connection", {"spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"]}),
        ("spot_api_destination", {}),
        ("spot_interruption_rule", {"role_arn": ROLE_ARN, "dead_letter_queue": NAME, "tags": {"team": "a"}}),
    ):
        assert run(module, check=True, **shared, **more).actions == dict.fromkeys(REGIONS, "unchanged"), module


def test_a_lost_authorisation_is_what_stands_out(integrate: Any, sandbox: Sandbox) -> None:
    integrate()
    sandbox.boto3("events", "eu-west-1").deauthorize_connection(Name=NAME)
    mended = integrate()
    assert mended.actions == {"us-east-1": "unchanged", "eu-west-1": "reauthorized", "ap-southeast-2": "unchanged"}
    assert mended.regions["eu-west-1"]["api_destination"]["api_destination_state"] == "ACTIVE"


@pytest.mark.slow
def test_a_destination_that_lags_behind_its_connection_is_active_at_the_end(integrate: Any, aws: Aws, sandbox: Sandbox) -> None:
    integrate()
    sandbox.settings(destination_lag_seconds=1.5)
    aws.events("eu-west-1").deauthorize_connection(Name=NAME)
    time.sleep(2)
    repaired = integrate().regions["eu-west-1"]
    assert (repaired["action"], repaired["status"]) == ("reauthorized", "active")
    assert repaired["api_destination"]["api_destination_state"] == "ACTIVE"


@pytest.mark.slow
def test_a_connection_made_anew_is_followed_by_its_destination(integrate: Any, sandbox: Sandbox) -> None:
    integrate()
    sandbox.boto3("events", "eu-west-1").delete_connection(Name=NAME)
    mended = integrate().regions["eu-west-1"]
    assert mended["actions"] == {"queue": "unchanged", "connection": "created", "api_destination": "updated", "rule": "unchanged"}
    assert mended["api_destination"]["connection_arn"] == mended["connection"]["connection_arn"]


def test_a_step_that_fails_ends_its_region_and_only_that(integrate: Any, sandbox: Sandbox) -> None:
    denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "no"}}
    sandbox.add_fault(denied, {"operation": "CreateApiDestination", "region": "eu-west-1"})
    done = integrate()
    assert done.failed
    assert done.answer["failed_regions"] == ["eu-west-1"]
    assert done.regions["eu-west-1"]["actions"] == {"queue": "created", "connection": "created"}
    assert "eu-west-1: AccessDeniedException: api destination: CreateApiDestination: no" in done.message
    assert [done.regions[region]["actions"] for region in ("us-east-1", "ap-southeast-2")] == [MADE] * 2


@pytest.mark.slow
def test_a_change_that_aws_took_and_did_not_make_is_a_failure(integrate: Any, sandbox: Sandbox) -> None:
    integrate()
    sandbox.add_fault({"garbage": True}, {"operation": "UpdateApiDestination", "region": "eu-west-1"})
    done = integrate(invocation_rate_limit_per_second=7, wait_timeout=1)
    assert done.answer["failed_regions"] == ["eu-west-1"]
    assert "AWS accepted the change, but it is not visible" in done.message


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["UpdateConnection", "UpdateApiDestination"])
def test_a_description_that_aws_took_and_does_not_show_is_a_note(integrate: Any, sandbox: Sandbox, operation: str) -> None:
    integrate()
    sandbox.add_fault({"garbage": True}, {"operation": operation, "region": "eu-west-1"})
    done = integrate(description="another")
    assert (done.failed, done.answer["failed_regions"], done.regions["eu-west-1"]["status"]) == (False, [], "active")
    assert set(done.regions["eu-west-1"]["actions"].values()) == {"updated", "unchanged"}
    assert any("but it is not visible yet. Nothing else depends on it" in warning for warning in done.warnings)


@pytest.mark.slow
def test_every_write_has_the_tag_that_the_organisation_demands(integrate: Any, sandbox: Sandbox, aws: Aws) -> None:
    writes = ["events:PutRule", "events:TagResource", "sqs:CreateQueue", "sqs:TagQueue"]
    without = {"Effect": "Deny", "Action": writes, "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestTag/team": "a"}}}
    sandbox.settings(control_policy={"Version": "2012-10-17", "Statement": [without]})
    assert integrate(regions=["eu-west-1"], tags={"owner": "us"}).failed
    actions = integrate(regions=["eu-west-1"]).regions["eu-west-1"]["actions"]
    assert actions == {"queue": "created", "connection": "unchanged", "api_destination": "unchanged", "rule": "created"}
    aws.events().disable_rule(Name=NAME)
    assert integrate(regions=["eu-west-1"]).actions == {"eu-west-1": "updated"}
    assert integrate(regions=["eu-west-1"], tags={"team": "a", "owner": "us"}).actions == {"eu-west-1": "updated"}
    assert integrate(regions=["eu-west-1"], description="another").actions == {"eu-west-1": "updated"}


@pytest.mark.slow
def test_what_failed_is_completed_by_the_next_run(integrate: Any, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 400, "code": "LimitExceeded", "message": "no"}}, {"operation": "PutTargets"}, times=3)
    assert integrate().failed
    completed = integrate()
    assert (completed.failed, completed.answer["failed_regions"]) == (False, [])
    assert integrate().changed is False


def test_removal_takes_all_and_twice_is_harmless(integrate: Any) -> None:
    integrate()
    predicted, done, again = integrate(check=True, state="absent"), integrate(state="absent"), integrate(state="absent")
    assert (actions(predicted), actions(done)) == ([GONE] * 3, [GONE] * 3)
    assert (again.failed, again.changed) == (False, False)


@pytest.mark.slow
def test_removal_needs_neither_account_nor_token_nor_role(integrate: Any, run: Runner) -> None:
    integrate()
    assert run("spot_integration", name=NAME, state="absent", regions=REGIONS).actions == dict.fromkeys(REGIONS, "deleted")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "x" * 65}, "65 characters"),
        ({"spot_account": "d7320fba"}, "is not a Spot account id"),
        ({"spot_token": "a:b"}, "contains a colon"),
        ({"spot_token": ""}, "There is no Spot token"),
        ({"invocation_endpoint": "http://example.com/"}, "is not an https:// address"),
        ({"maximum_event_age_in_seconds": 30}, "must be 60 to 86400"),
        ({"message_retention_period": 1}, "must be 60 to 1209600"),
        ({"wait_timeout": -1}, "wait_timeout is -1, but must be a number of seconds"),
        ({"stack_timeout": -1}, "stack_timeout is -1, but must be a number of seconds"),
        ({"role_settle_time": -0.5}, "role_settle_time is -0.5, but must be a number of seconds"),
        ({"regions": ["nowhere"]}, "is not the name of an AWS region"),
        ({"regions": []}, "No region is given"),
    ],
)
def test_what_cannot_be_right_is_one_line_and_writes_nothing(integrate: Any, sandbox: Sandbox, wrong: dict[str, Any], message: str) -> None:
    done = integrate(**wrong)
    assert done.failed
    assert message in done.message
    assert "\n" not in done.message
    assert writes(sandbox) == []
