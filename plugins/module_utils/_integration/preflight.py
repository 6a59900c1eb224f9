# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.arn import parse_aws_arn

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions, enabled_regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, is_excluded
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import Proof, SpotResponse, ask

ALL_REGIONS = ["all"]


@dataclass(frozen=True)
class AwsIdentity:
    """The caller's identity in AWS, and the regions in which it can work.

    :ivar aws_account: twelve digits
    :ivar arn: of the user or role that calls
    :ivar enabled: the regions that are enabled for the account
    :ivar home: the region that responded
    """

    aws_account: str
    arn: str
    enabled: tuple[str, ...]
    home: str

    @property
    def partition(self) -> str:
        """Return `aws`, `aws-cn`, `aws-us-gov` …"""
        return str((parse_aws_arn(self.arn) or {"partition": "aws"})["partition"])


def ask_aws_and_spot(
    regions: Regions, api: SpotApi | None, spot_account: str, proof: t.Callable[[str, str], Proof]
) -> tuple[AwsIdentity, SpotResponse | SpotError | None]:
    """Query AWS and Spot for preflight. Only reads.

    :param regions: the home region, with `sts` and `ec2`
    :param api: None queries only AWS
    :param proof: returns the proof of the token for a region and an AWS account
    :returns: the caller's identity in AWS; Spot's response, or why there is none
    :raises ArgumentError: AWS does not respond, or refuses this caller.
    """
    home = next(iter(regions.names))

    def ask_who_and_spot() -> tuple[t.Any, SpotResponse | SpotError | None]:
        try:
            responding, identity = regions.first(lambda region: region.clients["sts"].get_caller_identity())
        except Exception as error:
            failure = failure_of(error)
            raise ArgumentError(f"Cannot determine the AWS identity ({home}): {failure.code}: {failure.message}") from None
        aws_account = str(identity["Account"])
        return identity, _query_spot(api, spot_account, aws_account, proof(responding.name, aws_account))

    def list_regions() -> tuple[Region, tuple[str, ...]]:
        try:
            return regions.first(enabled_regions)
        except Exception as error:
            failure = failure_of(error)
            raise ArgumentError(f"Cannot list the regions of AWS ({home}): {failure.code}: {failure.message}") from None

    (identity, spot), (responding, enabled) = at_once(ask_who_and_spot, list_regions)
    return AwsIdentity(str(identity["Account"]), str(identity["Arn"]), enabled, responding.name), spot


def _query_spot(api: SpotApi | None, spot_account: str, aws_account: str, proof: Proof) -> SpotResponse | SpotError | None:
    try:
        return ask(api, spot_account, aws_account, proof) if api else None
    except SpotError as error:
        return error


def choose_regions(
    desired: list[str], enabled: t.Sequence[str], unsupported: t.Iterable[str] = (), exclude: t.Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the regions to work in, and those to leave out as they are unsupported.

    :param desired: names, or only `all`
    :param unsupported: the regions that the user knows to have no API destinations; one that is desired by name is tried
    :param exclude: names, or patterns such as `ap-*`, of regions that are not desired, even by name
    :raises ArgumentError: a name is not that of an enabled region, or all are excluded.
    """
    patterns = list(exclude)
    chosen, left_out = _choose(desired, enabled, unsupported)
    regions = [name for name in chosen if not is_excluded(name, patterns)]
    if chosen and not regions:
        raise ArgumentError(
            f"All regions are excluded: {', '.join(chosen)} by {', '.join(patterns)}. Change the regions, or exclude fewer."
        )
    return regions, [name for name in left_out if not is_excluded(name, patterns)]


def _choose(desired: list[str], enabled: t.Sequence[str], unsupported: t.Iterable[str]) -> tuple[list[str], list[str]]:
    if desired == ALL_REGIONS:
        left_out = sorted(set(enabled) & set(unsupported))
        return sorted(set(enabled) - set(left_out)), left_out
    unknown = [name for name in desired if name not in enabled]
    if unknown:
        raise ArgumentError(
            f"Not a region, or not enabled in this AWS account: {', '.join(unknown)}. Enabled are: {', '.join(sorted(enabled))}."
        )
    return desired, []
