# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import contextlib
import functools
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.arn import validate_aws_arn
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import DEFAULT_SESSION_NAME
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import ca_bundle, trusting
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

try:
    import boto3
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, RefreshableCredentials
    from botocore.exceptions import BotoCoreError
    from botocore.httpsession import create_urllib3_context, get_cert_path
    from botocore.loaders import create_loader
except ImportError:  # AnsibleAWSModule reports it
    pass

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

# By the identity of the description of a service, what botocore made of it.
_MODELS: dict[int, t.Any] = {}
# From which environment variables amazon.aws takes an option that is not given.
_ENVIRONMENT = {
    "access_key": ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"),
    "secret_key": ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"),
    "session_token": ("AWS_SESSION_TOKEN",),
}


def connection_info(module: AnsibleAWSModule) -> tuple[str | None, str | None, dict[str, t.Any]]:
    """Return region, endpoint and boto3's options, with the precedence of the AWS CLI.

    A profile that is given counts more than keys in the environment, and these count more than AWS_PROFILE (botocore's
    `create_credential_resolver`). amazon.aws refuses both together.

    :raises ArgumentError: the options are not valid.
    """
    given = {name for name in _ENVIRONMENT if module.params.get(name) and not _is_of_environment(module.params[name], _ENVIRONMENT[name])}
    if module.params.get("profile") and not given:
        module.params.update(dict.fromkeys(_ENVIRONMENT))
    elif given and "session_token" not in given:
        # The session token of other keys makes these invalid.
        module.params["session_token"] = None
    try:
        region, endpoint_url, options = get_aws_connection_info(module)
    except TypeError as error:
        raise ArgumentError(f"aws_config is not a configuration of botocore: {error}") from None
    if options.get("verify") is True:
        # Only without a value does botocore use AWS_CA_BUNDLE and the profile's ca_bundle.
        options["verify"] = None
    return region, endpoint_url, options


def make_session(profile: str | None, region: str | None = None, credentials: t.Any = None) -> t.Any:
    """Return a boto3 Session, of given credentials or of those that boto3 finds.

    :param region: where the profile's role is assumed if neither the profile nor AWS_DEFAULT_REGION names a region
    :raises ArgumentError: there is no such profile.
    """
    try:
        core = _core_session(profile)
        # Else an old botocore assumes the role in us-east-1, for all regions.
        core.set_config_variable("sts_regional_endpoints", "regional")
        if region and core.get_config_variable("region") is None:
            core.set_config_variable("region", region)
        resolver = core.get_component("credential_provider")
        if credentials is not None:
            resolver.providers.insert(0, AssumedRoleProvider(credentials))
        for provider in resolver.providers:
            if provider.METHOD == "assume-role":
                # botocore's own would prompt on the terminal, once in each module.
                provider._prompter = _refuse_to_prompt(core.get_config_variable("profile"))
        return boto3.session.Session(botocore_session=core)
    except Exception as error:
        raise ArgumentError(failure_of(error).message) from None


def usable_credentials(session: t.Any) -> t.Any:
    """Return the credentials that boto3 finds for a session, None if it finds none.

    They are got here, as each call that gets them by itself fails in its own words, and most of these name neither profile nor remedy.

    :raises ArgumentError: there are some, and they cannot be got.
    """
    try:
        found = session.get_credentials()
        if found:
            found.get_frozen_credentials()
    except RegionError as error:
        raise ArgumentError(str(error)) from None
    except Exception as error:  # of any kind: a profile can name files, programs and services
        failure, profile = failure_of(error), session.profile_name
        why = failure.message.removeprefix("unexpected: ").rstrip(".: ")
        message = f"The AWS profile {profile} gives no credentials: {failure.code}: {why}."
        if why == " ".join(str(error).split()).rstrip(".: "):
            message += f" Correct it until this succeeds: aws sts get-caller-identity --profile {profile}"
        raise ArgumentError(message) from None
    return found


def make_client(session: t.Any, *service: str, **options: t.Any) -> t.Any:
    """Return a client that shares what is the same in all regions with all of this process: trusted certificates, and the service's model.

    botocore reads the certificates for each connection. That takes tens of milliseconds of CPU (botocore issue 3171, urllib3 issue 3623),
    and 17 regions are a hundred connections. What it makes of the description of a service, it makes for each client.

    :param session: a boto3 Session
    """
    client = session.client(*service, **options)
    _share_model(client)
    http: t.Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
    if hasattr(http, "_setup_ssl_cert"):
        http._setup_ssl_cert = functools.partial(_set_up_certificates, http)
    return client


def _share_model(client: t.Any) -> None:
    """Let a client use the model that another one has made of the same description of a service.

    It fills itself with each operation and error that is used, as that of a client does which several threads share.
    """
    model = getattr(client.meta, "_service_model", None)
    description = getattr(model, "_service_description", None)
    if description is not None:
        # The model keeps the description, and so its identity.
        client.meta._service_model = _MODELS.setdefault(id(description), model)


def _set_up_certificates(http: t.Any, pool: t.Any, url: str, verify: t.Any) -> None:
    """Do what botocore's HTTP session does before each request, with the shared certificates."""
    if verify and url.lower().startswith("https") and not _needs_its_own_context(pool):
        # A file that cannot be read is botocore's to report.
        with contextlib.suppress(OSError):
            pool.conn_kw["ssl_context"] = _trusting(get_cert_path(verify))
            pool.cert_reqs, pool.ca_certs = "CERT_REQUIRED", None
            return
    type(http)._setup_ssl_cert(http, pool, url, verify)


