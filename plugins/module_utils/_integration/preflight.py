# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.arn import parse_aws_arn

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions, enabled_regions, home_region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_aws_account,
    check_name,
    check_spot_account,
    desired_regions,
    is_excluded,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_findings import findings, obstacles
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import Proof, SpotResponse, ask

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

ALL_REGIONS = ["all"]


def argument_spec() -> ArgumentSpec:
    """Return the options of preflight that the modules which write do not have themselves."""
    return {
        "regions": {"type": "raw", "default": "all"},
        "exclude_regions": {"type": "list", "elements": "str", "default": []},
        **client.api_argument_spec(),
        "proof": client.proof_argument_spec()["proof"],
        "require_spot": {"type": "bool", "default": True},
        "refused_settings": {"type": "dict", "default": {}},
    }


def preflight_argument_spec() -> ArgumentSpec:
    """Return the option of a module that does preflight before its own work."""
    return {"preflight": {"type": "dict", "options": argument_spec()}}


def begin(module: AnsibleAWSModule, services: t.Sequence[str]) -> tuple[Regions, Document]:
    """Return the regions in which a module works, those of preflight if it is to do that first; and what preflight adds to its result.

    :raises ArgumentError: the work must not begin.
    """
    params = module.params
    if params["preflight"] is None:
        return Regions(module, services, params["regions"]), {}
    home, found = preflight(module, {**params, **params["preflight"]})
    params.update(aws_account=found["aws_account"], unsupported_regions=found["unsupported"])
    return home.among(found["regions"], services, found["home_region"]), {"preflight": found}


def preflight(module: AnsibleAWSModule, params: t.Mapping[str, t.Any]) -> tuple[Regions, Document]:
    """Validate the options, and query AWS and Spot, before anything is written. A check that could not be made is a warning.

    :param params: the options of `spot_preflight_info`
    :returns: the home region, and the result of `spot_preflight_info`
    :raises ArgumentError: the work must not begin.
    """
    try:
        home, found = _preflight(module, params)
    except SpotError as error:
        raise ArgumentError(str(error)) from None
    if params["require_spot"]:
        for check in found["checks"]:
            if check["outcome"] not in (PASS, FAIL):
                module.warn(f"{check['message']} {check['remedy']}")
        if found["obstacles"]:
            raise ArgumentError(" ".join(found["obstacles"]))
    return home, {"problem": "", "spot_account": params["spot_account"], **found}


def _preflight(module: AnsibleAWSModule, params: t.Mapping[str, t.Any]) -> tuple[Regions, Document]:
    spot_account = check_spot_account(params["spot_account"])
    check_name(params["name"])
    client.notification_endpoint(params)
    if params["refused_settings"]:
        reasons = "; ".join(f"{name} has no effect: {reason}" for name, reason in params["refused_settings"].items())
        raise ArgumentError(f"{reasons}. Nothing was changed.")
    desired = desired_regions(params["regions"])
    api = client.client(params) if params["require_spot"] else client.client_if_token(params)
    if params["aws_account"]:
        check_aws_account(params["aws_account"])
    home = Regions(module, ("sts", "ec2"), default_region=home_region([] if desired == ALL_REGIONS else desired))
    aws, spot = ask_aws_and_spot(home, api, spot_account, functools.partial(client.proof, params))
    if params["aws_account"] not in (None, "", aws.aws_account):
        raise ArgumentError(
            f"The AWS credentials are of {aws.aws_account} ({aws.arn}), but {spot_account} is to be served in {params['aws_account']}. "
            "Use credentials of that account: set assume_role_arn or profile, or AWS_PROFILE."
        )
    regions, left_out = choose_regions(desired, aws.enabled, params["unsupported_regions"], params["exclude_regions"])
    checks = findings(spot, spot_account, aws.aws_account, params["proof"])
    return home, {
        "aws_account": aws.aws_account,
        "partition": aws.partition,
        "home_region": aws.home,
        "regions": regions,
        "unsupported": left_out,
        "checks": [finding.as_dict() for finding in checks],
        "obstacles": obstacles(spot, checks),
    }


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
