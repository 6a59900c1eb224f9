# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Spot says about a token and an account, and what becomes of it when Spot is out of order."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, SPOT_ACCOUNT
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox


class Spot:
    """Runs the module under test."""

    def __init__(self, run: Runner, sandbox: Sandbox) -> None:
        self._run, self._sandbox = run, sandbox

    def __call__(self, token: str = "admin", **arguments: Any) -> Run:
        given = {"spot_token": self._sandbox.tokens[token], "spot_account": SPOT_ACCOUNT, "aws_account": ACCOUNT}
        return self._run("spot_account_info", **{**given, "spot_api_url": self._sandbox.spot_url, **arguments})

    def about_all(self, accounts: dict[str, str], token: str = "admin") -> Run:
        """Run it for Spot accounts by AWS account."""
        given = {"spot_token": self._sandbox.tokens[token], "spot_api_url": self._sandbox.spot_url}
        return self._run("spot_account_info", spot_accounts=accounts, **given)


@pytest.fixture
def spot(run: Runner, sandbox: Sandbox) -> Spot:
    return Spot(run, sandbox)


def outcomes(run: Run) -> dict[str, str]:
    return {check["check"]: check["outcome"] for check in run.answer["checks"]}


# Many accounts at once

BOTH = {ACCOUNT: SPOT_ACCOUNT, "210987654321": "act-b1e4f7a3"}


def about(spot: Spot, token: str, accounts: dict[str, str]) -> list[tuple[str, str]]:
    return [(check["check"], check["outcome"]) for check in spot.about_all(accounts, token).answer["checks"]]


def test_many_accounts_are_asked_about_at_once(spot: Spot, sandbox: Sandbox) -> None:
    assert about(spot, "admin", BOTH) == [("spot_token", "pass"), ("aws_account", "pass")] * 2
    # The list of accounts once, and a question for each.
    assert len(sandbox.received()) == 3


def test_an_account_that_a_token_does_not_see_fails_alone(spot: Spot) -> None:
    assert about(spot, "limited", BOTH) == [("spot_account", "fail"), ("spot_token", "pass"), ("aws_account", "skip")]


def test_accounts_that_were_mixed_up_fail(spot: Spot) -> None:
    found = about(spot, "admin", {ACCOUNT: "act-b1e4f7a3", "210987654321": SPOT_ACCOUNT})
    assert found == [("spot_token", "pass"), ("aws_account", "fail")] * 2


