# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several regions at once: one that fails leaves the others done, and is named with its reason."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

GOOD, BAD, ALSO_GOOD = REGIONS = ["us-east-1", "eu-west-1", "us-west-2"]
QUICK = {"connect_timeout": 1, "read_timeout": 1, "retries": {"mode": "standard", "total_max_attempts": 2}}
# For each writing module: its options, and the first calls that it makes to read and to write.
MODULES: dict[str, tuple[dict[str, Any], str, str]] = {
    "spot_eventbridge_connection": ({"spot_account": SPOT_ACCOUNT}, "DescribeConnection", "CreateConnection"),
    "spot_api_destination": ({}, "DescribeApiDestination", "CreateApiDestination"),
    "spot_interruption_rule": ({"role_arn": ROLE_ARN}, "DescribeRule", "PutRule"),
    "spot_dead_letter_queue": ({"aws_account": ACCOUNT}, "GetQueueUrl", "CreateQueue"),
}
each_module = pytest.mark.parametrize("module", MODULES)


class Everywhere:
    """Runs a module in all regions; whatever it needs is there."""

    def __init__(self, run: Runner, sandbox: Sandbox, aws: Aws) -> None:
        self._run, self._sandbox, self._aws = run, sandbox, aws

    def prepare(self, module: str) -> None:
        self._aws.role()
        for region in REGIONS if module in ("spot_api_destination", "spot_interruption_rule") else []:
            arn = self._aws.connection(self._sandbox.tokens["editor"], region)
            if module == "spot_interruption_rule":
                self._aws.destination(arn, region)

    def __call__(self, module: str, **arguments: Any) -> Run:
        options = {"spot_token": self._sandbox.tokens["editor"]} if module == "spot_eventbridge_connection" else {}
        return self._run(module, **{"name": NAME, "regions": REGIONS, **MODULES[module][0], **options, **arguments})


@pytest.fixture
def everywhere(run: Runner, sandbox: Sandbox, aws: Aws) -> Everywhere:
    return Everywhere(run, sandbox, aws)


def check(run: Run, code: str, *words: str) -> None:
    """One region failed, the others are done."""
    assert (run.failed, run.answer["failed_regions"], list(run.regions)) == (True, [BAD], REGIONS)
    assert run.actions == {GOOD: "created", BAD: "failed", ALSO_GOOD: "created"}
    assert run.changed
    assert run.regions[BAD]["error"]["code"] == code
    assert f"1 of 3 region(s) failed. {BAD}: {code}: " in run.message
    assert [word for word in words if word not in run.message] == []
    assert "\n" not in run.message


@each_module
@pytest.mark.parametrize("when", ["reading", "writing"])
def test_a_region_where_it_is_not_allowed(everywhere: Everywhere, sandbox: Sandbox, module: str, when: str) -> None:
    operation = MODULES[module][1 if when == "reading" else 2]
    everywhere.prepare(module)
    denied = {"status": 400, "code": "AccessDeniedException", "message": "You shall not."}
    fault = sandbox.add_fault({"error": denied}, {"operation": operation, "region": BAD})
    check(everywhere(module), "AccessDeniedException", operation, "You shall not.", f"Grant the caller the permission for {operation}.")
    sandbox.clear_faults(fault["id"])
    assert everywhere(module).actions == {GOOD: "unchanged", BAD: "created", ALSO_GOOD: "unchanged"}


@each_module
def test_a_region_that_answers_only_errors(everywhere: Everywhere, sandbox: Sandbox, module: str) -> None:
    everywhere.prepare(module)
    sandbox.add_fault({"error": {"status": 500, "code": "InternalException", "message": "Oops"}}, {"region": BAD})
    check(everywhere(module, aws_config=QUICK), "InternalException", "Oops", "(tried 2 times)")


@each_module
def test_a_region_that_does_not_answer(everywhere: Everywhere, sandbox: Sandbox, module: str) -> None:
    everywhere.prepare(module)
    sandbox.add_fault({"hang": 5}, {"region": BAD})
    begin = time.monotonic()
    check(everywhere(module, aws_config=QUICK), "ReadTimeoutError", "AWS did not respond: Read timeout")
    assert time.monotonic() - begin < 15


