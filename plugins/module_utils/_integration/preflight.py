# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.arn import parse_aws_arn

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import Proof, SpotResponse, ask

ALL_REGIONS = ["all"]

# AWS's documentation of API destinations leaves these out; the list's date is unknown, so users can give their own.
UNSUPPORTED_REGIONS = (
    "ap-east-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "il-central-1",
    "mx-central-1",
    "us-gov-east-1",
    "us-gov-west-1",
)


@dataclass(frozen=True)
class AwsIdentity:
    """Who the caller is to AWS, and in which regions it can work.

    :ivar aws_account: twelve digits
    :ivar arn: of the user or role that calls
    :ivar enabled: the regions that are enabled for the account
    """

    aws_account: str
    arn: str
    enabled: tuple[str, ...]

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov` …"""
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
    (identity,) = regions.run(lambda region: region.clients["sts"].get_caller_identity()).values()
    if not isinstance(identity, dict):
        raise ArgumentError(f"Cannot determine the AWS identity ({home}): {identity.code}: {identity.message}")
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        aws_account = str(identity["Account"])
        spot = pool.submit(_query_spot, api, spot_account, aws_account, proof(home, aws_account))
        (enabled,) = regions.run(_enabled_regions).values()
        if not isinstance(enabled, tuple):
            raise ArgumentError(f"Cannot list the regions of AWS ({home}): {enabled.code}: {enabled.message}")
        return AwsIdentity(aws_account, str(identity["Arn"]), enabled), spot.result()


def _query_spot(api: SpotApi | None, spot_account: str, aws_account: str, proof: Proof) -> SpotResponse | SpotError | None:
    try:
        return ask(api, spot_account, aws_account, proof) if api else None
    except SpotError as error:
        return error


def _enabled_regions(region: Region) -> tuple[str, ...]:
    # Without AllRegions, AWS lists those that are enabled (EC2 API reference, DescribeRegions).
    return tuple(item["RegionName"] for item in region.clients["ec2"].describe_regions()["Regions"])


def choose_regions(desired: list[str], enabled: t.Sequence[str], unsupported: t.Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the regions to work in, and those to leave out. Pure.

    :param desired: names, or only `all`
    :param unsupported: the regions that are taken to have no API destinations; one that is desired by name is tried
    :raises ArgumentError: a name is not that of an enabled region.
    """
    if desired == ALL_REGIONS:
        left_out = sorted(set(enabled) & set(unsupported))
        return sorted(set(enabled) - set(left_out)), left_out
    unknown = [name for name in desired if name not in enabled]
    if unknown:
        raise ArgumentError(
            f"Not a region, or not enabled in this AWS account: {', '.join(unknown)}. Enabled are: {', '.join(sorted(enabled))}."
        )
    return desired, []
