# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import os
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.assumed_role import AssumedRoleProvider
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import ca_bundle
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

try:
    import boto3
    import botocore.session
except ImportError:  # AnsibleAWSModule says so
    pass

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

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


def make_session(profile: str | None, credentials: t.Any = None) -> t.Any:
    """Return a boto3 Session, of given credentials or of those that boto3 finds.

    :raises ArgumentError: there is no such profile.
    """
    core = botocore.session.Session(profile=profile)
    # Else old botocore asks for the role in us-east-1, on behalf of all regions.
    core.set_config_variable("sts_regional_endpoints", "regional")
    try:
        if core.get_config_variable("ca_bundle") is None:
            core.set_config_variable("ca_bundle", ca_bundle())
        resolver = core.get_component("credential_provider")
        if credentials is not None:
            resolver.providers.insert(0, AssumedRoleProvider(credentials))
        for provider in resolver.providers:
            if provider.METHOD == "assume-role":
                # botocore's own would read the terminal, once in each module.
                provider._prompter = _refuse_to_prompt(core.get_config_variable("profile"))
        return boto3.session.Session(botocore_session=core)
    except Exception as error:
        raise ArgumentError(failure_of(error).message) from None


def _is_of_environment(value: str, names: t.Sequence[str]) -> bool:
    return value in [os.environ.get(name) for name in names]


def _refuse_to_prompt(profile: str | None) -> t.Callable[[str], t.NoReturn]:
    name = profile or "default"

    def refuse(dummy: str) -> t.NoReturn:
        raise RegionError(
            "MfaRequired",
            f"The AWS profile {name} demands an MFA code (mfa_serial), and a module cannot ask for one. Run "
            f'eval "$(aws configure export-credentials --profile {name} --format env)", unset AWS_PROFILE, and run again.',
        )

    return refuse
