# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked before anything is written, and what stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, SPOT_ACCOUNT
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import NOTIFICATION, Sandbox

DEFAULT_REGIONS = 17


@pytest.fixture
def preflight(run: Runner, sandbox: Sandbox) -> Any:
    """Runs the module with a token of the sandbox, by its name, and what every integration has."""

    def call(token: str | None = "admin", **more: Any) -> Run:
        spot_token = None if token is None else sandbox.tokens.get(token, token)
        arguments = {"spot_account": SPOT_ACCOUNT, "name": NAME, "spot_api_url": sandbox.spot_url, "spot_token": spot_token, **more}
        return run("spot_preflight_info", **arguments)

    return call


def outcomes(run: Run) -> dict[str, str]:
    return {check["check"]: check["outcome"] for check in run.answer["checks"]}


def test_it_says_who_we_are_and_where_to_work(preflight: Any) -> None:
    found = preflight().answer
    assert (found["aws_account"], found["partition"], found["home_region"]) == (ACCOUNT, "aws", "us-east-1")
    assert (len(found["regions"]), found["unsupported"], found["changed"]) == (DEFAULT_REGIONS, [], False)


def test_every_enabled_region_is_tried(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "il-central-1", "xx-nowhere-1"])
    found = preflight().answer
    assert (found["regions"], found["unsupported"]) == (["il-central-1", "us-east-1", "xx-nowhere-1"], [])


def test_excluded_regions_are_left_out(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "eu-west-1", "eu-west-2"])
    assert preflight(exclude_regions=["eu-*"]).answer["regions"] == ["us-east-1"]


@pytest.mark.parametrize(("partition", "home"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")])
@pytest.mark.parametrize("named", [False, True])
def test_an_account_of_another_partition_needs_no_region_to_be_named(
    preflight: Any, sandbox: Sandbox, partition: str, home: str, named: bool
) -> None:
    sandbox.settings(partition=partition)
    found = preflight(**({"regions": [home]} if named else {})).answer
    assert (found["partition"], found["home_region"], len(found["regions"])) == (partition, home, 1 if named else 2)


@pytest.mark.slow
def test_a_home_region_that_the_organization_denies_is_replaced(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.deny_regions(["us-east-1"])
    found = preflight().answer
    assert len(found["regions"]) == DEFAULT_REGIONS
    assert found["home_region"] != "us-east-1"


def test_the_list_of_regions_without_api_destinations_is_the_users(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "ca-west-1"])
    found = preflight(unsupported_regions=["us-east-1"]).answer
    assert (found["regions"], found["unsupported"]) == (["ca-west-1"], ["us-east-1"])


def test_a_region_that_is_named_is_tried_in_any_case(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "ca-west-1"])
    found = preflight(regions="ca-west-1,ca-west-1").answer
    assert (found["regions"], found["unsupported"]) == (["ca-west-1"], [])


def test_a_region_that_is_not_enabled_is_named_with_those_that_are(preflight: Any) -> None:
    message = preflight(regions=["us-east-1", "af-south-1"]).message
    assert message.startswith("Not a region, or not enabled in this AWS account: af-south-1. Enabled are: ap-northeast-1,")


@pytest.mark.parametrize("token", ["admin", "editor", "notifier"])
def test_a_token_that_is_good_for_the_account_passes(preflight: Any, token: str) -> None:
    found = preflight(token)
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "pass")


def test_the_proof_is_one_notice_of_an_instance_that_cannot_exist(preflight: Any, sandbox: Sandbox) -> None:
    assert not preflight("editor").failed
    (proof,) = sandbox.proofs()
    assert (proof["method"], proof["query"], proof["status"]) == ("POST", {"accountId": SPOT_ACCOUNT}, 200)
    assert proof["headers"]["Authorization"] == f"Bearer {sandbox.tokens['editor']}"
    assert (proof["body"]["detail"]["instance-id"], proof["body"]["account"]) == ("i-00000000000000000", ACCOUNT)


@pytest.mark.parametrize("status", [401, 403])
def test_a_viewers_token_reads_and_is_refused_all_the_same(preflight: Any, sandbox: Sandbox, status: int) -> None:
    sandbox.settings(permission_refusal_status=status)
    message = preflight("viewer").message
    assert f"Spot knows the token, but it may not notify for {SPOT_ACCOUNT}: Spot responded with {status} to POST" in message
    assert "elastigroup:createInstanceinterruptionNotification" in message


def test_a_token_whose_user_lost_the_right_is_refused(preflight: Any, sandbox: Sandbox) -> None:
    assert not preflight("editor").failed
    sandbox.change_role("editor", "viewer")
    assert "may not notify" in preflight("editor").message


def test_a_viewers_token_passes_where_the_proof_only_reads(preflight: Any, sandbox: Sandbox) -> None:
    found = preflight("viewer", proof="read")
    assert (found.failed, outcomes(found)["spot_token"], sandbox.proofs()) == (False, "pass", [])


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_response_that_says_neither_yes_nor_no_is_a_warning(preflight: Any, sandbox: Sandbox, status: int) -> None:
    sandbox.settings(impossible_instance_status=status)
    found = preflight("editor")
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "warn")
    assert any(f"Spot responded with {status} to POST" in warning and "does not exist" in warning for warning in found.warnings)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"status": 429, "reset": 3600}, {"drop": True}], ids=str)
def test_an_outage_of_the_endpoint_alone_is_a_warning(preflight: Any, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.add_fault(fault, {"target": "spot", "path": NOTIFICATION})
    found = preflight("editor")
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "warn")