def _needs_its_own_context(pool: t.Any) -> bool:
    """Return whether a client has a certificate of its own, or connects to a proxy by TLS, which gets no context but these certificates."""
    return bool(pool.cert_file or (pool.proxy and pool.proxy.scheme == "https"))


@functools.cache
def _trusting(ca_certs: str) -> t.Any:
    """Return a TLS context as botocore makes it, with the certificates of a file."""
    context = create_urllib3_context()
    context.load_verify_locations(ca_certs)
    return context


def preload(services: t.Iterable[str]) -> None:
    """Read what sessions and requests of this process and of its forks then share: botocore's descriptions of services, and certificates.

    The descriptions take a third of a second for the services that a run needs, half of it for EC2. A client of each service reads all that
    clients need, `can_paginate` the rest.
    """
    # A profile or a file of certificates that does not exist, or a configuration that is not valid, is reported by the module.
    with contextlib.suppress(BotoCoreError, OSError):
        core = _core_session(None)
        for service in services:
            client = core.create_client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
            client.can_paginate(next(iter(client.meta.method_to_api_mapping)))
            _share_model(client)
            if client.meta.endpoint_url.startswith("https"):
                _trusting(get_cert_path(core.get_config_variable("ca_bundle") or True))
        trusting(ca_bundle(), True)


def _core_session(profile: str | None) -> t.Any:
    """Return a botocore session that shares botocore's loader, and trusts whom all else of this process trusts.

    :raises BotoCoreError: there is no such profile.
    """
    core = botocore.session.Session(profile=profile)
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    if core.get_config_variable("ca_bundle") is None:
        core.set_config_variable("ca_bundle", ca_bundle())
    return core


@functools.cache
def _loader(data_path: str | None) -> t.Any:
    """Return botocore's loader, one for all sessions: each of its own would read the same files again."""
    return create_loader(data_path)


def _is_of_environment(value: str, names: t.Sequence[str]) -> bool:
    return value in [os.environ.get(name) for name in names]


def _refuse_to_prompt(profile: str | None) -> t.Callable[[str], t.NoReturn]:
    name = profile or "default"

    def refuse(dummy: str) -> t.NoReturn:
        raise RegionError(
            "MfaRequired",
            f"The AWS profile {name} requires an MFA code (mfa_serial), which a module cannot read. Run "
            f'eval "$(aws configure export-credentials --profile {name} --format env)", unset AWS_PROFILE, and run again.',
        )

    return refuse


@dataclass(frozen=True)
class AssumeRole:
    """The role in whose account a module works.

    :ivar external_id: the external id that the role's trust policy requires; None for none
    :ivar session_name: the name of the session in CloudTrail
    """

    arn: str
    external_id: str | None = None
    session_name: str = DEFAULT_SESSION_NAME

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> AssumeRole | None:
        """Return the role that `argument_specs.assume_role_argument_spec` describes; None if no role is to be assumed.

        :raises ArgumentError: the role's ARN is none.
        """
        arn = params.get("assume_role_arn")
        if not arn:
            return None
        if not arn.startswith("arn:") or not validate_aws_arn(arn, service="iam", resource_type="role"):
            raise ArgumentError(f"'{arn[:200]}' is not the ARN of a role. An ARN has the form arn:aws:iam::123456789012:role/name.")
        return cls(arn, params.get("assume_role_external_id") or None, params.get("assume_role_session_name") or DEFAULT_SESSION_NAME)

    def credentials(self, source: t.Any, make_client: t.Callable[..., t.Any]) -> t.Any:
        """Return botocore's credentials of the role, which renew themselves before they expire.

        :param source: the credentials that may assume it; None if there are none
        :param make_client: makes a client of STS, given credentials as `botocore.session.Session.create_client` takes them
        :raises ArgumentError: it cannot be assumed.
        """
        if source is None:
            raise ArgumentError(f"There are no AWS credentials to assume {self.arn} with: set AWS_PROFILE, or access keys.")
        arguments = {"RoleSessionName": self.session_name, **({"ExternalId": self.external_id} if self.external_id else {})}
        fetcher = AssumeRoleCredentialFetcher(make_client, source, self.arn, extra_args=arguments)
        try:
            first = fetcher.fetch_credentials()
        except Exception as error:
            failure = failure_of(error)
            raise ArgumentError(
                f"The role {self.arn} cannot be assumed: {failure.code}: {failure.message} "
                f"It must exist, and its trust policy must name the caller{' and the external id' if self.external_id else ''}."
            ) from None
        return RefreshableCredentials.create_from_metadata(first, fetcher.fetch_credentials, "assume-role")


class AssumedRoleProvider:
    """Gives a botocore session the credentials of an assumed role; has the interface of botocore's `CredentialProvider`."""

    METHOD = "spot-eventbridge-assumed-role"
    CANONICAL_NAME = None

    def __init__(self, credentials: t.Any) -> None:
        self._credentials = credentials

    def load(self) -> t.Any:
        """See botocore."""
        return self._credentials
