# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback

DEFAULT_DESCRIPTION = "Sends EC2 spot interruption warnings to Spot. Managed by the Ansible collection spot.eventbridge."
DEFAULT_SESSION_NAME = "spot-eventbridge"

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
    """Return the option for the token: never logged, and taken from the environment where it is not given."""
    return {"spot_token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SPOTINST_TOKEN"])}}


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


def wait_argument_spec(timeout: int = 120) -> ArgumentSpec:
    """Return the options for waiting until AWS has settled.

    :param timeout: the default, in seconds
    """
    return {"wait": {"type": "bool", "default": True}, "wait_timeout": {"type": "int", "default": timeout}}


def tags_argument_spec() -> ArgumentSpec:
    """Return the options for tags, as in amazon.aws: without `tags`, no tag is changed; with `purge_tags`, the others are removed."""
    return {"tags": {"type": "dict"}, "purge_tags": {"type": "bool", "default": True}}


def service_argument_spec() -> ArgumentSpec:
    """Return the options for how an HTTPS service's certificate is checked."""
    return {"validate_certs": {"type": "bool", "default": True}, "ca_path": {"type": "path"}}
