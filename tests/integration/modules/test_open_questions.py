# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only AWS can answer (tests/contract/records/open.yml): the modules do with either answer, as a setting of the sandbox gives it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.modules.accounts import FIRST, SPOT_ACCOUNTS, Accounts
from tests.integration.modules.accounts import NAME as STACK_SET
from tests.integration.modules.aws import NAME, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import NOTIFICATION, Sandbox
from tests.tools.kms_keys import make_key

REGION = "eu-west-1"
ONE = {FIRST: SPOT_ACCOUNTS[FIRST]}
ONE_BY_ONE = {"region_concurrency_type": "sequential"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox) -> Any:
    """Runs the module in one region, so that its notices arrive."""
    role(sandbox)

    def call(token: str = "editor", **more: Any) -> Run:
        arguments = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens[token], "role_arn": ROLE_ARN}
        endpoint = f"{sandbox.spot_url}{NOTIFICATION}"
        given = {**arguments, "regions": [REGION], "invocation_endpoint": endpoint, **more}
        return run("spot_integration", **{key: value for key, value in given.items() if value is not None})

    return call


def role(sandbox: Sandbox) -> None:
    iam = sandbox.boto3("iam")
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=policy(TRUST))
    allow = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    iam.put_role_policy(RoleName=NAME, PolicyName="invoke", PolicyDocument=policy(allow))


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def delivered(sandbox: Sandbox) -> list[str]:
    """Let EC2 warn, and return how the delivery went."""
    sandbox.settings(delivery_time_scale=0.01)
    event = sandbox.interrupt(REGION)["event_id"]
    assert sandbox.settled()
    return [attempt["outcome"] for attempt in sandbox.deliveries(event_id=event)]


@pytest.mark.parametrize("unauthorized_keeps_secret", [True, False])
@pytest.mark.parametrize("unauthorized_reason", ["The endpoint answered with {status}.", None])
def test_a_refused_token_is_repaired_whatever_a_401_leaves(
    integrate: Any, sandbox: Sandbox, aws: Aws, unauthorized_keeps_secret: bool, unauthorized_reason: str | None
) -> None:
    sandbox.settings(unauthorized_keeps_secret=unauthorized_keeps_secret, unauthorized_reason=unauthorized_reason)
    sandbox.add_token("old", accounts=[SPOT_ACCOUNT])
    integrate("old")
    sandbox.revoke_token("old")
    assert delivered(sandbox)[-1] != "delivered"
    assert aws.described_connection()["ConnectionState"] == "DEAUTHORIZED"
    assert integrate().actions == {REGION: "reauthorized"}
    assert integrate().actions == {REGION: "unchanged"}
    assert delivered(sandbox) == ["delivered"]
    assert sandbox.notifications()[-1]["query"] == {"accountId": SPOT_ACCOUNT}


@pytest.mark.parametrize(("unauthorized_is_retried", "arrives"), [(True, True), (False, False)])
def test_a_notice_during_a_lost_authorisation(integrate: Any, sandbox: Sandbox, unauthorized_is_retried: bool, arrives: bool) -> None:
    sandbox.settings(unauthorized_is_retried=unauthorized_is_retried)
    integrate()
    sandbox.add_fault({"status": 401}, {"target": "spot", "path": NOTIFICATION}, times=1)
    event = sandbox.interrupt(REGION)["event_id"]
    end = time.monotonic() + 30
    while len(sandbox.deliveries(event_id=event)) < 2:  # the second attempt finds the connection not AUTHORIZED
        assert time.monotonic() < end
        time.sleep(0.05)
    assert integrate().actions == {REGION: "reauthorized"}
    assert sandbox.settled(90)
    outcomes = [attempt["outcome"] for attempt in sandbox.deliveries(event_id=event)]
    assert (outcomes[-1] == "delivered") == arrives
    assert delivered(sandbox) == ["delivered"]


@pytest.mark.parametrize("update_without_value_keeps", [True, False])
def test_an_update_never_relies_on_a_value_that_is_left_out(integrate: Any, sandbox: Sandbox, update_without_value_keeps: bool) -> None:
    sandbox.settings(update_without_value_keeps=update_without_value_keeps)
    integrate("viewer")
    assert integrate("editor", update_token="changed").actions == {REGION: "updated"}
    assert delivered(sandbox) == ["delivered"]


