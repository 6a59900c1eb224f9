# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spot's side: the feature flag and the log, asked of services that check credentials."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import certificate
from tests.fakes.flags import FLAG, Flags
from tests.fakes.http_service import FakeService
from tests.fakes.log import USER, Log
from tests.integration.modules.aws import SPOT_ACCOUNT
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

ORGANIZATION = "606079873399"
LINE = f'{{"org": {ORGANIZATION}, "path": "/aws/ec2/instance/interruptionNotification", "account": "{SPOT_ACCOUNT}"}}'


@pytest.fixture
def ask(run: Runner, sandbox: Sandbox) -> Any:
    """Runs the module and returns the only finding: outcome, message, remedy."""

    def call(**more: Any) -> dict[str, str]:
        done = whole(**more)
        assert not done.failed, done.message
        (found,) = done.answer["checks"]
        return dict(found)

    def whole(**more: Any) -> Run:
        given = {"spot_account": SPOT_ACCOUNT, "organization": ORGANIZATION, "spot_api_url": sandbox.spot_url, **more}
        return run("spot_backend_info", **given)

    call.whole = whole  # type: ignore[attr-defined]
    return call


@pytest.fixture
def flags(run: Runner) -> Iterator[Flags]:
    with Flags() as service:
        run.tokens.add(service.secret)
        yield service


@pytest.fixture
def log(run: Runner) -> Iterator[Log]:
    with Log() as service:
        run.tokens.add(service.secret)
        yield service


def source(flags: Flags, provider: str, **more: Any) -> dict[str, Any]:
    given = {
        "ofrep": {"url": flags.url},
        "launchdarkly": {"url": flags.url, "project": flags.project, "environment": flags.environment},
        "http": {"url": f"{flags.url}/flags.json?flag={{flag}}&account={{account}}", "expression": "features[0].enabled"},
    }[provider]
    return {"provider": provider, "token": flags.secret, **given, **more}


EVERY = pytest.mark.parametrize("provider", ["ofrep", "launchdarkly", "http"])


# The feature flag


@EVERY
@pytest.mark.parametrize("meaning", [(True, "pass", "is on for"), (False, "fail", "is off for"), ("v2", "unknown", "'v2'")])
def test_a_flag_is_on_or_off_or_neither(ask: Any, flags: Flags, provider: str, meaning: tuple[Any, str, str]) -> None:
    flags.flags[FLAG], outcome, told = meaning
    found = ask(feature_flag=source(flags, provider))
    assert (found["check"], found["outcome"]) == ("feature_flag", outcome)
    assert told in found["message"]


@EVERY
def test_a_flag_that_does_not_exist_is_not_off(ask: Any, flags: Flags, provider: str) -> None:
    flags.flags.clear()
    found = ask(feature_flag=source(flags, provider))
    assert found["outcome"] == "unknown"
    assert "There is no feature flag" in found["message"]
    assert "This does not mean off" in found["message"]


@EVERY
def test_wrong_credentials_of_a_flag_service_are_named_as_such(ask: Any, flags: Flags, run: Runner, provider: str) -> None:
    run.tokens.add("wrong-token-0123")
    found = ask(feature_flag=source(flags, provider, token="wrong-token-0123"))
    assert found["outcome"] == "unknown"
    assert "responded with 401 (it refuses the credentials)" in found["message"]
    assert "credentials" in found["remedy"]


@pytest.mark.parametrize("provider", ["ofrep", "launchdarkly"])
def test_the_context_carries_account_and_organisation(ask: Any, flags: Flags, provider: str) -> None:
    ask(feature_flag=source(flags, provider))
    (body,) = flags.bodies
    context = body.get("context", body)
    assert (context["account"], context["organization"]) == (SPOT_ACCOUNT, ORGANIZATION)
    assert SPOT_ACCOUNT in (context.get("targetingKey"), context.get("key"))


def test_a_key_may_go_in_a_header_of_its_own(ask: Any, flags: Flags) -> None:
    assert ask(feature_flag=source(flags, "ofrep", token_header="X-API-Key"))["outcome"] == "pass"
    assert "Authorization" not in flags.received[0]["headers"]


