# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import configparser
import json
import os
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleFallbackNotFound, env_fallback

DEFAULT_DESCRIPTION = "Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge."
DEFAULT_SESSION_NAME = "spot-eventbridge"
ROLE_SETTLE_VARIABLE = "SPOT_EVENTBRIDGE_ROLE_SETTLE_TIME"

_DEFAULT_PROFILE = "default"
# The first of each pair is that of Spot's SDK for Go, spotctl and the Terraform provider, the second that of Spot's SDK for Python.
_FILE = ("SPOTINST_CREDENTIALS_FILE", "SPOTINST_SHARED_CREDENTIALS_FILE")
_PROFILE = ("SPOTINST_CREDENTIALS_PROFILE", "SPOTINST_PROFILE")

ArgumentSpec = dict[str, t.Any]


def named_argument_spec() -> ArgumentSpec:
    """Return the options of the modules that make or remove something by its name."""
    return {"name": {"type": "str", "required": True}, **state_argument_spec()}


def state_argument_spec() -> ArgumentSpec:
    """Return the option that chooses between making and removing."""
    return {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def description_argument_spec() -> ArgumentSpec:
    """Return the option that AWS shows as a resource's description."""
    return {"description": {"type": "str", "default": DEFAULT_DESCRIPTION}}


def token_argument_spec() -> ArgumentSpec:
    """Return the option for the token: never logged; where it is not given, that of Spot's own clients."""
    return {"spot_token": {"type": "str", "no_log": True, "fallback": (token_fallback, [])}}


def update_token_argument_spec(choices: t.Sequence[str] = ("changed", "always", "on_create")) -> ArgumentSpec:
    """Return the option that decides when the token is written; its default is the first choice."""
    return {"update_token": {"type": "str", "choices": list(choices), "default": choices[0], "no_log": False}}


def template_argument_spec() -> ArgumentSpec:
    """Return the options of the modules that use a CloudFormation template."""
    return {
        "template_body": {"type": "json"},
        "template_url": {"type": "str"},
        "account_parameter": {"type": "str"},
        "token_parameter": {"type": "str", "no_log": False},
        "parameters": {"type": "dict", "default": {}},
        "update": {"type": "str", "choices": ["changed", "always"], "default": "changed"},
        **token_argument_spec(),
        **tags_argument_spec(),
    }


def assume_role_argument_spec() -> ArgumentSpec:
    """Return the options of every module that calls AWS: the role to work with, named as in amazon.aws's plugins; and the profile.

    amazon.aws takes a profile that is not given from AWS_PROFILE, and it could not be distinguished from one that is given. botocore
    uses AWS_PROFILE itself.
    """
    return {
        "profile": {"type": "str", "aliases": ["aws_profile"]},
        "assume_role_arn": {"type": "str"},
        "assume_role_external_id": {"type": "str"},
        "assume_role_session_name": {"type": "str", "default": DEFAULT_SESSION_NAME},
    }


def regions_argument_spec() -> ArgumentSpec:
    """Return the options of every module that works in several regions at once."""
    return {"regions": {"type": "list", "elements": "str"}, **assume_role_argument_spec()}


def left_out_argument_spec() -> ArgumentSpec:
    """Return the options about regions in which there can be no integration."""
    return {
        "denied_regions": {"type": "str", "choices": ["skip", "fail"], "default": "skip"},
        "unsupported_regions": {"type": "list", "elements": "str", "default": []},
    }


def wait_argument_spec(timeout: int = 120) -> ArgumentSpec:
    """Return the options for waiting until AWS has settled.

    :param timeout: the default, in seconds
    """
    return {"wait": {"type": "bool", "default": True}, "wait_timeout": {"type": "int", "default": timeout}}


def role_settle_argument_spec() -> ArgumentSpec:
    """Return the option for how long after its creation an execution role may be unknown to EventBridge.

    CloudFormation takes 18 seconds to make a role (tests/contract/records/stacks.yml, stack-durations).
    """
    return {"role_settle_time": {"type": "float", "default": 20.0, "fallback": (env_fallback, [ROLE_SETTLE_VARIABLE])}}


def tags_argument_spec() -> ArgumentSpec:
    """Return the options for tags, as in amazon.aws: without `tags`, no tag is changed; with `purge_tags`, the others are removed."""
    return {"tags": {"type": "dict"}, "purge_tags": {"type": "bool", "default": True}}


def service_argument_spec() -> ArgumentSpec:
    """Return the options for how an HTTPS service's certificate is checked."""
    return {"validate_certs": {"type": "bool", "default": True}, "ca_path": {"type": "path"}}


@dataclass(frozen=True)
class SpotCredentials:
    """A token and a Spot account, each None where there is none."""

    token: str | None = field(default=None, repr=False)
    account: str | None = None


def spot_credentials() -> SpotCredentials:
    """Return the credentials that Spot's own clients would use: SPOTINST_TOKEN and SPOTINST_ACCOUNT, else those of Spot's credentials file.

    The account of the file belongs to its token: it does not count for a token of the environment. A file that is not there, or cannot
    be read as one, has no credentials.
    """
    token, account = os.environ.get("SPOTINST_TOKEN"), os.environ.get("SPOTINST_ACCOUNT")
    if token:
        return SpotCredentials(token, account or None)
    path = _environment(_FILE) or os.path.join(os.path.expanduser("~"), ".spotinst", "credentials")
    found = _read(path, _environment(_PROFILE) or _DEFAULT_PROFILE)
    return SpotCredentials(found.get("token") or None, account or found.get("account") or None)


def token_fallback() -> str:
    """Return the token for a module's option that is not given.

    :raises AnsibleFallbackNotFound: there is none.
    """
    token = spot_credentials().token
    if token is None:
        raise AnsibleFallbackNotFound
    return token


def _read(path: str, profile: str) -> t.Mapping[str, str]:
    """Return the entries of a profile in a credentials file: INI, or JSON without profiles, as older clients wrote it."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError):
        return {}
    try:
        whole = json.loads(text)
        return {key: value for key, value in whole.items() if isinstance(value, str)} if isinstance(whole, dict) else {}
    except ValueError:
        pass
    # Its own section [default] is that of a profile here, not one for all.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    # Entries that a profile lacks are taken from the default one.
    return {key: value for name in (_DEFAULT_PROFILE, profile) if parser.has_section(name) for key, value in parser.items(name)}


def _environment(names: t.Iterable[str]) -> str | None:
    return next((value for value in map(os.environ.get, names) if value), None)
