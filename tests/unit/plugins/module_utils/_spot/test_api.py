# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import socket
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._spot import api as _spot_api
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import (
    SpotAccount,
    SpotError,
    doubt_about,
    error_text,
    items_of,
    parse_account,
    response_of,
    seconds_left,
)

TOKEN = "0123456789secretTOKEN"


class Spot(ThreadingHTTPServer):
    """Answers on loopback with what a test has put down: status, body and headers, in turn; the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def will_answer(self, status: int, body: t.Any = b"", **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, raw, {name.replace("_", "-"): value for name, value in headers.items()}))

    def handle_error(self, *dummy: t.Any) -> None:
        """A client that disconnects is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Spot

    def do_GET(self) -> None:
        self.server.requests.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        answers = self.server.answers
        status, body, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:  # no answer
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *dummy: t.Any) -> None:
        """Say nothing."""


@pytest.fixture
def spot() -> t.Iterator[Spot]:
    server = Spot()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def api(spot: Spot, pauses: list[float]) -> SpotApi:
    return SpotApi(spot.url, TOKEN, sleep=pauses.append)


def items(*found: t.Any) -> dict[str, t.Any]:
    return {"request": {"id": "1"}, "response": {"status": {"code": 200, "message": "OK"}, "items": list(found), "count": len(found)}}


def refusal(status: int, *messages: str) -> dict[str, t.Any]:
    errors = [{"code": "X", "message": message} for message in messages]
    return {"response": {"status": {"code": status, "message": "Bad"}, "errors": errors}}


def refused(api: SpotApi) -> SpotError:
    with pytest.raises(SpotError) as caught:
        api.prove_token("act-d7320fba")
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


# What is sent


def test_a_token_is_proved_with_a_cheap_question_about_the_account(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(200, items())
    api.prove_token("act-d7320fba")
    ((method, path, headers),) = spot.requests
    assert (method, path) == ("GET", "/aws/ec2/group?accountId=act-d7320fba")
    assert headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("aws_account", "path"), [(None, "/setup/account"), ("012345678901", "/setup/account?cloudAccountId=012345678901")]
)
def test_accounts_may_be_asked_for_by_aws_account(spot: Spot, api: SpotApi, aws_account: str | None, path: str) -> None:
    spot.will_answer(200, items())
    api.accounts(aws_account)
    assert spot.requests[0][1] == path


def test_a_slash_at_the_addresss_end_does_not_matter(spot: Spot) -> None:
    spot.will_answer(200, items())
    SpotApi(spot.url + "/", TOKEN).accounts()
    assert spot.requests[0][1] == "/setup/account"