def test_a_project_that_does_not_exist_is_no_flag_that_does_not_exist(ask: Any, flags: Flags) -> None:
    found = ask(feature_flag=source(flags, "launchdarkly", project="nope"))
    assert "responded with 404" in found["message"]
    assert "There is no feature flag" not in found["message"]


@pytest.mark.parametrize("organization", ['x" OR "', "x&flag=other", "{account}", "\u00e4/../y"])
def test_metacharacters_in_the_organisation_stay_where_they_are(ask: Any, flags: Flags, organization: str) -> None:
    url = f"{flags.url}/flags.json?flag={{flag}}&account={{account}}&organization={{organization}}"
    assert ask(feature_flag=source(flags, "http", url=url), organization=organization)["outcome"] == "pass"
    assert flags.received[0]["query"] == {"flag": FLAG, "account": SPOT_ACCOUNT, "organization": organization}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"provider": "ofrep", "url": None}, "feature_flag.url is missing"),
        ({"provider": "launchdarkly", "token": None}, "feature_flag.token is missing"),
        ({"provider": "http", "expression": "features["}, "feature_flag.expression is not JMESPath"),
        ({"provider": "ofrep", "url": "http://example.com"}, "is not an https:// address"),
    ],
)
def test_options_that_cannot_be_right_are_refused(ask: Any, flags: Flags, changed: dict[str, Any], told: str) -> None:
    assert told in ask.whole(feature_flag={**source(flags, changed["provider"]), **changed}).message
    assert flags.received == []


def test_a_negative_time_is_refused(ask: Any, flags: Flags) -> None:
    assert "wait_timeout is -1, but must be" in ask.whole(feature_flag=source(flags, "ofrep"), wait_timeout=-1).message
    assert flags.received == []


def test_the_organisation_is_asked_of_spot(ask: Any, flags: Flags, sandbox: Sandbox) -> None:
    ask(feature_flag=source(flags, "ofrep"), organization=None, spot_token=sandbox.tokens["admin"])
    assert flags.bodies[0]["context"]["organization"] == ORGANIZATION


# The log


def where(log: Log, provider: str = "elasticsearch", **more: Any) -> dict[str, Any]:
    url = f"{log.url}/s/spot" if provider == "kibana" else log.url
    return {"provider": provider, "url": url, "api_key": log.secret, **more}


@pytest.mark.parametrize("provider", ["elasticsearch", "opensearch", "kibana"])
def test_it_says_how_many_and_when_the_last(ask: Any, log: Log, provider: str) -> None:
    log.write(LINE, minutes_ago=60)
    last = log.write(LINE, minutes_ago=10)
    log.write(LINE.replace(SPOT_ACCOUNT, "act-00000001"))
    log.write(LINE, minutes_ago=60 * 25)
    found = ask(log=where(log, provider))
    assert (found["check"], found["outcome"]) == ("spot_log", "pass")
    assert f"2 notice(s) of the last 24 h, the last one of {last:%Y-%m-%dT%H:%M:%SZ}" in found["message"]


@pytest.mark.parametrize("front", ["kibana7", "kibana9", "dashboards"])
def test_each_kibana_lets_the_search_through(ask: Any, log: Log, front: str) -> None:
    log.front = front
    log.write(LINE)
    assert ask(log=where(log, "kibana"))["outcome"] == "pass"


@pytest.mark.parametrize("front", ["kibana7", "kibana9", "dashboards"])
def test_an_error_of_the_log_behind_kibana_is_that_error(ask: Any, log: Log, front: str) -> None:
    log.front = front
    found = ask(log=where(log, "kibana", index="nothing"))
    assert found["outcome"] == "unknown"
    assert "responded with 404" in found["message"]
    assert "no such index [nothing]" in found["message"]


def test_the_query_is_the_guides(ask: Any, log: Log) -> None:
    ask(log=where(log))
    asked = log.bodies[0]["query"]["bool"]["filter"][0]["query_string"]["query"]
    assert asked == '"606079873399" AND "/interruptionNotification" AND "act-d7320fba"'
    assert log.bodies[0]["_source"] is False


@pytest.mark.parametrize(("delivered", "outcome"), [(None, "skip"), (0, "skip"), (3, "warn")])
def test_none_is_wrong_only_where_some_were_delivered(ask: Any, log: Log, delivered: int | None, outcome: str) -> None:
    assert ask(log=where(log), delivered=delivered)["outcome"] == outcome