def test_a_token_that_spot_does_not_know_is_not_asked_about_for_each_account(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.revoke_token("editor")
    assert about(spot, "editor", BOTH) == [("spot_token", "fail")] * 2
    # The list of accounts, which shows that the token is not known, and a notice.
    assert len(sandbox.received()) == 2


def test_a_viewers_token_fails_for_each_account(spot: Spot, sandbox: Sandbox) -> None:
    assert about(spot, "viewer", BOTH) == [("spot_token", "fail")] * 2
    assert len(sandbox.proofs()) == 2


@pytest.mark.parametrize("wrong", [{"12345": SPOT_ACCOUNT}, {ACCOUNT: "production"}])
def test_what_is_no_account_is_refused(spot: Spot, sandbox: Sandbox, wrong: dict[str, str]) -> None:
    assert "account id" in spot.about_all(wrong).message
    assert sandbox.received() == []


# Tokens and accounts

TOKEN_PASS, AWS_PASS = {"spot_token": "pass"}, {"aws_account": "pass"}


@pytest.mark.parametrize(
    ("token", "spot_account", "aws_account", "expected"),
    [
        ("admin", SPOT_ACCOUNT, ACCOUNT, TOKEN_PASS | AWS_PASS),
        ("editor", SPOT_ACCOUNT, ACCOUNT, TOKEN_PASS | AWS_PASS),
        ("notifier", SPOT_ACCOUNT, None, TOKEN_PASS),
        ("notifier", SPOT_ACCOUNT, ACCOUNT, TOKEN_PASS | {"aws_account": "skip"}),
        # It reads, and may not notify.
        ("viewer", SPOT_ACCOUNT, ACCOUNT, {"spot_token": "fail"}),
        ("admin", SPOT_ACCOUNT, None, TOKEN_PASS),
        ("editor", SPOT_ACCOUNT, None, TOKEN_PASS),
        ("admin", "act-5a9d1c02", ACCOUNT, TOKEN_PASS | AWS_PASS),
        ("admin", "act-b1e4f7a3", "210987654321", TOKEN_PASS | AWS_PASS),
        ("limited", "act-b1e4f7a3", "210987654321", TOKEN_PASS | AWS_PASS),
        # the Spot account of another AWS account
        ("admin", "act-b1e4f7a3", ACCOUNT, TOKEN_PASS | {"aws_account": "fail"}),
        ("admin", SPOT_ACCOUNT, "210987654321", TOKEN_PASS | {"aws_account": "fail"}),
        ("editor", "act-b1e4f7a3", ACCOUNT, TOKEN_PASS | {"aws_account": "skip"}),
        ("limited", "act-b1e4f7a3", ACCOUNT, TOKEN_PASS | {"aws_account": "skip"}),
        # a Spot account without an AWS account
        ("admin", "act-00000001", ACCOUNT, TOKEN_PASS | {"aws_account": "skip"}),
        # a Spot account that the token does not see: another's, another organisation's, nobody's
        ("limited", SPOT_ACCOUNT, ACCOUNT, {"spot_account": "fail"}),
        ("admin", "act-0f0f0f0f", ACCOUNT, {"spot_account": "fail"}),
        ("other", SPOT_ACCOUNT, ACCOUNT, {"spot_account": "fail"}),
        ("other", "act-0f0f0f0f", "333333333333", TOKEN_PASS | AWS_PASS),
        ("editor", "act-ffffffff", ACCOUNT, {"spot_account": "fail"}),
        ("admin", "act-ffffffff", None, {"spot_account": "fail"}),
    ],
)
def test_what_spot_says_about_a_token_and_an_account(
    spot: Spot, token: str, spot_account: str, aws_account: str | None, expected: dict[str, str]
) -> None:
    run = spot(token, spot_account=spot_account, aws_account=aws_account)
    assert (run.failed, run.changed, outcomes(run)) == (False, False, expected)
    assert len(run.warnings) == sum(outcome in ("warn", "skip") for outcome in expected.values())


def test_check_mode_asks_all_the_same(spot: Spot) -> None:
    assert spot(check=True).answer["checks"] == spot().answer["checks"]


def test_a_token_that_spot_does_not_know_is_a_finding_and_no_failure(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.revoke_token("editor")
    run = spot("editor")
    assert (run.failed, outcomes(run), run.answer["accounts"]) == (False, {"spot_token": "fail"}, [])
    (check,) = run.answer["checks"]
    assert "Spot responded with 401" in check["message"]
    assert "programmatic user" in check["remedy"]
    assert [request["method"] for request in sandbox.received()] == ["GET", "POST"]


@pytest.mark.parametrize(("status", "check"), [(400, "spot_account"), (404, "spot_account"), (401, "spot_token")])
def test_an_account_that_spot_hides_behind_another_status(spot: Spot, sandbox: Sandbox, status: int, check: str) -> None:
    sandbox.settings(unseen_account_status=status)
    assert outcomes(spot("limited")) == {check: "fail"}


def test_a_proof_that_is_refused_although_the_account_is_listed_is_a_warning(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 403, "code": "FORBIDDEN", "message": "No groups for you"}}, {"path": "/aws/ec2/group"})
    run = spot(proof="read")
    assert outcomes(run) == {"spot_token": "warn", "aws_account": "pass"}
    (warning,) = run.warnings
    assert "No groups for you" in warning
    assert "elastigroup:createInstanceinterruptionNotification" in warning


def test_the_account_is_returned_whatever_form_its_ids_have(spot: Spot) -> None:
    assert spot(spot_account="act-5a9d1c02").answer["accounts"] == [
        {
            "spot_account": "act-5a9d1c02",
            "name": "production",
            "organization": "606079873399",
            "aws_account": ACCOUNT,
            "cloud_provider": "AWS",
            "provider_account": ACCOUNT,
        }
    ]


