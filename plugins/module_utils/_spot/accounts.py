# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_aws_account, check_spot_account
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount, SpotError

GROUP = "spot_accounts"
FIELDS = ("spot_account", "name", "organization", "aws_account", "cloud_provider", "provider_account")

BY_ID, BY_NAME = "spot_account", "name"
# Words that mean something else to Ansible, where a host's name is expected.
_NO_HOST_NAMES = frozenset({"", "all", "ungrouped", "localhost", "127.0.0.1", "::1", GROUP})
# Ansible's host patterns, and shells, make something of the others.
_NOT_IN_HOST_NAMES = re.compile(r"[^\w.-]+")

# A pattern that has none of these is a whole id.
_WILDCARDS = re.compile(r"[*?\[]")
_FORMS: dict[str, t.Callable[[str], str]] = {"spot_account": check_spot_account, "aws_account": check_aws_account}


@dataclass(frozen=True)
class AccountFilter:
    """A condition on accounts: for each field, one of its patterns must match.

    :ivar patterns: shell-style patterns by field, in lower case
    """

    patterns: t.Mapping[str, tuple[str, ...]]

    def matches(self, account: SpotAccount) -> bool:
        """Return whether an account fulfils it. A field that an account does not have matches no pattern, not even `*`."""
        return all(_matches(getattr(account, field), patterns) for field, patterns in self.patterns.items())


def _matches(value: str | None, patterns: t.Iterable[str]) -> bool:
    return bool(value) and any(fnmatchcase(str(value).lower(), pattern) for pattern in patterns)


def parse_filters(given: t.Any, option: str) -> list[AccountFilter]:
    """Return filters from an option: a list of dictionaries, field by field a pattern or a list of patterns.

    :param given: None, or empty, is no filter
    :param option: its name, for messages
    :raises ArgumentError: it has another form, or can match nothing.
    """
    if not isinstance(given or [], (list, tuple)):
        raise ArgumentError(f"'{option}' must be a list of filters, such as [{{name: 'prod-*'}}].")
    return [_parse_filter(entry, f"{option}[{number}]") for number, entry in enumerate(given or [])]


def _parse_filter(entry: t.Any, where: str) -> AccountFilter:
    if not isinstance(entry, dict):
        raise ArgumentError(f"'{where}' must be a dictionary, such as {{name: 'prod-*'}}.")
    desired = {str(field): patterns for field, patterns in entry.items()}
    unknown = sorted(set(desired) - set(FIELDS))
    if unknown:
        raise ArgumentError(f"'{where}' has {', '.join(unknown)[:100]}, which no account has. Use {', '.join(FIELDS)}.")
    if not desired:
        raise ArgumentError(f"'{where}' is empty. Give at least one of {', '.join(FIELDS)}.")
    return AccountFilter({field: _parse_patterns(patterns, field, f"{where}.{field}") for field, patterns in desired.items()})


def _parse_patterns(given: t.Any, field: str, where: str) -> tuple[str, ...]:
    patterns = given if isinstance(given, (list, tuple)) else [given]
    if not patterns:
        raise ArgumentError(f"'{where}' has no pattern, so that it can match nothing. Give one, or leave '{field}' out.")
    return tuple(_parse_pattern(pattern, field, where) for pattern in patterns)


def _parse_pattern(given: t.Any, field: str, where: str) -> str:
    # A number is taken only if it is an account's id for certain: a shorter one lost its zeros, or YAML took it as octal.
    if not isinstance(given, str) and not (isinstance(given, int) and len(str(given)) == 12):
        raise ArgumentError(f"'{where}' must be text, such as 'prod-*' or '012345678901'. Quote numbers in YAML.")
    pattern = str(given).strip().lower()
    if not pattern:
        raise ArgumentError(f"'{where}' has an empty pattern, so that it can match nothing. Give one, or leave '{field}' out.")
    if field in _FORMS and not _WILDCARDS.search(pattern):
        try:
            _FORMS[field](pattern)
        except ArgumentError as error:
            raise ArgumentError(f"'{where}': {error}") from None
    return pattern


def select(accounts: t.Iterable[SpotAccount], include: t.Sequence[AccountFilter], exclude: t.Sequence[AccountFilter]) -> list[SpotAccount]:
    """Return the accounts that one of `include` matches (all, if there is none) and none of `exclude`."""
    return [
        account
        for account in accounts
        if (not include or any(desired.matches(account) for desired in include)) and not any(un.matches(account) for un in exclude)
    ]


