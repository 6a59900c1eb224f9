# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credentials of an account: a role that is assumed, a profile, and what is said if they are not right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.aws import NAME
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

SPOT_ACCOUNT, AWS_ACCOUNT = "act-b1e4f7a3", "210987654321"
ARN = f"arn:aws:iam::{AWS_ACCOUNT}:role/SpotEventBridge"
OURS = "arn:aws:iam::123456789012:root"


@pytest.fixture
def preflight(run: Runner, sandbox: Sandbox) -> Any:
    def call(**more: Any) -> Run:
        given = {"spot_account": SPOT_ACCOUNT, "name": NAME, "spot_api_url": sandbox.spot_url, "spot_token": sandbox.tokens["admin"]}
        return run("spot_preflight_info", **{**given, "assume_role_arn": ARN, **more})

    return call


@pytest.fixture
def integration(run: Runner, sandbox: Sandbox) -> Any:
    def call(**more: Any) -> Run:
        given = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["admin"], "role_name": NAME}
        return run("spot_integration", **{**given, "regions": ["us-east-1", "eu-west-1"], "assume_role_arn": ARN, **more})

    return call


def make_role(sandbox: Sandbox, **condition: Any) -> None:
    """Make the role in its account, with a trust policy for the sandbox's usual account."""
    credentials = sandbox.boto3("sts").assume_role(RoleArn=f"arn:aws:iam::{AWS_ACCOUNT}:role/Admin", RoleSessionName="test")["Credentials"]
    keys = {"access_key": credentials["AccessKeyId"], "aws_session_token": credentials["SessionToken"]}
    statement = {"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sts:AssumeRole", **condition}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.boto3("iam", **keys, aws_secret_access_key="any").create_role(RoleName="SpotEventBridge", AssumeRolePolicyDocument=trust)
    sandbox.clear_calls()


def test_the_work_is_done_in_the_account_of_the_role(integration: Any, sandbox: Sandbox) -> None:
    assert integration().actions == {"us-east-1": "created", "eu-west-1": "created"}
    assert {call["account"] for call in sandbox.calls(writes=True)} == {AWS_ACCOUNT}


def test_a_role_is_assumed_once_for_all_regions(integration: Any, sandbox: Sandbox) -> None:
    assert not integration().failed
    assert len(sandbox.calls(operation="AssumeRole")) == 1


@pytest.mark.parametrize("region", ["eu-west-1", "ap-south-1"])
def test_it_is_assumed_through_the_endpoint_of_the_region_at_home(preflight: Any, sandbox: Sandbox, region: str) -> None:
    assert preflight(region=region).answer["aws_account"] == AWS_ACCOUNT
    assert {call["region"] for call in sandbox.calls(operation="AssumeRole")} == {region}


def test_without_a_region_of_its_own_the_environment_names_it(integration: Any, run: Runner, sandbox: Sandbox) -> None:
    run.environment["AWS_REGION"] = "eu-west-3"
    assert not integration().failed
    assert {call["region"] for call in sandbox.calls(operation="AssumeRole")} == {"eu-west-3"}


def test_an_external_id_is_sent(preflight: Any, sandbox: Sandbox) -> None:
    make_role(sandbox, Condition={"StringEquals": {"sts:ExternalId": "tenant-7"}})
    assert preflight(assume_role_external_id="tenant-7").answer["aws_account"] == AWS_ACCOUNT


@pytest.mark.parametrize("external_id", [None, "", "tenant-8"])
def test_a_refusal_names_role_and_reason_in_one_line(preflight: Any, sandbox: Sandbox, external_id: str | None) -> None:
    make_role(sandbox, Condition={"StringEquals": {"sts:ExternalId": "tenant-7"}})
    message = preflight(assume_role_external_id=external_id).message
    assert message.startswith(f"The role {ARN} cannot be assumed: AccessDenied: AssumeRole: User: ")
    assert ("external id" in message) == bool(external_id)
    assert "\n" not in message
    assert sandbox.calls(writes=True) == []


@pytest.mark.parametrize("arn", ["SpotEventBridge", AWS_ACCOUNT, f"arn:aws:iam::{AWS_ACCOUNT}:user/me", "arn:aws:sts::1:role/x"])
def test_what_is_no_role_is_refused_without_a_call(preflight: Any, sandbox: Sandbox, arn: str) -> None:
    assert preflight(assume_role_arn=arn).message.startswith(f"'{arn}' is not the ARN of a role.")
    assert sandbox.calls() == []


def test_without_credentials_it_says_so(preflight: Any, run: Runner) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del run.environment[name]
    assert preflight().message == f"There are no AWS credentials to assume {ARN} with: set AWS_PROFILE, or access keys."


def test_keys_that_are_given_assume_it(preflight: Any, sandbox: Sandbox) -> None:
    assert preflight(access_key="GIVEN", secret_key="any").answer["aws_account"] == AWS_ACCOUNT
    assert [call["access_key"] for call in sandbox.calls(operation="AssumeRole")] == ["GIVEN"]


def test_a_profile_assumes_it_and_the_keys_of_the_environment_do_not(preflight: Any, run: Runner, sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del run.environment[name]
    config = tmp_path / "config"
    config.write_text("[profile hub]\naws_access_key_id = HUB\naws_secret_access_key = any\n", encoding="utf-8")
    run.environment["AWS_CONFIG_FILE"] = str(config)
    assert preflight(profile="hub").answer["aws_account"] == AWS_ACCOUNT
    assert [call["access_key"] for call in sandbox.calls(operation="AssumeRole")] == ["HUB"]


def test_a_profile_with_a_role_of_its_own_needs_nothing_else(preflight: Any, run: Runner, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del run.environment[name]
    hub = "[profile hub]\naws_access_key_id = HUB\naws_secret_access_key = any\n"
    (tmp_path / "config").write_text(f"{hub}[profile member]\nrole_arn = {ARN}\nsource_profile = hub\n", encoding="utf-8")
    run.environment["AWS_CONFIG_FILE"] = str(tmp_path / "config")
    assert preflight(profile="member", assume_role_arn=None).answer["aws_account"] == AWS_ACCOUNT


@pytest.mark.slow
def test_credentials_that_expire_half_way_are_renewed(integration: Any, sandbox: Sandbox) -> None:
    # Good for less than the work takes: each call waits as long as a whole session lasts.
    sandbox.settings(session_seconds=0.5, latency=0.2)
    assert integration().actions == {"us-east-1": "created", "eu-west-1": "created"}
    assert len(sandbox.calls(operation="AssumeRole")) > 1


def test_the_wrong_account_is_told_before_anything_is_written(preflight: Any, sandbox: Sandbox) -> None:
    message = preflight(aws_account="333333333333").message
    assert message.startswith(f"The AWS credentials are of {AWS_ACCOUNT} (arn:aws:sts::{AWS_ACCOUNT}:assumed-role/SpotEventBridge/")
    assert f"{SPOT_ACCOUNT} is to be served in 333333333333" in message
    assert sandbox.calls(writes=True) == []


def test_the_session_has_the_name_that_is_given(preflight: Any) -> None:
    message = preflight(aws_account="333333333333", assume_role_session_name="ci-run-7").message
    assert "/ci-run-7)" in message
