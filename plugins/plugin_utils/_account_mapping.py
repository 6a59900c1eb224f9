# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_aws_account, check_spot_account


def mapping(hosts: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, str]:
    """Return the Spot accounts by AWS account, out of the variables of accounts' hosts.

    :param hosts: each with `aws_account`, and with `spot_account`, or else with an `inventory_hostname` that is one
    :raises ArgumentError: a host has none of them, or two hosts have the same AWS account.
    """
    found: dict[str, str] = {}
    for host in hosts:
        name = str(host.get("inventory_hostname", "a host"))
        if not host.get("aws_account"):
            raise ArgumentError(f"{name} has no variable aws_account: a stack set has to know the AWS account of each Spot account.")
        try:
            aws_account = check_aws_account(str(host["aws_account"]))
            spot_account = check_spot_account(str(host.get("spot_account") or name))
        except ArgumentError as error:
            raise ArgumentError(f"{name}: {error}") from None
        other = found.setdefault(aws_account, spot_account)
        if other != spot_account:
            raise ArgumentError(
                f"The AWS account {aws_account} has two Spot accounts, {other} and {spot_account}; a stack set can serve one of them. "
                "Leave the other one out, and give it a stack set of another name."
            )
    return found