def test_a_region_that_hangs_up(everywhere: Everywhere, sandbox: Sandbox) -> None:
    sandbox.add_fault({"drop": True}, {"region": BAD})
    check(everywhere("spot_eventbridge_connection", aws_config=QUICK), "ConnectionClosedError", "AWS did not respond: ")


def test_a_region_that_is_not_enabled(everywhere: Everywhere, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=[GOOD, ALSO_GOOD])
    check(everywhere("spot_eventbridge_connection"), "UnrecognizedClientException", "The security token included in the request is invalid")


@pytest.mark.parametrize(("module", "options"), [("spot_dead_letter_queue", {}), ("spot_interruption_rule", {"dead_letter_queue": NAME})])
@pytest.mark.parametrize("first", [BAD, GOOD])
def test_a_region_that_fails_does_not_hinder_finding_out_the_aws_account(
    everywhere: Everywhere, sandbox: Sandbox, module: str, options: dict[str, str], first: str
) -> None:
    everywhere.prepare(module)
    sandbox.add_fault({"error": {"status": 500, "code": "InternalException"}}, {"region": BAD})
    order = [first, *(region for region in REGIONS if region != first)]
    run = everywhere(module, regions=order, aws_account=None, aws_config=QUICK, **options)
    assert run.answer["failed_regions"] == [BAD]
    assert run.actions == {GOOD: "created", BAD: "failed", ALSO_GOOD: "created"}


def test_all_regions_that_fail_are_named(everywhere: Everywhere, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 400, "code": "ValidationException", "message": "Wrong"}}, {"operation": "Create*"})
    run = everywhere("spot_eventbridge_connection")
    assert run.answer["failed_regions"] == REGIONS
    assert not run.changed
    assert run.message == f"connection: 3 of 3 region(s) failed. {', '.join(REGIONS)}: ValidationException: CreateConnection: Wrong"


def test_check_mode_fails_in_the_same_regions(everywhere: Everywhere, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 400, "code": "AccessDeniedException"}}, {"operation": "DescribeConnection", "region": BAD})
    run = everywhere("spot_eventbridge_connection", check=True)
    assert (run.failed, run.answer["failed_regions"]) == (True, [BAD])
    assert sandbox.calls(writes=True) == []


# Which regions


def test_a_region_given_twice_is_done_once(everywhere: Everywhere, sandbox: Sandbox) -> None:
    run = everywhere("spot_eventbridge_connection", regions=[GOOD, BAD, GOOD])
    assert list(run.regions) == [GOOD, BAD]
    assert [call["region"] for call in sandbox.calls(operation="CreateConnection", region=GOOD)] == [GOOD]


def test_regions_are_answered_in_the_order_given(everywhere: Everywhere) -> None:
    order = ["us-west-2", "ap-south-1", "eu-west-1"]
    run = everywhere("spot_dead_letter_queue", regions=order)
    assert list(run.regions) == order


def test_seventeen_regions_are_done_at_the_same_time(everywhere: Everywhere, sandbox: Sandbox) -> None:
    regions = sorted(region["RegionName"] for region in sandbox.boto3("ec2").describe_regions()["Regions"])
    sandbox.settings(latency=0.5)
    begin = time.monotonic()
    run = everywhere("spot_eventbridge_connection", regions=regions)
    assert run.actions == dict.fromkeys(regions, "created")
    assert (len(regions), time.monotonic() - begin < 10) == (17, True)


def test_the_one_usual_region_is_enough(run: Runner) -> None:
    assert list(run("spot_dead_letter_queue", name=NAME, region="eu-north-1").regions) == ["eu-north-1"]
    assert list(run("spot_dead_letter_queue", name=NAME).regions) == [run.environment["AWS_REGION"]]


# Throttling


@each_module
def test_throttling_is_borne(everywhere: Everywhere, sandbox: Sandbox, module: str) -> None:
    everywhere.prepare(module)
    sandbox.add_fault({"throttle": True}, rate=0.2, seed=7)
    run = everywhere(module)
    assert (run.failed, run.actions) == (False, dict.fromkeys(REGIONS, "created"))
    assert sandbox.faults()[0]["hits"] > 0


def test_a_short_outage_is_bridged(everywhere: Everywhere, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 503, "code": "ServiceUnavailable"}}, {"operation": "CreateConnection"}, times=3)
    run = everywhere("spot_eventbridge_connection")
    assert run.actions == dict.fromkeys(REGIONS, "created")