def test_a_token_that_spot_does_not_know_fails_although_the_endpoint_says_nothing(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.add_fault({"status": 503}, {"target": "spot", "path": NOTIFICATION})
    assert "Spot refuses the token" in preflight("0123456789abcdef").message


def test_the_token_is_sent_to_the_endpoint_that_was_given(preflight: Any, sandbox: Sandbox) -> None:
    assert not preflight("editor", invocation_endpoint=f"{sandbox.spot_url}{NOTIFICATION}?source=aws").failed
    assert sandbox.proofs()[0]["query"] == {"source": "aws", "accountId": SPOT_ACCOUNT}


@pytest.mark.parametrize("waived", [{}, {"proof": "read"}, {"proof": "none"}])
def test_a_token_that_spot_does_not_know_is_a_failure_even_where_the_proof_is_waived(preflight: Any, waived: dict[str, Any]) -> None:
    assert "Spot refuses the token for act-d7320fba" in preflight("0123456789abcdef", **waived).message


def test_a_token_that_does_not_see_the_account_is_a_failure(preflight: Any) -> None:
    assert "The token does not see the Spot account act-d7320fba" in preflight("limited").message


def test_a_token_that_may_not_prove_itself_is_a_warning_where_the_proof_is_waived(preflight: Any) -> None:
    found = preflight("limited", proof="none")
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "warn")
    assert any("was not checked" in warning for warning in found.warnings)


def test_a_spot_account_of_another_aws_account_is_a_failure(preflight: Any) -> None:
    message = preflight(spot_account="act-b1e4f7a3").message
    assert "belongs to AWS account 210987654321, not to 123456789012" in message


@pytest.mark.parametrize(("token", "outcome"), [("admin", "pass"), ("0123456789abcdef", "fail"), ("limited", "warn"), (None, "skip")])
def test_those_who_only_look_go_on_whatever_spot_says(preflight: Any, token: str | None, outcome: str) -> None:
    found = preflight(token, require_spot=False, proof="none")
    assert (found.failed, found.warnings, outcomes(found)["spot_token"]) == (False, [], outcome)


def test_those_who_only_look_go_on_where_spot_says_nothing(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.add_fault({"drop": True}, {"target": "spot"})
    found = preflight(require_spot=False)
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "unknown")


def test_spot_saying_nothing_is_a_failure_for_all_others(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.add_fault({"drop": True}, {"target": "spot"})
    assert "Spot did not respond" in preflight().message


def test_nothing_is_written(preflight: Any, sandbox: Sandbox) -> None:
    preflight()
    assert sandbox.calls(writes=True) == []


def test_a_missing_permission_is_named(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.permit("testing", ["sts:*"])
    message = preflight().message
    assert "Cannot list the regions of AWS (us-east-1)" in message
    assert "DescribeRegions" in message


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox) -> Any:
    """Runs the module that makes an integration, after preflight."""

    def call(token: str = "admin", role: str | None = None, **preflight: Any) -> Run:
        given = {"spot_api_url": sandbox.spot_url, **preflight}
        arguments = {"name": NAME, "spot_account": SPOT_ACCOUNT, "role_name": NAME, "assume_role_arn": role, "preflight": given}
        endpoint = sandbox.spot_url + NOTIFICATION
        return run("spot_integration", spot_token=sandbox.tokens[token], invocation_endpoint=endpoint, **arguments)

    return call


def test_the_module_that_writes_does_the_same_before(integrate: Any, preflight: Any, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "eu-west-1", "eu-west-2"])
    alone = preflight(exclude_regions=["eu-west-2"]).answer
    done = integrate(exclude_regions=["eu-west-2"])
    assert done.answer["preflight"] == {name: value for name, value in alone.items() if name in done.answer["preflight"]}
    assert done.actions == {"eu-west-1": "created", "us-east-1": "created"}
    assert (done.answer["aws_account"], done.answer["problem"]) == (ACCOUNT, "")


def test_then_nothing_is_asked_twice(integrate: Any, sandbox: Sandbox) -> None:
    integrate("editor", role=f"arn:aws:iam::{ACCOUNT}:role/Spot", regions="eu-west-1")
    assert [call["operation"] for call in sandbox.calls() if call["service"] in ("ec2", "sts")].count("AssumeRole") == 1
    assert len(sandbox.calls(operation="GetCallerIdentity")) == len(sandbox.calls(operation="DescribeRegions")) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"token": "viewer"}, "it may not notify for act-d7320fba"),
        ({"regions": "eu-west-9"}, "Not a region, or not enabled in this AWS account: eu-west-9."),
        ({"refused_settings": {"a": "it is for b"}}, "a has no effect: it is for b. Nothing was changed."),
    ],
    ids=str,
)
def test_then_nothing_is_written_where_it_fails(integrate: Any, preflight: Any, sandbox: Sandbox, given: Any, message: str) -> None:
    done = integrate(**given)
    assert (done.failed, done.answer["problem"], done.answer["summary"]) == (True, done.message, [])
    assert done.message == preflight(**given).message
    assert message in done.message
    assert not {"regions", "preflight"} & done.answer.keys()
    assert sandbox.calls(writes=True) == []


def test_then_a_doubt_is_a_warning(integrate: Any, preflight: Any) -> None:
    done = integrate("limited", proof="none", regions="eu-west-1")
    assert done.actions == {"eu-west-1": "created"}
    assert done.warnings == preflight("limited", proof="none").warnings != []