def test_a_netrc_file_does_not_replace_the_token(spot: Spot, api: SpotApi, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    spot.will_answer(200, items())
    api.prove_token("act-d7320fba")
    assert spot.requests[0][2]["authorization"] == f"Bearer {TOKEN}"


# What is retried


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_outage_is_tried_three_times(spot: Spot, api: SpotApi, pauses: list[float], status: int) -> None:
    spot.will_answer(status, b"Bad gateway")
    assert refused(api).status == status
    assert (len(spot.requests), pauses) == (3, [1.0, 2.0])


def test_a_short_outage_is_bridged(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(502)
    spot.will_answer(0)
    spot.will_answer(200, items({"accountId": "act-d7320fba"}))
    assert len(api.accounts()) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_final(spot: Spot, api: SpotApi, status: int) -> None:
    spot.will_answer(status, refusal(status, "no"))
    error = refused(api)
    assert (error.status, error.refused, error.unauthenticated, len(spot.requests)) == (status, True, status == 401, 1)


def test_a_rate_limit_is_waited_for_a_little_longer_than_spot_says(spot: Spot, api: SpotApi, pauses: list[float]) -> None:
    spot.will_answer(429, refusal(429, "slow down"), X_RateLimit_Reset="17")
    spot.will_answer(200, items())
    api.prove_token("act-d7320fba")
    assert pauses == [18.0]


@pytest.mark.parametrize("reset", [None, "", "soon", "-5", "nan", "inf", "Sun, 06 Nov 1994 08:49:37 GMT", "1000000001"])
def test_a_rate_limit_without_a_useful_time_is_waited_for_as_long_as_spots_limits_last(
    spot: Spot, api: SpotApi, pauses: list[float], reset: str | None
) -> None:
    spot.will_answer(429, b"", **({} if reset is None else {"X_RateLimit_Reset": reset}))
    spot.will_answer(200, items())
    api.prove_token("act-d7320fba")
    assert pauses == [60.0]


def test_a_rate_limit_of_something_before_spot_may_have_the_standard_header(spot: Spot, api: SpotApi, pauses: list[float]) -> None:
    spot.will_answer(429, b"", Retry_After="5")
    spot.will_answer(200, items())
    api.prove_token("act-d7320fba")
    assert pauses == [6.0]


@pytest.mark.parametrize("reset", ["61", "3600", "999999999", "9999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_rate_limit_of_more_than_a_minute_is_not_waited_for(spot: Spot, api: SpotApi, pauses: list[float], reset: str) -> None:
    spot.will_answer(429, refusal(429, "slow down"), X_RateLimit_Reset=reset)
    error = refused(api)
    assert (error.status, error.refused, pauses, len(spot.requests)) == (429, False, [], 1)
    assert re.fullmatch(r"Spot responded with 429 to GET /aws/ec2/group: slow down \(the rate limit ends in \d+ s\)", str(error))


def test_a_rate_limit_that_does_not_end_is_given_up(spot: Spot, api: SpotApi, pauses: list[float]) -> None:
    spot.will_answer(429, refusal(429, "slow down"), X_RateLimit_Reset="2")
    assert "slow down" in str(refused(api))
    assert pauses == [3.0, 3.0]


def test_a_rate_limit_that_ends_now_is_not_asked_at_once(spot: Spot, api: SpotApi, pauses: list[float]) -> None:
    spot.will_answer(429, b"", X_RateLimit_Reset="0")
    refused(api)
    assert pauses == [1.0, 2.0]


NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (None, None),
        ("", None),
        (" ", None),
        ("soon", None),
        ("0x10", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0.5", 0.5),
        ("1e9", None),
        ("1800000030", 30.0),
        ("1800000030000", 30.0),
        ("1799999990", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 09:00:30 +0100", 30.0),
        ("Fri, 15 Jan 2027 07:59:30 GMT", None),
        ("2027-01-15T08:00:30Z", 30.0),
        ("2027-01-15T08:00:30", 30.0),
        ("2027-01-15T09:00:30+01:00", 30.0),
    ],
)
def test_the_end_of_a_rate_limit_is_read_whatever_its_form(text: str | None, left: float | None) -> None:
    assert seconds_left(text, NOW) == left


# What is no answer


def test_a_connection_that_breaks_is_told_with_the_address(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(0)
    error = refused(api)
    assert (error.status, error.refused) == (0, False)
    assert str(error).startswith(f"Spot did not respond at {spot.url}: ")
    assert len(spot.requests) == 3


def test_a_port_where_nobody_listens_is_told_with_the_address(pauses: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    error = refused(SpotApi(url, TOKEN, sleep=pauses.append))
    assert str(error).startswith(f"Spot did not respond at {url}: ")
    assert "refused" in str(error)


def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    monkeypatch.setattr(_spot_api, "_TIMEOUT", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        error = refused(SpotApi(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, sleep=pauses.append))
    assert "timed out" in str(error)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_so_that_the_token_goes_nowhere_else(spot: Spot, api: SpotApi, status: int) -> None:
    spot.will_answer(status, b"", Location=f"{spot.url}/elsewhere")
    error = refused(api)
    assert (error.status, error.refused) == (status, False)
    assert not [path for dummy, path, dummy2 in spot.requests if path == "/elsewhere"]


def test_another_success_is_no_answer(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(204)
    assert "which is not a response of its API" in str(refused(api))


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x00<not> {json", b"[]", b"{}", b'{"response": 1}', b'{"response": null}'])
def test_another_body_is_not_spots(spot: Spot, api: SpotApi, body: bytes) -> None:
    spot.will_answer(200, body)
    error = refused(api)
    assert (error.status, error.refused) == (0, False)
    assert "is not the Spot API" in str(error)


# Nothing of the token


@pytest.mark.parametrize("lead", [0, 170, 180, 199])
def test_a_token_that_comes_back_is_hidden_even_where_the_text_is_cut(spot: Spot, api: SpotApi, lead: int) -> None:
    spot.will_answer(403, b"x" * lead + b" " + TOKEN.encode())
    assert TOKEN[:4] not in str(refused(api))


def test_a_token_that_comes_back_in_what_is_not_spots_is_hidden(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(200, f"<html>{TOKEN}".encode())
    assert "********" in str(refused(api))


# Envelopes


@pytest.mark.parametrize("found", [[], [1, "two"]])
def test_items_are_taken_out_of_the_envelope(found: list[t.Any]) -> None:
    assert items_of(response_of(json.dumps(items(*found)).encode(), "here")) == found


@pytest.mark.parametrize("body", [b'{"response": {}}', b'{"response": {"items": null}}', b'{"response": {"items": {}}}'])
def test_no_items_are_none(body: bytes) -> None:
    assert items_of(response_of(body, "here")) == []


ONE, TWO = {"accountId": "act-1"}, {"accountId": "act-2"}


@pytest.mark.parametrize(
    ("response", "doubt"),
    [
        ({"items": [ONE, TWO], "count": 2}, ""),
        ({"items": [ONE, TWO]}, ""),
        ({"items": [ONE, TWO], "count": None}, ""),
        ({"items": [ONE, TWO], "count": "2"}, ""),
        ({"items": [ONE, TWO], "count": 1}, ""),
        ({}, ""),
        ({"items": [ONE, TWO], "count": 600}, "Spot counts 600 accounts, and listed 2: some may be missing."),
        ({"items": [ONE, {}, None], "count": 3}, "2 of the 3 accounts that Spot listed have no id, and are left out."),
    ],
)
def test_a_list_that_may_not_be_all_of_it_is_doubted(response: dict[str, t.Any], doubt: str) -> None:
    found = [account for account in map(parse_account, items_of(response)) if account]
    assert doubt_about(response, found).startswith(doubt)
    assert bool(doubt_about(response, found)) == bool(doubt)


def test_a_doubt_is_told(spot: Spot) -> None:
    told: list[str] = []
    spot.will_answer(200, {"response": {"items": [ONE], "count": 2}})
    assert len(SpotApi(spot.url, TOKEN, warn=told.append).accounts()) == 1
    assert len(told) == 1


def test_a_doubt_that_nobody_wants_to_hear_is_none(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(200, {"response": {"items": [ONE], "count": 2}})
    assert len(api.accounts()) == 1


def test_an_account_that_is_listed_twice_is_one(spot: Spot, api: SpotApi) -> None:
    spot.will_answer(200, items({**ONE, "name": "first"}, TWO, {**ONE, "name": "second"}))
    assert [(account.spot_account, account.name) for account in api.accounts()] == [("act-1", "first"), ("act-2", "")]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (json.dumps(refusal(400, "first", "second")).encode(), "first; second"),
        (b'{"response": {"status": {"message": "Bad"}, "errors": [{"code": "X1"}]}}', "X1"),
        (json.dumps(refusal(400)).encode(), "Bad"),
        (b'{"response": {"status": {"message": "Bad"}, "errors": null}}', "Bad"),
        (b"upstream\n  connect error", "upstream connect error"),
        (b"", "(nothing)"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[]", "[]"),
        (b"x" * 5000, "x" * 200),
        (json.dumps(refusal(400, "x" * 5000)).encode(), "x" * 500),
        (b"a \x1b[31mred\x07 text", "a [31mred text"),
        (b'{"response": {"errors": ["text"]}}', '{"response": {"errors": ["text"]}}'),
    ],
)
def test_an_errors_text_is_found_whatever_its_form(body: bytes, text: str) -> None:
    assert error_text(body) == text


# Accounts

PRODUCTION = SpotAccount("act-d7320fba", "production", "606079873399", "123456789012", "AWS", "123456789012")


@pytest.mark.parametrize(
    ("item", "account"),
    [
        pytest.param(
            {
                "accountId": "act-d7320fba",
                "name": "production",
                "organizationId": "606079873399",
                "providerExternalId": "123456789012",
                "cloudProvider": "AWS",
            },
            PRODUCTION,
            id="text",
        ),
        pytest.param(
            {
                "accountId": "act-d7320fba",
                "name": "production",
                "organizationId": 606079873399,
                "providerExternalId": 123456789012,
                "cloudProvider": "AWS",
            },
            PRODUCTION,
            id="numbers",
        ),
        pytest.param(
            {
                "accountId": " act-d7320fba ",
                "name": "production",
                "organizationId": 606079873399.0,
                "providerExternalId": 123456789012.0,
                "cloudProvider": "AWS",
                "createdAt": None,
                "more": {},
            },
            PRODUCTION,
            id="floats, blanks, and more",
        ),
        pytest.param(
            {"accountId": "act-1", "cloudProvider": "AZURE", "providerExternalId": "5f3b"},
            SpotAccount("act-1", "", "", None, "AZURE", "5f3b"),
            id="another provider",
        ),
        pytest.param({"accountId": 17, "name": 2024}, SpotAccount("17", "2024", "", None), id="an id and a name that are numbers"),
        pytest.param({"accountId": "act-1", "name": {"en": "x"}, "organizationId": True}, SpotAccount("act-1", "", "", None), id="neither"),
        pytest.param({"accountId": "act-1"}, SpotAccount("act-1", "", "", None), id="nothing but an id"),
        pytest.param({"accountId": "act-1", "name": None, "organizationId": None}, SpotAccount("act-1", "", "", None), id="nulls"),
    ],
)
def test_an_account_is_read_whatever_its_form(item: dict[str, t.Any], account: SpotAccount) -> None:
    assert parse_account(item) == account


@pytest.mark.parametrize(
    ("provider", "external", "aws_account"),
    [
        ("AWS", "012345678901", "012345678901"),
        ("aws", 12345678901, "012345678901"),
        (None, "123456789012", "123456789012"),
        ("AWS", None, None),
        ("AZURE", "123456789012", None),
        ("GCP", "my-project", None),
        ("AWS", "my-project", None),
        ("AWS", "1234567890123", None),
        ("AWS", "", None),
        ("AWS", 0, None),
        ("AWS", "000000000000", None),
        ("AWS", "12345678901²", None),
        ("AWS", True, None),
        ("AWS", 123456789012.0, "123456789012"),
        ("", "123456789012", "123456789012"),
    ],
)
def test_the_aws_account_behind_an_account(provider: str | None, external: t.Any, aws_account: str | None) -> None:
    found = parse_account({"accountId": "act-1", "cloudProvider": provider, "providerExternalId": external})
    assert found is not None
    assert found.aws_account == aws_account


@pytest.mark.parametrize("item", [None, "act-1", 1, [], {}, {"accountId": None}, {"accountId": ""}, {"accountId": " "}, {"accountId": []}])
def test_what_is_no_account_is_left_out(item: t.Any) -> None:
    assert parse_account(item) is None
