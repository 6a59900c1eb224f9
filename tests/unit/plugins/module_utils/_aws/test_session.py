# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials, certificates and endpoints, as the AWS CLI takes them."""

from __future__ import annotations

import getpass
import shutil
import types
import typing as t
from pathlib import Path

import botocore
import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.session import make_client, preload
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import assume_role_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

REGION = "eu-west-1"
CONFIG = """
[profile plain]
aws_access_key_id = of-the-profile
aws_secret_access_key = any
ca_bundle = /profile/ca.pem

[profile mfa]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = plain
mfa_serial = arn:aws:iam::123456789012:mfa/me

[profile process]
credential_process = echo '{"Version": 1, "AccessKeyId": "of-the-process", "SecretAccessKey": "any"}'

[profile failing]
credential_process = false

[profile chatty]
credential_process = echo Welcome

[profile circular]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = circle

[profile circle]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = circular

[profile tokenless]
role_arn = arn:aws:iam::123456789012:role/Admin
web_identity_token_file = /nowhere/token

[profile halved]
aws_access_key_id = of-the-profile

[profile sso]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = Admin

[profile fips]
use_fips_endpoint = true

[profile dual]
use_dualstack_endpoint = true
"""
KEYS = {"access_key": "of-the-environment", "secret_key": "any", "session_token": "token-of-the-environment"}


class Module:
    """An AnsibleAWSModule: what amazon.aws makes of options that are not given."""

    def __init__(self, **params: t.Any) -> None:
        self.params = {"validate_certs": True, **params}

    def fail_json(self, msg: str, **dummy: t.Any) -> t.NoReturn:
        raise AssertionError(msg)


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(CONFIG)
    names = ("PROFILE", "DEFAULT_PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "ENDPOINT_URL", "CA_BUNDLE", "REGION")
    for name in [f"AWS_{name}" for name in names] + ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "access_key",
        "AWS_SECRET_ACCESS_KEY": "secret_key",
        "AWS_SESSION_TOKEN": "session_token",
    }.items():
        monkeypatch.setenv(name, KEYS[value])
    return KEYS


def client(service: str = "sts", **params: t.Any) -> t.Any:
    return Regions(t.cast("t.Any", Module(**params)), (service,), [REGION])[REGION].clients[service]


def credentials(**params: t.Any) -> tuple[str, str | None]:
    found = client(**params)._request_signer._credentials.get_frozen_credentials()
    return found.access_key, found.token


def test_a_profile_that_is_given_counts_more_than_keys_in_the_environment(keys_in_environment: dict[str, str]) -> None:
    assert credentials(profile="plain", **keys_in_environment) == ("of-the-profile", None)


def test_keys_in_the_environment_count_more_than_a_profile_there(
    keys_in_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "plain")
    assert credentials(**keys_in_environment) == (KEYS["access_key"], KEYS["session_token"])


def test_a_profile_of_the_environment_is_used_where_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "plain")
    assert credentials() == ("of-the-profile", None)


def test_no_module_takes_the_profile_of_the_environment_for_one_that_is_given() -> None:
    assert "fallback" not in assume_role_argument_spec()["profile"]


def test_keys_that_are_given_do_not_get_the_session_token_of_others(keys_in_environment: dict[str, str]) -> None:
    given = {**keys_in_environment, "access_key": "given", "secret_key": "any"}
    assert credentials(**given) == ("given", None)


def test_a_profile_and_keys_that_are_given_are_refused(keys_in_environment: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="Passing both a profile and access tokens"):
        client(**{**keys_in_environment, "profile": "plain", "access_key": "given"})


def test_a_process_gives_credentials() -> None:
    assert credentials(profile="process") == ("of-the-process", None)


