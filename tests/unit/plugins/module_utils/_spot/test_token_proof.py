# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount, SpotError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_findings import findings
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import (
    IMPOSSIBLE_INSTANCE,
    NONE,
    NOTIFICATION,
    Proof,
    SpotResponse,
    ask,
    ask_all,
    sample_warning,
)

ID, AWS = "act-d7320fba", "123456789012"
ACCOUNT = SpotAccount(ID, "production", "606079873399", AWS)
OTHERS = SpotAccount(ID, "production", "606079873399", "210987654321")
UNBOUND = SpotAccount(ID, "production", "606079873399", None)
UNAUTHENTICATED, FORBIDDEN, OUTAGE = SpotError(401, "who?"), SpotError(403, "not yours"), SpotError(502, "gone")


@pytest.mark.parametrize(
    ("refusal", "account", "unlisted", "aws_account", "outcomes"),
    [
        # the token is good
        (None, ACCOUNT, None, AWS, ["spot_token pass", "aws_account pass"]),
        (None, ACCOUNT, None, None, ["spot_token pass"]),
        (None, OTHERS, None, AWS, ["spot_token pass", "aws_account fail"]),
        (None, OTHERS, None, None, ["spot_token pass"]),
        (None, UNBOUND, None, AWS, ["spot_token pass", "aws_account skip"]),
        (None, None, None, AWS, ["spot_token pass", "aws_account skip"]),
        (None, None, FORBIDDEN, AWS, ["spot_token pass", "aws_account skip"]),
        (None, None, FORBIDDEN, None, ["spot_token pass"]),
        # Spot does not know the token
        (UNAUTHENTICATED, None, None, AWS, ["spot_token fail"]),
        (UNAUTHENTICATED, None, None, None, ["spot_token fail"]),
        # Spot knows it, and it may list the account, but not ask about groups
        (FORBIDDEN, ACCOUNT, None, AWS, ["spot_token warn", "aws_account pass"]),
        (FORBIDDEN, ACCOUNT, None, None, ["spot_token warn"]),
        (FORBIDDEN, OTHERS, None, AWS, ["spot_token warn", "aws_account fail"]),
        # Spot knows it, but it does not see the account
        (FORBIDDEN, None, None, AWS, ["spot_account fail"]),
        (FORBIDDEN, None, FORBIDDEN, AWS, ["spot_account fail"]),
        (FORBIDDEN, None, FORBIDDEN, None, ["spot_account fail"]),
    ],
)
def test_what_spots_answers_mean(
    refusal: SpotError | None,
    account: SpotAccount | None,
    unlisted: SpotError | None,
    aws_account: str | None,
    outcomes: list[str],
) -> None:
    found = findings(SpotResponse(refusal, account, unlisted), ID, aws_account)
    assert [f"{finding.check} {finding.outcome}" for finding in found] == outcomes


@pytest.mark.parametrize(
    "answers",
    [
        SpotResponse(UNAUTHENTICATED, None, None),
        SpotResponse(FORBIDDEN, ACCOUNT, None),
        SpotResponse(FORBIDDEN, None, FORBIDDEN),
        SpotResponse(None, OTHERS, None),
        SpotResponse(None, UNBOUND, None),
        SpotResponse(None, None, None),
        SpotResponse(None, None, FORBIDDEN),
    ],
)
def test_everything_but_a_pass_says_what_to_do(answers: SpotResponse) -> None:
    assert [finding for finding in findings(answers, ID, AWS) if bool(finding.remedy) == (finding.outcome == "pass")] == []


def test_another_aws_account_is_told_with_both() -> None:
    message = findings(SpotResponse(None, OTHERS, None), ID, AWS)[1].message
    assert message == f"The Spot account {ID} belongs to AWS account 210987654321, not to {AWS}."


def test_what_spot_said_is_in_the_message() -> None:
    assert "who?" in findings(SpotResponse(UNAUTHENTICATED, None, None), ID, AWS)[0].message


def test_a_finding_in_a_result_has_four_parts() -> None:
    assert findings(SpotResponse(None, ACCOUNT, None), ID, None)[0].as_dict() == {
        "check": "spot_token",
        "outcome": "pass",
        "message": f"Spot accepts the token for {ID}.",
        "remedy": "",
    }


# Asking


class Api:
    """The Spot API: `proof` is raised by a proof that reads, `notice` by a notice.

    `lists` gives accounts, or what is raised, by AWS account.
    """

    def __init__(self, proof: SpotError | None = None, notice: SpotError | None = None, **lists: t.Any) -> None:
        self.proof, self.notice, self.lists = proof, notice, lists
        self.notices: list[tuple[str, str, str]] = []
        self.asked: list[str | None] = []

    def notify(self, endpoint: str, spot_account: str, notice: t.Mapping[str, t.Any]) -> None:
        self.notices.append((endpoint, spot_account, notice["detail"]["instance-id"]))
        if self.notice:
            raise self.notice

    def prove_token(self, spot_account: str) -> None:
        assert spot_account == ID
        if self.proof:
            raise self.proof

    def accounts(self, aws_account: str | None = None) -> list[SpotAccount]:
        self.asked.append(aws_account)
        found = self.lists["filtered" if aws_account else "all"]
        if isinstance(found, SpotError):
            raise found
        return t.cast("list[SpotAccount]", found)


def asked(api: Api, aws_account: str | None = AWS) -> SpotResponse:
    return ask(t.cast("t.Any", api), ID, aws_account)


