# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""An execution role that is made elsewhere: AWS accepts any, so it is read before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.modules.accounts import SPOT_ACCOUNTS
from tests.integration.modules.aws import ACCOUNT, NAME, REGION, ROLE_ARN, SPOT_ACCOUNT, Aws, make_role
from tests.integration.modules.conftest import TEMPLATE
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

KEY = "RESTRICTED"
REGIONS = [REGION, "us-east-1"]
# For each module: how it is called with a role of its own.
MODULES: dict[str, Callable[[str], dict[str, Any]]] = {
    "spot_integration": lambda arn: {"name": NAME, "spot_account": SPOT_ACCOUNT, "role_arn": arn},
    "spot_interruption_rule": lambda arn: {"name": NAME, "dead_letter_queue": NAME, "role_arn": arn},
    "spot_stack": lambda arn: {
        "stack_name": NAME,
        "spot_account": SPOT_ACCOUNT,
        "template_body": TEMPLATE.read_text(),
        "parameters": {"ExecutionRoleArn": arn},
    },
}
each_module = pytest.mark.parametrize("module", MODULES)
BY_ROOT = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
BY_EVENTBRIDGE = {"Principal": {"Service": "events.amazonaws.com"}}


class Work:
    """Runs a module with an execution role that is made elsewhere; what a rule needs is there."""

    def __init__(self, run: Runner, sandbox: Sandbox, aws: Aws) -> None:
        self._run, self._sandbox, self._aws = run, sandbox, aws
        run.environment["SPOTINST_TOKEN"] = sandbox.tokens["editor"]

    def __call__(self, module: str, arn: str = ROLE_ARN, **more: Any) -> Run:
        for region in REGIONS if module == "spot_interruption_rule" else []:
            if not self._aws.destination_names(region):
                self._aws.destination(self._aws.connection(self._sandbox.tokens["editor"], region), region)
        return self._run(module, regions=REGIONS, **MODULES[module](arn), **more)


@pytest.fixture
def work(run: Runner, sandbox: Sandbox, aws: Aws) -> Work:
    sandbox.settings(stack_seconds=0)
    return Work(run, sandbox, aws)


