# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core import http as _peer
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError, Reply, basic, reason_of, scrub


@pytest.mark.parametrize("form", [str, lambda text: quote(text, safe=""), lambda text: base64.b64encode(text.encode()).decode()])
def test_a_secret_is_hidden_in_every_form(form: object) -> None:
    secret = "s3cret/+value"
    assert scrub(f"<{form(secret)}>", [secret]) == "<********>"  # type: ignore[operator]


def test_text_too_short_for_a_secret_is_not_hidden() -> None:
    assert scrub("a text about /", ["/", "", "a"]) == "a text about /"


def test_a_longer_secret_is_hidden_before_the_shorter_one_in_it() -> None:
    assert scrub("abcdefgh", ["abcd", "abcdefgh"]) == "********"


def test_message_has_only_the_host_of_the_address() -> None:
    peer = Peer("the webhook", "https://user:password@hooks.example.com:8443/services/secret")
    assert peer.host == "hooks.example.com:8443"
    assert "secret" not in str(peer.refusal(Reply(500, b"")))


def test_a_representation_holds_no_secret() -> None:
    peer = Peer("it", "https://example.com", {"Authorization": "Bearer hidden"}, ("hidden",))
    assert "hidden" not in repr(peer)


@pytest.mark.parametrize(
    ("status", "meaning"), [(401, "refuses the credentials"), (403, "does not allow this"), (500, "responded with 500: (nothing)")]
)
def test_message_explains_the_http_status(status: int, meaning: str) -> None:
    assert meaning in str(Peer("it", "https://example.com").refusal(Reply(status, b"")))


@pytest.mark.parametrize(("status", "remedy"), [(0, "network"), (401, "credentials"), (403, "right"), (404, "address"), (503, "later")])
def test_remedy_depends_on_the_http_status(status: int, remedy: str) -> None:
    assert remedy in PeerError(status, "").remedy


@pytest.mark.parametrize(("body", "value"), [(b'{"a": 1}', {"a": 1}), (b"<html>", None), (b"", None), (b"\xff", None)])
def test_body_that_is_not_json_is_none(body: bytes, value: object) -> None:
    assert Reply(200, body).json() == value


def test_query_is_appended_to_the_query_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(_peer: Peer, _method: str, address: str, _body: object) -> Reply:
        asked.append(address)
        return Reply(200, b"")

    monkeypatch.setattr(Peer, "_ask", note)
    Peer("it", "https://example.com/x?a=1").ask("GET", query={"b": "&"})
    Peer("it", "https://example.com/x/").ask("GET", "/y", query={"b": "1"})
    assert asked == ["https://example.com/x?a=1&b=%26", "https://example.com/x/y?b=1"]


def test_basic_credentials_are_base64() -> None:
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_message_of_a_missing_response_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*dummy: object, **more: object) -> None:
        raise OSError("cannot reach https://example.com/topsecret")

    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_peer, "send", fail)
    with pytest.raises(PeerError) as caught:
        Peer("it", "https://example.com/topsecret", secrets=("/topsecret",)).ask("GET")
    assert (caught.value.status, str(caught.value)) == (
        0,
        "it at example.com did not respond: OSError: cannot reach https://example.com********",
    )


@pytest.mark.parametrize(
    ("proxy", "no_proxy", "named"),
    [
        ("http://proxy.example.com:3128", "", " (through the proxy proxy.example.com:3128)"),
        ("http://user:s3cret@proxy.example.com:3128/", "", " (through the proxy proxy.example.com:3128)"),
        ("proxy.example.com:3128", "", " (through the proxy proxy.example.com:3128)"),
        ("http://proxy.example.com:3128", ".spotinst.io", ""),
        ("", "", ""),
    ],
)
def test_the_reason_names_the_proxy_without_its_credentials(monkeypatch: pytest.MonkeyPatch, proxy: str, no_proxy: str, named: str) -> None:
    for name, value in (("https_proxy", proxy), ("no_proxy", no_proxy), ("HTTPS_PROXY", proxy), ("NO_PROXY", no_proxy)):
        monkeypatch.setenv(name, value)
    error = ConnectionRefusedError(111, "Connection refused")
    assert reason_of(error, "https://api.spotinst.io/a", None) == f"ConnectionRefusedError: [Errno 111] Connection refused{named}"
