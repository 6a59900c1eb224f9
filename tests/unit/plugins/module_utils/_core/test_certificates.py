# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A company's own certificate authority, in the variables that curl, requests and OpenSSL use."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import botocore.config
import pytest
from ansible.module_utils.urls import make_context
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.spot.eventbridge.plugins.module_utils._aws import session
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.session import make_client, make_session, preload
from ansible_collections.spot.eventbridge.plugins.module_utils._core import http
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.channels.mail import MailChannel
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"response": {"items": [], "count": 0, "status": {"code": 200}}}')

    def log_message(self, *dummy: t.Any) -> None:
        """No news."""


class Server(HTTPServer):
    def handle_error(self, *dummy: t.Any) -> None:
        """A client that does not trust the certificate is no news."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a certificate that only its own file vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority of a company")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificates") / "company.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture(scope="module")
def url(certificate: Path) -> t.Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "AWS_CA_BUNDLE", "AWS_PROFILE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("variable", VARIABLES)
def test_spot_and_every_other_service_are_trusted_by_the_companys_authority(
    variable: str, url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    assert SpotApi(url, "0123456789secretTOKEN").accounts() == []
    assert Peer("the webhook", url).demand("GET").status == 200


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_mail_server_is_trusted_by_the_companys_authority(variable: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = MailChannel("127.0.0.1", 465, "tls", "", "from@example.com", ("to@example.com",), "")
    monkeypatch.setenv(variable, str(certificate))
    (trusted,) = mail._context().get_ca_certs()
    assert "An authority of a company" in str(trusted["subject"])


REMEDY = "Name the file of your authority's certificates in REQUESTS_CA_BUNDLE."


def aws(url: str, **options: t.Any) -> t.Any:
    """A client of AWS at this address."""
    config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return make_client(make_session(None), "sts", region_name="eu-west-1", endpoint_url=url, config=config, **keys, **options)


def ask_aws(url: str, **options: t.Any) -> Failure:
    """How a call of AWS at this address fails. The server's response is none of AWS."""
    try:
        aws(url, **options).get_caller_identity()
    except Exception as error:
        return failure_of(error)
    pytest.fail("AWS responded")


def test_without_it_nobody_is_trusted_and_the_remedy_names_the_variable(url: str) -> None:
    with pytest.raises(SpotError, match=rf"CERTIFICATE_VERIFY_FAILED.*\. {REMEDY}$"):
        SpotApi(url, "0123456789secretTOKEN", sleep=lambda seconds: None).accounts()
    with pytest.raises(PeerError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        Peer("the webhook", url).demand("GET")
    assert caught.value.remedy == REMEDY
    assert "CERTIFICATE_VERIFY_FAILED" in ask_aws(url).message
    assert ask_aws(url).message.endswith(f". {REMEDY}")


def test_a_file_that_is_given_counts_more_than_the_environment(url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nothing.pem")
    assert Peer("the webhook", url, ca_path=str(certificate)).demand("GET").status == 200


def test_a_file_that_does_not_exist_is_named(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for missing in ("/nothing.pem", str(tmp_path)):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", missing)
        with pytest.raises(SpotError, match=f"the file of certificates {missing} does not exist"):
            SpotApi(url, "0123456789secretTOKEN", sleep=lambda seconds: None).accounts()
        with pytest.raises(PeerError, match=f"the file of certificates {missing} does not exist"):
            Peer("the webhook", url).demand("GET")
        assert "Correct the file of certificates in AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or" in ask_aws(url).message


class Counting(ssl.SSLContext):
    """Counts how often certificates are read."""

    loads: t.ClassVar[list[str]] = []

    def load_verify_locations(self, cafile: t.Any = None, capath: t.Any = None, cadata: t.Any = None) -> None:
        self.loads.append(cafile)
        super().load_verify_locations(cafile, capath, cadata)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[list[str]]:
    def make() -> ssl.SSLContext:
        context = Counting(ssl.PROTOCOL_TLS_CLIENT)
        # urllib3 compares the names, as in the context that botocore makes.
        context.check_hostname = False
        return context

    monkeypatch.setattr(Counting, "loads", [])
    for module in (session, botocore.httpsession):
        monkeypatch.setattr(module, "create_urllib3_context", make)
    session._trusting.cache_clear()
    yield Counting.loads
    session._trusting.cache_clear()


def responded(failure: Failure) -> bool:
    """Whether the call came as far as the server's response."""
    return "Unable to parse response" in failure.message


def test_the_certificates_are_read_once_for_all_clients_and_connections(url: str, certificate: Path, loads: list[str]) -> None:
    for _number in range(3):
        assert responded(ask_aws(url, verify=str(certificate)))
    assert loads == [str(certificate)]


def test_another_file_is_read_by_itself_and_none_where_nothing_is_verified(
    url: str, certificate: Path, loads: list[str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy.pem"
    copy.write_bytes(certificate.read_bytes())
    assert responded(ask_aws(url, verify=False))
    assert loads == []
    assert responded(ask_aws(url, verify=str(certificate)))
    assert responded(ask_aws(url, verify=str(copy)))
    assert loads == [str(certificate), str(copy)]


def test_a_certificate_for_another_name_is_refused(url: str, certificate: Path) -> None:
    failure = ask_aws(url.replace("127.0.0.1", "localhost"), verify=str(certificate))
    assert failure.code == "SSLError"
    assert "hostname 'localhost' doesn't match '127.0.0.1'" in failure.message


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_what_is_read_before_the_forks_is_not_read_again(
    url: str, certificate: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{scheme}://127.0.0.1:9")
    preload(["sts"])
    assert loads == [str(certificate)] * (scheme == "https")
    assert responded(ask_aws(url))
    assert loads == [str(certificate)]


def test_the_certificates_are_read_once_for_all_requests_to_spot_and_other_services(
    url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[t.Any] = []

    def make(**options: t.Any) -> t.Any:
        made.append(options)
        return make_context(**options)

    monkeypatch.setattr(http, "make_context", make)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    http.trusting.cache_clear()
    preload([])
    assert made == [{"cafile": str(certificate), "validate_certs": True}]
    assert SpotApi(url, "0123456789secretTOKEN").accounts() == []
    assert Peer("the webhook", url).demand("GET").status == 200
    assert len(made) == 1
    assert Peer("the webhook", url, validate_certs=False).demand("GET").status == 200
    assert made[1:] == [{"cafile": str(certificate), "validate_certs": False}]


def test_without_tls_none_is_read(loads: list[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert responded(ask_aws(f"http://127.0.0.1:{server.server_port}"))
    assert loads == []


def test_behind_a_proxy_the_certificates_are_read_once_too(url: str, certificate: Path, loads: list[str]) -> None:
    for proxy, expected in (("http://127.0.0.1:9", [str(certificate)]), ("https://127.0.0.1:9", [])):
        loads.clear()
        session._trusting.cache_clear()
        client = aws(url, verify=str(certificate))
        client._endpoint.http_session._proxy_config._proxies = {"https": proxy}
        with pytest.raises(botocore.exceptions.ProxyConnectionError):
            client.get_caller_identity()
        assert loads == expected