def trust(sandbox: Sandbox, **statement: Any) -> None:
    """Give the role another trust policy."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    sandbox.boto3("iam").update_assume_role_policy(RoleName=NAME, PolicyDocument=json.dumps(document))


def written(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.calls(writes=True) if call["service"] in ("events", "sqs", "cloudformation")]


@each_module
@pytest.mark.parametrize("check", [True, False], ids=["check", "for real"])
@pytest.mark.parametrize(
    ("arn", "path", "words"),
    [
        (ROLE_ARN, "/spot/", f"the ARN of the role {NAME} is arn:aws:iam::{ACCOUNT}:role/spot/{NAME}, not {ROLE_ARN}. Correct the ARN."),
        (f"arn:aws:iam::210987654321:role/{NAME}", "/", f"210987654321:role/{NAME}"),
        (f"arn:aws:iam::{ACCOUNT}:user/{NAME}", "/", "is not the ARN of a role. Give one like arn:aws:iam::123456789012:role/name."),
    ],
    ids=["path", "account", "user"],
)
def test_a_wrong_arn_is_refused_before_any_region(
    *, work: Work, sandbox: Sandbox, module: str, check: bool, arn: str, path: str, words: str
) -> None:
    make_role(sandbox.boto3("iam"), Path=path)
    refused = work(module, arn, check=check)
    before = written(sandbox)
    refused = work(module, arn, check=check)
    assert (refused.failed, refused.changed, refused.regions) == (True, False, {})
    assert refused.answer["execution_role"]["error"]["code"] == "RoleNotUsable"
    assert words in refused.message
    assert refused.message.startswith("execution role: RoleNotUsable: ")
    assert refused.answer.get("problem", refused.message) == refused.message
    assert written(sandbox) == before


@each_module
def test_a_role_that_eventbridge_may_not_assume_is_refused(work: Work, sandbox: Sandbox, module: str) -> None:
    make_role(sandbox.boto3("iam"), service="lambda.amazonaws.com")
    refused = work(module)
    assert (refused.failed, refused.regions) == (True, {})
    assert (
        f"EventBridge may not assume the role {ROLE_ARN}. Allow events.amazonaws.com sts:AssumeRole in its trust policy" in refused.message
    )
    trust(sandbox, **BY_EVENTBRIDGE)
    assert set(work(module).actions.values()) == {"created"}


@each_module
@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ({**BY_EVENTBRIDGE, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}, False),
        ({**BY_EVENTBRIDGE, "Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}}, True),
        (BY_ROOT, True),
    ],
    ids=["account", "another account", "root"],
)
def test_the_trust_policy_is_evaluated(
    *, work: Work, aws: Aws, sandbox: Sandbox, module: str, statement: dict[str, Any], refused: bool
) -> None:
    aws.role()
    trust(sandbox, **statement)
    run = work(module)
    assert (run.failed, "execution_role" in run.answer) == (refused, refused)


@each_module
def test_a_condition_that_only_aws_can_evaluate_is_a_warning(work: Work, aws: Aws, sandbox: Sandbox, module: str) -> None:
    aws.role()
    trust(sandbox, **BY_EVENTBRIDGE, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/*"}})
    run = work(module)
    assert (run.failed, set(run.actions.values())) == (False, {"created"})
    assert any(f"Unknown whether EventBridge may assume the execution role {ROLE_ARN}: " in text for text in run.warnings)


@each_module
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"status": 403, "code": "AccessDenied", "message": "Not for you."}, "AccessDenied: GetRole: Not for you."),
        ({"status": 400, "code": "ServiceFailure", "message": "Oops"}, "ServiceFailure: GetRole: Oops"),
    ],
    ids=["denied", "down"],
)
def test_a_role_that_cannot_be_read_is_a_warning_and_work_goes_on(
    *, work: Work, aws: Aws, sandbox: Sandbox, module: str, error: dict[str, Any], words: str
) -> None:
    aws.role()
    sandbox.add_fault({"error": error}, {"operation": "GetRole"})
    run = work(module)
    assert (run.failed, set(run.actions.values())) == (False, {"created"})
    warning = f"Unknown whether EventBridge may assume the execution role {ROLE_ARN}: {words}"
    assert any(warning in text for text in run.warnings)
    assert run.answer["execution_role"]["note"].startswith(warning)
    if "problem" in run.answer:
        assert (run.answer["problem"], run.answer["notes"]) == ("", [run.answer["execution_role"]["note"]])


@each_module
def test_without_the_right_to_read_policies_the_trust_counts(work: Work, aws: Aws, sandbox: Sandbox, module: str) -> None:
    aws.role()
    sandbox.add_fault({"error": {"status": 403, "code": "AccessDenied", "message": "No."}}, {"operation": "ListRolePolicies"})
    run = work(module)
    assert (run.failed, set(run.actions.values())) == (False, {"created"})
    assert any(f"Unknown whether the execution role {ROLE_ARN} may send to the API destination: " in text for text in run.warnings)
    trust(sandbox, **BY_ROOT)
    assert "RoleNotUsable" in work(module).message


@pytest.mark.slow
@each_module
def test_a_region_whose_destination_the_role_may_not_send_to_has_failed(work: Work, aws: Aws, sandbox: Sandbox, module: str) -> None:
    aws.role()
    iam = sandbox.boto3("iam")
    allowed = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": f"arn:aws:events:us-east-1:{ACCOUNT}:*"}
    iam.put_role_policy(RoleName=NAME, PolicyName="send", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    for check in (True, False, False):
        run = work(module, check=check)
        assert (run.failed, run.answer["failed_regions"]) == (True, [REGION])
        assert run.regions[REGION]["error"]["code"] == "RoleNotPermitted"
        assert f"{REGION}: RoleNotPermitted: the execution role {ROLE_ARN} may not send to the API destination {NAME}" in run.message
        assert "Allow it events:InvokeApiDestination there." in run.message
    assert set(run.actions.values()) == {"unchanged"}
    # The permission for one API destination alone, by its ARN, which is known now.
    arn = sandbox.boto3("events", REGION).describe_api_destination(Name=NAME)["ApiDestinationArn"]
    allowed["Resource"] = [allowed["Resource"], arn]
    iam.put_role_policy(RoleName=NAME, PolicyName="send", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    assert not work(module).failed


@each_module
def test_a_role_that_suits_is_not_spoken_of(work: Work, aws: Aws, module: str) -> None:
    aws.role()
    run = work(module)
    assert (run.failed, run.warnings, "execution_role" in run.answer) == (False, [], False)


def test_a_stack_that_is_to_go_needs_no_role(run: Runner, sandbox: Sandbox) -> None:
    gone = run("spot_stack", stack_name=NAME, state="absent", regions=[REGION], parameters={"ExecutionRoleArn": ROLE_ARN})
    assert (gone.failed, [call for call in sandbox.calls() if call["service"] == "iam"]) == (False, [])


# Stack sets


def test_a_stack_set_has_no_role_for_several_accounts(stack_set: Callable[..., Run], accounts: Any, sandbox: Sandbox) -> None:
    before = written(sandbox)
    refused = stack_set(parameters={"ExecutionRoleArn": ROLE_ARN})
    others = ", ".join(sorted(account for account in SPOT_ACCOUNTS if account != ACCOUNT))
    assert f"ExecutionRoleArn is one role, {ROLE_ARN}, which EventBridge cannot use in other AWS accounts: {others}." in refused.message
    assert written(sandbox) == before


def test_a_stack_set_for_one_other_account_says_that_the_role_was_not_read(stack_set: Callable[..., Run], accounts: Any) -> None:
    account = next(account for account in SPOT_ACCOUNTS if account != ACCOUNT)
    arn = f"arn:aws:iam::{account}:role/{NAME}"
    run = stack_set(parameters={"ExecutionRoleArn": arn}, spot_accounts={account: SPOT_ACCOUNTS[account]}, check=True)
    assert not run.failed
    assert f"The execution role {arn} was not read, as it is not in the caller's AWS account." in run.answer["notes"]