def test_an_id_that_lost_its_leading_zero_has_it_back(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_spot_accounts([{"accountId": "act-0a0a0a0a", "providerExternalId": 12345678901, "cloudProvider": "AWS"}])
    assert outcomes(spot(spot_account="act-0a0a0a0a", aws_account="012345678901")) == {"spot_token": "pass", "aws_account": "pass"}


# Lists


def test_an_administrator_sees_all_accounts_of_the_organisation(spot: Spot) -> None:
    accounts = spot(spot_account=None, aws_account=None).answer["accounts"]
    assert [account["spot_account"] for account in accounts] == ["act-00000001", SPOT_ACCOUNT, "act-5a9d1c02", "act-b1e4f7a3"]
    assert [account["aws_account"] for account in accounts] == [None, ACCOUNT, ACCOUNT, "210987654321"]


def test_the_accounts_of_one_aws_account_can_be_listed(spot: Spot) -> None:
    run = spot("editor", spot_account=None)
    assert [account["spot_account"] for account in run.answer["accounts"]] == [SPOT_ACCOUNT, "act-5a9d1c02"]


def listed(run: Run) -> list[str]:
    return [account["spot_account"] for account in run.answer["accounts"]]


@pytest.fixture
def others(sandbox: Sandbox) -> None:
    """Accounts of other clouds, one with next to nothing, and one whose id lost its zeros."""
    sandbox.add_spot_accounts(
        [
            {"accountId": "act-0a0a0a0a", "name": "Azure", "providerExternalId": "5f3b2c1d", "cloudProvider": "AZURE"},
            {"accountId": "act-0b0b0b0b", "name": None, "providerExternalId": None, "cloudProvider": None},
            {"accountId": "act-0c0c0c0c", "name": "Zero", "providerExternalId": 1234567, "cloudProvider": "AWS"},
        ]
    )


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"include": [{"name": "prod*"}]}, [SPOT_ACCOUNT, "act-5a9d1c02"]),
        ({"include": [{"aws_account": "*"}], "exclude": [{"name": ["staging", "zero"]}]}, [SPOT_ACCOUNT, "act-5a9d1c02"]),
        ({"include": [{"cloud_provider": "azure"}, {"aws_account": "000001234567"}]}, ["act-0a0a0a0a", "act-0c0c0c0c"]),
        ({"exclude": [{"name": "*"}]}, ["act-0b0b0b0b"]),
        ({"include": [{"name": "nobody"}]}, []),
        ({"aws_account": ACCOUNT, "exclude": [{"spot_account": SPOT_ACCOUNT}]}, ["act-5a9d1c02"]),
    ],
    ids=str,
)
def test_filters_choose_from_the_list(spot: Spot, filters: dict[str, Any], expected: list[str]) -> None:
    run = spot(**{"spot_account": None, "aws_account": None, **filters})
    assert (run.failed, run.changed, run.warnings, listed(run)) == (False, False, [], expected)


@pytest.mark.usefixtures("others")
def test_the_account_at_another_provider_is_told_and_is_no_aws_account(spot: Spot) -> None:
    accounts = spot(spot_account=None, aws_account=None).answer["accounts"]
    told = {account["name"]: (account["cloud_provider"], account["provider_account"], account["aws_account"]) for account in accounts}
    assert told["Azure"] == ("AZURE", "5f3b2c1d", None)
    assert told["Zero"] == ("AWS", "000001234567", "000001234567")
    assert told["staging"] == (None, "210987654321", "210987654321")
    assert told[""] == told["legacy"] == (None, None, None)


