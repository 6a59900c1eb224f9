# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import fnmatch
import re
import typing as t
from urllib.parse import urlsplit

# botocore's model: connections, API destinations, rules and targets share this form.
EVENTS_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}\Z")
# SQS API reference, CreateQueue: letters, digits, hyphens and underscores.
QUEUE_NAME = re.compile(r"[\-_A-Za-z0-9]{1,80}\Z")
# CloudFormation API reference, CreateStack.
STACK_NAME = re.compile(r"[A-Za-z][-A-Za-z0-9]{0,127}\Z")
AWS_ACCOUNT = re.compile(r"\d{12}\Z")
SPOT_ACCOUNT = re.compile(r"act-[0-9a-f]{8}\Z")
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}\Z")

# EventBridge takes at most 512 characters of API key value, `Bearer ` is seven of them.
MAX_TOKEN_LENGTH = 505
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|::1)\Z")


class ArgumentError(ValueError):
    """An argument that is not valid. The message is one line with the remedy; it never holds a secret."""


def check_regions(regions: t.Sequence[str]) -> list[str]:
    """Return the regions in the order given, each once.

    :raises ArgumentError: there is none, or one has not the form of a region's name.
    """
    unique = list(dict.fromkeys(region.strip() for region in regions))
    if not unique:
        raise ArgumentError("No region is given: set 'regions', 'region' or AWS_REGION.")
    for region in unique:
        if not REGION.match(region):
            raise ArgumentError(f"'{region}' is not the name of an AWS region. A name has the form us-east-1.")
    return unique


def desired_regions(given: t.Any) -> list[str]:
    """Return regions out of an option: a list, or one text with commas. Each once, in the order given.

    :returns: names, or only `all`
    :raises ArgumentError: there is none.
    """
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ArgumentError("The regions must be 'all', a list of names, or names separated by commas such as us-east-1,eu-west-1.")
    unique = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not unique:
        raise ArgumentError("No region is given: set 'all', or names separated by commas such as us-east-1,eu-west-1.")
    return unique


def is_excluded(region: str, patterns: t.Iterable[str]) -> bool:
    """Return whether a region is left out by its name or by a pattern such as `ap-*`."""
    return any(fnmatch.fnmatchcase(region, pattern.strip()) for pattern in patterns)


def check_name(name: str | None, form: t.Pattern[str] = EVENTS_NAME) -> str:
    """Return a resource's name.

    :raises ArgumentError: AWS would refuse it.
    """
    name = name or ""
    if form.match(name):
        return name
    longest = 80 if form is QUEUE_NAME else 64
    allowed = "letters, digits, '-' and '_'" if form is QUEUE_NAME else "letters, digits, '-', '_' and '.'"
    raise ArgumentError(f"The name '{name[:100]}' ({len(name)} characters) cannot be used: AWS accepts 1 to {longest} of {allowed}.")


def check_seconds(params: t.Mapping[str, t.Any], option: str) -> float:
    """Return the value of an option that is a number of seconds.

    :raises ArgumentError: it is negative.
    """
    seconds = float(params[option])
    if seconds >= 0:
        return seconds
    raise ArgumentError(f"{option} is {params[option]}, but must be a number of seconds, 0 or more. Nothing waits without a limit.")


def check_stack_name(name: str | None) -> str:
    """Return the name of a CloudFormation stack or stack set.

    :raises ArgumentError: AWS would refuse it.
    """
    name = name or ""
    if STACK_NAME.match(name):
        return name
    raise ArgumentError(
        f"The stack name '{name[:100]}' cannot be used: AWS accepts a letter, and then up to 127 letters, digits and hyphens."
    )


def check_spot_account(spot_account: str | None) -> str:
    """Return a Spot account id.

    :raises ArgumentError: it has not the form of one.
    """
    spot_account = spot_account or ""
    if SPOT_ACCOUNT.match(spot_account):
        return spot_account
    raise ArgumentError(
        f"'{spot_account[:100]}' is not a Spot account id. An id has the form act-d7320fba; the Spot console shows it under Settings."
    )


def check_aws_account(aws_account: str) -> str:
    """Return an AWS account id.

    :raises ArgumentError: it has not the form of one.
    """
    if AWS_ACCOUNT.match(aws_account):
        return aws_account
    raise ArgumentError(f"'{aws_account[:100]}' is not an AWS account id. Ids are twelve digits; quote them in YAML.")


def check_token(token: str | None) -> str:
    """Return a Spot token that AWS can send as ``Authorization: Bearer <token>``.

    :raises ArgumentError: there is none, or AWS would refuse it. The message names the fault, not the token.
    """
    if not token:
        raise ArgumentError("There is no Spot token: set SPOTINST_TOKEN, or the option spot_token.")
    if len(token) > MAX_TOKEN_LENGTH:
        raise ArgumentError(f"The Spot token has {len(token)} characters; AWS can send at most {MAX_TOKEN_LENGTH}. Give the token alone.")
    for found, what in ((r"[\r\n]", "a line break"), (r"\s", "white space"), (":", "a colon"), (r"[^!-~]", "a character outside of ASCII")):
        if re.search(found, token):
            raise ArgumentError(f"The Spot token contains {what}; Spot's tokens do not. Give the token alone, without 'Bearer'.")
    return token


def check_url(url: str, what: str) -> str:
    """Return an address to which a token may be sent: HTTPS, or HTTP on this machine (a sandbox).

    :raises ArgumentError: it is neither.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # each refuses what is malformed
    except ValueError:
        host, parts = None, urlsplit("")
    if host and parts.scheme == "https":
        return url
    if host and parts.scheme == "http" and _LOOPBACK.match(host):
        return url
    raise ArgumentError(f"{what} '{url[:200]}' is not an https:// address. Plain http is for loopback only.")


def check_secret_url(url: str, what: str) -> str:
    """Check as `check_url` does an address that is itself a secret, and so is not in the message."""
    try:
        return check_url(url, what)
    except ArgumentError:
        raise ArgumentError(f"{what} is not an https:// address. Plain http is for loopback only.") from None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name."""
    return bool(_LOOPBACK.match(host))
