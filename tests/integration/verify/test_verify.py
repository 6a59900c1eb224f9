# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What verify says of accounts and regions that are not what they should be."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.playbooks.runner import IMPATIENT, NAME, SPOT_ACCOUNT, Run
from tests.integration.verify.account import Account, last_message, lines, outcomes, statuses, verification
from tests.integration.verify.conftest import MakeAccount
from tests.integration.verify.drift import Hand
from tests.sandbox.client import NOTIFICATION, Sandbox

GOOD, ERRORS, SILENT = "us-east-1", "eu-west-1", "ap-south-1"


# An account that was never onboarded


@pytest.fixture(scope="module")
def never_onboarded(running: Sandbox, make_account: MakeAccount) -> Run:
    running.reset()
    return make_account(regions=[GOOD, ERRORS]).verify()


def test_an_account_that_was_never_onboarded_is_absent_everywhere(never_onboarded: Run) -> None:
    assert statuses(verification(never_onboarded)["regions"]) == {GOOD: "absent", ERRORS: "absent"}


def test_that_fails_with_one_line_that_names_each_region(never_onboarded: Run) -> None:
    message = never_onboarded.message()
    assert f"{GOOD} absent: " in message
    assert f"{ERRORS} absent: " in message


def test_that_says_what_to_do(never_onboarded: Run) -> None:
    (line,) = [line for line in lines(never_onboarded) if line.startswith("FAIL")]
    assert line.endswith("Run the playbook spot.eventbridge.onboard.")


def test_ansible_has_nothing_to_warn_of(never_onboarded: Run) -> None:
    assert "[WARNING]" not in never_onboarded.output


# Regions that do not answer


@dataclass(frozen=True)
class Outage:
    """A look at an onboarded account while two of its regions do not answer."""

    run: Run
    calls: dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def outage(running: Sandbox, make_account: MakeAccount) -> Outage:
    running.reset()
    account = make_account(regions=[GOOD, ERRORS, SILENT])
    account.have_onboarded()
    running.add_fault({"error": {"status": 500, "code": "InternalException", "message": "It is broken"}}, {"region": ERRORS})
    running.add_fault({"hang": 30}, {"region": SILENT})
    running.clear_calls()
    run = account.verify("-e", IMPATIENT)
    running.clear_faults()
    return Outage(run, {region: Counter(call["operation"] for call in running.calls(region=region)) for region in (ERRORS, SILENT)})


def test_regions_that_do_not_answer_are_unknown_and_the_others_are_not(outage: Outage) -> None:
    assert statuses(verification(outage.run)["regions"]) == {GOOD: "active", ERRORS: "unknown", SILENT: "unknown"}


def test_each_region_that_does_not_answer_is_named_with_the_reason(outage: Outage) -> None:
    message = outage.run.message()
    (errors,) = [part for part in message.split(" | ") if f"{ERRORS} unknown" in part]
    (silent,) = [part for part in message.split(" | ") if f"{SILENT} unknown" in part]
    assert "InternalException" in errors
    assert "It is broken" in errors
    assert "AWS did not respond" in silent


@pytest.mark.parametrize("region", [ERRORS, SILENT])
def test_a_region_that_does_not_answer_is_given_up_after_the_first_calls_and_their_retries(outage: Outage, region: str) -> None:
    """What is asked for at once, and nothing after it. Of that, what had not begun when another call was given up is left out."""
    calls = outage.calls[region]
    assert calls
    assert set(calls) <= {"DescribeConnection", "DescribeApiDestination", "DescribeRule", "GetQueueUrl"}
    assert set(calls.values()) == {2}


# What is asked for


@pytest.fixture(scope="module")
def delivered_twice(running: Sandbox, make_account: MakeAccount) -> Account:
    """An account of which a stack, or somebody, also sends the warnings."""
    running.reset()
    account = make_account(regions=[GOOD])
    account.have_onboarded()
    hand = Hand(running, GOOD)
    arn = hand.other_destination("from-a-stack", running.spot_url + NOTIFICATION, SPOT_ACCOUNT)
    hand.events.put_rule(Name="rule-of-the-stack", EventPattern='{"source": ["aws.ec2"]}')
    role = f"arn:aws:iam::123456789012:role/{NAME}"
    hand.events.put_targets(Rule="rule-of-the-stack", Targets=[{"Id": "1", "Arn": arn, "RoleArn": role}])
    return account


@pytest.mark.slow
def test_another_way_to_spot_is_a_warning_that_names_it_and_fails_nothing(delivered_twice: Account) -> None:
    run = delivered_twice.verify()
    assert run.rc == 0
    (line,) = [line for line in lines(run) if line.startswith("WARN double_delivery")]
    assert "from-a-stack (rule rule-of-the-stack" in line


@pytest.mark.slow
def test_verify_without_a_token_checks_everything_else(delivered_twice: Account) -> None:
    run = delivered_twice.verify(token=None)
    assert run.rc == 0, run.output
    assert outcomes(verification(run)["regions"][GOOD]) == {"connection_token": "skip", "double_delivery": "warn"}
    side = ["feature_flag", "spot_log", "spot_database", "test_event", "interruption"]
    assert {check["check"]: check["outcome"] for check in verification(run)["checks"]} == dict.fromkeys(["spot_token", *side], "skip")


@pytest.mark.slow
def test_warnings_fail_it_if_asked(delivered_twice: Account) -> None:
    run = delivered_twice.verify("-e", json.dumps({"spot_eventbridge_verify_fail_on_warnings": True}))
    assert "from-a-stack" in run.message()


def test_a_report_folder_that_cannot_be_written_fails_before_the_work_begins(account: Account, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    run = account.verify("-e", f"report_dir={tmp_path / 'file' / 'report'}")
    assert str(tmp_path / "file" / "report") in run.message()
    assert account.sandbox.calls() == []
    assert account.sandbox.received() == []


@pytest.mark.slow
def test_credentials_that_aws_does_not_take_are_one_line(account: Account) -> None:
    refusal = {"status": 403, "code": "InvalidClientTokenId", "message": "The security token included in the request is invalid."}
    account.sandbox.add_fault({"error": refusal}, {"service": "sts"})
    message = last_message(account.verify())
    assert "Cannot determine the AWS identity" in message
    assert "InvalidClientTokenId" in message