@dataclass(frozen=True)
class Fleet:
    """The accounts of an inventory, and the number of the others.

    :ivar hosts: the accounts by their hosts' names, in the names' order
    :ivar listed: how many accounts Spot has
    :ivar without_aws: how many of them have no AWS account
    :ivar filtered: how many of the rest the filters left out
    """

    hosts: t.Mapping[str, SpotAccount]
    listed: int
    without_aws: int
    filtered: int

    @property
    def summary(self) -> str:
        """Return one line."""
        return (
            f"{_many(self.listed, 'account')} of the Spot organisation: {_many(len(self.hosts), 'host')}, "
            f"{self.without_aws} without an AWS account, {self.filtered} left out by include and exclude."
        )


def fleet(
    accounts: t.Sequence[SpotAccount], include: t.Sequence[AccountFilter], exclude: t.Sequence[AccountFilter], named_by: str
) -> Fleet:
    """Return the hosts of the accounts that have an AWS account and pass the filters.

    :param named_by: `BY_ID` or `BY_NAME`
    """
    connected = [account for account in accounts if account.aws_account]
    chosen = select(connected, include, exclude)
    # Names are made before anything is left out: another filter must not give a host another name.
    names = host_names(accounts, named_by)
    hosts = {names[account.spot_account]: account for account in chosen}
    return Fleet(dict(sorted(hosts.items())), len(accounts), len(accounts) - len(connected), len(connected) - len(chosen))


def host_names(accounts: t.Sequence[SpotAccount], named_by: str) -> dict[str, str]:
    """Return names of hosts by Spot account id, each different.

    Ids are unique. Names are not: those that several accounts have, that end in another's id, or that mean something else to
    Ansible, have the account's own id appended, so that no two are the same and none is taken for another account.

    :param accounts: all that Spot listed
    :param named_by: `BY_ID` or `BY_NAME`
    """
    ids = tuple(account.spot_account for account in accounts)
    if named_by == BY_ID:
        return {spot_account: spot_account for spot_account in ids}
    plain = {account.spot_account: _NOT_IN_HOST_NAMES.sub("_", account.name).strip("_.-") for account in accounts}
    times = Counter(name.lower() for name in plain.values())

    def unmistakable(name: str, spot_account: str) -> bool:
        if times[name.lower()] > 1 or name.lower() in _NO_HOST_NAMES:
            return False
        return name.endswith(spot_account) or not name.endswith(ids)

    return {
        spot_account: name if unmistakable(name, spot_account) else f"{name}-{spot_account}".lstrip("-")
        for spot_account, name in plain.items()
    }


def host_variables(account: SpotAccount) -> dict[str, t.Any]:
    """Return the variables of an account's host."""
    return {
        "spot_account": account.spot_account,
        "spot_account_name": account.name,
        "spot_organization": account.organization,
        "spot_cloud_provider": account.cloud_provider or "AWS",
        "aws_account": account.aws_account,
    }


def as_cached(accounts: t.Iterable[SpotAccount]) -> list[dict[str, t.Any]]:
    """Return accounts as they are kept in a cache: all of Spot's response, so that filters may change without querying it again."""
    return [account.as_dict() for account in accounts]


def from_cache(kept: t.Any) -> list[SpotAccount] | None:
    """Return accounts from a cache.

    :returns: None if it is not such a list, as another version may have left it
    """
    try:
        return [SpotAccount(**item) for item in kept] if isinstance(kept, list) else None
    except TypeError:
        return None


def problem(error: Exception) -> str:
    """Return in one line why accounts could not be listed, and the remedy."""
    text = " ".join(str(error).split())
    if isinstance(error, SpotError):
        remedy = _remedy(error)
        return f"{text.rstrip('.')}. {remedy}" if remedy else text
    return text if isinstance(error, ArgumentError) else f"Unexpected, {type(error).__name__}: {text}"


def _remedy(error: SpotError) -> str:
    if error.unauthenticated:
        return "Spot does not know the token: use a valid token of an organisation administrator."
    if error.status in (404, 405):
        return "Check the address of the Spot API."
    if error.refused:
        return "Listing accounts needs the token of an organisation administrator."
    if error.status == 429:
        return "Too many requests in this organisation: run again in a minute or later."
    return "Run again later." if error.status >= 500 else ""


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