def test_a_token_that_spot_does_not_know_is_asked_about_nothing_more() -> None:
    api = Api(UNAUTHENTICATED)
    assert asked(api) == SpotResponse(UNAUTHENTICATED, None, None)
    assert api.asked == []


def test_the_accounts_of_the_aws_account_are_asked_for_first_as_that_needs_no_administrator() -> None:
    api = Api(filtered=[SpotAccount("act-00000001", "", "", AWS), ACCOUNT])
    assert asked(api) == SpotResponse(None, ACCOUNT, None)
    assert api.asked == [AWS]


def test_all_accounts_are_asked_for_if_it_is_not_among_them() -> None:
    api = Api(filtered=[], all=[OTHERS])
    assert asked(api) == SpotResponse(None, OTHERS, None)


def test_without_an_aws_account_all_are_asked_for() -> None:
    api = Api(all=[ACCOUNT])
    assert asked(api, None) == SpotResponse(None, ACCOUNT, None)
    assert api.asked == [None]


@pytest.mark.parametrize("api", [Api(filtered=[], all=FORBIDDEN), Api(filtered=FORBIDDEN)], ids=["all", "filtered"])
def test_a_list_that_is_refused_is_no_end(api: Api) -> None:
    assert asked(api) == SpotResponse(None, None, FORBIDDEN)


@pytest.mark.parametrize("api", [Api(OUTAGE), Api(filtered=OUTAGE), Api(filtered=[], all=OUTAGE)], ids=["proof", "filtered", "all"])
def test_an_outage_is_an_error(api: Api) -> None:
    with pytest.raises(SpotError, match="gone"):
        asked(api)


@pytest.mark.parametrize(
    ("refusal", "outcomes"),
    [
        (None, ["spot_token pass", "aws_account skip"]),
        (FORBIDDEN, ["spot_token warn", "aws_account skip"]),
        (UNAUTHENTICATED, ["spot_token fail"]),
    ],
)
def test_waiving_the_proof_lets_only_a_token_through_that_spot_knows(refusal: SpotError | None, outcomes: list[str]) -> None:
    found = findings(SpotResponse(refusal, None, FORBIDDEN), ID, AWS, NONE)
    assert [f"{finding.check} {finding.outcome}" for finding in found] == outcomes


# The proof by a notice


PROOF = Proof(NOTIFICATION, "https://example.com/notices", sample_warning("us-east-1", AWS))


def proved(api: Api) -> list[str]:
    response = ask(t.cast("t.Any", api), ID, AWS, PROOF)
    return [f"{finding.check} {finding.outcome}" for finding in findings(response, ID, AWS, NOTIFICATION)]


def test_a_notice_that_spot_takes_is_all_the_proof() -> None:
    api = Api(UNAUTHENTICATED, filtered=[ACCOUNT])
    assert proved(api) == ["spot_token pass", "aws_account pass"]
    assert api.notices == [("https://example.com/notices", ID, IMPOSSIBLE_INSTANCE)]


@pytest.mark.parametrize("refusal", [UNAUTHENTICATED, FORBIDDEN])
@pytest.mark.parametrize(
    ("reading", "outcome"),
    [(None, "spot_token fail"), (UNAUTHENTICATED, ""), (FORBIDDEN, ""), (OUTAGE, "")],
    ids=["reads", "unknown", "blind", "outage"],
)
def test_a_refused_notice_is_a_refusal_whatever_the_token_may_read(refusal: SpotError, reading: SpotError | None, outcome: str) -> None:
    other = "spot_token fail" if refusal is UNAUTHENTICATED else "spot_account fail"
    assert proved(Api(reading, refusal, filtered=[ACCOUNT])) == [outcome or other]


@pytest.mark.parametrize("status", [0, 301, 400, 404, 422, 429, 500, 503])
@pytest.mark.parametrize("reading", [None, FORBIDDEN], ids=["reads", "blind"])
def test_a_response_that_says_neither_yes_nor_no_is_a_warning_that_quotes_it(status: int, reading: SpotError | None) -> None:
    api = Api(reading, SpotError(status, f"Spot responded with {status}"), filtered=FORBIDDEN)
    response = ask(t.cast("t.Any", api), ID, AWS, PROOF)
    found = findings(response, ID, AWS, NOTIFICATION)[0]
    assert (found.check, found.outcome) == ("spot_token", "warn")
    assert f"Spot responded with {status}" in found.message


def test_a_token_that_spot_does_not_know_is_refused_although_the_notice_says_nothing() -> None:
    assert proved(Api(UNAUTHENTICATED, SpotError(404, "where?"), filtered=UNAUTHENTICATED)) == ["spot_token fail"]


@pytest.mark.parametrize("lists", [{"filtered": OUTAGE}, {"filtered": [], "all": OUTAGE}], ids=["filtered", "all"])
def test_no_notice_is_sent_to_a_spot_that_is_down(lists: dict[str, t.Any]) -> None:
    api = Api(**lists)
    with pytest.raises(SpotError, match="gone"):
        proved(api)
    assert api.notices == []


def test_a_token_that_may_not_notify_for_one_account_is_asked_about_the_others() -> None:
    api = Api(None, UNAUTHENTICATED, all=[ACCOUNT])
    found = ask_all(t.cast("t.Any", api), [ID, ID], PROOF)
    assert len(api.notices) == 2
    assert [found[ID].account, found[ID].refusal] == [ACCOUNT, UNAUTHENTICATED]


def test_a_refused_right_names_the_permission() -> None:
    response = SpotResponse(FORBIDDEN, None, None, reads=True)
    assert "elastigroup:createInstanceinterruptionNotification" in findings(response, ID, AWS, NOTIFICATION)[0].remedy