def test_entries_without_an_id_are_left_out_with_a_warning(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_spot_accounts([{"accountId": None, "name": "nobody"}])
    run = spot(spot_account=None, aws_account=None)
    assert (run.failed, len(run.answer["accounts"])) == (False, 4)
    (warning,) = run.warnings
    assert warning == "1 of the 5 accounts that Spot listed have no id, and are left out. Contact Spot's support."


def test_a_list_that_is_refused_is_a_failure_with_spots_words_and_a_remedy(spot: Spot) -> None:
    run = spot("editor", spot_account=None, aws_account=None)
    assert run.failed
    assert run.message.startswith("Spot responded with 403 to GET /setup/account: ")
    assert run.message.endswith(". Listing accounts needs the token of an organisation administrator.")


# Spot out of order


def test_a_rate_limit_is_waited_for(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_fault({"status": 429, "reset": 1}, {"target": "spot"}, times=2)
    assert outcomes(spot()) == {"spot_token": "pass", "aws_account": "pass"}
    first, second, third, *_ = (request["time"] for request in sandbox.received())
    assert second - first > 1
    assert third - second > 1


def test_a_rate_limit_that_takes_too_long_is_a_failure_at_once(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_fault({"status": 429, "reset": 3600}, {"target": "spot"})
    run = spot()
    assert run.failed
    assert run.message == (
        "Spot responded with 429 to GET /setup/account: A fault of the sandbox (the rate limit ends in 3600 s). "
        "Too many requests in this organisation: run again in a minute or later."
    )
    assert len(sandbox.received()) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"error": {"status": 500, "message": "Boom"}}, "Spot responded with 500 to GET /setup/account: Boom"),
        ({"text": "upstream connect error\n", "status": 503}, "Spot responded with 503 to GET /setup/account: upstream connect error"),
        ({"drop": True}, "Spot did not respond at http://127.0.0.1"),
    ],
    ids=["500", "text", "drop"],
)
def test_an_outage_is_a_failure_after_three_attempts(spot: Spot, sandbox: Sandbox, fault: dict[str, Any], words: str) -> None:
    sandbox.add_fault(fault, {"target": "spot"})
    run = spot()
    assert run.failed
    assert run.message.startswith(words)
    assert "\n" not in run.message
    assert [request["method"] for request in sandbox.received()] == ["GET"] * 3


@pytest.mark.parametrize("fault", [{"error": {"status": 502}}, {"text": "Bad gateway", "status": 502}, {"drop": True}], ids=str)
def test_a_short_outage_is_bridged(spot: Spot, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.add_fault(fault, {"target": "spot"}, times=1)
    assert outcomes(spot()) == {"spot_token": "pass", "aws_account": "pass"}


def test_an_outage_in_the_middle_is_a_failure(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 500}}, {"path": "/setup/account"})
    assert spot().failed


@pytest.mark.parametrize("fault", [{"garbage": True}, {"text": "<html>hello</html>", "status": 200}], ids=str)
def test_what_is_not_the_spot_api_is_a_failure(spot: Spot, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.add_fault(fault, {"target": "spot"})
    run = spot()
    assert run.failed
    assert "is not the Spot API" in run.message


@pytest.mark.slow
def test_a_spot_that_is_silent_for_once_is_asked_again(spot: Spot, sandbox: Sandbox) -> None:
    sandbox.add_fault({"hang": 30}, {"target": "spot"}, times=1)
    begin = time.monotonic()
    assert outcomes(spot()) == {"spot_token": "pass", "aws_account": "pass"}
    assert 9 < time.monotonic() - begin < 20


def test_a_spot_that_is_not_there_is_a_failure_with_its_address(spot: Spot) -> None:
    run = spot(spot_api_url="http://127.0.0.1:1")
    assert run.failed
    assert run.message.startswith("Spot did not respond at http://127.0.0.1:1: ")


# Arguments


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"spot_token": None}, "There is no Spot token: set SPOTINST_TOKEN"),
        ({"spot_token": "with:colon-SECRET"}, "The Spot token contains a colon"),
        ({"spot_token": "SECRET" * 100}, "The Spot token has 600 characters"),
        ({"spot_account": "d7320fba"}, "'d7320fba' is not a Spot account id"),
        ({"aws_account": "act-d7320fba"}, "'act-d7320fba' is not an AWS account id"),
        ({"spot_api_url": "http://api.spotinst.io"}, "is not an https:// address"),
        ({"spot_api_url": "api.spotinst.io"}, "is not an https:// address"),
        ({"include": [{"name": "x"}]}, "'include' and 'exclude' are for lists: leave 'spot_account' out"),
        ({"exclude": [{"name": "x"}]}, "'include' and 'exclude' are for lists: leave 'spot_account' out"),
        ({"spot_account": None, "include": [{}]}, "'include[0]' is empty"),
        ({"spot_account": None, "exclude": [{"aws_account": 12345678901}]}, "'exclude[0].aws_account' must be text"),
        ({"spot_account": None, "include": [{"nmae": "x"}]}, "nmae"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_before_anything_is_asked(
    spot: Spot, run: Runner, sandbox: Sandbox, wrong: dict[str, Any], words: str
) -> None:
    run.tokens.add("SECRET")
    done = spot(**wrong)
    assert done.failed
    assert words in done.message
    assert sandbox.received() == []