@pytest.mark.parametrize("organization", ['1" OR "a', "1\\", "* OR *", "(", "{path}"])
def test_metacharacters_in_the_organisation_find_nothing_else(ask: Any, log: Log, organization: str) -> None:
    log.write(LINE)
    found = ask(log=where(log), organization=organization)
    assert found["outcome"] == "skip"


@pytest.mark.parametrize("account", ['act-d7320fba" OR "x', "act-d7320fba'--", "*"])
def test_an_account_that_is_none_is_refused_before_anybody_is_asked(ask: Any, log: Log, account: str) -> None:
    assert "is not a Spot account id" in ask.whole(log=where(log), spot_account=account).message
    assert log.received == []


def test_a_user_may_log_in_instead(ask: Any, log: Log) -> None:
    log.write(LINE)
    assert ask(log=where(log, api_key=None, user=USER, password=log.secret))["outcome"] == "pass"


def test_wrong_credentials_of_the_log_are_named_as_such(ask: Any, log: Log, run: Runner) -> None:
    run.tokens.add("wrong-key-0123")
    assert "it refuses the credentials" in ask(log=where(log, api_key="wrong-key-0123"))["message"]


@pytest.mark.parametrize("index", ["nothing", "nothing*"])
def test_an_index_that_is_not_there_is_not_an_empty_one(ask: Any, log: Log, index: str) -> None:
    found = ask(log=where(log, index=index))
    assert found["outcome"] == "unknown"
    assert "no such index" in found["message"] or "has no index nothing*" in found["message"]


def test_a_search_in_a_part_only_is_no_search(ask: Any, log: Log) -> None:
    log.shards_failed = 1
    assert "searched only a part" in ask(log=where(log))["message"]


def test_without_the_organisation_its_query_is_not_asked(ask: Any, log: Log) -> None:
    found = ask(log=where(log), organization=None)
    assert (found["outcome"], log.received) == ("unknown", [])
    log.write(LINE)
    assert ask(log=where(log, query="{account}"), organization=None)["outcome"] == "pass"


# What does not answer


class Nonsense(FakeService):
    """Answers everybody with a page."""

    def authenticated(self, request: Any) -> bool:
        return True

    def answer(self, request: Any, body: Any) -> Any:
        from tests.sandbox.server import Answer

        return Answer(200, b"<html>Welcome</html>")


@pytest.mark.parametrize("asked", ["flag", "log"])
def test_what_is_something_else_is_said_to_be(ask: Any, asked: str) -> None:
    with Nonsense() as service:
        given = {"feature_flag": {"provider": "ofrep", "url": service.url}} if asked == "flag" else {"log": {"url": service.url}}
        found = ask(**given)
    assert found["outcome"] == "unknown"
    assert "the service at 127.0.0.1" in found["message"]


@pytest.mark.parametrize("asked", ["flag", "log"])
def test_who_refuses_the_connection_is_a_finding(ask: Any, asked: str) -> None:
    with Nonsense() as gone:
        url = gone.url
    found = ask(**({"feature_flag": {"provider": "ofrep", "url": url}} if asked == "flag" else {"log": {"url": url}}))
    assert found["outcome"] == "unknown"
    assert "did not respond" in found["message"]


@pytest.mark.slow
def test_who_says_nothing_is_a_finding_within_thirty_seconds(ask: Any, flags: Flags) -> None:
    flags.silent = 40
    start = time.monotonic()
    found = ask(feature_flag=source(flags, "ofrep"))
    assert time.monotonic() - start < 30
    assert (found["outcome"], "did not respond" in found["message"]) == ("unknown", True)


def test_an_authority_of_ones_own_is_trusted_if_it_is_given(ask: Any, log: Log, tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    files = certificate.make(tmp_path / "tls")
    log.encrypt(files.context())
    log.write(LINE)
    assert ask(log=where(log, ca_path=str(files.authority)))["outcome"] == "pass"
    refused = ask(log=where(log))
    assert refused["outcome"] == "unknown"
    assert "certificate verify failed" in refused["message"].lower() or "CERTIFICATE_VERIFY_FAILED" in refused["message"]