@pytest.mark.parametrize("kms_key_as_arn", [True, False])
@pytest.mark.parametrize("form", ["alias/spot", "arn:aws:kms:eu-west-1:123456789012:alias/spot", "id", "ARN"])
def test_a_kms_key_in_either_form_is_no_difference(run: Runner, sandbox: Sandbox, kms_key_as_arn: bool, form: str) -> None:
    arn = make_key(sandbox.boto3("kms", REGION), "alias/spot")
    key = {"id": arn.rpartition("/")[2], "ARN": arn}.get(form, form)
    sandbox.settings(kms_key_as_arn=kms_key_as_arn)
    given = {
        "name": NAME,
        "spot_account": SPOT_ACCOUNT,
        "spot_token": sandbox.tokens["editor"],
        "regions": [REGION],
        "kms_key_identifier": key,
    }
    assert run("spot_eventbridge_connection", **given).actions == {REGION: "created"}
    assert run("spot_eventbridge_connection", **given).actions == {REGION: "unchanged"}


@pytest.mark.parametrize("unsupported_regions", [[REGION], []])
def test_a_region_without_api_destinations(integrate: Any, sandbox: Sandbox, unsupported_regions: list[str]) -> None:
    sandbox.settings(unsupported_regions=unsupported_regions)
    done = integrate(regions=[REGION, "us-east-1"])
    assert done.regions["us-east-1"]["action"] == "created"
    assert (done.failed, done.regions[REGION]["status"]) == (False, "unsupported" if unsupported_regions else "active")


@pytest.mark.parametrize("assume_with_source_arn", [True, False])
def test_the_execution_role_is_assumed_with_or_without_a_source_arn(integrate: Any, sandbox: Sandbox, assume_with_source_arn: bool) -> None:
    sandbox.settings(assume_with_source_arn=assume_with_source_arn)
    integrate(role_arn=None, role_name="spot-execution")
    assert delivered(sandbox) == ["delivered"]


@pytest.mark.parametrize("stack_set_stopped_text", ["Cancelled since the operation was stopped", "The user has stopped it."])
def test_an_operation_that_somebody_stops_is_named_with_whatever_text(
    sandbox: Sandbox, accounts: Accounts, stack_set: Callable[..., Run], stack_set_stopped_text: str
) -> None:
    accounts.roles()
    sandbox.settings(stack_set_stopped_text=stack_set_stopped_text)
    held = sandbox.add_fault({"held": True}, {"operation": "CreateQueue"})
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stack_set, spot_accounts=ONE, operation_preferences={"max_concurrent_count": 1, **ONE_BY_ONE})
        eventually(lambda: sandbox.faults()[0]["hits"])
        (operation,) = (entry["OperationId"] for entry in accounts.operations() if entry["Status"] == "RUNNING")
        accounts.cloudformation.stop_stack_set_operation(StackSetName=STACK_SET, OperationId=operation)
        sandbox.clear_faults(held["id"])
        stopped = running.result()
    assert stopped.failed
    assert stack_set_stopped_text in stopped.message
    assert not stack_set(spot_accounts=ONE).failed


@pytest.mark.parametrize("missing_instances_are_refused", [True, False])
def test_instances_that_vanish_before_they_are_deleted(
    sandbox: Sandbox, accounts: Accounts, stack_set: Callable[..., Run], missing_instances_are_refused: bool
) -> None:
    accounts.roles()
    assert not stack_set(spot_accounts=ONE, regions=[REGION]).failed
    sandbox.settings(missing_instances_are_refused=missing_instances_are_refused)
    held = sandbox.add_fault({"held": True}, {"operation": "DeleteStackInstances"}, times=1)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stack_set, state="absent", spot_accounts=None, regions=None, template_body=None)
        eventually(lambda: sandbox.faults()[0]["hits"])
        accounts.cloudformation.delete_stack_instances(StackSetName=STACK_SET, Accounts=[*ONE], Regions=[REGION], RetainStacks=False)
        accounts.at_rest()
        sandbox.clear_faults(held["id"])
        removed = running.result()
    assert (removed.failed, removed.changed) == (False, True), removed.message
    assert accounts.cloudformation.list_stack_sets(Status="ACTIVE")["Summaries"] == []


def eventually(seen: Callable[[], Any]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.05)