def test_a_profile_with_mfa_says_what_to_do_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: pytest.fail("the terminal was read"))
    with pytest.raises(ArgumentError) as caught:
        client(profile="mfa")
    assert "aws configure export-credentials --profile mfa" in str(caught.value)
    assert "unexpected" not in str(caught.value)


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("failing", "CredentialRetrievalError: Error when retrieving credentials from custom-process"),
        ("chatty", "JSONDecodeError: "),
        ("circular", "InfiniteLoopConfigError: "),
        ("tokenless", "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/token'"),
        ("halved", "PartialCredentialsError: "),
    ],
)
def test_a_profile_that_gives_no_credentials_is_named_with_the_reason_and_what_to_do(profile: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        client(profile=profile)
    message = str(caught.value)
    assert message.startswith(f"The AWS profile {profile} gives no credentials: {reason}")
    assert message.endswith(f". Correct it until this succeeds: aws sts get-caller-identity --profile {profile}")
    assert "\n" not in message
    assert "of-the-profile" not in message


def test_a_profile_of_single_sign_on_says_how_to_log_in() -> None:
    with pytest.raises(ArgumentError, match=r"^The AWS profile sso gives no credentials: .*\. Run aws sso login, and run again\.$"):
        client(profile="sso")


def test_keys_that_are_given_need_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "failing")
    assert credentials(access_key="given", secret_key="any") == ("given", None)


@pytest.mark.parametrize(
    ("environment", "params", "expected"),
    [
        ({}, {}, True),
        ({}, {"profile": "plain"}, "/profile/ca.pem"),
        ({"AWS_CA_BUNDLE": "/aws.pem", "REQUESTS_CA_BUNDLE": "/requests.pem"}, {}, "/aws.pem"),
        ({"AWS_CA_BUNDLE": "/aws.pem"}, {"aws_ca_bundle": "/given.pem"}, "/given.pem"),
        ({"REQUESTS_CA_BUNDLE": "/requests.pem"}, {}, "/requests.pem"),
        ({"REQUESTS_CA_BUNDLE": "/requests.pem"}, {"profile": "plain"}, "/profile/ca.pem"),
        ({"SSL_CERT_FILE": "/ssl.pem"}, {}, "/ssl.pem"),
        ({"REQUESTS_CA_BUNDLE": "/requests.pem"}, {"validate_certs": False}, False),
    ],
)
def test_aws_is_trusted_by_the_certificates_that_are_configured(
    environment: dict[str, str], params: dict[str, t.Any], expected: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert client(**params)._endpoint.http_session._verify == expected


@pytest.mark.parametrize(
    ("profile", "service", "url"),
    [
        ("plain", "sts", "https://sts.eu-west-1.amazonaws.com"),
        ("fips", "events", "https://events-fips.eu-west-1.amazonaws.com"),
        ("dual", "sqs", "https://sqs.eu-west-1.api.aws"),
    ],
)
def test_endpoints_are_those_of_the_profile(profile: str, service: str, url: str) -> None:
    assert client(service, profile=profile).meta.endpoint_url == url


def test_clients_share_the_model_of_a_service_unless_its_description_is_another_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    regions = Regions(t.cast("t.Any", Module(**KEYS)), ("sts", "sqs"), ["eu-west-1", "us-east-1"])
    first, second = (regions[name].clients["sts"].meta.service_model for name in regions.names)
    assert first is second
    assert first is not regions["eu-west-1"].clients["sqs"].meta.service_model
    own = tmp_path / "sts" / first.api_version
    own.mkdir(parents=True)
    for path in (Path(botocore.__file__).parent / "data" / "sts" / first.api_version).iterdir():
        shutil.copy(path, own)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert client(**KEYS).meta.service_model is not first


def test_a_client_of_a_botocore_that_is_built_otherwise_keeps_what_it_has() -> None:
    made = types.SimpleNamespace(meta=types.SimpleNamespace(service_model="its own"))
    session = types.SimpleNamespace(client=lambda *service, **options: made)
    assert make_client(session, "sts").meta == types.SimpleNamespace(service_model="its own")


@pytest.mark.parametrize(("variable", "value"), [("AWS_PROFILE", "nobody"), ("AWS_CONFIG_FILE", __file__)])
def test_a_configuration_that_cannot_be_used_does_not_end_ansible_before_a_module_reports_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    preload(["sts"])
