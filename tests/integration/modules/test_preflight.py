# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked before anything is written, and what stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, SPOT_ACCOUNT
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

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


def test_regions_without_api_destinations_are_left_out_of_all(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.settings(enabled_regions=["us-east-1", "ca-west-1"])
    found = preflight().answer
    assert (found["regions"], found["unsupported"]) == (["us-east-1"], ["ca-west-1"])


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


@pytest.mark.parametrize("token", ["admin", "editor", "viewer"])
def test_a_token_that_is_good_for_the_account_passes(preflight: Any, token: str) -> None:
    found = preflight(token)
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "pass")


@pytest.mark.parametrize("waived", [{}, {"require_proof": False}])
def test_a_token_that_spot_does_not_know_is_a_failure_even_where_the_proof_is_waived(preflight: Any, waived: dict[str, Any]) -> None:
    assert "Spot refuses the token for act-d7320fba" in preflight("0123456789abcdef", **waived).message


def test_a_token_that_does_not_see_the_account_is_a_failure(preflight: Any) -> None:
    assert "The token does not see the Spot account act-d7320fba" in preflight("limited").message


def test_a_token_that_may_not_prove_itself_is_a_warning_where_the_proof_is_waived(preflight: Any) -> None:
    found = preflight("limited", require_proof=False)
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "warn")
    assert any("was not checked" in warning for warning in found.warnings)


def test_a_spot_account_of_another_aws_account_is_a_failure(preflight: Any) -> None:
    message = preflight(spot_account="act-b1e4f7a3").message
    assert "belongs to AWS account 210987654321, not to 123456789012" in message


@pytest.mark.parametrize(("token", "outcome"), [("admin", "pass"), ("0123456789abcdef", "fail"), ("limited", "warn"), (None, "skip")])
def test_those_who_only_look_go_on_whatever_spot_says(preflight: Any, token: str | None, outcome: str) -> None:
    found = preflight(token, require_spot=False, require_proof=False)
    assert (found.failed, found.warnings, outcomes(found)["spot_token"]) == (False, [], outcome)


def test_those_who_only_look_go_on_where_spot_says_nothing(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.add_fault({"drop": True}, {"target": "spot"})
    found = preflight(require_spot=False)
    assert (found.failed, outcomes(found)["spot_token"]) == (False, "unknown")


def test_spot_saying_nothing_is_a_failure_for_all_others(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.add_fault({"drop": True}, {"target": "spot"})
    assert "Spot did not answer" in preflight().message


def test_nothing_is_written(preflight: Any, sandbox: Sandbox) -> None:
    preflight()
    assert sandbox.calls(writes=True) == []


def test_a_missing_permission_is_named(preflight: Any, sandbox: Sandbox) -> None:
    sandbox.permit("testing", ["sts:*"])
    message = preflight().message
    assert "Cannot list the regions of AWS (us-east-1)" in message
    assert "DescribeRegions" in message
